"""A head whose face was taken off: shown from all around, before for its owner and for a while."""

import io
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from fastapi.testclient import TestClient
from PIL import Image
from sqlalchemy import select, update

from facehelpers import centred, grid, head
from safelight.consent.roles import Role
from safelight.deid.faces.turning import ACROSS, VIEWS
from safelight.store.schema.vault import objects
from safelight.store.schema.web import looks
from safelight.web.turning import AFTER, BEFORE
from test_faces_run import SHAPE, SIZE, nifti, series
from web_fixtures import JSON, Site


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    made = Site(tmp_path_factory.mktemp("site"))
    made.publish()
    yield made
    made.close()


@pytest.fixture(scope="module")
def given(site: Site, tmp_path_factory: pytest.TempPathFactory) -> tuple[TestClient, str]:
    """Return a person who handed in a head of 28 slices, and the submission."""
    folder = tmp_path_factory.mktemp("head")
    series(folder, nose=True, uid="1.2.826.0.4.7", place="1.2.826.0.5.7")
    browser = site.someone("head")
    return browser, site.given(browser, [p for p in sorted(folder.iterdir()) if number(p) % 3 == 1])


def number(path: Path) -> int:
    return int(pydicom.dcmread(path, stop_before_pixels=True).InstanceNumber)


def volume(path: Path) -> Path:
    """Write a head as NIfTI."""
    affine = centred((SIZE, SIZE, SIZE), SHAPE)
    values, _brain = head(grid(SHAPE, affine), "MR")
    path.write_bytes(nifti(values.astype("<f4"), np.diag([-1.0, -1.0, 1.0, 1.0]) @ affine))
    return path


def kinds(site: Site, submission: str) -> list[str]:
    found = select(objects.c.kind).where(
        objects.c.object.startswith(submission), objects.c.kind.in_((BEFORE, AFTER))
    )
    with site.desk.house.store.read() as conn:
        return sorted(conn.execute(found).scalars())


def face(browser: TestClient, made: str, n: int = 0) -> dict[str, Any]:
    return dict(browser.get(f"/submissions/{made}/items/{n}.json").json()["faces"])


def picture(browser: TestClient, address: str) -> "np.ndarray[Any, Any]":
    told = browser.get(address)
    assert told.status_code == 200, address
    assert told.headers["content-type"] == "image/jpeg"
    return np.asarray(Image.open(io.BytesIO(told.content))).astype(int)


def test_every_slice_shows_the_head_from_all_around(
    site: Site, given: tuple[TestClient, str]
) -> None:
    browser, made = given
    told = face(browser, made)
    assert face(browser, made, 20) == told  # the head is kept once for the series
    assert kinds(site, made) == [AFTER, BEFORE]
    before, after = (picture(browser, told[each]) for each in ("before", "after"))
    assert before.shape == after.shape
    rows, columns = before.shape[0] // (VIEWS // ACROSS), before.shape[1] // ACROSS

    def gone(at: int) -> float:
        down, across = divmod(at, ACROSS)
        part = np.s_[down * rows : (down + 1) * rows, across * columns : (across + 1) * columns]
        return float((np.abs(before[part] - after[part]) > 30).mean())

    quarter = VIEWS // 4
    assert gone(0) > 0.04  # the face, from the front
    assert gone(quarter) > 0.015  # and from the side
    assert gone(2 * quarter) < 0.002  # the back of the head is as it was
    front = picture(browser, told["after_view"].replace("{v}", "0"))
    assert front.shape == (rows, columns)
    assert np.abs(front - after[:rows, :columns]).mean() < 3
    nose = picture(browser, told["before_view"].replace("{v}", str(quarter)))
    there = np.flatnonzero((nose > 40).any(0))
    away = np.flatnonzero((picture(browser, told["after_view"].format(v=quarter)) > 40).any(0))
    assert there[0] < away[0] - 5  # from its left a head looks to the left, as far as it has a nose
    assert browser.get(told["after_view"].format(v=VIEWS)).status_code == 404


