"""Second opinions: on what only one network takes for writing, on a mark that may be two lines."""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier

from safelight.deid.burned import last, look, verify
from safelight.deid.burned.company import distinct, in_company
from safelight.deid.burned.lines import Line
from safelight.deid.burned.look import LEVELS, Eyes
from safelight.deid.burned.read import Reading
from safelight.deid.burned.sight import NO_HINTS, Candidate, Sort
from safelight.deid.burned.stack import layered
from safelight.deid.burned.strip import Strip
from safelight.deid.burned.trees import Trees
from safelight.deid.burned.verify import Opinion, Peaks
from training.burned.weigh import arrays


@dataclass(frozen=True)
class Shown:
    grey: NDArray[np.uint8]
    rgb: NDArray[np.uint8] | None = None


@pytest.fixture(scope="module")
def eyes() -> Eyes:
    return Eyes()


def test_the_second_network_is_another(eyes: Eyes) -> None:
    grey = np.full((96, 256), 40, np.uint8)
    cv2.putText(grey, "DOE^JANE", (20, 60), cv2.FONT_HERSHEY_SIMPLEX, 1.2, 200, 2)
    first, second = eyes.segments.probability(grey), eyes.second.probability(grey)
    assert not np.array_equal(first, second)
    assert min(float(first.max()), float(second.max())) > 0.9


def opinion(strip: Strip, said: str = "", sure: float = 0.0, peak: float = 0.9) -> Opinion:
    """Return what the engines before may have said of a line."""
    line = Line(strip=strip, peak=peak, count=1, area=round(0.4 * strip.length * strip.height))
    reading = Reading(text=said, sure=sure, least=sure)
    return Opinion(line, Peaks(peak, peak, peak), reading)


def test_the_last_word_tells_writing_from_bare_ground(eyes: Eyes) -> None:
    grey = np.random.default_rng(2).normal(60, 3, (300, 400)).clip(0, 255).astype(np.uint8)
    cv2.putText(grey, "DOE^JANE 1961", (40, 80), cv2.FONT_HERSHEY_SIMPLEX, 1.0, 200, 2)
    written = Strip(x=150, y=70, length=230, height=28)
    bare = Strip(x=200, y=220, length=230, height=28)
    for clear in ([], [Strip(x=100, y=150, length=90, height=20)]):
        assert eyes._word(grey, opinion(written), clear, None) > 1
        assert eyes._word(grey, opinion(bare), clear, None) < last.FOUND


@pytest.mark.parametrize("at", [(5, 5), (395, 295), (200, -4), (500, 400)])
def test_a_line_at_the_border_is_judged_too(eyes: Eyes, at: tuple[int, int]) -> None:
    grey = np.full((300, 400), 30, np.uint8)
    seen = last.again(eyes.second, grey, Strip(x=at[0], y=at[1], length=40, height=14))
    assert seen.peak < 0.1
    assert seen.contrast == 0


def test_the_last_word_is_had_where_something_speaks_for_a_line_and_it_is_not_certain(
    eyes: Eyes, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[str, int, bool]] = []

    def word(
        _: Eyes, grey: Any, line: Opinion, clear: list[Strip], before: NDArray[np.uint8] | None
    ) -> float:
        del grey
        asked.append((line.reading.text if line.reading else "", len(clear), before is not None))
        return (last.FOUND + last.SHARPENED) / 2

    monkeypatch.setattr(Eyes, "_word", word)
    strip = Strip(x=120, y=70, length=160, height=28)
    certain, open_one = opinion(strip, "DOE JANE", 0.99, 0.999), opinion(strip, "~ab", 0.2)
    hopeless = opinion(strip, "", 0.0, peak=0.01)
    assert verify.read(hopeless) < verify.READ[0]
    grey = np.full((600, 800), 30, np.uint8)
    for before, weak in ((None, False), (grey, True)):  # the sharpened picture must show more
        asked.clear()
        found = eyes._settled(grey, [certain, open_one, hopeless], [], before)
        assert [one.weak for one in found] == [False, weak, True]
        assert asked == [("~ab", 1, before is not None)]


