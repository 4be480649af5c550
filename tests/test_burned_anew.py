"""A short mark seen in part is read once more; what stands beside it is not taken along."""

from collections.abc import Sequence

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from safelight.deid.boxes import Verdict
from safelight.deid.burned.anew import anew
from safelight.deid.burned.decide import decide
from safelight.deid.burned.read import Reader, Reading
from safelight.deid.burned.sight import Candidate, Sight, Sort
from safelight.deid.burned.stack import layered, stacked
from safelight.deid.burned.strip import Strip

FONT = cv2.FONT_HERSHEY_DUPLEX
BITMAP = ("####.", "#...#", "#...#", "####.", "#.#..", "#..#.", "#...#")  # an R of 5 x 7


@pytest.fixture(scope="module")
def reader() -> Reader:
    return Reader()


def ground() -> NDArray[np.uint8]:
    """Return a dark field with a little noise."""
    return np.random.default_rng(4).normal(24, 2, (200, 320)).clip(0, 255).astype(np.uint8)


def find(box: tuple[float, float, float, float], said: str = "", sure: float = 0.6) -> Candidate:
    """Return a find around left, top, right and bottom, with what it was read as."""
    left, top, right, bottom = box
    strip = Strip(
        x=(left + right) / 2, y=(top + bottom) / 2, length=right - left, height=bottom - top
    )
    reading = Reading(text=said, sure=sure, least=sure) if said else None
    return Candidate(sort=Sort.TEXT, strip=strip, score=0.9, reading=reading)


def said(found: list[Candidate]) -> list[str]:
    """Return what was read of the finds, for certain."""
    return [one.reading.text for one in found if one.reading and one.reading.sure >= 0.9]


def verdicts(found: list[Candidate]) -> set[Verdict]:
    """Return what becomes of the finds."""
    return {
        each.verdict for each in decide([Sight(rows=200, columns=320, frame=0, found=found)], None)
    }


def test_of_an_l_the_stem_is_enough(reader: Reader) -> None:
    grey = ground()
    cv2.putText(grey, "L", (100, 100), FONT, 0.9, 220, 2)  # columns 103 to 116
    stem = find((102, 79, 107, 101), "C", 0.88)
    stem_sideways = Candidate(
        sort=Sort.TEXT, strip=stem.strip.turned(), score=0.9, reading=stem.reading
    )
    foot = find((108, 96, 117, 102), "一", 0.7)
    for one in (stem, stem_sideways):
        assert Verdict.MASK in verdicts([one, foot])
        found = anew(reader, grey, [one, foot])
        assert verdicts(found) == {Verdict.KEEP}
        mark = found[0]
        assert mark.reading is not None
        assert (mark.reading.text, mark.reading.turn) == ("L", 0)
        left, _, right, _ = mark.strip.bounds()
        assert left <= 104
        assert right >= 115


@pytest.mark.parametrize("name", ["LAG", "BH", "ITO", "LEE", "KLM", "RAMOS"])
def test_initials_and_names_do_not_become_marks(reader: Reader, name: str) -> None:
    grey = ground()
    cv2.putText(grey, name, (60, 100), FONT, 0.9, 220, 2)
    (wide, _), _ = cv2.getTextSize(name, FONT, 0.9, 2)
    whole = find((60, 79, 62 + wide, 102))
    pieces = [find((60, 79, 78, 102)), find((62 + wide - 18, 79, 62 + wide, 102), "T", 0.5)]
    for found in ([whole], pieces):
        assert verdicts(anew(reader, grey, found)) == {Verdict.MASK}


@pytest.mark.parametrize("below", ["MKT", "RS"])
def test_a_mark_read_anew_does_not_take_the_initials_below_it_along(
    reader: Reader, below: str
) -> None:
    grey = ground()
    cv2.putText(grey, "L", (100, 100), FONT, 1.4, 220, 3)
    cv2.putText(grey, below, (100, 124), FONT, 0.6, 220, 1)
    block = find((100, 68, 140, 128))
    initials = find((100, 109, 140, 127), "", 0.3)
    assert "L" not in said(anew(reader, grey, [block]))
    found = anew(reader, grey, [find((102, 68, 122, 102), "L", 0.85), initials])
    assert initials in found


