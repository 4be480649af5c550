"""Taking contributions off a head, and making a ledger again from those that can be read."""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import Connection, Row, delete, select, update

from safelight.errors import CorruptedError, ErasedError
from safelight.learning.contributions import Contribution, opened, sums_of
from safelight.learning.ledger import PARTS, Ledger
from safelight.learning.ledgers import SERVED, head_of
from safelight.learning.spaces import Spaces
from safelight.readers.statistics import Statistics
from safelight.store.schema.learning import contributions, ledgers, models
from safelight.vault import Vault

__all__ = ["rebuild", "take_back"]

_BATCH: Final = 1024


def take_back(conn: Connection, vault: Vault, head: str, rows: Sequence[Row[Any]]) -> None:
    """Take contributions off a head in the caller's write transaction; hold the room's lock.

    The sums are locked with a new key; ``Spaces.sweep`` then destroys the old one. A published
    version that has learnt from a row is void from here on.

    Args:
        conn: A write transaction.
        vault: An open vault.
        head: Id of the head.
        rows: Rows of the contributions.
    """
    ledger = Ledger(vault, conn, head)
    spaces = Spaces(vault)
    going = {row.id for row in rows}
    try:
        parts = {part: ledger.read(part) for part in PARTS}
        served = _served(conn, vault, head, ledger.space)
        for part in PARTS:
            some = list(opened(vault, conn, [row for row in rows if row.part == part]))
            parts[part] -= sums_of(parts[part], some)
    except (CorruptedError, ErasedError):
        conn.execute(delete(contributions).where(contributions.c.id.in_(going)))
        rebuild(conn, vault, head)
        return
    space = spaces.make(conn)
    now = vault.store.clock.now()
    ledger.write(parts, event="removed", count=len(rows), space=space, at=now)
    conn.execute(delete(contributions).where(contributions.c.id.in_(going)))
    mine = (models.c.head == head, models.c.state == "published")
    if any(row.part == "published" for row in rows):
        conn.execute(update(models).where(*mine).values(state="void", served=None))
    elif served:
        sealed = vault.seal_small(space, SERVED, head, served, conn)
        conn.execute(update(models).where(*mine).values(served=sealed))


def _served(conn: Connection, vault: Vault, head: str, space: str) -> bytes:
    """Return the version in service, opened; empty when there is none."""
    mine = (models.c.head == head, models.c.state == "published")
    sealed = conn.execute(select(models.c.served).where(*mine)).scalar()
    return vault.open_small(space, SERVED, head, sealed, conn) if sealed else b""


def rebuild(conn: Connection, vault: Vault, head: str) -> int:
    """Make a ledger again from the contributions that can be read; drop the others.

    Returns:
        How many rows could not be read: their people were erased, and a backup brought them back.
    """
    found = select(contributions).where(contributions.c.head == head)
    sums = head_of(conn, head).base.statistics
    parts = dict.fromkeys(PARTS, Statistics.empty(sums.features, sums.classes, sums.width))
    lost: list[str] = []
    batch: list[Contribution] = []
    for row in conn.execute(found.order_by(contributions.c.person)).all():
        try:
            batch += opened(vault, conn, [row])
        except (CorruptedError, ErasedError):
            lost.append(row.id)
        if len(batch) >= _BATCH:
            parts = _piled(parts, batch)
            batch = []
    parts = _piled(parts, batch)
    if lost:
        conn.execute(delete(contributions).where(contributions.c.id.in_(lost)))
    conn.execute(delete(ledgers).where(ledgers.c.head == head))
    ledger = Ledger(vault, conn, head)
    space = Spaces(vault).make(conn)
    now = vault.store.clock.now()
    ledger.write(parts, event="rebuilt", count=len(lost), space=space, at=now)
    mine = (models.c.head == head, models.c.state == "published")
    conn.execute(update(models).where(*mine).values(state="void", served=None))
    return len(lost)


def _piled(parts: dict[str, Statistics], some: Sequence[Contribution]) -> dict[str, Statistics]:
    """Return parts with contributions added, each to its own."""
    return {
        part: sums + sums_of(sums, [one for one in some if one.part == part])
        for part, sums in parts.items()
    }
