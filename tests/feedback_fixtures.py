"""Cases, clinicians and readings that the tests of feedback share."""

import hashlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from consent_fixtures import open_custody, publish, say
from safelight.consent.custody import Custody
from safelight.consent.roles import Role
from safelight.feedback import Book, Entry, Facts, Limits, Verdict, Voice
from safelight.readers.reading import (
    Answer,
    Code,
    Finding,
    KindAnswer,
    Reading,
    State,
    ViewKind,
)
from safelight.store import Store

OPACITY = Code(scheme="SCT", value="128477000", meaning="Opacity")
ABOUT = "SCT:128477000"
STEWARD = "steward:1"


def picture(seed: int) -> NDArray[np.uint8]:
    """Return a smooth picture of its own for each number."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (12, 12))
    return np.kron(coarse, np.ones((8, 8))).astype(np.uint8)


def reading(
    number: int, answer: Answer = Answer.SEEN, *, version: str = "1", **more: Any
) -> Reading:
    """Return what one reader says of one image."""
    finding = Finding(
        reader="chest-opacity",
        version=version,
        card="c" * 64,
        state=State.VALIDATED,
        finding=OPACITY,
        answer=answer,
        **{"alpha": 0.1, "p_seen": 0.5, "p_not_seen": 0.05, "score": 0.4} | more,
    )
    kind = ViewKind.CHEST_XRAY_FRONTAL
    return Reading(
        source=hashlib.blake2b(str(number).encode(), digest_size=32).hexdigest(),
        software="1.0",
        kind=KindAnswer(kind=kind, by_header=kind, by_pixels=kind, distance=0.1, why=""),
        findings=(finding,),
    )


class Clinic:
    """A store with people who agreed, clinicians with their role, and a book."""

    def __init__(self, store: Store, *, clinicians: int = 3, limits: Limits | None = None) -> None:
        self.custody: Custody = open_custody(store)
        self.policy = publish(self.custody)
        self.custody.accesses.bootstrap(STEWARD)
        self.clinicians = [f"clinician:{n}" for n in range(clinicians)]
        for account in self.clinicians:
            self.custody.accesses.give(account, Role.CLINICIAN, by=STEWARD)
        self.book = Book(self.custody, limits=limits)
        self.people: dict[str, str] = {}

    def person(self) -> str:
        """Add a person who agrees to be read and to teach, with an account of their own."""
        person = str(self.custody.vault.create_person())
        for purpose in ("care", "train-a-model"):
            say(self.custody, person, purpose, policy=self.policy)
        self.custody.accesses.give(f"person:{person}", Role.PERSON, by=STEWARD, person=person)
        return person

    def case(
        self,
        number: int,
        answer: Answer = Answer.SEEN,
        *,
        person: str = "",
        facts: Facts | None = None,
        look: int | None = None,
        **more: Any,
    ) -> str:
        """Register an image of a new person, or of this one."""
        return self.book.register(
            person or self.person(),
            reading(number, answer, **more),
            purpose="care",
            policy=self.policy,
            picture=picture(number if look is None else look),
            facts=facts,
        )

    def says(self, account: str, case: str, truth: str, **more: Any) -> Entry:
        """Let a clinician read blind, see the answer, and say what holds."""
        with self.custody.store.read() as conn:
            before = self.book.impression(conn, account, case, ABOUT)
        if not before:
            self.book.impress(account, case, ABOUT, more.pop("first", truth))
        told = self.book.uncover(account, case, ABOUT)[-1]
        right = told.answer == truth
        return self.book.give(
            account,
            case,
            ABOUT,
            Verdict.RIGHT if right else Verdict.NEEDS_WORK,
            voice=more.pop("voice", Voice.CLINICIAN),
            corrected="" if right else truth,
            **more,
        )

    def labels(self, **more: Any) -> dict[str, str]:
        """Return the confirmed labels by case."""
        with self.custody.store.read() as conn:
            return {one.case: one.value for one in self.book.labels(conn, **more)}
