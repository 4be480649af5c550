"""Lab results on the page: read, shown as a table, asked about, taken back."""

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from PIL import Image
from sqlalchemy import select

from lab_fixtures import HL7, NEEDLES, fhir, observation, paper, table
from safelight.consent.roles import Role
from safelight.readers.labs import LabReport, read
from safelight.reports.ask import Known, gather
from safelight.store.schema.consent import artefacts
from safelight.store.schema.vault import objects
from safelight.web import labs
from test_labs_paper import LETTERHEAD, ROWS, photo_of, scan_of
from web_fixtures import JSON, Site, scans

RESULTS = table(
    "Patient;JANE ROE;;",
    "Haemoglobin;11.2;g/dL;12.0-15.5",
    "Potassium;4.20;mmol/L;3.5-5.1",
    "Platelets;clumped Roe;10*3/uL;150-400",
    "Sodium;118;mmol/L;135-145",
    "Ferritin;41;ng/mL;",
)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    made = Site(tmp_path_factory.mktemp("labs"))
    made.publish()
    yield made
    made.close()


def given(site: Site, folder: Path, **files: bytes) -> tuple[TestClient, str]:
    """Let a new person hand files in; return their browser and the submission."""
    browser = site.someone()
    paths = []
    for name, data in files.items():
        paths.append(folder / name.replace("_", "."))
        paths[-1].write_bytes(data)
    return browser, site.given(browser, paths)


def shown(browser: TestClient, made: str) -> list[dict[str, Any]]:
    told = browser.get(f"/submissions/{made}/reading", headers=JSON)
    assert told.status_code == 200
    return list(told.json()["items"])


def test_a_table_is_shown_with_flags_ranges_and_what_was_not_read(
    site: Site, tmp_path: Path
) -> None:
    browser, made = given(site, tmp_path, results_csv=RESULTS)
    (one,) = shown(browser, made)
    assert (one["state"], one["kind"], one["answers"]) == ("done", "lab results", [])
    rows = {row["name"]: row for row in one["labs"]["rows"]}
    low = rows["Haemoglobin"]
    assert (low["value"], low["unit"], low["flag"], low["outside"]) == ("11.2", "g/dL", "low", True)
    assert (low["low"], low["high"], low["basis"]) == (12.0, 15.5, "printed")
    assert rows["Potassium"]["flag"] == "within"
    assert rows["Potassium"]["value"] == "4.20"  # as it is printed
    assert rows["Sodium"]["urgent"] is True
    assert rows["Ferritin"]["flag"] in ("no-range", "withheld")
    reasons = {each["reason"] for each in one["labs"]["unread"]}
    assert "the result is not a number that can be read for certain" in reasons
    assert "LOINC" in one["labs"]["notice"]
    page = browser.get(f"/submissions/{made}/reading").text
    assert "below the range" in page
    assert "inside the range" in page
    assert "were not read" in page or "was not read" in page
    assert page.count('class="range"') == sum(
        row["low"] is not None or row["high"] is not None for row in one["labs"]["rows"]
    )
    assert "style=" not in page  # the policy of the page allows none
    assert 'role="alert"' in page  # sodium
    for needle in NEEDLES:
        assert needle not in page


def test_what_the_report_marks_as_critical_is_an_alert(site: Site, tmp_path: Path) -> None:
    data = (
        b"test,value,flag,unit,range\nLactate,9.0,HH,mmol/L,0.5-2.2\nSodium,140,,mmol/L,135-145\n"
    )
    browser, made = given(site, tmp_path, marked_csv=data)
    (one,) = shown(browser, made)
    assert [(row["marked"], row["urgent"]) for row in one["labs"]["rows"]] == [
        (True, True),
        (False, False),
    ]
    page = f"/submissions/{made}/reading"
    told = {
        language: browser.get(page, headers={"Accept-Language": language}).text
        for language in ("en", "de", "es")
    }
    assert "The report itself marks" in told["en"]
    assert "Der Bericht selbst kennzeichnet" in told["de"]
    assert "El propio informe señala" in told["es"]


