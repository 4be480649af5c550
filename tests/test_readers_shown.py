"""What readers are shown of a CT does not hang on the window that its header names."""

from typing import Any

import numpy as np
import pytest

from safelight.pipeline.reading import read
from safelight.readers import kind as kinds
from safelight.readers import quality, shown
from safelight.readers.asking import Seen
from safelight.readers.reading import Answer, KindAnswer, QualityIssue, ViewKind
from safelight.readers.registry import registry
from safelight.readers.view import View
from safelight.types import Kind
from view_fixtures import clean, dicom, photo, view

HEAD, BODY = ViewKind.HEAD_CT, ViewKind.BODY_CT
WINDOWS: list[dict[str, Any]] = [
    {},
    {"WindowCenter": 40, "WindowWidth": 80},
    {"WindowCenter": 500, "WindowWidth": 2000},
    {"WindowCenter": 35, "WindowWidth": 30},
]


def head(**header: Any) -> View:
    down, across = np.mgrid[:128, :128] - 64
    numbers = np.where(down**2 + across**2 < 64**2, 30, -1000)
    numbers[50:70, 40:60] = 65  # a bleed
    numbers[10, 64] = 900  # bone
    numbers = numbers + np.random.default_rng(1).integers(-4, 5, numbers.shape)
    given = {"Modality": "CT", "RescaleSlope": 1, "RescaleIntercept": -1024, **header}
    return view(dicom((numbers + 1024).clip(0).astype(np.uint16), **given))


@pytest.mark.parametrize("window", WINDOWS)
def test_readers_of_the_head_see_one_window(window: dict[str, Any]) -> None:
    seen = head(**window)
    found = Seen(seen, HEAD).picture()
    assert found[0, 0] == 0
    assert found[10, 64] == 255
    assert 190 < found[50:70, 40:60].mean() < 225  # 65 of 80 HU
    assert np.array_equal(found, Seen(head(**WINDOWS[0]), HEAD).picture())
    assert "0 to 80 HU" in shown.note(seen, HEAD)
    # other kinds are shown as the header says
    assert np.array_equal(Seen(seen, BODY).picture(), seen.picture())
    assert shown.note(seen, BODY) == ""


def test_answers_do_not_change_with_the_window() -> None:
    kind = KindAnswer(kind=HEAD, by_header=HEAD, by_pixels=HEAD, distance=0.5, why="")
    told = {registry().read(head(**window), kind) for window in WINDOWS}
    assert len(told) == 1
    assert next(iter(told))


@pytest.mark.parametrize(
    "header",
    [
        {"RescaleType": "US"},
        {"RescaleIntercept": None},
        {"ImageType": ["DERIVED", "SECONDARY", "MIP"]},
    ],
)
def test_without_ct_numbers_the_picture_is_as_displayed(header: dict[str, Any]) -> None:
    given = {"RescaleSlope": 1, **header}
    seen = head(**{name: value for name, value in given.items() if value is not None})
    if header.get("RescaleIntercept", 0) is None:
        seen = view(dicom(np.asarray(seen.stored(), np.uint16), Modality="CT", RescaleSlope=1))
    assert np.array_equal(Seen(seen, HEAD).picture(), seen.picture())
    assert shown.note(seen, HEAD) == ""


def test_a_photo_is_as_displayed() -> None:
    pixels = np.random.default_rng(4).integers(0, 255, (80, 80)).astype(np.uint8)
    seen = view(photo(pixels), Kind.PNG)
    assert np.array_equal(Seen(seen, HEAD).picture(), seen.picture())


@pytest.mark.parametrize("code", ["small", "blurred", "rotated", "inverted", "clipped", "cropped"])
def test_no_answer_holds_for_a_picture_that_no_reader_was_tested_on(code: str) -> None:
    issues = (QualityIssue(code=code, text="So it is."),)
    told = quality.unfit(issues, HEAD)
    assert bool(told) is (code not in ("clipped", "cropped"))
    film = quality.unfit(issues, ViewKind.CHEST_XRAY_FRONTAL)
    assert bool(film) is (code not in ("clipped", "cropped", "small"))  # films were learnt small
    assert quality.unfit((), HEAD) == ""


def test_readers_abstain_from_a_blurred_section(monkeypatch: pytest.MonkeyPatch) -> None:
    kind = KindAnswer(kind=HEAD, by_header=HEAD, by_pixels=HEAD, distance=0.5, why="")
    monkeypatch.setattr(kinds, "what", lambda _view: kind)
    down, across = np.mgrid[:200, :200] - 100
    blurred = (200 * np.exp(-(down**2 + across**2) / 4000)).astype(np.uint8)
    sharp = blurred // 2 + np.random.default_rng(2).integers(0, 60, (200, 200)).astype(np.uint8)
    sharp[np.hypot(down, across) > 80] = 0
    (found,) = read(clean(photo(blurred), Kind.PNG)).findings
    assert found.answer is Answer.UNLIKE
    assert "blurred" in found.reason
    assert found.p_seen is None
    (found,) = read(clean(photo(sharp), Kind.PNG)).findings
    assert found.p_seen is not None


@pytest.mark.parametrize("around", [0, 255])
@pytest.mark.parametrize("kind", [HEAD, ViewKind.BREAST_ULTRASOUND])
def test_margins_are_cut_where_readers_learnt_from_cut_pictures(
    kind: ViewKind, around: int
) -> None:
    inner = np.random.default_rng(6).integers(60, 200, (192, 192)).astype(np.uint8)
    wide = np.pad(inner, 48, constant_values=around)
    found = Seen(view(photo(wide), Kind.PNG), kind).picture()
    assert np.abs(np.array(found.shape) - 192).max() <= 6
    assert "without what lies around it" in shown.note(view(photo(wide), Kind.PNG), kind)
    assert shown.note(view(photo(inner), Kind.PNG), kind) == ""
    assert np.array_equal(Seen(view(photo(inner), Kind.PNG), kind).picture(), inner)


def test_a_frame_of_another_kind_is_left_out_and_its_own_margin_is_not() -> None:
    down, across = np.mgrid[:230, :230] - 115
    head_mr = np.random.default_rng(6).integers(60, 200, (230, 230)).astype(np.uint8)
    head_mr[np.hypot(down, across) > 75] = 0
    framed = np.pad(head_mr, 25, constant_values=255)
    for pixels in (head_mr, framed):
        seen = Seen(view(photo(pixels), Kind.PNG), ViewKind.HEAD_MR)
        assert np.array_equal(seen.picture(), head_mr)
