"""Pages that wait go on by themselves without a script, and no longer than they wait."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from safelight.web.models import SubmissionPage
from safelight.web.render import _environment
from web_fixtures import JSON, Site, scans

AGAIN = '<noscript><meta http-equiv="refresh"'


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    made = Site(tmp_path_factory.mktemp("site"))
    made.publish()
    yield made
    made.close()


def head(text: str) -> str:
    return text.partition("</head>")[0]


def test_a_submission_and_its_files_are_looked_at_again_until_they_are_through(
    site: Site, tmp_path: Path
) -> None:
    browser = site.someone()
    made = site.give(browser, scans(tmp_path / "in", 1))
    address = f"/submissions/{made}"
    assert AGAIN in head(browser.get(address).text)
    assert AGAIN in head(browser.get(f"/parcels/{made}").text)
    site.work()
    for path in (address, f"{address}/items/0", f"{address}/reading", f"/parcels/{made}"):
        assert "refresh" not in browser.get(path).text, path
    box = {"x": "2", "y": "3", "w": "9", "h": "9", "scope": "item"}
    assert browser.post(f"{address}/items/0/masks", data=box, headers=JSON).status_code == 200
    for path in (address, f"{address}/items/0"):
        assert AGAIN in head(browser.get(path).text), path


def test_a_withdrawal_is_looked_at_again_until_it_is_done(site: Site, tmp_path: Path) -> None:
    browser = site.someone()
    site.given(browser, scans(tmp_path / "in", 1))
    asked = {"purpose": "*", "sure": "yes"}
    to = browser.post("/mine/withdraw", data=asked, headers=JSON).json()["to"]
    page = browser.get(to).text
    assert AGAIN in head(page)
    assert "hx-get" in page
    site.work()
    page = browser.get(to).text
    assert "It is gone" in page
    assert "refresh" not in page
    assert "hx-get" not in page


def test_what_failed_is_not_waited_for() -> None:
    fields = {
        "id": "0" * 32,
        "person": "1" * 32,
        "made": "2026-01-01T00:00:00Z",
        "purpose": "care",
        "items": [],
        "progress": 0,
        "total": 3,
        "mine": True,
        "may": [],
        "notes": ["there is no room left"],
    }
    for state, waits in (("failed", False), ("sent", True), ("working", True), ("done", False)):
        page = SubmissionPage.model_validate({**fields, "state": state})
        me = {"language": "en", "signed_in": True, "desktop": True, "person": "", "roles": []}
        made = _environment("en").get_template("submission.html")
        told = made.render(page=page, me=me, path="/x")
        assert (AGAIN in told) is waits
        assert ("hx-get" in told) is waits
        assert ("We could not take it" in told) is (state == "failed")
        assert len(re.findall(r"<h1>", told)) == 1
