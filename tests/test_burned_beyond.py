"""A mark's proof reaches as far as the letters that were read, not to the end of its line."""

import cv2
import numpy as np
import pytest

from safelight.deid.boxes import Verdict
from safelight.deid.burned.beyond import explained
from safelight.deid.burned.decide import decide
from safelight.deid.burned.read import Reader, Reading
from safelight.deid.burned.sight import Candidate, Sight, Sort
from safelight.deid.burned.strip import Strip

LINE = Strip(x=200, y=100, length=300, height=20)


def read(start: float, stop: float, turn: int = 0) -> Reading:
    """Return a mark whose first and last letters stand at these parts of its line."""
    return Reading(text="PORTABLE", sure=1.0, least=1.0, turn=turn, start=start, stop=stop)


def test_a_line_read_to_both_ends_is_explained_whole() -> None:
    assert explained(LINE, read(0.03, 0.97)) == (LINE, [])


def test_what_follows_the_last_letter_at_some_distance_is_not_explained() -> None:
    mark, (rest,) = explained(LINE, read(0.03, 0.5))
    assert mark.bounds()[0] == rest.bounds()[0] - mark.length == 50
    assert 210 < mark.bounds()[2] < 235
    assert rest.bounds()[2] == 350


def test_what_stands_before_the_first_letter_is_not_explained() -> None:
    mark, (rest,) = explained(LINE, read(0.5, 0.97))
    assert rest.bounds()[0] == 50
    assert rest.bounds()[2] == mark.bounds()[0]
    assert mark.bounds()[2] == 350


def test_of_a_line_read_upside_down_it_is_the_other_end() -> None:
    mark, (rest,) = explained(LINE, read(0.03, 0.5, turn=180))
    assert rest.bounds()[0] == 50
    assert mark.bounds()[2] == 350


def test_a_line_that_runs_down_ends_below() -> None:
    down = Strip(x=100, y=200, length=300, height=20, angle=90)
    mark, (rest,) = explained(down, read(0.03, 0.5))
    assert mark.bounds()[1] == pytest.approx(50)
    assert rest.bounds()[3] == pytest.approx(350)


def test_the_reader_tells_where_its_letters_stand() -> None:
    grey = np.full((120, 480), 20, np.uint8)
    cv2.putText(grey, "PORTABLE", (20, 70), cv2.FONT_HERSHEY_DUPLEX, 1.0, 230, 2)
    ends = np.flatnonzero((grey > 100).any(axis=0))
    strip = Strip(x=228, y=58, length=440, height=30)
    (reading,) = Reader().read(grey, [strip])
    assert reading.text == "PORTABLE"
    mark, (rest,) = explained(strip, reading)
    assert mark.bounds()[0] <= ends[0]
    assert ends[-1] <= mark.bounds()[2] < ends[-1] + 30
    assert rest.bounds()[2] == strip.bounds()[2]


def test_a_mark_stays_and_the_rest_of_its_line_is_masked() -> None:
    mark = Candidate(sort=Sort.TEXT, strip=LINE, score=0.99, reading=read(0.03, 0.5))
    below = Candidate(
        sort=Sort.TEXT,
        strip=Strip(x=200, y=121, length=300, height=20),
        score=0.99,
        reading=read(0.03, 0.97),
    )
    kept, masked, other = decide([Sight(rows=512, columns=512, frame=0, found=(mark, below))], None)
    assert (kept.verdict, masked.verdict, other.verdict) == (
        Verdict.KEEP,
        Verdict.MASK,
        Verdict.KEEP,
    )
    assert masked.rule == "text: beside a mark"
    (box,) = masked.boxes
    assert 205 < box.x < 240
    assert box.x + box.w >= 350
    assert box.y + box.h <= 114  # not into the mark below it
