"""Lines of writing as ink maps: set type, bitmap type, dot matrix, plotter strokes, a pen."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from training.burned.fonts import family_of, font, fonts_for
from training.burned.strings import SCRIPTS, invent, lone_mark

__all__ = ["Ink", "write"]

Map = NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ink:
    """One line of writing.

    Attributes:
        alpha: Ink from 0 to 1, shape (rows, columns).
        height: Nominal height of a capital, in pixels.
        style: ``type``, ``bitmap``, ``dots``, ``plotter`` or ``pen``.
        family: Font family; empty for strokes without a font.
        script: Script of the string.
    """

    alpha: Map
    height: float
    style: str
    family: str
    script: str


def write(rng: np.random.Generator, height: float, style: str = "", *, lone: bool = False) -> Ink:
    """Return an invented line, 5 to 130 pixels high; ``lone``: a lead marker's letter or two."""
    styles = ("type", "bitmap", "dots", "plotter", "pen", "scribble")
    style = style or str(rng.choice(styles, p=(0.58, 0.12, 0.06, 0.12, 0.07, 0.05)))
    if lone and style == "scribble":
        style = "type"
    if style == "plotter":
        return _plotter(rng, height, lone=lone)
    if style == "scribble":
        return _scribble(rng, height)
    script = "latin"
    if style == "type" and rng.random() < 0.33:
        script = str(rng.choice(list(SCRIPTS)))
    files = fonts_for({"type": script, "bitmap": "bitmap", "dots": "bitmap", "pen": "pen"}[style])
    if not files:
        script, files = "latin", fonts_for("latin")
    path = files[rng.integers(len(files))]
    text = lone_mark(rng) if lone else invent(rng, script, short=_is_short(rng, height))
    if style in {"bitmap", "dots"}:
        return _bitmap(rng, path, text, height, dots=style == "dots")
    size = max(6, round(height / (0.9 if script in {"cjk", "kana", "hangul"} else 0.72)))
    hard = style == "type" and height < 24 and rng.random() < 0.3
    alpha = _set(rng, path, size, text, hard=hard, spaced=script != "arabic")
    if style == "pen" or rng.random() < 0.04:
        alpha = _shaken(rng, alpha, height)
    return Ink(alpha=alpha, height=height, style=style, family=family_of(path), script=script)


def _is_short(rng: np.random.Generator, height: float) -> bool:
    """Large letters are mostly lead markers: one to four of them."""
    return rng.random() < (0.6 if height > 40 else 0.08)


def _set(
    rng: np.random.Generator, path: str, size: int, text: str, *, hard: bool, spaced: bool
) -> Map:
    face = font(path, size)
    gap = 0
    if spaced and rng.random() < 0.22:
        gap = int(size * rng.uniform(-0.08, 1.2))
    pieces = list(text) if gap else [text]
    left, top, right, bottom = face.getbbox(text)
    width = int(right - min(left, 0) + max(gap, 0) * len(text)) + 8
    image = Image.new("L", (min(width, 2400), int(bottom - min(top, 0)) + 8))
    draw = ImageDraw.Draw(image)
    if hard:
        draw.fontmode = "1"
    stroke = 1 if size > 24 and rng.random() < 0.08 else 0
    x = 4.0 - min(left, 0)
    for piece in pieces:
        draw.text((x, 4 - min(top, 0)), piece, fill=255, font=face, stroke_width=stroke)
        x += face.getlength(piece) + gap
    return _trimmed(np.divide(np.asarray(image), 255, dtype=np.float32))


