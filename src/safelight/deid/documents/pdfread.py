"""Read the words and the rules of a PDF's pages; draw nothing, decode no picture."""

import ctypes
import math
import unicodedata
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any, Final

from safelight.dicomio.limits import Limits
from safelight.errors import LimitExceededError, QuarantineError, UnreadableInputError

__all__ = ["Box", "Page", "Rule", "Word", "around", "read_pages"]

Box = tuple[float, float, float, float]  # left, bottom, right, top in points (1/72 inch)
Colour = tuple[int, int, int]

_BREAKS: Final = frozenset("\r\n\x0b\x0c\x85\u2028\u2029")
_LARGEST: Final = 14_400.0  # points a side: the bound of PDF 1.7, C.2
_SHORTEST_RULE: Final = 36.0  # points; shorter strokes could be parts of letters
_MOST_RULES: Final = 600
_FORM_DEPTH: Final = 12


@dataclass(slots=True)
class Word:
    """One word where it stands on its page.

    Attributes:
        text: Its characters, ligatures resolved.
        box: Around all of it.
        origin: Where its baseline begins, in points.
        width: Along the baseline, in points.
        size: Of its font, in points.
        angle: Of its baseline, in radians.
        mapped: False when the font does not say which characters these are.
        hidden: It cannot be seen on the page (drawn as invisible, or painted over).
    """

    text: str
    box: Box
    origin: tuple[float, float]
    width: float
    size: float
    angle: float
    bold: bool
    colour: Colour
    mapped: bool = True
    hidden: bool = False


@dataclass(frozen=True, slots=True)
class Rule:
    """A straight line or a filled rectangle, with its sides along the page's."""

    box: Box
    colour: Colour
    order: int
    covers: bool = False

    def hides(self, point: tuple[float, float], order: int) -> bool:
        """Tell whether it was painted over what was drawn before it at this point."""
        return self.covers and self.order > order >= 0 and _inside(point, self.box)


@dataclass(slots=True)
class Page:
    """What was read of one page.

    Attributes:
        box: The part of the page that shows, in points.
        turn: How viewers turn it: 0, 90, 180 or 270 degrees clockwise.
        lines: Words by line, in reading order.
        rules: Lines and rectangles, in drawing order.
        pictures: Boxes of images and shadings.
        drawings: Number of other drawn shapes: curves, slanted or short strokes.
    """

    box: Box
    turn: int
    lines: list[list[Word]] = field(default_factory=list)
    rules: list[Rule] = field(default_factory=list)
    pictures: list[Box] = field(default_factory=list)
    drawings: int = 0
    orders: dict[int, int] = field(default_factory=dict)


def read_pages(data: bytes, limits: Limits) -> Iterator[Page]:
    """Yield the pages of a PDF that ``check_bounds`` let through.

    Raises:
        UnreadableInputError: It cannot be opened, or a page of it.
        QuarantineError: It needs a password.
        LimitExceededError: Too many pages, too large a page, too many characters or shapes.
    """
    import pypdfium2 as pdfium  # noqa: PLC0415 - start-up cost

    try:
        document = pdfium.PdfDocument(data)
    except pdfium.PdfiumError as error:
        if pdfium.raw.FPDF_GetLastError() == pdfium.raw.FPDF_ERR_PASSWORD:
            raise QuarantineError(
                "it needs a password", todo="save it without a password and run again"
            ) from error
        raise UnreadableInputError("it cannot be opened as a PDF") from error
    try:
        if not 1 <= len(document) <= limits.pages:
            raise LimitExceededError(f"it has {len(document)} pages, more than the limit pages")
        for index in range(len(document)):
            place = f"page {index + 1}"
            try:
                with closing(document[index]) as page:
                    read = _read(page, limits, place)
            except pdfium.PdfiumError as error:
                raise UnreadableInputError("a page cannot be read", place=place) from error
            yield read
    finally:
        document.close()


