"""Labels that everybody else's speak against are held back until somebody has looked.

For each account, the head is solved without the labels that it stands behind, alone or with others,
and asked about them; those of few labels first, so that a few are judged by the many. Two accounts
that are enough to confirm a label are asked as one, too. Who is against all others far more often
than chance, and more often than not, is held: a label that would not stand without them enters no
version until a steward releases them. What they did is committed to in the log. This is no
judgement of who is right; it keeps one account, or two, from deciding.

Whatever they say, no account's part in what feedback confirms goes beyond a half: a label is shared
by those who say so, and they are two or more. The largest part of one is told on the card.
"""

from collections.abc import Container, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy import stats

from safelight.errors import SettingsError
from safelight.feedback.voices import ACCOUNTS
from safelight.learning.contributions import Contribution, sums_of
from safelight.learning.leakage import margins
from safelight.readers.head import Recipe, solve
from safelight.readers.statistics import Statistics

__all__ = ["Suspect", "shares", "stands", "suspects"]

CHANCE: Final = 0.001  # of holding an account whose labels are no better than a coin's, either way
LEAST: Final = 8  # labels before anything is said of an account
ODD: Final = 0.25  # of a pair's labels, before it is asked about as one
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


def stands(one: Contribution, held: Container[str]) -> bool:
    """Return whether a label stands without those who are held.

    A label that several confirmed needs two of them still; another one whoever gave it.
    """
    left = sum(account not in held for account in one.accounts)
    return left >= min(ACCOUNTS, len(one.accounts))


def suspects(
    sums: Statistics,
    recipe: Recipe,
    some: Sequence[Contribution],
    known: Container[str] = frozenset(),
) -> tuple[Suspect, ...]:
    """Return the accounts whose labels should be held back, by code.

    Args:
        sums: All that the head would be solved from.
        recipe: How it follows.
        some: All contributions of this head, those that are tested on as well.
        known: Accounts that are held already, or were released: nothing more is said of them.
    """
    found: dict[str, Suspect] = {}
    rest = list(some)
    for group, rows in _groups(sums, recipe, some):
        named = [account for account in group if account not in found and account not in known]
        if not named:
            continue
        still = [one for one in rows if stands(one, found)]
        try:
            head = solve(sums - sums_of(sums, still), recipe)
        except SettingsError:  # nobody else says anything of one of the classes
            continue
        features = np.stack([one.features for one in rows])
        against = int((margins(head, features, [one.label for one in rows]) < 0).sum())
        chance = stats.binom.sf(against - 1, len(rows), _HALF)
        if against > len(rows) * _HALF and chance < CHANCE:
            found |= {one: Suspect(account=one, rows=len(rows), against=against) for one in named}
            out = [one for one in rest if not stands(one, found)]
            rest = [one for one in rest if stands(one, found)]
            sums = sums - sums_of(sums, out)
    return tuple(found[account] for account in sorted(found))


def _groups(
    sums: Statistics, recipe: Recipe, some: Sequence[Contribution]
) -> list[tuple[tuple[str, ...], list[Contribution]]]:
    """Return accounts, and pairs that few agree with, with their labels: the few labels first."""
    groups: dict[tuple[str, ...], list[Contribution]] = {}
    for one in some:
        for account in one.accounts:
            groups.setdefault((account,), []).append(one)
        if len(one.accounts) == ACCOUNTS:
            groups.setdefault(tuple(sorted(one.accounts)), []).append(one)
    try:
        whole = solve(sums, recipe)
    except SettingsError:
        return []

    def odd(rows: list[Contribution]) -> bool:
        """Whether a head that has learnt from them is against some of them still."""
        features = np.stack([one.features for one in rows])
        against = margins(whole, features, [one.label for one in rows]) < 0
        return bool(against.mean() >= ODD)

    made = [
        (group, rows)
        for group, rows in groups.items()
        if len(rows) >= LEAST and (len(group) == 1 or odd(rows))
    ]
    return sorted(made, key=lambda each: (len(each[1]), each[0]))


def shares(some: Sequence[Contribution]) -> tuple[int, float]:
    """Return how many accounts stand behind labels, and the largest part of one, 0 to 1."""
    parts: dict[str, float] = {}
    for one in some:
        for account in one.accounts:
            parts[account] = parts.get(account, 0.0) + 1 / len(one.accounts)
    return len(parts), max(parts.values(), default=0.0) / max(len(some), 1)
