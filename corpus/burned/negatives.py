"""What looks like writing and is not: calipers, rulers, grids, collimators, highlights, wires."""

import random

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["KINDS", "scribble"]

Floats = NDArray[np.float32]
_Level = tuple[float, float, float]


def _calipers(p: Floats, rng: random.Random, level: _Level) -> None:
    rows, columns = p.shape[:2]
    ends = []
    for _ in range(2):
        x, y = rng.randint(20, columns - 20), rng.randint(20, rows - 20)
        arm = rng.randint(3, 7)
        cv2.line(p, (x - arm, y), (x + arm, y), level, 1)
        cv2.line(p, (x, y - arm), (x, y + arm), level, 1)
        ends.append((x, y))
    steps = 24
    for k in range(1, steps):
        x = round(ends[0][0] + (ends[1][0] - ends[0][0]) * k / steps)
        y = round(ends[0][1] + (ends[1][1] - ends[0][1]) * k / steps)
        if k % 2:
            cv2.circle(p, (x, y), 0, level, -1)


def _ruler(p: Floats, rng: random.Random, level: _Level) -> None:
    rows, columns = p.shape[:2]
    x, side = (rng.randint(4, 14), 1) if rng.random() < 0.5 else (columns - rng.randint(4, 14), -1)
    step, top = rng.randint(8, 24), rng.randint(10, rows // 3)
    for k in range(rng.randint(6, 20)):
        y = top + k * step
        if y < rows - 5:
            cv2.line(p, (x, y), (x + side * (9 if k % 5 == 0 else 5), y), level, 1)
    if rng.random() < 0.5:
        cv2.line(p, (x, top), (x, min(top + 20 * step, rows - 5)), level, 1)


def _grid(p: Floats, rng: random.Random, level: _Level) -> None:
    rows, columns = p.shape[:2]
    step = rng.randint(24, 80)
    faint: _Level = (level[0] * 0.5, level[1] * 0.5, level[2] * 0.5)
    for x in range(rng.randint(5, step), columns, step):
        cv2.line(p, (x, 0), (x, rows), faint, 1)
    for y in range(rng.randint(5, step), rows, step):
        cv2.line(p, (0, y), (columns, y), faint, 1)


def _collimator(p: Floats, rng: random.Random, _: _Level) -> None:
    rows, columns = p.shape[:2]
    mask = np.zeros((rows, columns), np.uint8)
    frame = ((columns / 2, rows / 2), (columns * rng.uniform(0.7, 0.95), rows * 0.9))
    corners = cv2.boxPoints((*frame, rng.uniform(-6, 6)))
    cv2.fillPoly(mask, [corners.astype(np.int32)], 1)
    p[mask == 0] *= rng.uniform(0.0, 0.35)


def _bar(p: Floats, rng: random.Random, _: _Level) -> None:
    rows, columns = p.shape[:2]
    height, width = rng.randint(rows // 6, rows // 2), rng.randint(6, 16)
    x, y = columns - width - rng.randint(4, 20), rng.randint(10, rows - height - 10)
    ramp = np.linspace(1, 0, height, dtype=np.float32)[:, None]
    p[y : y + height, x : x + width] = ramp if p.ndim == 2 else ramp[..., None]


def _highlights(p: Floats, rng: random.Random, _: _Level) -> None:
    rows, columns = p.shape[:2]
    for _spot in range(rng.randint(3, 14)):
        x, y = rng.randrange(columns), rng.randrange(rows)
        axes = (rng.randint(1, 5), rng.randint(1, 9))
        cv2.ellipse(p, (x, y), axes, rng.randint(0, 180), 0, 360, (1.0, 1.0, 1.0), -1, cv2.LINE_AA)


def _wire(p: Floats, rng: random.Random, level: _Level) -> None:
    rows, columns = p.shape[:2]
    x, y, way = rng.uniform(0, columns), 0.0, rng.uniform(1.0, 2.1)
    points = []
    for _step in range(80):
        points.append([round(x), round(y)])
        way += rng.gauss(0, 0.08)
        x, y = x + np.cos(way) * rows / 60, y + np.sin(way) * rows / 60
    width = rng.randint(1, 3)
    cv2.polylines(p, [np.array(points, np.int32)], False, level, width, cv2.LINE_AA)  # noqa: FBT003 - OpenCV's own order


def _clips(p: Floats, rng: random.Random, level: _Level) -> None:
    rows, columns = p.shape[:2]
    x, y = rng.randint(30, columns - 60), rng.randint(30, rows - 60)
    for _clip in range(rng.randint(3, 9)):
        a, b = rng.randint(-30, 30), rng.randint(-30, 30)
        turn = rng.uniform(0, 3.1)
        d = (round(5 * np.cos(turn)), round(5 * np.sin(turn)))
        cv2.line(p, (x + a, y + b), (x + a + d[0], y + b + d[1]), level, 2, cv2.LINE_AA)


def _arrow(p: Floats, rng: random.Random, level: _Level) -> None:
    rows, columns = p.shape[:2]
    x, y = rng.randint(40, columns - 40), rng.randint(40, rows - 40)
    turn, length = rng.uniform(0, 6.3), rng.randint(15, 40)
    tip = (round(x + length * np.cos(turn)), round(y + length * np.sin(turn)))
    cv2.arrowedLine(p, (x, y), tip, level, rng.randint(1, 2), cv2.LINE_AA, tipLength=0.35)


def _trace(p: Floats, rng: random.Random, level: _Level) -> None:
    rows, columns = p.shape[:2]
    base, beat = rows - rng.randint(20, max(21, rows // 6)), rng.randint(50, 130)
    x = np.arange(columns)
    phase = (x % beat) / beat
    wave = 14 * np.exp(-(((phase - 0.3) / 0.015) ** 2)) + 3 * np.exp(-(((phase - 0.6) / 0.06) ** 2))
    points = np.stack([x, base - wave * rng.uniform(0.6, 1.4)], -1).round().astype(np.int32)
    cv2.polylines(p, [points], False, level, 1)  # noqa: FBT003 - OpenCV's own order


def _border(p: Floats, rng: random.Random, _: _Level) -> None:
    rows, columns = p.shape[:2]
    edge = rng.randint(2, 14)
    value = rng.choice((0.0, 1.0))
    p[:edge], p[-edge:], p[:, :edge], p[:, -edge:] = value, value, value, value
    if rng.random() < 0.4:
        cv2.rectangle(p, (edge * 2, edge * 2), (columns - edge * 2, rows - edge * 2), (0.5,) * 3, 1)


KINDS = {
    "calipers": _calipers,
    "ruler": _ruler,
    "grid": _grid,
    "collimator": _collimator,
    "grey bar": _bar,
    "highlights": _highlights,
    "wire": _wire,
    "clips": _clips,
    "arrow": _arrow,
    "trace": _trace,
    "border": _border,
}
_FILM = ("collimator", "wire", "clips", "highlights", "border", "grid")


def scribble(picture: Floats, rng: random.Random, *, modality: str, most: int = 3) -> list[str]:
    """Draw up to ``most`` hard negatives in place and return their kinds."""
    kinds = _FILM if modality in {"CR", "DX", "MG", "XA"} else tuple(KINDS)
    chosen = rng.sample(kinds, rng.randint(1, min(most, len(kinds))))
    level = rng.uniform(0.5, 1.0)
    for kind in chosen:
        KINDS[kind](picture, rng, (level, level, level))
    return chosen
