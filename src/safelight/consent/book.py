"""The book of consent: policies that were published, what was said, and the answer from both.

``Consents.may`` is the one question that every use asks, at its start and again in the transaction
that commits its result. Writers take turns, so an answer read inside a write transaction holds
until it ends: after a withdrawal is recorded, nothing can be committed on the yes before it.
"""

import json
import re
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import Connection, Row, func, insert, select

from safelight.consent import purposes
from safelight.consent.chain import follow, terms_of
from safelight.consent.decision import (
    Basis,
    Decision,
    Reason,
    Said,
    Statement,
    Terms,
    decide,
    standing,
)
from safelight.consent.diff import Diff, Effect, compare
from safelight.consent.journal import Journal
from safelight.consent.policy import Policy
from safelight.consent.records import METHODS, Recorded
from safelight.errors import ConsentDeniedError, ConsentError, PolicyError
from safelight.store.faults import reach
from safelight.store.schema.consent import policies, statements
from safelight.vault import Vault

__all__ = ["Consents", "actor_code"]

_ACTOR: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:@/-]{0,63}")
_MAX_NOTE: Final = 4_000
_BOX: Final = "consent"


class Consents:
    """Policies, statements and decisions of one store.

    Args:
        vault: An open vault; what identifies is sealed under the person's key.
        journal: Where each event is committed to.
    """

    def __init__(self, vault: Vault, journal: Journal) -> None:
        self._vault = vault
        self._store = vault.store
        self._journal = journal
        self._parsed: dict[str, Policy] = {}
        self._terms: dict[str, dict[str, Terms]] = {}

    # Policies

    def versions(self, conn: Connection, name: str) -> list[Policy]:
        """Return all published versions of a policy, the first one first."""
        found = select(policies.c.hash, policies.c.document).where(policies.c.name == name)
        rows = conn.execute(found.order_by(policies.c.version)).all()
        return [self._policy(row) for row in rows]

    def policy(self, conn: Connection, wanted: str) -> Policy:
        """Return a published policy by its hash, or the newest of a name.

        Raises:
            PolicyError: No such policy was published.
        """
        found = select(policies.c.hash, policies.c.document)
        found = found.where((policies.c.hash == wanted) | (policies.c.name == wanted))
        row = conn.execute(found.order_by(policies.c.version.desc()).limit(1)).first()
        if row is None:
            raise PolicyError(
                "no such policy was published",
                kept="nothing was changed",
                todo="safelight policy show, without a name, lists those there are",
            )
        return self._policy(row)

    def names(self, conn: Connection) -> list[str]:
        """Return the names of all policies."""
        found = select(policies.c.name).distinct().order_by(policies.c.name)
        return list(conn.execute(found).scalars())

    def _policy(self, row: Any) -> Policy:
        if row.hash not in self._parsed:
            made = Policy.from_document(json.loads(row.document))
            if made.hash != row.hash:
                raise PolicyError("a stored policy is not what was published", place=row.hash)
            self._parsed[row.hash] = made
        return self._parsed[row.hash]

    def publish(self, document: Mapping[str, Any], *, actor: str) -> tuple[Policy, Diff | None]:
        """Publish the next version of a policy; return it and what changed.

        Raises:
            PolicyError: It is malformed, does not follow the newest version, or changes nothing.
        """
        with self._store.begin() as conn:
            earlier = self.versions(conn, str(document.get("name", "")))
            head = earlier[-1] if earlier else None
            new = follow(head, document)
            diff = compare(head, new) if head else None
            if diff is not None and diff.effect == Effect.NONE:
                raise PolicyError(
                    "nothing is changed by this document", todo="change it, or leave it out"
                )
            now = self._store.clock.now()
            fields = {"policy": new.hash, "name": new.name, "version": new.version, "by": actor}
            effect = diff.effect if diff else Effect.NONE
            leaf = self._journal.public(conn, "policy.published", fields)
            conn.execute(
                insert(policies).values(
                    hash=new.hash,
                    name=new.name,
                    version=new.version,
                    previous=new.previous,
                    effect=int(effect),
                    document=new.to_json().decode(),
                    published_at=now,
                    published_by=actor_code(actor),
                    entry=leaf.index,
                )
            )
            reach("consent.policy.written")
        reach("consent.policy.published")
        return new, diff

    # Statements

    def record(  # noqa: PLR0913  # the fields of one statement, by name
        self,
        conn: Connection,
        *,
        person: str,
        purpose: str,
        said: Said,
        actor: str,
        policy: str = "",
        at: datetime | None = None,
        until: datetime | None = None,
        basis: Basis = Basis.SELF,
        majority: date | None = None,
        method: str = "command",
        note: str = "",
    ) -> Recorded:
        """Write down what was said, in the caller's write transaction.

        Args:
            conn: A write transaction.
            person: Whose consent it is.
            purpose: Name or code of a purpose; ``*`` for all, in a withdrawal only.
            said: What was said.
            actor: Code of who writes it down.
            policy: Hash of the policy that was seen; needed for a yes.
            at: When a yes was given, if earlier than now. A no takes effect now.
            until: When a yes ends.
            basis: On whose behalf.
            majority: When a minor comes of age; needed where a guardian of a minor says yes.
            method: One of ``METHODS``.
            note: Free words on how it was said; kept under the person's key.

        Raises:
            ConsentError: It contradicts itself, or there is no such person or purpose.
        """
        if self._vault.people.state(person, conn) != "active":
            raise ConsentError(
                "there is no such person, or their data were erased",
                todo="check the code with safelight people",
            )
        now = self._store.clock.now()
        statement = Statement(
            number=0,
            purpose=purpose if purpose == purposes.ALL else purposes.parse(purpose).name,
            said=said,
            policy=policy,
            at=(at or now) if said == Said.GRANT else now,
            until=until if said == Said.GRANT else None,
            basis=basis,
            majority=majority,
        )
        self._check(conn, statement, now)
        if method not in METHODS or len(note) > _MAX_NOTE:
            raise ConsentError("the method is unknown or the note is too long")
        told = _told(statement) | {"person": person, "by": actor_code(actor), "method": method}
        return self._write(conn, statement, told, note, now)

    def _write(
        self,
        conn: Connection,
        said: Statement,
        told: dict[str, Any],
        note: str,
        now: datetime,
    ) -> Recorded:
        """Commit to a checked statement in the log, and add its row."""
        person = told["person"]
        leaf = self._journal.personal(conn, person, f"consent.{said.said}", told)
        private = {
            "majority": said.majority.isoformat() if said.majority else "",
            "note": note,
            "leaf": leaf.to_bytes().decode(),
        }
        sealed = self._vault.seal_small(
            person, _BOX, str(leaf.index), json.dumps(private).encode(), conn
        )
        values = {name: told[name] for name in ("purpose", "said", "policy", "basis", "method")}
        row = conn.execute(
            insert(statements).values(
                **values,
                person=person,
                at=said.at,
                recorded_at=now,
                recorded_by=told["by"],
                until=said.until,
                sealed=sealed,
                entry=leaf.index,
            )
        )
        reach("consent.statement.written")
        return self._recorded(conn, self._row(conn, _number(row)))

    def _check(self, conn: Connection, said: Statement, now: datetime) -> None:
        """Refuse a statement that cannot mean anything.

        Raises:
            ConsentError: It contradicts itself.
        """
        if said.purpose == purposes.ALL and said.said != Said.WITHDRAW:
            raise ConsentError("a purpose is needed", todo="only a withdrawal is about all at once")
        if said.said == Said.GRANT or said.policy:
            seen = self._table(conn, said.policy).get(said.policy)
            if seen is None:
                raise ConsentError("the policy that was seen was never published")
            if said.said == Said.GRANT and said.purpose not in seen.purposes:
                raise ConsentError("the policy that was seen does not ask for this purpose")
        if said.at.tzinfo is None or said.at > now:
            raise ConsentError("a consent is given in the past, at a time with a zone")
        if said.until is not None and (said.until.tzinfo is None or said.until <= said.at):
            raise ConsentError("a consent ends after it was given, at a time with a zone")
        if (said.majority is not None) != (said.basis == Basis.MINOR and said.said == Said.GRANT):
            raise ConsentError(
                "the date on which a minor comes of age goes with a guardian's yes",
                todo="give --minor-until together with --guardian-of minor",
            )
        if said.majority is not None and said.majority <= said.at.date():
            raise ConsentError("the person had come of age when the guardian agreed")

    def history(self, conn: Connection, person: str) -> list[Recorded]:
        """Return all that was said by or for a person, in the order it was recorded."""
        found = select(statements).where(statements.c.person == person)
        rows = conn.execute(found.order_by(statements.c.number)).all()
        return [self._recorded(conn, row) for row in rows]

    def _row(self, conn: Connection, number: int) -> Row[Any]:
        return conn.execute(select(statements).where(statements.c.number == number)).one()

    def private(self, conn: Connection, row: Row[Any]) -> dict[str, str]:
        """Return what is sealed of a statement; empty texts once the person is erased."""
        if row.sealed is None or self._vault.people.state(row.person, conn) != "active":
            return {"majority": "", "note": "", "leaf": ""}
        opened = self._vault.open_small(row.person, _BOX, str(row.entry), row.sealed, conn)
        return dict(json.loads(opened))

    def _recorded(self, conn: Connection, row: Row[Any], *, private: bool = True) -> Recorded:
        """Return a row as a record, with or without what is sealed."""
        sealed = self.private(conn, row) if private else {}
        majority = sealed.get("majority", "")
        return Recorded(
            person=row.person,
            statement=Statement(
                number=row.number,
                purpose=row.purpose,
                said=Said(row.said),
                policy=row.policy,
                at=row.at,
                until=row.until,
                basis=Basis(row.basis),
                majority=date.fromisoformat(majority) if majority else None,
            ),
            recorded_at=row.recorded_at,
            recorded_by=row.recorded_by,
            method=row.method,
            entry=row.entry,
            note=sealed.get("note", ""),
        )

    # Decisions

    def _table(self, conn: Connection, policy: str) -> dict[str, Terms]:
        """Return the terms of all versions of the policy that a hash belongs to."""
        mine = select(policies.c.name).where(policies.c.hash == policy).scalar_subquery()
        found = select(policies.c.name, func.count()).where(policies.c.name == mine)
        row = conn.execute(found.group_by(policies.c.name)).first()
        if row is None:
            return {}
        name, count = row
        if len(self._terms.get(name, {})) != count:
            self._terms[name] = terms_of(self.versions(conn, name))
        return self._terms[name]

    def may(
        self,
        conn: Connection,
        person: str,
        purpose: str,
        policy: str,
        now: datetime | None = None,
    ) -> Decision:
        """Return whether a person's data may be used for a purpose under a policy, now.

        Args:
            conn: Any transaction; a write transaction where the use is committed.
            person: Whose data.
            purpose: Name of the purpose.
            policy: Hash of the policy under which the use takes place.
            now: The moment; without it, the store's clock, which never goes back.
        """
        state = self._vault.people.state(person, conn)
        if state != "active":
            reason = Reason.ERASED if state else Reason.NEVER_ASKED
            return Decision(allowed=False, reason=reason, policy=policy, purpose=purpose)
        rows = conn.execute(select(statements).where(statements.c.person == person)).all()
        about = [row for row in rows if row.purpose in (purpose, purposes.ALL)]
        said = [self._recorded(conn, row, private=False).statement for row in about]
        last = standing(said, purpose)
        if last is not None and last.said == Said.GRANT:
            # Only a yes depends on who is of age; that date is sealed, on whichever purpose it
            # was stated.
            told = [row for row in rows if row in about or row.basis == Basis.MINOR]
            said = [
                self._recorded(conn, row, private=row.basis == Basis.MINOR).statement
                for row in told
            ]
        table = self._table(conn, policy)
        moment = now or self._store.clock.now()
        return decide(said, table.get, purpose=purpose, policy=policy, now=moment)

    def require(self, conn: Connection, person: str, purpose: str, policy: str) -> Decision:
        """Return the decision if it is a yes.

        Raises:
            ConsentDeniedError: It is a no; the message says why.
        """
        decision = self.may(conn, person, purpose, policy)
        if not decision.allowed:
            raise ConsentDeniedError(
                f"this use is not allowed: {decision.reason}", place=f"purpose {purpose}"
            )
        return decision


def _number(done: Any) -> int:
    """Return the number that the database gave to a new row."""
    return int(done.inserted_primary_key[0])


def actor_code(code: str) -> str:
    """Return a code that names whoever acts.

    Raises:
        ConsentError: It has other characters than a code has.
    """
    if not _ACTOR.fullmatch(code):
        raise ConsentError("whoever acts is named by a code of letters, digits and . _ : @ / -")
    return code


def _told(said: Statement) -> dict[str, Any]:
    """Return a statement as it is committed to; when a minor comes of age is not in it."""
    return {
        "purpose": said.purpose,
        "said": str(said.said),
        "policy": said.policy,
        "at": said.at.isoformat(),
        "until": said.until.isoformat() if said.until else "",
        "basis": str(said.basis),
    }
