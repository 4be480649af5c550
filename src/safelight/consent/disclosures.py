"""Disclosures: every handing-out of somebody's data, and what became of it after a withdrawal.

The fields are those of the accounting that 45 CFR 164.528(b)(2) asks for: date, recipient with
address, what was disclosed, and what for. Free words on what exactly are kept under the person's
key; class, number and digest outlive an erasure, so that recipients can still be told.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, Row, insert, select, update

from safelight.consent.book import Consents, actor_code
from safelight.consent.journal import Journal
from safelight.consent.policy import ANY
from safelight.consent.purposes import parse
from safelight.errors import ConsentDeniedError, ConsentError
from safelight.store.ids import new_id
from safelight.store.schema.consent import disclosures, recipients
from safelight.vault import Vault

__all__ = ["ANSWERS", "Disclosure", "Disclosures"]

_BOX: Final = "disclosure"
_MAX_NAME: Final = 200
_MAX_ADDRESS: Final = 500
_MAX_WHAT: Final = 2_000
NONE: Final = ""  # nothing was asked of the recipient yet
TO_TELL: Final = "to tell"
TOLD: Final = "told"
ANSWERS: Final = ("deleted", "refused", "unreachable")


@dataclass(frozen=True, slots=True, kw_only=True)
class Disclosure:
    """One handing-out.

    Attributes:
        id: Opaque.
        person: Code of the person.
        at: When.
        recipient: Name of the organisation.
        address: Its address.
        contact: How to reach it.
        kind: Class of what was handed out.
        count: How many objects.
        what: Brief description; empty once the person is erased.
        digest: Of what was handed out; empty for none.
        purpose: What for.
        policy: Hash of the policy it was under.
        made_by: Code of who handed it out.
        answer: Empty, ``to tell``, ``told``, or the recipient's answer, one of ``ANSWERS``.
        told_at: When the recipient was told of a withdrawal.
        due_at: When the recipient must have deleted it.
        entry: Index in the transparency log.
    """

    id: str
    person: str
    at: datetime
    recipient: str
    address: str
    contact: str
    kind: str
    count: int
    what: str
    digest: str
    purpose: str
    policy: str
    made_by: str
    answer: str
    told_at: datetime | None
    due_at: datetime | None
    entry: int


class Disclosures:
    """The disclosures of one store.

    Args:
        vault: An open vault.
        journal: Where each handing-out is committed to.
        consents: Answers whether data may be handed out.
    """

    def __init__(self, vault: Vault, journal: Journal, consents: Consents) -> None:
        self._vault = vault
        self._store = vault.store
        self._journal = journal
        self._consents = consents

    def recipient(self, conn: Connection, name: str, *, address: str, contact: str) -> str:
        """Note an organisation that data may be handed to, or its new address; return its id.

        Raises:
            ConsentError: A field is missing or too long.
        """
        for text, most in ((name, _MAX_NAME), (address, _MAX_ADDRESS), (contact, _MAX_NAME)):
            if not text.strip() or len(text) > most:
                raise ConsentError("a recipient has a name, an address and a contact")
        row = conn.execute(select(recipients.c.id).where(recipients.c.name == name)).first()
        values = {"address": address, "contact": contact}
        if row is not None:
            conn.execute(update(recipients).where(recipients.c.id == row.id).values(**values))
            return str(row.id)
        made = new_id()
        conn.execute(insert(recipients).values(id=made, name=name, **values))
        return made

    def record(  # noqa: PLR0913  # the fields that the accounting asks for, by name
        self,
        conn: Connection,
        *,
        person: str,
        recipient: str,
        kind: str,
        count: int,
        what: str,
        purpose: str,
        policy: str,
        actor: str,
        digest: str = "",
    ) -> Disclosure:
        """Record a handing-out in the write transaction that decides on it, before it happens.

        Args:
            conn: The write transaction.
            person: Code of the person.
            recipient: Name of the organisation, as ``recipient`` noted it.
            kind: Class of what is handed out.
            count: How many objects.
            what: Brief description, in words.
            purpose: What for.
            policy: Hash of the policy it is under.
            actor: Code of who hands it out.
            digest: Of what is handed out.

        Raises:
            ConsentDeniedError: The person does not agree, or the policy does not name the
                recipient.
            ConsentError: The recipient was not noted, or a field is missing.
        """
        purpose = parse(purpose).name
        self._consents.require(conn, person, purpose, policy)
        if not {ANY, recipient} & self._named(conn, purpose, policy):
            raise ConsentDeniedError("the policy does not name this recipient")
        row = conn.execute(select(recipients.c.id).where(recipients.c.name == recipient)).first()
        if row is None:
            raise ConsentError("the recipient is not known", todo="note its address first")
        if count < 1 or not what.strip() or len(what) > _MAX_WHAT:
            raise ConsentError("a disclosure says what was handed out, and how much")
        made = new_id()
        told = {
            "id": made,
            "person": person,
            "recipient": row.id,
            "kind": kind,
            "count": count,
            "digest": digest,
            "purpose": purpose,
            "policy": policy,
            "made_by": actor_code(actor),
        }
        leaf = self._journal.personal(conn, person, "disclosed", told)
        sealed = self._vault.seal_small(person, _BOX, made, what.encode(), conn)
        more = {"at": self._store.clock.now(), "sealed": sealed, "answer": NONE}
        conn.execute(insert(disclosures).values(**told, **more, entry=leaf.index))
        return next(one for one in self.listed(conn, person) if one.id == made)

    def _named(self, conn: Connection, purpose: str, policy: str) -> frozenset[str]:
        """Return whom a policy lets receive data for a purpose."""
        agreed = self._consents.policy(conn, policy)
        return agreed.third_party_ai if purpose == "third-party-model" else agreed.recipients

    def listed(self, conn: Connection, person: str = "") -> list[Disclosure]:
        """Return disclosures, oldest first: of one person, or all."""
        found = select(disclosures, recipients.c.name, recipients.c.address, recipients.c.contact)
        found = found.join(recipients, recipients.c.id == disclosures.c.recipient)
        if person:
            found = found.where(disclosures.c.person == person)
        rows = conn.execute(found.order_by(disclosures.c.at, disclosures.c.id)).all()
        return [self._disclosure(conn, row) for row in rows]

    def _disclosure(self, conn: Connection, row: Row[Any]) -> Disclosure:
        what = ""
        if row.sealed and self._vault.people.state(row.person, conn) == "active":
            opened = self._vault.open_small(row.person, _BOX, row.id, row.sealed, conn)
            what = opened.decode()
        same = set(Disclosure.__slots__) - {"recipient", "what"}
        fields = {name: getattr(row, name) for name in same}
        return Disclosure(**fields, recipient=row.name, what=what)

    def recall(self, conn: Connection, person: str, purpose: str, now: datetime) -> int:
        """Mark what recipients must be told after a withdrawal; return how many disclosures.

        Args:
            conn: A write transaction.
            person: Code of the person.
            purpose: The purpose withdrawn; empty for all.
            now: The moment; recipients have the policy's days of grace from here.
        """
        asked = [one for one in self.listed(conn, person) if purpose in ("", one.purpose)]
        return len(self.recall_these(conn, asked, now))

    def recall_these(
        self, conn: Connection, chosen: Iterable[Disclosure], now: datetime
    ) -> list[str]:
        """Mark disclosures that recipients must be told of; return the ids of those not yet so."""
        marked = []
        for one in chosen:
            if one.answer == NONE:
                days = self._consents.policy(conn, one.policy).grace_days
                due = now + timedelta(days=days) if days is not None else None
                change = update(disclosures).where(disclosures.c.id == one.id)
                conn.execute(change.values(answer=TO_TELL, due_at=due))
                marked.append(one.id)
        return marked

    def told(self, conn: Connection, wanted: str, answer: str = TOLD) -> None:
        """Note that a recipient was told of a withdrawal, or what it answered.

        Raises:
            ConsentError: There is no such disclosure, or nothing was asked of its recipient.
        """
        if answer not in (TOLD, *ANSWERS):
            raise ConsentError("an answer is one of: told, " + ", ".join(ANSWERS))
        now = self._store.clock.now()
        mine = (disclosures.c.id == wanted, disclosures.c.answer != NONE)
        values: dict[str, Any] = {"answer": answer}
        values |= {"told_at": now} if answer == TOLD else {"answered_at": now}
        if not conn.execute(update(disclosures).where(*mine).values(**values)).rowcount:
            raise ConsentError("there is no disclosure of that id that a recipient must be told of")
        self._journal.detached(conn, "recipient.told", {"disclosure": wanted, "answer": answer})

    def pending(self, conn: Connection) -> list[Disclosure]:
        """Return disclosures whose recipients must still be told, or have not answered yet."""
        return [one for one in self.listed(conn) if one.answer in (TO_TELL, TOLD)]
