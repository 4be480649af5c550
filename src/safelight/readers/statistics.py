"""What a linear head needs to know of the data, as exact integers.

Features are integers, so the sums that a head is solved from are integers too: adding a person and
taking them off again gives back the same bits.

What is added up is the number, the sum and the products of the rows of each class (the sufficient
statistics of linear regression). The products are made by floating-point matrix products, which are
exact as long as every partial sum is an integer below 2**53: rows go in by chunks that cannot reach
it.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from safelight.errors import SettingsError, UnreadableInputError

__all__ = ["LIMIT", "Statistics", "checked"]

LIMIT: Final = 2047  # features are 12-bit integers with a sign
MOST_WEIGHT: Final = 1024  # of one row
MOST_ROWS: Final = 1 << 30  # rows times weight in one pile: the sums stay far below 2**63
MOST_FEATURES: Final = 8192
MOST_CLASSES: Final = 64
_CHUNK: Final = 4096  # rows: 4096 * 1024 * 2047**2 is below 2**44, far from 2**53
_MAGIC: Final = b"safelight statistics 1\n"
_TWO: Final = 2

Ints = NDArray[np.int64]


def checked(features: ArrayLike, width: int) -> NDArray[np.float64]:
    """Return the rows as floats that hold integers.

    Args:
        features: Integers, shape (rows, width) or (width,), within the limit.
        width: Of the features.

    Raises:
        SettingsError: When they are anything else.
    """
    rows = np.asarray(features)
    if rows.ndim == 1:
        rows = rows[None]
    if rows.ndim != _TWO or rows.shape[1] != width:
        raise SettingsError(f"features have shape {rows.shape}, this head takes (rows, {width})")
    if not np.issubdtype(rows.dtype, np.integer):
        raise SettingsError("features are integers; these are not")
    if rows.size and max(int(rows.max()), -int(rows.min())) > LIMIT:
        raise SettingsError(f"a feature lies outside ±{LIMIT}")
    return rows.astype(np.float64)


@lru_cache(maxsize=2)
def _upper(width: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the places of the upper triangle of a square; nobody may write to them."""
    down, across = np.triu_indices(width)
    down.setflags(write=False)
    across.setflags(write=False)
    return down, across


