"""Sixty invented people teach a head and two take it back: the whole story, with its proofs.

Pictures are drawn here: chests with ribs, some with an opacity. People give them with consent,
three clinicians say where the reader is right and where it needs work, the head gets better on
pictures nobody gave, two people leave, and the ledger's hash is that of one trained without them.
Writes ``build/demo-learning/story.html`` and the receipts beside it. Exit code 1 when anything of
it does not hold.
"""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # before numpy

import hashlib
import shutil
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.console import Console

from learning_page import page
from learning_pictures import Picture, pictures
from safelight.consent.decision import Said
from safelight.consent.receipts import of_withdrawal
from safelight.consent.roles import Role
from safelight.feedback import Book, Limits, Verdict, Voice
from safelight.feedback.scoreboard import Scoreboard
from safelight.learning.examples import Base, Examples, role_of
from safelight.learning.gather import gather, keep_features
from safelight.learning.ledgers import Ledgers
from safelight.learning.publish import Publisher
from safelight.learning.verify import serve, verify
from safelight.learning.versions import Version
from safelight.pipeline.house import House, Places
from safelight.readers.features import VERSION, features
from safelight.readers.head import Head, Recipe, solve
from safelight.readers.reading import (
    Answer,
    Code,
    Finding,
    KindAnswer,
    Reading,
    State,
    ViewKind,
)
from safelight.readers.statistics import Statistics
from safelight.tlog import receipt

HOME = Path(__file__).resolve().parents[1] / "build" / "demo-learning"
PEOPLE, EACH, PUBLIC, HELD_OUT = 60, 3, 24, 150
EVERY = 16  # of the features: few people give, so the head looks at few
NAME = "demo-opacity"
CLASSES = ("not seen", "seen")
OPACITY = Code(scheme="SCT", value="128477000", meaning="Opacity")
ABOUT = "SCT:128477000"
TRAIN, CARE = "train-a-model", "care"
RECIPE = Recipe(ridge=1.0)
MISTAKES = 0.04  # of a clinician
POLICY = {
    "name": "demo",
    "title": "Reading chests, and learning from them",
    "summary": "We read your pictures, and a head learns from them if you like.",
    "withdrawal": "Say so at any time.",
    "jurisdiction": "DE",
    "controller": {"name": "Demo clinic", "address": "Street 1", "contact": "a@example.org"},
    "purposes": [CARE, TRAIN],
    "recipients": [],
    "regions": ["DE"],
    "data": ["images"],
    "retention_days": 30,
    "grace_days": 30,
    "conditions": [],
}


@dataclass
class Story:
    """What happened, for the page."""

    console: Console
    steps: list[tuple[str, str]] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)

    def tell(self, title: str, text: str) -> None:
        """Add a step."""
        self.steps.append((title, text))
        self.console.print(f"[bold]{title}[/bold]: {text}")

    def check(self, what: str, holds: object) -> str:
        """Note whether something holds."""
        if not holds:
            self.failed.append(what)
            self.console.print(f"[red]does not hold: {what}[/red]")
        return f"{what}: {'yes' if holds else 'NO'}"


@dataclass(frozen=True)
class Given:
    """One picture that a person gave."""

    person: str
    picture: Picture
    features: NDArray[np.int16]
    digest: str
    case: str = ""


def seen_by(picture: Picture) -> NDArray[np.int16]:
    """Return the features that the demo's head looks at."""
    return features(picture.pixels)[::EVERY]


def start() -> tuple[Base, list[Picture], NDArray[np.int16]]:
    """Return the public start, and held-out pictures with their features."""
    public = pictures(2 * PUBLIC, 11)
    rows = np.stack([seen_by(one) for one in public])
    labels = [CLASSES[one.has_it] for one in public]
    nothing = Statistics.empty(f"{VERSION}/{EVERY}", CLASSES, rows.shape[1])
    ids = [f"public-{one}" for one in range(PUBLIC)]
    base = Base(
        statistics=nothing.of(rows[:PUBLIC], labels[:PUBLIC]),
        examples=Examples.of(ids, ids, labels[PUBLIC:], rows[PUBLIC:]),
    )
    held = pictures(HELD_OUT, 12)
    return base, held, np.stack([seen_by(one) for one in held])


def right(head: Head, rows: NDArray[np.int16], held: list[Picture]) -> float:
    """Return the share of held-out pictures that a head is right about."""
    truth = np.array([one.has_it for one in held])
    return float(((head.score(rows) > 0) == truth).mean())


