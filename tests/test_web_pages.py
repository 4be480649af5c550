"""From handing in to taking back, as a browser without a script does it, and as programs do."""

import io
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from run_fixtures import sample
from safelight.consent.roles import Role
from safelight.tlog.receipt import verify
from web_fixtures import JSON, Site, burned, scans


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    made = Site(tmp_path_factory.mktemp("site"))
    made.publish()
    yield made
    made.close()


def test_a_scan_goes_in_is_cleaned_and_is_shown(site: Site, tmp_path: Path) -> None:
    browser = site.someone("scan")
    files = scans(tmp_path / "in")
    made = site.give(browser, files)
    coming = browser.get(f"/submissions/{made}.json").json()
    assert (coming["state"], coming["items"], coming["total"]) == ("sent", [], 2)
    site.work()
    page = browser.get(f"/submissions/{made}.json").json()
    assert page["state"] == "done"
    assert [item["state"] for item in page["items"]] == ["done", "done"]
    assert {item["label"] for item in page["items"]} == {one.name for one in files}
    assert len({item["series"] for item in page["items"]}) == 1
    assert page["mine"] is True
    assert page["before_until"]
    n = next(item["n"] for item in page["items"] if item["label"] == files[0].name)
    item = browser.get(f"/submissions/{made}/items/{n}.json").json()
    signs = {change["sign"] for change in item["changes"]}
    assert signs >= {"-", "~", "+"}
    befores = " ".join(change["before"] for change in item["changes"])
    afters = " ".join(change["after"] for change in item["changes"])
    assert "BRUNDLEMEYER" in befores
    assert "BRUNDLEMEYER" not in afters
    for path in ("", "/items/0", "/reading"):
        told = browser.get(f"/submissions/{made}{path}")
        assert told.status_code == 200, path
        assert told.headers["content-type"].startswith("text/html")


def test_pictures_come_as_shown_as_stored_and_as_they_were(site: Site, tmp_path: Path) -> None:
    browser = site.someone()
    made = site.given(browser, scans(tmp_path / "in", 1))
    base = f"/submissions/{made}/items/0"
    shown = Image.open(io.BytesIO(browser.get(f"{base}/frames/0.png").content))
    assert shown.size == (128, 128)
    dark = browser.get(f"{base}/frames/0.png?c=4000&w=1").content
    assert int(np.asarray(Image.open(io.BytesIO(dark))).max()) == 0
    raw = browser.get(f"{base}/frames/0.raw")
    told = {name: raw.headers[f"x-frame-{name}"] for name in ("rows", "columns", "bits", "signed")}
    assert told == {"rows": "128", "columns": "128", "bits": "16", "signed": "1"}
    assert np.frombuffer(raw.content, "<i2").shape == (128 * 128,)
    assert browser.get(f"{base}/before/0.png").status_code == 200
    for missing in ("frames/1.png", "frames/1.raw", "before/1.png"):
        assert browser.get(f"{base}/{missing}").status_code == 422, missing


def test_masks_can_be_added_and_taken_off_and_the_engine_does_it(
    site: Site, tmp_path: Path
) -> None:
    browser = site.someone()
    made = site.given(browser, [burned(tmp_path / "photo.png")])
    base = f"/submissions/{made}/items/0"
    found = browser.get(f"{base}.json").json()["masks"]
    assert [mask["verdict"] for mask in found].count("mask") >= 1
    form = {"x": "200", "y": "200", "w": "30", "h": "20", "scope": "item"}
    assert browser.post(f"{base}/masks", data=form, headers=JSON).status_code == 200
    assert browser.get(f"{base}.json").json()["item"]["state"] == "waiting"
    assert browser.get(f"{base}/frames/0.png").status_code == 404  # the old one is gone at once
    site.work()
    after = browser.get(f"{base}.json").json()
    mine = [mask for mask in after["masks"] if mask["by_hand"]]
    assert [(mask["x"], mask["y"], mask["w"], mask["h"]) for mask in mine] == [(200, 200, 30, 20)]
    assert len(after["masks"]) == len(found) + 1  # what was drawn is told once
    shown = np.asarray(Image.open(io.BytesIO(browser.get(f"{base}/frames/0.png").content)))
    assert int(np.ptp(shown[200:220, 200:230])) == 0
    told = browser.post(f"{base}/masks", json={"remove": [mine[0]["id"]]}, headers=JSON)
    assert told.status_code == 200
    site.work()
    shown = np.asarray(Image.open(io.BytesIO(browser.get(f"{base}/frames/0.png").content)))
    assert int(np.ptp(shown[200:220, 200:230])) > 0


