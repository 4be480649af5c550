"""kill -9 at every place that consent and withdrawal pass, on both databases.

After each death every statement is whole or absent, every withdrawal that was begun ends when
consent is opened again, nothing is removed twice or left, and the log verifies.
"""

import multiprocessing
import os
import signal
from collections.abc import Callable
from multiprocessing import forkserver
from multiprocessing.context import ForkServerProcess
from typing import Any

import pytest
from sqlalchemy import func, select

from consent_child import acts, agree, consenting, expire, open_at, take_back
from consent_fixtures import Maker, may, publish, say
from safelight.consent.custody import Custody
from safelight.errors import ErasedError
from safelight.store import faults
from safelight.store.schema.consent import (
    accesses,
    artefacts,
    policies,
    statements,
    withdrawals,
)
from safelight.tlog import Leaf

forks = multiprocessing.get_context("forkserver")
LEAST = {"*": 26, "general-research": 15}


@pytest.fixture(autouse=True)
def _server(monkeypatch: pytest.MonkeyPatch) -> None:
    """Start a process that has imported everything and opened nothing: children fork from it."""
    monkeypatch.setenv("PYTHONPATH", os.path.dirname(__file__))  # it takes no path but this one
    forks.set_forkserver_preload(["faults_child", "consent_child"])
    forkserver.ensure_running()


def places_of(act: Callable[[], Any]) -> list[str]:
    """Return the places that an act passes when nobody dies."""
    places: list[str] = []
    with faults.planned(places.append):
        act()
    return places


def die(place: str, child: ForkServerProcess) -> None:
    child.start()
    child.join()
    assert child.exitcode == -signal.SIGKILL, place
    child.close()


def where_of(make_store: Maker) -> tuple[str, str]:
    return make_store.url, make_store.home  # type: ignore[attr-defined]  # set by the fixture


def check_taken_back(custody: Custody, person: str, purpose: str, policy: str) -> None:
    """Everything that was to go is gone, once, and what was to stay is there."""
    with custody.store.read() as conn:
        left = select(artefacts.c.kind).where(
            artefacts.c.person == person, artefacts.c.removed_at.is_(None)
        )
        kinds = set(conn.execute(left).scalars())
        said = [one.statement.said.value for one in custody.consents.history(conn, person)]
        (handed,) = custody.disclosures.listed(conn, person)
    assert said == ["grant", "grant", "withdraw"]
    assert handed.answer == "to tell"
    assert not may(custody, person, "general-research", policy)
    names = {key.split("/")[2] for key, _ in custody.store.objects.list(f"p/{person}")}
    if purpose == "*":
        assert (kinds, names) == (set(), set())
        with pytest.raises(ErasedError):
            custody.vault.salt(person)
    else:
        assert (kinds, names) == ({"deidentified"}, {"deidentified"})
        assert may(custody, person, "care", policy)
        assert b"".join(custody.vault.get(person, "deidentified", "o1"))


@pytest.mark.parametrize("purpose", ["*", "general-research"], ids=["all", "one-purpose"])
def test_death_at_every_place_of_a_withdrawal(make_store: Maker, purpose: str) -> None:
    where = where_of(make_store)
    custody = open_at(where)
    policy = publish(custody)
    person = agree(custody, policy)
    places = places_of(
        lambda: custody.withdrawals.run(custody.withdrawals.start(person, purpose, actor="p:1"))
    )
    assert len(places) >= LEAST[purpose]
    for number, place in enumerate(places, 1):
        person = agree(custody, policy)
        child = forks.Process(target=take_back, args=(where, f"*#{number}", person, purpose))
        die(f"{number} {place}", child)
        begun = not may(custody, person, "general-research", policy)
        custody.store.close()
        custody = open_at(where)  # opening finishes what was begun
        if not begun:
            assert may(custody, person, "general-research", policy)
            assert b"".join(custody.vault.get(person, "report", "r1"))
            custody.withdrawals.run(custody.withdrawals.start(person, purpose, actor="p:1"))
        assert custody.withdrawals.resume() == []
        check_taken_back(custody, person, purpose, policy)
    assert custody.log.verify().problems == ()
    custody.store.close()


def test_death_at_every_place_of_what_is_past_its_time(make_store: Maker) -> None:
    where = where_of(make_store)
    custody = open_at(where)
    policy = publish(custody)

    def past() -> str:
        person = agree(custody, policy)
        say(custody, person, "general-research", "expire", policy=policy)
        return person

    person = past()
    # Each place once: how often one is passed is what the deaths of a withdrawal are about.
    places = list(dict.fromkeys(places_of(custody.ending.run)))
    assert {"retention.begun", "withdraw.planned", "withdraw.artefact.gone"} < set(places)
    assert len(places) >= 10
    for place in places:
        person = past()
        die(place, forks.Process(target=expire, args=(where, place)))
        custody.store.close()
        custody = open_at(where)  # opening finishes what was begun
        custody.ending.run()  # and what was not even begun is
        assert custody.ending.run() == []
        assert custody.withdrawals.resume() == []
        with custody.store.read() as conn:
            held = [one for one in custody.lineage.of(conn, person) if one.removed_at is None]
            (handed,) = custody.disclosures.listed(conn, person)
            mine = select(withdrawals.c.purpose, withdrawals.c.stage)
            ended = conn.execute(mine.where(withdrawals.c.person == person)).all()
        assert [one.kind for one in held] == ["deidentified"], place
        assert ended == [("retention", "done")], place
        assert handed.answer == "to tell"
        assert may(custody, person, "care", policy)
        assert b"".join(custody.vault.get(person, "deidentified", "o1"))
    assert custody.log.verify().problems == ()
    custody.store.close()


def check_whole(custody: Custody) -> None:
    """Every row stands together with its entry in the log, which opens to what the row says."""
    with custody.store.read() as conn:
        counts = [
            conn.execute(select(func.count()).select_from(one)).scalar_one()
            for one in (policies, statements, accesses)
        ]
        for row in conn.execute(select(statements)).all():
            leaf = Leaf.from_bytes(custody.consents.private(conn, row)["leaf"].encode())
            assert leaf.index == row.entry
            assert row.purpose.encode() in leaf.document
    assert custody.log.size() == sum(counts) + 3  # the first steward's three roles


def test_death_at_every_place_of_consenting(make_store: Maker) -> None:
    where = where_of(make_store)
    custody = open_at(where)
    custody.accesses.bootstrap("steward:1")
    person = custody.vault.create_person()
    places = places_of(lambda: acts(custody, person, 1))
    assert len(places) >= 12
    for number, place in enumerate(places, 1):
        args = (where, f"*#{number}", person, number + 1)
        die(f"{number} {place}", forks.Process(target=consenting, args=args))
        custody.store.close()
        custody = open_at(where)
        check_whole(custody)
    assert custody.log.verify().problems == ()
    custody.store.close()
