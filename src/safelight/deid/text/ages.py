"""Ages over 89, in digits of every script, in words and in months."""

# ruff: noqa: RUF001 - letters and signs of other scripts are what this module is about

import functools
import re
from collections.abc import Iterator
from typing import Final

from safelight.deid.text import vocabulary
from safelight.deid.text.fold import digits, runs, words

__all__ = ["ages", "calls", "old"]

_BEFORE: Final = r"(?:(?<![^\W_])|(?<=(?<![^\W_])[fm]))(?<!\.)(?<!\d,)"  # ``F92 y`` too
_NUMBER: Final = r"0{0,2}(?:9\d|1[0-4]\d)"
#: Without the round numbers, in which energies, minutes and lengths are told.
_UNEVEN: Final = r"(?:9[1-9]|10[1-9])"
_LESS: Final = r"(?:9\d|10\d)"
_UNITS: Final = (
    r"y(?:rs?|ears?|s|o|/o|\.o\.?)?(?:[\s-]?old)?|ans?|ann[ée]es?|jahren?|j[aä]e?hrig\w*|j\."
    r"|a[nñ]os|anni|jaar|jarige?|år\w*|aars?|ára?|vuot\w*|let|letn\w*|lata|rok[ůyi]|éves|yaş\w*"
    r"|godin\w*|(?:de\s)?ani|tahun|tuổi|лет\w*|год\w*|рок[иі]|років|ετ[ώω]ν|ετους|χρον[ώω]ν"
    r"|سنة|سنوات|سنين|عام\w*|שנה|שנים|שנות|साल|वर्ष"
)
_TEENS: Final = (
    "one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fourteen|fifteen"
)
_WORDS: Final = (
    rf"(?:ninety(?:[\s-]?(?:{_TEENS}))?"
    rf"|(?:(?:a|one)[\s-])?hundred(?:[\s-](?:and[\s-])?(?:{_TEENS}))?)"
)
_LABEL: Final = (
    r"(?<![^\W_])(?:aged?|alter|edad|et[àa]|idade|[âa]ge|leeftijd|возраст|ηλικία)"
    r"(?:\s(?:is|of|was))?[\s:=]{1,3}"
)
_PATIENT: Final = r"(?<![^\W_])(?:pat(?:ient)?|pt|age|sex|alter)[\s:.,=-]{1,3}"
_MONTHS: Final = r"(?:10[89]\d|1[1-7]\d\d)"
_MONTH_UNITS: Final = "months?|mos?|monate?n?|mois|meses|mesi|maanden|мес\\w*"
_YEARS_OLD: Final = r"(?:years?|yrs?|y/?o)(?:[\s-]?old)?"
#: Each with the age, or what tells it, as its group ``age``, and what follows as ``unit``.
_IN_DIGITS: Final = (
    rf"{_BEFORE}(?P<age>{_NUMBER})[\s-]?(?P<unit>{_UNITS})(?![^\W_])",
    rf"{_LABEL}(?P<age>{_NUMBER})(?!\w|\.\d|\+)",
    rf"{_BEFORE}(?P<age>{_UNEVEN})\s?(?P<unit>(?-i:J))(?![^\W_]|/)",
    rf"(?<![^\W_])(?<![./,-])(?P<age>{_LESS})(?P<unit>(?-i:F))(?![^\W_]|[/.])",
    rf"(?<![^\W_])(?<![./,-])(?P<age>{_UNEVEN})(?P<unit>(?-i:M))(?![^\W_]|[/.])",
    rf"(?<![^\W_])(?<![./,-])(?P<age>{_LESS})(?=\s?/\s?[fmw](?![^\W_]|[/.]))",
    rf"(?<![^\W_])(?<!/)[fm]\s?/\s?(?P<age>{_LESS})(?!\w|[/+]|\.\d|\s?(?:mm|cm|ml|%))",
    rf"{_PATIENT}[fm](?P<age>{_LESS})(?!\w|\.\d|\+)",
    rf"{_BEFORE}(?P<age>{_MONTHS}[\s-]?(?:{_MONTH_UNITS}))(?![^\W_])",
    rf"{_BEFORE}(?P<age>{_NUMBER})(?P<unit>y)(?=[fm](?![^\W_]))",
    rf"{_BEFORE}(?P<age>{_NUMBER})(?:st|nd|rd|th|\.)?(?=\s(?:birthday|lebensjahr|geburtstag))",
)
_IN_WORDS: Final = (
    rf"(?<![^\W_])(?P<age>{_WORDS})[\s-]{{1,2}}(?P<unit>{_YEARS_OLD})(?![^\W_])",
    rf"{_LABEL}(?P<age>{_WORDS})(?![^\W_])",
    r"(?<![^\W_])(?P<age>nonagenarians?|(?:super)?centenarians?)(?![^\W_])",
    r"(?<![^\W_])(?:his|her|their)\s(?:(?:early|mid|late)[\s-])?(?P<age>nineties)(?![^\W_])",
)
_WITHOUT_BLANKS: Final = (  # Chinese, Japanese, Korean, Thai
    rf"(?<![0-9a-z.])(?P<age>{_NUMBER}\s?(?:周?岁|歲|歳|才|세|살|ปี))",
    rf"(?:年[龄齢歳][:：\s]?)(?P<age>{_NUMBER})(?!\w|\.\d|\+)",
    rf"(?<![0-9a-z.])(?P<age>{_MONTHS}\s?(?:个月|個月|[ヶケか]月|개월))",
)
_GATE: Final = re.compile(
    r"(?<!\d)(?:0{0,2}(?:9\d|1[0-4]\d)|10[89]\d|1[1-7]\d\d)(?!\d)|ninet|hundred|enarian",
    re.IGNORECASE,
)
_TOLD: Final = re.compile(r"ninet|hundred|enarian", re.IGNORECASE)
_CALLS: Final = words("ninety nineties hundred nonagenarian nonagenarians centenarian centenarians")
_SHOWN: Final = "90+"
_YEARS: Final = "y"


