"""Feedback is kept line by line, blind first, under the person's key, and is taken back whole."""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from consent_fixtures import publish
from feedback_fixtures import ABOUT, STEWARD, Clinic, picture, reading
from safelight.consent.decision import Said
from safelight.consent.roles import Role
from safelight.errors import (
    AccessDeniedError,
    BlindFirstError,
    ConsentDeniedError,
    FeedbackError,
    FeedbackLimitError,
    StoreError,
)
from safelight.feedback import Basis, Book, Box, Limits, Verdict, Voice
from safelight.feedback.looks import NEAR, groups, look
from safelight.readers.reading import Answer, ViewKind
from safelight.store import Store
from safelight.store.faults import planned
from safelight.tlog import Leaf

ONE, TWO, THREE = (f"clinician:{n}" for n in range(3))


@pytest.fixture
def lite(tmp_path: Path) -> Iterator[Store]:
    """Give an SQLite store, for what no database does differently."""
    with Store.at(tmp_path / "lite") as opened:
        yield opened


def test_a_clinician_sees_the_answer_only_after_their_own_impression(lite: Store) -> None:
    clinic = Clinic(lite)
    case = clinic.case(1)
    with pytest.raises(BlindFirstError):
        clinic.book.uncover(ONE, case, ABOUT)
    with pytest.raises(BlindFirstError):
        clinic.book.give(ONE, case, ABOUT, Verdict.RIGHT, voice=Voice.CLINICIAN)
    size = clinic.custody.log.size()
    clinic.book.impress(ONE, case, ABOUT, "not seen")
    assert clinic.custody.log.size() > size
    assert clinic.book.uncover(ONE, case, ABOUT)[0].answer == Answer.SEEN
    with pytest.raises(FeedbackError, match="stays as it is"):
        clinic.book.impress(ONE, case, ABOUT, "seen")
    entry = clinic.book.give(ONE, case, ABOUT, Verdict.RIGHT, voice=Voice.CLINICIAN)
    assert entry.swayed
    assert entry.weight == 0.5
    with pytest.raises(BlindFirstError):  # each looks for themselves
        clinic.book.uncover(TWO, case, ABOUT)
    with pytest.raises(BlindFirstError):  # and at each subject
        clinic.book.uncover(ONE, case, "kind")


def test_a_person_is_shown_the_answer_and_says_what_the_doctor_said(lite: Store) -> None:
    clinic = Clinic(lite)
    case = clinic.case(1)
    with lite.read() as conn:
        person = clinic.book.case(conn, case).person
    account = f"person:{person}"
    assert clinic.book.uncover(account, case, ABOUT)[0].answer == Answer.SEEN
    entry = clinic.book.give(
        account,
        case,
        ABOUT,
        Verdict.NEEDS_WORK,
        voice=Voice.PERSON,
        basis=Basis.FOLLOW_UP,
        corrected="not seen",
    )
    assert entry.truth == Answer.NOT_SEEN
    with pytest.raises(FeedbackError, match="what a doctor found"):
        clinic.book.give(account, case, ABOUT, Verdict.RIGHT, voice=Voice.PERSON)
    other = f"person:{clinic.person()}"
    with pytest.raises(AccessDeniedError):
        clinic.book.uncover(other, case, ABOUT)


def test_nobody_speaks_as_what_they_are_not(lite: Store) -> None:
    clinic = Clinic(lite)
    case = clinic.case(1)
    with lite.read() as conn:
        person = clinic.book.case(conn, case).person
    with pytest.raises(AccessDeniedError):
        clinic.book.impress(STEWARD, case, ABOUT, "seen")
    with pytest.raises(AccessDeniedError):
        clinic.book.impress(f"person:{person}", case, ABOUT, "seen")
    clinic.custody.accesses.give(ONE, Role.PERSON, by=STEWARD, person=person)
    with pytest.raises(AccessDeniedError):  # nobody confirms their own image as a clinician
        clinic.book.impress(ONE, case, ABOUT, "seen")
    clinic.custody.accesses.take(TWO, Role.CLINICIAN, by=STEWARD)
    with pytest.raises(AccessDeniedError):
        clinic.book.impress(TWO, case, ABOUT, "seen")


