"""Lineage: what was made from a person, from what, and for which purpose."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, Row, insert, select, update

from safelight.consent.book import Consents
from safelight.consent.decision import Decision
from safelight.consent.purposes import parse
from safelight.consent.removers import Removers
from safelight.errors import ConsentError
from safelight.store import Store
from safelight.store.ids import new_id
from safelight.store.schema.consent import artefact_parents, artefacts

__all__ = ["Artefact", "Lineage", "New"]

_NAME: Final = re.compile(r"[A-Za-z0-9._:/-]{1,128}")
_AT_ONCE: Final = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Artefact:
    """One thing made from one person; what is made from many has one for each.

    Attributes:
        id: Opaque.
        person: Code of the person.
        kind: Its class: ``original``, ``deidentified``, ``feature``, ``head`` …
        object: Its name in its own room, opaque.
        purpose: What it was made for.
        policy: Hash of the policy it was made under.
        digest: What a receipt may show of it before; empty for none.
        made_at: When.
        removed_at: When it was removed; None while it is there.
    """

    id: str
    person: str
    kind: str
    object: str
    purpose: str
    policy: str
    digest: str
    made_at: datetime
    removed_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class New:
    """An artefact that was made just now.

    Attributes:
        name: In its own room, opaque.
        digest: What a receipt may show of it; empty for none.
        parents: Ids of the artefacts it is made from.
    """

    name: str
    digest: str = ""
    parents: tuple[str, ...] = ()


class Lineage:
    """The lineage graph of one store.

    Args:
        store: An open store.
        consents: Answers whether an artefact may be made.
        removers: Know how to remove each class.

    Raises:
        RemoverMissingError: A class is in use that nothing removes.
    """

    def __init__(self, store: Store, consents: Consents, removers: Removers) -> None:
        self._store = store
        self._consents = consents
        self._removers = removers
        with store.read() as conn:
            there = select(artefacts.c.kind).where(artefacts.c.removed_at.is_(None)).distinct()
            removers.check(frozenset(conn.execute(there).scalars()))

    def record(  # noqa: PLR0913  # the fields of one artefact, by name
        self,
        conn: Connection,
        *,
        person: str,
        kind: str,
        name: str,
        purpose: str,
        policy: str,
        parents: Sequence[str] = (),
        digest: str = "",
        decision: Decision | None = None,
    ) -> str:
        """Record an artefact in the write transaction that commits it; ask for consent there.

        Recording the same artefact again gives the same id.

        Args:
            conn: The write transaction.
            person: Code of the person.
            kind: Class of the artefact.
            name: Its name in its own room, opaque, at most 128 letters, digits and ``._:/-``.
            purpose: What it is made for.
            policy: Hash of the policy it is made under.
            parents: Ids of the artefacts it is made from.
            digest: What a receipt may show of it; salted, never of identifying bytes alone.
            decision: A yes that was asked for in this transaction; else consent is asked for.

        Raises:
            ConsentDeniedError: The person does not, or no longer, agree; roll back.
            RemoverMissingError: Nothing removes this class.
            ConsentError: A parent is another person's or gone, or the name is not opaque.
        """
        self._removers.of(kind)
        purpose = parse(purpose).name
        given = (decision.purpose, decision.policy) if decision and decision.allowed else None
        if given != (purpose, policy):
            self._consents.require(conn, person, purpose, policy)
        if not _NAME.fullmatch(name) or (digest and not _NAME.fullmatch(digest)):
            raise ConsentError("an artefact is named by an opaque code")
        above = set(parents)
        alive = select(artefacts.c.id).where(
            artefacts.c.id.in_(above),
            artefacts.c.person == person,
            artefacts.c.removed_at.is_(None),
        )
        if above - set(conn.execute(alive).scalars()):
            raise ConsentError("an artefact is made from what is another's, or gone")
        values = {
            "purpose": purpose,
            "policy": policy,
            "digest": digest,
            "made_at": self._store.clock.now(),
            "removed_at": None,
        }
        made = self._put(conn, {"person": person, "kind": kind, "object": name}, values)
        known = select(artefact_parents.c.parent).where(artefact_parents.c.child == made)
        self._edge(conn, {(made, one) for one in above - set(conn.execute(known).scalars())})
        return made

    def record_new(
        self, conn: Connection, made: Sequence[New], *, decision: Decision, person: str, kind: str
    ) -> list[str]:
        """Record artefacts that were made just now, many at once; return their ids in order.

        As ``record`` one by one, for names that were never recorded before.

        Args:
            conn: The write transaction.
            made: One for each artefact.
            decision: A yes that was asked for in this transaction: purpose and policy are its own.
            person: Code of the person.
            kind: Class of the artefacts.

        Raises:
            ConsentDeniedError: The decision is a no.
            RemoverMissingError: Nothing removes this class.
            ConsentError: A parent is another person's or gone, or a name is not opaque.
        """
        self._removers.of(kind)
        if not decision.allowed:
            self._consents.require(conn, person, decision.purpose, decision.policy)
        if not all(_NAME.fullmatch(text) for one in made for text in (one.name, one.digest or "-")):
            raise ConsentError("an artefact is named by an opaque code")
        above = sorted({parent for one in made for parent in one.parents})
        alive: set[str] = set()
        for some in _portions(above):
            found = select(artefacts.c.id).where(
                artefacts.c.id.in_(some),
                artefacts.c.person == person,
                artefacts.c.removed_at.is_(None),
            )
            alive.update(conn.execute(found).scalars())
        if set(above) - alive:
            raise ConsentError("an artefact is made from what is another's, or gone")
        now = self._store.clock.now()
        rows = [
            {
                "id": new_id(),
                "person": person,
                "kind": kind,
                "object": one.name,
                "purpose": parse(decision.purpose).name,
                "policy": decision.policy,
                "digest": one.digest,
                "made_at": now,
                "removed_at": None,
            }
            for one in made
        ]
        if rows:
            conn.execute(insert(artefacts), rows)
        ids = [str(row["id"]) for row in rows]
        pairs = zip(ids, made, strict=True)
        self._edge(conn, {(child, up) for child, one in pairs for up in one.parents})
        return ids

    @staticmethod
    def _edge(conn: Connection, edges: set[tuple[str, str]]) -> None:
        """Note of which artefacts others are made: child and parent."""
        if edges:
            rows = [{"child": child, "parent": parent} for child, parent in sorted(edges)]
            conn.execute(insert(artefact_parents), rows)

    @staticmethod
    def _put(conn: Connection, named: dict[str, str], values: dict[str, Any]) -> str:
        """Add the row of an artefact, or bring back one that was removed; return its id."""
        mine = [artefacts.c[name] == value for name, value in named.items()]
        row = conn.execute(select(artefacts).where(*mine)).first()
        if row is None:
            made = new_id()
            conn.execute(insert(artefacts).values(id=made, **named, **values))
            return made
        if row.removed_at is not None:
            conn.execute(update(artefacts).where(artefacts.c.id == row.id).values(**values))
        return str(row.id)

    def of(self, conn: Connection, person: str) -> list[Artefact]:
        """Return all artefacts of a person, the removed ones too, oldest first."""
        found = select(artefacts).where(artefacts.c.person == person)
        rows = conn.execute(found.order_by(artefacts.c.made_at, artefacts.c.id)).all()
        return [_artefact(row) for row in rows]

    def to_remove(self, conn: Connection, person: str, purpose: str = "") -> list[Artefact]:
        """Return what a withdrawal has to remove, children before their parents.

        Args:
            conn: A transaction that sees the withdrawal.
            person: Code of the person.
            purpose: The purpose withdrawn; empty for all. What was made for it goes, and of what
                was made from that in turn, all that has no consent of its own.
        """
        there = [one for one in self.of(conn, person) if one.removed_at is None]
        if not purpose:
            return list(reversed(there))
        going = {one.id for one in there if one.purpose == purpose}
        return self.with_children(conn, person, there, going)

    def with_children(
        self, conn: Connection, person: str, there: Sequence[Artefact], going: set[str]
    ) -> list[Artefact]:
        """Return artefacts, and what was made from them without consent of its own.

        Args:
            conn: A transaction.
            person: Code of the person.
            there: All artefacts of the person that are there, oldest first.
            going: Ids of those that go.

        Returns:
            Children before their parents.
        """
        going = set(going)
        edges = self.edges(conn, person)
        found = True
        while found:  # until nothing more was made from what goes
            found = False
            for one in there:
                if one.id not in going and edges.get(one.id, set()) & going:
                    own = self._consents.may(conn, person, one.purpose, one.policy)
                    if not own.allowed:
                        going.add(one.id)
                        found = True
        return [one for one in reversed(there) if one.id in going]

    def edges(self, conn: Connection, person: str) -> dict[str, set[str]]:
        """Return the parents of each artefact of a person."""
        found = select(artefact_parents.c.child, artefact_parents.c.parent)
        found = found.join(artefacts, artefacts.c.id == artefact_parents.c.child)
        edges: dict[str, set[str]] = {}
        for child, parent in conn.execute(found.where(artefacts.c.person == person)).all():
            edges.setdefault(child, set()).add(parent)
        return edges

    def removed(self, conn: Connection, person: str, kind: str, name: str) -> None:
        """Note that an artefact is gone."""
        mine = (artefacts.c.person == person, artefacts.c.kind == kind, artefacts.c.object == name)
        change = update(artefacts).where(*mine, artefacts.c.removed_at.is_(None))
        conn.execute(change.values(removed_at=self._store.clock.now()))


def _portions(names: Sequence[str]) -> Iterator[Sequence[str]]:
    """Yield names, as many at a time as one question takes."""
    for start in range(0, len(names), _AT_ONCE):
        yield names[start : start + _AT_ONCE]


def _artefact(row: Row[Any]) -> Artefact:
    return Artefact(**{name: getattr(row, name) for name in Artefact.__slots__})