@functools.cache
def _compiled(forms: tuple[str, ...]) -> "tuple[re.Pattern[str], ...]":
    """Return what finds ages; milliseconds to compile, and many texts never need it."""
    return tuple(re.compile(form, re.IGNORECASE) for form in forms)


def calls(word: str) -> bool:
    """Return whether a folded word may tell an age over 89 without a digit."""
    return word in _CALLS


def ages(text: str) -> str:
    """Return the text with every age over 89 written as ``90+``."""
    out: list[str] = []
    at = 0
    for start, stop, shown in _found(text):
        if start < at:
            continue
        gap = "" if not text[stop : stop + 1].isalnum() else " "
        out += (text[at:start], shown, gap)
        at = stop
    return "".join((*out, text[at:])) if out else text


def old(text: str) -> Iterator[tuple[int, int]]:
    """Yield where ages over 89 stand."""
    for start, stop, _shown in _found(text):
        yield start, stop


def _found(text: str) -> list[tuple[int, int, str]]:
    """Return the ages in order, each with what stands for it and its unit."""
    plain = digits(text)
    if not _GATE.search(plain):
        return []
    forms = _compiled(_IN_DIGITS)
    if not plain.isascii():
        forms += _compiled(_WITHOUT_BLANKS)
    if _TOLD.search(plain):
        forms += _compiled(_IN_WORDS)
    found = []
    for form in forms:
        for match in form.finditer(plain):
            unit = match.groupdict().get("unit")
            stop = match.end("unit" if unit else "age")
            found.append((match.start("age"), stop, _age(match["age"], unit)))
    return sorted(found)


def _age(age: str, unit: str | None) -> str:
    """Return ``90+`` with its unit; a unit that would not stay is told in English."""
    if unit is None:
        return _SHOWN if age.isdecimal() else f"{_SHOWN} {_YEARS}"
    known = all(vocabulary.kind(run.group()) for run in runs(unit))
    return f"{_SHOWN} {unit if known else _YEARS}"
