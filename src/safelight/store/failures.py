"""What a database or a storage says when it fails, in words that a person can read.

Drivers put values into their messages; only the kind of failure is taken over here.
"""

import errno
from typing import Final

from sqlalchemy.exc import DBAPIError, OperationalError, SQLAlchemyError

from safelight.errors import StoreBusyError, StoreError, StoreFullError

__all__ = ["from_database", "from_system"]

_FULL: Final = frozenset({"53100", "53200", "54000"})  # SQLSTATE: disk full, out of memory, limit
_BUSY: Final = frozenset({"55P03", "40P01", "40001", "57014", "53300"})
_GONE: Final = frozenset({"57P01", "57P02", "57P03", "08000", "08003", "08006"})
_NO_ROOM: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


def from_database(error: SQLAlchemyError) -> StoreError:
    """Return the error that stands for a failure of the database."""
    state = _state(error)
    text = str(getattr(error, "orig", "")).lower()
    if state in _FULL or "disk is full" in text:
        return StoreFullError("the database has no room left")
    if state in _BUSY or "is locked" in text:
        return StoreBusyError("the database is held by another process")
    gone = isinstance(error, DBAPIError) and error.connection_invalidated
    if gone or state in _GONE or "network error" in text or "can't create a connection" in text:
        return StoreError(
            "the database cannot be reached",
            todo="check that it runs and that its address is right, then try again",
        )
    if "malformed" in text or "not a database" in text:
        return StoreError("the database file is damaged", todo="restore a backup")
    if "readonly" in text or "unable to open" in text or "disk i/o" in text:
        return StoreError(
            "the database file cannot be read or written", todo="check its folder and its disk"
        )
    kind = type(error).__name__ if not state else f"{type(error).__name__} {state}"
    known = "failed" if isinstance(error, OperationalError) else "refused a step"
    return StoreError(f"the database {known} ({kind})")


def _state(error: SQLAlchemyError) -> str:
    """Return the SQLSTATE that PostgreSQL gave; empty when it gave none."""
    original = getattr(error, "orig", None)
    told = original.args[0] if original is not None and original.args else None
    return str(told.get("C", "")) if isinstance(told, dict) else ""


def from_system(error: OSError, what: str) -> StoreError:
    """Return the error for a failed call on a file; ``what`` names it without its path."""
    if error.errno in _NO_ROOM:
        return StoreFullError(f"there is no room left for {what}")
    return StoreError(f"{what} cannot be written ({error.strerror or 'unknown reason'})")