def reading(head: Head, version: str, one: Given) -> Reading:
    """Return what a head says of a picture."""
    score = float(head.score(one.features)[0])
    finding = Finding(
        reader=NAME,
        version=version,
        card="d" * 64,
        state=State.VALIDATED,
        finding=OPACITY,
        answer=Answer.SEEN if score > 0 else Answer.NOT_SEEN,
        score=score,
    )
    kind = ViewKind.CHEST_XRAY_FRONTAL
    told = KindAnswer(kind=kind, by_header=kind, by_pixels=kind, distance=0.1, why="")
    return Reading(source=one.digest, software="demo", kind=told, findings=(finding,))


class Clinic:
    """The house of the demo, its people, clinicians and book."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.custody = house.custody
        self.custody.accesses.bootstrap("steward:demo")
        self.policy = self.custody.consents.publish(POLICY, actor="steward:demo")[0].hash
        self.clinicians = [f"clinician:{one}" for one in "abc"]
        for one in self.clinicians:
            self.custody.accesses.give(one, Role.CLINICIAN, by="steward:demo")
        self.book = Book(self.custody, limits=Limits(hour=5_000, day=5_000))

    def joins(self) -> str:
        """Add a person who agrees to be read and to teach."""
        person = str(self.custody.vault.create_person())
        with self.custody.store.begin() as conn:
            for purpose in (CARE, TRAIN):
                self.custody.consents.record(
                    conn,
                    person=person,
                    purpose=purpose,
                    said=Said.GRANT,
                    actor="desk:demo",
                    policy=self.policy,
                )
        return person

    def read(self, head: Head, version: str, one: Given) -> str:
        """Let a head read a picture, and keep what it said; return the case."""
        return self.book.register(
            one.person,
            reading(head, version, one),
            purpose=CARE,
            policy=self.policy,
            picture=one.picture.pixels,
        )

    def gives(self, person: str, picture: Picture, head: Head) -> Given:
        """Take in a picture: read it, and keep its features."""
        digest = hashlib.sha256(picture.pixels.tobytes()).hexdigest()
        one = Given(person, picture, seen_by(picture), digest)
        keep_features(
            self.custody,
            person=person,
            digest=digest,
            version=f"{VERSION}/{EVERY}",
            features=one.features,
            policy=self.policy,
        )
        return Given(person, picture, one.features, digest, self.read(head, "start", one))

    def corrects(self, account: str, one: Given, chance: np.random.Generator) -> None:
        """Let a clinician look blind, then say where the reader is right and where not."""
        truth = CLASSES[one.picture.has_it ^ (chance.random() < MISTAKES)]
        self.book.impress(account, one.case, ABOUT, truth)
        (told,) = self.book.uncover(account, one.case, ABOUT)
        agrees = told.answer == truth
        self.book.give(
            account,
            one.case,
            ABOUT,
            Verdict.RIGHT if agrees else Verdict.NEEDS_WORK,
            voice=Voice.CLINICIAN,
            corrected="" if agrees else truth,
        )

    def labels(self) -> list[Any]:
        """Return what is confirmed."""
        with self.custody.store.read() as conn:
            return list(self.book.labels(conn, NAME))

    def board(self) -> dict[str, Any]:
        """Return the scoreboard's rows of this reader, by version."""
        board = Scoreboard(self.custody, self.book)
        board.update()
        with self.custody.store.read() as conn:
            return {row.version: row for row in board.rows(conn) if row.reader == NAME}


def without(head: str, base: Base, given: list[Given], labels: list[Any]) -> str:
    """Return the hash of a ledger that was trained on these people alone, in another order."""
    told = {(one.person, one.digest): CLASSES[one.seen] for one in labels if one.confirmed}
    mine = [
        one
        for one in reversed(given)
        if (one.person, one.digest) in told and role_of(head, one.person) == "learn"
    ]
    sums = base.statistics
    for one in mine:
        sums = sums.add(one.features, [told[one.person, one.digest]])
    return sums.digest()


def leave(clinic: Clinic, person: str, purpose: str, path: Path) -> dict[str, Any]:
    """Let a person leave; return what the receipt says of the head, checked."""
    withdrawals = clinic.custody.withdrawals
    wanted = withdrawals.start(person, purpose, actor="person:demo")
    withdrawals.run(wanted)
    path.write_bytes(of_withdrawal(clinic.custody, wanted))
    told = receipt.verify(path.read_bytes(), clinic.custody.log.key)
    (model,) = [one for one in told.fields["artefacts"] if one["kind"] == "model"]
    return dict(model)


