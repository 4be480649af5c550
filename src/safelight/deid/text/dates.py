"""The person's own dates in every order and writing, with any signs between the parts."""

# ruff: noqa: RUF001 - month names of other scripts are what this module is about

import re
from collections.abc import Iterable
from typing import Final

from safelight.deid.text import vocabulary
from safelight.deid.text.fold import digits, fold_text, words

__all__ = ["Dates"]

_SEGMENT: Final = re.compile(r"[^\W\d_]+|\d+")
#: Stand between the parts and mean nothing: ``2nd of January``, ``year 1955 month 1 day 2``.
_FILLERS: Final = words(
    "st nd rd th of the de del di du do da d m y day month year tag monat jahr jour mois annee"
)
_ROMAN: Final = ("i", "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix", "x", "xi", "xii")
#: How the names of the months begin, folded: of January, of February, ...
_MONTHS: Final = [
    tuple(line.split())
    for line in (
        "jan gen ener led sty янв ιαν",
        "feb fev lut helmi фев φεβ",
        "mar maer mrt brez maal мар μαρ",
        "apr avr abr dub kwi huhti апр απρ",
        "may mai maj mei mag kve touko маи мая μαι",
        "jun jui giu cerv czer kesa июн ιουν",
        "jul jui lug cerv lip heina июл ιουλ",
        "aug aou ago srp sie elo авг αυγ",
        "sep set zar wrz syys сен σεπ",
        "oct okt ott out rij paz loka окт οκτ",
        "nov lis marras ноя νοε",
        "dec dez dic des pros gru joulu дек δεκ",
    )
]
_DIGITS: Final = frozenset("0123456789")
_GAP: Final = 3
_NAME: Final = 3  # letters of the shortest month name
_PARTS: Final = 3
_YEAR: Final = 4
_PAIR: Final = 2
_SHORT_PAIR: Final = 6  # digits: a short year beside month and day in one
#: Years that count from another beginning: the Buddhist year.
_OTHER_ERAS: Final = (543,)
_TOLD: Final = frozenset("./-")  # signs beside which a Roman month may go with a short year


