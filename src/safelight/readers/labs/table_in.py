"""CSV in: one result a line, or one sample a line with a column for each test.

Delimiter, encoding and headers (English, German, French, Spanish) are told from the text. Columns
that are not known are only looked at for the name of another specimen; a person's column only tells
one person from another.
"""

import csv
import io
import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from importlib import resources
from typing import Final

from safelight.errors import UnreadableInputError
from safelight.readers.labs import analytes, owners, specimen
from safelight.readers.labs.model import Person, RawRange, RawRow, Reason
from safelight.readers.labs.people import moment
from safelight.readers.labs.specimen import name_key
from safelight.readers.labs.table_people import Which, cell_of
from safelight.readers.labs.table_people import columns as columns_of

__all__ = ["read", "role_of"]


@cache
def _roles() -> dict[str, str]:
    """Return header to role."""
    text = (resources.files(__package__) / "data" / "headers.toml").read_text("utf-8")
    return {name_key(word): role for role, words in tomllib.loads(text).items() for word in words}


_ROWS: Final = 200_000
_WIDE_FROM: Final = 2  # tests in a header line
_COLUMNS: Final = 500
_LOOK_AT: Final = 40  # lines before the header: letterheads
_UNIT_IN_HEAD: Final = re.compile(r"^(.*?)\s*(?:\(([^()]*)\)|\[([^\[\]]*)\])\s*$")


def role_of(head: str) -> str:
    """Return the role that a column's header gives it, or nothing."""
    key = name_key(head)
    known = _roles().get(key, "name" if key in owners.BARE_NAMES else "")
    return known or ("person" if owners.column_of_person(head) else "")


def decoded(data: bytes) -> str:
    """Return the text of a file.

    Raises:
        UnreadableInputError: It is no text.
    """
    if data[:2] in {b"\xff\xfe", b"\xfe\xff"}:
        codecs: tuple[str, ...] = ("utf-16",)
    else:
        codecs = ("utf-8-sig", "cp1252")
    for codec in codecs:
        try:
            text = data.decode(codec)
        except UnicodeDecodeError:
            continue
        if "\x00" not in text:
            return text
    raise UnreadableInputError("the file is no text that can be read")


def _lines(text: str, delimiter: str) -> list[list[str]]:
    """Return the cells of each line.

    Raises:
        UnreadableInputError: A quoted cell does not end, or the file is too large.
    """
    try:
        found = []
        for line in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True):
            found.append([cell.strip() for cell in line])
            if len(found) > _ROWS or len(line) > _COLUMNS:
                raise UnreadableInputError("the table has more lines or columns than are read")
    except csv.Error:
        raise UnreadableInputError("the table cannot be split into cells") from None
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class _Head:
    """A line of headers: the column of each role, and columns that only say what is around.

    All columns of ``persons`` together tell one person from another.
    """

    roles: Mapping[str, int]
    persons: tuple[int, ...]
    around: tuple[int, ...]
    width: int


def _header(lines: Sequence[Sequence[str]], at: int) -> _Head | None:
    """Return what a line of headers says, None where it is none.

    Raises:
        UnreadableInputError: Two columns claim to hold the result.
    """
    line = lines[at]
    roles: dict[str, int] = {}
    persons, names, around = columns_of(lines, at, [role_of(each) for each in line], _is_test)
    if names:
        roles["name"] = names[0]
    twice = set()
    for column, cell in enumerate(line):
        role = role_of(cell)
        if column in (*persons, *names) or column in around:
            continue
        if role == "panel" or (role in roles and role == "specimen"):
            around.append(column)
        elif role and role in roles:
            twice.add(role)
        elif role:
            roles[role] = column
        elif cell:
            around.append(column)
    if "value" not in roles or not {"name", "code"} & set(roles):
        return None
    if twice & {"value", "unit", "low", "high", "range", "code"}:
        raise UnreadableInputError("two columns have the same meaning", place=f"line {at + 1}")
    return _Head(roles=roles, persons=tuple(persons), around=tuple(sorted(around)), width=len(line))


