"""Answers with a promise: class-conditional split-conformal p-values.

For each class the scores of people who were not learnt from are kept, one a person. A new score's
p-value for a class is the share of that class (the new person counted in) whose scores lie at
least as far out. A class whose p-value is above alpha stays possible. Of people of a
class, exchangeable with those calibrated on, at most the share alpha is told that they are not of
it, on average over calibration sets (Vovk, Gammerman, Shafer, Algorithmic Learning in a
Random World, 2005, 4.6).
Nothing is promised for subgroups, for other sites, or for predictive values.
"""

import hashlib
import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from safelight.errors import SettingsError, UnreadableInputError
from safelight.readers.reading import PROMISE, Answer

__all__ = ["Calibration", "answer", "least", "one_each", "p_values", "promise"]


def p_values(calibration: ArrayLike, strange: ArrayLike) -> NDArray[np.float64]:
    """Return the p-value of each strangeness among those of one class, ties counted against it.

    Args:
        calibration: Strangeness of the calibration people of the class, shape (n,); larger is
            stranger.
        strange: Of the new ones, shape (m,).

    Returns:
        Shape (m,): (number at least as strange + 1) / (n + 1).
    """
    known = np.sort(np.asarray(calibration, dtype=np.float64).ravel())
    new = np.asarray(strange, dtype=np.float64).ravel()
    if np.isnan(known).any() or np.isnan(new).any():
        raise SettingsError("a score that is not a number has no p-value")
    below = np.searchsorted(known, new, side="left")
    return np.asarray((len(known) - below + 1) / (len(known) + 1), dtype=np.float64)


def one_each(people: Sequence[str], seed: str = "") -> NDArray[np.int64]:
    """Return the rows that stand for their people: one each, drawn by a hash.

    A person with many images must not count more than one with few. Which image stands for them is
    drawn, not chosen by score, so that it stays exchangeable with a new person's image.

    Args:
        people: Code of each row's person, or group of near-duplicates.
        seed: Draws anew.
    """
    best: dict[str, tuple[bytes, int]] = {}
    for row, person in enumerate(people):
        # Rows of one person are told apart by their order.
        key = hashlib.sha256(f"{seed}\0{person}\0{row}".encode()).digest()
        if person not in best or (key, row) < best[person]:
            best[person] = (key, row)
    return np.array(sorted(row for _key, row in best.values()), dtype=np.int64)


def least(alpha: float) -> int:
    """Return how many people a class needs before alpha can ever be reached: 19 for 5 %."""
    return math.ceil(round(1.0 / alpha, 9)) - 1


@dataclass(frozen=True, slots=True)
class Calibration:
    """The scores of people who were not learnt from, by class, one a person.

    Attributes:
        seen: Scores of those with the finding, ascending.
        not_seen: Scores of those without, ascending.
    """

    seen: tuple[float, ...]
    not_seen: tuple[float, ...]

    @classmethod
    def of(
        cls, scores: Iterable[float], has_it: Iterable[bool], people: Sequence[str] | None = None
    ) -> "Calibration":
        """Return the calibration of these scores; one a person where people are named.

        Raises:
            SettingsError: When a score is not finite.
        """
        values, truths = list(scores), list(has_it)
        if len(values) != len(truths) or (people is not None and len(people) != len(values)):
            raise SettingsError("there is one truth and one person for each score")
        if not all(math.isfinite(value) for value in values):
            raise SettingsError("a score that is not finite cannot be calibrated on")
        # A person may stand in both classes (before and after), once in each.
        named = [
            f"{int(t)}{p}"
            for t, p in zip(truths, people or map(str, range(len(values))), strict=True)
        ]
        rows = one_each(named)
        return cls(
            tuple(sorted(float(values[row]) for row in rows if truths[row])),
            tuple(sorted(float(values[row]) for row in rows if not truths[row])),
        )

    def p_seen(self, scores: ArrayLike) -> NDArray[np.float64]:
        """Return the p-value of "has it": small when the score is lower than of those who have."""
        return p_values(-np.asarray(self.seen, dtype=np.float64), -np.asarray(scores))

    def p_not_seen(self, scores: ArrayLike) -> NDArray[np.float64]:
        """Return the p-value of "does not have it"."""
        return p_values(self.not_seen, scores)

    def to_bytes(self) -> bytes:
        """Return the canonical form: one line of JSON."""
        content = {"not_seen": self.not_seen, "seen": self.seen}
        return json.dumps(content, sort_keys=True, allow_nan=False).encode() + b"\n"

    @classmethod
    def from_bytes(cls, data: bytes) -> "Calibration":
        """Return what ``to_bytes`` wrote.

        Raises:
            UnreadableInputError: When these are not calibration scores.
        """
        try:
            content = json.loads(data)
            parts = [tuple(float(one) for one in content[name]) for name in ("seen", "not_seen")]
        except (ValueError, KeyError, TypeError) as error:
            raise UnreadableInputError("these are not calibration scores") from error
        made = cls(parts[0], parts[1])
        if any(list(part) != sorted(part) for part in parts) or made.to_bytes() != data:
            raise UnreadableInputError("these calibration scores are not in canonical form")
        return made

    def digest(self) -> str:
        """Return the SHA-256 of the canonical form, hex."""
        return hashlib.sha256(self.to_bytes()).hexdigest()

    def enough(self, alpha: float) -> bool:
        """Whether both classes hold enough people for alpha to mean anything."""
        return min(len(self.seen), len(self.not_seen)) >= least(alpha)


def answer(p_seen: float, p_not_seen: float, alpha: float) -> Answer:
    """Return the answer: the classes that stay possible at alpha, in words.

    Args:
        p_seen: P-value of "has it".
        p_not_seen: P-value of "does not have it".
        alpha: Share of a class that may be told the other, 0 to 1.
    """
    table = {
        (True, False): Answer.SEEN,
        (False, True): Answer.NOT_SEEN,
        (True, True): Answer.CANNOT_TELL,
        (False, False): Answer.UNLIKE,
    }
    return table[p_seen > alpha, p_not_seen > alpha]


def promise(finding: str, alpha: float) -> str:
    """Return the exact promise in words.

    Args:
        finding: How people with it are called, e.g. ``pneumonia``.
        alpha: As for ``answer``; told per 100 people, never rounded down.
    """
    missed = math.ceil(round(alpha * 100, 6))
    return PROMISE.format(finding=finding, missed=missed)