class Dates:
    """Finds the dates of one person, written with up to three signs between their parts.

    Args:
        dates: Each as ``YYYYMMDD``, in ASCII.
    """

    __slots__ = ("_firsts", "_glued", "_marks", "_months", "_numbers", "_roman")

    def __init__(self, dates: Iterable[str]) -> None:
        marks: set[str] = set()
        self._numbers: set[tuple[str, str, str]] = set()
        self._glued: set[tuple[str, str]] = set()
        self._months: dict[tuple[str, str], list[tuple[str, ...]]] = {}
        self._roman: set[tuple[str, str, str]] = set()
        for date in dates:
            year, month, day = date[:4], date[4:6], date[6:8]
            if not 1 <= int(month) <= len(_MONTHS):
                continue
            years = [year, *(f"{int(year) + more:04}" for more in _OTHER_ERAS)]
            marks |= {year[2:], *years[1:]}
            for full in years:
                self._add(full, month, day)
            self._add_short(year[2:], month, day)
        self._marks = tuple(sorted(marks))
        rows = (*self._numbers, *self._glued, *self._months, *self._roman)
        self._firsts = {row[0] for row in rows}

    def __bool__(self) -> bool:
        return bool(self._marks)

    def within(self, text: str) -> bool:
        """Tell whether the text may hold a date: a year of one stands in it (digits as ASCII)."""
        return any(mark in text for mark in self._marks)

    def find(self, text: str) -> list[tuple[int, int]]:
        """Return where the dates stand, as ranges of the text."""
        shown = text.lower() if text.isascii() else digits(text)
        if not self.within(shown):
            return []
        parts = [(match.start(), match.end(), match[0]) for match in _SEGMENT.finditer(shown)]
        if not text.isascii():
            parts = [(start, stop, fold_text(word)) for start, stop, word in parts]
        out: list[tuple[int, int]] = []
        for at in range(len(parts) - 1):
            word = parts[at][2]
            if word not in self._firsts if word[:1] in _DIGITS else not _before_day(parts, at):
                continue
            row = _row(parts, at)
            for size in (_PARTS, _PAIR):
                if len(row) >= size and self._is_date(shown, row[:size]):
                    out.append((row[0][0], row[size - 1][1]))
                    break
        return out

    def _is_date(self, text: str, row: list[tuple[int, int, str]]) -> bool:
        if len(row) == _PAIR:
            first, second = row[0][2], row[1][2]
            if (first, second) not in self._glued:
                return False
            decimal = text[row[0][1] : row[1][0]] in {".", ","}
            return not decimal or len(first) + len(second) > _SHORT_PAIR
        return self._is_triple(text, row)

    def _is_triple(self, text: str, row: list[tuple[int, int, str]]) -> bool:
        one, two, three = (part[2] for part in row)
        if (one, two, three) in self._numbers:
            return True
        if one.isdecimal() and three.isdecimal() and not two.isdecimal():
            if (one, two, three) in self._roman:
                full = _YEAR in {len(one), len(three)}
                return full or text[row[1][1] : row[1][1] + 1] in _TOLD
            return self._named(two, one, three)
        if two.isdecimal() and three.isdecimal() and not one.isdecimal():
            return self._named(one, two, three)
        return False

    def _named(self, name: str, one: str, two: str) -> bool:
        """Tell whether a word beside a day and a year is the month, or a month unheard of."""
        starts = self._months.get((one, two))
        if starts is None or len(name) < _NAME:
            return False
        for start in starts:
            if name.startswith(start):
                return True
        return len(two) == _YEAR and not vocabulary.listed(name)

    def _add(self, year: str, month: str, day: str) -> None:
        """Take one date with its full year."""
        for m in {month, month.lstrip("0")}:
            for d in {day, day.lstrip("0")}:
                self._numbers |= {(year, m, d), (year, d, m), (d, m, year), (m, d, year)}
        for pair in (month + day, day + month):
            self._glued |= {(year, pair), (pair, year)}
        self._glued |= {(year + month, day), (month, day + year)}
        self._glued |= {(day, month + year), (day + month, year)}
        self._add_named(year, month, day)

    def _add_short(self, year: str, month: str, day: str) -> None:
        """Take one date with a year of two digits: all parts of two digits, and not all alike."""
        if len({year, month, day}) > 1:
            self._numbers |= {(year, month, day), (day, month, year), (month, day, year)}
        for pair in (month + day, day + month):
            self._glued |= {(year, pair), (pair, year)}
        self._add_named(year, month, day)

    def _add_named(self, year: str, month: str, day: str) -> None:
        starts = _MONTHS[int(month) - 1]
        roman = _ROMAN[int(month) - 1]
        for d in {day, day.lstrip("0")}:
            for pair in ((d, year), (year, d)):
                self._months.setdefault(pair, []).append(starts)
            self._roman |= {(d, roman, year), (year, roman, d)}


def _before_day(parts: list[tuple[int, int, str]], at: int) -> bool:
    """Tell whether a word may be a month before its day: a number follows."""
    word, after = parts[at][2], parts[at + 1][2]
    return len(word) >= _NAME and (after in _FILLERS or after[:1] in _DIGITS)


def _row(parts: list[tuple[int, int, str]], at: int) -> list[tuple[int, int, str]]:
    """Return up to three parts from a place on, fillers left out, with few signs between."""
    row = [parts[at]]
    stop = parts[at][1]
    for part in parts[at + 1 : at + 2 * _PARTS + 1]:
        if part[0] - stop > _GAP:
            break
        stop = part[1]
        if part[2] not in _FILLERS:
            row.append(part)
            if len(row) == _PARTS:
                break
    return row
