"""Reference populations: whom a cohort should resemble, from one's own table or a packaged one.

Packaged: United Nations, Department of Economic and Social Affairs, Population Division (2019),
World Population Prospects 2019, medium variant for 2025, by country or area, sex and five-year age
group. (c) United Nations, CC BY 3.0 IGO. Made by ``scripts/make_population.py``.
"""

import csv
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from itertools import pairwise
from typing import Any, Final

from safelight.errors import SettingsError

__all__ = ["DIMENSIONS", "Cell", "Reference", "band"]

DIMENSIONS: Final = ("age", "sex", "region", "device")
_FILE: Final = "wpp2019-2025.csv"
_SOURCE: Final = (
    "United Nations, World Population Prospects 2019, medium variant, 2025 (CC BY 3.0 IGO)"
)
_BAND: Final = re.compile(r"(\d{1,3})(?:-(\d{1,3})|(\+))?")
_MAX_ROWS: Final = 100_000
_OLDEST: Final = 150


@dataclass(frozen=True, slots=True)
class Cell:
    """One line of a table: so many people of one kind; empty or (0, 150) where not told apart."""

    first: int
    last: int
    sex: str
    region: str
    device: str
    count: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """A population.

    Attributes:
        name: What it is, for a person.
        source: Where its numbers are from.
        told: By which of ``DIMENSIONS`` it tells people apart.
        cells: Its table.
    """

    name: str
    source: str
    told: frozenset[str]
    cells: tuple[Cell, ...]

    @classmethod
    def packaged(cls, area: str = "World") -> "Reference":
        """Return a packaged population.

        Args:
            area: Name, two-letter or three-digit code (ISO 3166) of a country, or the name of a
                region; ``World`` is told apart by country as well.

        Raises:
            SettingsError: There is none of that name.
        """
        wanted = area.strip().casefold().lstrip("0")
        rows = [row for row in _table() if wanted in _names(row)]
        if not rows:
            raise SettingsError(
                f"there is no packaged population of {area[:60]!r}",
                todo="give a country's ISO 3166 code, World, or a table of your own",
            )
        title, told = rows[0]["name"], {"age", "sex"}
        if title == "World":
            rows = [row for row in _table() if row["alpha2"]]
            told.add("region")
        cells = [
            Cell(*band(name), row["sex"], row["alpha2"] if "region" in told else "", "", float(n))
            for row in rows
            for name, n in row.items()
            if name[0].isdigit()
        ]
        return cls(name=title, source=_SOURCE, told=frozenset(told), cells=tuple(cells))

    @classmethod
    def from_rows(
        cls, rows: Iterable[Mapping[str, Any]], *, name: str, source: str = "given by the user"
    ) -> "Reference":
        """Return the population of a table: ``count`` and any of age, sex, region and device.

        Args:
            rows: Lines by column; an age is a band such as ``40-44``, ``90+`` or one year.
            name: What it is.
            source: Where it is from.

        Raises:
            SettingsError: A line cannot be read, or the bands of ages overlap.
        """
        cells: list[Cell] = []
        told: set[str] = set()
        for number, row in enumerate(rows, 2):
            if number > _MAX_ROWS:
                raise SettingsError(f"a reference has at most {_MAX_ROWS} lines")
            given = {key.strip().lower(): str(value or "").strip() for key, value in row.items()}
            try:
                count = float(given["count"])
                first, last = band(given["age"]) if given.get("age") else (0, _OLDEST)
            except (KeyError, ValueError) as error:
                raise SettingsError(
                    "a line of the reference needs a count and a band of ages",
                    place=f"line {number}",
                ) from error
            if not 0 <= count < float("inf"):
                raise SettingsError("a count is 0 or more", place=f"line {number}")
            told |= {one for one in DIMENSIONS if given.get(one)}
            places = (
                given.get("sex", "").upper(),
                given.get("region", ""),
                given.get("device", ""),
            )
            cells.append(Cell(first, last, *places, count))
        made = cls(name=name, source=source, told=frozenset(told), cells=tuple(cells))
        made.check()
        return made

    @classmethod
    def from_csv(cls, path: str) -> "Reference":
        """Return the population of a CSV file; see ``from_rows``.

        Raises:
            SettingsError: It cannot be read.
        """
        try:
            with open(path, encoding="utf-8-sig", newline="") as file:
                return cls.from_rows(csv.DictReader(file, restkey="more"), name="your table")
        except (OSError, UnicodeDecodeError, csv.Error) as error:
            raise SettingsError(f"the reference cannot be read ({type(error).__name__})") from error

    def check(self) -> None:
        """Refuse a table that cannot be a population.

        Raises:
            SettingsError: It is empty, tells nothing apart, or its bands of ages overlap.
        """
        if not self.told or self.total <= 0:
            raise SettingsError("the reference is empty, or tells nobody apart")
        ends = sorted({(cell.first, cell.last) for cell in self.cells})
        if any(one[1] >= other[0] for one, other in pairwise(ends)):
            raise SettingsError("bands of ages overlap in the reference")

    @property
    def total(self) -> float:
        """How many people."""
        return sum(cell.count for cell in self.cells)

    def within(self, *, sex: str = "", ages: tuple[int, int] | None = None) -> "Reference":
        """Return a part of the population, such as those invited to a screening.

        Args:
            sex: ``F`` or ``M``; empty for all.
            ages: First and last year; must not cut a band of the table.

        Raises:
            SettingsError: Nobody is in it, or a band is cut.
        """
        cells = [cell for cell in self.cells if not sex or cell.sex == sex]
        if ages:
            first, last = ages
            cells = [cell for cell in cells if cell.first <= last and cell.last >= first]
            if any(cell.first < first or cell.last > last for cell in cells):
                raise SettingsError("the ages cut through a band of the reference")
        told = self.told - ({"sex"} if sex else set())
        made = Reference(
            name=self.name, source=self.source, told=frozenset(told), cells=tuple(cells)
        )
        made.check()
        return made


def band(text: str) -> tuple[int, int]:
    """Return the first and last year of a band.

    Raises:
        ValueError: It is none.
    """
    match = _BAND.fullmatch(text.replace("\u2013", "-").replace(" ", ""))
    if match is None:
        raise ValueError("not a band of ages")
    first = int(match[1])
    last = _OLDEST if match[3] else int(match[2] or match[1])
    if not first <= last <= _OLDEST:
        raise ValueError("not a band of ages")
    return first, last


def _names(row: Mapping[str, str]) -> set[str]:
    return {row["name"].casefold(), row["code"], row["alpha2"].casefold()} - {""}


@cache
def _table() -> tuple[dict[str, str], ...]:
    place = resources.files("safelight.learning") / "data" / _FILE
    return tuple(csv.DictReader(place.read_text(encoding="utf-8").splitlines()))