def _bitmap(rng: np.random.Generator, path: str, text: str, height: float, *, dots: bool) -> Ink:
    if dots:  # the small faces make dots; only they have one
        small = [f for f in fonts_for("bitmap") if "-u12" in f or "-u14" in f]
        path = small[rng.integers(len(small))] if small else path
    native = int("".join(c for c in path.rsplit("-u", 1)[-1][:2] if c.isdigit()) or 16)
    face = font(path, native)
    left, top, right, bottom = face.getbbox(text)
    image = Image.new("1", (int(right - left) + 4, int(bottom - top) + 4))
    ImageDraw.Draw(image).text((2 - left, 2 - top), text, fill=1, font=face)
    alpha = _trimmed(np.asarray(image, np.float32))
    times = max(1, round(height / (0.65 * native)))
    if dots:
        times = max(2, times)
        cell = np.zeros((times, times), np.float32)
        cv2.circle(cell, (times // 2, times // 2), max(0, times // 2 - (times > 3)), 1.0, -1)
        alpha = np.kron(alpha, cell).astype(np.float32)
    elif times > 1:
        alpha = np.kron(alpha, np.ones((times, times), np.float32)).astype(np.float32)
    style = "dots" if dots else "bitmap"
    drawn = 0.65 * native * times
    return Ink(alpha=alpha, height=drawn, style=style, family="Terminus", script="latin")


def _plotter(rng: np.random.Generator, height: float, *, lone: bool) -> Ink:
    made = lone_mark(rng) if lone else invent(rng, short=_is_short(rng, height))
    text = made.encode("ascii", "replace").decode()
    face = int(rng.choice([0, 1, 2, 3, 4, 5, 6, 7])) | (16 if rng.random() < 0.15 else 0)
    scale = height / 21.0
    thick = max(1, round(height * rng.uniform(0.03, 0.16)))
    (width, tall), below = cv2.getTextSize(text, face, scale, thick)
    alpha = np.zeros((tall + below + 2 * thick + 4, min(width + 2 * thick + 6, 2400)), np.uint8)
    smooth = cv2.LINE_AA if rng.random() < 0.6 else cv2.LINE_8
    cv2.putText(alpha, text, (thick + 2, tall + thick + 1), face, scale, 255, thick, smooth)
    alpha = _trimmed(np.divide(alpha, 255, dtype=np.float32))
    return Ink(alpha=alpha, height=height, style="plotter", family="Hershey", script="latin")


def _scribble(rng: np.random.Generator, height: float) -> Ink:
    """A pen's line: letters as short smooth strokes on a slanted baseline, joined or not."""
    letters = int(rng.integers(3, 14))
    step, slant = height * rng.uniform(0.45, 0.8), rng.uniform(-0.2, 0.5)
    wide, tall = int(step * (letters + 3)) + 8, int(height * 2.2) + 8
    alpha = np.zeros((tall, min(wide, 2400)), np.uint8)
    thick = max(1, round(height * rng.uniform(0.04, 0.14)))
    joined, base, x = rng.random() < 0.5, tall * 0.68, step
    for _ in range(letters):
        up = rng.choice([0.5, 0.55, 1.0]) * height
        down = height * 0.35 if rng.random() < 0.15 else 0.0
        for _stroke in range(int(rng.integers(1, 3))):
            knots = rng.uniform(0, 1, (int(rng.integers(3, 6)), 2))
            points = np.stack(
                [x + knots[:, 0] * step * 0.85, base + down - knots[:, 1] * (up + down)], axis=1
            )
            if joined:
                points[0], points[-1] = (x, base), (x + step, base)
            points[:, 0] += (base - points[:, 1]) * slant
            curve = _smooth(points).round().astype(np.int32)
            cv2.polylines(alpha, [curve], isClosed=False, color=255, thickness=thick, lineType=16)
        x += step * (1.8 if rng.random() < 0.12 else 1.0)
    ink = _trimmed(np.divide(alpha, 255, dtype=np.float32))
    return Ink(alpha=ink, height=height, style="pen", family="", script="latin")


def _smooth(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return a Catmull-Rom curve through the points."""
    padded = np.vstack([points[:1], points, points[-1:]])
    t = np.linspace(0, 1, 8, endpoint=False)[:, None]
    parts = []
    for a, b, c, d in zip(padded[:-3], padded[1:-2], padded[2:-1], padded[3:], strict=True):
        bend = 2 * a - 5 * b + 4 * c - d
        parts.append(0.5 * (2 * b + (c - a) * t + bend * t**2 + (3 * b - a - 3 * c + d) * t**3))
    return np.vstack([*parts, points[-1:]])


def _shaken(rng: np.random.Generator, alpha: Map, height: float) -> Map:
    """Return the line as an unsteady hand would have set it."""
    rows, columns = alpha.shape
    pad = int(height * 0.25) + 1
    alpha = np.pad(alpha, pad)
    size = (max(2, columns // max(4, int(height))), max(2, rows // max(4, int(height))))
    shift = [
        cv2.resize(
            rng.normal(0, height * 0.06, size[::-1]).astype(np.float32),
            alpha.shape[::-1],
            interpolation=cv2.INTER_CUBIC,
        )
        for _ in range(2)
    ]
    grid_y, grid_x = np.indices(alpha.shape, dtype=np.float32)
    moved = cv2.remap(alpha, grid_x + shift[0], grid_y + shift[1], cv2.INTER_LINEAR)
    return _trimmed(moved)


def _trimmed(alpha: Map) -> Map:
    rows, columns = np.flatnonzero(alpha.max(1) > 0), np.flatnonzero(alpha.max(0) > 0)
    if rows.size == 0:
        return np.zeros((1, 1), np.float32)
    return np.ascontiguousarray(alpha[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1])
