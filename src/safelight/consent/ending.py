"""What is past the time that its policy says goes by itself, as a withdrawal would take it."""

from typing import Final

from sqlalchemy import select

from safelight.consent.journal import Journal
from safelight.consent.outcome import Outcome
from safelight.consent.purposes import ALL
from safelight.consent.retention import RETENTION, Retention
from safelight.consent.withdrawal import Withdrawals
from safelight.store.faults import reach
from safelight.store.schema.consent import withdrawals
from safelight.store.schema.submissions import submissions
from safelight.vault import Vault

__all__ = ["Ending"]

_STAGE: Final = "listed"  # nothing was said, so nothing is told outside of the database


class Ending:
    """Begins what ``Withdrawals`` carries out.

    Args:
        vault: An open vault.
        journal: Where the beginning is committed to.
        retention: Knows what is past its time.
        taking: Carries it out.
    """

    def __init__(
        self, vault: Vault, journal: Journal, retention: Retention, taking: Withdrawals
    ) -> None:
        self._vault = vault
        self._store = vault.store
        self._journal = journal
        self._retention = retention
        self._withdrawals = taking

    def run(self) -> list[Outcome]:
        """Remove what is past its time, of everybody. May be repeated at will, and killed.

        What was begun and not finished is carried on by ``Withdrawals.resume``. Nothing is said for
        the person: what they agreed to stands for what they give from now on.

        Returns:
            Where each of those begun now is.
        """
        with self._store.read() as conn:
            found = self._retention.people(conn, self._store.clock.now())
        begun = [made for person in found if (made := self._begin(person))]
        return self._withdrawals.carry_on(begun)

    def _begin(self, person: str) -> str:
        """Open the removal of what is held of a person past its time; return its id if any is."""
        with self._store.begin() as conn:
            now = self._store.clock.now()
            under_way = select(withdrawals.c.id).where(
                withdrawals.c.person == person,
                withdrawals.c.stage != "done",
                withdrawals.c.purpose.in_((RETENTION, ALL)),
            )
            if conn.execute(under_way).first():
                return ""
            at_work = select(submissions.c.id).where(
                submissions.c.person == person, submissions.c.state != "done"
            )
            if conn.execute(at_work.limit(1)).first():
                return ""  # what they gave is still being worked on: at the next round
            if self._vault.people.state(person, conn) != "active":
                return ""
            going = self._retention.over(conn, person, now)
            if not going:
                return ""
            made = self._withdrawals.open(conn, person, RETENTION, now, RETENTION, _STAGE, 0)
            told = {"retention": made, "person": person, "artefacts": len(going)}
            self._journal.detached(conn, "retention.begun", told)
            reach("retention.begun.written")
        reach("retention.begun")
        return made
