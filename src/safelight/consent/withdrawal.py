"""Withdrawal: one orchestration that can be killed anywhere and goes on where it stopped.

Stages, each begun only when the one before is on disk:

``denied``    the no is recorded; from here every use is denied (one transaction)
``listed``    the no is told outside of the database, so that no backup takes it back
``planned``   what has to be removed is written down, children before parents
``removed``   each artefact's remover ran, or failed and will run again
``recalled``  recipients that must be told are marked, with the day their grace ends
``erased``    (all purposes only) the person's key is destroyed
``scrubbed``  (all purposes only) sealed columns, which nothing can open any more, are emptied
``done``      the end is committed to in the log, and the receipt's facts are kept
"""

import json
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any, Final

from sqlalchemy import Connection, Row, insert, select, update

from safelight.consent.book import Consents
from safelight.consent.decision import Said
from safelight.consent.disclosures import Disclosures
from safelight.consent.journal import Journal
from safelight.consent.lineage import Lineage
from safelight.consent.outcome import (
    FAILED,
    REMOVED,
    TO_DO,
    Outcome,
    concerned,
    facts_of,
    held_since,
    steps_of,
)
from safelight.consent.purposes import ALL, parse
from safelight.consent.removers import Removers
from safelight.consent.retention import RETENTION, Retention
from safelight.consent.withdrawn import Withdrawn, WithdrawnList
from safelight.errors import ConsentError, SafelightError, StoreBusyError, WithdrawalError
from safelight.store.faults import reach
from safelight.store.ids import new_id
from safelight.store.schema.base import EPOCH, to_micros
from safelight.store.schema.consent import (
    accesses,
    disclosures,
    roles,
    statements,
    withdrawal_steps,
    withdrawals,
)
from safelight.vault import Vault

__all__ = ["STAGES", "Withdrawals"]

STAGES: Final = (
    *("denied", "listed", "planned", "removed", "recalled"),
    *("erased", "scrubbed", "done"),
)
_RESTORE: Final = "restore"  # who says again what a backup forgot
_NEXT: Final = dict(pairwise(STAGES))


