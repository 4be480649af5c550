"""CSV in: one result a line, or one sample a line with a column for each test.

Delimiter, encoding and headers (English, German, French, Spanish) are told from the text. Columns
that are not known are not read at all; a person's column only tells one person from another.
"""

import csv
import io
import re
import tomllib
from collections.abc import Sequence
from datetime import datetime
from fractions import Fraction
from functools import cache
from importlib import resources
from typing import Final

from safelight.errors import UnreadableInputError
from safelight.readers.labs import analytes
from safelight.readers.labs.model import Person, RawRange, RawRow, Reason
from safelight.readers.labs.people import Birth, given, moment, sex_of

__all__ = ["read", "role_of"]


@cache
def _roles() -> dict[str, str]:
    """Return header to role."""
    text = (resources.files(__package__) / "data" / "headers.toml").read_text("utf-8")
    return {
        analytes.name_key(word): role
        for role, words in tomllib.loads(text).items()
        for word in words
    }


_ROWS: Final = 200_000
_WIDE_FROM: Final = 2  # tests in a header line
_COLUMNS: Final = 500
_LOOK_AT: Final = 40  # lines before the header: letterheads
_UNIT_IN_HEAD: Final = re.compile(r"^(.*?)\s*(?:\(([^()]*)\)|\[([^\[\]]*)\])\s*$")


def role_of(head: str) -> str:
    """Return the role that a column's header gives it, or nothing."""
    return _roles().get(analytes.name_key(head), "")


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


def _header(lines: Sequence[Sequence[str]]) -> tuple[int, dict[str, int]] | None:
    """Return the line that holds the headers, and the column of each role.

    Raises:
        UnreadableInputError: Two columns claim to hold the result.
    """
    for at, line in enumerate(lines[:_LOOK_AT]):
        roles: dict[str, int] = {}
        twice = set()
        for column, cell in enumerate(line):
            role = role_of(cell)
            if role and role in roles:
                twice.add(role)
            elif role:
                roles[role] = column
        if "value" in roles and ({"name", "code"} & set(roles)):
            if twice & {"value", "unit", "low", "high", "range", "code"}:
                raise UnreadableInputError(
                    "two columns have the same meaning", place=f"line {at + 1}"
                )
            return at, roles
    return None


def _wide(lines: Sequence[Sequence[str]]) -> tuple[int, dict[int, tuple[str, str]]] | None:
    """Return the header line of a table with a column for each test: column to name and unit."""
    for at, line in enumerate(lines[:_LOOK_AT]):
        found: dict[int, tuple[str, str]] = {}
        for column, cell in enumerate(line):
            head = _UNIT_IN_HEAD.match(cell)
            name, unit = (head[1], head[2] or head[3]) if head else (cell, "")
            known = analytes.by_name([name], unit)
            if known in analytes.table() or known in {Reason.NO_UNIT, Reason.AMBIGUOUS_ANALYTE}:
                found[column] = (name, unit)
        if len(found) >= _WIDE_FROM:
            return at, found
    return None


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
        long = _header(lines)
        if long:
            return _long_rows(lines, *long, told)
        wide = _wide(lines)
        if wide:
            return _wide_rows(lines, *wide, told)
    if failed is not None:
        raise failed
    raise UnreadableInputError(
        "no line of headers was found (a name and a result, or names of tests)",
        todo="name the columns: test, value, unit, range",
    )


def _age(text: str) -> Fraction | None:
    bare = text.strip().replace(",", ".")
    return Fraction(bare) if re.fullmatch(r"\d{1,3}(?:\.\d{1,3})?", bare) else None


def _about(line: Sequence[str], roles: dict[str, int], told: Person) -> Person:
    def cell(role: str) -> str:
        column = roles.get(role)
        return line[column] if column is not None and column < len(line) else ""

    both = given(Birth(sex=sex_of(cell("sex"))), None, told)
    age = _age(cell("age"))
    if told.age is not None and age is not None and abs(told.age - age) >= 2:  # noqa: PLR2004  # years
        return Person(sex=both.sex, trimester=both.trimester)
    known = age if told.age is None else both.age
    return Person(sex=both.sex, age=known, trimester=both.trimester)


def _long_rows(
    lines: Sequence[Sequence[str]], head: int, roles: dict[str, int], told: Person
) -> tuple[list[RawRow], int]:
    people: dict[str, int] = {}
    rows: list[RawRow] = []
    skipped = head
    section = ""
    for at, line in enumerate(lines[head + 1 :], start=head + 2):
        cells = {role: line[column] if column < len(line) else "" for role, column in roles.items()}
        name, code = cells.get("name", ""), cells.get("code", "")
        if not cells.get("value") and not cells.get("unit"):
            section = name or section  # a heading between lines
            skipped += 1
            continue
        when: datetime | None = moment(cells.get("when", ""))
        rows.append(
            RawRow(
                place=f"line {at}",
                person=people.setdefault(cells.get("person", ""), len(people) + 1),
                group=cells.get("when", ""),
                when=when,
                codes=(code,) if code else (),
                names=(name,) if name else (),
                value=cells.get("value", ""),
                unit=cells.get("unit", ""),
                ranges=_ranges(cells),
                flag=cells.get("flag", ""),
                specimen=cells.get("specimen", ""),
                section=section,
                refused=Reason.MALFORMED if len(line) > len(lines[head]) else None,
                about=_about(line, roles, told),
            )
        )
    return rows, skipped


def _ranges(cells: dict[str, str]) -> tuple[RawRange, ...]:
    low, high, text = cells.get("low", ""), cells.get("high", ""), cells.get("range", "")
    if low or high:
        return (RawRange(text=text, low=low, high=high),)
    return (RawRange(text=text),) if text else ()


def _wide_rows(
    lines: Sequence[Sequence[str]], head: int, columns: dict[int, tuple[str, str]], told: Person
) -> tuple[list[RawRow], int]:
    roles = {
        role: column
        for column, cell in enumerate(lines[head])
        if column not in columns and (role := role_of(cell)) in {"person", "sex", "age", "when"}
    }
    people: dict[str, int] = {}
    rows: list[RawRow] = []
    for at, line in enumerate(lines[head + 1 :], start=head + 2):
        who = (
            line[roles["person"]] if "person" in roles and roles["person"] < len(line) else f"{at}"
        )
        clock = line[roles["when"]] if "when" in roles and roles["when"] < len(line) else ""
        person = people.setdefault(who, len(people) + 1)
        rows += [
            RawRow(
                place=f"line {at} column {column + 1}",
                person=person,
                group=f"{at}",
                when=moment(clock),
                names=(name,),
                value=line[column],
                unit=unit,
                refused=Reason.MALFORMED if len(line) > len(lines[head]) else None,
                about=_about(line, roles, told),
            )
            for column, (name, unit) in columns.items()
            if column < len(line) and line[column]
        ]
    return rows, head
