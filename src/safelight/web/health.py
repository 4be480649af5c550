"""Whether the system is well: what a probe asks, and what a steward reads."""

import os
import shutil
from typing import TYPE_CHECKING, Final

from sqlalchemy import func, select

from safelight.errors import SafelightError
from safelight.store.schema.consent import withdrawals
from safelight.store.schema.submissions import items, submissions
from safelight.store.schema.web import parcels
from safelight.web.records import HealthRow

if TYPE_CHECKING:
    from safelight.web.rooms import Rooms

__all__ = ["counts_of", "health_of", "ready"]

_LEAST_FREE: Final = 1 << 30
_LATE: Final = 5.0
_STUCK: Final = "they cannot start: look at the preset, the project key and the log"


def counts_of(rooms: "Rooms") -> dict[str, int]:
    """Return how much waits, by kind."""
    with rooms.store.read() as conn:

        def count(table: object, *where: object) -> int:
            found = select(func.count()).select_from(table).where(*where)  # type: ignore[arg-type]  # a table and clauses
            return int(conn.execute(found).scalar_one())

        return {
            "parcels": count(parcels, parcels.c.state == "sent"),
            "submissions": count(submissions, submissions.c.state.in_(("waiting", "working"))),
            "review": count(items, items.c.state == "review"),
            "quarantine": count(items, items.c.state == "quarantine"),
            "withdrawals": count(withdrawals, withdrawals.c.stage != "done"),
        }


def ready(rooms: "Rooms") -> list[HealthRow]:
    """Return the checks that decide whether requests are answered."""
    told = []
    try:
        with rooms.store.begin() as conn:
            conn.execute(select(1))
        told.append(HealthRow(name="database", ok=True, told=rooms.store.dialect))
    except SafelightError as error:
        told.append(HealthRow(name="database", ok=False, told=error.what))
    told.append(_room(rooms))
    if rooms.workers_stuck():
        told.append(HealthRow(name="workers", ok=False, told=_STUCK))
    return told


def _room(rooms: "Rooms") -> HealthRow:
    place = rooms.store.objects.folder or rooms.store.home
    free = shutil.disk_usage(place).free if os.path.isdir(place) else 0
    return HealthRow(name="room", ok=free >= _LEAST_FREE, told=f"{free >> 20} MiB free")


def health_of(rooms: "Rooms") -> list[HealthRow]:
    """Return all checks."""
    told = ready(rooms)
    behind = rooms.store.clock.behind()
    told.append(HealthRow(name="clock", ok=behind < _LATE, told=f"{behind:.0f} s behind"))
    if not rooms.workers_stuck():
        workers = rooms.workers_alive()
        told.append(HealthRow(name="workers", ok=workers > 0, told=f"{workers} at work"))
    damaged = len(rooms.vault.shelf.corrupted())
    told.append(HealthRow(name="objects", ok=not damaged, told=f"{damaged} damaged"))
    return told