@dataclass(frozen=True, slots=True, eq=False)
class Statistics:
    """What is known of the rows of each class: how many, their sum, their products.

    Attributes:
        features: Version of the features, e.g. ``features.VERSION``; part of the digest.
        classes: Names, in order.
        counts: Shape (classes,): Σ weight.
        sums: Shape (classes, d): Σ weight z.
        products: Shape (classes, d, d), symmetric: Σ weight z zᵀ.
    """

    features: str
    classes: tuple[str, ...]
    counts: Ints
    sums: Ints
    products: Ints

    @classmethod
    def empty(cls, features: str, classes: Sequence[str], width: int) -> "Statistics":
        """Return statistics of nobody.

        Args:
            features: Version of the features.
            classes: Two or more different names.
            width: Of the features.

        Raises:
            SettingsError: When there are too few or too many classes or features.
        """
        names = tuple(classes)
        if not _TWO <= len(set(names)) == len(names) <= MOST_CLASSES:
            raise SettingsError("a head needs two or more classes with different names")
        if not 1 <= width <= MOST_FEATURES:
            raise SettingsError(f"a head takes 1 to {MOST_FEATURES} features")
        k = len(names)
        return cls(
            features,
            names,
            np.zeros(k, np.int64),
            np.zeros((k, width), np.int64),
            np.zeros((k, width, width), np.int64),
        )

    @property
    def width(self) -> int:
        """Number of features."""
        return int(self.sums.shape[1])

    def of(
        self, features: ArrayLike, labels: Sequence[str], weights: Sequence[int] | None = None
    ) -> "Statistics":
        """Return the statistics of these rows alone.

        Args:
            features: Integers, shape (rows, d) or (d,), within ±``LIMIT``.
            labels: Class of each row.
            weights: Integers from 1 to 1024; one each when left out.

        Raises:
            SettingsError: When a row, label or weight does not fit.
        """
        rows = checked(features, self.width)
        index = {name: place for place, name in enumerate(self.classes)}
        if unknown := set(labels) - set(index):
            raise SettingsError(f"{len(unknown)} label(s) are not classes of this head")
        each = np.ones(len(rows)) if weights is None else np.asarray(weights, dtype=np.float64)
        if len(labels) != len(rows) or each.shape != (len(rows),):
            raise SettingsError("there is one label and one weight for each row")
        if each.size and not (
            (each == np.round(each)).all() and each.min() >= 1 and each.max() <= MOST_WEIGHT
        ):
            raise SettingsError(f"weights are integers from 1 to {MOST_WEIGHT}")
        places = np.array([index[label] for label in labels], dtype=np.int64)
        made = Statistics.empty(self.features, self.classes, self.width)
        for place in range(len(self.classes)):
            mine = np.flatnonzero(places == place)
            for start in range(0, len(mine), _CHUNK):
                part = mine[start : start + _CHUNK]
                z, w = rows[part], each[part]
                heavy = z * w[:, None]
                made.counts[place] += int(w.sum())
                made.sums[place] += heavy.sum(axis=0).astype(np.int64)
                made.products[place] += (heavy.T @ z).astype(np.int64)
        return made

    def add(
        self, features: ArrayLike, labels: Sequence[str], weights: Sequence[int] | None = None
    ) -> "Statistics":
        """Return these statistics with more rows; see ``of``."""
        return self + self.of(features, labels, weights)

    def subtract(
        self, features: ArrayLike, labels: Sequence[str], weights: Sequence[int] | None = None
    ) -> "Statistics":
        """Return these statistics as if the rows had never been added; see ``of``.

        Raises:
            SettingsError: When the rows cannot have been added: a class would hold fewer than none.
        """
        return self - self.of(features, labels, weights)

    def _same(self, other: "Statistics") -> None:
        mine = (self.features, self.classes, self.width)
        if mine != (other.features, other.classes, other.width):
            raise SettingsError("statistics of different features or classes do not add up")

    def __add__(self, other: "Statistics") -> "Statistics":
        self._same(other)
        counts = self.counts + other.counts
        if counts.max() > MOST_ROWS:
            raise SettingsError(f"one head holds at most {MOST_ROWS} rows a class")
        return Statistics(
            self.features,
            self.classes,
            counts,
            self.sums + other.sums,
            self.products + other.products,
        )

    def __sub__(self, other: "Statistics") -> "Statistics":
        self._same(other)
        counts = self.counts - other.counts
        products = self.products - other.products
        diagonal = np.diagonal(products, axis1=1, axis2=2)
        if (
            counts.min() < 0
            or diagonal.min() < 0
            or (self.products[counts == 0] != other.products[counts == 0]).any()
        ):
            raise SettingsError("these rows were never added: they cannot be taken off")
        return Statistics(self.features, self.classes, counts, self.sums - other.sums, products)

    def regroup(self, groups: Mapping[str, Sequence[str]]) -> "Statistics":
        """Return the statistics with classes put together, e.g. benign and normal as one.

        Args:
            groups: New name → names of the classes it takes in; a class may be left out.

        Raises:
            SettingsError: When a class is unknown or used twice.
        """
        used = [name for names in groups.values() for name in names]
        if len(set(used)) != len(used) or not set(used) <= set(self.classes):
            raise SettingsError("each class goes into one group at most, and must be known")
        made = Statistics.empty(self.features, tuple(groups), self.width)
        for place, names in enumerate(groups.values()):
            for name in names:
                old = self.classes.index(name)
                made.counts[place] += self.counts[old]
                made.sums[place] += self.sums[old]
                made.products[place] += self.products[old]
        return made

    def to_bytes(self) -> bytes:
        """Return the canonical form: a line of JSON, then little-endian 64-bit integers.

        Counts, sums, then the upper triangle of each class's products, row by row. Equal statistics
        give equal bytes on every machine.
        """
        header = {"classes": self.classes, "features": self.features, "width": self.width}
        line = json.dumps(header, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
        upper = _upper(self.width)
        triangles = [one[upper] for one in self.products]
        numbers = np.concatenate([self.counts, self.sums.ravel(), *triangles])
        return _MAGIC + line.encode() + b"\n" + numbers.astype("<i8").tobytes()

    @classmethod
    def from_bytes(cls, data: bytes) -> "Statistics":
        """Return what ``to_bytes`` wrote.

        Raises:
            UnreadableInputError: When these are not the bytes of statistics, whole.
        """
        try:
            magic, line, rest = data.split(b"\n", 2)
            header = json.loads(line)
            made = cls.empty(header["features"], tuple(header["classes"]), header["width"])
            k, d = made.sums.shape
            size = k * (1 + d + d * (d + 1) // 2)
            if magic + b"\n" != _MAGIC or len(rest) != 8 * size:
                raise UnreadableInputError("these statistics are cut short or not ours")
        except (ValueError, KeyError, TypeError, AttributeError, SettingsError) as error:
            raise UnreadableInputError("these bytes are not statistics of a head") from error
        numbers = np.frombuffer(rest, dtype="<i8").astype(np.int64)
        made.counts[:] = numbers[:k]
        made.sums[:] = numbers[k : k + k * d].reshape(k, d)
        upper = _upper(d)
        for place, part in enumerate(numbers[k + k * d :].reshape(k, -1)):
            made.products[place][upper] = part
            made.products[place].T[upper] = part
        return made

    def digest(self) -> str:
        """Return the SHA-256 of the canonical bytes, hex: proof of what a head has seen."""
        return hashlib.sha256(self.to_bytes()).hexdigest()