@pytest.mark.parametrize("sharpened", [True, False])
def test_more_is_asked_before_much_of_a_picture_is_masked(*, sharpened: bool) -> None:
    grey = np.zeros((200, 300), np.uint8)
    small, large = Strip(x=50, y=50, length=50, height=11), Strip(x=50, y=50, length=50, height=13)
    least = [last.least(strip, grey, sharpened=sharpened) for strip in (small, large)]
    assert least == ([-1.75, -0.75] if sharpened else [-2.0, -1.0])


def test_trees_score_as_they_were_grown() -> None:
    random = np.random.default_rng(4)
    facts = random.normal(size=(300, 5))
    grown = HistGradientBoostingClassifier(max_iter=7, max_leaf_nodes=6)
    grown.fit(facts, facts[:, 1] * facts[:, 3] > 0.2)
    trees = Trees(arrays(grown))
    scores = [trees.score(list(map(float, each))) for each in facts]
    assert np.allclose(scores, grown.decision_function(facts), atol=1e-5)
    assert np.ptp(scores) > 1


def test_blurred_and_faint_letters_show_on_the_sharpened_picture(
    eyes: Eyes, monkeypatch: pytest.MonkeyPatch
) -> None:
    ink = np.zeros((240, 320), np.uint8)
    cv2.putText(ink, "21.11.61", (60, 100), cv2.FONT_HERSHEY_SIMPLEX, 0.4, 255, 1)
    soft = cv2.GaussianBlur(ink, (0, 0), 2.0).astype(np.float32)
    ground = np.random.default_rng(3).normal(40, 1, ink.shape)
    grey = np.asarray((ground + 0.15 * soft).clip(0, 255), np.uint8)
    found = [one for one in eyes.look(Shown(grey)).found if not one.weak]
    assert any(one.strip.x < 180 and one.strip.length > 60 for one in found)
    monkeypatch.setattr(Eyes, "_sharper", lambda *_: [])
    assert all(one.weak for one in eyes.look(Shown(grey)).found)


def clinic_and_birth(blur: float, small: float = 0.12) -> tuple[NDArray[np.uint8], Candidate]:
    """Return a large line over a small faint and blurred one, and the large one as it was read."""
    clinic, birth = np.zeros((240, 420), np.uint8), np.zeros((240, 420), np.uint8)
    cv2.putText(clinic, "ST. ALDER CLINIC", (60, 60), cv2.FONT_HERSHEY_SIMPLEX, 0.8, 255, 2)
    cv2.putText(birth, "21.11.1961 DOE", (60, 180), cv2.FONT_HERSHEY_SIMPLEX, 0.4, 255, 1)
    large = cv2.GaussianBlur(clinic, (0, 0), blur) if blur else clinic
    ground = np.random.default_rng(3).normal(40, 1, clinic.shape)
    faint = small * cv2.GaussianBlur(birth, (0, 0), 1.6)
    grey = np.asarray((ground + 0.8 * large + faint).clip(0, 255), np.uint8)
    read = Candidate(
        sort=Sort.TEXT,
        strip=Strip(x=171, y=52, length=222, height=26),
        score=1.0,
        reading=Reading(text="ST. ALDER CLINIC", sure=1.0, least=0.9),
    )
    return grey, read


