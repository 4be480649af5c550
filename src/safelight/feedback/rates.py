"""Rates with their intervals, and evidence that a promise is broken that may be looked at any time.

Sources: C. J. Clopper, E. S. Pearson, Biometrika 26 (1934) 404; J. Ville (1939) and G. Shafer,
JRSS A 184 (2021) 407 for bets as evidence.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from safelight.errors import FeedbackError

__all__ = ["Rate", "evidence"]

_CONFIDENCE: Final = 0.95
_BETS: Final = (0.02, 0.05, 0.1, 0.2, 0.35, 0.5, 0.75)  # how far above the limit the truth may lie


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """So many of so many.

    Attributes:
        count: Of those it is true for.
        of: Of all.
    """

    count: int
    of: int

    def __post_init__(self) -> None:
        if not 0 <= self.count <= self.of:
            raise FeedbackError("a rate is a part of a whole")

    @property
    def value(self) -> float | None:
        """From 0 to 1; None of nobody."""
        return self.count / self.of if self.of else None

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % interval that never covers too little (Clopper-Pearson); 0 to 1 of nobody."""
        from scipy.special import betaincinv  # noqa: PLC0415  # start-up cost

        tail = (1 - _CONFIDENCE) / 2
        low = float(betaincinv(self.count, self.of - self.count + 1, tail)) if self.count else 0.0
        left = self.of - self.count
        high = float(betaincinv(self.count + 1, left, 1 - tail)) if left else 1.0
        return low, high


def evidence(wrong: Iterable[bool], limit: float) -> float:
    """Return the evidence against "wrong at most at this rate", at its highest.

    Bets are placed on each answer as it comes; while the promise holds, no way of looking, however
    often, makes the stake grow beyond ``1 / a`` with a chance above ``a``.

    Args:
        wrong: Whether each answer was, in the order they were confirmed.
        limit: What was promised, from 0 to 1.

    Returns:
        At least 1; 100 is reached by a promise that holds at most once in 100 readers' lives.
    """
    if not 0 < limit < 1:
        return 1.0
    rates = [limit + (1 - limit) * step for step in _BETS]
    stakes = [1 / len(rates)] * len(rates)
    highest = 1.0
    for one in wrong:
        for place, rate in enumerate(rates):
            stakes[place] *= rate / limit if one else (1 - rate) / (1 - limit)
        highest = max(highest, sum(stakes))
    return highest
