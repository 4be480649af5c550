"""Which vault this is: a database and the objects beside it know each other by an id.

The id comes from the first master key that the database was ever locked with and the moment of it:
it is in the database since that was made, in each of its snapshots, and in no other database, and
a rotation leaves it as it is. Beside the objects and shares it lies in an object of its own. A
database that is another one, or new, is noticed before anything is changed.
"""

import hashlib
from typing import Final

from sqlalchemy import Connection, select

from safelight.errors import StoreError
from safelight.store import Store
from safelight.store.objects import MissingError
from safelight.store.schema.base import to_micros
from safelight.store.schema.vault import masters, people

__all__ = ["KEY", "SHARES", "id_of", "mark", "recognise"]

KEY: Final = "vault/id"
SHARES: Final = "shares"
_AT_ONCE: Final = 500
_KEPT: Final = "nothing was changed; the objects and the key shares are as they were"
_TODO: Final = (
    "put the database back that belongs to these objects, or give its address, or theirs"
    " (--data, --database, --objects)"
)


def id_of(conn: Connection) -> str:
    """Return the id of the vault whose database this is; empty before its first master key."""
    first = select(masters.c.fingerprint, masters.c.made)
    row = conn.execute(first.order_by(masters.c.made, masters.c.fingerprint).limit(1)).first()
    if row is None:
        return ""
    told = f"safelight/vault/v1\n{row.fingerprint}\n{to_micros(row.made)}\n"
    return hashlib.sha256(told.encode()).hexdigest()[:32]


def recognise(store: Store) -> bool:
    """Check that database and objects are of one vault; tell whether both know its id now.

    A vault that was made before ids lay beside objects gets its own once its database knows the
    people whose shares are there.

    Raises:
        StoreError: They are not of one vault. Nothing was changed.
    """
    beside = _beside(store)  # first: what lies there, its database knew before
    shared = bool(beside) or next(iter(store.objects.list(SHARES)), None) is not None
    with store.read() as conn:
        mine = id_of(conn)
        if mine and mine == beside:
            return True
        if not mine and shared:
            raise StoreError(
                "the database knows nobody, while key shares of people lie among the objects",
                kept=_KEPT,
                todo=f"{_TODO}; a restore that was interrupted, give again",
            )
        if beside:
            raise StoreError(
                f"database and objects are of different vaults (the objects are of {beside},"
                f" the database is of {mine})",
                kept=_KEPT,
                todo=_TODO,
            )
        if mine:
            _check_acquainted(store, conn, shared=shared)
    if mine:
        mark(store)
    return bool(mine)


def mark(store: Store) -> None:
    """Write the vault's id beside its objects."""
    with store.read() as conn:
        mine = id_of(conn)
    store.objects.put(KEY, [mine.encode() + b"\n"])


def _beside(store: Store) -> str:
    try:
        return b"".join(store.objects.get(KEY)).decode("ascii", "replace").strip()
    except MissingError:
        return ""


def _check_acquainted(store: Store, conn: Connection, *, shared: bool) -> None:
    """Refuse objects without an id that are, as far as can be seen, not this database's.

    Raises:
        StoreError: None of the shares is of a person it knows, or it knows people and there are
            no shares at all.
    """
    if not shared:
        if conn.execute(select(people.c.id).where(people.c.state == "active").limit(1)).first():
            raise StoreError(
                "the database knows people, and none of their key shares lies among the objects",
                kept=_KEPT,
                todo="mount the objects or put them back, or give their address (--objects);"
                " if they are lost, run safelight restore with a backup, into a new data folder",
            )
        return
    some: list[str] = []
    for key, _ in store.objects.list(SHARES):
        some.append(key.rpartition("/")[2])
        if len(some) >= _AT_ONCE:
            if _known(conn, some):
                return
            some = []
    if not _known(conn, some):
        raise StoreError(
            "the database knows none of the people whose key shares lie among the objects",
            kept=_KEPT,
            todo=_TODO,
        )


def _known(conn: Connection, some: list[str]) -> bool:
    found = select(people.c.id).where(people.c.id.in_(some)).limit(1)
    return conn.execute(found).first() is not None