def _read(page: Any, limits: Limits, place: str) -> Page:
    from pypdfium2 import raw  # noqa: PLC0415 - start-up cost

    media, crop = page.get_mediabox(), page.get_cropbox()
    low = (max(media[0], crop[0]), max(media[1], crop[1]))
    box = (*low, min(media[2], crop[2]), min(media[3], crop[3]))
    if not all(map(math.isfinite, box)) or not (
        0 < box[2] - box[0] <= _LARGEST and 0 < box[3] - box[1] <= _LARGEST
    ):
        raise LimitExceededError("a page is larger than any paper", place=place)
    out = Page(box=box, turn=int(page.get_rotation()) % 360)
    walk = _Shapes(out, limits.items, place)
    count = raw.FPDFPage_CountObjects(page)
    for order in range(count):
        walk.visit(raw.FPDFPage_GetObject(page, order), order, 0)
    textpage = page.get_textpage()
    try:
        if textpage.count_chars() > limits.elements:
            raise LimitExceededError("a page has more characters than the limit", place=place)
        out.lines = [line for line in _lines(textpage, out) if line]
    finally:
        textpage.close()
    return out


# --- Shapes -------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Shapes:
    """One pass over the objects of a page, those inside forms included."""

    page: Page
    room: int
    place: str

    def visit(self, shape: Any, order: int, depth: int) -> None:
        from pypdfium2 import raw  # noqa: PLC0415 - start-up cost

        self.room -= 1
        if self.room < 0 or depth > _FORM_DEPTH:
            raise LimitExceededError("a page has more shapes than the limit", place=self.place)
        kind = raw.FPDFPageObj_GetType(shape)
        if kind == raw.FPDF_PAGEOBJ_TEXT:
            self.page.orders[_address(shape)] = order
        elif kind == raw.FPDF_PAGEOBJ_FORM:
            for index in range(raw.FPDFFormObj_CountObjects(shape)):
                self.visit(raw.FPDFFormObj_GetObject(shape, index), order, depth + 1)
        elif kind == raw.FPDF_PAGEOBJ_PATH:
            # A shape inside a form stands in the form's own coordinates: counted, not drawn.
            rules = _rules(shape, order) if not depth else []
            if rules and len(self.page.rules) < _MOST_RULES:
                self.page.rules += rules
            else:
                self.page.drawings += 1
        else:
            self.page.pictures.append(_bounds(shape) if not depth else self.page.box)


def _address(shape: Any) -> int:
    return ctypes.cast(shape, ctypes.c_void_p).value or 0


def _bounds(shape: Any) -> Box:
    from pypdfium2 import raw  # noqa: PLC0415 - start-up cost

    sides = [ctypes.c_float() for _ in range(4)]
    raw.FPDFPageObj_GetBounds(shape, *sides)
    left, bottom, right, top = (side.value for side in sides)
    return left, bottom, right, top


def _rules(shape: Any, order: int) -> list[Rule]:
    """Return a path as rules: empty if any part of it is curved, slanted or short."""
    from pypdfium2 import raw  # noqa: PLC0415 - start-up cost

    mode, stroke = ctypes.c_int(), ctypes.c_int()
    raw.FPDFPath_GetDrawMode(shape, mode, stroke)
    if not mode.value and not stroke.value:
        return []  # a clip: nothing is drawn
    bounds = _bounds(shape)
    if not all(map(math.isfinite, bounds)):
        return []
    points = _points(shape)
    xs, ys = {round(x, 1) for x, _ in points}, {round(y, 1) for _, y in points}
    if not points or len(xs) > 2 or len(ys) > 2:  # noqa: PLR2004 - a line or one rectangle
        return []
    if max(bounds[2] - bounds[0], bounds[3] - bounds[1]) < _SHORTEST_RULE:
        return []
    if mode.value:
        covers = not raw.FPDFPageObj_HasTransparency(shape)
        return [Rule(bounds, _colour(raw.FPDFPageObj_GetFillColor, shape), order, covers)]
    colour, pen = _colour(raw.FPDFPageObj_GetStrokeColor, shape), ctypes.c_float()
    raw.FPDFPageObj_GetStrokeWidth(shape, pen)
    half = min(max(pen.value, 0.4), 4.0) / 2
    left, right, bottom, top = min(xs), max(xs), min(ys), max(ys)
    across = {(left, y - half, right, y + half) for y in ys if right > left}
    upward = {(x - half, bottom, x + half, top) for x in xs if top > bottom}
    return [Rule(side, colour, order) for side in sorted(across | upward)]


