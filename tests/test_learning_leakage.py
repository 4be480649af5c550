"""The audit finds canaries, lets exact forgetting through, and catches what only looks like it."""

from dataclasses import replace

import numpy as np
import pytest

from learning_fixtures import CLASSES, RECIPE, images
from safelight.errors import LeakageError
from safelight.learning.examples import Examples
from safelight.learning.leakage import Bench, Floats, Leakage, Limits, Mask, audit
from safelight.readers.head import Recipe, solve
from safelight.readers.statistics import Statistics

WIDTH = 64


def ledger(rows: int, seed: int, *, width: int = WIDTH) -> tuple[Statistics, Examples]:
    """Return sums of a public start and contributed rows, and those rows."""
    public, told = images(200, seed, width=width)
    some, labels = images(rows, seed + 1, width=width)
    start = Statistics.empty("test-1", CLASSES, width).of(public, told)
    names = [f"{seed}-{one}" for one in range(rows)]
    return start.add(some, labels), Examples.of(names, names, labels, some)


def ascent(rate: float, steps: int, *, ridge: float) -> "object":
    """Return "unlearning" by gradient ascent on the loss of what is to be forgotten."""

    def forget(bench: Bench, kept: Mask, gone: Mask) -> Floats:
        head = solve(bench.piled(kept | gone), Recipe(ridge=ridge))
        unit = float(1 << 32)
        weights, bias = head.weights[0] / unit, head.biases[0] / unit
        rows = bench.features.astype(np.float64)
        sign = np.where(bench.labels == CLASSES[1], 1.0, -1.0)
        scale = float((rows[gone] ** 2).sum(axis=1).mean())
        for _ in range(steps):
            wrong = rows[gone] @ weights + bias - sign[gone]
            weights = weights + rate * (rows[gone].T @ wrong) / len(wrong) / scale
        return np.asarray(sign * (rows @ weights + bias))

    return forget


def test_canaries_are_found_before_and_gone_after() -> None:
    sums, pool = ledger(500, 31)
    found = audit(sums, Recipe(ridge=3.0), pool, seed=5)
    assert found.found >= 0.90
    assert found.member_after <= 0.02
    assert found.absent_after <= 0.02
    assert found.checks >= 2000
    assert found.why_not(Limits(members=1.0)) == ""


@pytest.mark.parametrize(("rate", "steps"), [(0.05, 2), (0.05, 10), (0.2, 20), (1.0, 20)])
def test_gradient_ascent_is_caught_on_one_side_or_the_other(rate: float, steps: int) -> None:
    sums, pool = ledger(300, 41)
    forget = ascent(rate, steps, ridge=3.0)
    found = audit(
        sums,
        Recipe(ridge=3.0),
        pool,
        seed=6,
        forget=forget,
        references=48,
        checks=160,  # type: ignore[arg-type]  # shape
    )
    assert max(found.member_after, found.absent_after) > 0.2
    assert found.why_not(Limits(members=1.0)) == "rows that were taken off can still be told"


def test_doing_nothing_is_caught() -> None:
    sums, pool = ledger(300, 51)

    def keep(bench: Bench, kept: Mask, gone: Mask) -> Floats:
        return bench.margins(solve(bench.piled(kept | gone), bench.recipe))

    found = audit(sums, Recipe(ridge=3.0), pool, seed=7, forget=keep, references=48, checks=160)
    assert found.member_after > 0.5


def test_many_features_and_few_rows_leak_more() -> None:
    sums, pool = ledger(60, 61)
    few = audit(sums, RECIPE, pool, seed=8, checks=200)
    sums, pool = ledger(500, 71, width=16)
    many = audit(sums, RECIPE, pool, seed=8, checks=200)
    assert few.members > 0.2
    assert many.members < 0.05
    assert few.why_not() == "too many contributors can be told from others"
    assert many.why_not() == ""
    assert 0.45 < many.auc < 0.65


def test_an_audit_says_the_same_each_time() -> None:
    sums, pool = ledger(80, 81, width=16)
    assert audit(sums, RECIPE, pool, seed=3, checks=64) == audit(
        sums, RECIPE, pool, seed=3, checks=64
    )


def test_an_audit_that_sees_nothing_lets_nothing_through() -> None:
    seen = Leakage(
        rows=50,
        canaries=16,
        checks=320,
        auc=0.5,
        members=0.01,
        found=1.0,
        member_after=0.01,
        absent_after=0.03,
        error=0.006,
    )
    assert seen.why_not() == ""  # as much may be chance
    assert "too few of its own canaries" in replace(seen, found=0.5).why_not()
    assert "still be told" in replace(seen, error=0.003).why_not()
    assert "still be told" in replace(seen, member_after=0.07).why_not()
    sums, pool = ledger(60, 91, width=16)
    with pytest.raises(LeakageError, match="needs 20"):
        audit(sums, RECIPE, pool.only(range(19)), seed=1)
    alone = pool.only([row for row, one in enumerate(pool.labels) if one == CLASSES[0]])
    single = Statistics.empty("test-1", CLASSES, 16).of(alone.features, alone.labels)
    with pytest.raises(LeakageError, match="too few rows"):
        audit(single, RECIPE, alone, seed=1)
