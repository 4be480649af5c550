"""Breaking the glass: an hour of looking, with a reason that the person reads, and nothing else."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from safelight.consent.decision import Said
from safelight.consent.roles import Role
from safelight.errors import ConsentDeniedError
from safelight.store.schema.consent import artefacts
from safelight.web.desk import server_actor
from web_fixtures import JSON, Site, scans

WHY = "unconscious after a fall, earlier scans are needed"


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    made = Site(tmp_path / "house")
    made.publish()
    yield made
    made.close()


def refuse_care(site: Site, person: str) -> str:
    """Let a person say no to care from now on, without taking back what was made."""
    custody = site.desk.house.custody
    with custody.store.begin() as conn:
        policy = custody.consents.policy(conn, "imaging").hash
        custody.consents.record(
            conn, person=person, purpose="care", said=Said.REFUSE, actor=server_actor()
        )
    return policy


def declare(browser: TestClient, person: str, **more: str) -> int:
    form = {"person": person, "reason": WHY, "sure": "yes", **more}
    return browser.post("/emergency", data=form, headers=JSON).status_code


def test_a_clinician_looks_for_an_hour_and_the_person_reads_why(
    site: Site, tmp_path: Path, later: list[timedelta]
) -> None:
    owner = site.someone("Jane")
    person = site.people["Jane"]
    made = site.given(owner, scans(tmp_path / "in", 1))
    refuse_care(site, person)
    clinician, other = site.account(Role.CLINICIAN), site.account(Role.CLINICIAN)
    more = ("", "/items/0", "/items/0/frames/0.png", "/reading")
    pages = [f"/submissions/{made}{each}" for each in more]
    listed = f"/submissions?person={person}"
    assert {clinician.get(page).status_code for page in (*pages, listed)} == {403}
    assert "Open the images" in clinician.get("/emergency").text
    assert declare(clinician, person, sure="") == 422
    assert declare(clinician, person, reason="   ") == 403
    assert clinician.get(pages[0]).status_code == 403
    assert declare(clinician, person) == 200
    assert {clinician.get(page).status_code for page in (*pages, listed)} == {200}
    assert other.get(pages[0]).status_code == 403  # it is theirs alone
    assert person in clinician.get("/emergency").text
    told = owner.get("/mine", headers=JSON).json()["seen"]
    glass = [row for row in told if row["broke_glass"] and row["allowed"]]
    assert {(row["claim"], row["role"], row["act"]) for row in glass} == {
        (WHY, "clinician", "see-derived")
    }
    assert len(glass) >= 2  # the declaration, and the look
    page = owner.get("/mine").text
    assert "opened your images in an emergency" in page
    assert WHY in page
    later.append(timedelta(minutes=61))
    assert clinician.get(pages[0]).status_code in (401, 403)
    assert site.desk.house.custody.log.verify().problems == ()


def test_looking_is_all_that_it_gives(site: Site, tmp_path: Path) -> None:
    owner = site.someone("Jane")
    person = site.people["Jane"]
    made = site.given(owner, scans(tmp_path / "in", 1))
    policy = refuse_care(site, person)
    for role in (Role.CLINICIAN, Role.STEWARD):
        browser = site.account(role)
        assert declare(browser, person) == 200
        reading = browser.get(f"/submissions/{made}/reading", headers=JSON).json()
        assert (reading["blind"], reading["may"]) == (False, [])
        for path, body in (
            ("impression", {"words": "a shadow"}),
            ("feedback", {"n": 0, "reader": "kind", "verdict": "right"}),
            ("ask", {"question": "what is it?"}),
        ):
            told = browser.post(f"/submissions/{made}/{path}", json=body, headers=JSON)
            assert told.status_code == 403, path
        assert browser.get(f"/submissions/{made}/items/0/before/0.png").status_code == 403
    custody = site.desk.house.custody
    for purpose in ("care", "general-research", "train-a-model"):
        with custody.store.begin() as conn, pytest.raises(ConsentDeniedError):
            custody.lineage.record(
                conn, person=person, kind="report", name="r", purpose=purpose, policy=policy
            )
    with custody.store.read() as conn:
        kinds = set(conn.execute(select(artefacts.c.kind)).scalars())
    assert not kinds & {"feature", "contribution", "report", "model"}


def test_what_was_taken_back_stays_closed(site: Site, tmp_path: Path) -> None:
    owner = site.someone("Jane")
    person = site.people["Jane"]
    made = site.given(owner, scans(tmp_path / "in", 1))
    clinician = site.account(Role.CLINICIAN)
    assert declare(clinician, person) == 200
    owner.post("/mine/withdraw", data={"purpose": "care"})
    assert clinician.get(f"/submissions/{made}").status_code == 403  # though the hour lasts
    assert declare(clinician, person) == 403
    assert declare(clinician, "0" * 32) == 403  # nobody of this code


@pytest.mark.parametrize("role", [Role.AUDITOR, Role.RESEARCHER, Role.OPERATOR])
def test_other_roles_have_no_such_key(site: Site, role: Role) -> None:
    site.someone("Jane")
    browser = site.account(role)
    assert declare(browser, site.people["Jane"]) == 403
    assert browser.get("/emergency").status_code == 403
