"""The clock of a store: UTC, and never earlier than what a committed transaction has seen.

When the system's clock is set back, the store's clock stands (one microsecond a call) until the
system has caught up: an expired consent does not come back to life, and times in the log only grow.
"""

import threading
import time
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection, bindparam, select, update

from safelight.store.schema.base import EPOCH, clock

__all__ = ["Clock"]

# Built once: these two run in every transaction.
_HIGH: Final = select(clock.c.high).where(clock.c.id == 1)
_KEEP: Final = update(clock).where(clock.c.id == 1).values(high=bindparam("mark"))


class Clock:
    """Tells the time; its high-water mark is a row of the database."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._mark = 0  # of this process
        self._kept = 0  # as last seen in the database

    def micros(self) -> int:
        """Return microseconds since 1970, strictly later than at any call before."""
        with self._lock:
            self._mark = max(time.time_ns() // 1000, self._mark + 1)
            return self._mark

    def now(self) -> datetime:
        """Return the present moment, in UTC, with microseconds."""
        return EPOCH + timedelta(microseconds=self.micros())

    def behind(self) -> float:
        """Return by how many seconds the system's clock is behind this one; 0 is normal."""
        return max(0.0, (self._mark - time.time_ns() // 1000) / 1e6)

    def learn(self, conn: Connection) -> None:
        """Take over what others have seen; at the start of a transaction."""
        high = conn.execute(_HIGH).scalar_one()
        with self._lock:
            self._kept = high
            self._mark = max(self._mark, high)

    def keep(self, conn: Connection) -> None:
        """Store the mark, if the time was asked since; at the end of a transaction."""
        if self._mark > self._kept:
            conn.execute(_KEEP, {"mark": self._mark})
