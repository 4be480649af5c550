"""Who of those in a ledger still agrees: asked for everybody, or for whom it can have changed."""

from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, func, or_, select, update

from safelight.consent.book import Consents
from safelight.consent.decision import Basis
from safelight.store.clock import Clock
from safelight.store.schema.consent import artefacts, policies, statements
from safelight.store.schema.learning import contributions

__all__ = ["Mark", "lapsed", "mark", "note_gone"]

_AT_ONCE: Final = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """Up to where consent was asked for.

    Attributes:
        said: Number of the last statement there was.
        policies: How many policies were published.
    """

    said: int
    policies: int


def mark(conn: Connection) -> Mark:
    """Return the present mark."""
    said = conn.execute(select(func.max(statements.c.number))).scalar() or 0
    count = conn.execute(select(func.count()).select_from(policies)).scalar() or 0
    return Mark(said=said, policies=count)


def lapsed(conn: Connection, consents: Consents, head: str, since: Mark | None) -> list[str]:
    """Return ids of contributions whose people do not, or no longer, agree.

    Args:
        conn: A transaction; the write transaction where something is committed.
        consents: Decides.
        head: Id of the head.
        since: Consent of everybody was asked for at this mark; then only those are asked who have
            said something since, whose yes has an end, or for whom a guardian spoke. None asks all.
    """
    mine = contributions.c.head == head
    use = (contributions.c.person, contributions.c.purpose, contributions.c.policy)
    found = select(*use).where(mine).distinct()
    if since is not None and since.policies == mark(conn).policies:
        moved = select(statements.c.person).where(
            or_(
                statements.c.number > since.said,
                statements.c.until.is_not(None),
                statements.c.basis == str(Basis.MINOR),
            )
        )
        found = found.where(contributions.c.person.in_(moved))
    gone: list[str] = []
    for person, purpose, policy in conn.execute(found).all():
        if not consents.may(conn, person, purpose, policy).allowed:
            theirs = select(contributions.c.id).where(
                mine,
                contributions.c.person == person,
                contributions.c.purpose == purpose,
                contributions.c.policy == policy,
            )
            gone += conn.execute(theirs).scalars()
    return gone


def note_gone(conn: Connection, clock: Clock, head: str, ids: list[str]) -> None:
    """Note in the lineage that contributions are gone."""
    names = [f"{head}/{one}" for one in ids]
    for start in range(0, len(names), _AT_ONCE):
        some = artefacts.c.object.in_(names[start : start + _AT_ONCE])
        mine = (artefacts.c.kind == "contribution", some, artefacts.c.removed_at.is_(None))
        conn.execute(update(artefacts).where(*mine).values(removed_at=clock.now()))
