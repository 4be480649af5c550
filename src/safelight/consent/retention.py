"""Retention: until when a policy lets each thing be kept, and what is past it.

- A thing is kept for the days that its policy says. They are counted from the first thing that it
  was made from: what was made later from a scan does not outlive the scan's own time.
- Where a later version of the policy carries consent along and says fewer days, these hold.
- A yes that was given until a day, or that a steward recorded as ended, ends it as well.
- What goes takes with it what was made from it and has no consent of its own, as a withdrawal does.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, func, select

from safelight.consent.book import Consents
from safelight.consent.chain import days_kept
from safelight.consent.decision import Said, standing
from safelight.consent.lineage import Artefact, Lineage
from safelight.errors import PolicyError
from safelight.store.schema.consent import artefacts, statements

__all__ = ["RETENTION", "Retention"]

RETENTION: Final = "retention"  # stands for a purpose in the list of what was taken back
_ENDS: Final = (str(Said.EXPIRE), str(Said.GRANT))


class Retention:
    """Reads when things end; carrying it out is ``Withdrawals.retain``.

    Args:
        consents: Knows policies and what was said.
        lineage: Knows what was made from what.
    """

    def __init__(self, consents: Consents, lineage: Lineage) -> None:
        self._consents = consents
        self._lineage = lineage

    def days(self, conn: Connection, policy: str) -> int | None:
        """Return how many days a policy lets things be kept today; None for no limit."""
        try:
            name = self._consents.policy(conn, policy).name
        except PolicyError:
            return None
        return days_kept(self._consents.versions(conn, name), policy)

    def ends(self, conn: Connection, person: str) -> dict[str, datetime]:
        """Return when each thing of a person that is there goes by itself, by artefact id.

        What has no end is left out.
        """
        every = self._lineage.of(conn, person)
        if all(one.removed_at is not None for one in every):
            return {}
        begun = _begun(every, self._lineage.edges(conn, person))
        said = [one.statement for one in self._consents.history(conn, person)]
        days = {policy: self.days(conn, policy) for policy in {one.policy for one in every}}
        over: dict[str, datetime | None] = {}
        for purpose in {one.purpose for one in every}:
            last = standing(said, purpose)
            over[purpose] = None
            if last is not None and last.said == Said.EXPIRE:
                over[purpose] = last.at
            elif last is not None and last.said == Said.GRANT:
                over[purpose] = last.until
        ends = {}
        for one in every:
            limit = days[one.policy]
            kept = None if limit is None else begun[one.id] + timedelta(days=limit)
            known = [each for each in (kept, over[one.purpose]) if each is not None]
            if known and one.removed_at is None:
                ends[one.id] = min(known)
        return ends

    def over(self, conn: Connection, person: str, now: datetime) -> list[Artefact]:
        """Return what of a person is past its time, children before their parents."""
        there = [one for one in self._lineage.of(conn, person) if one.removed_at is None]
        going = {name for name, end in self.ends(conn, person).items() if end <= now}
        return self._lineage.with_children(conn, person, there, going) if going else []

    def people(self, conn: Connection, now: datetime) -> list[str]:
        """Return the people of whom something may be past its time; ``over`` tells what."""
        there = artefacts.c.removed_at.is_(None)
        found: set[str] = set()
        used = select(artefacts.c.policy).where(there).distinct()
        for policy in conn.execute(used).scalars().all():
            days = self.days(conn, policy)
            if days is None:
                continue
            mine = select(artefacts.c.person).where(there, artefacts.c.policy == policy)
            oldest = select(artefacts.c.person).where(artefacts.c.person.in_(mine))
            oldest = oldest.group_by(artefacts.c.person)
            oldest = oldest.having(func.min(artefacts.c.made_at) <= now - timedelta(days=days))
            found.update(conn.execute(oldest).scalars())
        ended = select(statements.c.person).where(
            statements.c.said.in_(_ENDS),
            (statements.c.until <= now) | (statements.c.said == str(Said.EXPIRE)),
            statements.c.person.in_(select(artefacts.c.person).where(there)),
        )
        found.update(conn.execute(ended.distinct()).scalars())
        return sorted(found)


def _begun(every: list[Artefact], edges: Mapping[str, set[str]]) -> dict[str, datetime]:
    """Return when the time of each thing began: with the first thing that it was made from."""
    begun = {one.id: one.made_at for one in every}
    changed: Any = True
    while changed:  # a graph without circles: as often as it is deep
        changed = False
        for child, parents in edges.items():
            first = min((begun[one] for one in parents if one in begun), default=begun[child])
            if first < begun[child]:
                begun[child] = first
                changed = True
    return begun
