"""Plans: a ledger as it stood, and what may be published of it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection, func, select

from safelight.learning import agreed
from safelight.learning.contributions import Contribution, examples_of, opened
from safelight.learning.derive import SAMPLE
from safelight.learning.examples import Examples
from safelight.learning.ledger import Ledger
from safelight.learning.ledgers import HeadOf
from safelight.learning.noise import Noised
from safelight.learning.versions import Version
from safelight.readers.statistics import Statistics
from safelight.store.schema.learning import contributions
from safelight.vault import Vault

__all__ = ["Plan", "cases_of", "left", "sample", "to_public"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Plan:
    """A ledger as it stood, and what may be published of it.

    Attributes:
        head: The head.
        number: Of the ledger's newest link.
        mark: Up to where consent was asked for.
        before: The newest version; None before the first.
        contributed: Sums of what is published.
        kept: Sums of what stays out.
        held: Ids of the rows that stay out.
        tested: Sample of rows that are tested on.
        known: Sample of rows that are learnt from.
        cases: Case of each row in the samples, by its id; empty where none was named.
        people: How many contributed.
        reason: ``trained`` or ``withdrawn``.
        shares: Accounts behind the labels, and the largest part of one; None: not asked again.
        shown: Sums with noise, which the version is made from; None: from the sums themselves.
    """

    head: HeadOf
    number: int
    mark: agreed.Mark
    before: Version | None
    contributed: Statistics
    kept: Statistics
    held: frozenset[str]
    tested: Examples
    known: Examples
    cases: dict[str, str]
    people: int
    reason: str
    shares: tuple[int, float] | None = None
    shown: Noised | None = None

    @property
    def version(self) -> int:
        """Number of the version that would be published."""
        return self.before.version + 1 if self.before else 1

    def noisy(self, made: Noised) -> "Plan":
        """Return the plan of a version with noise: no row of anybody is in it or beside it."""
        return replace(
            self,
            shown=made,
            tested=Examples.none(self.width),
            known=Examples.none(self.width),
            cases={},
        )

    @property
    def width(self) -> int:
        """Numbers in a row."""
        return self.head.base.statistics.width


def sample(some: Sequence[Contribution], width: int) -> Examples:
    """Return the rows of the lowest ranks: the sample does not depend on who came or left."""
    made = examples_of(some, width)
    return made.only(range(min(SAMPLE, len(made))))


def cases_of(some: Sequence[Contribution], *samples: Examples) -> dict[str, str]:
    """Return the case of each row that stands in a sample."""
    wanted = {name for one in samples for name in one.ids}
    return {one.id: one.case for one in some if one.id in wanted}


def left(conn: Connection, vault: Vault, head: HeadOf, before: Version) -> Plan:
    """Return what is left of a version: its rows, without those who went.

    Args:
        conn: A transaction.
        vault: An open vault.
        head: The head.
        before: The version.
    """
    width = head.base.statistics.width
    ledger = Ledger(vault, conn, head.id)
    mine = (contributions.c.head == head.id, contributions.c.part == "published")
    waits = (contributions.c.head == head.id, contributions.c.part == "pending")
    count = select(func.count(contributions.c.person.distinct())).where(*mine)
    samples: dict[str, Examples] = {}
    cases: dict[str, str] = {}
    for role in ("calibrate", "learn"):
        some = list(opened(vault, conn, _lowest(conn, mine, role)))
        samples[role] = sample(some, width)
        cases |= cases_of(some, samples[role])
    return Plan(
        head=head,
        number=ledger.number(),
        mark=agreed.mark(conn),
        before=before,
        contributed=ledger.read("published"),
        kept=ledger.read("pending"),
        held=frozenset(conn.execute(select(contributions.c.id).where(*waits)).scalars()),
        tested=samples["calibrate"],
        known=samples["learn"],
        cases=cases,
        people=conn.execute(count).scalar() or 0,
        reason="withdrawn",
    )


def _lowest(conn: Connection, mine: tuple[Any, ...], role: str) -> list[Any]:
    """Return the rows of the lowest ranks, those of one person together."""
    found = select(contributions).where(*mine, contributions.c.role == role)
    rows = conn.execute(found.order_by(contributions.c.rank).limit(SAMPLE)).all()
    return sorted(rows, key=lambda row: row.person)


def to_public(plan: Plan) -> Plan:
    """Return the plan of going back to the public start: everything contributed waits."""
    nothing = plan.contributed - plan.contributed
    return replace(
        plan,
        contributed=nothing,
        kept=plan.kept + plan.contributed,
        tested=Examples.none(plan.width),
        known=Examples.none(plan.width),
        cases={},
        people=0,
        shown=None,
    )
