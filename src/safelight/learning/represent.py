"""Who has given, against whom it is for: distance with its chance, missing shares, weights.

A perfectly representative sample is at a distance from its population too: at 30 people about as
far as a skewed one at 1,000. So each distance stands beside the distances of random samples of the
same size (multinomial null).

Sources: J. Lin, IEEE Trans. Inf. Theory 37 (1991) 145 (divergence); D. M. Endres, J. E. Schindelin,
IEEE Trans. Inf. Theory 49 (2003) 1858 (its root is a distance); S. Holm, Scand. J. Stat. 6 (1979)
65; W. E. Deming, F. F. Stephan, Ann. Math. Stat. 11 (1940) 427 (raking); L. Kish, Survey Sampling
(1965) 11.8 (effective size).
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from safelight.errors import SettingsError
from safelight.feedback.public import FEWER, SMALLEST, hidden
from safelight.feedback.values import Facts
from safelight.learning.reference import Reference
from safelight.learning.ways import WAYS, Bands, shares_of, told

__all__ = ["Dimension", "Represented", "Weights", "compare", "distance", "null", "weigh"]

LEVEL: Final = 0.04  # of all dimensions together (Holm); leaves room for the draws, up to 0.05
LEAST: Final = 20  # people whose value is known, for a test, and for a word about them, at all
TOO_FEW: Final = f"fewer than {LEAST}"
_DRAWS: Final = 4_000
_SEED: Final = 0x5AFE
_ROUNDS: Final = 500
_CLOSE: Final = 1e-9
_CAP: Final = 5.0  # times the mean weight: beyond it one person speaks for too many

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Dimension:
    """One way of telling people apart, cohort against population.

    Attributes:
        name: ``age``, ``sex``, ``age and sex``, ``region`` or ``device``.
        known: People whose value is known and has a place in the population.
        missing: Share of the cohort whose value is not known.
        outside: Share whose value has no place in the population.
        counts: People by category.
        shares: Of the population, by category.
        distance: Jensen-Shannon distance, 0 to 1.
        usual: What 95 of 100 random samples of this size stay below.
        p: Chance that a random sample is as far or farther.
        flagged: Whether that is too unlikely, all dimensions taken together.
    """

    name: str
    known: int
    missing: float
    outside: float
    counts: dict[str, int]
    shares: dict[str, float]
    distance: float
    usual: float
    p: float
    flagged: bool

    @property
    def enough(self) -> bool:
        """Whether so many people's value is known that anything may be said."""
        return self.known >= LEAST

    @property
    def absent(self) -> list[str]:
        """Categories of the population from which nobody is there."""
        return [name for name, share in self.shares.items() if share and not self.counts[name]]

    def to_json(self) -> dict[str, Any]:
        """Return what may be shown: no count of 1 to 10, nor what gives one away.

        Of fewer than 20 people nothing is said.
        """
        if not self.enough:
            nothing = dict.fromkeys(("missing", "outside", "distance", "usual_below", "p"))
            few = {"dimension": self.name, "known": TOO_FEW, "flagged": False, "cells": {}}
            return few | nothing
        gone = hidden(self.counts)
        cells = {
            name: {
                "cohort": (FEWER if 0 < self.counts[name] < SMALLEST else "not shown")
                if name in gone
                else self.counts[name],
                "population": round(share, 5),
            }
            for name, share in self.shares.items()
        }
        return {
            "dimension": self.name,
            "known": self.known,
            "missing": round(self.missing, 4),
            "outside": round(self.outside, 4),
            "distance": round(self.distance, 4),
            "usual_below": round(self.usual, 4),
            "p": round(self.p, 5),
            "flagged": self.flagged,
            "cells": cells,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Weights:
    """Weights that make a cohort resemble its population, and what they cost.

    Attributes:
        weights: One for each member, mean 1.
        effective: People that the weighted cohort is worth (Kish); at most their number.
        largest: The largest weight; at most 5.
        before: Distance by dimension.
        after: The same with the weights.
        cannot: Categories of the population that nobody stands for, by dimension.
        capped: Members whose weight was held at the cap.
    """

    weights: tuple[float, ...]
    effective: float
    largest: float
    before: dict[str, float]
    after: dict[str, float]
    cannot: dict[str, list[str]]
    capped: int

    def to_json(self, names: Collection[str]) -> dict[str, Any]:
        """Return what may be shown: no member's weight.

        Args:
            names: Dimensions of which something may be said.
        """
        return {
            "people": len(self.weights),
            "worth_people": round(self.effective, 1),
            "largest_weight": round(self.largest, 3),
            "capped": self.capped,
            "distance_before": {
                name: round(one, 4) for name, one in self.before.items() if name in names
            },
            "distance_after": {
                name: round(one, 4) for name, one in self.after.items() if name in names
            },
            "nobody_stands_for": {name: one for name, one in self.cannot.items() if name in names},
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Represented:
    """A cohort beside its population.

    Attributes:
        people: In the cohort.
        population: Its name.
        source: Where its numbers are from.
        dimensions: What was compared.
        weights: To correct with; None when they were not asked for.
    """

    people: int
    population: str
    source: str
    dimensions: tuple[Dimension, ...]
    weights: Weights | None

    @property
    def flagged(self) -> bool:
        """Whether the cohort differs from its population beyond chance."""
        return any(one.flagged for one in self.dimensions)

    @property
    def enough(self) -> bool:
        """Whether anything may be said of any dimension."""
        return any(one.enough for one in self.dimensions)

    def to_json(self) -> dict[str, Any]:
        """Return what may be shown."""
        names = {one.name for one in self.dimensions if one.enough}
        return {
            "format": "safelight-represent/v1",
            "people": self.people if not 0 < self.people < SMALLEST else FEWER,
            "population": self.population,
            "source": self.source,
            "flagged": self.flagged,
            "enough": self.enough,
            "dimensions": [one.to_json() for one in self.dimensions],
            "weights": self.weights.to_json(names) if self.weights and names else None,
        }


def distance(counts: Floats | Ints, shares: Floats) -> Floats:
    """Return the Jensen-Shannon distance, base 2.

    Args:
        counts: Shape (..., categories), 0 or more; a row may not be all 0.
        shares: Shape (categories,), summing to 1.

    Returns:
        Shape (...): from 0 to 1.
    """
    p = np.asarray(counts, dtype=np.float64)
    p = p / p.sum(axis=-1, keepdims=True)
    middle = (p + shares) / 2
    with np.errstate(divide="ignore", invalid="ignore"):
        mine = np.where(p > 0, p * np.log2(p / middle), 0.0)
        theirs = np.where(shares > 0, shares * np.log2(shares / middle), 0.0)
    found: Floats = np.sqrt(np.clip((mine + theirs).sum(axis=-1) / 2, 0.0, 1.0))
    return found


def null(people: int, shares: Floats, *, draws: int = _DRAWS) -> Floats:
    """Return the distances of random samples, sorted; the same ones every time.

    Args:
        people: Size of each sample.
        shares: Of the population.
        draws: How many samples.
    """
    return _null(people, tuple(float(one) for one in shares), draws)


@lru_cache(maxsize=64)
def _null(people: int, shares: tuple[float, ...], draws: int) -> Floats:
    random = np.random.Generator(np.random.PCG64(_SEED))
    expected = np.array(shares)
    return np.sort(distance(random.multinomial(people, expected, size=draws), expected))


def compare(
    cohort: Sequence[Facts], reference: Reference, *, draws: int = _DRAWS, weights: bool = True
) -> Represented:
    """Return a cohort beside its population: what is shown before training and releasing.

    Args:
        cohort: One for each person, as far as known.
        reference: Whom it should resemble.
        draws: Random samples for each dimension.
        weights: Whether weights are wanted too.

    Raises:
        SettingsError: The cohort is empty.
    """
    if not cohort:
        raise SettingsError("nobody is in the cohort")
    bands = Bands.of(reference)
    made = [_compared(cohort, reference, name, bands, draws) for name in told(reference)]
    return Represented(
        people=len(cohort),
        population=reference.name,
        source=reference.source,
        dimensions=tuple(_holm(made)),
        weights=weigh(cohort, reference) if weights else None,
    )


def _compared(
    cohort: Sequence[Facts], reference: Reference, name: str, bands: Bands, draws: int
) -> Dimension:
    key = WAYS[name][1]
    shares = shares_of(reference, name, bands)
    values = [key(one, bands) for one in cohort]
    counts = dict.fromkeys(shares, 0)
    for value in values:
        if value in counts:
            counts[value] += 1
    known = sum(counts.values())
    missing = sum(not value for value in values)
    far, usual, chance = 0.0, 1.0, 1.0
    if known:
        expected = np.array(list(shares.values()))
        far = float(distance(np.array(list(counts.values())), expected))
        random = null(known, expected, draws=draws)
        usual = float(np.quantile(random, 0.95))
        # As many as it or farther, itself among them: exact whatever the number of draws.
        chance = (1 + int((random >= far - _CLOSE).sum())) / (len(random) + 1)
    return Dimension(
        name=name,
        known=known,
        missing=missing / len(values),
        outside=(len(values) - known - missing) / len(values),
        counts=counts,
        shares=shares,
        distance=far,
        usual=usual,
        p=chance if known >= LEAST else 1.0,
        flagged=False,
    )


def _holm(made: Sequence[Dimension]) -> list[Dimension]:
    """Return the dimensions, flagged so that at most 5 of 100 random samples are flagged at all."""
    flagged: set[str] = set()
    for place, one in enumerate(sorted(made, key=lambda each: each.p)):
        if one.p > LEVEL / (len(made) - place):
            break
        flagged.add(one.name)
    fields = [name for name in Dimension.__slots__ if name != "flagged"]
    return [
        Dimension(**{name: getattr(one, name) for name in fields}, flagged=one.name in flagged)
        for one in made
    ]


def weigh(cohort: Sequence[Facts], reference: Reference) -> Weights:
    """Return weights that make the cohort's shares those of the population (raking).

    A member whose value is not known, or has no place in the population, is left alone in that
    dimension. Weights are held at 5 times the mean.
    """
    bands = Bands.of(reference)
    names = [one for one in told(reference) if one != "age" or "sex" not in reference.told]
    margins: list[tuple[str, Ints, Floats]] = []
    cannot: dict[str, list[str]] = {}
    for name in names:
        shares = shares_of(reference, name, bands)
        order = list(shares)
        place = {value: number for number, value in enumerate(order)}
        key = WAYS[name][1]
        codes = np.array([place.get(key(one, bands), -1) for one in cohort], dtype=np.int64)
        there = np.bincount(codes[codes >= 0], minlength=len(order)) > 0
        if empty := [value for value, some in zip(order, there, strict=True) if not some]:
            cannot[name] = empty
        wanted = np.array(list(shares.values())) * there
        if there.any():
            margins.append((name, codes, wanted / wanted.sum()))
    weights, capped = _raked(len(cohort), margins)
    far = {name: _weighted(np.ones(len(cohort)), codes, wanted) for name, codes, wanted in margins}
    return Weights(
        weights=tuple(float(one) for one in weights),
        effective=float(weights.sum() ** 2 / (weights**2).sum()),
        largest=float(weights.max()),
        before=far,
        after={name: _weighted(weights, codes, wanted) for name, codes, wanted in margins},
        cannot=cannot,
        capped=capped,
    )


def _weighted(weights: Floats, codes: Ints, wanted: Floats) -> float:
    inside = codes >= 0
    sums = np.bincount(codes[inside], weights=weights[inside], minlength=len(wanted))
    return float(distance(sums, wanted))


def _raked(people: int, margins: Sequence[tuple[str, Ints, Floats]]) -> tuple[Floats, int]:
    """Return the weights, mean 1, and how many were held at the cap."""
    weights = np.ones(people)
    for _ in range(_ROUNDS):
        before = weights.copy()
        for _, codes, wanted in margins:
            inside = codes >= 0
            sums = np.bincount(codes[inside], weights=weights[inside], minlength=len(wanted))
            factors = np.ones(len(wanted))
            factors[sums > 0] = (wanted * sums.sum())[sums > 0] / sums[sums > 0]
            weights[inside] *= factors[codes[inside]]
        weights = _held(weights)
        if np.abs(weights - before).max() < _CLOSE:
            break
    return weights, int((weights >= _CAP * (1 - 1e-6)).sum())


def _held(weights: Floats) -> Floats:
    """Return weights of mean 1 with none beyond the cap; what is cut off goes to the others."""
    for _ in range(_ROUNDS):
        weights = weights / weights.mean()
        if weights.max() <= _CAP * (1 + _CLOSE):
            break
        weights = np.minimum(weights, _CAP)
    return weights
