"""Scanned pages in: lines of print found on white paper, read twice, kept only where both agree.

A page is straightened, its ink is grouped into cells, and each cell is read by the recogniser that
finds writing burned into images (``deid.burned``), in two sizes. A line of which any cell was not
read for certain, or not alike both times, is refused. Numbers are never mended.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from itertools import pairwise
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from safelight.deid.burned.read import Reader, Reading
from safelight.deid.burned.strip import Strip
from safelight.readers.labs import units
from safelight.readers.labs.paper_lines import UNSURE

__all__ = ["UNSURE", "cells_of", "ink", "page_cells", "pictures"]

Grey = NDArray[np.uint8]
Box = tuple[int, int, int, int]  # left, top, width, height in pixels

_DPI: Final = 220.0
_SIDE_MOST: Final = 5000  # pixels
_SURE: Final = 0.97
_LIKELY: Final = 0.75
_LITRE: Final = re.compile(r"(?<=/)[Il1|](?![A-Za-z0-9])|(?<=/[dmun\u00b5pf])[Il1|](?![A-Za-z0-9])")
_SLASHED: Final = re.compile(r"[^\W\d]/|/[^\W\d]|%")
_SIGNS: Final = re.compile(r"\s*([<>\u2264\u2265]=?)\s*")
_DASH: Final = re.compile(r"(\d)\s*([-\u2013])\s*(?=\d)")
_NUMBER: Final = re.compile(r"\d+(?:[.,]\d+)?")
_BOUND: Final = re.compile(rf"[<>\u2264\u2265]=?({_NUMBER.pattern})")
_BETWEEN: Final = re.compile(rf"({_NUMBER.pattern})[-\u2013]({_NUMBER.pattern})")
_SIGN: Final = 2.5  # of the height of the letters: wider is no sign of a range
_LEAST: Final = 0.85
_TURN_MOST: Final = 3.0  # degrees that a page may lie askew
_STEPS: Final = 25
_SPECK: Final = 3  # pixels: smaller is dirt
_TALLEST: Final = 0.06  # of the page: taller is a picture, a line or a stamp
_CELL: Final = 0.9  # of the height of the letters: a wider gap parts cells
_AGAIN: Final = 1.25  # size of the second reading
_NARROWEST: Final = 32  # pixels: less is no page
_MOST_CELLS: Final = 3000


def pictures(data: bytes, limit: int) -> Iterator[tuple[int, Grey]]:
    """Yield the number and the picture of each page of a PDF, up to a number of pages."""
    import pypdfium2  # noqa: PLC0415  # start-up cost

    document = pypdfium2.PdfDocument(data)
    try:
        for at in range(min(len(document), limit)):
            page = document[at]
            try:
                scale = min(_DPI / 72, _SIDE_MOST / max(page.get_size()))
                grey = page.render(scale=scale, grayscale=True).to_numpy()
                yield at + 1, np.ascontiguousarray(grey.reshape(grey.shape[:2]))
            finally:
                page.close()
    finally:
        document.close()


@cache
def _reader() -> Reader:
    return Reader()


def page_cells(grey: Grey) -> list[list[tuple[str, Box]]]:
    """Return the lines of a page from the top down, each by its cells from left to right.

    A cell is its text and where it stands on the straightened page.

    Args:
        grey: The page, dark on light, shape (rows, columns).
    """
    return _placed(grey, _reader())


def cells_of(grey: Grey, reader: Any) -> list[tuple[str, ...]]:
    """Return the texts of the lines of a page, read by this recogniser; see ``page_cells``."""
    return [tuple(text for text, _ in row) for row in _placed(grey, reader)]


def _placed(grey: Grey, reader: Any) -> list[list[tuple[str, Box]]]:
    if min(grey.shape) < _NARROWEST:
        return []
    flat = _straight(grey)
    rows = _rows(flat)
    boxes = [box for row in rows for box in row]
    if not boxes or len(boxes) > _MOST_CELLS:
        return []
    large = np.asarray(
        cv2.resize(flat, None, fx=_AGAIN, fy=_AGAIN, interpolation=cv2.INTER_CUBIC), np.uint8
    )

    def read(boxes: Sequence[Box]) -> list[str]:
        once = reader.read(flat, [_strip(box, 1.0) for box in boxes], thorough=False)
        twice = reader.read(large, [_strip(box, _AGAIN) for box in boxes], thorough=False)
        return [_agreed(one, other) for one, other in zip(once, twice, strict=True)]

    texts = iter(read(boxes))
    return _joined([[(next(texts), box) for box in row] for row in rows], read)


def _joined(
    rows: list[list[tuple[str, Box]]], read: Callable[[Sequence[Box]], list[str]]
) -> list[list[tuple[str, Box]]]:
    """Return lines with the ranges that stand in several cells read as one.

    A dash or a ``<`` with wide spaces around it is a cell of its own, and hard to tell alone. What
    is read of all together is taken only if it holds the numbers that were read beside it.
    """
    wanted: list[tuple[list[tuple[str, Box]], slice]] = []
    for row in rows:
        for at, (text, box) in enumerate(row[:-1]):
            after, beside = row[at + 1]
            if text != UNSURE or box[2] > _SIGN * beside[3] or not _NUMBER.fullmatch(after):
                continue
            wanted.append((row, slice(at, at + 2)))
            if at and _NUMBER.fullmatch(row[at - 1][0]):
                wanted.append((row, slice(at - 1, at + 2)))
    around = [_around([box for _, box in row[cells]]) for row, cells in wanted]
    found = read(around) if around else []
    for (row, cells), box, text in reversed(list(zip(wanted, around, found, strict=True))):
        part = row[cells]
        numbers = [each for each, _ in part if each != UNSURE]
        match = (_BOUND if len(numbers) == 1 else _BETWEEN).fullmatch(text)
        apart = bool(part) and _around([each for _, each in part]) == box  # not joined since
        if apart and match and list(match.groups()) == numbers:
            row[cells] = [(text, box)]
    return rows


def _agreed(one: Reading, other: Reading) -> str:
    """Return what both readings say for certain.

    A unit is one of a list, so a reading of it that is less sure is taken too, where both agree but
    for the three signs that print alike in ``mmol/l``. Digits are taken as they were read.
    """
    first, second = (_spaced(each.text) for each in (one, other))
    sure = all(each.sure >= _SURE and each.least >= _LEAST for each in (one, other))
    if sure and first == second:
        return _unit(first) or first
    unit = _unit(first)
    likely = all(each.sure >= _LIKELY for each in (one, other))
    alike = bool(unit) and units.same(unit, _unit(second))
    return unit if likely and alike else UNSURE


def _spaced(text: str) -> str:
    """Return a reading without the spaces around the signs of a range, which say nothing."""
    return _DASH.sub(r"\1\2", _SIGNS.sub(r"\1", text.strip()))


def _unit(text: str) -> str:
    """Return the unit that a reading means; empty when it is none, or has no letter before it."""
    plain = _LITRE.sub("l", text.replace("\u03bc", "\u00b5"))
    return plain if _SLASHED.search(plain) and units.known(plain) else ""


def _strip(box: Box, scale: float) -> Strip:
    left, top, width, height = box
    return Strip(
        x=(left + width / 2) * scale,
        y=(top + height / 2) * scale,
        length=width * scale,
        height=height * scale,
    )


def ink(grey: Grey) -> Grey:
    """Return 255 where a page has ink, 0 where it is paper; shape (rows, columns)."""
    smooth = cv2.medianBlur(grey, 3)
    paper = cv2.medianBlur(cv2.resize(smooth, None, fx=0.25, fy=0.25), 31)
    paper = cv2.resize(paper, (grey.shape[1], grey.shape[0]))
    flat = cv2.subtract(paper, smooth)
    level, dark = cv2.threshold(flat, 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    return np.asarray(dark if level > _SPECK else np.zeros_like(dark), np.uint8)


def _straight(grey: Grey) -> Grey:
    """Turn the page so that its lines lie level: where rows of ink are parted most sharply."""
    small = cv2.resize(ink(grey), None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    rows, columns = small.shape

    def sharp(angle: float) -> float:
        turn = cv2.getRotationMatrix2D((columns / 2, rows / 2), angle, 1)
        turned = cv2.warpAffine(small, turn, (columns, rows))
        return float(np.square(np.diff(turned.sum(1, dtype=np.float64))).sum())

    best = max(np.linspace(-_TURN_MOST, _TURN_MOST, _STEPS), key=sharp)
    fine = np.linspace(-_TURN_MOST, _TURN_MOST, _STEPS) / _STEPS * 2
    best = float(max((best + each for each in fine), key=sharp))
    turn = cv2.getRotationMatrix2D((grey.shape[1] / 2, grey.shape[0] / 2), best, 1)
    size = (grey.shape[1], grey.shape[0])
    return np.asarray(
        cv2.warpAffine(grey, turn, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE),
        np.uint8,
    )


def _rows(grey: Grey) -> list[list[Box]]:
    """Return cells by line: ink that stands on one level, parted at wide gaps."""
    count, _, stats, _ = cv2.connectedComponentsWithStats(ink(grey), connectivity=8)
    parts: list[Box] = []
    for at in range(1, count):
        left, top, width, rows_tall = (int(each) for each in stats[at][:4])
        parts.append((left, top, width, rows_tall))
    tallest = _TALLEST * grey.shape[0]
    parts = [p for p in parts if max(p[2:]) >= _SPECK and p[3] <= tallest and p[2] <= 20 * tallest]
    tall = [p for p in parts if p[3] >= 2 * _SPECK]
    if not tall:
        return []
    height = float(np.median([p[3] for p in tall]))
    rows: list[list[Box]] = []
    for part in sorted((p for p in parts if p[3] >= height / 2), key=lambda p: p[1] + p[3] / 2):
        middle = part[1] + part[3] / 2
        if rows and abs(middle - _middle(rows[-1])) < 0.6 * height:
            rows[-1].append(part)
        else:
            rows.append([part])
    small = [p for p in parts if p[3] < height / 2]  # dots, commas, dashes
    for part in small:
        near = [row for row in rows if _beside(row, part, height)]
        if near:
            near[0].append(part)
    return [_parted(row, height) for row in rows]


def _middle(row: Sequence[Box]) -> float:
    return float(np.median([part[1] + part[3] / 2 for part in row]))


def _beside(row: Sequence[Box], part: Box, height: float) -> bool:
    top, bottom = min(p[1] for p in row), max(p[1] + p[3] for p in row)
    left, right = min(p[0] for p in row), max(p[0] + p[2] for p in row)
    level = top - height / 4 <= part[1] + part[3] / 2 <= bottom + height / 4
    return level and left - height <= part[0] <= right + height


def _parted(row: Sequence[Box], height: float) -> list[Box]:
    ordered = sorted(row)
    cells: list[list[Box]] = [[ordered[0]]]
    for _, part in pairwise(ordered):
        edge = max(p[0] + p[2] for p in cells[-1])
        if part[0] - edge > _CELL * height:
            cells.append([part])
        else:
            cells[-1].append(part)
    return [_around(cell) for cell in cells]


def _around(parts: Sequence[Box]) -> Box:
    left, top = min(p[0] for p in parts), min(p[1] for p in parts)
    right, bottom = max(p[0] + p[2] for p in parts), max(p[1] + p[3] for p in parts)
    return left, top, right - left, bottom - top
