"""The scoreboard counts images, keeps readers to their promise, and shows no small cell."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import beta

from feedback_fixtures import ABOUT, STEWARD, Clinic, reading
from safelight.errors import AccessDeniedError, FeedbackError
from safelight.feedback import Facts, Told
from safelight.feedback.board import Scored, counted, slices
from safelight.feedback.cards import said
from safelight.feedback.drift import alarms
from safelight.feedback.held import restrained
from safelight.feedback.public import SMALLEST, hidden, page
from safelight.feedback.rates import Rate, evidence
from safelight.feedback.scoreboard import Gate, Row, Scoreboard
from safelight.readers.card import Interval
from safelight.readers.reading import Answer, State
from safelight.store import Store
from test_feedback_voices import NOW


def row(
    number: int,
    answer: str = "seen",
    truth: str = "",
    *,
    site: str = "north",
    score: float = 0.5,
    p_seen: float = 0.5,
    age: str = "40-59",
    days: int = 0,
) -> Scored:
    at = NOW - timedelta(days=days)
    told = Told(
        reader="r", version="1", about=ABOUT, answer=answer, alpha=0.1, score=score, p_seen=p_seen
    )
    return Scored(
        reader="r",
        version="1",
        about=ABOUT,
        image=str(number),
        at=at,
        confirmed_at=at if truth else None,
        truth=truth,
        told=told,
        site=site,
        age=age,
        sex="F",
        month=f"{at:%Y-%m}",
    )


@pytest.mark.parametrize(("count", "of"), [(0, 10), (10, 10), (3, 10), (1, 1), (90, 1000)])
def test_intervals_are_clopper_and_pearsons(count: int, of: int) -> None:
    low, high = Rate(count=count, of=of).interval
    assert low == pytest.approx(0.0 if not count else beta.ppf(0.025, count, of - count + 1))
    assert high == pytest.approx(1.0 if count == of else beta.ppf(0.975, count + 1, of - count))
    assert Rate(count=0, of=0).interval == (0.0, 1.0)


def test_a_promise_that_holds_is_seldom_held_broken_and_a_broken_one_soon() -> None:
    rng = np.random.default_rng(11)
    kept = [evidence(rng.random(400) < 0.1, 0.1) for _ in range(1000)]
    assert sum(one >= 100 for one in kept) <= 10  # 1 in 100 at any time of 400 looks
    broken = [evidence(rng.random(100) < 0.3, 0.1) for _ in range(200)]
    assert sum(one >= 100 for one in broken) >= 180
    assert evidence([True] * 5, 0.0) == 1.0


def test_counts_are_of_images_and_abstentions_are_told() -> None:
    rows = [
        row(1, "seen", "seen"),
        row(2, "not seen", "seen"),
        row(3, "seen", "not seen"),
        row(4, "cannot tell", "seen"),
        row(5, "seen"),
        row(6, "unlike anything calibrated"),
    ]
    whole = counted(rows)
    assert (whole.images, whole.answered, whole.confirmed) == (6, 4, 4)
    assert (whole.right, whole.wrong) == (1, 2)
    assert whole.missed == Rate(count=1, of=3)
    assert whole.false_alarms == Rate(count=1, of=1)
    assert whole.abstained == {"cannot tell": 1, "unlike anything calibrated": 1}
    assert whole.agreement.of == 3


def test_copies_count_once_and_versions_apart(tmp_path: Path) -> None:
    with Store.at(tmp_path / "store") as store:
        clinic = Clinic(store)
        first = clinic.case(1, facts=Facts(site="north", age=43, sex="F"))
        clinic.case(2, look=1, facts=Facts(site="south"))  # the same picture, of another person
        clinic.case(1)  # and the same bytes
        clinic.case(1, Answer.NOT_SEEN, version="2")
        for account in clinic.clinicians[:2]:
            clinic.says(account, first, "seen")
        with store.read() as conn:
            rows = {
                (one.reader, one.version): one
                for one in Scoreboard(clinic.custody, clinic.book).rows(conn)
            }
        assert {key: one.whole.images for key, one in rows.items()} == {
            ("chest-opacity", "1"): 1,
            ("chest-opacity", "2"): 1,
            ("kind", "1.0"): 1,
        }
        one = rows["chest-opacity", "1"]
        assert (one.whole.right, one.parts["site"].keys()) == (1, {"north"})
        assert list(one.parts["age"]) == ["40-59"]
        assert rows["chest-opacity", "2"].whole.wrong == 1


def test_a_reader_below_its_gate_goes_to_the_shadow_by_itself_and_says_so(store: Store) -> None:
    clinic = Clinic(store)
    for number in range(7):
        case = clinic.case(number, Answer.NOT_SEEN)
        for account in clinic.clinicians[:2]:
            clinic.says(account, case, "seen")
    board = Scoreboard(clinic.custody, clinic.book)
    size = clinic.custody.log.size()
    noted = board.update()
    assert [(one.kind, one.reader, one.version) for one in noted] == [
        ("state", "chest-opacity", "1")
    ]
    assert noted[0].detail["reason"].startswith("below its gate by confirmed feedback: missed 7")
    assert clinic.custody.log.size() == size + 2
    assert board.update() == []
    with store.read() as conn:
        assert board.states(conn) == {"chest-opacity": State.SHADOW}
        assert board.states(conn, {"chest-opacity": "2"}) == {}
        old, new = (reading(1, version=one) for one in "12")
        assert restrained(conn, old).findings[0].state == State.SHADOW  # what was read before, too
        assert restrained(conn, new) == new
        refused = replace(old, findings=(replace(old.findings[0], state=State.REFUSED),))
        assert restrained(conn, refused).findings[0].state == State.REFUSED
    with pytest.raises(AccessDeniedError):
        board.restore(clinic.clinicians[0], "chest-opacity", "1", "looks fine to me")
    with pytest.raises(FeedbackError):
        board.restore(STEWARD, "chest-opacity", "2", "it was never held back")
    board.restore(STEWARD, "chest-opacity", "1", "the seven were films of another kind")
    assert board.update() == []  # what was known then does not count again
    with store.read() as conn:
        assert board.states(conn) == {}


def test_a_gate_of_its_own_counts_before_the_promise() -> None:
    rows = [row(n, "not seen", "seen") for n in range(20)]
    with_gate = Gate(missed=0.99)
    assert evidence([r.told.answer == "not seen" for r in rows], with_gate.missed) < 100
    assert evidence([True] * 20, 0.1) > 100


def test_a_site_that_differs_raises_an_alarm_and_one_that_does_not_none() -> None:
    rng = np.random.default_rng(3)
    same = [row(n, site=("north", "south")[n % 2], score=x) for n, x in enumerate(rng.random(200))]
    assert alarms(same, NOW) == []
    moved = [
        replace(
            one, told=replace(one.told, score=(one.told.score or 0) + 0.6 * (one.site == "south"))
        )
        for one in same
    ]  # one line, one thought
    found = alarms(moved, NOW)
    assert {(one.kind, one.who) for one in found} == {("drift", "north"), ("drift", "south")}
    assert alarms(moved[:30], NOW) == []  # too few to say


def test_no_drift_is_seldom_called_drift() -> None:
    rng = np.random.default_rng(5)
    false = sum(
        bool(
            alarms(
                [
                    row(n, site=f"s{n % 3}", score=x, days=n % 60)
                    for n, x in enumerate(rng.random(150))
                ],
                NOW,
            )
        )
        for _ in range(200)
    )
    assert false <= 6  # of 200, at a level of 1 in 100 looks


def test_now_against_before_and_p_values_against_truth() -> None:
    rng = np.random.default_rng(9)
    rows = [
        row(n, score=x + (0.7 if n < 40 else 0), days=0 if n < 40 else 90)
        for n, x in enumerate(rng.random(120))
    ]  # as above
    assert [one.what for one in alarms(rows, NOW)] == ["the last 30 days against before"]
    low = [row(n, truth="seen", p_seen=x / 4) for n, x in enumerate(rng.random(60))]
    assert [one.kind for one in alarms(low, NOW)] == ["calibration"]
    fair = [row(n, truth="seen", p_seen=x) for n, x in enumerate(rng.random(60))]
    assert alarms(fair, NOW) == []


@given(st.dictionaries(st.text(min_size=1, max_size=3), st.integers(0, 60), max_size=8))
def test_hidden_cells_cannot_be_worked_out_from_the_total(counts: dict[str, int]) -> None:
    gone = hidden(counts)
    assert all(name in gone for name, count in counts.items() if 0 < count < SMALLEST)
    together = sum(counts[name] for name in gone)
    shown = [name for name in counts if name not in gone and counts[name]]
    if gone and shown:
        assert len(gone) > 1
        assert together >= SMALLEST


def board_row(rows: list[Scored]) -> Row:
    return Row(
        reader="r",
        version="1",
        about=ABOUT,
        card="",
        state=State.VALIDATED,
        reason="",
        gate=Gate(missed=0.1, false_alarms=0.1),
        evidence=1.0,
        whole=counted(rows),
        parts={name: slices(rows, name) for name in ("site", "age")},
    )


def test_the_public_page_shows_no_small_cell() -> None:
    rows = [row(n, "seen", "seen", site="north") for n in range(30)]
    rows += [row(100 + n, "seen", "not seen", site="south", age="80+") for n in range(15)]
    rows += [row(200 + n, "seen", "seen", site="tiny", age="not given") for n in range(3)]
    told = page([board_row(rows)], [], NOW, {"r": {"missed": 0.08}})["readers"][0]
    assert told["all"]["images"] == 48
    assert told["by"]["site"]["tiny"] == {"images": "fewer than 11"}
    assert told["by"]["site"]["south"] == {"images": "not shown"}  # else tiny follows from it
    assert told["by"]["site"]["north"]["images"] == 30
    assert told["card_says"] == {"missed": 0.08}
    few = page([board_row(rows[:5])], [], NOW, {})["readers"][0]
    assert few["all"] == {"images": "fewer than 11"}


def test_a_card_is_shown_beside_its_own_version_alone() -> None:
    card = SimpleNamespace(
        release="1",
        covered=(0.93, 0.91),
        decided=0.6,
        inside=Interval(value=0.9, low=0.85, high=0.94),
        people=(100, 200),
    )
    reader: Any = SimpleNamespace(name="r", card=card)
    rows = [row(n, "seen", "seen") for n in range(20)]
    shown = page([board_row(rows)], [], NOW, said([reader]))["readers"][0]["card_says"]
    assert shown["missed_at_most"] == 0.07
    assert shown["auc"] == [0.9, 0.85, 0.94]
    card.release = "2"
    assert page([board_row(rows)], [], NOW, said([reader]))["readers"][0]["card_says"] is None


def test_the_board_follows_what_remains_after_a_withdrawal(tmp_path: Path) -> None:
    with Store.at(tmp_path / "store") as store:
        clinic = Clinic(store)
        cases = [clinic.case(n, Answer.NOT_SEEN) for n in range(2)]
        for case in cases:
            for account in clinic.clinicians[:2]:
                clinic.says(account, case, "seen")
        board = Scoreboard(clinic.custody, clinic.book)
        with store.read() as conn:
            assert board.rows(conn)[0].whole.wrong == 2
            person = clinic.book.case(conn, cases[0]).person
        clinic.custody.withdrawals.run(clinic.custody.withdrawals.start(person, actor=STEWARD))
        with store.read() as conn:
            assert board.rows(conn)[0].whole.wrong == 1
            assert "<bytes" not in str(board.public(conn))