def test_what_has_no_pixels_has_no_covers(site: Site, tmp_path: Path) -> None:
    browser = site.someone()
    report = tmp_path / "report.dcm"
    sample("reportsi.dcm").save_as(report)
    made = site.given(browser, [burned(tmp_path / "a.png"), report])
    covered = [one["masks"] for one in browser.get(f"/submissions/{made}.json").json()["items"]]
    assert covered[0] > 0
    assert covered[1] == 0


def test_a_mask_goes_on_the_whole_series(site: Site, tmp_path: Path) -> None:
    browser = site.someone()
    made = site.given(browser, scans(tmp_path / "in", 2))
    body = {"add": [{"x": 4, "y": 4, "w": 8, "h": 8}], "scope": "series"}
    assert browser.post(f"/submissions/{made}/items/0/masks", json=body).status_code == 200
    site.work()
    for n in (0, 1):
        raw = browser.get(f"/submissions/{made}/items/{n}/frames/0.raw").content
        plane = np.frombuffer(raw, "<i2").reshape(128, 128)
        assert int(np.ptp(plane[4:12, 4:12])) == 0, n


def test_what_is_approved_loses_its_originals(site: Site, tmp_path: Path) -> None:
    browser = site.someone("approved")
    made = site.given(browser, scans(tmp_path / "in", 1))
    base = f"/submissions/{made}"
    assert browser.post(f"{base}/approve", headers=JSON).status_code == 200
    page = browser.get(f"{base}.json").json()
    assert (page["approved"], page["before_until"]) == (True, None)
    assert browser.get(f"{base}/items/0/before/0.png").status_code == 404
    assert site.rooms.items.kept(made, site.people["approved"]) == frozenset()
    item = browser.get(f"{base}/items/0.json").json()
    assert all(not change["before"] for change in item["changes"])
    again = browser.post(f"{base}/items/0/masks", json={"add": [{"x": 1, "y": 1, "w": 2, "h": 2}]})
    assert again.status_code == 409


def test_what_is_sent_back_is_read_by_nobody_and_waits_for_a_steward(
    site: Site, tmp_path: Path
) -> None:
    browser = site.someone()
    made = site.given(browser, scans(tmp_path / "in", 2))
    told = browser.post(f"/submissions/{made}/send-back", json={"items": [1]}, headers=JSON)
    assert told.status_code == 200
    states = [one["state"] for one in browser.get(f"/submissions/{made}.json").json()["items"]]
    assert states == ["done", "review"]
    assert browser.get(f"/submissions/{made}/items/1/frames/0.png").status_code == 404
    steward = site.account(Role.STEWARD)
    queue = steward.get("/steward.json?reason=sent-back").json()["queue"]
    assert [(row["submission"], row["n"]) for row in queue] == [(made, 1)]
    assert steward.get(f"/submissions/{made}/items/1/before/0.png").status_code == 200
    assert steward.post(f"/steward/retry/{made}/1", headers=JSON).status_code == 200
    site.work()
    states = [one["state"] for one in browser.get(f"/submissions/{made}.json").json()["items"]]
    assert states == ["done", "done"]
    assert browser.post(f"/submissions/{made}/send-back", json={"items": [0]}).status_code == 200
    assert steward.post(f"/steward/reject/{made}/0", headers=JSON).status_code == 200
    assert steward.get("/steward/quarantine.json?reason=rejected").json()["queue"]


