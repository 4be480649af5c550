"""Second opinions: on what only one network takes for writing, on a mark that may be two lines."""

from dataclasses import dataclass

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from safelight.deid.burned.lines import Line
from safelight.deid.burned.look import Eyes
from safelight.deid.burned.read import Reading
from safelight.deid.burned.stack import layered
from safelight.deid.burned.strip import Strip
from safelight.deid.burned.verify import Opinion, Peaks


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


def test_writing_is_not_denied_and_bare_ground_is(eyes: Eyes) -> None:
    grey = np.random.default_rng(2).normal(60, 3, (300, 400)).clip(0, 255).astype(np.uint8)
    cv2.putText(grey, "DOE^JANE 1961", (40, 80), cv2.FONT_HERSHEY_SIMPLEX, 1.0, 200, 2)
    written = Strip(x=150, y=70, length=230, height=28)
    assert not eyes.denied(grey, written)
    assert eyes.denied(grey, Strip(x=200, y=220, length=230, height=28))


@pytest.mark.parametrize("at", [(5, 5), (395, 295), (200, -4)])
def test_a_line_at_the_border_is_judged_too(eyes: Eyes, at: tuple[int, int]) -> None:
    grey = np.full((300, 400), 30, np.uint8)
    assert eyes.denied(grey, Strip(x=at[0], y=at[1], length=40, height=14))


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
