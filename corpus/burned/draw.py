"""Drawing of strings character by character, so that the ink of each is known."""

import math
import random
from dataclasses import dataclass, field
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from corpus.burned.fonts import Face, load

__all__ = ["Glyph", "Mark", "Style", "compose", "extent", "set_line"]

Floats = NDArray[np.float32]
_PAD = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Style:
    """How one string is drawn.

    Attributes:
        face: The font.
        size: Nominal height in pixels (em); bitmap fonts are doubled or tripled to come near it.
        angle: Degrees counter-clockwise.
        blur: Standard deviation of a Gaussian in pixels; 0 for none.
        spacing: Added between characters, as a share of the size.
        colour: Grey or red, green, blue from 0 to 1; None takes it from ``contrast``.
        contrast: Difference from the local background, signed, from -1 to 1.
        halo: Whether a dark edge of one pixel surrounds the ink.
        shaky: Characters wander and lean as written by hand.
        hard: No anti-aliasing, as bitmap fonts and palettes have none.
    """

    face: Face
    size: int
    angle: float = 0.0
    blur: float = 0.0
    spacing: float = 0.0
    colour: tuple[float, float, float] | None = None
    contrast: float = 1.0
    halo: bool = False
    shaky: bool = False
    hard: bool = False


@dataclass(slots=True)
class Glyph:
    """One character where it stands: ``alpha`` (rows, columns), 0 to 1, from row ``y``, ``x``."""

    char: str
    y: int
    x: int
    alpha: Floats


@dataclass(slots=True, kw_only=True)
class Mark:
    """One string in an image and the truth about it.

    Attributes:
        text: What it says.
        kind: Of ``strings.IDENTIFYING`` or ``strings.HARMLESS``.
        identifying: Whether it must go.
        script: Of its name; ``latin`` for everything else.
        factors: Stress it carries (``blur``, ``rotated``, ``tiny``, ``large``, ``spaced``,
            ``faint``, ``jpeg``, ``handwriting``, ``sticker``).
        frames: Frames it stands in; empty for all.
        contrast: As measured in the finished picture, 0 to 1.
    """

    text: str
    kind: str
    identifying: bool
    script: str
    style: Style
    factors: list[str]
    glyphs: list[Glyph] = field(default_factory=list)
    frames: tuple[int, ...] = ()
    contrast: float = 0.0
    ink: list[tuple[str, int, int, NDArray[np.bool_]]] = field(default_factory=list)


def _bitmap_zoom(style: Style) -> int:
    return max(1, round(style.size / style.face.strike)) if style.face.strike else 1


def _char(style: Style, char: str) -> tuple[Floats, int, int, float]:
    """Return the alpha of one character, where it starts from the pen, and its advance."""
    font, zoom = load(style.face, style.size), _bitmap_zoom(style)
    advance = float(font.getlength(char)) * zoom
    left, top, right, bottom = (round(v) for v in font.getbbox(char, anchor="ls"))
    if right <= left or bottom <= top or char == " ":
        return np.zeros((0, 0), np.float32), 0, 0, advance
    image = Image.new("L", (right - left + 2, bottom - top + 2))
    draw = ImageDraw.Draw(image)
    draw.fontmode = "1" if style.hard or style.face.strike else "L"
    draw.text((1 - left, 1 - top), char, font=font, fill=255, anchor="ls")
    alpha: Floats = np.asarray(image, np.float32) / np.float32(255)
    if zoom > 1:
        alpha = alpha.repeat(zoom, 0).repeat(zoom, 1)
    return alpha, (left - 1) * zoom, (top - 1) * zoom, advance


def set_line(text: str, style: Style, rng: random.Random) -> list[Glyph]:
    """Return the characters of ``text`` set from the origin, turned, spread and blurred."""
    pen, glyphs = 0.0, []
    turn = math.radians(-style.angle)
    for char in text:
        alpha, left, top, advance = _char(style, char)
        extra = style.spacing * style.size
        lean, lift, grow = 0.0, 0.0, 1.0
        if style.shaky:
            lean = rng.gauss(0, 0.09)
            lift = rng.gauss(0, 0.05) * style.size
            grow = rng.uniform(0.88, 1.12)
            extra += rng.uniform(-0.04, 0.05) * style.size
        if alpha.size:
            glyphs.append(
                _place(char, alpha, (pen + left * grow, lift + top * grow), turn, lean, grow)
            )
        pen += advance * grow + extra
    if style.blur:
        glyphs = [_soft(glyph, style.blur) for glyph in glyphs]
    return [g for g in glyphs if g.alpha.size and g.alpha.max() > 0.2]


def _place(
    char: str, alpha: Floats, at: tuple[float, float], turn: float, lean: float, grow: float
) -> Glyph:
    x, y = at
    if not (turn or lean or grow != 1.0):
        return Glyph(char, round(y), round(x), alpha)
    cos, sin = math.cos(turn), math.sin(turn)
    line = np.array([[cos, -sin, 0], [sin, cos, 0], [0, 0, 1]])
    c, s = math.cos(lean) * grow, math.sin(lean) * grow
    own = np.array([[c, -s, x], [s, c, y], [0, 0, 1]])
    return _warp(char, alpha, line @ own)


