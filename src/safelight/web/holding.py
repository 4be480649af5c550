"""What is held of a person as "My data" shows it: until when, and what has learnt from it."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from sqlalchemy import Connection, select

from safelight.consent.lineage import Artefact
from safelight.store.schema.learning import heads
from safelight.store.schema.vault import objects
from safelight.web.records import HeldRow

if TYPE_CHECKING:
    from safelight.web.rooms import Rooms

__all__ = ["held", "learned_by", "soon"]

_MOST: Final = 500
_WARNED: Final = timedelta(days=30)  # before something goes by itself
_CONTRIBUTION: Final = "contribution"  # named by its head's id, a slash, and its own


def held(
    rooms: "Rooms", conn: Connection, person: str, policies: Mapping[str, str]
) -> list[HeldRow]:
    """Return what is held of a person, oldest first.

    Args:
        rooms: Of the server.
        conn: A transaction.
        person: Code of the person.
        policies: Names of policies by hash.
    """
    there = _there(rooms, conn, person)
    kept = select(objects.c.kind, objects.c.object, objects.c.keep_until).where(
        objects.c.person == person, objects.c.keep_until.is_not(None)
    )
    until = {(row.kind, row.object): row.keep_until for row in conn.execute(kept)}
    ends = rooms.custody.retention.ends(conn, person)
    learnt = _learnt(rooms, conn, person, there)

    def end(one: Artefact) -> datetime | None:
        known = [until.get((one.kind, one.object)), ends.get(one.id)]
        return min((each for each in known if each is not None), default=None)

    return [
        HeldRow(
            kind=one.kind,
            name=one.object,
            purpose=one.purpose,
            policy=policies.get(one.policy, one.policy),
            made=one.made_at,
            until=end(one),
            learned_by=sorted(learnt.get(one.id, ())),
        )
        for one in there[:_MOST]
    ]


def _there(rooms: "Rooms", conn: Connection, person: str) -> list[Artefact]:
    return [one for one in rooms.custody.lineage.of(conn, person) if one.removed_at is None]


def _learnt(
    rooms: "Rooms", conn: Connection, person: str, there: list[Artefact]
) -> dict[str, set[str]]:
    """Return the names of the heads that each thing taught, itself or by what was made from it."""
    names = {row.id: row.name for row in conn.execute(select(heads.c.id, heads.c.name))}
    edges = rooms.custody.lineage.edges(conn, person)
    found: dict[str, set[str]] = {}
    for one in there:
        if one.kind != _CONTRIBUTION:
            continue
        head = one.object.partition("/")[0]
        above, seen = [one.id], set[str]()
        while above:  # up to the first thing that was handed in
            each = above.pop()
            if each not in seen:
                seen.add(each)
                found.setdefault(each, set()).add(names.get(head, head))
                above += edges.get(each, ())
    return found


def learned_by(rooms: "Rooms", conn: Connection, person: str) -> list[str]:
    """Return the names of the heads that have learnt from a person's data, and still hold it."""
    told = _learnt(rooms, conn, person, _there(rooms, conn, person))
    return sorted(set().union(*told.values()))


def soon(rooms: "Rooms", conn: Connection, person: str) -> datetime | None:
    """Return when the first of a person's data goes by itself, if that is soon."""
    end = min(rooms.custody.retention.ends(conn, person).values(), default=None)
    now = rooms.store.clock.now()
    return end if end is not None and end <= now + _WARNED else None
