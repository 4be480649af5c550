"""What a case keeps of who it is about, and what it leaves out."""

import math
from types import SimpleNamespace
from typing import Any

import pytest

from safelight.errors import FeedbackError
from safelight.feedback import Facts
from safelight.feedback.said import start_of
from safelight.feedback.values import Box, age_band


@pytest.mark.parametrize(
    ("age", "band"),
    [
        (0.0, "0-4"),
        (4.9, "0-4"),
        (43.0, "40-44"),
        (89.9, "85-89"),
        (90.0, "90+"),
        (113.0, "90+"),
        (-1.0, ""),
        (200.0, ""),
        (math.nan, ""),
        (math.inf, ""),
        (None, ""),
    ],
)
def test_an_age_is_kept_as_its_band(age: float | None, band: str) -> None:
    assert age_band(age) == band
    first = start_of(age)
    assert (first is None) == (band == "")
    assert age_band(first) == band


def test_what_a_header_tells_becomes_codes() -> None:
    view: Any = SimpleNamespace(age=43.2, sex="F", manufacturer=" Müller & Söhne (Röntgen) GmbH ")
    made = Facts.of_view(view, site="north")
    assert made.device == "M-ller-S-hne-R-ntgen-GmbH"
    assert (made.site, made.age, made.sex) == ("north", 43.2, "F")
    blank: Any = SimpleNamespace(age=None, sex="", manufacturer="")
    assert Facts.of_view(blank) == Facts()


@pytest.mark.parametrize(
    "more", [{"sex": "X"}, {"site": "St. Mary's, room 4"}, {"region": "a" * 65}, {"device": "a b"}]
)
def test_what_is_no_code_is_refused(more: dict[str, str]) -> None:
    with pytest.raises(FeedbackError):
        Facts(**more)  # type: ignore[arg-type]  # cases of a table


@pytest.mark.parametrize("box", [(0, 0, 0, 5), (-1, 0, 5, 5), (0, 0, 5, 1 << 21)])
def test_a_region_lies_in_a_picture(box: tuple[int, int, int, int]) -> None:
    x, y, w, h = box
    with pytest.raises(FeedbackError):
        Box(x=x, y=y, w=w, h=h)