def test_consent_receipts_and_taking_everything_back(site: Site, tmp_path: Path) -> None:
    browser = site.someone("leaver")
    made = site.given(browser, scans(tmp_path / "in", 1))
    page = browser.get("/mine.json").json()
    asked = [one["name"] for one in page["purposes"]]
    form = {"policy": page["policy"]["hash"], "asked": asked, "agree": ["care", "train-a-model"]}
    assert browser.post("/mine/consents", data=form, headers=JSON).status_code == 200
    page = browser.get("/mine.json").json()
    agreed = {one["name"]: one["agreed"] for one in page["purposes"]}
    assert agreed == {"care": True, "general-research": False, "train-a-model": True}
    name = page["statements"][0]["receipt"]
    receipt = browser.get(f"{name}/file").content
    assert verify(receipt).kind.startswith("consent.")
    assert browser.get(f"{name}.json").json()["fields"]["said"] in ("grant", "refuse")
    assert browser.get(f"{name}/print").status_code == 200
    assert {row["kind"] for row in page["held"]} >= {"submission", "deidentified", "reading"}
    days = {
        row["kind"]: (datetime.fromisoformat(row["until"]) - datetime.now(UTC)).days
        for row in page["held"]
    }
    assert days.pop("original") < 1
    assert set(days.values()) == {3649}  # as long as the policy says, counted from the giving
    refused = browser.post("/mine/withdraw", data={"purpose": "*"}, headers=JSON)
    assert refused.status_code == 422
    told = browser.post("/mine/withdraw", data={"purpose": "*", "sure": "yes"}, headers=JSON)
    progress = told.json()["to"]
    assert browser.get(f"{progress}.json").json()["done"] is False
    assert browser.get(f"/submissions/{made}.json").status_code in (200, 403)
    site.work()
    end = browser.get(f"{progress}.json").json()
    assert (end["done"], end["stage"], end["failed"]) == (True, "done", 0)
    proof = verify(browser.get(f"{end['receipt']}/file").content)
    assert proof.fields["key_destroyed"] is True
    assert browser.get(f"/submissions/{made}.json").status_code in (403, 404, 410)
    assert site.desk.house.vault.person_exists_or_erased(site.people["leaver"]) == "erased"


def test_a_purpose_that_is_unticked_is_withdrawn(site: Site, tmp_path: Path) -> None:
    browser = site.someone()
    made = site.given(browser, scans(tmp_path / "in", 1))
    page = browser.get("/mine.json").json()
    form = {"policy": page["policy"]["hash"], "asked": ["care"]}
    assert browser.post("/mine/consents", data=form, headers=JSON).status_code == 200
    site.work()
    assert browser.get(f"/submissions/{made}.json").status_code == 404
    assert browser.get("/mine.json").json()["withdrawals"][0]["stage"] == "done"


def test_a_clinician_says_first_what_they_think(site: Site, tmp_path: Path) -> None:
    browser = site.someone()
    made = site.given(browser, scans(tmp_path / "in", 1))
    clinician = site.account(Role.CLINICIAN)
    page = clinician.get(f"/submissions/{made}/reading.json").json()
    assert page["blind"] is True
    assert [one["state"] for one in page["items"]] == ["withheld"]
    assert "label" not in json.dumps(page)
    form = {"words": "a round shadow"}
    assert clinician.post(f"/submissions/{made}/impression", data=form).status_code == 200
    page = clinician.get(f"/submissions/{made}/reading.json").json()
    assert (page["blind"], page["impression"]) == (False, "a round shadow")
    assert [one["state"] for one in page["items"]] == ["done"]
    assert browser.get(f"/submissions/{made}/reading.json").json()["blind"] is False


def test_what_a_steward_reads_of_people_is_codes(site: Site, tmp_path: Path) -> None:
    browser = site.someone("coded")
    site.given(browser, scans(tmp_path / "in", 1))
    steward = site.account(Role.STEWARD)
    for page in ("people", "policies", "accounts", "scoreboard", "log", "health", "quarantine"):
        told = steward.get(f"/steward/{page}.json")
        assert told.status_code == 200, page
        assert "IM0000" not in told.text
        assert steward.get(f"/steward/{page}").status_code == 200
    rows = steward.get("/steward/people.json").json()["people"]
    mine = next(row for row in rows if row["person"] == site.people["coded"])
    assert mine["agreed"] == ["care"]
    assert steward.get("/steward/log.json").json()["verified"] is True


def test_policies_are_published_and_their_changes_are_shown(tmp_path: Path) -> None:
    site = Site(tmp_path)
    steward = site.account(Role.STEWARD)
    first = site.publish()
    changed = {"document": json.dumps({"name": "imaging", "version": 2})}
    assert steward.post("/steward/policies", json=changed, headers=JSON).status_code == 422
    from web_fixtures import POLICY  # noqa: PLC0415  # beside its one use

    wider = {**POLICY, "version": 2, "previous": first, "commercial_use": True}
    told = steward.post("/steward/policies", json={"document": json.dumps(wider)}, headers=JSON)
    assert told.status_code == 200, told.text
    newest = steward.get("/steward/policies.json").json()["versions"][0]
    assert (newest["effect"], newest["carries_consent"]) == ("widening", False)
    assert [change["field"] for change in newest["changes"]] == ["commercial_use"]
    browser = site.someone()
    stale = browser.post("/parcels", json={"policy": first, "agree": ["care"]}, headers=JSON)
    assert stale.status_code == 422
    site.close()