def in_service(clinic: Clinic) -> tuple[Version, Head]:
    """Return the version in service and its head."""
    with clinic.custody.store.read() as conn:
        found = serve(conn, clinic.custody.vault, NAME)
    assert found is not None  # noqa: S101  # a version was published just before
    return found[0], found[1].head


def gave(clinic: Clinic, story: Story, head: Head) -> list[Given]:
    """Let everybody give pictures, and clinicians say what they see."""
    drawn = iter(pictures(PEOPLE * EACH, 13))
    people = [clinic.joins() for _ in range(PEOPLE)]
    given = [clinic.gives(person, next(drawn), head) for person in people for _ in range(EACH)]
    story.tell("Given", f"{PEOPLE} invented people gave {len(given)} pictures, with consent")
    chance = np.random.default_rng(14)
    for number, one in enumerate(given):
        for turn in (0, 1):
            clinic.corrects(clinic.clinicians[(number + turn) % 3], one, chance)
    story.tell("Corrected", "two of three clinicians looked at each picture, blind first")
    return given


def tell(story: Story, clinic: Clinic) -> None:
    """Live through the story."""
    base, held, rows = start()
    before = solve(base.statistics, RECIPE)
    at_start = right(before, rows, held)
    story.tell("Start", f"taught {PUBLIC} public pictures; right about {at_start:.1%} of held out")
    given = gave(clinic, story, before)
    labels = clinic.labels()
    head = Ledgers(clinic.custody).open(NAME, base=base, recipe=RECIPE)
    added = gather(clinic.custody, NAME, labels)
    made = Publisher(clinic.custody.vault, clinic.custody.log).train(NAME)
    _, trained = in_service(clinic)
    after = right(trained, rows, held)
    text = f"{len(added.ids)} confirmed pictures; right about {after:.1%} of held out. "
    story.tell("Taught", text + story.check("the head got better", after > at_start))
    audit = made.card["audit"]
    story.tell("Audited", ", ".join(f"{name} {value}" for name, value in audit.items()))
    for one in given:
        clinic.read(trained, made.name[:12], one)
    board = clinic.board()
    shown = {name: row.whole for name, row in board.items()}
    moved = shown["start"].wrong > shown[made.name[:12]].wrong
    told = "; ".join(f"{name}: {one.right} right, {one.wrong} wrong" for name, one in shown.items())
    told += " (it was taught most of these; the share on held out is the fair one)"
    story.tell("Scoreboard", f"{told}. " + story.check("the scoreboard moved", moved))
    learners = [
        one for one in dict.fromkeys(g.person for g in given) if role_of(head, one) == "learn"
    ]
    leaving = {learners[0]: TRAIN, learners[1]: "*"}
    for number, (person, purpose) in enumerate(leaving.items(), 1):
        path = HOME / f"receipt-{number}.json"
        model = leave(clinic, person, purpose, path)
        what = "took back teaching" if purpose == TRAIN else "took back everything"
        story.tell(f"Person {number} {what}", f"before {model['before']}, after {model['after']}")
    version, _ = in_service(clinic)
    stayed = [one for one in given if one.person not in leaving]
    due = without(head, base, stayed, labels)
    same = story.check("the ledger is one trained without them", due == version.document["ledger"])
    story.tell("Forgotten", f"in service: version {version.version}, {due}. {same}")
    done = verify(clinic.custody, NAME)
    told = story.check("training again from what remains gives the same hashes", not done.problems)
    log = story.check("the transparency log verifies", not clinic.custody.log.verify().problems)
    story.tell("Verified", f"{told}; {log}")


def main() -> int:
    """Run the demo."""
    shutil.rmtree(HOME, ignore_errors=True)
    HOME.mkdir(parents=True)
    places = Places(
        data=str(HOME / "data"),
        master_key=str(HOME / "keys" / "master.key"),
        log_key=str(HOME / "keys" / "log.key"),
    )
    story = Story(Console())
    with House.create(places) as house:
        tell(story, Clinic(house))
    path = HOME / "story.html"
    path.write_text(page(story.steps, pictures(6, 13), not story.failed), encoding="utf-8")
    story.console.print(f"written: {path}")
    return int(bool(story.failed))


if __name__ == "__main__":
    sys.exit(main())
