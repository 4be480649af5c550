"""Lines of a PDF with text in: letters by position, in the direction in which they run.

Letters are turned upright by the direction of their own writing, so that it does not matter how a
page is turned. What runs askew, and a page of which nothing could be read, is told as a line that
was not read.
"""

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

from safelight.errors import LimitExceededError, UnreadableInputError

__all__ = ["UNSURE", "Line", "Span", "line_of_boxes", "lines_of"]

_PAGES: Final = 200
_CHARS: Final = 200_000
_WORD_GAP: Final = 0.16  # of the height of the font: wider is a space (narrow fonts have 0.19)
_CELL_GAP: Final = 1.0  # of the letter height: wider is a new column
_SMALLER: Final = 0.85  # of the letter before: smaller is a note or an exponent
_RAISED: Final = 0.12  # of the height, off the line of the letter before
_ASKEW: Final = math.radians(3)  # off the nearest of four directions
_DRAWN: Final = 50  # paths on a page without text: letters may be drawn
_PRINT: Final = 1.3  # height of letters with what they leave free, to that of their ink
UNSURE: Final = "\ufffd"  # stands for what was not read for certain
_RAISED_DIGITS: Final = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")

Span = tuple[float, float]  # left and right
_Letter = tuple[float, float, float, float, str]  # left, bottom, right, top, sign


@dataclass(frozen=True, slots=True)
class Line:
    """One printed line: its cells from left to right.

    Attributes:
        at: Where each sign of ``text`` stands, left and right; empty where that is not known.
        middle: How high it stands; a line further down has less.
        height: Of its letters.
        unread: The page, or a part of it, could not be read; there are no cells.
    """

    page: int
    number: int
    cells: tuple[str, ...]
    at: tuple[Span, ...] = ()
    middle: float = 0.0
    height: float = 0.0
    unread: bool = False

    @property
    def place(self) -> str:
        """Where it stands."""
        return f"page {self.page} line {self.number}" if self.number else f"page {self.page}"

    @property
    def text(self) -> str:
        """All cells with a space between them."""
        return " ".join(self.cells)

    def span(self, start: int, end: int) -> Span | None:
        """Return from where to where a part of the text stands."""
        part = self.at[start:end]
        return (min(x for x, _ in part), max(x for _, x in part)) if part else None

    def spans(self) -> list[tuple[str, Span]]:
        """Return each cell with where it stands."""
        out: list[tuple[str, Span]] = []
        start = 0
        for cell in self.cells:
            if found := self.span(start, start + len(cell)):
                out.append((cell, found))
            start += len(cell) + 1
        return out

    def starts_cell(self, start: int) -> bool:
        """Tell whether a cell starts at this place of the text."""
        ends = {0}
        for cell in self.cells:
            ends.add(max(ends) + len(cell) + 1)
        return start in ends


def lines_of(data: bytes) -> list[Line]:
    """Return the lines of a PDF.

    Raises:
        UnreadableInputError: It is no PDF, or holds no text.
        LimitExceededError: It has more pages or letters than are read.
    """
    import pypdfium2  # noqa: PLC0415  # start-up cost

    try:
        document = pypdfium2.PdfDocument(data)
        try:
            out = list(_pages(document))
        finally:
            document.close()
    except pypdfium2.PdfiumError:
        raise UnreadableInputError("the PDF cannot be opened, or a page of it is damaged") from None
    if all(line.unread for line in out):
        raise UnreadableInputError(
            "the PDF holds no text (it may be a scan)", todo="type the results into a table (CSV)"
        )
    return out


def _pages(document: Any) -> Iterator[Line]:
    if len(document) > _PAGES:
        raise LimitExceededError("the PDF has more pages than are read for results")
    for at in range(len(document)):
        page = document[at]
        try:
            yield from _page(page, at + 1)
        finally:
            page.close()


def _page(page: Any, number: int) -> list[Line]:
    text = page.get_textpage()
    try:
        count = text.count_chars()
        if count > _CHARS:
            raise LimitExceededError(
                "a page holds more letters than are read", place=f"page {number}"
            )
        ways = _upright(text, count)
    finally:
        text.close()
    askew = "".join(each[4] for each in ways.pop(None, []))
    rows = [row for way in sorted(ways.values(), key=len, reverse=True) for row in _rows(way)]
    out = [_line(number, at, row) for at, row in enumerate(rows, start=1)]
    if re.search(r"\d", askew) or (not out and _pictured(page)):
        out.append(Line(number, 0, (), unread=True))
    return out