def _points(shape: Any) -> list[tuple[float, float]]:
    """Return the corners of a path in page coordinates; empty if it has a curve."""
    from pypdfium2 import raw  # noqa: PLC0415 - start-up cost

    matrix, x, y = raw.FS_MATRIX(), ctypes.c_float(), ctypes.c_float()
    raw.FPDFPageObj_GetMatrix(shape, matrix)
    count, out = raw.FPDFPath_CountSegments(shape), []
    if count > 64:  # noqa: PLR2004 - a table drawn as one path is no plain rectangle
        return []
    for index in range(count):
        segment = raw.FPDFPath_GetPathSegment(shape, index)
        if raw.FPDFPathSegment_GetType(segment) == raw.FPDF_SEGMENT_BEZIERTO:
            return []
        raw.FPDFPathSegment_GetPoint(segment, x, y)
        a, b, c, d, e, f = (getattr(matrix, name) for name in "abcdef")
        out.append((a * x.value + c * y.value + e, b * x.value + d * y.value + f))
    return out


def _colour(getter: Any, *args: Any) -> Colour:
    parts = [ctypes.c_uint() for _ in range(4)]
    if not getter(*args, *parts) or not parts[3].value:
        return 0, 0, 0
    red, green, blue, _ = (part.value for part in parts)
    return red, green, blue


# --- Text ---------------------------------------------------------------------------------------


def _lines(textpage: Any, page: Page) -> Iterator[list[Word]]:
    """Yield words by line, as the text page orders them."""
    from pypdfium2 import raw  # noqa: PLC0415 - start-up cost

    line: list[Word] = []
    word: Word | None = None
    known: dict[int, _Style] = {}
    for index in range(textpage.count_chars()):
        code = raw.FPDFText_GetUnicode(textpage, index)
        text = "-" if code == 2 else _plain(code)  # noqa: PLR2004 - how pdfium marks a split word
        if text in _BREAKS:
            yield line
            line, word = [], None
        elif text.isspace():
            word = None
        else:
            letter = _letter(textpage, index, text, page, known)
            if word is None or abs(word.angle - letter.angle) > 0.01:  # noqa: PLR2004 - radians
                word = letter
                line.append(word)
            else:
                _join(word, letter)
    yield line


def _plain(code: int) -> str:
    """Return the characters of a code in their plain form; U+FFFD for codes that are none."""
    if code in (0, 0xFFFE, 0xFFFF) or 0xD800 <= code <= 0xDFFF or code > 0x10FFFF:  # noqa: PLR2004 - Unicode
        return "\ufffd"
    text = chr(code)
    if text in _BREAKS or text.isspace():
        return text
    folded = unicodedata.normalize("NFKC", text) if unicodedata.decomposition(text) else text
    return folded.strip() or " "


@dataclass(frozen=True, slots=True)
class _Style:
    """What all letters of one text object share."""

    size: float
    angle: float
    bold: bool
    colour: Colour
    invisible: bool
    order: int


