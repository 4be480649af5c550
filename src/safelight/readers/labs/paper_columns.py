"""Columns of a printed table: whether a number stands where results stand.

A number alone on its line may be of a column of former results, and a bound alone (``< 5``) may be
the range of a result that is not there. The headers of the table tell, or where the other lines
have their results; a line that neither tells is refused.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from safelight.readers.labs.paper_lines import Line, Span
from safelight.readers.labs.paper_parse import Parsed, tokens
from safelight.readers.labs.table_in import role_of

__all__ = ["Entry", "certain"]

_LONGEST: Final = 4  # words of a header
_TABLE: Final = {"name", "value", "unit", "range", "low", "high", "flag"}
_LEAST: Final = 2  # headers of a table; columns of results that make it unclear which is meant
_DATE: Final = re.compile(r"\d{1,4}[./-]\d{1,2}[./-]\d{2,4}(?: \d{1,2}:\d{2})?|\d{1,2}/\d{4}")
_OTHER: Final = ""  # role of a header that is not known: perhaps of former results


@dataclass(frozen=True, slots=True)
class Entry:
    """A line that names a test.

    Attributes:
        start: Where in the text of the line ``rest``, what stands behind the name, starts.
        what: What was read of it; None where that failed.
    """

    line: Line
    start: int
    rest: str
    what: Parsed | None

    @property
    def span(self) -> Span | None:
        """Return where its value stands."""
        if self.what is None:
            return None
        return self.line.span(self.start + self.what.at[0], self.start + self.what.at[1])

    @property
    def range_span(self) -> Span | None:
        """Return where its range stands."""
        if self.what is None or self.what.range_at is None:
            return None
        return self.line.span(*(self.start + each for each in self.what.range_at))

    @property
    def own_cell(self) -> bool:
        """Tell whether the value starts a cell, as in a table."""
        return self.what is not None and self.line.starts_cell(self.start + self.what.at[0])


@dataclass(frozen=True, slots=True)
class _Head:
    role: str
    span: Span


def _heads(line: Line) -> list[_Head]:
    """Return the headers on a line; nothing where it is no line of headers."""
    out: list[_Head] = []
    cells = line.spans()
    at = 0
    while at < len(cells):
        for end in range(min(at + _LONGEST, len(cells)), at, -1):  # a wide space may part a header
            if role := role_of(" ".join(cell for cell, _ in cells[at:end])):
                out.append(_Head(role, (cells[at][1][0], cells[end - 1][1][1])))
                at = end
                break
        else:
            out += _split(line, *cells[at]) or [_Head(_OTHER, cells[at][1])]
            at += 1
    known = [each for each in out if each.role in _TABLE]
    return out if len(known) >= _LEAST else []


def _dates(line: Line) -> list[_Head]:
    """Return the dates on a line of several: headers of results of these days."""
    out = [_Head(_OTHER, span) for cell, span in line.spans() if _DATE.fullmatch(cell)]
    return out if len(out) >= _LEAST else []


def _split(line: Line, cell: str, span: Span) -> list[_Head]:
    """Return the headers in a cell: nothing but such, or that of results and others behind it."""
    words = cell.split(" ")
    start = next(at for at in range(len(line.at)) if line.at[at][0] == span[0])
    out: list[_Head] = []
    at = 0
    while at < len(words):
        for end in range(min(at + _LONGEST, len(words)), at, -1):
            text = " ".join(words[at:end])
            if role := role_of(text):
                place = line.span(start, start + len(text))
                out += [_Head(role, place)] if place else []
                start += len(text) + 1
                at = end
                break
        else:
            if not any(each.role == "value" for each in out):
                return []
            place = line.span(start, start + len(words[at]))  # "Result Previous" in one cell
            out += [_Head(_OTHER, place)] if place else []
            start += len(words[at]) + 1
            at += 1
    return out


def _meet(one: Span, other: Span) -> bool:
    return one[0] < other[1] and other[0] < one[1]


def _under(value: Span, heads: Sequence[_Head], *, bound: bool) -> bool | None:
    """Tell whether a value stands under the header of results; None where that does not show."""
    rivals = {_OTHER, "when", "low", "high"} | ({"range"} if bound else set())
    over = [each for each in heads[1:] if _meet(value, each.span)]
    if any(each.role in rivals for each in over):
        return False
    if any(each.role == "value" for each in over):
        return True
    if over:
        return None
    left = [each for each in heads if each.span[1] <= value[0]][-1:]
    right = [each for each in heads if each.span[0] >= value[1]][:1]
    beside = [each.role for each in (*left, *right) if each is not heads[0]]
    if "value" not in beside:
        return False if any(role in rivals for role in beside) else None
    return not any(role in rivals for role in beside)


def _several(entries: Sequence[Entry]) -> list[list[Span]]:
    """Return where numbers stand on lines with more than one that could be the result."""
    out: list[list[Span]] = []
    for entry in entries:
        own = [
            place
            for each in tokens(entry.rest)
            if each.kind == "number" and entry.line.starts_cell(entry.start + each.start)
            if (place := entry.line.span(entry.start + each.start, entry.start + each.end))
        ]
        if len(own) >= _LEAST:
            out.append(own)
    return out


def certain(lines: Sequence[Line], entries: Sequence[Entry]) -> set[Line]:
    """Return the lines of which the value certainly stands where results stand.

    Args:
        lines: All lines of the document, in their order.
        entries: Those that name a test.
    """
    tables: list[tuple[list[_Head], list[Entry]]] = [([], [])]
    by_line = {id(each.line): each for each in entries}
    for line in lines:
        entry = by_line.get(id(line))
        if entry is not None:
            tables[-1][1].append(entry)
        elif heads := _heads(line):
            tables.append((heads, []))
        elif dates := _dates(line):
            old = tables[-1][0] or [_Head("name", line.at[0])]
            tables.append((sorted([*old, *dates], key=lambda each: each.span[0]), []))
    out: set[Line] = set()
    for heads, found in tables:
        out |= _of_table(heads, found)
    return out


def _of_table(heads: Sequence[_Head], entries: Sequence[Entry]) -> set[Line]:
    read = [(each, each.what, each.span) for each in entries if each.what is not None]
    placed = [span for each, what, span in read if span and each.own_cell and not what.bound]
    title = next((each.span for each in heads if each.role == "value"), None)
    others = [each.span for each in heads[1:] if each.role in {_OTHER, "when"}]
    many = _several(entries)
    under = {
        each.line: _under(span, heads, bound=what.bound) if title and span else None
        for each, what, span in read
    }
    if many or (title is None and len(others) >= _LEAST):
        if title is None or any(sum(_meet(title, one) for one in own) > 1 for own in many):
            return set()  # which column holds the results does not show
        return {
            each.line for each, _, span in read if span and _meet(span, title) and under[each.line]
        }
    sure = [span for each, _, span in read if under[each.line] and span]
    out: set[Line] = set()
    for each, what, span in read:
        told = under[each.line]
        printed = each.range_span
        if printed and any(_meet(printed, other) for other in others):
            continue  # what looks like its range is a former result
        if told is None and span is not None and sure:
            told = any(_meet(span, other) for other in sure)
        elif told is None and span is not None and placed and (each.own_cell or what.bound):
            alike = sum(_meet(span, other) for other in placed)
            told = alike * 2 > len(placed)
        elif told is None:
            told = what.before_unit or not what.bound
        if told:
            out.add(each.line)
    return out
