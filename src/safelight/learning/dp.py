"""Noise on the sums, so that one person more or less changes little that can be told.

The analytic Gaussian mechanism (Balle and Wang, Improving the Gaussian Mechanism for Differential
Privacy, ICML 2018) on count, sum and products of each class. Rows are shortened to a fixed length
first, so that what one person adds is bounded. It is offered only where rows and features are such
that a head survives it; what it costs in accuracy is for the caller to measure and to show.
"""

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from safelight.errors import NotOfferedError, SettingsError
from safelight.readers.statistics import Statistics

__all__ = ["MOST_NOISE", "Guarantee", "noise_of", "noisy", "ratio", "shortened", "spent"]

MOST_NOISE: Final = 0.25  # of the products' own size; beyond, heads lose more than a few points
_BISECTIONS: Final = 200
_BLOCKS: Final = 3  # count, sum, products: each at most 1 once scaled


@dataclass(frozen=True, slots=True, kw_only=True)
class Guarantee:
    """What is promised: (ε, δ) differential privacy, adding or removing one person.

    Attributes:
        epsilon: ε.
        delta: δ.
        bound: Length that rows are shortened to.
        rows: Rows of weight 1 that one person may have.
    """

    epsilon: float
    delta: float
    bound: float
    rows: int = 1

    def __post_init__(self) -> None:
        if not (self.epsilon > 0 and 0 < self.delta < 1 and self.bound >= 1 and self.rows >= 1):
            raise SettingsError(
                "a guarantee needs ε > 0, 0 < δ < 1, a length and rows of 1 or more"
            )

    @property
    def reach(self) -> float:
        """How far one person can move the scaled sums (L2): √3 a row."""
        return self.rows * math.sqrt(_BLOCKS)


def _delta(epsilon: float, sigma: float) -> float:
    """Return δ of the Gaussian mechanism of sensitivity 1 (Balle and Wang, theorem 8)."""
    half, far = 1 / (2 * sigma), epsilon * sigma
    tail = float(stats.norm.logcdf(-half - far)) + epsilon
    return float(stats.norm.cdf(half - far)) - math.exp(min(tail, 700.0))


def noise_of(epsilon: float, delta: float) -> float:
    """Return the least standard deviation that gives (ε, δ) at sensitivity 1."""
    low, high = 1e-6, 1.0
    while _delta(epsilon, high) > delta:
        high *= 2
    for _ in range(_BISECTIONS):
        middle = (low + high) / 2
        low, high = (middle, high) if _delta(epsilon, middle) > delta else (low, middle)
    return high


def spent(releases: Sequence[tuple[float, float]], delta: float) -> float:
    """Return the ε at δ of several releases together, each of its own (ε, δ).

    Gaussian mechanisms compose exactly: 1/σ² adds up (Dong, Roth, Su, Gaussian Differential
    Privacy, J. R. Stat. Soc. B 84 (2022) 3, corollary 3.3).
    """
    if not releases:
        return 0.0
    whole = math.sqrt(sum(1 / noise_of(*one) ** 2 for one in releases))
    low, high = 0.0, 1.0
    while _delta(high, 1 / whole) > delta:
        high *= 2
    for _ in range(_BISECTIONS):
        middle = (low + high) / 2
        low, high = (middle, high) if _delta(middle, 1 / whole) > delta else (low, middle)
    return high


def ratio(rows: int, width: int, guarantee: Guarantee) -> float:
    """Return about how large the noise is beside the products of rows of the bound's length.

    The norm of a symmetric matrix of noise is about 2 √d of its spread; that of the products n/d.
    """
    sigma = noise_of(guarantee.epsilon, guarantee.delta) * guarantee.reach
    return 2 * sigma * width * math.sqrt(width) / max(rows, 1)


def shortened(features: NDArray[np.int16], bound: float) -> NDArray[np.int16]:
    """Return rows no longer than a bound, as integers, shape (rows, d)."""
    rows = np.asarray(features, dtype=np.float64)
    long = np.maximum(np.sqrt((rows**2).sum(axis=1, keepdims=True)) / bound, 1.0)
    return np.asarray(np.trunc(rows / long), dtype=np.int16)  # towards 0: never longer


def noisy(
    like: Statistics,
    features: Any,
    labels: Sequence[str],
    guarantee: Guarantee,
    *,
    beside: int = 0,
) -> Statistics:
    """Return sums of these rows with noise; a head solved from them is covered by the guarantee.

    Args:
        like: Statistics of the same features and classes; what is in them is not used.
        features: Integers, shape (rows, d); each person has at most ``guarantee.rows`` of them.
        labels: Class of each row.
        guarantee: What is to be promised.
        beside: Public rows that the head learns from as well.

    Raises:
        NotOfferedError: The noise would destroy the head.
    """
    nothing = Statistics.empty(like.features, like.classes, like.width)
    sums = nothing.of(shortened(features, guarantee.bound), labels)
    rows = int(sums.counts.sum()) + beside
    size = ratio(rows // len(like.classes), like.width, guarantee)
    if size > MOST_NOISE:
        raise NotOfferedError(
            f"the noise would be {size:.1f} times what is learnt, and {MOST_NOISE} is the most",
            todo="gather more people, use fewer features, or accept a larger epsilon",
        )
    sigma = noise_of(guarantee.epsilon, guarantee.delta) * guarantee.reach
    chance = random.SystemRandom()
    bound, width = guarantee.bound, like.width
    upper = np.triu_indices(width)
    products = np.zeros_like(sums.products)
    for place in range(len(like.classes)):
        noise = np.zeros((width, width))
        noise[upper] = [chance.gauss(0.0, sigma * bound**2) for _ in range(len(upper[0]))]
        products[place] = _possible(sums.products[place] + noise + np.triu(noise, 1).T)
    counts = [max(1, round(count + chance.gauss(0.0, sigma))) for count in sums.counts.tolist()]
    drawn = [[chance.gauss(0.0, sigma * bound) for _ in range(width)] for _ in like.classes]
    return Statistics(
        like.features,
        like.classes,
        np.array(counts, dtype=np.int64),
        np.round(sums.sums + np.array(drawn)).astype(np.int64),
        products,
    )


def _possible(matrix: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the nearest matrix that could be one of products: none of its values is negative."""
    values, vectors = np.linalg.eigh(matrix)
    made = (vectors * np.maximum(values, 0.0)) @ vectors.T
    return np.asarray(np.round((made + made.T) / 2), dtype=np.int64)
