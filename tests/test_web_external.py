"""Results of other systems: for clinicians, after their own view, marked, and cleaned."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pydicom.data
import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from safelight.consent.roles import Role
from safelight.store.schema.consent import artefacts
from web_fixtures import JSON, Site, scans

TOLD = "Patient Jane Roe, born 12.03.1961: nodule of 8 mm in the right upper lobe.\nScore 0.83"
REPORT = {
    "resourceType": "Bundle",
    "entry": [
        {"resource": {"resourceType": "Patient", "name": [{"family": "Roe"}]}},
        {
            "resource": {
                "resourceType": "DiagnosticReport",
                "code": {"text": "CT chest"},
                "conclusion": "No pleural effusion. Seen by Dr Roe.",
                "subject": {"display": "Jane Roe"},
            }
        },
        {
            "resource": {
                "resourceType": "Observation",
                "code": {"coding": [{"display": "nodule"}]},
                "valueQuantity": {"value": 8, "unit": "mm"},
            }
        },
    ],
}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    made = Site(tmp_path_factory.mktemp("external"))
    made.publish()
    yield made
    made.close()


def read(browser: TestClient, made: str) -> Any:
    return browser.get(f"/submissions/{made}/reading", headers=JSON).json()


def add(browser: TestClient, made: str, words: str, form: str = "text") -> int:
    body = {"source": "LungFinder 2", "form": form, "words": words}
    return browser.post(f"/submissions/{made}/external", json=body, headers=JSON).status_code


def test_a_clinician_hands_in_what_another_system_said_after_their_own_view(
    site: Site, tmp_path: Path
) -> None:
    owner = site.someone()
    made = site.given(owner, scans(tmp_path / "in", 1))
    clinician, other = site.account(Role.CLINICIAN), site.account(Role.CLINICIAN)
    assert add(clinician, made, TOLD) == 409  # first their own view
    assert add(owner, made, TOLD) == 403
    for each in (clinician, other):
        assert "other systems" not in each.get(f"/submissions/{made}/reading").text
        each.post(f"/submissions/{made}/impression", data={"words": "a nodule"})
    assert add(clinician, made, TOLD) == 200
    assert add(clinician, made, json.dumps(REPORT), "fhir") == 200
    text, fhir = read(other, made)["external"]
    assert (text["form"], text["shortened"], text["n"]) == ("text", True, None)
    assert text["at"]
    assert text["by"].startswith("account:")
    assert "nodule of 8 mm in the right upper lobe" in text["lines"][0]
    assert fhir["lines"][1:] == ["nodule: 8 mm"]
    assert "No pleural effusion" in fhir["lines"][0]
    page = other.get(f"/submissions/{made}/reading").text
    assert "This is not from Safelight" in page
    for needle in ("Roe", "Jane"):
        assert needle not in page
    assert not re.search(r"\b1961\b", page)  # times and ids hold these digits by chance
    assert read(owner, made)["external"] == []  # it is no answer to the person


@pytest.mark.parametrize(
    ("words", "form"),
    [("Jane Roe", "text"), ("{", "fhir"), ("[]", "fhir"), ('{"resourceType": "Patient"}', "fhir")],
)
def test_what_says_nothing_is_not_kept(site: Site, tmp_path: Path, words: str, form: str) -> None:
    made = site.given(site.someone(), scans(tmp_path / "in", 1))
    clinician = site.account(Role.CLINICIAN)
    clinician.post(f"/submissions/{made}/impression", data={"words": "x"})
    assert add(clinician, made, words, form) == 422
    assert read(clinician, made)["external"] == []


def test_a_report_that_came_with_the_study_is_shown(site: Site, tmp_path: Path) -> None:
    path = tmp_path / "report.dcm"
    path.write_bytes(Path(pydicom.data.get_testdata_file("test-SR.dcm")).read_bytes())
    made = site.given(site.someone(), [path])
    clinician = site.account(Role.CLINICIAN)
    assert read(clinician, made)["external"] == []
    clinician.post(f"/submissions/{made}/impression", data={"words": "x"})
    (one,) = read(clinician, made)["external"]
    assert (one["form"], one["n"], one["source"]) == ("sr", 0, "")
    assert any("mass" in line for line in one["lines"])
    assert "A report that came along" in clinician.get(f"/submissions/{made}/reading").text


def test_it_goes_with_the_consent(site: Site, tmp_path: Path) -> None:
    owner = site.someone("goes")
    made = site.given(owner, scans(tmp_path / "in", 1))
    clinician = site.account(Role.CLINICIAN)
    clinician.post(f"/submissions/{made}/impression", data={"words": "x"})
    assert add(clinician, made, TOLD) == 200
    mine = select(artefacts.c.kind).where(
        artefacts.c.person == site.people["goes"], artefacts.c.removed_at.is_(None)
    )
    with site.desk.house.store.read() as conn:
        assert "external" in conn.execute(mine).scalars().all()
    owner.post("/mine/withdraw", data={"purpose": "care"})
    assert add(clinician, made, TOLD) == 403
    site.work()
    with site.desk.house.store.read() as conn:
        assert conn.execute(mine).scalars().all() == []
