"""The ledgers of one store: heads are opened, images contribute, people are taken off again.

Consent is asked before anything is touched, and again in the transaction that commits: writers take
turns, so nobody who has withdrawn by then is in what is committed.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from sqlalchemy import Connection, insert, select

from safelight.consent.custody import Custody
from safelight.consent.decision import Decision
from safelight.consent.lineage import New
from safelight.errors import LearningError
from safelight.learning.contributions import (
    Offer,
    digest_of,
    opened,
    seal,
)
from safelight.learning.examples import Base, rank_of, role_of
from safelight.learning.ledger import PARTS, Ledger
from safelight.learning.spaces import LOCK, Spaces
from safelight.readers.head import Recipe
from safelight.readers.statistics import Statistics
from safelight.store.faults import reach
from safelight.store.ids import new_id
from safelight.store.schema.learning import contributions, heads

__all__ = ["PURPOSE", "SERVED", "Added", "HeadOf", "Ledgers", "head_of"]

PURPOSE: Final = "train-a-model"
SERVED: Final = "served"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class HeadOf:
    """A head that may learn.

    Attributes:
        id: Opaque.
        name: Of the reader it belongs to.
        recipe: How it follows from its ledger.
        base: What it begins with: its public start, and totals of other sites once they are in it.
        public: Digest of the public start alone; empty while that is all.
        totals: What totals are in the base: source, round, rows, digest.
    """

    id: str
    name: str
    recipe: Recipe
    base: Base
    public: str = ""
    totals: tuple[Mapping[str, Any], ...] = ()


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
        by_person: dict[str, list[Offer]] = {}
        for one in offers:
            by_person.setdefault(one.person, []).append(one)
        taken: list[tuple[Offer, dict[str, Any]]] = []
        known = other = 0
        for person in people:
            if person in refused:
                continue
            seen = self._labels(conn, head.id, person)
            new: dict[str, Offer] = {}
            for one in by_person[person]:
                digest = digest_of(self._vault, conn, one)
                if label := seen.get(digest):
                    known, other = known + (label == one.label), other + (label != one.label)
                    continue
                seen[digest] = one.label
                new[digest] = one
            if new:
                taken += self._put(conn, head, new, policy, said[person])
        if taken:
            reach("learning.contribute.put")
            ledger = Ledger(self._vault, conn, head.id)
            learnt = [one for one, row in taken if row["role"] == "learn"]
            ledger.write(
                {"pending": ledger.read("pending") + _sums(head.base.statistics, learnt)},
                event="added",
                count=len(taken),
                space=ledger.space,
                at=self._store.clock.now(),
            )
        ids = tuple(str(row["id"]) for _, row in taken)
        return Added(ids=ids, known=known, other=other, refused=refused)

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
        self, conn: Connection, head: HeadOf, new: dict[str, Offer], policy: str, yes: Decision
    ) -> list[tuple[Offer, dict[str, Any]]]:
        """Add the rows of one person's contributions, by digest, and what they are made from."""
        now = self._store.clock.now()
        person = next(iter(new.values())).person
        space = self._space(conn, head.id, person, policy)
        role = role_of(head.id, person)
        made = []
        for digest, offer in new.items():
            name = new_id()
            row = {
                "id": name,
                "head": head.id,
                "person": person,
                "space": space,
                "part": "pending",
                "role": role,
                "rank": rank_of(name),
                "account": offer.account,
                "purpose": yes.purpose,
                "policy": yes.policy,
                "digest": digest,
                "sealed": seal(self._vault, conn, offer, name=name, space=space),
                "made": now,
            }
            made.append((offer, row))
        conn.execute(insert(contributions), [row for _, row in made])
        lineage = self._custody.lineage
        told = [
            New(
                name=f"{head.id}/{row['id']}",
                digest=f"blake3:{row['digest']}",
                parents=offer.parents,
            )
            for offer, row in made
        ]
        ids = lineage.record_new(conn, told, decision=yes, person=person, kind="contribution")
        lineage.record(  # a person's part in the versions of a head
            conn,
            person=person,
            kind="model",
            name=head.id,
            purpose=yes.purpose,
            policy=yes.policy,
            parents=ids,
            decision=yes,
        )
        return made


def _sums(like: Statistics, some: Sequence[Offer]) -> Statistics:
    """Return the sums of offers that are learnt from."""
    nothing = Statistics.empty(like.features, like.classes, like.width)
    if not some:
        return nothing
    rows = np.stack([np.asarray(one.features, dtype=np.int16) for one in some])
    return nothing.of(rows, [one.label for one in some], [one.weight for one in some])
