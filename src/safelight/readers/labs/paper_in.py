"""PDF with text in: lines by position, each read whole or refused.

A line is taken only if, behind the name of a test, everything on it has its place: one result, at
most one range, one unit and one mark. Two numbers that could both be the result (a column of former
results) refuse the line. Scanned pages have no text and are refused as a whole.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

from safelight.errors import LimitExceededError, UnreadableInputError
from safelight.readers.labs import analytes, units
from safelight.readers.labs.model import Person, RawRange, RawRow, Reason
from safelight.readers.labs.ranges import BETWEEN
from safelight.readers.labs.values import COMPARATOR, NUMBER

__all__ = ["Line", "lines_of", "parsed", "read", "read_scan", "rows_of", "untouched"]

_PAGES: Final = 200
_SCANNED: Final = 30  # pages of a scan
_CHARS: Final = 200_000
_WORD_GAP: Final = 0.16  # of the height of the font: wider is a space (narrow fonts have 0.19)
_SHORT: Final = 4  # words: longer beginnings are sentences
_CELL_GAP: Final = 1.0  # of the letter height: wider is a new column


@dataclass(frozen=True, slots=True)
class Line:
    """One printed line: its cells from left to right."""

    page: int
    number: int
    cells: tuple[str, ...]

    @property
    def place(self) -> str:
        """Where it stands."""
        return f"page {self.page} line {self.number}"


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
    if not out:
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
        letters: list[tuple[float, float, float, float, str]] = []
        for at in range(count):
            sign = text.get_text_range(at, 1)
            if sign.strip():
                left, bottom, right, top = text.get_charbox(at, loose=True)
                letters.append((left, bottom, right, top, sign))
    finally:
        text.close()
    return [Line(number, at, _cells(row)) for at, row in enumerate(_rows(letters), start=1)]


def _rows(
    letters: list[tuple[float, float, float, float, str]],
) -> Iterator[list[tuple[float, float, float, float, str]]]:
    """Yield letters that stand on one line, from the top of the page down."""
    row: list[tuple[float, float, float, float, str]] = []
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


def _cells(row: Sequence[tuple[float, float, float, float, str]]) -> tuple[str, ...]:
    cells = [row[0][4]]
    for last, each in pairwise(row):
        height = max(each[3] - each[1], 1e-6)
        gap = (each[0] - last[2]) / height
        if gap > _CELL_GAP:
            cells.append(each[4])
        else:
            cells[-1] += (" " if gap > _WORD_GAP else "") + each[4]
    return tuple(cells)


_MARK: Final = r"(?:\*{1,2}[LH]?|[LH]\*|LL|HH|AA|L|H|A|N|\++|-{1,2}|!{1,2}|↑+|↓+)"
_TOKEN: Final = re.compile(
    rf"(?P<range>[(\[]?\s*{BETWEEN}\s*[)\]]?)(?=\s|$)"
    rf"|(?P<bound>[(\[]?\s*(?:{COMPARATOR})\s*{NUMBER}\s*[)\]]?)(?=\s|$)"
    rf"|(?P<number>{NUMBER})(?=\s|$)"
    rf"|(?P<mark>[(\[]?{_MARK}[)\]]?)(?=\s|$)"
    rf"|(?P<glued>{NUMBER})(?P<gluedmark>{_MARK})(?=\s|$)"
    r"|(?P<word>\S+)"
)


def _tokens(text: str) -> list[tuple[str, str]]:
    out: list[tuple[str, str]] = []
    at = 0
    while at < len(text):
        if text[at].isspace():
            at += 1
            continue
        found = _TOKEN.match(text, at)
        if found is None:
            return []
        kind = found.lastgroup or "word"
        if found["glued"]:
            out += [("number", found["glued"]), ("mark", found["gluedmark"])]
        else:
            out.append((kind, found.group(0).strip()))
        at = found.end()
    return out


def _joined(tokens: list[tuple[str, str]]) -> list[tuple[str, str]] | None:
    """Join words into units; None where words are left that are none."""
    out: list[tuple[str, str]] = []
    at = 0
    while at < len(tokens):
        kind, text = tokens[at]
        if kind not in {"word", "number"}:
            out.append((kind, text))
            at += 1
            continue
        for end in range(min(at + 4, len(tokens)), at, -1):
            run = tokens[at:end]
            together = " ".join(word for _, word in run)
            needs_word = any(k == "word" for k, _ in run)
            if needs_word and units.known(together) and not re.fullmatch(NUMBER, together):
                out.append(("unit", together))
                at = end
                break
        else:
            if kind == "word":
                return None
            out.append((kind, text))
            at += 1
    return out


@dataclass(frozen=True, slots=True)
class Parsed:
    """What stands behind the name of a test."""

    value: str
    unit: str = ""
    range: str = ""
    flag: str = ""


def parsed(rest: str, *, value_first: bool | None) -> Parsed | Reason:
    """Return what stands on a line behind its name, each in its place, or why it cannot be told.

    Args:
        rest: The line without the name.
        value_first: Whether results stand before ranges in this document; None where not known.
    """
    found = _joined(_tokens(rest))
    if found is None:
        digits = re.search(r"\d", rest)
        return Reason.LINE_NOT_READ if digits else Reason.NOT_A_NUMBER
    by: dict[str, list[str]] = {"number": [], "bound": [], "range": [], "unit": [], "mark": []}
    for kind, text in found:
        by[kind].append(text)
    if len(by["unit"]) > 1 and len({text.lower() for text in by["unit"]}) == 1:
        by["unit"] = by["unit"][:1]  # the same unit once more behind the range
    if len(by["unit"]) > 1 or len(by["mark"]) > 1 or len(by["range"]) > 1:
        return Reason.LINE_NOT_READ
    numbers, bounds, between = by["number"], by["bound"], by["range"]
    reference = between[0] if between else ""
    if len(numbers) == 1 and len(bounds) + len(between) <= 1:
        value, reference = numbers[0], reference or (bounds[0] if bounds else "")
    elif not numbers and len(bounds) == 1:
        value = bounds[0]
    elif not numbers and bounds[1:] and not bounds[2:] and not between and value_first is not None:
        value, reference = bounds if value_first else bounds[::-1]
    else:
        return Reason.LINE_NOT_READ if numbers or bounds else Reason.NO_VALUE
    return Parsed(
        value=value.strip("()[] "),
        unit=by["unit"][0] if by["unit"] else "",
        range=reference,
        flag=by["mark"][0] if by["mark"] else "",
    )


def _named(line: Line) -> tuple[str, str] | Reason:
    """Return the longest beginning of a line that names a test, and what stands behind it."""
    words = " ".join(line.cells).split(" ")
    fault: Reason = Reason.UNKNOWN_ANALYTE
    for count in range(min(len(words), 9), 0, -1):
        name = " ".join(words[:count]).rstrip(":.…· ")
        rest = " ".join(words[count:]).lstrip(":.…· ")
        # a sign behind the name (>, <, +) belongs to the result, never to the name
        if not rest or not all(re.search(r"[^\W_]", word) for word in words[:count]):
            continue
        if re.search(r"[<>=≤≥↑↓*]", name):
            continue
        known = analytes.by_name([name], "")
        if known in analytes.table() or known is Reason.NO_UNIT:
            return name, rest
        if known is Reason.OTHER_SPECIMEN and count <= _SHORT:
            fault = known
    return fault


def _looks_like_result(line: Line) -> bool:
    tokens = _joined_any(" ".join(line.cells))
    return {"number", "unit"} <= tokens or {"number", "range"} <= tokens


def _joined_any(text: str) -> set[str]:
    kinds = {kind for kind, _ in _tokens(text)}
    words = text.split()
    if any(units.known(word) and re.search(r"[/%]", word) for word in words):
        kinds.add("unit")
    return kinds


def read(data: bytes, told: Person) -> tuple[list[RawRow], int]:
    """Return the lines of a PDF that hold results, and how many hold something else.

    Raises:
        UnreadableInputError: It is no PDF, or holds no text.
        LimitExceededError: It has more pages or letters than are read.
    """
    return rows_of(lines_of(data), told)


def read_scan(data: bytes, told: Person) -> tuple[list[RawRow], int]:
    """Return the same of a PDF of scanned pages; a line with a cell that is not sure is refused.

    Raises:
        UnreadableInputError: It is no PDF, or nothing on it could be read.
        LimitExceededError: It has more pages than are read.
    """
    import pypdfium2  # noqa: PLC0415  # start-up cost

    from safelight.readers.labs.scan_in import UNSURE, page_cells, pictures  # noqa: PLC0415  # as above

    try:
        lines = [
            Line(page, at, cells)
            for page, grey in pictures(data, _SCANNED)
            for at, cells in enumerate(page_cells(grey), start=1)
        ]
    except pypdfium2.PdfiumError:
        raise UnreadableInputError("the PDF cannot be opened, or a page of it is damaged") from None
    if not lines:
        raise UnreadableInputError(
            "nothing on the scanned pages could be read", todo="type the results into a table (CSV)"
        )
    sure = [line for line in lines if UNSURE not in line.cells]
    doubtful = [line for line in lines if UNSURE in line.cells]
    rows, skipped = rows_of(sure, told)
    digits = [line for line in doubtful if re.search(r"\d", "".join(line.cells))]
    refused = [
        RawRow(place=line.place, refused=Reason.LINE_NOT_READ, about=told) for line in digits
    ]
    return [*rows, *refused], skipped + len(doubtful) - len(digits)


def rows_of(lines: Sequence[Line], told: Person) -> tuple[list[RawRow], int]:
    """Return the lines that hold results, and how many hold something else."""
    named = [(line, _named(line)) for line in lines]
    firsts = {_order(found[1]) for _, found in named if not isinstance(found, Reason)} - {None}
    value_first = firsts.pop() if len(firsts) == 1 else None
    rows: list[RawRow] = []
    skipped = 0
    section = ""
    for line, found in named:
        if isinstance(found, Reason):
            heading = " ".join(line.cells)
            if _looks_like_result(line):
                rows.append(RawRow(place=line.place, refused=found, about=told))
                continue
            if len(line.cells) == 1 and analytes.blood(heading) is not None and len(heading) < 40:  # noqa: PLR2004  # letters
                section = heading
            skipped += 1
            continue
        name, rest = found
        what = parsed(rest, value_first=value_first)
        if isinstance(what, Reason):
            if not re.search(r"\d", rest):
                skipped += 1
                continue
            rows.append(RawRow(place=line.place, refused=_slip(what, rest), about=told))
            continue
        rows.append(
            RawRow(
                place=line.place,
                names=(name,),
                value=what.value,
                unit=what.unit,
                ranges=(RawRange(text=what.range),) if what.range else (),
                flag=what.flag,
                section=section,
                about=told,
            )
        )
    return rows, skipped


def _slip(reason: Reason, rest: str) -> Reason:
    """Tell a number with letters in it (l4.2) from a line that is laid out in another way."""
    first = rest.split(maxsplit=1)[0]
    slip = re.fullmatch(r"[0-9OoIlSBZ|.,]+", first) and not re.fullmatch(NUMBER, first)
    return Reason.NOT_A_NUMBER if slip else reason


def _order(rest: str) -> bool | None:
    """Tell whether a plain number stands before a range on this line."""
    kinds = [kind for kind, _ in _tokens(rest) if kind in {"number", "range"}]
    return kinds[0] == "number" if sorted(kinds) == ["number", "range"] else None


def untouched(cleaned: Sequence[RawRow], whole: Sequence[RawRow]) -> list[RawRow]:
    """Return the rows of a page of which de-identification left every part as it was.

    Cleaning may blank a range, a result or the heading of the urine below it; what is left of such
    a line would say something else than the paper. The page before it serves for this alone.
    """
    left = Counter(map(_key, cleaned))
    out: list[RawRow] = []
    for row in whole:
        key = _key(row)
        lost = row.refused is None and left[key] < 1
        left[key] -= 1
        out.append(RawRow(place=row.place, refused=Reason.BLANKED) if lost else row)
    return out


def _key(row: RawRow) -> tuple[object, ...]:
    return (row.names, row.value, row.unit, row.ranges, row.flag, row.section, row.refused)