def _is_head(line: Sequence[str]) -> bool:
    """Tell whether a line further down names columns anew."""
    roles = {role_of(cell) for cell in line if cell} - {""}
    return len(roles) > 1 and bool(roles & {"name", "code"})


def _wide(line: Sequence[str]) -> dict[int, tuple[str, str]] | None:
    """Return name and unit by column of a header with a column for each test, else None."""
    found: dict[int, tuple[str, str]] = {}
    for column, cell in enumerate(line):
        head = _UNIT_IN_HEAD.match(cell)
        name, unit = (head[1], head[2] or head[3]) if head else (cell, "")
        if _is_test(name, unit):
            found[column] = (name, unit)
    return found if len(found) >= _WIDE_FROM else None


def _is_test(name: str, unit: str = "") -> bool:
    known = analytes.by_name([name], unit)
    return known in analytes.table() or known in {Reason.NO_UNIT, Reason.AMBIGUOUS_ANALYTE}


def read(data: bytes, told: Person) -> tuple[list[RawRow], int]:
    """Return the lines of a table, and how many were empty.

    Raises:
        UnreadableInputError: No header is known, or the table cannot be split.
    """
    text = decoded(data)
    tries = sorted(";\t|,", key=lambda sign: -text.count(sign))
    failed: UnreadableInputError | None = None
    for delimiter in tries:
        if delimiter not in text:
            continue
        try:
            lines = _lines(text, delimiter)
        except UnreadableInputError as error:
            failed = error
            continue
        for at in range(min(len(lines), _LOOK_AT)):
            if head := _header(lines, at):
                return _long_rows(lines, at, head, told)
        for at, line in enumerate(lines[:_LOOK_AT]):
            if columns := _wide(line):
                return _wide_rows(lines, at, columns, told)
    if failed is not None:
        raise failed
    raise UnreadableInputError(
        "no line of headers was found (a name and a result, or names of tests)",
        todo="name the columns: test, value, unit, range",
    )


def _title(lines: Sequence[Sequence[str]]) -> str:
    """Return a line above the headers that says that all below is of another specimen."""
    for line in lines:
        cells = [cell for cell in line if cell]
        if len(cells) == 1 and specimen.blood(cells[0]) is False:
            return cells[0]
    return ""


@dataclass(slots=True)
class _Around:
    """What a table has said around its lines: headings, and cells that stand for those below."""

    section: str = ""
    last: dict[int, str] = field(default_factory=dict)

    def heading(self, name: str) -> None:
        """Take a heading; only one that says blood ends a part of another specimen."""
        if not name:
            return
        left = specimen.elsewhere(self.section, panel=True)
        if not left or specimen.turns_to_blood(name) or specimen.elsewhere(name, panel=True):
            self.section = name

    def of(self, line: Sequence[str], columns: Iterable[int]) -> tuple[str, ...]:
        """Return the cells of these columns; an empty one says what the last one above it did."""
        for column in columns:
            if column < len(line) and line[column]:
                self.last[column] = line[column]
        return tuple(self.last[column] for column in columns if column in self.last)