def test_words_are_cleaned_and_lie_under_the_persons_key(store: Store, tmp_path: Path) -> None:
    clinic = Clinic(store)
    case = clinic.case(1)
    clinic.book.impress(ONE, case, ABOUT, "not seen")
    words = "Opacity in the left lung was an artefact. Seen by Xaverina Quellbrunn 03.09.1971"
    entry = clinic.book.give(
        ONE,
        case,
        ABOUT,
        Verdict.NEEDS_WORK,
        voice=Voice.CLINICIAN,
        corrected="not seen",
        region=[Box(x=3, y=4, w=50, h=60)],
        text=words,
    )
    assert "left lung" in entry.text
    assert "Quellbrunn" not in entry.text
    assert "1971" not in entry.text
    with store.read() as conn:
        assert clinic.book.of(conn, case) == [entry]
    if store.dialect == "sqlite":
        whole = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
        assert b"left lung" not in whole
        assert b"not seen" not in whole


def test_conflicts_stay_visible_and_nothing_overwrites(lite: Store) -> None:
    clinic = Clinic(lite)
    case = clinic.case(1)
    said = [clinic.says(ONE, case, "seen"), clinic.says(TWO, case, "not seen")]
    said.append(clinic.says(ONE, case, "not seen"))
    with lite.read() as conn:
        assert clinic.book.of(conn, case) == said
        truth = clinic.book.open(conn).truths[case, ABOUT]
    assert {name: one.truth for name, one in truth.voices.items()} == {
        ONE: "not seen",
        TWO: "not seen",
    }
    assert truth.turned == {ONE: 1}


def test_each_line_opens_its_commitment_in_the_log(store: Store) -> None:
    clinic = Clinic(store)
    case = clinic.case(1)
    entry = clinic.says(ONE, case, "seen")
    clinic.custody.log.checkpoint()
    assert clinic.custody.log.verify().size == clinic.custody.log.size()
    with store.read() as conn:
        rows = [
            dict(one._mapping)
            for one in conn.exec_driver_sql("SELECT id, sealed FROM feedback_entries")
        ]
        sealed = bytes(rows[0]["sealed"])
        opened = clinic.custody.vault.open_small(entry.person, "feedback", entry.id, sealed, conn)
    leaf = Leaf.from_bytes(json.loads(opened)["leaf"].encode())
    assert leaf.index == entry.entry
    assert json.loads(leaf.document)["fields"]["truth"] == "seen"


def test_withdrawal_takes_the_case_and_all_that_was_said_of_it(store: Store) -> None:
    clinic = Clinic(store)
    cases = [clinic.case(n) for n in range(3)]
    for case in cases:
        clinic.says(ONE, case, "seen")
        clinic.says(TWO, case, "seen")
    with store.read() as conn:
        people = [clinic.book.case(conn, case).person for case in cases]
    started = clinic.custody.withdrawals.start(people[0], "care", actor=STEWARD)
    assert set(clinic.labels()) == set(cases[1:])  # from the moment it is said
    clinic.custody.withdrawals.run(started)
    clinic.custody.withdrawals.run(clinic.custody.withdrawals.start(people[1], actor=STEWARD))
    assert set(clinic.labels()) == {cases[2]}
    with store.read() as conn:
        for table in ("cases", "answers", "impressions", "reveals", "entries"):
            column = "id" if table == "cases" else '"case"'
            left = conn.exec_driver_sql(f"SELECT DISTINCT {column} FROM feedback_{table}")  # noqa: S608  # fixed names
            assert [one[0] for one in left] == [cases[2]]


def test_consent_is_asked_again_when_a_line_commits(store: Store) -> None:
    clinic = Clinic(store)
    case = clinic.case(1)
    with store.read() as conn:
        person = clinic.book.case(conn, case).person
    with store.begin() as conn:
        clinic.custody.consents.record(
            conn, person=person, purpose="care", said=Said.REFUSE, actor=STEWARD
        )
    with pytest.raises(AccessDeniedError):
        clinic.book.impress(ONE, case, ABOUT, "seen")
    with pytest.raises(ConsentDeniedError):
        clinic.book.register(person, reading(2), purpose="care", policy=clinic.policy)


