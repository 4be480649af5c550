"""What one account says, however often, changes nothing that others have confirmed."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from feedback_fixtures import ABOUT, Clinic
from safelight.feedback import Basis, Entry, Verdict, Voice
from safelight.feedback.scoreboard import Scoreboard
from safelight.feedback.voices import fold
from safelight.readers.head import Recipe, Statistics, solve
from safelight.readers.reading import Answer
from safelight.store import Store

SEEN, NOT_SEEN = str(Answer.SEEN), str(Answer.NOT_SEEN)
NOW = datetime(2026, 11, 1, tzinfo=UTC)


def said(
    account: str,
    truth: str,
    case: str = "a",
    *,
    voice: Voice = Voice.CLINICIAN,
    basis: Basis = Basis.OWN_READING,
    swayed: bool = False,
) -> Entry:
    return Entry(
        number=0,
        id="",
        case=case,
        person="p",
        about=ABOUT,
        account=account,
        at=NOW,
        voice=voice,
        basis=basis,
        verdict=Verdict.RIGHT,
        reader="r",
        version="1",
        shown=SEEN,
        truth=truth,
        readers=1,
        swayed=swayed,
        region=(),
        text="",
        entry=0,
    )


def confirmed(entries: Sequence[Entry], image: dict[str, str] | None = None) -> dict[str, str]:
    """Return the confirmed answers by image."""
    numbered = [replace(one, number=place) for place, one in enumerate(entries, 1)]
    shows = image or {one.case: one.case for one in entries}
    truths = fold(numbered, shows)
    return {key[0]: one.value for key, one in truths.items() if one.confirmed}


def test_two_who_agree_confirm_and_one_does_not() -> None:
    assert confirmed([said("x", SEEN), said("x", SEEN), said("x", SEEN)]) == {}
    assert confirmed([said("x", SEEN, basis=Basis.PATHOLOGY)]) == {}
    assert confirmed([said("x", SEEN), said("y", SEEN)]) == {"a": SEEN}
    assert confirmed([said("x", SEEN), said("y", SEEN, swayed=True)]) == {}


def test_people_alone_confirm_nothing_however_many() -> None:
    crowd = [said(f"p{n}", SEEN, voice=Voice.PERSON, basis=Basis.PATHOLOGY) for n in range(50)]
    assert confirmed(crowd) == {}
    assert confirmed([*crowd[:2], said("x", SEEN)]) == {"a": SEEN}


def test_two_copies_of_an_image_give_one_voice_an_account() -> None:
    both = [said("x", SEEN, "a"), said("x", SEEN, "b")]
    assert confirmed(both, {"a": "a", "b": "a"}) == {}
    assert confirmed([*both, said("y", SEEN, "b")], {"a": "a", "b": "a"}) == {"a": SEEN}


def test_a_confirmed_answer_is_turned_over_by_two_others_who_outweigh() -> None:
    first = [said("x", SEEN), said("y", SEEN)]
    assert confirmed([*first, said("z", NOT_SEEN, basis=Basis.PATHOLOGY)]) == {"a": SEEN}
    later = [said("z", NOT_SEEN, basis=Basis.PATHOLOGY), said("v", NOT_SEEN)]
    assert confirmed([*first, *later]) == {"a": NOT_SEEN}
    assert confirmed([*first, said("z", NOT_SEEN), said("v", NOT_SEEN)]) == {"a": SEEN}


ANY = st.builds(
    said,
    st.sampled_from(["x", "y", "z", "v"]),
    st.sampled_from([SEEN, NOT_SEEN, ""]),
    st.sampled_from(["a", "b", "c"]),
    voice=st.sampled_from(list(Voice)),
    basis=st.sampled_from(list(Basis)),
    swayed=st.booleans(),
)


@given(st.lists(ANY, max_size=12), st.lists(ANY, max_size=12), st.sampled_from(["x", "new"]))
def test_no_one_account_changes_what_is_confirmed(
    before: list[Entry], attack: list[Entry], account: str
) -> None:
    held = confirmed(before)
    after = confirmed([*before, *(replace(one, account=account) for one in attack)])
    assert {case: after.get(case) for case in held} == held


@given(st.lists(ANY, max_size=12), st.data())
def test_where_others_agree_a_dissenter_at_any_time_changes_nothing(
    attack: list[Entry], data: st.DataObject
) -> None:
    mixed = [replace(one, account="bad") for one in attack]
    for case in ("a", "b", "c"):
        for account in ("x", "y"):
            place = data.draw(st.integers(0, len(mixed)))
            mixed.insert(place, said(account, SEEN, case))
    assert confirmed(mixed) == {"a": SEEN, "b": SEEN, "c": SEEN}


def ledger(
    labels: dict[str, str], rows: dict[str, "np.ndarray[tuple[int], np.dtype[np.int16]]"]
) -> Statistics:  # one type
    """Return the sums over what is labelled, in no particular order."""
    sums = Statistics.empty("test", (NOT_SEEN, SEEN), 4)
    for case, value in labels.items():
        sums = sums.add(rows[case], [value])
    return sums


def test_flipping_one_in_twenty_changes_no_head_and_shows_in_the_log(tmp_path: Path) -> None:
    with Store.at(tmp_path / "store") as store:
        clinic = Clinic(store)
        rng = np.random.default_rng(7)
        rows, cases = {}, []
        for number in range(20):
            truth = Answer.SEEN if number % 2 else Answer.NOT_SEEN
            cases.append(clinic.case(number, truth))
            rows[cases[-1]] = rng.integers(-2000, 2000, 4).astype(np.int16)
            for account in clinic.clinicians[:2]:
                clinic.says(account, cases[-1], str(truth))
        before = ledger(clinic.labels(reader="chest-opacity"), rows)
        assert int(before.counts.sum()) == 20
        board = Scoreboard(clinic.custody, clinic.book)
        assert board.update() == []
        flipped = [cases[3]]  # 5 %, by one who was among those who confirmed it
        for case in flipped:
            clinic.says(clinic.clinicians[0], case, NOT_SEEN)
        clinic.says(clinic.clinicians[2], cases[5], NOT_SEEN, basis=Basis.PATHOLOGY)
        after = ledger(clinic.labels(reader="chest-opacity"), rows)
        assert after.digest() == before.digest()
        heads = [solve(one, Recipe(ridge=0.1)).to_bytes() for one in (before, after)]
        assert heads[0] == heads[1]
        noted = {(one.kind, one.who, one.level) for one in board.update()}
        assert noted == {
            ("against-confirmed", clinic.clinicians[0], 1),
            ("against-confirmed", clinic.clinicians[2], 1),
            ("turned", clinic.clinicians[0], 1),
        }
        assert board.update() == []  # noted once


def test_a_thousand_labels_stand_against_fifty_flips() -> None:
    entries = [
        said(account, SEEN if number % 3 else NOT_SEEN, str(number))
        for number in range(1000)
        for account in ("x", "y")
    ]
    held = confirmed(entries)
    flips = [said("x", NOT_SEEN if n % 3 else SEEN, str(n)) for n in range(0, 1000, 20)]
    assert len(held) == 1000
    assert confirmed([*entries, *flips]) == held
