"""A page over a house of its own: accounts of every role, people with submissions, no network."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pydicom
from fastapi.testclient import TestClient

from run_fixtures import planted
from safelight import settings
from safelight.consent.roles import Role
from safelight.pipeline.house import House, Places
from safelight.web.app import create
from safelight.web.desk import Desk, Options, server_actor
from safelight.web.rooms import Rooms
from safelight.web.worker import Chores

__all__ = ["CODE", "JSON", "PASSWORD", "POLICY", "Site", "burned", "scans"]

CODE = "code-of-the-first-run"
PASSWORD = "correct horse battery"  # noqa: S105  # of accounts that live for one test
JSON = {"Accept": "application/json"}
POLICY: dict[str, Any] = {
    "name": "imaging",
    "title": "Imaging research",
    "summary": "We read your images, and we learn from them if you like.",
    "withdrawal": "Press the button, at any time.",
    "jurisdiction": "DE",
    "controller": {"name": "Clinic", "address": "Street 1, Town", "contact": "a@example.org"},
    "purposes": ["care", "general-research", "train-a-model"],
    "recipients": ["Example University"],
    "regions": ["DE"],
    "data": ["images"],
    "retention_days": 3650,
}


def scans(folder: Path, count: int = 2) -> list[Path]:
    """Return planted CT slices: names, dates and numbers of an invented person are in them."""
    return sorted(each for each in planted(folder, count).rglob("*") if each.is_file())


def burned(path: Path, *, text: str = "DOE^JANE 1971-03-09") -> Path:
    """Write a small picture with writing in it; return its path."""
    import cv2  # noqa: PLC0415  # beside its one use
    import numpy as np  # noqa: PLC0415  # as above

    rng = np.random.default_rng(7)
    grey = rng.integers(40, 90, (256, 320), dtype=np.uint8)
    cv2.putText(grey, text, (12, 40), cv2.FONT_HERSHEY_SIMPLEX, 0.6, 250, 1, cv2.LINE_AA)
    done, data = cv2.imencode(".png", grey)
    assert done
    path.write_bytes(bytes(data))
    return path


@dataclass
class Site:
    """A page under test.

    Attributes:
        folder: Everything lies below it.
        desk: The house.
        rooms: What routes stand on.
        people: Code of a person by name.
        options: How it is run.
    """

    folder: Path
    options: dict[str, Any] = field(default_factory=dict)
    people: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.places = Places(
            data=str(self.folder / "data"), master_key=str(self.folder / "keys" / "master.key")
        )
        House.create(self.places).close()
        self.open()

    def open(self) -> None:
        """Open the house, again after a ``close``."""
        given = {
            "public_url": "http://testserver",
            "hosts": frozenset({"testserver"}),
            "token": CODE,
            "rate": 100_000,
            **self.options,
        }
        self.desk = Desk.open(self.places, Options(**given))
        self.rooms = Rooms(self.desk)
        self.app = create(self.desk, rooms=self.rooms)
        chosen = settings.Settings(key_file=str(self.folder / "keys" / "project.key"))
        self.chores = Chores(self.desk, chosen)

    def close(self) -> None:
        """Close the house."""
        self.desk.close()

    def anybody(self) -> TestClient:
        """Return a browser that is not signed in."""
        return TestClient(self.app, raise_server_exceptions=True)

    def publish(self, **changes: Any) -> str:
        """Publish the test policy, changed; return its hash."""
        book = self.desk.house.custody.consents
        return book.publish({**POLICY, **changes}, actor=server_actor())[0].hash

    def person(self, name: str = "") -> str:
        """Make a person; a name finds their code again."""
        code = str(self.desk.house.vault.create_person())
        self.people[name or code] = code
        return code

    def account(self, *roles: Role, person: str = "") -> TestClient:
        """Return a browser in which somebody with these roles is signed in."""
        made = self.rooms.accounts.create(roles, by=server_actor(), person=person)
        browser = self.anybody()
        browser.cookies.set(self.rooms.sessions.cookie, self.rooms.sessions.open(made.id, "link"))
        return browser

    def someone(self, name: str = "") -> TestClient:
        """Return a browser of a new person."""
        return self.account(Role.PERSON, person=self.person(name))

    def work(self) -> None:
        """Do what workers do until nothing waits."""
        while self.chores.round():
            pass

    def give(self, browser: TestClient, files: list[Path], agree: str = "care") -> str:
        """Hand files in with a plain form; return the submission."""
        page = browser.get("/", headers=JSON).json()
        told = browser.post(
            "/give",
            data={"policy": page["policy"]["hash"], "agree": agree},
            files=[("file", (one.name, one.read_bytes())) for one in files],
            headers=JSON,
        )
        assert told.status_code == 200, told.text
        return str(told.json()["id"])

    def given(self, browser: TestClient, files: list[Path]) -> str:
        """Hand files in and have them worked on; return the submission."""
        made = self.give(browser, files)
        self.work()
        return made

    def spread(self, name: str) -> dict[str, Any]:
        """Return the operations of the OpenAPI document, for a table of tests."""
        document = json.loads(self.anybody().get("/openapi.json").text)
        return dict(document[name])


def dataset(data: bytes) -> pydicom.Dataset:
    """Return a DICOM object from bytes."""
    import io  # noqa: PLC0415  # beside its one use

    return pydicom.dcmread(io.BytesIO(data))
