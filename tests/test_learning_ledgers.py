"""Contributions in and out of a ledger, on both databases, and what is left of those who go."""

import numpy as np
import pytest
from sqlalchemy import func, select

from consent_fixtures import Maker, keep, open_custody, say
from learning_fixtures import CLASSES, HEAD, RECIPE, TRAIN, Room, base, images, offers
from safelight.errors import LearningError, SettingsError
from safelight.learning.contributions import Offer, opened, sums_of
from safelight.learning.examples import role_of
from safelight.learning.ledger import check_chain
from safelight.learning.versions import newest
from safelight.readers.statistics import Statistics
from safelight.store.schema.consent import artefacts
from safelight.store.schema.learning import contributions, models
from safelight.store.schema.vault import people
from safelight.vault.people import ROOM


@pytest.fixture
def room(make_store: Maker) -> Room:
    return Room(open_custody(make_store()))


def expected(room: Room, *gone: str) -> Statistics:
    """Return the sums of those who are there, made from nothing."""
    with room.store.read() as conn:
        rows = sorted(room.given(but=gone), key=lambda row: row.person)
        return sums_of(room.start.statistics, list(opened(room.custody.vault, conn, rows)))


def test_contributing_adds_exactly_what_was_given(room: Room) -> None:
    room.filled(12)
    assert room.sums("pending").digest() == expected(room).digest()
    assert room.sums("published").counts.sum() == 0
    assert len({(row.person, row.role) for row in room.given()}) == 12  # one role a person


def test_one_person_in_five_is_tested_on() -> None:
    drawn = [role_of("head", f"person-{number}") for number in range(2000)]
    assert 0.17 < drawn.count("calibrate") / len(drawn) < 0.23


def test_only_those_who_agree_contribute(room: Room) -> None:
    willing, silent, gone = room.person(), room.custody.vault.create_person(), room.person()
    say(room.custody, gone, TRAIN, "withdraw")
    some = [*offers(willing, 2, 1), *offers(silent, 2, 2), *offers(gone, 2, 3)]
    added = room.ledgers.contribute(HEAD, some, policy=room.policy)
    assert len(added.ids) == 2
    assert added.refused == {silent: "nothing was said", gone: "withdrawn"}
    assert {row.person for row in room.given()} == {willing}


def test_an_image_counts_once(room: Room) -> None:
    person = room.person()
    assert len(room.give(person, 4, 7).ids) == 4
    again = room.give(person, 4, 7)
    assert (again.ids, again.known, again.other) == ((), 4, 0)
    flipped = room.give(person, 4, 7, flip=True)
    assert (flipped.ids, flipped.other) == ((), 4)
    twice = offers(person, 1, 8) * 2
    assert room.ledgers.contribute(HEAD, twice, policy=room.policy).known == 1


@pytest.mark.parametrize(
    "bad",
    [
        {"label": "else"},
        {"weight": 0},
        {"weight": 1025},
        {"account": ""},
        {"features": np.zeros(5, np.int16)},
        {"features": np.full(12, 2048, np.int16)},
        {"features": np.full(12, 0.5)},
    ],
    ids=["label", "light", "heavy", "nobody", "narrow", "large", "fractions"],
)
def test_what_does_not_fit_is_refused_whole(room: Room, bad: dict[str, object]) -> None:
    person = room.person()
    rows, labels = images(1, 3)
    values = {"person": person, "label": labels[0], "features": rows[0], "account": "d:1"}
    good = offers(person, 2, 5)
    with pytest.raises(SettingsError):
        room.ledgers.contribute(HEAD, [*good, Offer(**values | bad)], policy=room.policy)  # type: ignore[arg-type]  # on purpose
    assert room.given() == []


def test_a_head_is_opened_once_and_never_changed(room: Room) -> None:
    assert room.ledgers.open(HEAD, base=base(), recipe=RECIPE) == room.head
    with pytest.raises(LearningError, match="another start"):
        room.ledgers.open(HEAD, base=base(80), recipe=RECIPE)
    with pytest.raises(LearningError, match="no such head"):
        room.ledgers.contribute("other", offers(room.person(), 1, 1), policy=room.policy)


@pytest.mark.parametrize("purpose", [TRAIN, "*"], ids=["purpose", "everything"])
def test_who_withdraws_was_never_there(room: Room, purpose: str) -> None:
    everyone = room.filled(14)
    image = room.person(TRAIN, "care")
    parent = keep(room.custody, image, "deidentified", "o1", policy=room.policy)
    some = [
        Offer(person=image, label=CLASSES[0], features=row, account="d:9", parents=(parent,))
        for row in images(2, 55)[0]
    ]
    room.ledgers.contribute(HEAD, some, policy=room.policy)
    room.publisher.train(HEAD)
    room.give(everyone[0], 2, 999)
    with room.store.read() as conn:
        before = newest(conn, room.head)
        held = select(people.c.id).where(people.c.code.startswith(ROOM))
        keys = set(conn.execute(held.where(people.c.state == "active")).scalars())
    assert before is not None
    leaving = [everyone[3], image]
    for person in leaving:
        facts = room.withdraw(person, purpose)
    told = {one["kind"]: one for one in facts["artefacts"]}
    with room.store.read() as conn:
        after = newest(conn, room.head)
        alive = set(conn.execute(held.where(people.c.state == "active")).scalars())
        number = check_chain(conn, room.head)
        left = select(func.count()).select_from(contributions)
        assert conn.execute(left.where(contributions.c.person.in_(leaving))).scalar() == 0
        served = conn.execute(
            select(models.c.version).where(models.c.served.is_not(None))
        ).scalars()
        assert list(served) == [3]
    assert after is not None
    assert (before.version, after.version, after.state) == (1, 3, "published")
    assert told["model"]["after"] == after.name
    assert told["model"]["before"] == f"v2:{told['model']['before'][3:]}" != after.name
    assert told["contribution"]["after"].startswith("link:")
    both = room.sums("published") + room.sums("pending")
    assert both.digest() == expected(room).digest()
    assert number == 9  # opened, added, added, published, added; removed and published twice
    assert keys - alive  # what the earlier sums were locked with is gone


def test_a_key_of_the_room_is_in_no_list_of_people(room: Room) -> None:
    person = room.person()
    room.give(person, 1, 1)
    with room.store.read() as conn:
        assert list(room.custody.vault.people.listed(conn)) == [person]


def test_withdrawing_another_purpose_leaves_what_was_taught(room: Room) -> None:
    person = room.person(TRAIN, "care")
    parent = keep(room.custody, person, "deidentified", "o1", policy=room.policy)
    row, label = images(1, 5)
    offer = Offer(person=person, label=label[0], features=row[0], account="d:1", parents=(parent,))
    room.ledgers.contribute(HEAD, [offer], policy=room.policy)
    room.withdraw(person, "care")
    assert len(room.given()) == 1
    with room.store.read() as conn:
        kinds = select(artefacts.c.kind).where(artefacts.c.removed_at.is_(None))
        assert set(conn.execute(kinds).scalars()) == {"contribution", "model"}