def test_a_policy_that_was_narrowed_since_carries_feedback_on(lite: Store) -> None:
    clinic = Clinic(lite)
    case = clinic.case(1)
    narrower = publish(clinic.custody, retention_days=100)
    assert clinic.says(ONE, case, "seen").truth == "seen"
    wider = publish(clinic.custody, retention_days=9000)
    assert narrower != wider
    assert clinic.says(TWO, case, "seen").truth == "seen"  # still under the one they agreed to
    assert clinic.labels() == {case: "seen"}


def test_the_same_image_of_a_person_is_one_case_with_each_reading(lite: Store) -> None:
    clinic = Clinic(lite)
    person = clinic.person()
    first = clinic.case(1, person=person)
    again = clinic.case(1, Answer.NOT_SEEN, person=person, version="2")
    assert first == again
    clinic.book.impress(ONE, first, ABOUT, "seen")
    told = clinic.book.uncover(ONE, first, ABOUT)
    assert [(one.version, one.answer) for one in told] == [("1", "seen"), ("2", "not seen")]


def test_who_could_not_tell_before_counts_half_unless_a_report_tells(lite: Store) -> None:
    clinic = Clinic(lite)
    case = clinic.case(1)
    assert clinic.says(ONE, case, "seen", first="cannot tell").weight == 0.5
    told = clinic.says(TWO, case, "seen", first="cannot tell", basis=Basis.PATHOLOGY)
    assert told.weight == 1.5


def test_a_flood_of_impressions_is_noted_too(lite: Store) -> None:
    clinic = Clinic(lite, limits=Limits(hour=1))
    cases = [clinic.case(n) for n in range(2)]
    clinic.book.impress(ONE, cases[0], ABOUT, "seen")
    with pytest.raises(FeedbackLimitError):
        clinic.book.impress(ONE, cases[1], ABOUT, "seen")
    with lite.read() as conn:
        assert [one.kind for one in clinic.book.events(conn)] == ["flood"]


def test_a_flood_is_stopped_and_noted_once(store: Store) -> None:
    clinic = Clinic(store, limits=Limits(hour=4, subject=9))
    case = clinic.case(1)
    clinic.says(ONE, case, "seen")
    clinic.says(ONE, case, "seen")
    clinic.says(ONE, case, "seen")
    for _ in range(3):
        with pytest.raises(FeedbackLimitError):
            clinic.says(ONE, case, "seen")
    with store.read() as conn:
        assert [one.kind for one in clinic.book.events(conn)] == ["flood"]
    clinic.says(TWO, case, "seen")  # nobody else is held up


def test_one_account_says_only_so_much_of_one_case(lite: Store) -> None:
    clinic = Clinic(lite, limits=Limits(subject=2))
    case = clinic.case(1)
    clinic.says(ONE, case, "seen")
    clinic.says(ONE, case, "not seen")
    with pytest.raises(FeedbackLimitError):
        clinic.says(ONE, case, "seen")


@pytest.mark.parametrize(
    ("verdict", "more"),
    [
        (Verdict.CANNOT_TELL, {"corrected": "seen"}),
        (Verdict.RIGHT, {"corrected": "not seen"}),
        (Verdict.NEEDS_WORK, {"corrected": "normal"}),
        (Verdict.RIGHT, {"readers": 3}),
        (Verdict.RIGHT, {"text": "a" * 5000}),
        (Verdict.RIGHT, {"reader": "nobody"}),
    ],
)
def test_what_contradicts_itself_is_not_kept(
    tmp_path: Path, verdict: Verdict, more: dict[str, object]
) -> None:
    with Store.at(tmp_path / "store") as store:
        clinic = Clinic(store)
        case = clinic.case(1)
        clinic.book.impress(ONE, case, ABOUT, "seen")
        with pytest.raises(FeedbackError):
            clinic.book.give(ONE, case, ABOUT, verdict, voice=Voice.CLINICIAN, **more)  # type: ignore[arg-type]  # cases of a table
        with store.read() as conn:
            assert clinic.book.of(conn, case) == []


def test_feedback_on_the_kind(tmp_path: Path) -> None:
    with Store.at(tmp_path / "store") as store:
        clinic = Clinic(store)
        case = clinic.case(1)
        kind = str(ViewKind.CHEST_XRAY_LATERAL)
        for account in (ONE, TWO):
            clinic.book.impress(account, case, "kind", kind)
            clinic.book.uncover(account, case, "kind")
            clinic.book.give(
                account,
                case,
                "kind",
                Verdict.NEEDS_WORK,
                voice=Voice.CLINICIAN,
                corrected=kind,
            )
        assert clinic.labels(about="kind") == {case: kind}


