"""Commitments in the log, sealed values, and the scoreboard's own log of what it noticed."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, func, insert, select

from safelight.consent.custody import Custody
from safelight.consent.journal import PUBLIC_SALT
from safelight.store.schema.feedback import events

__all__ = ["Event", "Notes"]

_FLOOD: Final = "flood"


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One line of the scoreboard's log.

    Attributes:
        number: Of the line.
        at: When it was noticed.
        kind: ``flood``, ``against-confirmed``, ``turned``, ``drift``, ``calibration``, ``state``.
        reader: About which reader; empty where it is about an account alone.
        version: Of the reader.
        who: Code of the account or the site; empty where it is about a reader alone.
        level: How often by then, in steps of doubling; of floods the day, of drift the month.
        detail: Counts and figures; nothing of one person.
        entry: Index in the transparency log.
    """

    number: int
    at: datetime
    kind: str
    reader: str
    version: str
    who: str
    level: int
    detail: dict[str, Any]
    entry: int


class Notes:
    """Writes lines that stay.

    Args:
        custody: The vault and the log.
    """

    def __init__(self, custody: Custody) -> None:
        self._vault = custody.vault
        self._store = custody.store
        self._log = custody.log

    def commit(
        self, conn: Connection, person: str, kind: str, fields: Mapping[str, Any]
    ) -> tuple[int, str]:
        """Commit to an event of one person; return its index and what opens it, to be sealed."""
        leaf = self._log.commit_to(conn, kind, fields, self._vault.salt(person, conn))
        return leaf.index, leaf.to_bytes().decode()

    def seal(
        self, conn: Connection, person: str, kind: str, name: str, value: Mapping[str, Any]
    ) -> bytes:
        """Return a value sealed under the person's key."""
        return self._vault.seal_small(person, kind, name, json.dumps(value).encode(), conn)

    def publish(self, conn: Connection, kind: str, fields: Mapping[str, Any]) -> int:
        """Commit to an event that anyone may know; return its index."""
        return self._log.commit_to(conn, kind, fields, PUBLIC_SALT).index

    def write(  # the fields of one line, by name
        self,
        conn: Connection,
        kind: str,
        *,
        reader: str = "",
        version: str = "",
        who: str = "",
        level: int = 0,
        detail: Mapping[str, Any] | None = None,
    ) -> bool:
        """Write a line of the scoreboard's log, once for each level; return whether it was new.

        A flood's levels are its days, so that whoever floods cannot flood this log as well.
        """
        now = self._store.clock.now()
        if kind == _FLOOD:
            level = now.toordinal()
        named = {"kind": kind, "reader": reader, "version": version, "who": who}
        mine = [events.c[name] == value for name, value in named.items()]
        found = select(func.count()).select_from(events).where(*mine, events.c.level == level)
        if conn.execute(found).scalar_one():
            return False
        told = json.dumps(dict(detail or {}), sort_keys=True)
        entry = self.publish(conn, f"scoreboard.{kind}", named | {"level": level, "detail": told})
        conn.execute(insert(events).values(**named, level=level, at=now, detail=told, entry=entry))
        return True

    def listed(self, conn: Connection, *, limit: int = 1_000) -> list[Event]:
        """Return the scoreboard's log, the newest line first."""
        found = select(events).order_by(events.c.number.desc()).limit(limit)
        rows = conn.execute(found).all()
        named = [name for name in Event.__slots__ if name != "detail"]
        return [
            Event(**{name: getattr(row, name) for name in named}, detail=json.loads(row.detail))
            for row in rows
        ]
