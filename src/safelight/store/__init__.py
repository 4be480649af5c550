"""One place for what must outlive a process: a database, an object store, a clock, locks.

SQLite and a local folder by default; PostgreSQL and an S3-compatible store by URL.
"""

from safelight.store.objects import Objects
from safelight.store.store import Store

__all__ = ["Objects", "Store"]