def _warp(char: str, alpha: Floats, matrix: NDArray[Any]) -> Glyph:
    """Return one character under a 3 x 3 projective map of its own pixels to the picture's."""
    rows, columns = alpha.shape
    corners = np.array([[[0, 0], [columns, 0], [columns, rows], [0, rows]]], np.float64)
    spread = cv2.perspectiveTransform(corners, matrix)[0]
    left, top = np.floor(spread.min(0)).astype(int) - _PAD
    right, bottom = np.ceil(spread.max(0)).astype(int) + _PAD
    shift = np.array([[1, 0, -left], [0, 1, -top], [0, 0, 1]], np.float64)
    warped = cv2.warpPerspective(alpha, shift @ matrix, (int(right - left), int(bottom - top)))
    return Glyph(char, int(top), int(left), np.clip(warped, 0, 1).astype(np.float32))


def warp(glyph: Glyph, matrix: NDArray[Any]) -> Glyph:
    """Return a placed character under a projective map of the whole picture."""
    shift = np.array([[1, 0, glyph.x], [0, 1, glyph.y], [0, 0, 1]], np.float64)
    return _warp(glyph.char, glyph.alpha, matrix @ shift)


def _soft(glyph: Glyph, sigma: float) -> Glyph:
    pad = int(3 * sigma) + 1
    alpha = cv2.GaussianBlur(np.pad(glyph.alpha, pad), (0, 0), sigma)
    return Glyph(glyph.char, glyph.y - pad, glyph.x - pad, alpha.astype(np.float32))


def extent(glyphs: list[Glyph]) -> tuple[int, int, int, int]:
    """Return left, top, right, bottom of a line."""
    return (
        min(g.x for g in glyphs),
        min(g.y for g in glyphs),
        max(g.x + g.alpha.shape[1] for g in glyphs),
        max(g.y + g.alpha.shape[0] for g in glyphs),
    )


def _window(glyph: Glyph, shape: tuple[int, ...]) -> tuple[slice, slice, Floats] | None:
    top, left = max(glyph.y, 0), max(glyph.x, 0)
    bottom = min(glyph.y + glyph.alpha.shape[0], shape[0])
    right = min(glyph.x + glyph.alpha.shape[1], shape[1])
    if bottom <= top or right <= left:
        return None
    part = glyph.alpha[top - glyph.y : bottom - glyph.y, left - glyph.x : right - glyph.x]
    return slice(top, bottom), slice(left, right), part


def _value(picture: Floats, mark: Mark) -> Floats:
    """Return the colour of a string: its own, or the local background plus its contrast."""
    style, channels = mark.style, 1 if picture.ndim == 2 else 3
    if style.colour is not None:
        colour = np.array(style.colour, np.float32)
        return colour if channels == 3 else colour.mean(keepdims=True)
    left, top, right, bottom = extent(mark.glyphs)
    there = picture[max(top, 0) : max(bottom, 1), max(left, 0) : max(right, 1)]
    ground = float(np.median(there)) if there.size else 0.0
    return np.full(channels, np.clip(ground + style.contrast, 0, 1), np.float32)


def compose(picture: Floats, mark: Mark) -> None:
    """Draw a string into a picture (rows, columns[, 3]) of 0 to 1, in place."""
    style = mark.style
    value = _value(picture, mark)
    if style.halo:
        for glyph in mark.glyphs:
            dark = cv2.dilate(np.pad(glyph.alpha, 1), np.ones((3, 3), np.uint8))
            _blend(picture, Glyph("", glyph.y - 1, glyph.x - 1, dark), np.zeros_like(value))
    for glyph in mark.glyphs:
        _blend(picture, glyph, value)


def _blend(picture: Floats, glyph: Glyph, value: Floats) -> None:
    found = _window(glyph, picture.shape)
    if found is None:
        return
    rows, columns, alpha = found
    if picture.ndim == 3:
        alpha = alpha[..., None]
    picture[rows, columns] += alpha * (value - picture[rows, columns])


def measure(picture: Floats, mark: Mark) -> None:
    """Settle the ink of each character from the finished picture; drop what can't be seen.

    Ink is where the alpha is at least half its peak. A character counts when its mean differs
    from the ring around it by 3 % of full scale in some channel, and by three standard errors of
    the ring's own texture over as many pixels.
    """
    seen = []
    for glyph in mark.glyphs:
        found = _window(glyph, picture.shape)
        if found is None:
            continue
        rows, columns, alpha = found
        ink = alpha >= max(0.5 * float(glyph.alpha.max()), 0.1)
        if not ink.any() or ink.sum() < 0.5 * (glyph.alpha >= 0.5 * glyph.alpha.max()).sum():
            continue  # cut off by the border
        contrast = _contrast(picture, rows, columns, ink)
        if contrast:
            seen.append(contrast)
            mark.ink.append((glyph.char, rows.start, columns.start, ink))
    mark.contrast = float(np.median(seen)) if seen else 0.0


def _contrast(picture: Floats, rows: slice, columns: slice, ink: NDArray[np.bool_]) -> float:
    pad = 3
    top, left = max(rows.start - pad, 0), max(columns.start - pad, 0)
    there = picture[top : rows.stop + pad, left : columns.stop + pad]
    mask = np.zeros(there.shape[:2], np.uint8)
    y, x = rows.start - top, columns.start - left
    mask[y : y + ink.shape[0], x : x + ink.shape[1]] = ink
    near = cv2.dilate(mask, np.ones((3, 3), np.uint8))
    ring = (cv2.dilate(near, np.ones((3, 3), np.uint8)) > 0) & (near == 0)
    if not ring.any():
        return 0.0
    flat = there.reshape(*there.shape[:2], -1)
    inside, outside = flat[mask > 0], flat[ring]
    gap = np.abs(inside.mean(0) - outside.mean(0))
    noise = outside.std(0) / math.sqrt(max(int(mask.sum()), 1))
    clear = (gap >= 0.03) & (gap >= 3 * noise)
    return float(gap.max()) if clear.any() else 0.0
