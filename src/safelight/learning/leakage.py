"""What a head tells about who is in it: a membership audit with models of reference.

After LiRA (Carlini et al., Membership Inference Attacks From First Principles, IEEE S&P 2022), with
references matched to the target's data: every reference model is the very ledger that is audited,
with a random half of a pool of its rows taken off. The attacker so knows the public start and all
rows but the pool, and half of that: more than any real one.

Deletion is audited on both sides. *Canaries* (rows of the pool with a wrong label, and with so much
weight that a head must bend for them) are added and taken off again by the code that forgets
people; afterwards each must look neither like a member nor conspicuously unlike one who never was:
gradient ascent on what is to be forgotten leaves rows that score worse than those of strangers,
and a one-sided audit would pass it.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from safelight.errors import LeakageError, SettingsError
from safelight.learning.examples import Examples
from safelight.readers.head import Head, Recipe, solve
from safelight.readers.statistics import MOST_WEIGHT, Statistics

__all__ = [
    "CHECKS",
    "LIMITS",
    "REFERENCES",
    "Bench",
    "Leakage",
    "Limits",
    "audit",
    "exact_deletion",
]

SURE: Final = 2.33  # standard errors: one audit of exact forgetting in a hundred is stopped
NOMINAL: Final = 0.01  # of each flag, for a row that was never there
LEAST_CANARIES: Final = 16
POOL: Final = 2048  # rows that references differ in
CANARIES: Final = 64
REFERENCES: Final = 96
CHECKS: Final = 2000  # of canaries after deletion, about
LEAST_POOL: Final = 20

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]
# Takes the rows of a mask off; may change the sums (as we do) or the head (as others do).
Forget = Callable[["Bench", Mask, Mask], Floats]


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a model may tell at most to be published.

    Attributes:
        members: Share of contributors found when 1 % of others are taken for some.
        after: Share of deleted canaries with either flag, each raised for 1 % of strangers.
        found: Share of canaries that must be found before: else the audit could not see anything.
    """

    members: float = 0.20
    after: float = 0.02
    found: float = 0.90


LIMITS: Final = Limits()


@dataclass(frozen=True, slots=True, kw_only=True)
class Leakage:
    """The numbers of one audit, each a share from 0 to 1.

    Attributes:
        rows: Rows in the pool.
        canaries: Canaries that were added and taken off.
        checks: Canaries looked at after deletion, over all targets.
        auc: Of telling members of the pool from others; 0.5 is chance.
        members: Members found when 1 % of others are taken for one.
        found: Canaries found before deletion, at nominal 1 %.
        member_after: Deleted canaries that still look like members, at nominal 1 %.
        absent_after: Deleted canaries that look unlike any stranger, two-sided, at nominal 1 %.
        error: Standard error of the larger of these two, over the models that were attacked.
    """

    rows: int
    canaries: int
    checks: int
    auc: float
    members: float
    found: float
    member_after: float
    absent_after: float
    error: float

    def why_not(self, limits: Limits = LIMITS) -> str:
        """Return why the model may not be published; empty when it may."""
        if self.found < limits.found:
            return "the audit found too few of its own canaries to tell anything"
        # Canaries of one model are flagged together: what is beyond the limit must be so surely.
        if max(self.member_after, self.absent_after) - SURE * self.error > limits.after:
            return "rows that were taken off can still be told"
        if self.members > limits.members:
            return "too many contributors can be told from others"
        return ""

    def told(self) -> dict[str, str | int]:
        """Return the numbers for a card: shares as text, since canonical JSON has no fractions."""
        return {
            name: value if isinstance(value, int) else f"{value:.4f}"
            for name in self.__slots__
            for value in [getattr(self, name)]
        }


