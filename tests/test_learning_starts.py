"""Heads of bundled readers begin with the rows that their readers were made from, to the bit."""

from dataclasses import replace

import numpy as np
import pytest
from sqlalchemy import select

import safelight.learning.removal  # noqa: F401  # plugs the removers in, as opening a house does
from consent_fixtures import Maker, open_custody, publish, say
from safelight.errors import SettingsError, UnreadableInputError
from safelight.learning.contributions import Offer
from safelight.learning.ledger import Ledger
from safelight.learning.ledgers import Ledgers, head_of, recipe_from, recipe_text
from safelight.learning.starts import RECIPE, open_bundled
from safelight.learning.verify import verify
from safelight.readers.head import Recipe, solve
from safelight.readers.registry import registry
from safelight.readers.starts import FILES, start_of
from safelight.store.schema.learning import contributions

OPEN = "chest-opacity"


@pytest.fixture
def database() -> str:
    """Name SQLite alone: what a start is does not depend on the database."""
    return "sqlite"


@pytest.mark.parametrize("name", FILES)
def test_what_is_shipped_is_what_the_card_names(name: str) -> None:
    card = registry().named(name).card
    sums = start_of(card)
    assert sums.digest() == card.statistics
    assert sums.counts.min() > 20


def test_a_bundled_head_follows_from_its_start() -> None:
    card = registry().named(OPEN).card
    assert solve(start_of(card), RECIPE).digest() == card.head


def test_a_start_that_is_not_the_cards_is_refused() -> None:
    card = registry().named(OPEN).card
    with pytest.raises(UnreadableInputError, match="names"):
        start_of(replace(card, statistics="0" * 64))
    with pytest.raises(SettingsError, match="no public start"):
        start_of(replace(card, reader="mammogram-lesion"))


def test_a_bundled_head_opens_once_and_adds_up_what_is_contributed(make_store: Maker) -> None:
    custody = open_custody(make_store())
    policy = publish(custody)
    assert open_bundled(custody, OPEN)
    assert not open_bundled(custody, OPEN)
    assert not open_bundled(custody, "nobody")
    chance = np.random.default_rng(11)
    given = []
    for number in range(3):
        person = str(custody.vault.create_person())
        say(custody, person, "train-a-model", policy=policy)
        row = np.round(chance.normal(0, 100, 1024)).astype(np.int16)
        told = ("not", "with")[number % 2]
        given.append(Offer(person=person, label=told, features=row, account="desk:1"))
    assert len(Ledgers(custody).contribute(OPEN, given, policy=policy).ids) == len(given)
    assert verify(custody, OPEN).problems == ()
    with custody.store.read() as conn:
        head = head_of(conn, OPEN)
        pending = Ledger(custody.vault, conn, head.id).read("pending")
        learnt = set(
            conn.execute(
                select(contributions.c.person).where(contributions.c.role == "learn")
            ).scalars()
        )
    assert head.recipe == RECIPE
    base = head.base.statistics
    mine = [one for one in given if one.person in learnt]
    whole = base.add([one.features for one in mine], [one.label for one in mine]) if mine else base
    assert (base + pending).digest() == whole.digest()
    assert base.digest() == registry().named(OPEN).card.statistics


def test_a_recipe_is_kept_whole() -> None:
    for recipe in (Recipe(), Recipe(ridge=0.5, equal=False, even=True, name="other")):
        assert recipe_from(recipe_text(recipe)) == recipe
