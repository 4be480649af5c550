"""PDF with text in: lines by position, each read whole or refused.

A line is taken only if, behind the name of a test, everything on it has its place: one result, at
most one range, one unit and one mark, and the result stands where results stand. Two numbers that
could both be the result (a column of former results) refuse the line. Scanned pages have no text;
they are read as pictures.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from safelight.errors import UnreadableInputError
from safelight.readers.labs import analytes, paper_columns, units
from safelight.readers.labs.model import Person, RawRange, RawRow, Reason
from safelight.readers.labs.owners import Owners
from safelight.readers.labs.owners import told as told_of_person
from safelight.readers.labs.paper_columns import Entry
from safelight.readers.labs.paper_lines import UNSURE, Line, line_of_boxes, lines_of
from safelight.readers.labs.paper_names import section_of, wrapped
from safelight.readers.labs.paper_parse import order, parsed, tokens
from safelight.readers.labs.values import NUMBER

if TYPE_CHECKING:
    from safelight.readers.labs.scan_in import Grey

__all__ = ["Line", "lines_of", "read", "read_photo", "read_scan", "rows_of", "untouched"]

_SCANNED: Final = 30  # pages of a scan
_READ_WELL: Final = 0.7  # of the lines
_SHORT: Final = 4  # words: longer beginnings are sentences


def _named(line: Line) -> tuple[str, str] | Reason:
    """Return the longest beginning of a line that names a test, and what stands behind it."""
    words = line.text.split(" ")
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
    kinds = _kinds(line.text)
    return {"number", "unit"} <= kinds or {"number", "range"} <= kinds


def _kinds(text: str) -> set[str]:
    kinds = {each.kind for each in tokens(text)}
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

    from safelight.readers.labs import photo_in, scan_in  # noqa: PLC0415  # as above

    def ways(page: "Grey") -> "Iterator[Grey]":
        yield page
        yield from photo_in.ways(page)  # photographs are put into PDF files too

    try:
        lines = [
            line
            for at, page in scan_in.pictures(data, _SCANNED)
            for line in _of_picture(at, ways(page))
        ]
    except pypdfium2.PdfiumError:
        raise UnreadableInputError("the PDF cannot be opened, or a page of it is damaged") from None
    return _of_pictures(lines, told)


def read_photo(data: bytes, told: Person) -> tuple[list[RawRow], int]:
    """Return the same of a photograph of a page, or of a picture of a screen.

    Raises:
        UnreadableInputError: It cannot be decoded, or nothing on it could be read.
        LimitExceededError: It takes too much.
    """
    from safelight.readers.labs import photo_in  # noqa: PLC0415  # start-up cost

    lines = [
        line
        for at, page in photo_in.pages(data, _SCANNED)
        for line in _of_picture(at, photo_in.ways(page))
    ]
    return _of_pictures(lines, told)


def _of_picture(number: int, ways: "Iterator[Grey]") -> list[Line]:
    """Return the lines of a page in the first way of holding it in which they are read well.

    Else in the way in which most tests are named on lines that are sure.
    """
    from safelight.readers.labs.scan_in import page_cells  # noqa: PLC0415  # start-up cost

    best: list[Line] = []
    most = -1
    for page in ways:
        lines = [
            line_of_boxes(number, at, cells) for at, cells in enumerate(page_cells(page), start=1)
        ]
        sure = [line for line in lines if UNSURE not in line.cells]
        named = sum(isinstance(_named(line), tuple) for line in sure)
        if named > most:
            best, most = lines, named
        if named and len(sure) >= _READ_WELL * len(lines):
            break
    return best


def _of_pictures(lines: Sequence[Line], told: Person) -> tuple[list[RawRow], int]:
    if not lines:
        raise UnreadableInputError(
            "no line on the pages could be read",
            todo="lay the paper flat and take it straight from above, or type the results into a"
            " table (CSV)",
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
    firsts = {order(found[1]) for _, found in named if not isinstance(found, Reason)} - {None}
    value_first = firsts.pop() if len(firsts) == 1 else None
    entries: dict[Line, Entry] = {}
    faults: dict[Line, Reason] = {}
    for line, found in named:
        if isinstance(found, Reason):
            continue
        what = parsed(found[1], value_first=value_first)
        start = len(line.text) - len(found[1])
        read = None if isinstance(what, Reason) else what
        entries[line] = Entry(line, start, found[1], read)
        if isinstance(what, Reason):
            faults[line] = what
    sure = paper_columns.certain(lines, list(entries.values()))
    doubted = wrapped(
        lines, {line: found for line, found in named if not isinstance(found, Reason)}
    )
    rows: list[RawRow] = []
    skipped = 0
    section = ""
    owners = Owners()
    for line, found in named:
        if isinstance(found, Reason):
            owners.hear(told_of_person(line.cells))
        if line.unread or (isinstance(found, Reason) and _looks_like_result(line)):
            why = found if isinstance(found, Reason) and not line.unread else Reason.LINE_NOT_READ
            rows.append(RawRow(place=line.place, refused=why, about=told))
        elif isinstance(found, Reason):
            section = section_of(line, section)
            skipped += 1
        elif line in faults and not re.search(r"\d", found[1]):
            skipped += 1
        elif line in faults or line not in sure or line in doubted:
            why = faults.get(line, doubted.get(line, Reason.LINE_NOT_READ))
            rows.append(RawRow(place=line.place, refused=_slip(why, found[1]), about=told))
        else:
            row = _row(entries[line], found[0], section, told)
            rows.append(replace(row, person=owners.person))
    return rows, skipped


def _row(entry: Entry, name: str, section: str, told: Person) -> RawRow:
    what = entry.what
    if what is None:
        return RawRow(place=entry.line.place, refused=Reason.LINE_NOT_READ, about=told)
    return RawRow(
        place=entry.line.place,
        names=(name,),
        value=what.value,
        unit=what.unit,
        ranges=(RawRange(text=what.range),) if what.range else (),
        flag=what.flag,
        section=section,
        about=told,
    )


def _slip(reason: Reason, rest: str) -> Reason:
    """Tell a number with letters in it (l4.2) from a line that is laid out in another way."""
    first = rest.split(maxsplit=1)[0]
    slip = re.fullmatch(r"[0-9OoIlSBZ|.,]+", first) and not re.fullmatch(NUMBER, first)
    return Reason.NOT_A_NUMBER if slip else reason


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
