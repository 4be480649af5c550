"""Writing drawn into pictures is found, decided on and found gone, by the engines that ship."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from safelight.deid.boxes import Region, Verdict
from safelight.deid.burned import Finder, Hints
from safelight.deid.burned.strip import Strip
from safelight.deid.text import Identity, Needles
from safelight.errors import SettingsError

SIDE = 256
NEEDLES = Needles.compile(Identity(names={"DOEWELL^JANE"}, ids={"KH7734120"}))


@dataclass
class Shown:
    """A picture as a viewer shows it."""

    grey: np.ndarray
    rgb: np.ndarray | None = None


@pytest.fixture(scope="module")
def finder() -> Finder:
    return Finder()


def body(shift: float = 0.0) -> np.ndarray:
    """Return a smooth picture like a slice through a body."""
    yy, xx = np.mgrid[:SIDE, :SIDE].astype(np.float32)
    inside = np.hypot((xx - 128 - shift) / 90, (yy - 128) / 70) < 1
    plane = 12 + inside * (70 + 25 * np.sin((xx + shift) / 17) * np.cos(yy / 23))
    return cv2.GaussianBlur(plane, (0, 0), 1.5).clip(0, 255).astype(np.uint8)


def written(
    plane: np.ndarray, text: str, x: int, y: int, *, size: int = 14, ink: int = 235
) -> np.ndarray:
    """Return the picture with a line of text; ``x`` and ``y`` are its top left corner."""
    image = Image.fromarray(plane)
    ImageDraw.Draw(image).text((x, y), text, font=ImageFont.load_default(size), fill=ink)
    return np.asarray(image)


def painted(regions: Sequence[Region], verdict: Verdict, frame: int = 0) -> np.ndarray:
    """Return where the regions of one verdict are in a frame."""
    plane = np.zeros((SIDE, SIDE), bool)
    for region in regions:
        if region.verdict is verdict and (not region.frames or frame in region.frames):
            for box in region.boxes:
                plane[box.y : box.y + box.h, box.x : box.x + box.w] = True
    return plane


def ink_of(after: np.ndarray, before: np.ndarray) -> np.ndarray:
    """Return the pixels that writing changed clearly."""
    return cv2.absdiff(after, before) > 60


def test_a_name_is_masked_and_gone_and_a_mark_stays(finder: Finder) -> None:
    plain = body()
    named = written(plain, "DOEWELL^JANE 1960", 8, 10)
    plane = written(named, "PORTABLE", 150, 230)
    regions = finder.decide([finder.look(Shown(plane))], NEEDLES)
    masks, keeps = painted(regions, Verdict.MASK), painted(regions, Verdict.KEEP)
    assert (masks & ink_of(named, plain)).sum() >= 0.99 * ink_of(named, plain).sum()
    kept = ink_of(plane, named)
    assert not (masks & kept).any()
    assert (keeps & kept).sum() >= 0.9 * kept.sum()
    assert masks.mean() < 0.12

    left = finder.check(Shown(np.where(masks, 0, plane).astype(np.uint8)), regions, NEEDLES)
    assert left == []
    assert finder.check(Shown(plane), [], NEEDLES)


def test_a_value_of_the_subject_is_told_even_where_it_was_kept(finder: Finder) -> None:
    plane = written(body(), "DOEWELL", 90, 120, size=20)
    wrong = [
        Region(boxes=(box,), verdict=Verdict.KEEP, rule="by hand")
        for region in finder.decide([finder.look(Shown(plane))], None)
        for box in region.boxes
    ]
    assert [one.rule for one in finder.check(Shown(plane), wrong, NEEDLES)] == [
        "a value of the subject"
    ]


def test_slanted_writing_is_covered_by_small_boxes(finder: Finder) -> None:
    flat = np.zeros((SIDE, SIDE), np.uint8)
    ink = np.asarray(
        Image.fromarray(written(flat, "DOEWELL JANE 1960", 60, 118)).rotate(35), np.uint8
    )
    plane = np.maximum(body(), ink)
    regions = finder.decide([finder.look(Shown(plane))], None)
    masks = painted(regions, Verdict.MASK)
    assert (masks & (ink > 120)).sum() >= 0.97 * (ink > 120).sum()
    assert masks.mean() < 0.2


def test_writing_in_a_colour_of_the_same_brightness_is_found(finder: Finder) -> None:
    flat = np.zeros((SIDE, SIDE), np.uint8)
    ink = written(flat, "DOEWELL JANE", 40, 100, size=18) > 120
    rgb = np.empty((SIDE, SIDE, 3), np.uint8)
    rgb[:] = (0, 102, 0)
    rgb[ink] = (200, 0, 0)
    grey = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)
    assert int(np.ptp(grey)) <= 2
    masks = painted(finder.decide([finder.look(Shown(grey, rgb))], None), Verdict.MASK)
    assert (masks & ink).sum() >= 0.97 * ink.sum()


def test_a_picture_without_writing_is_left_alone(finder: Finder) -> None:
    assert finder.decide([finder.look(Shown(body()))], None) == []


@pytest.mark.parametrize("shape", [(1, 1), (3, 200), (200, 3), (17, 31)])
def test_any_size_is_looked_at(finder: Finder, shape: tuple[int, int]) -> None:
    plane = np.random.default_rng(1).integers(0, 256, shape, np.uint8)
    seen = finder.look(Shown(plane), Hints(closer=True))
    assert (seen.rows, seen.columns) == shape
    finder.check(Shown(plane), finder.decide([seen], None))


def test_the_projections_of_a_series_show_a_faint_overlay(finder: Finder) -> None:
    ink = written(np.zeros((SIDE, SIDE), np.uint8), "DOEWELL JANE", 70, 120, size=16)
    noise = np.random.default_rng(3)
    look = finder.series()
    for number in range(12):
        grain = noise.normal(0, 14, (SIDE, SIDE))
        plane = body(7.0 * number) + grain + ink * (22 / 235)
        look.add(Shown(plane.clip(0, 255).astype(np.uint8)))
    whole = look.finish()
    assert whole is not None
    regions = finder.decide([whole], None)
    masks = painted(regions, Verdict.MASK)
    assert (masks & (ink > 120)).sum() >= 0.95 * (ink > 120).sum()
    assert {region.frames for region in regions} == {()}


@pytest.mark.parametrize(
    ("frames", "step", "believed"), [(3, -1, False), (12, -1, True), (3, 1, True)]
)
def test_what_nobody_can_read_counts_in_the_projections_of_many_frames_only(
    finder: Finder, frames: int, step: int, *, believed: bool
) -> None:
    noise = np.random.default_rng(3)
    ink = written(np.zeros((SIDE, SIDE), np.uint8), "&R%@8", 70, 120, size=20)
    strokes = ink[:, ::step] * (70 / 235)  # -1: as in a mirror, nobody's letters
    look = finder.series()
    for number in range(frames):
        plane = body(7.0 * number) + noise.normal(0, 4, (SIDE, SIDE)) + strokes
        look.add(Shown(plane.clip(0, 255).astype(np.uint8)))
    whole = look.finish()
    assert whole is not None
    assert any(not one.weak for one in whole.found) is believed


def test_a_series_of_two_is_none(finder: Finder) -> None:
    look = finder.series()
    for _number in range(2):
        look.add(Shown(body()))
    assert look.finish() is None


def test_a_missing_reading_model_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    with pytest.raises(SettingsError, match="models for reading"):
        Finder()._eyes.reader.read(body(), [Strip(x=50, y=50, length=40, height=10)])
