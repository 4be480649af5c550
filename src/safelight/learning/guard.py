"""Labels that everybody else's speak against are held back until somebody has looked.

For each account, the head is solved without that account's labels (its rows are subtracted) and
asked about them. An account that is against all others far more often than chance, and more often
than not, is held: none of its labels enters a version until a steward releases it. What it did is
committed to in the log. This is no judgement of who is right; it keeps one account from deciding.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy import stats

from safelight.errors import SettingsError
from safelight.learning.contributions import Contribution, sums_of
from safelight.learning.leakage import margins
from safelight.readers.head import Recipe, solve
from safelight.readers.statistics import Statistics

__all__ = ["Suspect", "suspects"]

CHANCE: Final = 0.001  # of holding an account whose labels are no better than a coin's, either way
LEAST: Final = 8  # labels before anything is said of an account
_HALF: Final = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Suspect:
    """An account that is against all others.

    Attributes:
        account: Its code.
        rows: Labels it gave.
        against: Labels that a head without it speaks against.
    """

    account: str
    rows: int
    against: int


def suspects(sums: Statistics, recipe: Recipe, some: Sequence[Contribution]) -> tuple[Suspect, ...]:
    """Return the accounts whose labels should be held back, by code.

    Args:
        sums: All that the head would be solved from.
        recipe: How it follows.
        some: All contributions of this head, those that are tested on as well.
    """
    by_account: dict[str, list[Contribution]] = {}
    for one in some:
        by_account.setdefault(one.account, []).append(one)
    found = []
    for account in sorted(by_account):
        rows = by_account[account]
        if len(rows) < LEAST:
            continue
        try:
            head = solve(sums - sums_of(sums, rows), recipe)
        except SettingsError:  # nobody else says anything of one of the classes
            continue
        features = np.stack([one.features for one in rows])
        against = int((margins(head, features, [one.label for one in rows]) < 0).sum())
        chance = stats.binom.sf(against - 1, len(rows), _HALF)
        if against > len(rows) * _HALF and chance < CHANCE:
            found.append(Suspect(account=account, rows=len(rows), against=against))
    return tuple(found)
