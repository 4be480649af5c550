"""Pictures that are drawn, not found: documents, screenshots and photographs of films."""

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["SIZE", "document", "film_photo", "screenshot"]

Rng = np.random.Generator
Picture = NDArray[np.uint8]

SIZE: Final = 192  # side that they are drawn at
_WORDS: Final = ("RESULT", "Hb 13.2 g/dL", "Patient", "Report", "Reference", "Date", "Findings:",
                 "no acute", "WBC 6.1", "Creatinine", "mmol/l", "Impression", "Ward 7", "normal",
                 "CRP <5", "dose", "blood", "Radiology", "page 1 of 2", "signed")  # fmt: skip


def _ink(rng: Rng) -> tuple[int, int, int]:
    if rng.random() < 0.8:
        level = int(rng.integers(0, 90))
        return level, level, level
    red, green, blue = (int(v) for v in rng.integers(0, 180, 3))
    return red, green, blue


def _lines(rng: Rng, page: Picture, box: tuple[int, int, int, int], ink: tuple[int, ...]) -> None:
    """Fill a box (left, top, right, bottom) with lines of words or of strokes for words."""
    left, top, right, bottom = box
    size = float(rng.uniform(0.22, 0.5))
    step = int(max(5, 26 * size * rng.uniform(0.9, 1.6)))
    words = rng.random() < 0.6
    ragged = rng.uniform(0.4, 1.0)
    for y in range(top + step, bottom, step):
        stop = left + (right - left) * float(rng.uniform(ragged, 1))
        if rng.random() < 0.1:
            continue
        x = left
        while x < stop:
            if words:
                word = str(rng.choice(_WORDS))
                cv2.putText(page, word, (int(x), y), 0, size, ink, 1, cv2.LINE_AA)
                x += int(cv2.getTextSize(word, 0, size, 1)[0][0]) + 4
            else:
                w = int(rng.integers(3, 22))
                cv2.line(
                    page, (int(x), y), (int(min(x + w, stop)), y), ink, int(rng.integers(1, 3))
                )
                x += w + 3


