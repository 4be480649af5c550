"""The page of the reading: questions answered from facts, impressions first, feedback kept."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import update

from report_fixtures import NOT_SEEN, SEEN, SHADOWED, reading
from safelight.consent.roles import Role
from safelight.feedback.book import Book
from safelight.feedback.values import Basis, Entry, Verdict, Voice
from safelight.pipeline.submissions import object_name
from safelight.readers.reading import Reading
from safelight.readers.reading_json import dumps
from safelight.store.schema.web import items_seen
from safelight.web.reading import READING
from web_fixtures import JSON, Site, scans

ABOUT = "SCT:128601007"
WRITTEN = 'name="thoughts"'


@dataclass
class Ward:
    """A page where somebody handed scans in."""

    site: Site
    policy: str

    def given(self, folder: Path, *said: Reading) -> tuple[TestClient, str]:
        """Let a new person hand as many scans in, read like this; return browser and submission."""
        browser = self.site.someone()
        person = list(self.site.people.values())[-1]
        made = self.site.given(browser, scans(folder, max(1, len(said))))
        house = self.site.desk.house
        for n, one in enumerate(said):
            name = object_name(made, n)
            house.vault.delete(person, READING, name)
            house.vault.put(person, READING, name, [dumps(one)])
            case = Book(house.custody).register(person, one, purpose="care", policy=self.policy)
            this = (items_seen.c.submission == made, items_seen.c.position == n)
            with house.store.begin() as conn:
                conn.execute(update(items_seen).where(*this).values(noted=case))
        return browser, made

    def said(self, submission: str) -> list[Entry]:
        """Return the feedback on the first file of a submission."""
        case = self.site.rooms.items.seen(submission)[0].noted
        with self.site.desk.house.store.read() as conn:
            return Book(self.site.desk.house.custody).of(conn, case)


@pytest.fixture(scope="module")
def ward(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ward]:
    site = Site(tmp_path_factory.mktemp("ward"))
    yield Ward(site, site.publish())
    site.close()


def test_a_question_is_answered_from_facts_and_names_them(ward: Ward, tmp_path: Path) -> None:
    browser, made = ward.given(tmp_path, reading(SEEN, SHADOWED))
    asked = {"question": "What was found?"}
    told = browser.post(f"/submissions/{made}/ask", json=asked, headers=JSON).json()
    assert told["unanswered"] is False
    assert {"image.kind", "reader1.answer", "house.not-a-diagnosis"} <= set(told["sources"])
    by_fact = {one["facts"][0]: one["text"] for one in told["sentences"]}
    assert by_fact["reader1.answer"].endswith("It saw signs of opacity of the lung.")
    assert all(one["facts"] for one in told["sentences"])
    assert "uberculosis" not in str(told)  # a reader in shadow answers no person
    page = browser.post(f"/submissions/{made}/ask", data=asked).text
    assert by_fact["reader1.answer"] in page
    assert "reader1.answer" in page


def test_what_is_not_understood_gets_a_list_of_what_can_be_asked(
    ward: Ward, tmp_path: Path
) -> None:
    browser, made = ward.given(tmp_path, reading(NOT_SEEN))
    asked = {"question": "Quarterly turnips, sideways?"}
    told = browser.post(f"/submissions/{made}/ask", json=asked, headers=JSON).json()
    assert (told["unanswered"], told["sentences"], told["sources"]) == (True, [], [])
    assert len(told["menu"]) >= 5
    page = browser.post(f"/submissions/{made}/ask", data=asked).text
    offered = re.findall(r'name="question" value="([^"]+)"', page)
    assert len(offered) == len(told["menu"])
    for question in told["menu"]:  # each of them is one that can be answered
        again = browser.post(
            f"/submissions/{made}/ask", json={"question": question}, headers=JSON
        ).json()
        assert again["unanswered"] is False, question


def test_without_a_reading_no_finding_is_told(ward: Ward, tmp_path: Path) -> None:
    browser = ward.site.someone()
    made = ward.site.given(browser, scans(tmp_path / "in", 1))
    person = list(ward.site.people.values())[-1]
    ward.site.desk.house.vault.delete(person, READING, object_name(made, 0))
    for question in ("What was found?", "Is it normal?", "Do I have cancer?", "What is it?"):
        told = browser.post(
            f"/submissions/{made}/ask", json={"question": question}, headers=JSON
        ).json()
        facts = [name for name in told["sources"] if name.startswith(("image.", "reader", "file"))]
        assert set(facts) <= {"image.none"}, question


def test_files_that_differ_are_told_apart(ward: Ward, tmp_path: Path) -> None:
    browser, made = ward.given(tmp_path, reading(SEEN), reading(NOT_SEEN, quality=()))
    told = browser.post(
        f"/submissions/{made}/ask", json={"question": "What was found?"}, headers=JSON
    ).json()
    assert {"file1.reader1.answer", "file2.reader1.answer"} <= set(told["sources"])
    texts = {one["facts"][0]: one["text"] for one in told["sentences"]}
    assert texts["file1.reader1.answer"].startswith("File 1: ")
    assert "was not seen" in texts["file2.reader1.answer"]


def test_consents_are_told_to_the_person_alone(ward: Ward, tmp_path: Path) -> None:
    browser, made = ward.given(tmp_path, reading(SEEN))
    asked = {"question": "What did I agree to?"}
    told = browser.post(f"/submissions/{made}/ask", json=asked, headers=JSON).json()
    assert "consent.1" in told["sources"]
    assert "You agreed to this" in told["answer"]
    assert "command" not in told["answer"]
    clinician = ward.site.account(Role.CLINICIAN)
    told = clinician.post(f"/submissions/{made}/ask", json=asked, headers=JSON).json()
    assert (told["unanswered"], told["sentences"]) == (True, [])  # before their own impression
    words = {"words": "a shadow on the left"}
    assert clinician.post(f"/submissions/{made}/impression", data=words).status_code == 200
    told = clinician.post(f"/submissions/{made}/ask", json=asked, headers=JSON).json()
    assert "consent.1" not in told["sources"]
    assert "consent.unknown" in told["sources"]


def test_a_person_says_that_an_answer_needs_work(ward: Ward, tmp_path: Path) -> None:
    browser, made = ward.given(tmp_path, reading(SEEN))
    page = browser.get(f"/submissions/{made}/reading").text
    assert f'action="/submissions/{made}/feedback"' in page
    form = {"n": "0", "reader": "chest-opacity", "verdict": "wrong", "says": "not seen"}
    told = browser.post(f"/submissions/{made}/feedback", data=form, follow_redirects=False)
    assert told.status_code == 303
    (entry,) = ward.said(made)
    assert (entry.voice, entry.basis) == (Voice.PERSON, Basis.FOLLOW_UP)
    assert (entry.verdict, entry.shown, entry.truth) == (Verdict.NEEDS_WORK, "seen", "not seen")


def test_a_clinician_is_asked_first_and_then_heard(ward: Ward, tmp_path: Path) -> None:
    browser, made = ward.given(tmp_path, reading(SEEN))
    clinician = ward.site.account(Role.CLINICIAN)
    form = {"n": "0", "reader": "chest-opacity", "verdict": "right"}
    early = clinician.post(f"/submissions/{made}/feedback", data=form, headers=JSON)
    assert early.status_code == 403
    assert ward.said(made) == []
    page = clinician.get(f"/submissions/{made}/reading").text
    assert f'action="/submissions/{made}/impression"' in page
    assert WRITTEN in page
    assert "Opacity of the lung" in page  # what is asked; not what was answered
    assert "It saw signs" not in page
    assert f'action="/submissions/{made}/feedback"' not in page
    assert WRITTEN not in browser.get(f"/submissions/{made}/reading").text
    thought = {"words": "a shadow on the left", "thoughts": f"0|{ABOUT}|seen"}
    assert clinician.post(f"/submissions/{made}/impression", data=thought).status_code == 200
    page = clinician.get(f"/submissions/{made}/reading").text
    assert WRITTEN not in page
    assert f'action="/submissions/{made}/feedback"' in page
    told = clinician.post(f"/submissions/{made}/feedback", data=form, headers=JSON)
    assert told.status_code == 200, told.text
    (entry,) = ward.said(made)
    assert (entry.voice, entry.verdict, entry.truth) == (Voice.CLINICIAN, Verdict.RIGHT, "seen")
    assert entry.swayed is False
    assert entry.weight == 1.0