def test_numbers_and_words_follow_the_language(site: Site, tmp_path: Path) -> None:
    browser, made = given(site, tmp_path, results_csv=RESULTS)
    german = browser.get(f"/submissions/{made}/reading", headers={"Accept-Language": "de"}).text
    assert "4,20 mmol/L" in german
    assert "Hämoglobin" in german
    assert "unter dem Bereich" in german
    spanish = browser.get(f"/submissions/{made}/reading", headers={"Accept-Language": "es"}).text
    assert "Hemoglobina" in spanish


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("hl7", HL7),
        (
            "json",
            fhir(observation("718-7", "13.5", "g/dL"), observation("2823-3", "4.1", "mmol/L")),
        ),
        ("pdf", paper(("Haemoglobin", "13.5", "g/dL", "12.0-15.5"))),
        ("scan", scan_of(paper(LETTERHEAD[0], *ROWS[1:4]))),
        ("jpg", photo_of(paper(LETTERHEAD[0], *ROWS[1:4]))),
    ],
)
def test_every_form_of_a_report_gives_rows(
    site: Site, tmp_path: Path, name: str, data: bytes
) -> None:
    browser, made = given(site, tmp_path, **{f"file_{name}": data})
    (one,) = shown(browser, made)
    assert one["kind"] == "lab results"
    assert "Haemoglobin" in {row["name"] for row in one["labs"]["rows"]}
    item = browser.get(f"/submissions/{made}/items/0", headers=JSON).json()
    assert item["item"]["state"] == "done"
    for address in (f"/submissions/{made}/items/0", f"/submissions/{made}/reading"):
        text = browser.get(address).text
        assert not [needle for needle in NEEDLES if needle in text]


def test_a_photograph_that_was_held_is_its_results_and_no_broken_picture(
    site: Site, tmp_path: Path
) -> None:
    shot = Image.open(io.BytesIO(photo_of(paper(LETTERHEAD[0], *ROWS[1:4]))))
    held = io.BytesIO()
    shot.save(held, "TIFF", tiffinfo={270: "Aperio Image Library"})  # slide scans are never cleaned
    browser, made = given(site, tmp_path, page_tif=held.getvalue())
    (one,) = shown(browser, made)
    assert "Haemoglobin" in {row["name"] for row in one["labs"]["rows"]}
    page = browser.get(f"/submissions/{made}/items/0", headers=JSON).json()
    assert page["item"]["state"] == "done"
    assert page["pictures"] is None
    (note,) = page["notes"]
    assert "numbers, units and our own words" in note


def test_what_comes_out_of_a_table_names_nobody(site: Site, tmp_path: Path) -> None:
    browser, made = given(site, tmp_path, results_csv=RESULTS)
    person = list(site.people.values())[-1]
    vault = site.desk.house.vault
    for kind in ("deidentified", "labs", "reading"):
        data = b"".join(vault.get(person, kind, f"{made}-0")).decode()
        assert not [needle for needle in NEEDLES if needle in data]
    out = json.loads(b"".join(vault.get(person, "deidentified", f"{made}-0")))
    assert (out["resourceType"], out["type"]) == ("Bundle", "collection")
    assert browser.get(f"/submissions/{made}", headers=JSON).json()["items"][0]["modality"] == "LAB"


