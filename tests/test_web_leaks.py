"""Planted values stay out of logs, metrics, error pages, temporary files and the database."""

import os
import tempfile
from pathlib import Path

import pytest

from run_fixtures import NEEDLES
from safelight import log
from safelight.consent.roles import Role
from safelight.web.desk import server_actor
from web_fixtures import JSON, PASSWORD, Site, scans

LABEL = "ROE_JANINE_1971-03-09.dcm"
NAME = "janine.roe@example.org"
WORDS = "words of doctor Fennimore"


def found(folder: Path, needles: list[bytes]) -> list[str]:
    """Return the files below a folder that hold one of these."""
    hits = []
    for place, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(place, name)
            with open(path, "rb") as file:
                data = file.read()
            hits += [f"{path}: {needle!r}" for needle in needles if needle in data]
    return hits


def test_nothing_planted_is_found_anywhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    monkeypatch.setenv("TMPDIR", str(temporary))
    monkeypatch.setattr(tempfile, "tempdir", None)
    logged = tmp_path / "log.jsonl"
    log.configure(str(logged))
    source = tmp_path / "in"
    files = scans(source, 2)
    told: list[bytes] = []
    site = Site(tmp_path / "site")
    site.publish()
    person = site.person()
    made = site.rooms.accounts.create((Role.PERSON,), by=server_actor(), person=person)
    site.rooms.accounts.set_password(made.id, NAME, PASSWORD)
    browser = site.anybody()
    assert browser.post("/sign-in", data={"name": NAME, "password": PASSWORD}).status_code == 200
    try:
        parcel = browser.post("/parcels", json={"agree": ["care"]}, headers=JSON).json()["id"]
        for number, file in enumerate(files):
            browser.post(
                f"/uploads?parcel={parcel}",
                content=file.read_bytes(),
                headers={"Upload-Name": f"{number}{LABEL}", "Upload-Complete": "?1"},
            )
        browser.post(f"/parcels/{parcel}/send")
        site.work()
        submission = browser.get(f"/submissions/{parcel}.json").json()
        assert [one["state"] for one in submission["items"]] == ["done", "done"]
        told += [
            browser.get(f"/submissions/{parcel}/{NEEDLES[0]}").content,
            browser.get(f"/steward/{LABEL}").content,
            browser.post(f"/submissions/{parcel}/ask", json={"question": NEEDLES[0] * 199}).content,
            browser.post("/parcels", json={NEEDLES[1]: LABEL, "person": NEEDLES[2]}).content,
            browser.get(f"/submissions?before={NEEDLES[0]}&person={NEEDLES[1]}").content,
            browser.get(f"/submissions/{parcel}/items/{NEEDLES[0]}").content,
            browser.request("PATCH", f"/uploads/{NEEDLES[3]}").content,
            browser.get("/metrics").content,
            site.anybody().get(f"/submissions/{NEEDLES[0]}.json").content,
            site.anybody().request(NEEDLES[0], "/").content,
        ]
        thought = f"/submissions/{parcel}/impression"
        site.account(Role.CLINICIAN).post(thought, json={"words": WORDS})
        clinician = site.account(Role.CLINICIAN)  # another one reads nothing of theirs
        assert clinician.post(thought, json={"words": "nothing new"}).status_code == 200
        for path in ("", "/items/0", "/reading"):  # nobody but the owner reads a path or a value
            told.append(clinician.get(f"/submissions/{parcel}{path}.json").content)
        told.append(site.account(Role.STEWARD).get("/steward/people.json").content)
    finally:
        site.close()
        log.configure("")
    planted = [*(each.encode() for each in NEEDLES), LABEL.encode(), WORDS.encode()]
    planted += [NAME.encode(), PASSWORD.encode(), b"janine.roe"]
    assert found(tmp_path / "site", planted) == []
    assert found(temporary, planted) == []
    assert [needle for needle in planted if needle in logged.read_bytes()] == []
    assert b'"event": "request"' in logged.read_bytes()
    for page in told:
        assert [needle for needle in planted if needle in page] == [], page[:300]


def test_the_metrics_have_few_labels_whatever_is_asked(tmp_path: Path) -> None:
    site = Site(tmp_path)
    browser = site.anybody()
    sizes = []
    for round_ in range(3):
        for number in range(20):
            browser.get(f"/nowhere/{round_}{number}")
            browser.get(f"/submissions/{round_}{number}.json")
            browser.request(f"ODD{round_}{number}", "/")
        sizes.append(len(browser.get("/metrics").content.splitlines()))
    assert sizes[1] == sizes[2]
    site.close()
