"""Linear heads solved from exact integer statistics, and kept as integers themselves.

Standardisation, class weights and the strength of the ridge all follow from the statistics and a
frozen recipe; no pass over images is needed, and nothing else of anyone can come in. A head's
weights are integers, so that the same features give the same score on every machine.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import linalg

from safelight.errors import SettingsError, UnreadableInputError
from safelight.readers.statistics import LIMIT, Statistics, checked

__all__ = ["LIMIT", "RIDGES", "SCALE_BITS", "Head", "Recipe", "Statistics", "solve"]

SCALE_BITS: Final = 32  # a head's weights are integers in units of 2**-32
# Strengths that generalised cross-validation chooses from; the diagonal's mean is one.
RIDGES: Final = tuple(10.0 ** (power / 4) for power in range(-16, 17))
_REACH: Final = 1 << 62  # no score may leave 64 bits
_HEAD_MAGIC: Final = b"safelight head 1\n"
_TWO: Final = 2

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """How a head follows from statistics; frozen, so that it cannot carry anything of anyone.

    Attributes:
        name: Part of the model's version.
        ridge: Strength, relative to the mean of the matrix's diagonal; ``None`` chooses one
            of ``RIDGES`` by generalised cross-validation, from the statistics alone.
        equal: Each class weighs the same, however many rows it has.
        even: Each feature is brought to the same spread. Without it, all are divided by one number,
            for features whose spread says how much they matter, as those of ``features`` do.
    """

    name: str = "ridge-1"
    ridge: float | None = None
    equal: bool = True
    even: bool = False


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Head:
    """A linear head in integers: the same features give the same score on every machine.

    Attributes:
        features: Version of the features.
        classes: Two: a score is for the second against the first. More: one score for each class
            against all others.
        weights: Shape (scores, d), in units of 2**-SCALE_BITS.
        biases: Shape (scores,), in the same units.
        ridges: The strength used for each score.
        recipe: Name of the recipe.
        statistics: Digest of the statistics it was solved from.
    """

    features: str
    classes: tuple[str, ...]
    weights: Ints
    biases: Ints
    ridges: tuple[float, ...]
    recipe: str
    statistics: str

    def exact(self, features: ArrayLike) -> Ints:
        """Return the scores in units of 2**-SCALE_BITS: shape (rows, scores).

        Args:
            features: Integers, shape (rows, d) or (d,).

        Raises:
            SettingsError: When the features do not fit.
        """
        rows = checked(features, self.weights.shape[1]).astype(np.int64)
        return rows @ self.weights.T + self.biases

    def score(self, features: ArrayLike) -> Floats:
        """Return the scores: about -1 to 1 on the data it was solved from.

        Args:
            features: Integers, shape (rows, d) or (d,).

        Returns:
            Shape (rows,) for two classes, (rows, classes) for more.
        """
        scores = self.exact(features) / float(1 << SCALE_BITS)
        return scores[:, 0] if len(self.classes) == _TWO else scores

    def to_bytes(self) -> bytes:
        """Return the canonical form: a line of JSON, then little-endian 64-bit integers."""
        header = {
            "classes": self.classes,
            "features": self.features,
            "recipe": self.recipe,
            "ridges": self.ridges,
            "statistics": self.statistics,
            "width": int(self.weights.shape[1]),
        }
        line = json.dumps(header, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
        numbers = np.concatenate([self.biases, self.weights.ravel()])
        return _HEAD_MAGIC + line.encode() + b"\n" + numbers.astype("<i8").tobytes()

    @classmethod
    def from_bytes(cls, data: bytes) -> "Head":
        """Return what ``to_bytes`` wrote.

        Raises:
            UnreadableInputError: When these are not the bytes of a head, whole.
        """
        try:
            magic, line, rest = data.split(b"\n", 2)
            header = json.loads(line)
            classes = tuple(str(name) for name in header["classes"])
            width, k = int(header["width"]), _scores(len(classes))
            if magic + b"\n" != _HEAD_MAGIC or len(rest) != 8 * k * (width + 1):
                raise UnreadableInputError("this head is cut short or not ours")
            numbers = np.frombuffer(rest, dtype="<i8").astype(np.int64)
            return cls(
                features=str(header["features"]),
                classes=classes,
                weights=numbers[k:].reshape(k, width),
                biases=numbers[:k],
                ridges=tuple(float(one) for one in header["ridges"]),
                recipe=str(header["recipe"]),
                statistics=str(header["statistics"]),
            )
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise UnreadableInputError("these bytes are not a head") from error

    def digest(self) -> str:
        """Return the SHA-256 of the weights and all they came from, hex.

        Another processor may solve the same statistics with other last bits; those are far below
        the unit that weights are rounded to.
        """
        return hashlib.sha256(self.to_bytes()).hexdigest()


def _scores(classes: int) -> int:
    return 1 if classes == _TWO else classes


def _moments(statistics: Statistics, share: Floats) -> tuple[Floats, Floats, Floats]:
    """Return each class's mean, the mean of all, and their covariance, classes weighed by share."""
    counts = statistics.counts.astype(np.float64)
    means = statistics.sums / counts[:, None]
    centre = share @ means
    width = statistics.width
    second = np.zeros((width, width))
    for part, count, products in zip(share, counts, statistics.products, strict=True):
        second += (part / count) * products
    return means, centre, second - np.outer(centre, centre)


