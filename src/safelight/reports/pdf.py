"""A report as a PDF: the words of the page, set on A4, with no browser and no font to install."""

import io
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from safelight.reports.blocks import Block, Bullets, Fold, Heading, Pairs, Picture, Rows, Text, Tone
from safelight.reports.pdffile import (
    BOLD,
    HEIGHT,
    PLAIN,
    WIDTH,
    Image,
    Sheet,
    width_of,
    write,
)
from safelight.reports.report import Report, blocks

__all__ = ["pdf"]

_MARGIN: Final = 56.0
_BOTTOM: Final = 64.0
_ROOM: Final = WIDTH - 2 * _MARGIN
_SIZE: Final = 10.0
_LEAD: Final = 1.4  # height of a line in sizes of its font
_SMALL: Final = 8.5
_TITLE: Final = 20.0
_LEVELS: Final = {2: 14.0, 3: 11.5}
_KEPT: Final = 60.0  # points that must be left below a heading
_INK: Final = 0.1
_SOFT: Final = 0.35
_ACCENT: Final = (0.64, 0.14, 0.11)
_GAP: Final = 10.0  # between columns
_NARROW: Final = 48.0  # points that a column has at least
_MAP_MOST: Final = 300.0  # points that a picture is high at most
_FOOT: Final = "Safelight reading: not a diagnosis. Page {page} of {pages}"


def pdf(report: Report) -> bytes:
    """Return the PDF file."""
    title = "Safelight reading, for clinicians" if report.clinician else "Safelight reading"
    flow = _Flow()
    flow.sheet.bar((_MARGIN, flow.y + 8, _ROOM, 4), _ACCENT)
    flow.y -= _TITLE
    flow.lines(title, font=BOLD, size=_TITLE)
    for block in blocks(report):
        flow.add(block)
    for number, sheet in enumerate(flow.sheets, 1):
        foot = _FOOT.format(page=number, pages=len(flow.sheets))
        sheet.text((_MARGIN, 36), foot, font=PLAIN, size=_SMALL, grey=_SOFT)
    return write(flow.sheets, title=title)


