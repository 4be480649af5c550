"""The ledgers of one store: heads are opened, images contribute, people are taken off again.

Consent is asked before anything is touched, and again in the transaction that commits: writers take
turns, so nobody who has withdrawn by then is in what is committed.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, Final

from sqlalchemy import Connection, Row, delete, insert, select, update

from safelight.consent.custody import Custody
from safelight.consent.decision import Decision
from safelight.errors import CorruptedError, ErasedError, LearningError
from safelight.learning.contributions import (
    Contribution,
    Offer,
    digest_of,
    opened,
    seal,
    sums_of,
)
from safelight.learning.examples import Base, rank_of, role_of
from safelight.learning.ledger import PARTS, Ledger
from safelight.learning.spaces import LOCK, Spaces
from safelight.readers.head import Recipe
from safelight.readers.statistics import Statistics
from safelight.store.faults import reach
from safelight.store.ids import new_id
from safelight.store.schema.learning import contributions, heads, ledgers, models
from safelight.vault import Vault

__all__ = ["PURPOSE", "Added", "HeadOf", "Ledgers", "head_of", "rebuild", "take_back"]

PURPOSE: Final = "train-a-model"
SERVED: Final = "served"
_BATCH: Final = 1024


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class HeadOf:
    """A head that may learn.

    Attributes:
        id: Opaque.
        name: Of the reader it belongs to.
        recipe: How it follows from its ledger.
        base: Its public start.
    """

    id: str
    name: str
    recipe: Recipe
    base: Base


@dataclass(frozen=True, slots=True, kw_only=True)
class Added:
    """What became of offers.

    Attributes:
        ids: Of the contributions that were added.
        known: Images of a person that had contributed already; an image counts once.
        other: Images that had contributed under another label: take those back first.
        refused: People whose consent does not reach, and why.
    """

    ids: tuple[str, ...] = ()
    known: int = 0
    other: int = 0
    refused: dict[str, str] = field(default_factory=dict)


def recipe_text(recipe: Recipe) -> str:
    """Return a recipe as canonical JSON; a fraction is written as text."""
    ridge = "" if recipe.ridge is None else repr(recipe.ridge)
    told = {"equal": recipe.equal, "even": recipe.even, "name": recipe.name, "ridge": ridge}
    return json.dumps(told, sort_keys=True, separators=(",", ":"))


def recipe_from(text: str) -> Recipe:
    """Return the recipe of a text."""
    told = json.loads(text)
    ridge = float(told["ridge"]) if told["ridge"] else None
    return Recipe(name=told["name"], ridge=ridge, equal=told["equal"], even=told["even"])


def head_of(conn: Connection, wanted: str) -> HeadOf:
    """Return a head by its name or id.

    Raises:
        LearningError: There is none.
    """
    found = select(heads).where((heads.c.name == wanted) | (heads.c.id == wanted))
    row = conn.execute(found).first()
    if row is None:
        raise LearningError("there is no such head", todo="see safelight model list")
    return HeadOf(
        id=row.id,
        name=row.name,
        recipe=recipe_from(row.recipe),
        base=Base.from_bytes(row.base),
    )


class Ledgers:
    """The ledgers of one store.

    Args:
        custody: Everything about consent in it.
    """

    def __init__(self, custody: Custody) -> None:
        self._custody = custody
        self._vault = custody.vault
        self._store = custody.store
        self._spaces = Spaces(custody.vault)

    def open(self, name: str, *, base: Base, recipe: Recipe) -> str:
        """Make a head that may learn; return its id. Opening it again gives the same.

        Args:
            name: Of the reader it belongs to.
            base: Its public start; empty is fine.
            recipe: How it follows from its ledger.

        Raises:
            LearningError: There is one of this name with another start or recipe.
        """
        with self._store.lock(LOCK), self._store.begin() as conn:
            row = conn.execute(select(heads).where(heads.c.name == name)).first()
            if row is not None:
                same = (row.recipe, Base.from_bytes(row.base).digest())
                if same != (recipe_text(recipe), base.digest()):
                    raise LearningError(
                        "there is a head of this name with another start or recipe",
                        todo="give the new one a name of its own; people agree to each anew",
                    )
                return str(row.id)
            made = new_id()
            now = self._store.clock.now()
            conn.execute(
                insert(heads).values(
                    id=made,
                    name=name,
                    recipe=recipe_text(recipe),
                    base=base.to_bytes(),
                    made=now,
                )
            )
            space = self._spaces.make(conn)
            sums = base.statistics
            nothing = Statistics.empty(sums.features, sums.classes, sums.width)
            Ledger(self._vault, conn, made).write(
                dict.fromkeys(PARTS, nothing), event="opened", count=0, space=space, at=now
            )
            reach("learning.head.written")
        return made

    def contribute(self, name: str, offers: Sequence[Offer], *, policy: str) -> Added:
        """Add what images teach, for those who agree; the others are named and left out.

        Args:
            name: Of the head.
            offers: One for each image.
            policy: Hash of the policy under which they are used.

        Raises:
            LearningError: There is no such head.
            SettingsError: An offer does not fit it; nothing is added.
        """
        with self._store.read() as conn:
            head = head_of(conn, name)
            sums = head.base.statistics
            for one in offers:
                one.check(sums.classes, sums.width)
            refused = self._refused(conn, {one.person for one in offers}, policy)
        willing = [one for one in offers if one.person not in refused]
        if not willing:
            return Added(refused=refused)
        with self._store.lock(LOCK):
            try:
                with self._store.begin() as conn:
                    added = self._commit(conn, head, willing, policy)
                    reach("learning.contribute.written")
            finally:
                reach("learning.contributed")
        return Added(
            ids=added.ids,
            known=added.known,
            other=added.other,
            refused=refused | added.refused,
        )

    def _refused(self, conn: Connection, people: set[str], policy: str) -> dict[str, str]:
        """Return the people whose consent does not reach, and why."""
        asked = {one: self._custody.consents.may(conn, one, PURPOSE, policy) for one in people}
        return {one: str(said.reason) for one, said in asked.items() if not said.allowed}

    def _commit(
        self, conn: Connection, head: HeadOf, offers: Sequence[Offer], policy: str
    ) -> Added:
        people = sorted({one.person for one in offers})
        said = {one: self._custody.consents.may(conn, one, PURPOSE, policy) for one in people}
        refused = {one: str(said[one].reason) for one in people if not said[one].allowed}
        taken: list[SimpleNamespace] = []
        known = other = 0
        for person in people:
            if person in refused:
                continue
            seen = self._labels(conn, head.id, person)
            space = ""
            made: list[str] = []
            for one in (offer for offer in offers if offer.person == person):
                digest = digest_of(self._vault, conn, one)
                if label := seen.get(digest):
                    known, other = known + (label == one.label), other + (label != one.label)
                    continue
                seen[digest] = one.label
                space = space or self._space(conn, head.id, person, policy)
                row = self._put(conn, head, one, digest, space, said[person])
                made.append(self._record(conn, head, one, row, said[person]))
                taken.append(row)
            if made:
                self._record_model(conn, head, person, made, said[person])
        if taken:
            reach("learning.contribute.put")
            ledger = Ledger(self._vault, conn, head.id)
            more = sums_of(head.base.statistics, list(opened(self._vault, conn, taken)))
            ledger.write(
                {"pending": ledger.read("pending") + more},
                event="added",
                count=len(taken),
                space=ledger.space,
                at=self._store.clock.now(),
            )
        return Added(ids=tuple(row.id for row in taken), known=known, other=other, refused=refused)

    def _labels(self, conn: Connection, head: str, person: str) -> dict[str, str]:
        """Return the labels of a person's images that have contributed, by their digests."""
        mine = (contributions.c.head == head, contributions.c.person == person)
        rows = conn.execute(select(contributions).where(*mine)).all()
        some = opened(self._vault, conn, rows)
        return {row.digest: one.label for row, one in zip(rows, some, strict=True)}

    def _space(self, conn: Connection, head: str, person: str, policy: str) -> str:
        """Return the key that a person's contributions are locked with, made at the first."""
        found = select(contributions.c.space).where(
            contributions.c.head == head,
            contributions.c.person == person,
            contributions.c.policy == policy,
        )
        return conn.execute(found.limit(1)).scalar() or self._spaces.make(conn)

    def _put(
        self,
        conn: Connection,
        head: HeadOf,
        offer: Offer,
        digest: str,
        space: str,
        yes: Decision,
    ) -> SimpleNamespace:
        """Add the row of a contribution, and return its values."""
        name = new_id()
        values = {
            "id": name,
            "head": head.id,
            "person": offer.person,
            "space": space,
            "part": "pending",
            "role": role_of(head.id, offer.person),
            "rank": rank_of(name),
            "account": offer.account,
            "purpose": yes.purpose,
            "policy": yes.policy,
            "digest": digest,
            "sealed": seal(self._vault, conn, offer, name=name, space=space),
            "made": self._store.clock.now(),
        }
        conn.execute(insert(contributions).values(**values))
        return SimpleNamespace(**values)

    def _record(
        self, conn: Connection, head: HeadOf, offer: Offer, row: SimpleNamespace, yes: Decision
    ) -> str:
        return self._custody.lineage.record(
            conn,
            person=offer.person,
            kind="contribution",
            name=f"{head.id}/{row.id}",
            purpose=yes.purpose,
            policy=yes.policy,
            parents=offer.parents,
            digest=f"blake3:{row.digest}",
            decision=yes,
        )

    def _record_model(
        self, conn: Connection, head: HeadOf, person: str, made: Sequence[str], yes: Decision
    ) -> None:
        """Record a person's part in the versions of a head."""
        self._custody.lineage.record(
            conn,
            person=person,
            kind="model",
            name=head.id,
            purpose=yes.purpose,
            policy=yes.policy,
            parents=made,
            decision=yes,
        )


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
