"""Versions with noise: what they promise, what has been spent, and from which rows they are made.

What each version tells about a person adds up over all versions of a head, those that were replaced
too: whoever kept them all knows all of it. So a head has one budget, and no version beyond it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Self

import numpy as np
from sqlalchemy import Connection, select

from safelight.errors import NotOfferedError, SettingsError
from safelight.learning.contributions import Contribution, opened
from safelight.learning.dp import Guarantee, noise_of, noisy, spent
from safelight.learning.examples import rank_of
from safelight.learning.ledgers import HeadOf
from safelight.learning.versions import versions
from safelight.readers.statistics import LIMIT, Statistics
from safelight.store.schema.learning import contributions
from safelight.vault import Vault

__all__ = ["MOST_EPSILON", "Budget", "Noise", "Noised", "taught"]

MOST_EPSILON: Final = 10.0  # beyond it the promise says nothing that matters
_DIGITS: Final = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Noise:
    """What is asked for.

    Attributes:
        epsilon: ε of this version.
        delta: δ of this version, and of the sum over all versions.
        most: ε that all versions of the head together may reach; never more than was said before.
        bound: Length that rows are shortened to; 0: that of usual public rows.
        rows: Images of one person that are learnt from.
    """

    epsilon: float
    delta: float
    most: float = MOST_EPSILON
    bound: float = 0.0
    rows: int = 1

    def __post_init__(self) -> None:
        if not 0 < self.epsilon <= self.most <= MOST_EPSILON:
            raise SettingsError(
                f"an epsilon is above 0, at most its total, and that at most {MOST_EPSILON:g}"
            )
        _ = self.guarantee(1.0)

    def guarantee(self, bound: float) -> Guarantee:
        """Return what is promised of rows of a length."""
        return Guarantee(epsilon=self.epsilon, delta=self.delta, bound=bound, rows=self.rows)

    @classmethod
    def of_card(cls, told: dict[str, str]) -> "Noise":
        """Return what a version was published with, from its card."""
        return cls(
            epsilon=float(told["epsilon"]),
            delta=float(told["delta"]),
            most=float(told["most_epsilon"]),
            bound=float(told["bound"]),
            rows=int(told["rows_of_a_person"]),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """What versions of a head have spent.

    Attributes:
        releases: ε and δ of each version with noise.
        most: The least total that was ever said; 0: none was.
        exact: Whether the newest version has none.
    """

    releases: tuple[tuple[float, float], ...]
    most: float
    exact: bool

    @classmethod
    def of(cls, conn: Connection, head: str) -> "Budget":
        """Return the budget of a head: all its versions count, whatever became of them."""
        there = versions(conn, head)
        noises = [Noise.of_card(one.card["noise"]) for one in there if one.card.get("noise")]
        taught = [one for one in there if one.document["people"]]
        return cls(
            releases=tuple((one.epsilon, one.delta) for one in noises),
            most=min((one.most for one in noises), default=0.0),
            exact=any(not one.card.get("noise") for one in taught),
        )

    def check(self, noise: Noise | None) -> None:
        """Refuse a version that would go beyond what was promised.

        Raises:
            NotOfferedError: It would.
        """
        if noise is None:
            if self.releases:
                raise NotOfferedError(
                    "versions of this head promise noise; one without would undo that",
                    todo="give --epsilon and --delta, or open a head of another name",
                )
            return
        if self.exact:
            raise NotOfferedError(
                "a version of this head has learnt without noise: its people cannot be promised it",
                todo="open a head of another name",
            )
        total, most = self.after(noise), self.total(noise)
        if total > most:
            raise NotOfferedError(
                f"all versions together would reach epsilon {total:.3f}, and {most:g} is the most",
                todo="train less often, or with a smaller epsilon",
            )

    def after(self, noise: Noise) -> float:
        """Return ε of all versions together, with one more, at its δ."""
        return spent([*self.releases, (noise.epsilon, noise.delta)], noise.delta)

    def total(self, noise: Noise) -> float:
        """Return the most that all versions may reach."""
        return min(self.most or noise.most, noise.most)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Noised:
    """Sums with noise, and what a card says of them.

    Attributes:
        sums: Of what people contributed, with noise.
        card: Numbers as text.
    """

    sums: Statistics
    card: dict[str, str]

    @classmethod
    def make(cls, head: HeadOf, some: Sequence[Contribution], noise: Noise, budget: Budget) -> Self:
        """Draw noise for what people contributed.

        Args:
            head: The head.
            some: Contributions that may be learnt from.
            noise: What is asked for.
            budget: What was spent before.

        Raises:
            NotOfferedError: The budget does not reach, or the noise would destroy the head.
        """
        budget.check(noise)
        base = head.base.statistics
        bound = noise.bound or _usual(base)
        guarantee = noise.guarantee(bound)
        rows = _few(some, noise.rows)
        if not rows:
            raise NotOfferedError("nobody contributed an image of weight 1")
        public = int(base.counts.sum())
        sums = noisy(
            base,
            np.stack([one.features for one in rows]),
            [one.label for one in rows],
            guarantee,
            beside=public,
        )
        sigma = noise_of(noise.epsilon, noise.delta) * guarantee.reach
        card = {
            "epsilon": repr(noise.epsilon),
            "delta": repr(noise.delta),
            "bound": repr(round(bound, _DIGITS)),
            "rows_of_a_person": str(noise.rows),
            "sigma": f"{sigma:.{_DIGITS}f}",
            "versions": str(len(budget.releases) + 1),
            "spent_epsilon": f"{budget.after(noise):.{_DIGITS}f}",
            "most_epsilon": repr(budget.total(noise)),
        }
        return cls(sums=sums, card=card)


def _usual(base: Statistics) -> float:
    """Return the length of usual public rows: it tells nothing of who contributed."""
    rows = int(base.counts.sum())
    if not rows:
        return float(LIMIT)
    squares = np.trace(base.products.sum(axis=0).astype(np.float64))
    return max(1.0, float(np.sqrt(squares / rows)))


def _few(some: Sequence[Contribution], most: int) -> list[Contribution]:
    """Return of each person the images of the lowest ranks, so many and of weight 1."""
    kept: dict[str, list[Contribution]] = {}
    for one in sorted(some, key=lambda one: (rank_of(one.id), one.id)):
        mine = kept.setdefault(one.person, [])
        if one.role == "learn" and one.weight == 1 and len(mine) < most:
            mine.append(one)
    return [one for mine in kept.values() for one in mine]


def taught(conn: Connection, vault: Vault, head: HeadOf) -> list[Contribution]:
    """Return all that the published part was made from: for the version after a withdrawal."""
    mine = (contributions.c.head == head.id, contributions.c.part == "published")
    found = select(contributions).where(*mine, contributions.c.role == "learn")
    rows = conn.execute(found.order_by(contributions.c.person)).all()
    return list(opened(vault, conn, rows))
