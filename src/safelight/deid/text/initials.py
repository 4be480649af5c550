"""What is too short to go everywhere: initials, names of two letters, the number of a short ID."""

# ruff: noqa: RUF001 - signs of other scripts are what this module is about

import re
from collections.abc import Iterator
from typing import Final

from safelight.deid.text import vocabulary
from safelight.deid.text.fold import fold, segments, words

__all__ = ["LABELS", "find", "is_name", "with_digits"]

#: Words for an ID or for the one it belongs to.
LABELS: Final = words(
    """id ids no nr num nummer number numero mrn pid pat pats patient patients patientin patienten
    paziente paciente pt subject subj sub proband person case fall record chart ref"""
)

_BESIDE_YEAR: Final = re.compile(
    r"(?<![^\W_])(?P<letters>[^\W\d_]{2,4})[\s_./-]{0,2}['’]?(?P<year>\d{4}|\d\d)(?![^\W_])"
)
_DOTTED: Final = re.compile(
    r"(?<![^\W_])(?<!\w\.)(?:[^\W\d_]\.[\s-]?){1,3}[^\W\d_]\.?(?![^\W_])(?P<year>[\s_/-]{0,2}\d{4}(?!\d))?"
)
_BEFORE: Final = words(
    """patient patients pat pt mr mrs ms miss mister herr herrn frau mme mlle sr sra dr prof for
    name names signora senor senora dear subject"""
)
_YEAR: Final = 4


def find(text: str, initials: frozenset[str], days: frozenset[str]) -> Iterator[tuple[int, int]]:
    """Yield where initials stand with a dot after each, or beside the year of a date.

    Initials that are a known word too (``P.A.``) stay, but beside the whole year of a birth date.

    Args:
        text: Any.
        initials: Folded, two to four letters.
        days: The person's dates, eight digits each.
    """
    if "." in text:
        for match in _DOTTED.finditer(text):
            letters = "".join(filter(str.isalpha, fold(match.group())))
            joined = "-" in match.group()  # of a double name, ``A.-B.``
            if letters in initials and (joined or not vocabulary.listed(letters)):
                year = match["year"] or ""
                own = any(day.startswith(year[-_YEAR:]) for day in days)
                yield match.start(), match.end() - (0 if own else len(year))
    if any(day[2:_YEAR] in text for day in days):
        for match in _BESIDE_YEAR.finditer(text):
            letters = fold(match["letters"])
            if letters in initials and _is_year(match["year"], days, letters):
                yield match.start(), match.end()


def _is_year(digits: str, days: frozenset[str], letters: str) -> bool:
    """Tell whether digits beside initials are the year of one of the dates."""
    if len(digits) == _YEAR:
        known = vocabulary.listed(letters) == vocabulary.STRONG
        return not known and any(day.startswith(digits) for day in days)
    return not vocabulary.listed(letters) and any(day[2:_YEAR] == digits for day in days)


def with_digits(
    word: str, labelled: frozenset[str], initials: frozenset[str], days: frozenset[str]
) -> bool:
    """Tell whether a folded word is a label with its ID (``mrn4471``) or initials with a year.

    Args:
        word: Letters and digits.
        labelled: Numbers of short IDs.
        initials: As in ``find``.
        days: As in ``find``.
    """
    parts = segments(word)
    if len(parts) != 2:  # noqa: PLR2004 - letters, digits
        return False
    letters, digits = parts
    if letters in LABELS:
        return digits in labelled
    return letters in initials and _is_year(digits, days, letters)


def is_name(run: str, after: str, before: str) -> bool:
    """Tell whether a word of two letters, which is a part of the name, stands there as one.

    Args:
        run: As it is written.
        after: The two characters after it.
        before: The folded word before it.
    """
    name = run.partition("'")[0].istitle() and not any(char.isdecimal() for char in after)
    return name or before in _BEFORE
