"""Everything that follows from a ledger: head, calibration, the line of the unusual, nearest cases.

Nothing here is kept when the ledger changes; all of it is made again from what remains, by the same
steps, so that it is to the bit what it would be had those who left never come.
"""

import hashlib
import json
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from safelight.errors import UnreadableInputError
from safelight.learning.examples import Base, Examples
from safelight.readers.conformal import Calibration
from safelight.readers.head import Head, Recipe, solve
from safelight.readers.reading import Neighbour
from safelight.readers.statistics import Statistics

__all__ = ["SAMPLE", "Served", "Standard", "derive"]

SAMPLE: Final = 2048  # most contributed rows in a sample
UNUSUAL: Final = 0.01  # share of the tested that lie beyond the line
_MAGIC: Final = b"safelight served 1\n"
_TWO: Final = 2


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Standard:
    """Mean and spread of each feature over everybody, and how far out is unusual.

    Attributes:
        means: Shape (d,).
        spreads: Shape (d,); 1 where a feature never moves.
        line: Distance beyond which a picture is unlike those tested on; infinity for none tested.
    """

    means: NDArray[np.float64]
    spreads: NDArray[np.float64]
    line: float

    @classmethod
    def of(cls, sums: Statistics, tested: NDArray[np.int16]) -> "Standard":
        """Return the standard of a ledger, its line drawn by those tested on."""
        rows = max(1, int(sums.counts.sum()))
        means = sums.sums.sum(axis=0) / rows
        squares = np.diagonal(sums.products, axis1=1, axis2=2).sum(axis=0) / rows
        spreads = np.sqrt(np.maximum(squares - means**2, 0.0))
        made = cls(means=means, spreads=np.where(spreads > 0, spreads, 1.0), line=float("inf"))
        if not len(tested):
            return made
        far = np.sort(made.distance(tested))
        place = min(len(far) - 1, int(np.ceil((1 - UNUSUAL) * (len(far) + 1))) - 1)
        return cls(means=means, spreads=made.spreads, line=float(far[place]))

    def distance(self, features: NDArray[np.int16]) -> NDArray[np.float64]:
        """Return the root mean square of standardised features: shape (rows,), about 1."""
        bent = (np.atleast_2d(features) - self.means) / self.spreads
        return np.asarray(np.sqrt((bent**2).mean(axis=1)))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Served:
    """A version as it is used.

    Attributes:
        head: The head.
        standard: Of its features.
        calibration: Scores of those tested on; None for heads of more than two classes.
        tested: Contributed rows that it is calibrated on.
        known: Contributed rows that nearest cases are drawn from.
    """

    head: Head
    standard: Standard
    calibration: Calibration | None
    tested: Examples
    known: Examples

    def to_bytes(self) -> bytes:
        """Return the canonical form."""
        scores = self.calibration
        told = {
            "line": self.standard.line.hex(),
            "not_seen": [one.hex() for one in scores.not_seen] if scores else None,
            "seen": [one.hex() for one in scores.seen] if scores else None,
        }
        parts = [
            self.head.to_bytes(),
            json.dumps(told, sort_keys=True).encode(),
            self.standard.means.astype("<f8").tobytes(),
            self.standard.spreads.astype("<f8").tobytes(),
            self.tested.to_bytes(),
            self.known.to_bytes(),
        ]
        return _MAGIC + b"".join(len(part).to_bytes(8, "big") + part for part in parts)

    @classmethod
    def from_bytes(cls, data: bytes) -> "Served":
        """Return what ``to_bytes`` wrote.

        Raises:
            UnreadableInputError: It is something else.
        """
        if not data.startswith(_MAGIC):
            raise UnreadableInputError("these bytes are not a served head")
        parts, start = [], len(_MAGIC)
        while start < len(data):
            size = int.from_bytes(data[start : start + 8], "big")
            parts.append(data[start + 8 : start + 8 + size])
            start += 8 + size
        try:
            head, line, means, spreads, tested, known = parts
            told = json.loads(line)
            scores = None
            if told["seen"] is not None:
                scores = Calibration(*(tuple(map(float.fromhex, told[n])) for n in _SIDES))
            return cls(
                head=Head.from_bytes(head),
                standard=Standard(
                    means=np.frombuffer(means, "<f8"),
                    spreads=np.frombuffer(spreads, "<f8"),
                    line=float.fromhex(told["line"]),
                ),
                calibration=scores,
                tested=Examples.from_bytes(tested),
                known=Examples.from_bytes(known),
            )
        except (ValueError, KeyError, TypeError) as error:
            raise UnreadableInputError("these bytes are not a served head") from error

    def digest(self) -> str:
        """Return the SHA-256 of the canonical bytes, hex."""
        return hashlib.sha256(self.to_bytes()).hexdigest()

    def nearest(self, features: NDArray[np.int16], most: int = 3) -> tuple[Neighbour, ...]:
        """Return the nearest contributed cases: 0 is the same picture, 1 the usual distance.

        Args:
            features: int16, shape (d,).
            most: How many.
        """
        if not len(self.known):
            return ()
        there = self.known.features - self.standard.means
        here = np.asarray(features) - self.standard.means
        apart = np.sqrt((((there - here) / self.standard.spreads) ** 2).mean(axis=1) / _TWO)
        return tuple(
            Neighbour(
                case=self.known.ids[row], label=self.known.labels[row], distance=float(apart[row])
            )
            for row in np.argsort(apart, kind="stable")[:most]
        )


_SIDES: Final = ("seen", "not_seen")


def derive(
    base: Base, contributed: Statistics, tested: Examples, known: Examples, recipe: Recipe
) -> Served:
    """Return all that follows from a ledger, its samples and a recipe.

    Args:
        base: What the head starts from.
        contributed: Sums of what people contributed.
        tested: Sample of contributed rows that are not in the sums.
        known: Sample of contributed rows that are.
        recipe: How the head follows.

    Raises:
        SettingsError: A class holds no row.
    """
    sums = base.statistics + contributed
    head = solve(sums, recipe)
    rows = np.concatenate([base.examples.features, tested.features])
    scores = None
    if len(head.classes) == _TWO:
        labels = [*base.examples.labels, *tested.labels]
        people = [*(f"base/{one}" for one in base.examples.people), *tested.people]
        values = head.score(rows).tolist() if len(rows) else []
        scores = Calibration.of(values, [one == head.classes[1] for one in labels], people)
    standard = Standard.of(sums, rows)
    return Served(head=head, standard=standard, calibration=scores, tested=tested, known=known)
