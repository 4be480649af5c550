"""kill -9 and changes of mind at every place that learning passes, on both databases.

After each, the ledger is the sum of exactly those contributions that are there, everybody in a
version agrees, whoever withdrew is in none, and training again gives the same hashes.
"""

import multiprocessing
import os
import signal
from collections.abc import Callable
from multiprocessing import forkserver
from multiprocessing.context import ForkServerProcess
from typing import Any

import pytest

from consent_child import open_at
from consent_fixtures import Maker, open_custody, say
from learning_child import contributing, leaving, training
from learning_fixtures import HEAD, TRAIN, Room, offers
from safelight.learning.contributions import opened, sums_of
from safelight.learning.ledgers import PARTS
from safelight.learning.verify import verify
from safelight.learning.versions import newest
from safelight.store import faults

forks = multiprocessing.get_context("forkserver")


@pytest.fixture(autouse=True)
def _server(monkeypatch: pytest.MonkeyPatch) -> None:
    """Start a process that has imported everything and opened nothing: children fork from it."""
    monkeypatch.setenv("PYTHONPATH", os.path.dirname(__file__))
    forks.set_forkserver_preload(["learning_child"])
    forkserver.ensure_running()


def places_of(act: Callable[[], Any]) -> list[str]:
    """Return the places that an act passes when nobody dies."""
    places: list[str] = []
    with faults.planned(places.append):
        act()
    return places


def firsts(places: list[str], *rooms: str) -> list[int]:
    """Return the number of the first place of each name, of these rooms."""
    return [
        number
        for number, one in enumerate(places, 1)
        if one.startswith(rooms) and places.index(one) == number - 1
    ]


def die(place: str, child: ForkServerProcess) -> None:
    child.start()
    child.join()
    assert child.exitcode == -signal.SIGKILL, place
    child.close()


def check_whole(room: Room, *gone: str) -> None:
    """The ledger is what is there, and nobody of those who left is."""
    assert not {row.person for row in room.given()} & set(gone)
    with room.store.read() as conn:
        some = list(opened(room.custody.vault, conn, room.given()))
        for row in room.given():
            assert room.custody.consents.may(conn, row.person, TRAIN, row.policy).allowed
    for part in PARTS:
        made = sums_of(room.start.statistics, [one for one in some if one.part == part])
        assert made.digest() == room.sums(part).digest(), part
    assert room.custody.log.verify().problems == ()


def where_of(make_store: Maker) -> tuple[str, str]:
    return make_store.url, make_store.home  # type: ignore[attr-defined]  # set by the fixture


def test_death_at_every_place_of_contributing(make_store: Maker) -> None:
    room = Room(open_custody(make_store()))
    person = room.person()
    places = places_of(lambda: room.give(person, 2, 1))
    assert {"learning.contribute.put", "learning.contribute.written"} <= set(places)
    for number in firsts(places, ""):
        args = (where_of(make_store), f"*#{number}", room.person(), room.policy, number + 1)
        die(f"{number}", forks.Process(target=contributing, args=args))
        check_whole(room)
    assert len(room.given()) == 4  # of the first, and of who was killed after the commit


@pytest.mark.parametrize("purpose", [TRAIN, "*"], ids=["purpose", "everything"])
def test_death_at_every_place_of_leaving(make_store: Maker, purpose: str) -> None:
    room = Room(open_custody(make_store()))
    people = room.filled(20)
    room.publisher.train(HEAD)
    places = places_of(lambda: room.withdraw(people.pop(), purpose))
    mine = firsts(places, "learning.", "vault.erase.key")
    assert len(mine) >= 7
    for number in mine[purpose == "*" :: 1 + 2 * (purpose == "*")]:
        person = people.pop()
        args = (where_of(make_store), f"*#{number}", person, purpose)
        die(f"{number} {places[number - 1]}", forks.Process(target=leaving, args=args))
        room.custody = open_at(where_of(make_store))  # opening finishes what was begun
        assert room.custody.withdrawals.resume() == []
        check_whole(room, person)
        room.custody.store.close()
        room.custody = open_custody(make_store())
    done = verify(room.custody, HEAD)
    assert done.problems == ()
    assert done.ledger == done.again


def test_death_at_every_place_of_training(make_store: Maker) -> None:
    room = Room(open_custody(make_store()))
    room.filled(12)
    places = places_of(lambda: room.publisher.train(HEAD))
    assert len(places) >= 4
    for number in range(1, len(places) + 1):
        room.filled(1)
        args = (where_of(make_store), f"*#{number}")
        die(f"{number} {places[number - 1]}", forks.Process(target=training, args=args))
        check_whole(room)
        assert verify(room.custody, HEAD).problems == ()


def flips(room: Room, act: Callable[[], Any], place: str, person: str, said: str) -> None:
    """Do something, and let a person change their mind at a place on the way."""
    open_ones = {"learning.contribute.put", "learning.contribute.written"}
    left = [place]

    def change(name: str) -> None:
        # Inside of a write transaction nobody else can write: their turn comes after it.
        if left and name == left[0] and name not in open_ones:
            left.clear()
            if said == "withdraw":
                room.withdraw(person)
            else:
                say(room.custody, person, TRAIN, said, policy=room.policy)

    with faults.planned(change):
        act()
    assert not left


@pytest.mark.parametrize("said", ["withdraw", "refuse"])
def test_whoever_changes_their_mind_while_a_head_is_trained_is_not_in_it(
    make_store: Maker, said: str
) -> None:
    room = Room(open_custody(make_store()))
    people = room.filled(16)
    flips(room, lambda: room.publisher.train(HEAD), "learning.publish.solved", people[4], said)
    check_whole(room, people[4])
    with room.store.read() as conn:
        made = newest(conn, room.head)
    assert made is not None
    assert made.document["people"] == 15
    assert verify(room.custody, HEAD).problems == ()


def test_whoever_changes_their_mind_while_another_leaves_is_in_no_successor(
    make_store: Maker,
) -> None:
    room = Room(open_custody(make_store()))
    people = room.filled(16)
    room.publisher.train(HEAD)
    place = "learning.successor.solved"
    flips(room, lambda: room.withdraw(people[0]), place, people[1], "withdraw")
    check_whole(room, people[0], people[1])
    with room.store.read() as conn:
        made = newest(conn, room.head)
    assert made is not None
    assert made.document["people"] == 14
    assert verify(room.custody, HEAD).problems == ()


def test_consent_is_asked_again_in_the_transaction_that_contributes(make_store: Maker) -> None:
    room = Room(open_custody(make_store()))
    willing, fickle = room.person(), room.person()
    asked = room.ledgers._refused

    def refused(*given: Any) -> dict[str, str]:
        told = asked(*given)
        say(room.custody, fickle, TRAIN, "refuse", policy=room.policy)  # after the first question
        return told

    room.ledgers._refused = refused  # type: ignore[method-assign]  # the moment in between
    some = [*offers(willing, 2, 1), *offers(fickle, 2, 2)]
    added = room.ledgers.contribute(HEAD, some, policy=room.policy)
    assert added.refused == {fickle: "refused"}
    check_whole(room, fickle)
    assert len(room.given()) == 2