@pytest.mark.parametrize("blur", [1.6, 0.0])
def test_what_is_read_does_not_end_the_search(
    eyes: Eyes, blur: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    grey, read = clinic_and_birth(blur)
    company: list[Candidate] = []
    settled = Eyes._settled

    def noted(self: Eyes, *args: Any) -> list[Candidate]:
        company.extend(args[2])
        return settled(self, *args)

    monkeypatch.setattr(Eyes, "_settled", noted)
    _, maps = eyes.lines(grey, NO_HINTS, LEVELS)
    found = eyes._sharper(grey, [read], maps, LEVELS)
    assert any(abs(one.strip.y - 178) < 6 for one in found)
    assert read in company
    assert all(one.strip.y > 100 for one in found)  # the line that is read is not found again


def test_large_blurred_letters_show_on_the_sharpened_picture_of_half_the_size(
    eyes: Eyes, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = np.zeros((240, 420), np.uint8)
    cv2.putText(name, "WHITCOMBE ZOE", (60, 180), cv2.FONT_HERSHEY_SIMPLEX, 0.9, 255, 2)
    ground, read = clinic_and_birth(1.6, small=0.0)
    grey = np.asarray(ground + 0.16 * cv2.GaussianBlur(name, (0, 0), 3.5), np.uint8)
    _, maps = eyes.lines(grey, NO_HINTS, LEVELS)
    found = eyes._sharper(grey, [read], maps, LEVELS)
    assert any(one.strip.y > 150 and one.strip.length > 220 for one in found)
    monkeypatch.setattr(look, "shrunk", lambda _net, plane: np.zeros(plane.shape, np.float32))
    found = eyes._sharper(grey, [read], maps, LEVELS)
    assert all(one.strip.length < 150 for one in found)  # a part of it at most


def test_a_small_picture_is_looked_at_doubled_where_a_weak_sign_is() -> None:
    class Sees:
        """Sees a speck at full size and a line elsewhere at twice the size."""

        def probability(self, grey: NDArray[np.uint8], scale: float = 1.0) -> NDArray[np.float32]:
            out = np.zeros(grey.shape, np.float32)
            out[4:8, 4:8] = 0.4
            if scale > 1:
                out[150:158, 60:140] = 0.99
            return out

    one = Eyes()
    vars(one)["segments"] = Sees()
    for side, seen in ((400, True), (900, False)):  # in a large picture only around the sign
        found, _ = one.lines(np.zeros((side, side), np.uint8), NO_HINTS, LEVELS)
        assert any(140 < line.strip.y < 170 for line in found) is seen


@pytest.mark.parametrize(
    ("said", "sure", "certain"),
    [
        ("11 Y", 0.95, True),
        ("Y1", 0.85, True),
        ("Y1", 0.75, False),
        ("DIGOP", 0.5, False),
        ("350 Ouee0s Bve", 0.71, True),
        ("RUETN", 0.76, False),
        ("", 0.0, False),
    ],
)
def test_two_certain_letters_or_many_are_none_by_chance(
    said: str, sure: float, *, certain: bool
) -> None:
    assert verify.plain(Reading(text=said, sure=sure, least=sure)) is certain


def test_what_is_read_for_certain_must_be_seen_as_well() -> None:
    strip = Strip(x=20, y=20, length=60, height=8)
    assert verify.certain(opinion(strip, "DOE JANE", 0.99, peak=0.999))
    assert verify.certain(opinion(strip, "DOE J", 0.99, peak=0.999))
    assert not verify.certain(opinion(strip, "DOE J", 0.99, peak=0.001))
    assert verify.certain(opinion(strip, "DOE JA", 0.85, peak=0.001))  # five are none by chance
    assert not verify.certain(opinion(strip, "~a", 0.5, peak=0.999))


@pytest.mark.parametrize(
    ("said", "down", "height", "believed"),
    [
        ("LT", 30, 8, True),  # initials right below a marker
        ("LT", -30, 8, True),
        ("LT", 60, 8, False),  # too far from it
        ("LT", 2, 8, False),  # on it: a stroke of the marker itself
        ("LT", 60, 60, False),  # larger than it: anatomy
        ("120 kV", 30, 8, False),
    ],
)
def test_what_stands_right_at_a_laterality_mark_is_taken_for_initials(
    said: str, down: float, height: float, *, believed: bool
) -> None:
    mark = Candidate(
        sort=Sort.TEXT,
        strip=Strip(x=100, y=200, length=40, height=34),
        score=1.0,
        reading=Reading(text=said, sure=0.99, least=0.99),
    )
    strip = Strip(x=96, y=200 + down, length=24, height=height)
    faint = Candidate(sort=Sort.TEXT, strip=strip, score=0.6, weak=True)
    _, one = in_company([mark, faint])
    assert one.weak is not believed
    assert (one.strip.height > 2 * height) is believed  # only a part of it may have been seen


def test_of_two_finds_at_one_place_the_confirmed_one_counts() -> None:
    strip = Strip(x=100, y=50, length=100, height=20)
    surer = Candidate(
        sort=Sort.TEXT,
        strip=strip,
        score=0.9,
        reading=Reading(text="~", sure=0.6, least=0.6),
        weak=True,
    )
    other = Candidate(sort=Sort.TEXT, strip=strip, score=0.8)
    assert [one.weak for one in distinct([surer, other])] == [False]
    assert [one.weak for one in distinct([surer, surer])] == [True]


def test_a_mark_does_not_take_the_initials_below_it_along(eyes: Eyes) -> None:
    grey = np.random.default_rng(2).normal(20, 3, (240, 320)).clip(0, 255).astype(np.uint8)
    cv2.putText(grey, "RIGHT", (60, 110), cv2.FONT_HERSHEY_DUPLEX, 1.8, 230, 3)
    cv2.putText(grey, "MKT", (64, 142), cv2.FONT_HERSHEY_DUPLEX, 0.8, 230, 2)
    block = Line(strip=Strip(x=150, y=105, length=190, height=84), peak=1.0, count=1, area=6000)
    opinion = Opinion(block, Peaks(1.0, 1.0, 0.0))
    parts = eyes._parted(grey, opinion, Reading(text="RIGHT", sure=1.0, least=1.0))
    said = {one.reading.text: one.strip.height for one in parts if one.reading}
    assert {"RIGHT", "MKT"} <= set(said)
    assert said["MKT"] < said["RIGHT"] < 84


@pytest.mark.parametrize("turn", [-5, 4])
def test_a_mark_with_something_below_it_is_none_however_they_are_turned(
    eyes: Eyes, turn: int
) -> None:
    flat = np.full((240, 320), 20, np.uint8)
    cv2.putText(flat, "RIGHT", (80, 110), cv2.FONT_HERSHEY_DUPLEX, 1.5, 230, 3)
    alone = _turned(flat, turn)
    cv2.putText(flat, "MKT", (84, 136), cv2.FONT_HERSHEY_DUPLEX, 0.6, 230, 1)
    beside = _turned(flat, turn)
    block = Strip(x=150, y=106, length=150, height=68)
    assert layered(beside, block)
    assert not layered(alone, Strip(x=150, y=94, length=150, height=48))
    opinion = Opinion(Line(strip=block, peak=1.0, count=1, area=4000), Peaks(1.0, 1.0, 0.0))
    parts = eyes._parted(beside, opinion, Reading(text="RIGHT", sure=1.0, least=1.0))
    assert parts
    assert not any(one.weak for one in parts)
    assert all(one.reading is None or one.strip.height < 60 for one in parts)


@pytest.mark.parametrize("turns", [1, 3])
def test_a_mark_that_runs_upwards_or_downwards_stays_whole(eyes: Eyes, turns: int) -> None:
    flat = np.full((240, 320), 20, np.uint8)
    cv2.putText(flat, "RMLO", (80, 130), cv2.FONT_HERSHEY_DUPLEX, 1.5, 230, 3)
    seen = eyes.look(Shown(np.ascontiguousarray(np.rot90(flat, turns))))
    assert [one.reading.text for one in seen.found if one.reading and not one.weak] == ["RMLO"]


def _turned(grey: NDArray[np.uint8], angle: float) -> NDArray[np.uint8]:
    turn = cv2.getRotationMatrix2D((150.0, 105.0), angle, 1.0)
    turned = cv2.warpAffine(grey, turn, grey.shape[::-1], borderValue=20.0)
    return np.asarray(turned, np.uint8)


def test_a_letter_on_its_side_is_none_where_the_picture_has_two_rows(eyes: Eyes) -> None:
    grey = np.full((240, 320), 20, np.uint8)
    cv2.putText(grey, "R", (138, 110), cv2.FONT_HERSHEY_DUPLEX, 1.8, 230, 3)
    alone = grey.copy()
    cv2.putText(grey, "MKT", (138, 140), cv2.FONT_HERSHEY_DUPLEX, 0.8, 230, 2)
    block = Strip(x=163, y=105, length=76, height=54, angle=90)
    opinion = Opinion(Line(strip=block, peak=1.0, count=1, area=1200), Peaks(1.0, 1.0, 0.0))
    reading = Reading(text="R", sure=0.94, least=0.94)
    parts = eyes._parted(grey, opinion, reading)
    assert [one.reading.text for one in parts if one.reading] == ["R", "MKT"]
    assert [one.strip.bounds()[3] < 120 for one in parts] == [True, False]
    assert eyes._parted(alone, opinion, reading) == []
