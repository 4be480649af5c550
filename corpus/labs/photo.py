"""A page of paper as a phone sees it: on a desk, from the side, in uneven light, a little bent."""

import io
import random

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

__all__ = ["photographed"]

Grey = NDArray[np.uint8]
_SIZES = ((3024, 4032), (2250, 3000), (1536, 2048))  # columns, rows: phones, and what chats send


def photographed(page: Grey, rng: random.Random, *, bend: float = 0.012) -> bytes:
    """Return a photograph of a page, as JPEG.

    Args:
        page: The page, dark on white, shape (rows, columns).
        rng: Chance: place, angle, bend, light, focus, noise and quality; one in six was turned and
            does not say so.
        bend: The most that the page bulges, of its side.
    """
    chance = np.random.default_rng(rng.randrange(1 << 30))
    columns, rows = rng.choice(_SIZES)
    bent = _bent(page, rng.uniform(0, bend), across=rng.random() < 0.5)
    seen = _placed(bent, columns, rows, rng, chance)
    light = _light(columns, rows, rng)
    focus = rng.choice((0.0, 0.6, 1.0)) * columns / 3024
    if focus:
        seen = cv2.GaussianBlur(seen, (0, 0), focus)
    noisy = seen * light + chance.normal(0, rng.choice((1, 3, 6)), seen.shape)
    tint = np.array([1.0, rng.uniform(0.93, 1.0), rng.uniform(0.8, 1.0)])
    colour = np.clip(noisy[:, :, None] * tint, 0, 255).astype(np.uint8)
    out = io.BytesIO()
    turn = rng.choice((1, 1, 3, 6, 8))
    exif = Image.Exif()
    if rng.random() < 5 / 6:
        exif[0x0112] = turn
    stored = Image.fromarray(colour)
    undo = {
        3: Image.Transpose.ROTATE_180,
        6: Image.Transpose.ROTATE_90,
        8: Image.Transpose.ROTATE_270,
    }
    if turn in undo:
        stored = stored.transpose(undo[turn])
    stored.save(out, "JPEG", quality=rng.choice((60, 80, 92)), exif=exif)
    return out.getvalue()


def _bent(page: Grey, depth: float, *, across: bool) -> Grey:
    """Return the page bulging: its lines (or its columns) become arcs."""
    rows, columns = page.shape
    y, x = np.mgrid[0:rows, 0:columns].astype(np.float32)
    if across:
        y = y + np.float32(depth * rows) * np.sin(np.pi * x / columns, dtype=np.float32)
    else:
        x = x + np.float32(depth * columns) * np.sin(np.pi * y / rows, dtype=np.float32)
    return np.asarray(cv2.remap(page, x, y, cv2.INTER_CUBIC, borderValue=255.0), np.uint8)


def _placed(
    page: Grey, columns: int, rows: int, rng: random.Random, chance: np.random.Generator
) -> NDArray[np.float64]:
    """Return the page on a desk, its corners where perspective puts them."""
    share, turn = rng.uniform(0.74, 0.92), np.deg2rad(rng.uniform(-8, 8))
    height = rows * share
    width = min(height * page.shape[1] / page.shape[0], columns * share)
    height = width * page.shape[0] / page.shape[1]
    corners = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]], float) * [width / 2, height / 2]
    spin = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    tilt_x, tilt_y = rng.uniform(-0.12, 0.12), rng.uniform(-0.12, 0.12)
    depth = 1 + tilt_x * corners[:, :1] / width * 2 + tilt_y * corners[:, 1:] / height * 2
    corners = (corners / depth) @ spin.T + [columns / 2, rows / 2]
    source = np.array(
        [[0, 0], [page.shape[1], 0], [page.shape[1], page.shape[0]], [0, page.shape[0]]], np.float32
    )
    across = cv2.getPerspectiveTransform(source, corners.astype(np.float32))
    desk = chance.normal(rng.uniform(40, 150), 14, (rows // 16, columns // 4))
    desk = cv2.resize(desk, (columns, rows), interpolation=cv2.INTER_CUBIC)
    # a page seen smaller than it was drawn must be smoothed first, as a lens does
    shrink = max(page.shape[1] / width, 1.0)
    smooth = cv2.GaussianBlur(page, (0, 0), 0.45 * shrink) if shrink > 1.1 else page
    whole = cv2.warpPerspective(smooth, across, (columns, rows), flags=cv2.INTER_CUBIC)
    cover = cv2.warpPerspective(
        np.full_like(page, 255), across, (columns, rows), flags=cv2.INTER_LINEAR
    )
    share_of = cover.astype(np.float64) / 255
    return np.asarray(desk * (1 - share_of) + whole * 0.94 * share_of, np.float64)


def _light(columns: int, rows: int, rng: random.Random) -> NDArray[np.float64]:
    """Return how bright each place is: a slope, and often the soft shadow of a hand."""
    y, x = np.mgrid[0:rows, 0:columns]
    angle, strength = rng.uniform(0, 2 * np.pi), rng.uniform(0, 0.35)
    slope = (np.cos(angle) * (x / columns - 0.5) + np.sin(angle) * (y / rows - 0.5)) * strength
    light = 0.92 + slope
    if rng.random() < 0.5:
        edge = rng.uniform(0.2, 0.8) * columns + (y - rows / 2) * rng.uniform(-0.5, 0.5)
        light = light * (1 - 0.35 / (1 + np.exp((x - edge) / (0.03 * columns))))
    return np.asarray(light, np.float64)