class Withdrawals:
    """The withdrawals of one store. Opening one applies again what a restored backup forgot.

    Args:
        vault: An open vault.
        journal: Where the beginning and the end are committed to.
        consents: Records the no.
        lineage: Knows what was made.
        removers: Know how to remove it.
        handed_out: Knows who else has it.
        retention: Knows until when it may be kept.
    """

    def __init__(
        self,
        vault: Vault,
        journal: Journal,
        consents: Consents,
        lineage: Lineage,
        removers: Removers,
        handed_out: Disclosures,
        retention: Retention,
    ) -> None:
        self._vault = vault
        self._store = vault.store
        self._journal = journal
        self._consents = consents
        self._lineage = lineage
        self._removers = removers
        self._disclosures = handed_out
        self._retention = retention
        self._list = WithdrawnList(vault.store)

    def start(
        self,
        person: str,
        purpose: str = ALL,
        *,
        actor: str,
        method: str = "command",
        note: str = "",
    ) -> str:
        """Record the no and return the id of the withdrawal; from here every use is denied.

        A withdrawal of the same that is under way is returned again.

        Raises:
            ConsentError: There is no such person, or they were erased before.
        """
        purpose = purpose if purpose == ALL else parse(purpose).name
        with self._store.begin() as conn:
            open_one = select(withdrawals.c.id).where(
                withdrawals.c.person == person,
                withdrawals.c.purpose == purpose,
                withdrawals.c.stage != "done",
            )
            if found := conn.execute(open_one).scalar():
                return str(found)
            made = self._begin(conn, person, purpose, actor, method, note)
            reach("withdraw.denied.written")
        reach("withdraw.denied")
        return made

    def _begin(
        self, conn: Connection, person: str, purpose: str, actor: str, method: str, note: str
    ) -> str:
        said = self._consents.record(
            conn,
            person=person,
            purpose=purpose,
            said=Said.WITHDRAW,
            actor=actor,
            method=method,
            note=note,
        )
        return self.open(
            conn, person, purpose, said.recorded_at, actor, "denied", said.statement.number
        )

    def open(
        self,
        conn: Connection,
        person: str,
        purpose: str,
        asked_at: datetime,
        actor: str,
        stage: str,
        statement: int,
    ) -> str:
        """Add the row of what is to be carried out, at a stage; return its id."""
        values = {
            "id": new_id(),
            "person": person,
            "purpose": purpose,
            "asked_at": asked_at,
            "asked_by": actor,
            "stage": stage,
            "changed_at": self._store.clock.now(),
            "statement": statement,
        }
        conn.execute(insert(withdrawals).values(**values))
        return str(values["id"])

    def resume(self) -> list[Outcome]:
        """Say again what a restored backup forgot, and finish all that is under way."""
        self._say_again()
        with self._store.read() as conn:
            found = select(withdrawals.c.id).where(withdrawals.c.stage != "done")
            under_way = list(conn.execute(found.order_by(withdrawals.c.id)).scalars())
        return self.carry_on(under_way)

    def carry_on(self, under_way: Sequence[str]) -> list[Outcome]:
        """Carry these out as far as they go, and return where each is; none stops the others."""
        for one in under_way:
            try:
                self.run(one, wait=0)
            except (WithdrawalError, StoreBusyError):  # another process may be at it
                continue
        return [self.outcome(one) for one in under_way]

    def _say_again(self) -> None:
        """Record again each withdrawal that stands outside of the database alone, with its time."""
        for one in self._list.all():
            at = EPOCH + timedelta(microseconds=one.micros)
            mine = (
                withdrawals.c.person == one.person,
                withdrawals.c.purpose == one.purpose,
                withdrawals.c.asked_at == at,
            )
            with self._store.read() as conn:
                if conn.execute(select(withdrawals.c.id).where(*mine)).first():
                    continue
            with self._store.begin() as conn:
                state = self._vault.people.state(one.person, conn)
                number = 0
                if state == "active":
                    number = self._consents.record(
                        conn,
                        person=one.person,
                        purpose=one.purpose,
                        said=Said.WITHDRAW,
                        actor=_RESTORE,
                        method="system",
                    ).statement.number
                if state:
                    self.open(conn, one.person, one.purpose, at, _RESTORE, "listed", number)
            reach("withdraw.said-again")

    def run(self, wanted: str, *, wait: float = 30) -> Outcome:
        """Carry a withdrawal out as far as it goes; call it again to go on.

        Args:
            wanted: Id of the withdrawal.
            wait: Seconds to wait while another process carries it out.

        Raises:
            WithdrawalError: Something could not be removed yet, or a backup not be reached; every
                use is denied all the same.
            ConsentError: There is no such withdrawal.
        """
        steps: dict[str, Callable[[Row[Any]], None]] = {
            "listed": self._tell_outside,
            "planned": self._plan,
            "removed": self._remove,
            "recalled": self._recall,
            "erased": self._erase,
            "scrubbed": self._scrub,
            "done": self._finish,
        }
        with self._store.lock(f"withdrawal-{wanted}", wait=wait):
            while (row := self._row(wanted)).stage != "done":
                following = _NEXT[row.stage]
                if row.purpose != ALL and following in ("erased", "scrubbed"):
                    following = "done"
                if following == "done" or (following == "erased" and self._needed(wanted)):
                    self._hold_back(wanted)
                steps[following](row)
                self._advance(wanted, row.stage, following)
                reach(f"withdraw.{following}")
        return self.outcome(wanted)

    def _row(self, wanted: str) -> Row[Any]:
        with self._store.read() as conn:
            row = conn.execute(select(withdrawals).where(withdrawals.c.id == wanted)).first()
        if row is None:
            raise ConsentError("there is no such withdrawal")
        return row

    def _advance(self, wanted: str, stage: str, following: str) -> None:
        with self._store.begin() as conn:
            mine = (withdrawals.c.id == wanted, withdrawals.c.stage == stage)
            now = self._store.clock.now()
            conn.execute(update(withdrawals).where(*mine).values(stage=following, changed_at=now))

    def _tell_outside(self, row: Row[Any]) -> None:
        said = Withdrawn(person=row.person, micros=to_micros(row.asked_at), purpose=row.purpose)
        self._list.add(said, self._vault.mirrors.all())

    def _plan(self, row: Row[Any]) -> None:
        purpose = "" if row.purpose == ALL else row.purpose
        with self._store.begin() as conn:
            mine = withdrawal_steps.c.withdrawal == row.id
            if conn.execute(select(withdrawal_steps).where(mine).limit(1)).first():
                return
            if row.purpose == RETENTION:
                going = self._retention.over(conn, row.person, row.asked_at)
            else:
                going = self._lineage.to_remove(conn, row.person, purpose)
            planned = [
                {
                    "withdrawal": row.id,
                    "number": number,
                    "kind": one.kind,
                    "object": one.object,
                    "digest": one.digest,
                    "outcome": TO_DO,
                    "after": "",
                    "tries": 0,
                }
                for number, one in enumerate(going, 1)
            ]
            if planned:
                conn.execute(insert(withdrawal_steps), planned)
            reach("withdraw.planned.written")

    def _steps(self, wanted: str) -> list[Row[Any]]:
        with self._store.read() as conn:
            return steps_of(conn, wanted)

    def _remove(self, row: Row[Any]) -> None:
        for step in self._steps(row.id):
            if step.outcome == REMOVED:
                continue
            outcome, after = REMOVED, ""
            try:
                after = self._removers.of(step.kind).remove(row.person, step.object)
            except SafelightError as error:
                outcome, after = FAILED, error.code
            reach("withdraw.artefact.gone")
            with self._store.begin() as conn:
                mine = (
                    withdrawal_steps.c.withdrawal == row.id,
                    withdrawal_steps.c.number == step.number,
                )
                now = self._store.clock.now()
                values = {"outcome": outcome, "after": after, "tries": step.tries + 1}
                conn.execute(update(withdrawal_steps).where(*mine).values(**values, done_at=now))
                if outcome == REMOVED:
                    self._lineage.removed(conn, row.person, step.kind, step.object)
            reach("withdraw.artefact.noted")

    def _needed(self, wanted: str) -> bool:
        """Return whether something that failed still needs the person's key."""
        failed = [step.kind for step in self._steps(wanted) if step.outcome == FAILED]
        return any(self._removers.of(kind).needs_key for kind in failed)

    def _hold_back(self, wanted: str) -> None:
        """Try again what failed; go on only when nothing did.

        Raises:
            WithdrawalError: Something failed again.
        """
        self._remove(self._row(wanted))
        failed = [step.kind for step in self._steps(wanted) if step.outcome == FAILED]
        if failed:
            raise WithdrawalError(
                f"{len(failed)} artefacts could not be removed yet",
                place=", ".join(sorted(set(failed))),
            )

    def _recall(self, row: Row[Any]) -> None:
        mine = withdrawals.c.id == row.id
        with self._store.begin() as conn:
            now = self._store.clock.now()
            if row.purpose == RETENTION:
                handed = self._disclosures.listed(conn, row.person)
                told = self._disclosures.recall_these(conn, held_since(conn, row, handed), now)
                kept = json.dumps({"recalled": told}).encode()
                conn.execute(update(withdrawals).where(mine).values(receipt=kept))
            else:
                purpose = "" if row.purpose == ALL else row.purpose
                self._disclosures.recall(conn, row.person, purpose, now)
            reach("withdraw.recalled.written")

    def _erase(self, row: Row[Any]) -> None:
        missed = self._vault.destroy_key(row.person)
        if missed:
            # The places are in the vault's own list and are tried again at each opening.
            with self._store.begin() as conn:
                facts = json.dumps({"backups_out_of_reach": len(missed)}).encode()
                mine = update(withdrawals).where(withdrawals.c.id == row.id)
                conn.execute(mine.values(receipt=facts))

    def _scrub(self, row: Row[Any]) -> None:
        with self._store.begin() as conn:
            for table in (statements, disclosures, accesses):
                mine = update(table).where(table.c.person == row.person)
                conn.execute(mine.values(sealed=None))
            conn.execute(roles.delete().where(roles.c.person == row.person))
            reach("withdraw.scrubbed.written")

    def _finish(self, row: Row[Any]) -> None:
        with self._store.begin() as conn:
            facts = facts_of(conn, row, self._disclosures.listed(conn, row.person))
            kind = "retention.done" if row.purpose == RETENTION else "withdrawal.done"
            leaf = self._journal.detached(conn, kind, facts)
            kept = {"facts": facts, "leaf": leaf.to_bytes().decode()}
            if row.purpose == RETENTION:
                kept |= {"recalled": json.loads(row.receipt)["recalled"]}
            mine = update(withdrawals).where(withdrawals.c.id == row.id)
            conn.execute(mine.values(receipt=json.dumps(kept).encode()))
            reach("withdraw.done.written")

    def outcome(self, wanted: str) -> Outcome:
        """Return how far a withdrawal is.

        Raises:
            ConsentError: There is no such withdrawal.
        """
        row, steps = self._row(wanted), self._steps(wanted)
        kept = json.loads(row.receipt) if row.receipt else {}
        with self._store.read() as conn:
            handed = self._disclosures.listed(conn, row.person)
        return Outcome(
            id=row.id,
            person=row.person,
            purpose=row.purpose,
            stage=row.stage,
            asked_at=row.asked_at,
            removed=sum(step.outcome == REMOVED for step in steps),
            failed=sum(step.outcome == FAILED for step in steps),
            recalled=len(concerned(row, handed)),
            facts=kept.get("facts", {}),
        )
