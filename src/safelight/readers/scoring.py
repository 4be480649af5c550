"""How well scores tell people apart, on splits by people, with intervals from resampling people."""

import hashlib
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import rankdata

from safelight.readers.card import Interval
from safelight.readers.conformal import Calibration, one_each
from safelight.readers.head import Recipe, solve
from safelight.readers.statistics import Statistics

__all__ = ["NOT", "WITH", "auc", "cross", "folds", "interval", "pile", "promise"]

NOT, WITH = "not", "with"
FOLDS = 5
DRAWS = 400
SPLITS = 100
_LOW, _HIGH = 2.5, 97.5

Array = NDArray[Any]


def auc(scores: ArrayLike, has: ArrayLike) -> float:
    """Return the share of pairs, one with and one without, that are scored the right way round."""
    truth = np.asarray(has, dtype=bool)
    ranks = rankdata(np.asarray(scores, dtype=np.float64))
    with_it, without = int(truth.sum()), int((~truth).sum())
    if not with_it or not without:
        return 0.5
    return float((ranks[truth].sum() - with_it * (with_it + 1) / 2) / (with_it * without))


def interval(scores: ArrayLike, has: ArrayLike, people: Sequence[str], seed: int = 1) -> Interval:
    """Return the AUC with its 95 % interval: people are drawn again, with all their images.

    Args:
        scores: Shape (n,).
        has: Truth of each, shape (n,).
        people: Code of each one's person, or group of near-duplicates.
        seed: Of the drawing.
    """
    values, truth = np.asarray(scores, dtype=np.float64), np.asarray(has, dtype=bool)
    _names, index = np.unique(np.asarray(people), return_inverse=True)
    order = np.argsort(values, kind="stable")
    values, truth, index = values[order], truth[order], index[order]
    # Ties share a place; with places fixed, a draw is a weighted count, no new sort.
    places = np.unique(values, return_inverse=True)[1]
    rng = np.random.default_rng(seed)
    count, drawn = int(index.max()) + 1, []
    for _ in range(DRAWS):
        weight = np.bincount(rng.integers(0, count, count), minlength=count)[index]
        yes = np.bincount(places, weight * truth)
        no = np.bincount(places, weight * ~truth)
        pairs = yes.sum() * no.sum()
        if pairs:
            below = np.cumsum(no) - no
            drawn.append(float((yes * (below + no / 2)).sum() / pairs))
    found = auc(values, truth)
    if not drawn:
        return Interval(value=found, low=0.0, high=1.0)
    low, high = np.percentile(drawn, [_LOW, _HIGH])
    return Interval(value=round(found, 4), low=round(float(low), 4), high=round(float(high), 4))


def folds(people: Sequence[str], count: int = FOLDS, seed: int = 0) -> NDArray[np.int64]:
    """Return a fold for each row; a person's rows share theirs. Drawn by hash, not by order."""
    names = sorted(
        set(people), key=lambda name: hashlib.sha256(f"{seed}\0{name}".encode()).digest()
    )
    place = {name: number % count for number, name in enumerate(names)}
    return np.array([place[name] for name in people], dtype=np.int64)


def pile(features: Array, has: ArrayLike, version: str) -> Statistics:
    """Return the statistics of rows with and without a finding."""
    labels = [WITH if one else NOT for one in np.asarray(has, dtype=bool)]
    return Statistics.empty(version, (NOT, WITH), features.shape[1]).of(features, labels)


def cross(
    features: Array,
    has: ArrayLike,
    people: Sequence[str],
    recipe: Recipe | None = None,
    seed: int = 0,
) -> NDArray[np.float64]:
    """Return a score for each row from a head that never saw its person.

    Args:
        features: Integers, shape (n, d).
        has: Truth of each.
        people: Code of each one's person.
        recipe: Of the head.
        seed: Of the split.
    """
    truth = np.asarray(has, dtype=bool)
    fold = folds(people, FOLDS, seed)
    whole = pile(features, truth, "cross")
    scores = np.zeros(len(features))
    for number in range(FOLDS):
        out = fold == number
        if not out.any():
            continue
        left = whole - pile(features[out], truth[out], "cross")
        if left.counts.min() > 0:
            scores[out] = solve(left, recipe or Recipe()).score(features[out])
    return scores


def promise(
    scores: Array, has: ArrayLike, people: Sequence[str], alpha: float
) -> tuple[tuple[float, float], float, float]:
    """Return coverage with and without, share decided, and Brier score, over halves of people.

    Where the people are too few for a single half, nobody is covered and nobody decided.

    Args:
        scores: Of rows that the head never saw, shape (n,).
        has: Truth of each.
        people: Code of each one's person.
        alpha: Share of a class that may be told the other.
    """
    truths = np.asarray(has, dtype=bool)
    chosen = one_each(people)
    values, has_it = np.asarray(scores, dtype=np.float64)[chosen], truths[chosen]
    rng = np.random.default_rng(5)
    with_it, without, decided, brier = [], [], [], []
    for _ in range(SPLITS):
        first = rng.random(len(values)) < 0.5  # noqa: PLR2004  # halves
        sides = (has_it[first], has_it[~first])
        if min(min(one.sum(), (~one).sum()) for one in sides) < 1:
            continue
        known = Calibration.of(values[first], has_it[first])
        seen, not_seen = known.p_seen(values[~first]), known.p_not_seen(values[~first])
        truth = has_it[~first]
        with_it.append((seen[truth] > alpha).mean())
        without.append((not_seen[~truth] > alpha).mean())
        decided.append(((seen > alpha) != (not_seen > alpha)).mean())
        chance = seen / (seen + not_seen)
        brier.append(((chance - truth) ** 2).mean())
    if not with_it:
        return (0.0, 0.0), 0.0, 1.0
    means = [round(float(np.mean(one)), 4) for one in (with_it, without, decided, brier)]
    return (means[0], means[1]), means[2], means[3]