def _style(textpage: Any, index: int, page: Page, known: dict[int, _Style]) -> _Style:
    from pypdfium2 import raw  # noqa: PLC0415 - start-up cost

    shape = raw.FPDFText_GetTextObject(textpage, index)
    address = _address(shape) if shape else 0
    if address in known:
        return known[address]
    matrix = raw.FS_MATRIX()
    raw.FPDFText_GetMatrix(textpage, index, matrix)
    scale = math.hypot(matrix.c, matrix.d) or 1.0
    mode = raw.FPDFTextObj_GetTextRenderMode(shape) if shape else -1
    style = _Style(
        size=min(max(raw.FPDFText_GetFontSize(textpage, index) * scale, 1.0), 400.0),
        angle=math.atan2(matrix.b, matrix.a),
        bold=_bold(textpage, index),
        colour=_colour(raw.FPDFText_GetFillColor, textpage, index),
        invisible=mode in (raw.FPDF_TEXTRENDERMODE_INVISIBLE, raw.FPDF_TEXTRENDERMODE_CLIP),
        order=page.orders.get(address, -1),
    )
    if address:
        known[address] = style
    return style


def _letter(textpage: Any, index: int, text: str, page: Page, known: dict[int, _Style]) -> Word:
    from pypdfium2 import raw  # noqa: PLC0415 - start-up cost

    loose, x, y = raw.FS_RECTF(), ctypes.c_double(), ctypes.c_double()
    raw.FPDFText_GetLooseCharBox(textpage, index, loose)
    raw.FPDFText_GetCharOrigin(textpage, index, x, y)
    box, origin = (loose.left, loose.bottom, loose.right, loose.top), (x.value, y.value)
    style = _style(textpage, index, page, known)
    middle = ((box[0] + box[2]) / 2, (box[1] + box[3]) / 2)
    return Word(
        text=text,
        box=box,
        origin=origin,
        width=_reach(box, origin, style.angle),
        size=style.size,
        angle=style.angle,
        bold=style.bold,
        colour=style.colour,
        mapped="\ufffd" not in text and raw.FPDFText_HasUnicodeMapError(textpage, index) != 1,
        hidden=style.invisible
        or not _inside(middle, page.box)
        or not all(map(math.isfinite, (*box, *origin)))
        or any(rule.hides(middle, style.order) for rule in page.rules if rule.covers),
    )


def _bold(textpage: Any, index: int) -> bool:
    """Tell by the font's name, as the fonts that readers must have state no weight."""
    from pypdfium2 import raw  # noqa: PLC0415 - start-up cost

    name, flags = ctypes.create_string_buffer(128), ctypes.c_int()
    size = raw.FPDFText_GetFontInfo(textpage, index, name, len(name), flags)
    weight = raw.FPDFText_GetFontWeight(textpage, index)
    return weight >= 600 or (size and b"bold" in name.value.lower())  # noqa: PLR2004 - semi-bold


def _reach(box: Box, origin: tuple[float, float], angle: float) -> float:
    """Return how far the box goes from the origin along the baseline."""
    cos, sin = math.cos(angle), math.sin(angle)
    across = max((box[0] - origin[0]) * cos, (box[2] - origin[0]) * cos)
    return across + max((box[1] - origin[1]) * sin, (box[3] - origin[1]) * sin)


def around(a: Box, b: Box) -> Box:
    """Return the box around two boxes."""
    return min(a[0], b[0]), min(a[1], b[1]), max(a[2], b[2]), max(a[3], b[3])


def _inside(point: tuple[float, float], box: Box) -> bool:
    return box[0] <= point[0] <= box[2] and box[1] <= point[1] <= box[3]


def _join(word: Word, letter: Word) -> None:
    word.text += letter.text
    word.box = around(word.box, letter.box)
    if abs(math.sin(2 * word.angle)) < 0.02:  # noqa: PLR2004 - upright or turned by quarters
        word.width = max(word.width, _reach(letter.box, word.origin, word.angle))
    else:  # boxes around slanted letters reach too far: the letters' steps tell the width
        steps, count = math.dist(word.origin, letter.origin), len(word.text)
        word.width = steps * count / max(count - 1, 1)
    word.mapped = word.mapped and letter.mapped
    word.hidden = word.hidden or letter.hidden