def test_results_of_several_people_and_files_without_any_stay_where_they_are(
    site: Site, tmp_path: Path
) -> None:
    people = [{"resourceType": "Patient", "id": name, "name": [{"family": "Roe"}]} for name in "ab"]
    seen = [
        observation("718-7", "13.5", "g/dL", subject={"reference": f"Patient/{name}"})
        for name in "ab"
    ]
    browser, made = given(
        site,
        tmp_path,
        two_json=fhir(*people, *seen),
        none_csv=table("Haemoglobin;?;g/dL;12-15"),
        notes_txt=b"Dear Jane Roe, see you on Friday.",
    )
    told = browser.get(f"/submissions/{made}", headers=JSON).json()["items"]
    by_state = {each["label"]: (each["state"], each["problem"]["what"]) for each in told}
    assert by_state["two.json"] == ("quarantine", "it holds results of more than one person")
    assert by_state["none.csv"][1].startswith("it looks like lab results")
    assert by_state["notes.txt"] == ("quarantine", "it is of no kind that is handled")
    assert all(one["labs"] is None for one in shown(browser, made))


def test_questions_are_answered_from_lab_facts(site: Site, tmp_path: Path) -> None:
    browser, made = given(site, tmp_path, results_csv=RESULTS)
    asked = {"question": "Which results are out of range?"}
    told = browser.post(f"/submissions/{made}/ask", json=asked, headers=JSON).json()
    assert told["unanswered"] is False
    assert [name for name in told["sources"] if name.startswith("lab.r")]
    report = read(RESULTS)
    facts = {fact.text for fact in gather(Known(labs=report, page=True)).all}
    for one in told["sentences"]:
        assert one["facts"]
        assert one["text"] in facts or "lab." not in one["facts"][0]
    asked = {"question": "What was found in the picture?"}
    told = browser.post(f"/submissions/{made}/ask", json=asked, headers=JSON).json()
    pictures = [name for name in told["sources"] if name.startswith(("image.", "reader"))]
    assert set(pictures) <= {"image.none"}


def test_a_picture_and_results_in_one_submission_are_told_apart(site: Site, tmp_path: Path) -> None:
    browser = site.someone()
    path = tmp_path / "results.csv"
    path.write_bytes(RESULTS)
    made = site.given(browser, [*scans(tmp_path / "in", 1), path])
    told = shown(browser, made)
    assert sorted(one["labs"] is not None for one in told) == [False, True]
    asked = {"question": "Is my potassium low?"}
    told = browser.post(f"/submissions/{made}/ask", json=asked, headers=JSON).json()
    assert [name for name in told["sources"] if ".lab.r" in name]
    assert "labs.none" not in told["sources"]


def test_a_clinician_sees_results_after_their_own_impression(site: Site, tmp_path: Path) -> None:
    _, made = given(site, tmp_path, results_csv=RESULTS)
    clinician = site.account(Role.CLINICIAN)
    (one,) = shown(clinician, made)
    assert (one["state"], one["labs"]) == ("withheld", None)
    clinician.post(f"/submissions/{made}/impression", data={"words": "anaemia?"})
    (one,) = shown(clinician, made)
    assert one["labs"]["rows"]


def test_results_go_with_the_consent(site: Site, tmp_path: Path) -> None:
    browser, made = given(site, tmp_path, results_csv=RESULTS)
    person = list(site.people.values())[-1]
    store = site.desk.house.store
    mine = select(artefacts.c.kind).where(
        artefacts.c.person == person, artefacts.c.removed_at.is_(None)
    )
    with store.read() as conn:
        assert "labs" in set(conn.execute(mine).scalars())
    browser.post("/mine/withdraw", data={"purpose": "care"})
    site.work()
    with store.read() as conn:
        assert "labs" not in set(conn.execute(mine).scalars())
        left = select(objects.c.kind).where(objects.c.person == person, objects.c.kind == "labs")
        assert conn.execute(left).all() == []
    del made


@pytest.mark.parametrize("data", [RESULTS, HL7], ids=["table", "message"])
def test_a_report_comes_back_from_the_vault_as_it_went_in(data: bytes) -> None:
    before = read(data)
    after = labs.loads(labs.dumps(before))
    assert labs.dumps(after) == labs.dumps(before)
    assert labs.view(after) == labs.view(before)

    def told(report: LabReport) -> list[Any]:
        return list(gather(Known(labs=report, page=True)).all)

    assert told(after) == told(before)
