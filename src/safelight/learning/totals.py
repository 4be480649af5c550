"""Sums of other sites in a head: beside the public start and the people here, never mixed in.

One source, such as a federation of hospitals, has one total in a head. When somebody leaves at a
site, the next round is without them; its total replaces the old one, whose key is destroyed, and a
version that learnt from the old one is void. What is left is to the bit a head that only ever saw
the new one.
"""

from dataclasses import replace
from typing import Any, Final

from sqlalchemy import Connection, delete, insert, select, update

from safelight.consent.custody import Custody
from safelight.consent.journal import PUBLIC_SALT
from safelight.errors import CorruptedError, ErasedError, FederationError
from safelight.learning.federated.record import Record
from safelight.learning.ledger import Ledger
from safelight.learning.ledgers import HeadOf, head_of
from safelight.learning.spaces import LOCK, Spaces
from safelight.readers.statistics import Statistics
from safelight.store.faults import reach
from safelight.store.schema.learning import models, totals
from safelight.tlog.note import VerifierKey
from safelight.vault import Vault

__all__ = ["Totals", "with_totals"]

_KIND: Final = "total"
_MOST_NAME: Final = 64


def with_totals(conn: Connection, vault: Vault, head: HeadOf) -> HeadOf:
    """Return a head that begins with its public start and the totals of other sites.

    A total whose key was destroyed came back with an old backup: it was replaced, and is not used.

    Raises:
        CorruptedError: One is not what was written.
    """
    found = select(totals).where(totals.c.head == head.id).order_by(totals.c.source)
    sums, told = head.base.statistics, []
    for row in conn.execute(found).all():
        try:
            data = vault.open_small(row.space, _KIND, f"{row.head}/{row.source}", row.sealed, conn)
        except ErasedError:
            continue
        one = Statistics.from_bytes(data)
        if one.digest() != row.digest:
            raise CorruptedError("a total of other sites is not what was taken in")
        sums = sums + one
        told.append(
            {"digest": row.digest, "round": row.round, "rows": row.rows, "source": row.source}
        )
    if not told:
        return head
    public = head.base.digest()
    base = replace(head.base, statistics=sums)
    return replace(head, base=base, public=public, totals=tuple(told))


class Totals:
    """Takes totals of other sites into the heads of one store.

    Args:
        custody: Everything about consent in it.
    """

    def __init__(self, custody: Custody) -> None:
        self._vault = custody.vault
        self._store = custody.store
        self._log = custody.log

    def take(
        self,
        name: str,
        source: str,
        total: Statistics,
        record: Record,
        *,
        signer: VerifierKey | None = None,
    ) -> int:
        """Put a total in a head, in the place of the one its source gave before.

        Call ``Publisher.successor`` after it: a version that learnt from the old one is void.

        Args:
            name: Of the head.
            source: Who adds up; one total is kept for each.
            total: The sum of the sites.
            record: Of its round.
            signer: Key of who added up; this house's own log unless given.

        Returns:
            Index of the entry in the transparency log.

        Raises:
            FederationError: Record and total do not belong together or to this head, or the round
                was taken in already.
        """
        if not source or len(source) > _MOST_NAME:
            raise FederationError(f"a source has a name of at most {_MOST_NAME} letters")
        record.check(signer=signer or self._log.key)
        if total.digest() != record.digest:
            raise FederationError("this total is not the one that the record is of")
        with self._store.lock(LOCK):
            with self._store.begin() as conn:
                head = head_of(conn, name)
                _fits(head, total, record)
                entry = self._put(conn, head, source, (total, record))
                reach("learning.total.written")
            Spaces(self._vault).sweep()
        return entry

    def _put(
        self, conn: Connection, head: HeadOf, source: str, made: tuple[Statistics, Record]
    ) -> int:
        total, record = made
        mine = (totals.c.head == head.id, totals.c.source == source)
        before = conn.execute(select(totals.c.round, totals.c.digest).where(*mine)).first()
        if before is not None and before.round == record.plan.round:
            raise FederationError("the total of this round was taken in already")
        rows = int(total.counts.sum())
        fields = {
            "head": head.name,
            "source": source,
            "round": record.plan.round,
            "plan": record.plan.digest,
            "sites": sorted(record.shares),
            "digest": record.digest,
            "before": before.digest if before is not None else "",
            "rows": rows,
        }
        leaf = self._log.commit_to(conn, "federated.taken-in", fields, PUBLIC_SALT)
        space = Spaces(self._vault).make(conn)
        place = f"{head.id}/{source}"
        values = {
            "round": record.plan.round,
            "space": space,
            "digest": record.digest,
            "rows": rows,
            "record": record.to_bytes().decode(),
            "sealed": self._vault.seal_small(space, _KIND, place, total.to_bytes(), conn),
            "entry": leaf.index,
            "made": self._store.clock.now(),
        }
        conn.execute(delete(totals).where(*mine))
        conn.execute(insert(totals).values(head=head.id, source=source, **values))
        self._changed(conn, head, "total", rows)
        return int(leaf.index)

    def drop(self, name: str, source: str) -> None:
        """Take a source's total off a head; call ``Publisher.successor`` after it.

        Raises:
            FederationError: There is none of this source.
        """
        with self._store.lock(LOCK):
            with self._store.begin() as conn:
                head = head_of(conn, name)
                mine = (totals.c.head == head.id, totals.c.source == source)
                row = conn.execute(select(totals).where(*mine)).first()
                if row is None:
                    raise FederationError("this head has no total of this source")
                fields = {"head": head.name, "source": source, "before": row.digest}
                self._log.commit_to(conn, "federated.dropped", fields, PUBLIC_SALT)
                conn.execute(delete(totals).where(*mine))
                self._changed(conn, head, "dropped", row._mapping["rows"])  # noqa: SLF001  # rows have a method of this name
            Spaces(self._vault).sweep()

    def _changed(self, conn: Connection, head: HeadOf, event: str, rows: int) -> None:
        """Add the link that says so, and take the version that learnt otherwise out of service."""
        ledger = Ledger(self._vault, conn, head.id)
        now = self._store.clock.now()
        ledger.write({}, event=event, count=rows, space=ledger.space, at=now)
        mine = (models.c.head == head.id, models.c.state == "published")
        conn.execute(update(models).where(*mine).values(state="void", served=None))


def _fits(head: HeadOf, total: Statistics, record: Record) -> None:
    form = head.base.statistics
    same: list[tuple[Any, Any]] = [
        (record.plan.head, head.name),
        (total.features, form.features),
        (total.classes, form.classes),
        (total.width, form.width),
    ]
    if any(mine != theirs for mine, theirs in same):
        raise FederationError("this total is of another head, or of another form")