@pytest.mark.parametrize("turns", [1, 3])
def test_initials_that_run_upwards_are_no_letter(reader: Reader, turns: int) -> None:
    grey = ground()
    cv2.putText(grey, "KLM", (60, 100), FONT, 0.4, 220, 1)
    turned = np.ascontiguousarray(np.rot90(grey, turns))
    ys, xs = np.nonzero(turned > 120)
    box = float(xs.min()), float(ys.min()), float(xs.max() + 1), float(ys.max() + 1)
    assert verdicts(anew(reader, turned, [find(box)])) == {Verdict.MASK}
    slim = find((100, 60, 109, 88))  # whatever the reader makes of it
    assert anew(Certain(), grey, [slim]) == [slim]


@pytest.mark.parametrize("turns", [0, 1, 3])
def test_initials_do_not_grow_into_the_mark_that_they_touch(reader: Reader, turns: int) -> None:
    grey = ground()
    cv2.putText(grey, "R", (100, 100), FONT, 1.1, 220, 2)
    cv2.putText(grey, "KLM", (98, 114), FONT, 0.4, 220, 1)
    initials = np.zeros(grey.shape, np.uint8)
    initials[100:116, 96:128] = 1  # the foot of the R is in it
    ys, xs = np.nonzero(np.rot90(initials, turns))
    box = float(xs.min()), float(ys.min()), float(xs.max() + 1), float(ys.max() + 1)
    found = anew(reader, np.ascontiguousarray(np.rot90(grey, turns)), [find(box)])
    assert "R" not in said(found)


class Certain(Reader):
    """A reader that reads an R everywhere."""

    def read(
        self,
        grey: NDArray[np.uint8],  # noqa: ARG002 - as it is called
        strips: Sequence[Strip],
        *,
        thorough: bool = True,  # noqa: ARG002 - as it is called
    ) -> list[Reading]:
        return [Reading(text="R", sure=1.0, least=1.0) for _ in strips]


def test_letters_that_are_spread_are_one_mark(reader: Reader) -> None:
    grey = ground()
    for place, letter in enumerate("LEFT"):
        cv2.putText(grey, letter, (60 + 36 * place, 100), FONT, 0.9, 220, 2)
    first, second = find((60, 79, 116, 102), "L E", 1.0), find((130, 79, 190, 102), "F T", 1.0)
    (mark,) = anew(reader, grey, [first, second])
    assert mark.reading is not None
    assert "".join(mark.reading.text.split()) == "LEFT"
    other = grey.copy()
    cv2.putText(other, "W", (60 + 36 * 4, 100), FONT, 0.9, 220, 2)
    third = find((202, 79, 226, 102), "W", 1.0)
    assert len(anew(reader, other, [first, second, third])) == 3


def test_a_mark_seen_again_askew_is_one_find_and_a_letter_beyond_it_another(
    reader: Reader,
) -> None:
    grey = ground()
    cv2.putText(grey, "RT", (100, 100), FONT, 0.9, 220, 2)
    mark, askew = find((100, 79, 136, 102), "RT", 0.99), find((98, 74, 139, 86), "DT", 0.7)
    assert verdicts(anew(reader, grey, [mark, askew])) == {Verdict.KEEP}
    cv2.putText(grey, "W", (139, 100), FONT, 0.9, 220, 2)
    beyond = find((120, 79, 163, 102), "TW", 0.7)
    assert verdicts(anew(reader, grey, [mark, beyond])) == {Verdict.MASK}


def test_a_bitmap_letter_is_one_row(reader: Reader) -> None:
    grey = ground()
    letter = np.array([[char == "#" for char in row] for row in BITMAP])
    ink = np.kron(letter, np.ones((6, 6), bool))
    grey[60:102, 100:130][ink] = 220
    strip = Strip(x=115, y=81, length=30, height=42)
    assert not layered(grey, strip)
    assert stacked(grey, strip) == []
    (mark,) = anew(reader, grey, [find((100, 60, 130, 102))])
    assert said([mark]) == ["R"]
