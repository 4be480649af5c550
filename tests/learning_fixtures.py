"""People who contribute, over a real store: what the tests of learning share."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select

import safelight.learning.removal  # noqa: F401  # plugs the removers in, as opening a house does
from consent_fixtures import publish, say
from safelight.consent.custody import Custody
from safelight.learning import publish as publish_room
from safelight.learning.contributions import Offer
from safelight.learning.examples import Base, Examples
from safelight.learning.leakage import Limits
from safelight.learning.ledger import Ledger
from safelight.learning.ledgers import Added, Ledgers
from safelight.learning.publish import Publisher
from safelight.readers.head import Recipe
from safelight.readers.statistics import Statistics
from safelight.store.schema.learning import contributions, heads

WIDTH = 12
CLASSES = ("clear", "opacity")
HEAD = "chest-opacity"
TRAIN = "train-a-model"
RECIPE = Recipe(ridge=30.0)
# What an audit sees and stops has tests of its own, with all its canaries; here it runs each time,
# briefly, and its chance decides nothing.
publish_room.FULL = publish_room.BRIEF = (48, 48)
publish_room.LIMITS = Limits(members=1.0, after=1.0)  # type: ignore[attr-defined]  # of a test


def images(count: int, seed: int, *, width: int = WIDTH) -> tuple[NDArray[np.int16], list[str]]:
    """Return features of two classes that differ, and their labels."""
    chance = np.random.default_rng(seed)
    truth = chance.random(count) < 0.5
    rows = chance.normal(0, 300, (count, width))
    rows[:, : width // 3] += np.where(truth, 250, -250)[:, None]
    labels = [CLASSES[int(one)] for one in truth]
    return np.clip(np.round(rows), -2047, 2047).astype(np.int16), labels


def base(count: int = 60, *, width: int = WIDTH) -> Base:
    """Return a public start: some rows learnt from, some for calibration."""
    rows, labels = images(count, 1, width=width)
    some, told = images(40, 2, width=width)
    names = [f"public-{one}" for one in range(len(told))]
    return Base(
        statistics=Statistics.empty("test-1", CLASSES, width).of(rows, labels),
        examples=Examples.of(names, names, told, some),
    )


class Room:
    """A head, its people, and what they gave."""

    def __init__(self, custody: Custody, *, start: Base | None = None) -> None:
        self.custody = custody
        self.store = custody.store
        self.policy = publish(custody)
        self.ledgers = Ledgers(custody)
        self.start = start or base()
        self.head = self.ledgers.open(HEAD, base=self.start, recipe=RECIPE)
        self.publisher = Publisher(custody.vault, custody.log)

    def person(self, *purposes: str) -> str:
        """Make a person who agrees."""
        made = self.custody.vault.create_person()
        for purpose in purposes or (TRAIN,):
            say(self.custody, made, purpose, policy=self.policy)
        return made

    def give(self, person: str, count: int, seed: int, **more: Any) -> Added:
        """Let a person contribute images."""
        return self.ledgers.contribute(
            HEAD, offers(person, count, seed, **more), policy=self.policy
        )

    def filled(self, people: int, each: int = 7) -> list[str]:
        """Return people who each contributed images."""
        made = [self.person() for _ in range(people)]
        everything = [
            one
            for number, person in enumerate(made)
            for one in offers(person, each, 100 + number, account=f"doctor:{number % 3}")
        ]
        assert len(self.ledgers.contribute(HEAD, everything, policy=self.policy).ids) == (
            people * each
        )
        return made

    def sums(self, part: str) -> Statistics:
        """Return what lies in the ledger."""
        with self.store.read() as conn:
            return Ledger(self.custody.vault, conn, self.head).read(part)

    def given(self, *, but: Sequence[str] = ()) -> list[Any]:
        """Return the rows of contributions."""
        with self.store.read() as conn:
            found = select(contributions).where(contributions.c.person.not_in(but))
            return list(conn.execute(found).all())

    def name(self) -> str:
        """Return the head's id, read anew."""
        with self.store.read() as conn:
            return str(conn.execute(select(heads.c.id)).scalar())

    def withdraw(self, person: str, purpose: str = TRAIN) -> dict[str, Any]:
        """Take consent back, and return what the receipt states."""
        withdrawals = self.custody.withdrawals
        done = withdrawals.run(withdrawals.start(person, purpose, actor="person:1"))
        assert done.stage == "done"
        return done.facts


def offers(
    person: str, count: int, seed: int, *, account: str = "doctor:1", flip: bool = False
) -> list[Offer]:
    """Return what a person's images may teach."""
    rows, labels = images(count, seed)
    if flip:
        labels = [CLASSES[1 - CLASSES.index(one)] for one in labels]
    return [
        Offer(person=person, label=label, features=row, account=account)
        for row, label in zip(rows, labels, strict=True)
    ]
