"""What the looker leaves out of a sight: outlines of organs, never a line of writing."""

import pytest

from safelight.deid.burned.read import Reading
from safelight.deid.burned.sight import Candidate, Sight, Sort
from safelight.deid.burned.strip import Strip
from safelight.deid.looking import legible
from safelight.deid.pixels.header import Look
from safelight.deid.pixels.tables import Table


def seen(said: str, length: float, height: float) -> Sight:
    """Return a sight of 480 x 640 with one find."""
    one = Candidate(
        sort=Sort.TEXT,
        strip=Strip(x=320, y=240, length=length, height=height),
        score=0.99,
        reading=Reading(text=said, sure=0.9, least=0.9),
    )
    return Sight(rows=480, columns=640, frame=0, found=(one,))


@pytest.mark.parametrize(("length", "height"), [(260, 200), (200, 260)])
def test_the_outline_of_an_organ_is_no_letter(length: float, height: float) -> None:
    assert not legible(seen("O", length, height)).found


@pytest.mark.parametrize(
    ("said", "length", "height"),
    [
        ("λ", 200, 24),  # a Greek name, to a reader that knows no Greek
        ("λ", 24, 200),
        ("ROE", 260, 200),
        ("R", 120, 110),
    ],
)
def test_a_line_that_reads_as_one_letter_stays(said: str, length: float, height: float) -> None:
    assert len(legible(seen(said, length, height)).found) == 1


def test_an_image_is_looked_through_each_window_that_shows_something_else() -> None:
    table = Table(entries=256, first=0, bits=8, data=bytes(range(256)))
    look = Look(windows=((40, 400), (50, 350), (-600, 1500), (300, 40)), voi=(table,))
    ways = look.ways()
    assert [way.windows for way in ways] == [((40, 400),), ((-600, 1500),), ((300, 40),), ()]
    assert ways[3].voi == (table,)
    assert Look().ways() == [Look()]
