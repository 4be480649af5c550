"""Training again from what remains, and comparing hashes: what anyone with the data can do."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Row, select

from safelight.consent.custody import Custody
from safelight.errors import CorruptedError, ErasedError, SafelightError
from safelight.learning.contributions import Contribution, examples_of, opened, sums_of
from safelight.learning.derive import SAMPLE, Served, derive
from safelight.learning.examples import Examples, role_of
from safelight.learning.ledger import PARTS, Ledger, check_chain
from safelight.learning.ledgers import SERVED, HeadOf, head_of
from safelight.learning.totals import with_totals
from safelight.learning.versions import Version, document_of, newest
from safelight.readers.statistics import Statistics
from safelight.store.schema.learning import contributions, models
from safelight.tlog import Leaf, receipt
from safelight.vault import Vault

__all__ = ["Again", "Retrained", "retrain", "serve", "verify"]

BATCH: Final = 1024


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Retrained:
    """What training again gave, beside what is in service.

    Attributes:
        name: Of the head.
        version: In service; 0 for none.
        ledger: Hash of the ledger as it was published; empty for none.
        again: Hash of the ledger that was trained again from what remains.
        rows: Contributions that were read.
        problems: What does not agree; empty when everything does.
        notes: What differs and may: last bits of weights on another processor.
    """

    name: str
    version: int
    ledger: str
    again: str
    rows: int
    problems: tuple[str, ...]
    notes: tuple[str, ...] = ()


@dataclass(slots=True)
class Again:
    """Sums and samples as they grow."""

    parts: dict[str, Statistics]
    tested: Examples
    known: Examples
    people: set[str]
    rows: int = 0
    strays: int = 0

    def take(self, head: HeadOf, some: list[Contribution]) -> None:
        """Add some contributions, in any order and number."""
        self.rows += len(some)
        self.strays += sum(one.role != role_of(head.id, one.person) for one in some)
        for part in PARTS:
            self.parts[part] += sums_of(self.parts[part], [o for o in some if o.part == part])
        mine = [one for one in some if one.part == "published"]
        self.people.update(one.person for one in mine)
        width = self.tested.features.shape[1]
        tested = examples_of([one for one in mine if one.role == "calibrate"], width)
        known = examples_of([one for one in mine if one.role == "learn"], width)
        self.tested = self.tested.with_(tested, SAMPLE)
        self.known = self.known.with_(known, SAMPLE)


def retrain(conn: Connection, vault: Vault, head: HeadOf, *, batch: int = BATCH) -> Again:
    """Return sums and samples made from the contributions alone.

    Args:
        conn: A transaction.
        vault: An open vault.
        head: The head.
        batch: Rows at a time; the result does not depend on it.

    Raises:
        CorruptedError: A contribution is not what was written.
        ErasedError: The people of one were erased, and a backup brought it back.
    """
    sums = head.base.statistics
    nothing = Statistics.empty(sums.features, sums.classes, sums.width)
    made = Again(
        parts=dict.fromkeys(PARTS, nothing),
        tested=Examples.none(sums.width),
        known=Examples.none(sums.width),
        people=set(),
    )
    for rows in _batches(conn, head.id, batch):
        made.take(head, list(opened(vault, conn, rows)))
    return made


def _batches(conn: Connection, head: str, batch: int) -> Iterator[list[Row[Any]]]:
    mine = contributions.c.head == head
    order = (contributions.c.person, contributions.c.id)
    after = ("", "")
    while True:
        beyond = (order[0] > after[0]) | ((order[0] == after[0]) & (order[1] > after[1]))
        found = select(contributions).where(mine, beyond).order_by(*order).limit(batch)
        rows = list(conn.execute(found).all())
        if not rows:
            return
        yield rows
        after = (rows[-1].person, rows[-1].id)


def serve(conn: Connection, vault: Vault, name: str) -> tuple[Version, Served] | None:
    """Return the version of a head that is in service; None when there is none.

    Raises:
        LearningError: There is no such head.
        CorruptedError: It is not what was written.
    """
    head = head_of(conn, name)
    mine = (models.c.head == head.id, models.c.state == "published")
    row = conn.execute(select(models).where(*mine)).first()
    if row is None or row.served is None:
        return None
    space = Ledger(vault, conn, head.id).space
    data = vault.open_small(space, SERVED, head.id, row.served, conn)
    return Version.of(row), Served.from_bytes(data)


def verify(custody: Custody, name: str, *, batch: int = BATCH) -> Retrained:
    """Train a head again from what remains, and compare all that can be compared.

    Args:
        custody: Everything about consent in one store.
        name: Of the head.
        batch: Rows at a time.

    Raises:
        LearningError: There is no such head.
    """
    problems: list[str] = []
    notes: list[str] = []
    with custody.store.read() as conn:
        head = with_totals(conn, custody.vault, head_of(conn, name))
        found = newest(conn, head.id)
        try:
            check_chain(conn, head.id)
        except SafelightError as error:
            problems.append(str(error))
        try:
            again = retrain(conn, custody.vault, head, batch=batch)
        except (CorruptedError, ErasedError) as error:
            problems.append(str(error))
            return _told(head, found, "", 0, problems, notes)
        if again.strays:
            problems.append("rows stand in another role than their people were drawn for")
        problems += _ledger_problems(conn, custody.vault, head, again)
        now = serve(conn, custody.vault, name)
    ledger = (head.base.statistics + again.parts["published"]).digest()
    if now is not None:
        more, told = _version_problems(custody, head, again, now)
        problems, notes = problems + more, notes + told
    elif found is not None:
        problems.append("the newest version is void and has no successor yet")
    return _told(head, found, ledger, again.rows, problems, notes)


def _told(
    head: HeadOf,
    found: Version | None,
    again: str,
    rows: int,
    problems: list[str],
    notes: list[str],
) -> Retrained:
    return Retrained(
        name=head.name,
        version=found.version if found else 0,
        ledger=str(found.document["ledger"]) if found else "",
        again=again,
        rows=rows,
        problems=tuple(problems),
        notes=tuple(notes),
    )


def _ledger_problems(conn: Connection, vault: Vault, head: HeadOf, again: Again) -> list[str]:
    ledger = Ledger(vault, conn, head.id)
    problems = []
    for part in PARTS:
        try:
            if ledger.read(part).digest() != again.parts[part].digest():
                problems.append(f"the {part} sums are not those of the contributions")
        except (CorruptedError, ErasedError) as error:
            problems.append(f"the {part} sums cannot be read: {error}")
    return problems


def _version_problems(
    custody: Custody, head: HeadOf, again: Again, now: tuple[Version, Served]
) -> tuple[list[str], list[str]]:
    version, served = now
    sums = again.parts["published"]
    notes = []
    if version.card.get("noise"):
        differ = []
        notes.append("noise was drawn for this version: what it was made from cannot be made again")
    else:
        made = derive(head.base, sums, again.tested, again.known, head.recipe)
        due = document_of(head, sums, made, people=len(again.people))
        names = due.keys() | version.document.keys()
        differ = sorted(key for key in names if due.get(key) != version.document.get(key))
    if differ == ["weights"]:
        differ = []
        notes.append("weights differ in their last bits: they were solved on another processor")
    problems = [f"training again gives another {key}" for key in differ]
    if served.head.digest() != version.document["weights"]:
        problems.append("what is served is not what was published")
    if not version.signed(custody.log.key):
        problems.append("the version is not signed with the log's key")
    leaf = Leaf.from_bytes(version.card["leaf"].encode())
    try:
        told = receipt.verify(receipt.build(custody.log, leaf), custody.log.key)
        if told.fields["model"] != version.hash:
            problems.append("the log's entry is about another version")
        card = hashlib.sha256(version.card.get("reader", "").encode()).hexdigest()
        if "card" in told.fields and told.fields["card"] != card:
            problems.append("the version's card is not the one that was committed to")
    except SafelightError as error:
        problems.append(f"the version is not in the log: {error}")
    return problems, notes