class _Flow:
    """Sets blocks one below the other and turns the page when it is full."""

    def __init__(self) -> None:
        self.sheets = [Sheet()]
        self.y = HEIGHT - _MARGIN

    @property
    def sheet(self) -> Sheet:
        return self.sheets[-1]

    def turn(self) -> None:
        """Begin a page."""
        self.sheets.append(Sheet())
        self.y = HEIGHT - _MARGIN

    def need(self, height: float) -> None:
        """Turn the page when there is less room than that."""
        if self.y - height < _BOTTOM:
            self.turn()

    def add(self, block: Block) -> None:
        """Set one block."""
        match block:
            case Heading(text, level):
                self.y -= 14 if level == 2 else 8  # noqa: PLR2004  # points above a heading
                self.need(_KEPT)
                self.lines(text, font=BOLD, size=_LEVELS[level])
            case Text(text, tone):
                self._text(text, tone)
            case Bullets(items):
                for item in items:
                    self.need(_SIZE * _LEAD)
                    self.sheet.text((_MARGIN + 4, self.y - _SIZE), "\u2022", font=PLAIN, size=_SIZE)
                    self.lines(item, left=16)
                self.y -= 4
            case Pairs(pairs):
                self.table([(name, value) for name, value in pairs], head=(), numeric=frozenset())
            case Rows(_, head, rows, numeric):
                self.table(rows, head=head, numeric=numeric)
            case Picture(png, alt, legend):
                self._picture(png, legend or alt)
            case Fold(title, inner):
                self.turn()
                self.lines(title, font=BOLD, size=_LEVELS[3])
                for each in inner:
                    self.add(each)

    def lines(
        self,
        text: str,
        *,
        font: int = PLAIN,
        size: float = _SIZE,
        grey: float = _INK,
        left: float = 0.0,
    ) -> None:
        """Set a paragraph."""
        for line in _wrapped(text, _ROOM - left, font=font, size=size):
            self.need(size * _LEAD)
            self.sheet.text((_MARGIN + left, self.y - size), line, font=font, size=size, grey=grey)
            self.y -= size * _LEAD

    def _text(self, text: str, tone: Tone) -> None:
        size = 11.5 if tone is Tone.LEAD else _SIZE
        warn = tone is Tone.WARN
        if warn:
            height = size * _LEAD * len(_wrapped(text, _ROOM - 12, font=PLAIN, size=size))
            self.need(height)
            self.sheet.bar((_MARGIN, self.y - height, 3, height), _ACCENT)
        grey = _SOFT if tone is Tone.SOFT else _INK
        self.lines(text, size=size, grey=grey, left=12 if warn else 0)
        self.y -= 4

    def _picture(self, png: bytes, legend: str) -> None:
        image = _image(png)
        scale = min(_ROOM / image.columns, _MAP_MOST / image.rows)
        width, height = image.columns * scale, image.rows * scale
        self.need(height + 3 * _SIZE * _LEAD)
        self.y -= 6
        self.sheet.image((_MARGIN, self.y - height, width, height), image)
        self.y -= height + 4
        self.lines(legend, size=_SMALL, grey=_SOFT)

    def table(
        self, rows: Iterable[Sequence[str]], *, head: Sequence[str], numeric: frozenset[int]
    ) -> None:
        """Set a table; its head again on each page."""
        listed = [tuple(row) for row in rows]
        if not listed:
            return
        widths = _columns([tuple(head), *listed] if head else listed)
        self.y -= 4
        if head:
            self._row(head, widths, numeric, font=BOLD)
        for row in listed:
            before = len(self.sheets)
            tall = self._tall(row, widths)
            self.need(tall + (_SMALL * _LEAD + 6 if head else 0))
            if len(self.sheets) > before and head:
                self._row(head, widths, numeric, font=BOLD)
            self._row(row, widths, numeric, font=PLAIN)
        self.y -= 4

    def _tall(self, row: Sequence[str], widths: Sequence[float]) -> float:
        most = max(
            len(_wrapped(cell, width, font=PLAIN, size=_SMALL))
            for cell, width in zip(row, widths, strict=True)
        )
        return most * _SMALL * _LEAD + 6

    def _row(
        self, row: Sequence[str], widths: Sequence[float], numeric: frozenset[int], *, font: int
    ) -> None:
        cells = [
            _wrapped(cell, width, font=font, size=_SMALL)
            for cell, width in zip(row, widths, strict=True)
        ]
        self.need(_SMALL * _LEAD + 6)
        for number in range(max(map(len, cells))):  # a row taller than a page goes on on the next
            self.need(_SMALL * _LEAD)
            left = _MARGIN
            for at, (cell, width) in enumerate(zip(cells, widths, strict=True)):
                if number < len(cell):
                    shift = (
                        width - width_of(cell[number], font=font, size=_SMALL)
                        if at in numeric
                        else 0
                    )
                    place = (left + shift, self.y - _SMALL)
                    self.sheet.text(place, cell[number], font=font, size=_SMALL)
                left += width + _GAP
            self.y -= _SMALL * _LEAD
        self.sheet.bar((_MARGIN, self.y - 1, _ROOM, 0.5), (0.8,))
        self.y -= 4


def _columns(rows: Sequence[Sequence[str]]) -> list[float]:
    """Share the room out: as much as a column needs, the wide ones give first."""
    count = len(rows[0])
    room = _ROOM - _GAP * (count - 1)
    wants = [
        max(width_of(row[at], font=BOLD, size=_SMALL) for row in rows) + 1 for at in range(count)
    ]
    if sum(wants) <= room:
        wants[-1] += room - sum(wants)
        return wants
    fair = room / count
    spare = room - sum(min(want, fair) for want in wants)
    over = sum(max(want - fair, 0) for want in wants)
    return [max(min(w, fair) + spare * max(w - fair, 0) / over, min(_NARROW, fair)) for w in wants]


def _wrapped(text: str, room: float, *, font: int, size: float) -> list[str]:
    """Break a text into lines; a word that is wider than the room is cut."""
    lines: list[str] = []
    line = ""
    for word in _pieces(text.split(), room, font=font, size=size):
        joined = f"{line} {word}" if line else word
        if line and width_of(joined, font=font, size=size) > room:
            lines.append(line)
            line = word
        else:
            line = joined
    return [*lines, line]


def _pieces(words: Iterable[str], room: float, *, font: int, size: float) -> Iterator[str]:
    for word in words:
        rest = word
        while len(rest) > 1 and width_of(rest, font=font, size=size) > room:
            fits = max(1, int(len(rest) * room / width_of(rest, font=font, size=size)))
            while fits > 1 and width_of(rest[:fits], font=font, size=size) > room:
                fits -= 1
            yield rest[:fits]
            rest = rest[fits:]
        yield rest


def _image(png: bytes) -> Image:
    from PIL import Image as Opened  # noqa: PLC0415  # start-up cost: only where there is a map

    with Opened.open(io.BytesIO(png)) as opened:
        rgb = opened.convert("RGB")
    return Image(rgb=rgb.tobytes(), columns=rgb.width, rows=rgb.height)
