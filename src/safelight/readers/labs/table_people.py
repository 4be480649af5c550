"""Whose the lines of a table are, as its columns say: names and numbers of persons, sex and age."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from safelight.readers.labs.model import Person
from safelight.readers.labs.owners import BARE_NAMES
from safelight.readers.labs.people import Birth, given, sexes
from safelight.readers.labs.specimen import name_key

__all__ = ["Which", "cell_of", "columns"]

_Lines = Sequence[Sequence[str]]
_LOOK_AT: Final = 40  # lines below the headers
_APART: Final = 2  # years: two ages of two people


def cell_of(line: Sequence[str], roles: Mapping[str, int], role: str) -> str:
    """Return what stands in the column of a role, nothing where there is none."""
    column = roles.get(role)
    return line[column] if column is not None and column < len(line) else ""


def columns(
    lines: _Lines, at: int, by: Sequence[str], is_test: Callable[[str], bool]
) -> tuple[list[int], list[int], list[int]]:
    """Return the columns that tell persons, the one with names of tests, and other names.

    ``Name`` is a person's where another column holds the tests, or one name has several codes.

    Args:
        lines: Of the table.
        at: Which of them is the line of headers.
        by: The role of each of its columns.
        is_test: Tells whether a cell names a test that is known.
    """
    below = lines[at + 1 : at + 1 + _LOOK_AT]
    persons = [column for column, role in enumerate(by) if role == "person"]
    names = [column for column, role in enumerate(by) if role == "name"]
    tests = {c: sum(is_test(row[c]) for row in below if c < len(row) and row[c]) for c in names}
    first = max(names, key=tests.__getitem__, default=None)
    code = by.index("code") if "code" in by else None
    for column in [c for c in names if not tests[c] and name_key(lines[at][c]) in BARE_NAMES]:
        if column != first or (code is not None and _several(below, column, code)):
            names.remove(column)
            persons.append(column)
    others = [column for column in names if column != first]
    return sorted(persons), [column for column in names if column == first], others


def _several(lines: _Lines, name: int, code: int) -> bool:
    """Tell whether one name stands beside several codes."""
    codes: dict[str, set[str]] = {}
    for line in lines:
        if max(name, code) < len(line) and line[name]:
            codes.setdefault(line[name], set()).add(line[code])
    return any(len(found - {""}) > 1 for found in codes.values())


@dataclass(frozen=True, slots=True)
class Which:
    """What the columns of a table say of the person of each line."""

    roles: Mapping[str, int]
    persons: tuple[int, ...]
    sexes: Mapping[str, str]

    @classmethod
    def of(
        cls, lines: _Lines, at: int, roles: Mapping[str, int], persons: Iterable[int]
    ) -> "Which":
        """Return it for the lines below the headers in ``lines[at]``."""
        below = lines[at + 1 :]
        own = tuple(column for column in persons if not _numbers(lines[at], below, column))
        head = cell_of(lines[at], roles, "sex")
        return cls(roles, own, sexes(head, {cell_of(line, roles, "sex") for line in below}))

    def who(self, line: Sequence[str]) -> tuple[str, ...]:
        """Return what tells the person of a line from others; two sexes are two people."""
        named = tuple(line[c] if c < len(line) else "" for c in self.persons)
        both = set(self.sexes.values()) >= {"F", "M"}
        return (*named, self.sexes.get(cell_of(line, self.roles, "sex"), "")) if both else named

    def about(self, line: Sequence[str], told: Person) -> Person:
        """Return sex and age, as told or else as the line says; a conflict is not known."""
        sex = self.sexes.get(cell_of(line, self.roles, "sex"), "")
        both = given(Birth(sex=sex), None, told)
        age = _age(cell_of(line, self.roles, "age"))
        if told.age is not None and age is not None and abs(told.age - age) >= _APART:
            return Person(sex=both.sex, trimester=both.trimester)
        return Person(
            sex=both.sex, age=age if told.age is None else both.age, trimester=both.trimester
        )


def _numbers(head: Sequence[str], below: _Lines, column: int) -> bool:
    """Tell whether a column called ``id`` numbers the lines and not the persons."""
    if name_key(head[column]) != "id":
        return False
    every = [line[column] for line in below if column < len(line) and line[column]]
    return len(every) > 1 and len(set(every)) == len(every)


def _age(text: str) -> Fraction | None:
    bare = text.strip().replace(",", ".")
    return Fraction(bare) if re.fullmatch(r"\d{1,3}(?:\.\d{1,3})?", bare) else None