def _long_rows(
    lines: Sequence[Sequence[str]], at: int, head: _Head, told: Person
) -> tuple[list[RawRow], int]:
    people: dict[tuple[object, ...], int] = {}
    rows: list[RawRow] = []
    skipped = at
    around = _Around(section=_title(lines[:at]))
    everyone = owners.Owners()
    for line in lines[:at]:
        everyone.hear(owners.told(line, table=True))
    which = Which.of(lines, at, head.roles, head.persons)
    ended = False
    for number, line in enumerate(lines[at + 1 :], start=at + 2):
        place = f"line {number}"
        if _is_head(line):
            again = _header(lines, number - 1)
            head, ended, around.last = again or head, again is None, {}
            which = Which.of(lines, number - 1, head.roles, head.persons)
            skipped += 1
            continue
        cells = {role: cell_of(line, head.roles, role) for role in head.roles}
        name, code = cells.get("name", ""), cells.get("code", "")
        said = {} if _is_test(name) else owners.told(line, table=True)
        bare = bool(said) or not any(
            cells.get(role) for role in ("value", "unit", "low", "high", "range")
        )
        if ended or (bare and (not name or not _is_test(name))):
            if ended and any(line):  # columns of another meaning, of former results perhaps
                rows.append(RawRow(place=place, refused=Reason.LINE_NOT_READ, about=told))
                continue
            everyone.hear(said)
            around.heading(name or next((cell for cell in line if cell), ""))
            skipped += 1
            continue
        who = (everyone.person, *which.who(line))
        others = around.of(line, head.around)
        taken = around.of(line, [head.roles["specimen"]] if "specimen" in head.roles else [])
        when: datetime | None = moment(cells.get("when", ""))
        rows.append(
            RawRow(
                place=place,
                person=people.setdefault(who, len(people) + 1),
                group=cells.get("when", ""),
                when=when,
                codes=(code,) if code else (),
                names=(name,) if name else (),
                value=cells.get("value", ""),
                unit=cells.get("unit", ""),
                ranges=_ranges(cells),
                flag=cells.get("flag", ""),
                specimen=" ".join(taken),
                section=around.section,
                context=others,
                refused=Reason.MALFORMED if len(line) > head.width else None,
                about=which.about(line, told),
            )
        )
    return rows, skipped


def _ranges(cells: Mapping[str, str]) -> tuple[RawRange, ...]:
    low, high, text = cells.get("low", ""), cells.get("high", ""), cells.get("range", "")
    if low or high:
        return (RawRange(text=text, low=low, high=high),)
    return (RawRange(text=text),) if text else ()


_WIDE_ROLES: Final = {"sex", "age", "when", "specimen"}


def _wide_rows(
    lines: Sequence[Sequence[str]], head: int, columns: dict[int, tuple[str, str]], told: Person
) -> tuple[list[RawRow], int]:
    roles, persons, others = _beside(lines[head], columns)
    which = Which.of(lines, head, roles, persons)
    around = _Around(section=_title(lines[:head]))
    people: dict[tuple[str, ...], int] = {}
    rows: list[RawRow] = []
    skipped = head
    for at, line in enumerate(lines[head + 1 :], start=head + 2):
        cells = [line[column] for column in columns if column < len(line) and line[column]]
        if not cells:
            around.heading(next((cell for cell in line if cell), ""))
            skipped += 1
            continue
        if not any(map(str.isdigit, "".join(cells))) and (again := _wide(line)):
            columns, around.last = again, {}
            roles, persons, others = _beside(line, columns)
            which = Which.of(lines, at - 1, roles, persons)
            skipped += 1
            continue
        clock = cell_of(line, roles, "when")
        who = which.who(line) if persons else (f"{at}",)
        person = people.setdefault(who, len(people) + 1)
        context = around.of(line, others)
        taken = around.of(line, [roles["specimen"]] if "specimen" in roles else [])
        rows += [
            RawRow(
                place=f"line {at} column {column + 1}",
                person=person,
                group=f"{at}",
                when=moment(clock),
                names=(name,),
                value=line[column],
                unit=unit,
                specimen=" ".join(taken),
                section=around.section,
                context=context,
                refused=Reason.MALFORMED if len(line) > len(lines[head]) else None,
                about=which.about(line, told),
            )
            for column, (name, unit) in columns.items()
            if column < len(line) and line[column]
        ]
    return rows, skipped


def _beside(
    line: Sequence[str], columns: Mapping[int, object]
) -> tuple[dict[str, int], tuple[int, ...], tuple[int, ...]]:
    """Return the columns beside those of tests: by role, of persons, and what is around."""
    roles: dict[str, int] = {}
    persons: list[int] = []
    others: list[int] = []
    for column, cell in enumerate(line):
        role = role_of(cell)
        if column in columns:
            continue
        if role == "person" or name_key(cell) in owners.BARE_NAMES:
            persons.append(column)
        elif role in _WIDE_ROLES:
            roles[role] = column
        elif role == "panel" or (cell and not role):
            others.append(column)
    return roles, tuple(persons), tuple(others)