def _upright(text: Any, count: int) -> dict[int | None, list[_Letter]]:
    """Return letters by the direction in which they run, turned upright; None where it is askew."""
    from pypdfium2.raw import FPDFText_GetCharAngle  # noqa: PLC0415  # start-up cost

    ways: dict[int | None, list[_Letter]] = {}
    for at in range(count):
        sign = text.get_text_range(at, 1)
        if not sign.strip():
            continue
        left, bottom, right, top = text.get_charbox(at, loose=True)
        angle = FPDFText_GetCharAngle(text.raw, at)
        quarter = round(angle / (math.pi / 2))
        way = quarter % 4 if abs(angle - quarter * math.pi / 2) < _ASKEW else None
        turned = {
            1: (-top, left, -bottom, right),
            2: (-right, -top, -left, -bottom),
            3: (bottom, -right, top, -left),
        }.get(way or 0, (left, bottom, right, top))
        ways.setdefault(way, []).append((*turned, sign))
    return ways


def _pictured(page: Any) -> bool:
    """Tell whether a page without text shows something that may be letters."""
    from pypdfium2.raw import FPDF_PAGEOBJ_IMAGE, FPDF_PAGEOBJ_PATH  # noqa: PLC0415  # as above

    kinds = [each.type for each in page.get_objects()]
    return FPDF_PAGEOBJ_IMAGE in kinds or kinds.count(FPDF_PAGEOBJ_PATH) >= _DRAWN


def _rows(letters: list[_Letter]) -> Iterator[list[_Letter]]:
    """Yield letters that stand on one line, from the top of the page down."""
    row: list[_Letter] = []
    for each in sorted(letters, key=lambda one: (-(one[1] + one[3]), one[0])):
        middle = (each[1] + each[3]) / 2
        if row:
            base = row[0]
            if abs(middle - (base[1] + base[3]) / 2) > 0.45 * max(base[3] - base[1], 1e-6):
                yield sorted(row)
                row = []
        row.append(each)
    if row:
        yield sorted(row)


def _line(page: int, number: int, row: Sequence[_Letter]) -> Line:
    cells = [row[0][4]]
    at: list[Span] = [(row[0][0], row[0][2])]
    for place, (last, each) in enumerate(pairwise(row), start=1):
        height = max(each[3] - each[1], 1e-6)
        gap = (each[0] - last[2]) / max(height, last[3] - last[1])
        here = (each[0], each[2])
        if gap > _CELL_GAP:
            cells.append(each[4])
            at += [(last[2], each[0]), here]
            continue
        if gap > _WORD_GAP:
            cells[-1] += " "
            at.append((last[2], each[0]))
        sign = _beside(last, each, cells[-1], row[place + 1 :])
        cells[-1] += sign
        at += [here] * len(sign)
    tallest = sorted(each[3] - each[1] for each in row)[len(row) // 2]
    middle = sum(each[1] + each[3] for each in row) / 2 / len(row)
    return Line(page, number, tuple(cells), tuple(at), middle, tallest)


def _beside(last: _Letter, each: _Letter, before: str, behind: Sequence[_Letter]) -> str:
    """Return a letter as it is to be read behind another.

    A digit, or a letter, of another size or height than the number before it is a note: a sign is
    put between that makes the line unsure. Exponents stay (10⁹/L, m²), and lowered digits of names.
    """
    sign = each[4]
    tall, high = last[3] - last[1], each[3] - each[1]
    off = (each[1] + each[3] - last[1] - last[3]) / 2 / max(tall, high, 1e-6)
    raised = off > _RAISED
    uneven = abs(off) > _RAISED or min(tall, high) < _SMALLER * max(tall, high)
    if not uneven or not sign.isalnum():
        return sign
    rest = "".join(one[4] for one in behind[:4]).lstrip("0123456789")
    if sign.isdigit() and re.search(r"(?<![\d.,])10$", before) and rest.startswith("/"):
        return sign.translate(_RAISED_DIGITS)
    if re.search(r"(?:^|[^\w.,])[\d.,]*\d$", before):
        return UNSURE + sign
    if raised and sign.isdigit() and last[4].isalpha():
        return sign.translate(_RAISED_DIGITS) if last[4] == "m" else UNSURE + sign
    return sign


def line_of_boxes(
    page: int, number: int, cells: Sequence[tuple[str, tuple[int, int, int, int]]]
) -> Line:
    """Return a line of a picture: cells with left, top, width and height, in pixels."""
    at: list[Span] = []
    for text, (left, _, width, _) in cells:
        if at:
            at.append((at[-1][1], float(left)))
        step = width / max(len(text), 1)
        at += [(left + place * step, left + (place + 1) * step) for place in range(len(text))]
    middles = sorted(-(top + height / 2) for _, (_, top, _, height) in cells)
    heights = sorted(_PRINT * height for _, (_, _, _, height) in cells)
    half = len(cells) // 2
    return Line(
        page, number, tuple(text for text, _ in cells), tuple(at), middles[half], heights[half]
    )
