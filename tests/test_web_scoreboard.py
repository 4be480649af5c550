"""The scoreboard takes readers out of service by itself, and anyone may see it."""

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from sqlalchemy import insert

from consent_fixtures import say
from feedback_fixtures import ABOUT, reading
from safelight.consent.roles import Role
from safelight.feedback.book import Book
from safelight.feedback.values import Verdict, Voice
from safelight.pipeline.panel import Panels
from safelight.readers.reading import Answer, State
from safelight.readers.registry import registry
from safelight.store.schema.feedback import states
from safelight.web.desk import server_actor
from safelight.web.reading import Readings
from view_fixtures import dicom
from web_fixtures import JSON, Site

READER = "chest-opacity"


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    made = Site(tmp_path / "site")
    yield made
    made.close()


def slice_of_a_head() -> NDArray[np.uint8]:
    """Return fat, skull and a brain with its ventricles and folds, drawn, as in an MR."""
    chance = np.random.default_rng(1)
    grain = cv2.GaussianBlur(chance.normal(0, 1, (256, 256)), (0, 0), 6)
    grain /= grain.std()
    y, x = np.mgrid[0:256, 0:256] - 128
    out = np.hypot(x / 95, y / 115)
    inside = out < 0.86
    shown = np.where(inside, 110 + 20 * grain, np.where(out < 0.94, 10, 255 * (out < 1)))
    shown = np.where(inside & (out > 0.55) & (np.abs(grain) < 0.5), 70, shown)
    for side in (-16, 16):
        shown = np.where(np.hypot((x - side) / 9, (y + 5) / 30) < 1, 25, shown)
    shown = np.where((np.abs(x) < 1.5) & inside, 30, shown)
    shown = np.where(inside & (np.abs(grain) < 0.2) & (out > 0.6), 30, shown)
    shown = cv2.GaussianBlur(shown, (0, 0), 1) + chance.normal(0, 3, shown.shape)
    return np.asarray(shown.clip(0, 255), np.uint8)


def miss(site: Site, times: int, *, voices: int = 2) -> None:
    """Let clinicians confirm that a reader told this many people "not seen" who have it."""
    custody = site.desk.house.custody
    policy = site.publish()
    book = Book(custody)
    doctors = [f"account:doctor{n}" for n in range(voices)]
    for doctor in doctors:
        custody.accesses.give(doctor, Role.CLINICIAN, by=server_actor())
    version = registry().named(READER).card.release
    for number in range(times):
        person = site.person()
        say(custody, person, "care", policy=policy)
        said = reading(number, Answer.NOT_SEEN, version=version)
        case = book.register(person, said, purpose="care", policy=policy)
        for doctor in doctors:
            book.impress(doctor, case, ABOUT, "seen")
            book.uncover(doctor, case, ABOUT)
            book.give(
                doctor,
                case,
                ABOUT,
                Verdict.NEEDS_WORK,
                voice=Voice.CLINICIAN,
                corrected="seen",
            )


def test_confirmed_misses_hold_a_reader_back_where_the_worker_looks(site: Site) -> None:
    custody = site.desk.house.custody
    site.chores.score(now=True)
    assert Panels(custody).now().held == {}
    miss(site, 7)
    site.chores.score()
    assert Panels(custody).now().held == {}  # a minute is not over yet
    site.chores.score(now=True)
    assert Panels(custody).now().held == {READER: State.SHADOW}
    site.close()
    site.open()
    site.work()  # a new worker looks at once, and takes nothing back
    assert Panels(site.desk.house.custody).now().held == {READER: State.SHADOW}


def test_a_worker_asks_no_reader_that_is_held_back_for_good(site: Site, tmp_path: Path) -> None:
    site.publish()
    store, reader = site.desk.house.store, "brain-glioma"
    film = tmp_path / "slice.dcm"
    header = {"SOPClassUID": "1.2.840.10008.5.1.4.1.1.4", "Modality": "MR"}
    film.write_bytes(dicom(slice_of_a_head(), BodyPartExamined="HEAD", **header))

    def asked(name: str) -> set[str]:
        made = site.given(site.someone(name), [film])
        found = Readings(site.rooms).of(site.people[name], made, 0)
        assert found is not None
        return {one.reader for one in found.findings}

    before = asked("before")
    assert reader in before
    version = registry().named(reader).card.release
    row = {"reader": reader, "version": version, "state": "refused", "reason": "wrong", "by": "me"}
    with store.begin() as conn:
        conn.execute(insert(states).values(**row, at=store.clock.now(), entry=0))
    assert asked("after") == before - {reader}


def test_anybody_sees_how_readers_do_and_nobodys_code(site: Site) -> None:
    anybody = site.anybody()
    assert anybody.get("/scoreboard.json").json()["readers"] == []
    miss(site, 7)
    site.chores.score(now=True)
    site.close()
    site.open()  # the page is kept for a minute
    anybody = site.anybody()
    told = anybody.get("/scoreboard", headers=JSON)
    assert told.status_code == 200
    rows = {one["reader"]: one for one in told.json()["readers"]}
    assert rows[READER]["state"] == "shadow"
    assert rows[READER]["all"] == {"images": "fewer than 11"}
    assert rows[READER]["card_says"]["people"][0] > 100
    assert [one["kind"] for one in told.json()["log"]] == ["state"]
    page = anybody.get("/scoreboard")
    assert page.headers["content-type"].startswith("text/html")
    assert "fewer than 11" in page.text
    for text in (told.text, page.text):
        assert not [code for code in (*site.people, "doctor0") if code in text]
    assert anybody.get("/steward/scoreboard.json").status_code == 401