def document(rng: Rng) -> Picture:
    """Return a page of text, flat or photographed; shape (SIZE, SIZE, 3)."""
    paper = int(rng.integers(205, 256))
    page = np.full((SIZE, SIZE, 3), paper, np.uint8)
    margin = int(rng.integers(3, 30))
    ink = _ink(rng)
    top = margin
    if rng.random() < 0.6:  # a heading, a logo
        cv2.putText(page, str(rng.choice(_WORDS)), (margin, top + 14), 0,
                    float(rng.uniform(0.5, 0.9)), _ink(rng), 2, cv2.LINE_AA)  # fmt: skip
        top += 20
        if rng.random() < 0.5:
            x = int(rng.integers(SIZE // 2, SIZE - 34))
            colour = tuple(int(v) for v in rng.integers(0, 255, 3))
            cv2.rectangle(page, (x, margin), (x + 30, margin + 14), colour, -1)
    while top < SIZE - margin - 12:
        bottom = min(SIZE - margin, top + int(rng.integers(24, SIZE)))
        if rng.random() < 0.3:
            _table(rng, page, (margin, top + 4, SIZE - margin, bottom), ink)
        elif rng.random() < 0.2:
            _lines(rng, page, (margin, top, SIZE // 2 - 4, bottom), ink)
            _lines(rng, page, (SIZE // 2 + 4, top, SIZE - margin, bottom), ink)
        else:
            _lines(rng, page, (margin, top, SIZE - margin, bottom), ink)
        top = bottom + int(rng.integers(2, 16))
    return _photographed(rng, page, least=0.7) if rng.random() < 0.4 else page


def _table(rng: Rng, page: Picture, box: tuple[int, int, int, int], ink: tuple[int, ...]) -> None:
    left, top, right, bottom = box
    step, columns = int(rng.integers(8, 18)), int(rng.integers(2, 6))
    wide = (right - left) // columns
    ruled = rng.random() < 0.6
    for y in range(top, bottom, step):
        if ruled:
            cv2.line(page, (left, y), (right, y), ink, 1)
        for n in range(columns):
            word = str(rng.choice(_WORDS))[: wide // 6]
            at = (left + n * wide + 2, y + step - 3)
            cv2.putText(page, word, at, 0, step / 36, ink, 1, cv2.LINE_AA)
    if ruled:
        for n in range(columns + 1):
            cv2.line(page, (left + n * wide, top), (left + n * wide, bottom), ink, 1)


def screenshot(rng: Rng, shown: Picture | None) -> Picture:
    """Return a window with bars, buttons, panels, text, and perhaps pictures in it.

    Args:
        rng: Where chance comes from.
        shown: A picture of any kind, or None.
    """
    dark = rng.random() < 0.55
    base = rng.integers(15, 70, 3) if dark else rng.integers(190, 256, 3)
    if rng.random() < 0.6:
        base[:] = base[0]
    page = np.empty((SIZE, SIZE, 3), np.uint8)
    page[:] = base
    light = tuple(int(v) for v in (rng.integers(150, 256, 3) if dark else rng.integers(0, 110, 3)))
    bar = tuple(int(v) for v in np.clip(base.astype(int) + rng.integers(-60, 70, 3), 0, 255))
    high = int(rng.integers(7, 22))
    cv2.rectangle(page, (0, 0), (SIZE, high), bar, -1)
    for x in range(4, int(rng.uniform(0.3, 1) * SIZE), int(rng.integers(9, 26))):
        cv2.rectangle(page, (x, 2), (x + 5, high - 3), light, -1 if rng.random() < 0.5 else 1)
    panel = int(rng.uniform(0, 0.4) * SIZE) if rng.random() < 0.75 else 0
    if panel > 16:
        shade = tuple(int(v) for v in np.clip(base.astype(int) + rng.integers(-30, 40), 0, 255))
        cv2.rectangle(page, (0, high), (panel, SIZE), shade, -1)
        _lines(rng, page, (3, high + 2, panel - 3, SIZE - 4), light)
    room = (panel + 3, high + 3, SIZE - 3, SIZE - int(rng.integers(3, 26)))
    if shown is not None:
        _views(rng, page, room, shown)
    else:
        _lines(rng, page, room, light)
        for _ in range(int(rng.integers(0, 5))):
            x, y = (int(v) for v in rng.integers(high, SIZE - 20, 2))
            colour = tuple(int(v) for v in rng.integers(0, 256, 3))
            corner = (x + int(rng.integers(8, 60)), y + int(rng.integers(5, 16)))
            cv2.rectangle(page, (x, y), corner, colour, -1 if rng.random() < 0.7 else 1)
    return page


def _views(rng: Rng, page: Picture, room: tuple[int, int, int, int], shown: Picture) -> None:
    left, top, right, bottom = room
    across, down = ((1, 1), (2, 1), (2, 2), (1, 2))[int(rng.integers(4))]
    wide, high = (right - left) // across, (bottom - top) // down
    for n in range(across * down):
        x, y = left + n % across * wide, top + n // across * high
        if n and rng.random() < 0.2:
            continue
        page[y : y + high - 2, x : x + wide - 2] = cv2.resize(
            shown, (wide - 2, high - 2), interpolation=cv2.INTER_AREA
        )
        cv2.rectangle(page, (x, y), (x + wide - 2, y + high - 2), (90, 90, 90), 1)
        for at in ((x + 3, y + 9), (x + 3, y + high - 6)):
            cv2.putText(page, str(rng.choice(_WORDS)), at, 0, 0.28, (230, 230, 200), 1)


def film_photo(rng: Rng, film: Picture, around: Picture) -> Picture:
    """Return a film before a light box or a window, photographed at an angle.

    Args:
        rng: Where chance comes from.
        film: What is on it.
        around: What is behind it: a photo.
    """
    side = cv2.resize(film, (SIZE, SIZE), interpolation=cv2.INTER_AREA)
    if rng.random() < 0.7:
        side = np.repeat(cv2.cvtColor(side, cv2.COLOR_RGB2GRAY)[:, :, None], 3, axis=2)
    tint = rng.uniform(0.72, 1.0, 3)
    side = (side * tint * rng.uniform(0.6, 1) + rng.uniform(0, 40)).clip(0, 255).astype(np.uint8)
    way = rng.random()
    if way < 0.45:  # a light box: bright, even, in a dark room
        back = np.full((SIZE, SIZE, 3), 0, np.uint8)
        back[:] = (rng.uniform(0.8, 1, 3) * int(rng.integers(170, 256))).astype(np.uint8)
        if rng.random() < 0.6:
            edge = int(rng.integers(4, 26))
            dark = int(rng.integers(5, 80))
            back[:edge] = back[-edge:] = dark
            if rng.random() < 0.5:
                back[:, :edge] = back[:, -edge:] = dark
    elif way < 0.75:
        back = cv2.resize(around, (SIZE, SIZE), interpolation=cv2.INTER_AREA)
    else:  # a screen or a table
        back = np.empty((SIZE, SIZE, 3), np.uint8)
        back[:] = rng.integers(10, 150, 3)
    return _photographed(rng, side, least=0.45, back=back)


def _photographed(rng: Rng, page: Picture, *, least: float, back: Picture | None = None) -> Picture:
    """Return a flat thing seen at an angle, with uneven light and perhaps a reflection."""
    size = rng.uniform(least, 0.86, 2) * SIZE
    left, top = rng.uniform(0.03, 0.97, 2) * (SIZE - size)
    corners = np.array(
        [(left, top), (left + size[0], top), (left + size[0], top + size[1]), (left, top + size[1])]
    )
    corners += rng.normal(0, 0.03 * SIZE, (4, 2))
    flat = np.array([(0, 0), (SIZE, 0), (SIZE, SIZE), (0, SIZE)], np.float32)
    matrix = cv2.getPerspectiveTransform(flat, corners.astype(np.float32))
    if back is None:
        back = np.empty((SIZE, SIZE, 3), np.uint8)
        back[:] = rng.integers(10, 200, 3)
    seen = cv2.warpPerspective(page, matrix, (SIZE, SIZE), flags=cv2.INTER_LINEAR)
    mask = cv2.warpPerspective(np.full((SIZE, SIZE), 255, np.uint8), matrix, (SIZE, SIZE))
    found = np.where(mask[:, :, None] > 127, seen, back).astype(np.float32)
    y, x = np.mgrid[0:SIZE, 0:SIZE] / SIZE
    a, b = rng.normal(0, 0.25, 2)
    found *= (1 + a * (x - 0.5) + b * (y - 0.5))[:, :, None]
    for _ in range(int(rng.integers(0, 3))):  # reflections
        at_x, at_y, spread = rng.uniform(0, 1), rng.uniform(0, 1), rng.uniform(0.04, 0.2)
        glow = np.exp(-((x - at_x) ** 2 + (y - at_y) ** 2) / (2 * spread**2))
        found += glow[:, :, None] * rng.uniform(30, 170)
    return found.clip(0, 255).astype(np.uint8)
