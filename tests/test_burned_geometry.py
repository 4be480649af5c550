"""Oriented lines, the boxes that cover them, and how pieces of writing are joined."""

import math

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from safelight.deid.burned.find import Levels, pieces
from safelight.deid.burned.lines import completed, join
from safelight.deid.burned.strip import Strip

SIDE = 200
LEVELS = Levels()


def inside(strip: Strip, x: float, y: float) -> bool:
    """Return whether a point lies in a strip, by its own definition."""
    ux, uy = strip.along
    dx, dy = x - strip.x, y - strip.y
    return (
        abs(dx * ux + dy * uy) <= strip.length / 2 - 1e-6
        and abs(-dx * uy + dy * ux) <= strip.height / 2 - 1e-6
    )


@settings(max_examples=150)
@given(
    st.floats(20, 180), st.floats(20, 180), st.floats(3, 150), st.floats(3, 40), st.floats(-89, 90)
)
def test_the_boxes_cover_every_point_of_the_strip(
    x: float, y: float, length: float, height: float, angle: float
) -> None:
    strip = Strip(x=x, y=y, length=length, height=height, angle=angle)
    boxes = strip.boxes(SIDE, SIDE)
    for step in np.linspace(-0.5, 0.5, 9):
        for side in np.linspace(-0.5, 0.5, 5):
            ux, uy = strip.along
            px = x + ux * step * length - uy * side * height
            py = y + uy * step * length + ux * side * height
            if 0 <= px < SIDE and 0 <= py < SIDE and inside(strip, px, py):
                assert any(b.x <= px <= b.x + b.w and b.y <= py <= b.y + b.h for b in boxes)


def test_a_slanted_line_is_a_row_of_small_boxes() -> None:
    strip = Strip(x=100, y=100, length=120, height=12, angle=45)
    plane = np.zeros((SIDE, SIDE), bool)
    for box in strip.boxes(SIDE, SIDE):
        plane[box.y : box.y + box.h, box.x : box.x + box.w] = True
    assert 120 * 12 <= plane.sum() < 2 * 120 * 12
    left, top, right, bottom = strip.bounds()
    assert plane.sum() < 0.4 * (right - left) * (bottom - top)


def test_an_upright_line_is_one_box() -> None:
    assert len(Strip(x=50, y=50, length=60, height=10).boxes(SIDE, SIDE)) == 1


def blot(plane: np.ndarray, x: int, y: int, w: int, h: int, value: float = 0.95) -> None:
    """Draw a piece of writing into a probability map."""
    plane[y : y + h, x : x + w] = value


def test_letters_side_by_side_are_one_line() -> None:
    plane = np.zeros((SIDE, SIDE), np.float32)
    for number in range(6):
        blot(plane, 20 + 16 * number, 50, 10, 14)
    blot(plane, 20, 120, 10, 14)
    found = join(pieces(plane, LEVELS), LEVELS)
    assert sorted(line.count for line in found) == [1, 6]


def test_a_faint_word_counts_beside_a_clear_one_and_not_alone() -> None:
    plane = np.zeros((SIDE, SIDE), np.float32)
    blot(plane, 20, 50, 40, 12)
    blot(plane, 68, 50, 30, 12, 0.45)
    blot(plane, 20, 150, 30, 12, 0.45)
    found = join(pieces(plane, LEVELS), LEVELS)
    assert [line.count for line in found] == [2]
    assert found[0].strip.length == pytest.approx(78)


def test_a_line_is_drawn_out_to_its_faint_end() -> None:
    plane = np.zeros((SIDE, SIDE), np.float32)
    blot(plane, 50, 50, 40, 12)
    blot(plane, 92, 50, 12, 12, 0.25)
    (line,) = join(pieces(plane, LEVELS), LEVELS)
    strip = completed(line, plane, LEVELS).strip
    assert strip.x + strip.length / 2 >= 103
    assert strip.x - strip.length / 2 >= 48


def test_a_ring_does_not_take_what_it_goes_around() -> None:
    plane = np.zeros((SIDE, SIDE), np.float32)
    yy, xx = np.mgrid[:SIDE, :SIDE]
    plane[abs(np.hypot(xx - 100, yy - 100) - 60) < 3] = 0.9
    covered = np.zeros((SIDE, SIDE), bool)
    for line in join(pieces(plane, LEVELS), LEVELS):
        for box in line.strip.boxes(SIDE, SIDE):
            covered[box.y : box.y + box.h, box.x : box.x + box.w] = True
    assert covered[100, 100] == 0
    assert covered.mean() < 0.35


def test_the_outline_of_an_organ_does_not_take_the_line_beside_it_along() -> None:
    plane = np.zeros((120, 160), np.float32)
    cv2.ellipse(plane, (92, 88), (48, 48), 0, 180, 290, 0.5, 6)  # an arc
    cv2.line(plane, (60, 40), (84, 84), 0.99, 9)  # a slanted line that touches it
    found = pieces(plane, LEVELS)
    (line,) = (piece for piece in found if piece.peak > 0.9)
    assert abs(line.strip.angle - 61) < 5
    assert line.strip.height < 20
    assert 45 < line.strip.length < 75
    assert len(found) > 1  # the arc is not forgotten: something may be written along it


@pytest.mark.parametrize("second", ["foot", "half"])
def test_strokes_that_touch_in_a_row_are_one_letter(second: str) -> None:
    plane = np.zeros((60, 80), np.float32)
    blot(plane, 20, 20, 6, 24)
    if second == "foot":
        blot(plane, 27, 38, 12, 6)
    else:
        blot(plane, 27, 20, 8, 24)
    (letter,) = join(pieces(plane, LEVELS), LEVELS)
    assert letter.count == 2
    left, top, right, bottom = letter.strip.bounds()
    assert (left, top) == (20, 20)
    assert bottom - top == 24
    assert right - left in {15, 19}


def test_a_letter_above_another_line_is_not_part_of_it() -> None:
    plane = np.zeros((60, 80), np.float32)
    blot(plane, 20, 10, 6, 18)
    blot(plane, 20, 29, 24, 9)
    assert len(join(pieces(plane, LEVELS), LEVELS)) == 2


def test_an_empty_map_and_a_speck_give_nothing() -> None:
    plane = np.zeros((SIDE, SIDE), np.float32)
    assert pieces(plane, LEVELS) == []
    plane[5, 5] = 1.0
    assert join(pieces(plane, LEVELS), LEVELS) == []


def test_noise_all_over_is_bounded() -> None:
    plane = np.random.default_rng(0).random((400, 400), np.float32)
    assert len(join(pieces(plane, LEVELS), LEVELS)) < 4000


@given(st.floats(-89.9, 90))
def test_the_direction_of_a_long_line_is_kept(angle: float) -> None:
    points = Strip(x=500, y=500, length=400, height=20, angle=angle).corners()
    around = Strip.around(np.round(points).astype(np.int32))
    turn = abs((around.angle - angle + 90) % 180 - 90)
    assert turn < 5
    assert math.isclose(around.length * around.height, 400 * 20, rel_tol=0.25)
