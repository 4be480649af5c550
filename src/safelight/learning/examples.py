"""Rows that are kept as rows: for calibration, for nearest cases, and the public start of a head.

A sample is drawn by a hash of each row's own id, so which rows are in it does not depend on who
came before or left since: take a person off, and the sample is the one that never knew them.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from safelight.errors import SettingsError, UnreadableInputError
from safelight.readers.statistics import LIMIT, Statistics

__all__ = ["Base", "Examples", "rank_of", "role_of"]

_MAGIC: Final = b"safelight examples 1\n"
_BASE_MAGIC: Final = b"safelight base 1\n"
_CALIBRATE: Final = 51  # of 256: one person in five is tested on, and never learnt from
_TWO: Final = 2

Features = NDArray[np.int16]


def rank_of(name: str) -> int:
    """Return the place of a row in every sample: 63 bits of SHA-256 of its id."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big") >> 1


def role_of(head: str, person: str) -> str:
    """Return whether a head learns from a person, or is tested on them; drawn by a hash."""
    drawn = hashlib.sha256(f"{head}\0{person}".encode()).digest()[0]
    return "calibrate" if drawn < _CALIBRATE else "learn"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Examples:
    """Rows of features with their labels, in the order of their ranks.

    Attributes:
        ids: Opaque, one each.
        people: Opaque code of each row's person, or of a group of near-duplicates.
        labels: Class of each row.
        weights: How much each counts, 1 to 1024.
        features: Shape (rows, d), int16, within ±2047.
    """

    ids: tuple[str, ...]
    people: tuple[str, ...]
    labels: tuple[str, ...]
    weights: tuple[int, ...]
    features: Features

    @classmethod
    def none(cls, width: int) -> "Examples":
        """Return no rows of a width."""
        return cls.of([], [], [], np.zeros((0, width), np.int16))

    @classmethod
    def of(
        cls,
        ids: Sequence[str],
        people: Sequence[str],
        labels: Sequence[str],
        features: Any,
        weights: Sequence[int] | None = None,
    ) -> "Examples":
        """Return rows, put in the order of their ranks.

        Raises:
            SettingsError: The numbers of ids, people, labels and rows differ, an id stands twice,
                or a feature is no integer within ±2047.
        """
        rows = np.asarray(features)
        each = [1] * len(ids) if weights is None else list(weights)
        counts = {len(ids), len(people), len(labels), len(each), len(rows), len(set(ids))}
        if rows.ndim != _TWO or len(counts) != 1 or not np.issubdtype(rows.dtype, np.integer):
            raise SettingsError("examples need an id, a person, a label and integers for each row")
        if rows.size and max(int(rows.max()), -int(rows.min())) > LIMIT:
            raise SettingsError(f"a feature lies outside ±{LIMIT}")
        order = sorted(range(len(ids)), key=lambda row: (rank_of(ids[row]), ids[row]))
        return cls(
            ids=tuple(ids[row] for row in order),
            people=tuple(people[row] for row in order),
            labels=tuple(labels[row] for row in order),
            weights=tuple(int(each[row]) for row in order),
            features=np.ascontiguousarray(rows[order], dtype=np.int16),
        )

    def __len__(self) -> int:
        return len(self.ids)

    def only(self, keep: Sequence[int]) -> "Examples":
        """Return some of the rows, by their places."""
        return Examples(
            ids=tuple(self.ids[row] for row in keep),
            people=tuple(self.people[row] for row in keep),
            labels=tuple(self.labels[row] for row in keep),
            weights=tuple(self.weights[row] for row in keep),
            features=self.features[list(keep)].reshape(len(keep), self.features.shape[1]),
        )

    def without(self, gone: set[str]) -> "Examples":
        """Return the rows whose ids are not among these."""
        return self.only([row for row, one in enumerate(self.ids) if one not in gone])

    def with_(self, more: "Examples", most: int) -> "Examples":
        """Return these rows and more, at most so many: those of the lowest ranks."""
        known = set(self.ids)
        new = more.only([row for row, one in enumerate(more.ids) if one not in known])
        both = Examples.of(
            self.ids + new.ids,
            self.people + new.people,
            self.labels + new.labels,
            np.concatenate([self.features, new.features]),
            self.weights + new.weights,
        )
        return both.only(range(min(most, len(both))))

    def to_bytes(self) -> bytes:
        """Return the canonical form: a line of JSON, then little-endian 16-bit integers."""
        header = {
            "ids": self.ids,
            "labels": self.labels,
            "people": self.people,
            "weights": self.weights,
            "width": int(self.features.shape[1]),
        }
        line = json.dumps(header, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
        return _MAGIC + line.encode() + b"\n" + self.features.astype("<i2").tobytes()

    @classmethod
    def from_bytes(cls, data: bytes) -> "Examples":
        """Return what ``to_bytes`` wrote.

        Raises:
            UnreadableInputError: It is something else, or cut short.
        """
        try:
            magic, line, rest = data.split(b"\n", 2)
            told = json.loads(line)
            rows, width = len(told["ids"]), int(told["width"])
            if magic + b"\n" != _MAGIC or len(rest) != 2 * rows * width:
                raise UnreadableInputError("these examples are cut short or not ours")
            features = np.frombuffer(rest, "<i2").reshape(rows, width)
            names = told["ids"], told["people"], told["labels"]
            return cls.of(*names, features, told["weights"])
        except (ValueError, KeyError, TypeError, SettingsError) as error:
            raise UnreadableInputError("these bytes are not examples") from error

    def digest(self) -> str:
        """Return the SHA-256 of the canonical bytes, hex."""
        return hashlib.sha256(self.to_bytes()).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Base:
    """What a head starts from: public data, that nobody can take back.

    Attributes:
        statistics: Sums of public rows that the head learns from; may be empty.
        examples: Public rows that it was not taught, for calibration; may be none.
    """

    statistics: Statistics
    examples: Examples

    @classmethod
    def empty(cls, features: str, classes: Sequence[str], width: int) -> "Base":
        """Return the start of a head that has seen nothing public."""
        return cls(
            statistics=Statistics.empty(features, classes, width), examples=Examples.none(width)
        )

    def to_bytes(self) -> bytes:
        """Return the canonical form."""
        first = self.statistics.to_bytes()
        return _BASE_MAGIC + len(first).to_bytes(8, "big") + first + self.examples.to_bytes()

    @classmethod
    def from_bytes(cls, data: bytes) -> "Base":
        """Return what ``to_bytes`` wrote.

        Raises:
            UnreadableInputError: It is something else.
        """
        start = len(_BASE_MAGIC) + 8
        size = int.from_bytes(data[len(_BASE_MAGIC) : start], "big")
        if not data.startswith(_BASE_MAGIC):
            raise UnreadableInputError("these bytes are not the start of a head")
        return cls(
            statistics=Statistics.from_bytes(data[start : start + size]),
            examples=Examples.from_bytes(data[start + size :]),
        )

    def digest(self) -> str:
        """Return the SHA-256 of the canonical bytes, hex."""
        return hashlib.sha256(self.to_bytes()).hexdigest()