def _strength(values: Floats, along: Floats, rows: float) -> float:
    """Return the ridge that generalised cross-validation prefers (Golub, Heath, Wahba 1979)."""
    best, chosen = np.inf, RIDGES[-1]
    for ridge in RIDGES:
        bent = values + ridge
        left = 1.0 - float((along**2 * (values + 2 * ridge) / bent**2).sum())
        free = 1.0 - (1.0 + float((values / bent).sum())) / rows
        if free > 0 and (cost := max(left, 0.0) / free**2) < best:
            best, chosen = cost, ridge
    return float(chosen)


def _one(
    statistics: Statistics, positive: Sequence[bool], recipe: Recipe
) -> tuple[Floats, float, float]:
    """Return weights, bias and strength of one score: positive classes against the others."""
    sign = np.where(positive, 1.0, -1.0)
    counts = statistics.counts.astype(np.float64)
    share = counts / counts.sum()
    if recipe.equal:
        for side in (1.0, -1.0):
            share[sign == side] *= 0.5 / share[sign == side].sum()
    means, centre, covariance = _moments(statistics, share)
    target = float(share @ sign)
    towards = (share * (sign - target)) @ (means - centre)
    spread = np.sqrt(np.maximum(np.diagonal(covariance), 0.0))
    # A feature that never moves says nothing, and must not be divided by.
    live = spread > 1e-6  # noqa: PLR2004  # features are integers: real spreads are far above
    if not live.any():
        return np.zeros(statistics.width), target, RIDGES[-1]
    scale = spread[live]
    if not recipe.even:
        scale = np.full(len(scale), np.sqrt(np.square(scale).mean()))
    matrix = covariance[np.ix_(live, live)] / np.outer(scale, scale)
    aim = towards[live] / scale
    size = float(np.sqrt(1.0 - target**2))
    if recipe.ridge is None:
        values, vectors = linalg.eigh(matrix)
        rows = 1.0 / float((share**2 / counts).sum())
        ridge = _strength(np.maximum(values, 0.0), vectors.T @ aim / size, rows)
    else:
        ridge = recipe.ridge
    lifted = matrix + ridge * np.eye(len(aim))
    solved = linalg.cho_solve(linalg.cho_factor(lifted, lower=True), aim)
    weights = np.zeros(statistics.width)
    weights[live] = solved / scale
    return weights, target - float(weights @ centre), ridge


def solve(statistics: Statistics, recipe: Recipe) -> Head:
    """Return the head that follows from the statistics.

    Ridge regression of -1 and 1 on scaled features; with equal class weights this is linear
    discriminant analysis with a shrunken covariance.

    Args:
        statistics: At least one row in each class.
        recipe: See ``Recipe``.

    Raises:
        SettingsError: When a class is empty, or a weight is out of range.
    """
    if statistics.counts.min() < 1:
        raise SettingsError("each class needs at least one row before a head can be solved")
    k = len(statistics.classes)
    sides = [[False, True]] if k == _TWO else [[i == j for i in range(k)] for j in range(k)]
    parts = [_one(statistics, side, recipe) for side in sides]
    unit = float(1 << SCALE_BITS)
    weights = np.round(np.stack([part[0] for part in parts]) * unit)
    biases = np.round(np.array([part[1] for part in parts]) * unit)
    reach = np.abs(weights).sum(axis=1) * LIMIT + np.abs(biases)
    if not np.isfinite(reach).all() or reach.max() >= float(_REACH):
        raise SettingsError("a weight is out of range: the classes hardly differ in spread")
    return Head(
        features=statistics.features,
        classes=statistics.classes,
        weights=weights.astype(np.int64),
        biases=biases.astype(np.int64),
        ridges=tuple(part[2] for part in parts),
        recipe=recipe.name,
        statistics=statistics.digest(),
    )