def test_what_is_killed_midway_leaves_nothing(store: Store) -> None:
    clinic = Clinic(store)
    case = clinic.case(1)
    clinic.book.impress(ONE, case, ABOUT, "seen")
    size = clinic.custody.log.size()

    def die(name: str) -> None:
        if name == "feedback.entry.written":
            raise StoreError("the power went")

    with planned(die), pytest.raises(StoreError, match="power"):
        clinic.book.give(ONE, case, ABOUT, Verdict.RIGHT, voice=Voice.CLINICIAN)
    assert clinic.custody.log.size() == size + 1  # the access alone
    with store.read() as conn:
        assert clinic.book.of(conn, case) == []
        assert [
            one.kind for one in clinic.custody.lineage.of(conn, clinic.book.case(conn, case).person)
        ] == ["feedback-case"]
    assert clinic.book.give(ONE, case, ABOUT, Verdict.RIGHT, voice=Voice.CLINICIAN).truth == "seen"


def test_labels_that_are_not_confirmed_weigh_less_and_are_asked_for(tmp_path: Path) -> None:
    with Store.at(tmp_path / "store") as store:
        clinic = Clinic(store)
        case = clinic.case(1)
        clinic.says(ONE, case, "seen")
        with store.read() as conn:
            assert list(clinic.book.labels(conn)) == []
            only = list(clinic.book.labels(conn, provisional=True))
        assert [(one.value, one.weight, one.confirmed) for one in only] == [("seen", 0.5, False)]
        clinic.says(TWO, case, "seen", basis=Basis.PATHOLOGY)
        with store.read() as conn:
            (one,) = clinic.book.labels(conn, "chest-opacity")
        assert (one.weight, one.basis, one.accounts) == (1.0, Basis.PATHOLOGY, (ONE, TWO))


def test_an_unknown_case_or_subject_is_an_error_of_its_own(tmp_path: Path) -> None:
    with Store.at(tmp_path / "store") as store:
        book = Clinic(store).book
        with pytest.raises(FeedbackError, match="no such case"):
            book.uncover(ONE, "0" * 32, ABOUT)
        with pytest.raises(FeedbackError, match="SCHEME:VALUE"):
            book.uncover(ONE, "0" * 32, "opacity; drop table")


def test_copies_of_an_image_look_alike_and_others_do_not() -> None:
    base = np.kron(picture(5), np.ones((3, 3))).astype(np.uint8)
    first = look(base)
    assert first is not None
    noisy = base.astype(int) + np.random.default_rng(1).integers(-4, 5, base.shape)
    for copy in (base[::2, ::2], np.clip(noisy, 0, 255), base // 2 + 60):
        other = look(copy.astype(np.uint8))
        assert other is not None
        assert (first ^ other).bit_count() <= NEAR
    stranger = look(picture(6))
    assert stranger is not None
    assert (first ^ stranger).bit_count() > 5 * NEAR


@pytest.mark.parametrize("shape", [(1, 1), (1, 500), (500, 1), (16, 17), (5, 3000)])
def test_a_picture_of_any_shape_has_a_look_or_none(shape: tuple[int, int]) -> None:
    assert look(np.zeros(shape, np.uint8)) is None
    grey = np.random.default_rng(2).integers(0, 256, shape).astype(np.uint8)
    found = look(grey)
    assert found is None or 0 <= found < 1 << 1024


def test_groups_depend_on_what_is_there_alone() -> None:
    chain = {"a": ("1", 0), "b": ("2", (1 << 20) - 1), "c": ("3", (1 << 40) - 1), "d": ("1", None)}
    assert groups(chain) == {"a": "a", "b": "a", "c": "a", "d": "a"}
    del chain["b"]
    assert groups(chain) == {"a": "a", "c": "c", "d": "a"}


def test_a_book_needs_no_more_than_custody(tmp_path: Path) -> None:
    with Store.at(tmp_path / "store") as store:
        clinic = Clinic(store)
        with store.read() as conn:
            assert list(Book(clinic.custody).labels(conn)) == []