class Bench:
    """One ledger, its pool and its canaries; makes models of any half of the pool."""

    def __init__(self, sums: Statistics, recipe: Recipe, pool: Examples, seed: int) -> None:
        chance = np.random.default_rng(seed)
        rows = min(POOL, len(pool))
        some = pool.only(range(rows))
        count = min(max(LEAST_CANARIES, min(CANARIES, sums.width // 16)), rows // 4)
        # The rows that the head is surest of: a wrong label there bends it most.
        sure = margins(solve(sums, recipe), some.features, list(some.labels))
        marked = np.sort(np.argsort(-sure, kind="stable")[:count])
        labels, weights = list(some.labels), list(some.weights)
        # So much weight that a head bends most of the way to a row's label.
        heavy = min(MOST_WEIGHT, math.ceil(8 * int(sums.counts.sum()) / sums.width))
        for place in marked:
            others = [name for name in sums.classes if name != labels[place]]
            labels[place], weights[place] = others[int(chance.integers(len(others)))], heavy
        self.chance = chance
        self.recipe = recipe
        self.features = some.features
        self.labels = np.array(labels)
        self.weights = np.array(weights, dtype=np.int64)
        self.canary = np.isin(np.arange(rows), marked)
        self.rest = sums.subtract(some.features, some.labels, some.weights)

    def _some(self, mask: Mask) -> tuple[NDArray[np.int16], list[str], list[int]]:
        return self.features[mask], self.labels[mask].tolist(), self.weights[mask].tolist()

    def off(self, sums: Statistics, mask: Mask) -> Statistics:
        """Return sums without these rows, as if they had never been added."""
        return sums.subtract(*self._some(mask))

    def half(self) -> Mask:
        """Return a random half of the pool, without canaries."""
        own = self.chance.permutation(np.flatnonzero(~self.canary))
        return np.isin(np.arange(len(self.labels)), own[: len(own) // 2])

    def piled(self, mask: Mask) -> Statistics:
        """Return the sums with these rows of the pool, and the rest."""
        return self.rest.add(*self._some(mask))

    def margins(self, head: Head) -> Floats:
        """Return how far each row is on its own label's side."""
        return margins(head, self.features, list(self.labels))


def margins(head: Head, features: NDArray[np.int16], labels: list[str]) -> Floats:
    """Return how far each row is on the side of its own label: shape (rows,)."""
    scores = head.score(features)
    if len(head.classes) == 2:  # noqa: PLR2004  # one score for the second against the first
        return np.where(np.array(labels) == head.classes[1], scores, -scores)
    index = {name: place for place, name in enumerate(head.classes)}
    return np.asarray(scores[np.arange(len(labels)), [index[name] for name in labels]])


def exact_deletion(bench: Bench, kept: Mask, gone: Mask) -> Floats:
    """Forget as people are forgotten here: their rows are subtracted, the head is solved anew."""
    return bench.margins(solve(bench.off(bench.piled(kept | gone), gone), bench.recipe))


def audit(
    sums: Statistics,
    recipe: Recipe,
    pool: Examples,
    *,
    seed: int,
    references: int = REFERENCES,
    checks: int = CHECKS,
    forget: Forget = exact_deletion,
) -> Leakage:
    """Return what a head that is solved from these sums tells of the rows in it.

    Args:
        sums: All that the head is solved from; the rows of the pool are in them.
        recipe: With a fixed ridge: references are solved with the same one.
        pool: Rows that were contributed and learnt from; at most 2,048 are used.
        seed: Of the halves and canaries.
        forget: How rows are forgotten; another one to see it caught.
        references: How many models of reference.
        checks: How many canaries are looked at after deletion, about.

    Raises:
        LeakageError: There are too few rows to audit.
    """
    if len(pool) < LEAST_POOL:
        raise LeakageError(f"an audit needs {LEAST_POOL} contributed rows")
    try:
        bench = Bench(sums, recipe, pool, seed)
        halves = [bench.half() for _ in range(references)]
        scores = np.stack([bench.margins(solve(bench.piled(one), recipe)) for one in halves])
        told = _Reference(np.stack(halves), scores)
        found, chances, truths, after = _attack(bench, told, forget, checks)
    except SettingsError as error:
        raise LeakageError("a class has too few rows to audit") from error
    auc, members = _curve(chances, truths)
    member, absent = after
    return Leakage(
        rows=int((~bench.canary).sum()),
        canaries=int(bench.canary.sum()),
        checks=member.size,
        auc=auc,
        members=members,
        found=float(found.mean()),
        member_after=float(member.mean()),
        absent_after=float(absent.mean()),
        error=max(_error(member), _error(absent)),
    )


def _attack(
    bench: Bench, told: "_Reference", forget: Forget, checks: int
) -> tuple[Mask, Floats, Mask, tuple[Mask, Mask]]:
    """Return canaries found before, likelihoods and truths of the pool, flags after deletion."""
    found, chances, truths, member, absent = [], [], [], [], []
    places = np.flatnonzero(bench.canary)
    for turn in range(math.ceil(checks / len(places))):
        mask = bench.half()
        plain = bench.margins(solve(bench.piled(mask), bench.recipe))
        chances.append(told.likelihood(plain)[~bench.canary])
        truths.append(mask[~bench.canary])
        one = places[turn % len(places)]
        with_it = bench.piled(mask | (np.arange(len(mask)) == one))
        before = bench.margins(solve(with_it, bench.recipe))
        found.append(told.outside(before)[one : one + 1] > told.upper)
        after = told.outside(forget(bench, mask, bench.canary))[bench.canary]
        member.append(after > told.upper)
        absent.append(np.abs(after) > told.either)
    flags = np.stack(member), np.stack(absent)
    return np.concatenate(found), np.concatenate(chances), np.concatenate(truths), flags


class _Reference:
    """How each row is scored by models that have it, and by models that do not."""

    def __init__(self, halves: NDArray[np.bool_], scores: Floats) -> None:
        self.counts = (~halves).sum(axis=0)
        self.means, self.spread = _normal(scores, ~halves)
        self.in_means, self.in_spread = _normal(scores, halves)
        self.upper = float(stats.norm.ppf(1 - NOMINAL))
        self.either = float(stats.norm.ppf(1 - NOMINAL / 2))

    def outside(self, scores: Floats) -> Floats:
        """Return how far scores lie from those of models without the row, as normal deviates.

        The distance follows Student's t for one more draw from a normal of which so many are known.
        """
        bent = (scores - self.means) / (self.spread * np.sqrt(1 + 1 / self.counts))
        tail = stats.t.sf(np.abs(bent), self.counts - 1)
        return np.asarray(np.sign(bent) * stats.norm.isf(np.maximum(tail, 1e-300)))

    def likelihood(self, scores: Floats) -> Floats:
        """Return the logarithm of the likelihood ratio of being a member."""
        return np.asarray(
            stats.norm.logpdf(scores, self.in_means, self.in_spread)
            - stats.norm.logpdf(scores, self.means, self.spread)
        )


def _error(flags: Mask) -> float:
    """Return the standard error of a share: flags of one model, a row here, come together."""
    each = flags.mean(axis=1)
    return float(each.std(ddof=1) / np.sqrt(len(each))) if len(each) > 1 else 1.0


def _normal(scores: Floats, mask: Mask) -> tuple[Floats, Floats]:
    """Return mean and spread of each column's chosen entries; canaries are in no reference."""
    counts = mask.sum(axis=0)
    means = np.where(mask, scores, 0.0).sum(axis=0) / np.maximum(counts, 1)
    squares = np.where(mask, (scores - means) ** 2, 0.0).sum(axis=0)
    return means, np.sqrt(np.maximum(squares / np.maximum(counts - 1, 1), 1e-24))


def _curve(chances: Floats, truths: Mask) -> tuple[float, float]:
    """Return the area under the curve, and the members found when 1 % of others are."""
    inside, outside = chances[truths], chances[~truths]
    ranks = stats.rankdata(np.concatenate([inside, outside]))[: len(inside)]
    area = (ranks.sum() - len(inside) * (len(inside) + 1) / 2) / (len(inside) * len(outside))
    line = np.quantile(outside, 1 - NOMINAL)
    return float(area), float((inside > line).mean())
