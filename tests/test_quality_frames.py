"""Quality of pictures in a frame: what is told is of the picture, not of the sheet around it."""

from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from safelight.readers import quality
from safelight.readers.reading import KindAnswer, ViewKind
from safelight.types import Kind
from view_fixtures import photo, view

NOISE = np.random.default_rng(5)
Grey = NDArray[np.uint8]


def told(grey: Grey, kind: ViewKind) -> set[str]:
    answer = KindAnswer(kind=kind, by_header=None, by_pixels=kind, distance=0.5, why="")
    seen = view(photo(np.ascontiguousarray(grey)), Kind.PNG)
    return {issue.code for issue in quality.judge(seen, answer)} - {"small", "blurred", "faint"}


def chest() -> Grey:
    """Return what is shaped like a chest film, with some grain."""
    drawn: Any = cv2.resize(quality._chest(), (300, 300), interpolation=cv2.INTER_CUBIC)
    levels = 40 + 150 * (drawn - drawn.min()) / np.ptp(drawn) + NOISE.normal(0, 6, drawn.shape)
    return np.clip(levels, 0, 255).astype(np.uint8)


def head(*, wide: int = 90) -> Grey:
    """Return a bright round on black; a wide one reaches over the edges."""
    down, across = np.mgrid[:256, :256] - 128
    inside = down**2 + (across * 0.8) ** 2 < wide**2
    return np.where(inside, NOISE.normal(140, 8, (256, 256)).clip(60, 250), 0).astype(np.uint8)


def hand() -> Grey:
    """Return a film of a limb: air around it, at one level."""
    found = head(wide=80)
    found[:, 120:150] = 180 + NOISE.integers(0, 60, (256, 30))
    return found


FRAMES = {
    "none": lambda grey: grey,
    "white": lambda grey: np.pad(grey, 40, constant_values=255),
    "black": lambda grey: np.pad(grey, 40),
    "above": lambda grey: np.pad(grey, ((70, 0), (0, 0)), constant_values=255),
}


@pytest.mark.parametrize("frame", FRAMES)
def test_a_frame_is_neither_turned_nor_inverted_nor_cut_off(frame: str) -> None:
    put = FRAMES[frame]
    assert told(put(chest()), ViewKind.CHEST_XRAY_FRONTAL) == set()
    assert told(put(255 - chest()), ViewKind.CHEST_XRAY_FRONTAL) == {"inverted"}
    assert told(put(np.rot90(chest())), ViewKind.CHEST_XRAY_FRONTAL) == {"rotated"}
    assert told(put(head()), ViewKind.HEAD_MR) == set()
    assert told(put(head(wide=170)), ViewKind.HEAD_MR) == {"cropped"}


@pytest.mark.parametrize("frame", ["none", "black"])
def test_an_inverted_head_is_not_cut_off_by_its_own_margin(frame: str) -> None:
    assert told(FRAMES[frame](255 - head()), ViewKind.HEAD_MR) == {"inverted"}


@pytest.mark.parametrize("kind", [ViewKind.LIMB_XRAY, ViewKind.MAMMOGRAM])
def test_the_air_around_a_limb_is_not_cut_off(kind: ViewKind) -> None:
    assert "clipped" not in told(hand(), kind)
    burnt = hand()
    burnt[90:170, 60:200] = 255
    assert "clipped" in told(burnt, kind)


def test_two_films_in_one_picture_are_not_called_narrow() -> None:
    answer = KindAnswer(
        kind=ViewKind.CHEST_XRAY_FRONTAL, by_header=None, by_pixels=None, distance=0.5, why=""
    )
    for grey, word in ((np.hstack([chest(), chest()]), "wide"), (chest()[:, 80:220], "narrow")):
        issues = quality.judge(view(photo(np.ascontiguousarray(grey)), Kind.PNG), answer)
        (text,) = [issue.text for issue in issues if issue.code == "cropped"]
        assert word in text


def grain(grey: Grey) -> set[str]:
    answer = KindAnswer(kind=ViewKind.HEAD_MR, by_header=None, by_pixels=None, distance=0.5, why="")
    issues = quality.judge(view(photo(np.ascontiguousarray(grey)), Kind.PNG), answer)
    assert bool({issue.code for issue in issues} & UNFIT) == bool(
        quality.unfit(issues, ViewKind.HEAD_MR)
    )
    return {issue.code for issue in issues}


UNFIT = {"faint", "coarse", "noisy", "blocks", "small", "blurred"}


def test_no_reader_answers_to_what_is_left_of_a_picture() -> None:
    plain = cv2.GaussianBlur(head(wide=110), (0, 0), 1.5) // 2 * 2
    down = np.linspace(0.5, 1.6, 256)[:, None]
    whole = np.clip(plain * down + NOISE.normal(0, 2, plain.shape), 0, 255).astype(np.uint8)
    assert grain(whole) == set()
    assert grain((whole * 0.3).astype(np.uint8)) >= {"faint"}
    assert grain(whole // 64 * 85) >= {"coarse"}
    noisy = np.clip(whole + NOISE.normal(0, 30, whole.shape), 0, 255).astype(np.uint8)
    assert grain(noisy) >= {"noisy"}
    packed = cv2.imencode(".jpg", whole, [cv2.IMWRITE_JPEG_QUALITY, 4])[1]
    assert grain(np.asarray(cv2.imdecode(packed, 0), np.uint8)) >= {"blocks"}
    assert grain(np.asarray(cv2.resize(whole, (100, 100)), np.uint8)) >= {"small"}
