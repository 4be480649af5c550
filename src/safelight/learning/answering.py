"""Learnt versions that may be asked: what is in service, with its card, as readers.

A version answers under the name ``READER@VERSION``. Its card went through the gate when it was
measured, and goes through it again here: what it may do follows from the numbers. Whether it is in
service is asked of the database each time, so that a version that somebody has left answers nobody
from then on, in a process that runs as well.
"""

import hashlib
import threading
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from sqlalchemy import Connection, Row, select

from safelight.consent.custody import Custody
from safelight.errors import CorruptedError, SafelightError
from safelight.learning.derive import Served
from safelight.learning.ledger import Ledger
from safelight.learning.ledgers import SERVED
from safelight.learning.versions import Version
from safelight.readers.card import Card
from safelight.readers.linear import LinearReader, Packed
from safelight.readers.site import SiteStatus
from safelight.store.schema.learning import heads, models
from safelight.tlog import Leaf, receipt
from safelight.vault import Vault

__all__ = ["Answering", "Learnt", "in_service"]

HERE: Final = "here"


@dataclass(frozen=True, slots=True, kw_only=True)
class Learnt:
    """The learnt versions in service at one moment.

    Attributes:
        readers: As readers.
        site: For which of them this place is validated, and why not for the others.
        broken: What could not be opened, and why, in sentences.
    """

    readers: tuple[LinearReader, ...]
    site: SiteStatus
    broken: tuple[str, ...] = ()


def in_service(conn: Connection) -> dict[str, str]:
    """Return each learnt version that has a card and is in service, with the head's id.

    Args:
        conn: Any transaction.
    """
    return {name: row.head for name, row in _rows(conn).items()}


def _rows(conn: Connection) -> dict[str, Any]:
    found = select(models.c.head, models.c.version, models.c.entry, heads.c.name)
    found = found.join(heads, heads.c.id == models.c.head).where(models.c.state == "published")
    rows = conn.execute(found.order_by(heads.c.name)).all()
    return {f"{row.name}@{row.version}": row for row in rows}


class Answering:
    """Opens the learnt versions of one store, and each of them once.

    Args:
        custody: Everything about consent in it.
    """

    def __init__(self, custody: Custody) -> None:
        self._custody = custody
        self._lock = threading.Lock()
        self._known: dict[tuple[str, int], tuple[LinearReader | None, str, str]] = {}

    def now(self) -> Learnt:
        """Return what may be asked at this moment."""
        with self._lock, self._custody.store.read() as conn:
            rows = _rows(conn)
            wanted = {(name, row.entry): row for name, row in rows.items()}
            self._known = {key: one for key, one in self._known.items() if key in wanted}
            for key in wanted.keys() - self._known.keys():
                try:
                    self._known[key] = self._open(conn, wanted[key])
                except SafelightError as error:
                    self._known[key] = (None, "", error.what)
            known = dict(self._known)
        readers, reasons, broken = [], {}, []
        for key in sorted(known):
            reader, here, why = known[key]
            if reader is not None:
                readers.append(reader)
                if here:
                    reasons[reader.name] = here
            elif why:
                broken.append(f"{key[0]}: {why}")
        validated = frozenset(one.name for one in readers if one.name not in reasons)
        site = SiteStatus(name=HERE, validated=validated, reasons=reasons)
        return Learnt(readers=tuple(readers), site=site, broken=tuple(broken))

    def _open(self, conn: Connection, named: Any) -> tuple[LinearReader | None, str, str]:
        """Return a version as a reader, why it is not for people here, and why it is none."""
        mine = (models.c.head == named.head, models.c.version == named.version)
        row = conn.execute(select(models).where(*mine)).one()
        version = Version.of(row)
        if not version.card.get("reader"):
            return None, "", ""
        self._check(version)
        reader = opened(conn, self._custody.vault, row)
        return reader, str(version.card["here"]), ""

    def _check(self, version: Version) -> None:
        """Refuse a version that is not the one that was committed to in the log, and signed.

        Raises:
            CorruptedError: It is not.
            ReceiptError: It does not stand in the log.
        """
        log = self._custody.log
        leaf = Leaf.from_bytes(version.card["leaf"].encode())
        told = receipt.verify(receipt.build(log, leaf), log.key).fields
        card = hashlib.sha256(str(version.card["reader"]).encode()).hexdigest()
        if told.get("model") != version.hash or told.get("card") != card:
            raise CorruptedError("a learnt version is not the one that was committed to")
        if version.note and not version.signed(log.key):
            raise CorruptedError("a learnt version is not signed with the log's key")


def opened(conn: Connection, vault: Vault, row: Row[Any]) -> LinearReader:
    """Return the reader of a version's row.

    Raises:
        CorruptedError: Its card speaks of another version.
    """
    version = Version.of(row)
    space = Ledger(vault, conn, row.head).space
    served = Served.from_bytes(vault.open_small(space, SERVED, row.head, row.served, conn))
    card = Card.from_bytes(str(version.card["reader"]).encode())
    scores = served.calibration
    if (
        scores is None
        or card.reader != f"{version.document['head']}@{version.version}"
        or card.head != served.head.digest()
        or card.head != version.document["weights"]
        or card.statistics != version.document["ledger"]
        or card.calibration != scores.digest()
    ):
        raise CorruptedError("the card of this version speaks of another one")
    width = served.head.weights.shape[1]
    nobody = np.zeros((0, width), np.int16)  # no contributor's features leave the vault
    return LinearReader(Packed(card=card, head=served.head, calibration=scores, reference=nobody))
