"""kill -9 at every place that submit and its worker pass, on both databases.

After each death: a submission is whole or absent, doing it again ends as if nothing had happened,
nothing is left over, nothing is there twice, and the log verifies.
"""

import multiprocessing
import os
import signal
import time
from collections.abc import Callable
from datetime import timedelta
from multiprocessing import forkserver
from pathlib import Path

import pytest

from consent_fixtures import publish, say
from faults_child import Where, open_house, submit_and_work
from safelight.pipeline import submissions as rows
from safelight.pipeline.house import House
from safelight.pipeline.submit import recover, submit
from safelight.pipeline.work import Worker
from safelight.store import Store, faults
from submit_fixtures import QuickCleaner, folder_of

Maker = Callable[..., Store]
TEXTS = (b"JANE DOE one", b"JANE DOE two", b"JANE DOE two", b"CANNOT say DOE")
FILES = 3  # one of the four is there twice
ENDED = {"done": 2, "quarantine": 1}
NOTICED_SECONDS = 20
LEAST = {"with-consent": 25, "new-person": 25}

forks = multiprocessing.get_context("forkserver")


@pytest.fixture(autouse=True)
def _server(monkeypatch: pytest.MonkeyPatch) -> None:
    """Start a process that has imported everything and opened nothing: children fork from it."""
    monkeypatch.setenv("PYTHONPATH", os.path.dirname(__file__))  # it takes no path but this one
    forks.set_forkserver_preload(["faults_child"])
    forkserver.ensure_running()


class Scene:
    """One store in which processes die one after the other."""

    def __init__(self, make_store: Maker, tmp_path: Path, *, consenting: bool) -> None:
        self.where: Where = (make_store.url, make_store.home, str(tmp_path / "keys"))  # type: ignore[attr-defined]  # set by the fixture
        self.house: House = open_house(self.where)
        self.folder = tmp_path / "in"
        self.consenting = consenting
        self.use = ("care", publish(self.house.custody)) if consenting else ("", "")
        self.number = 0

    def next(self) -> tuple[str, str]:
        """Return a person who agrees, or nobody, and a folder of new files."""
        self.number += 1
        person = ""
        if self.consenting:
            person = self.house.vault.create_person()
            say(self.house.custody, person, "care", policy=self.use[1])
        texts = [text + b" %d" % self.number for text in TEXTS]
        return person, str(folder_of(self.folder / str(self.number), texts))

    def again(self, folder: str, person: str) -> str:
        """Do what the dead one did not finish; return whose it is."""
        witness = self.house.witness if self.consenting else None
        told = submit(self.house.vault, [folder], person=person, use=self.use, witness=witness)
        Worker(self.house.vault, QuickCleaner(), witness=witness).run()
        return told.person


def objects_of(house: House, person: str) -> list[str]:
    return sorted(key.split("/")[2] for key, _ in house.vault.store.objects.list(f"p/{person}"))


def recover_when_noticed(house: House) -> None:
    """Recover; a busy PostgreSQL keeps a dead client's locks until it notices the death."""
    until = time.monotonic() + NOTICED_SECONDS
    recover(house.vault)
    while any(each.state == "arriving" for each in standing(house)) and time.monotonic() < until:
        time.sleep(0.05)
        recover(house.vault)


def check_whole_or_absent(house: House) -> None:
    with house.store.read() as conn:
        for each in rows.standing(conn):
            assert each.state != "arriving"
            assert sum(each.items.values()) == FILES


@pytest.mark.parametrize("consenting", [True, False], ids=["with-consent", "new-person"])
def test_death_at_every_place(make_store: Maker, tmp_path: Path, *, consenting: bool) -> None:
    scene = Scene(make_store, tmp_path, consenting=consenting)
    house = scene.house
    person, folder = scene.next()
    places: list[str] = []
    with faults.planned(places.append):
        scene.again(folder, person)
    assert len(places) >= LEAST["with-consent" if consenting else "new-person"]
    for number in range(1, len(places) + 1):
        person, folder = scene.next()
        child = forks.Process(
            target=submit_and_work, args=(scene.where, f"*#{number}", folder, person, scene.use)
        )
        child.start()
        child.join()
        assert child.exitcode == -signal.SIGKILL, places[number - 1]
        recover_when_noticed(house)
        check_whole_or_absent(house)
        Worker(house.vault, QuickCleaner(), witness=house.witness if consenting else None).run()
        whose = scene.again(folder, person)
        mine = [each for each in standing(house) if each.person == whose]
        assert [(each.state, each.items) for each in mine] == [("done", ENDED)]
        assert objects_of(house, whose) == ["deidentified", "deidentified", "original"]
        child.close()
    assert house.vault.shelf.check() == []
    assert house.custody.log.verify().problems == ()
    with house.store.read() as conn:
        known = set(house.vault.people.listed(conn))
    house.vault.sweep(timedelta(0))
    lying = {key.split("/")[1] for key, _ in house.store.objects.list() if key[0] in "ps"}
    assert lying <= known
    house.close()


def standing(house: House) -> list[rows.Standing]:
    with house.store.read() as conn:
        return rows.standing(conn)