def test_without_a_script_there_are_some_sides(given: tuple[TestClient, str]) -> None:
    browser, made = given
    page = browser.get(f"/submissions/{made}/items/3").text
    for name in ("before", "after"):
        assert page.count(f"/head/{name}/") == 4
    assert page.count("from the left") == 4
    assert "<safelight-head" in page


def test_how_it_was_is_for_its_owner_alone(site: Site, given: tuple[TestClient, str]) -> None:
    browser, made = given
    told = face(browser, made)
    assert "no-store" in browser.get(told["before"]).headers["cache-control"]
    for role in (Role.STEWARD, Role.CLINICIAN, Role.RESEARCHER, Role.OPERATOR, Role.AUDITOR):
        other = site.account(role)
        for address in (told["before"], told["before_view"].format(v=0)):
            assert other.get(address).status_code == 403, role
    stranger = site.someone()
    for address in (told["before"], told["after"], told["after_view"].format(v=0)):
        assert stranger.get(address).status_code == 403
    clinician = site.account(Role.CLINICIAN)
    seen = face(clinician, made)
    assert seen["before"] == seen["before_view"] == ""
    assert clinician.get(seen["after"]).status_code == 200


def test_how_it_was_goes_with_the_original_and_all_goes_when_it_is_taken_back(
    site: Site, given: tuple[TestClient, str]
) -> None:
    browser, made = given
    box = {"x": "2", "y": "3", "w": "9", "h": "9", "scope": "item"}
    item = face(browser, made)["after"].removesuffix("/head/after.jpg")  # that holds the pictures
    assert browser.post(f"{item}/masks", data=box, headers=JSON).status_code == 200
    assert kinds(site, made) == []  # while it is cleaned again there is none
    site.work()
    told = face(browser, made)
    assert kinds(site, made) == [AFTER, BEFORE]
    assert browser.post(f"/submissions/{made}/approve", headers=JSON).status_code == 200
    assert kinds(site, made) == [AFTER]
    assert browser.get(told["before"]).status_code == 404
    later = face(browser, made)
    assert (later["before"], later["after"]) == ("", told["after"])
    artefacts = {row["kind"] for row in browser.get("/mine.json").json()["held"]}
    assert AFTER in artefacts
    assert BEFORE not in artefacts
    asked = {"purpose": "*", "sure": "yes"}
    assert browser.post("/mine/withdraw", data=asked, headers=JSON).is_success
    site.work()
    assert kinds(site, made) == []
    assert browser.get(told["after"]).status_code in (401, 403, 404, 410)


def test_how_it_was_goes_by_itself_when_its_time_is_over(site: Site, tmp_path: Path) -> None:
    browser = site.someone()
    made = site.given(browser, [volume(tmp_path / "head.nii")])
    told = face(browser, made)
    assert told["before"]
    page = browser.get(f"/submissions/{made}/items/0")
    assert "We took a face off." in page.text
    assert "mask" not in browser.get(f"/submissions/{made}/items/0.json").json()["may"]
    box = {"x": "2", "y": "3", "w": "9", "h": "9"}
    answer = browser.post(f"/submissions/{made}/items/0/masks", data=box, headers=JSON)
    assert answer.status_code == 409  # rather than to forget it
    past = site.desk.house.store.clock.now() - timedelta(seconds=1)
    with site.desk.house.store.begin() as conn:
        mine = objects.c.object.startswith(made)
        conn.execute(update(objects).where(mine, objects.c.kind == BEFORE).values(keep_until=past))
        conn.execute(update(looks).where(looks.c.submission == made).values(before_until=past))
    assert browser.get(told["before"]).status_code == 404  # before anybody tidied up
    site.chores.tidy()
    assert kinds(site, made) == [AFTER]
    assert face(browser, made)["before"] == ""
