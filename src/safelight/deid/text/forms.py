"""Rarer forms that identify: numbers that states and banks give, other calendars, dates in words.

Each search is compiled when the first text calls for it.
"""

# ruff: noqa: RUF001 - letters and signs of other scripts are what this module is about

import functools
import re
from collections.abc import Iterator
from typing import Final

from safelight.deid.text.fold import words

__all__ = ["DAY_WORDS", "calls", "find"]

_DATE: Final = "date"
_NUMBER: Final = "number like a record, phone or address"
_FEW: Final = 4

_YEAR: Final = r"(?:1[89]\d\d|20\d\d)"
_DAY: Final = r"(?:0?[1-9]|[12]\d|3[01])"
_MONTH: Final = r"(?:0?[1-9]|1[0-2])"
#: Years of the Persian, the Islamic and the Buddhist calendar, at an age that somebody has.
_OTHER_YEAR: Final = r"(?:1[34]\d\d|2[45]\d\d)"
_ONES: Final = "one|two|three|four|five|six|seven|eight|nine"
_TEENS: Final = (
    "ten|eleven|twelve|thirteen|fourteen|fifteen|sixteen|seventeen|eighteen|nineteen|hundred"
)
_TENS: Final = "twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety"
#: Days of a month in words, as far as one word tells them.
DAY_WORDS: Final = (
    r"(?:twenty|thirty)[\s-](?:first|second|third|fourth|fifth|sixth|seventh|eighth|ninth)"
    r"|first|second|third|fourth|fifth|sixth|seventh|eighth|ninth|tenth|eleventh|twelfth"
    r"|(?:thir|four|fif|six|seven|eigh|nine)teenth|twentieth|thirtieth"
)
_WORDY: Final = rf"(?:{_TENS})(?:[\s-](?:{_ONES}))?"
_TOLD_YEARS: Final = (
    rf"(?<![^\W_])(?P<day>(?:the\s)?(?:{DAY_WORDS})[\s,]{{1,2}}(?:of\s)?)?"
    rf"(?:nineteen[\s-](?:{_TEENS}|(?:oh?[\s-])?(?:{_ONES})|{_WORDY})"
    rf"|(?:(?(day)|(?:in|of|since|born|year)\s))twenty[\s-](?:oh?[\s-](?:{_ONES})|{_TEENS}|{_WORDY})"
    rf"|two[\s-]thousand[\s-](?:and[\s-])?(?:{_TEENS}|{_ONES}|{_WORDY}))(?![^\W_])"
)
_DATES: Final = (
    # 1960. 01. 02, 1960 / 01 / 02, 1960~01~02; 02~01~1960, 02,01,1960; 2/1 1960, 2.1. 1960
    rf"(?<![\d.]){_YEAR}(?P<a>\s?[-/._~+&|]\s?){_MONTH}(?P=a){_DAY}(?!\d)"
    rf"|(?<![\d.]){_DAY}(?P<b>\s?[~+&|]\s?|,(?=0)){_MONTH}(?:(?P=b)|,){_YEAR}(?!\d)"
    rf"|(?<![\d.])(?!\d/\d\s){_DAY}(?:/{_MONTH}|\.{_MONTH}\.)\s{_YEAR}(?!\d)"
    # Roman months, days of the year, weeks
    rf"|(?<![\d.]){_DAY}(?P<e>\s?[-/.]\s?)(?-i:I{{1,3}}|IV|VI{{0,3}}|IX|XI{{0,2}})(?P=e)(?:{_YEAR}|\d\d)(?!\d)"
    rf"|(?<![\d.]){_DAY}\s(?-i:II{{1,2}}|IV|VI{{1,3}}|IX|XI{{1,2}})\s{_YEAR}(?!\d)"
    rf"|(?<![\d.-]){_YEAR}-W[0-5]\d-?[1-7](?!\d)"
    rf"|(?<![\d.]){_DAY}\sthang\s{_MONTH},?\snam\s{_YEAR}(?!\d)"
    # with words beside: 14th of the 3rd 1962; born
    rf"|(?<!\d){_DAY}(?:st|nd|rd|th)(?:\sof)?(?:\sthe)?\s{_MONTH}(?:st|nd|rd|th)[\s,]{{1,2}}{_YEAR}(?!\d)"
    rf"|(?<![^\W_])(?:b\.|\*|nee?\s(?:en|le)|nac(?:id[oa]|\.)(?:\sen)?|nat[oa]\s(?:nel|il)|jg\.?|jahrgang"
    rf"|fodt|fodd|ur\.|рожд\w*)\s?{_YEAR}(?!\d|\s?m[lms])"
    rf"|(?<!\d){_YEAR}\s?(?:年?生(?:まれ)?|년\s?생|г\.?\s?р(?![^\W_])|born(?![^\W_]))"
)
#: 1403/01/14, 14/3/2505
_OTHER_DATES: Final = (
    rf"(?<![\d.]){_OTHER_YEAR}(?P<c>[-/.])(?:0[1-9]|1[0-2])(?P=c)(?:0[1-9]|[12]\d|3[01])(?!\d|\.\d)"
    rf"|(?<![\d.]){_DAY}(?P<d>[-/.]){_MONTH}(?P=d){_OTHER_YEAR}(?!\d|\.\d)"
)
#: Beside these, numbers with slashes are times of a sequence (``TR/TE/FA 1400/12/20``).
_PARAMETERS: Final = r"(?<![^\W_])(?:tr|te|ti|fa|nex|nsa|fov)(?![^\W_])"
_ROUND: Final = 10
#: A day and a month alone, where a word says that it is a date.
_DAYS: Final = (
    r"(?<![^\W_])(?:vom|am|seit|zum|on|dated|since|until|le|du|el|del|dal)\s"
    rf"(?:{_DAY}\.{_MONTH}\.(?!\d)|[0-3]\d/{_MONTH}|{_MONTH}/(?:0[1-9]|1[3-9]|[23]\d))(?![\d/])"
)
_NUMBERS: Final = (
    r"(?<![^\W_])[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}(?![^\W_])"  # UUIDs
    r"|(?<!\d)(?:\d\d)?\d{6}[-+]\d{4}(?!\d)"  # Nordic
    r"|(?<![^\W_])[a-z]{2}\s?\d\d\s\d\d\s\d\d\s?[a-d](?![^\W_])"  # British
    r"|(?<![\d.])[12]\s\d\d\s(?:0\d|1[0-2])\s\d[\dab]\s\d{3}\s\d{3}(?:\s\d\d)?(?!\d)"  # French
    r"|(?<!\d)\d\d\s?\d{6}\s?[a-z]\s?\d{3}(?![^\W_])"  # German pension
    r"|(?<![^\W_])[a-z]{1,2}\d{6}\s?\([\da]\)"  # Hong Kong
    r"|(?<!\d)\d{4}\s\d{5}\s\d(?!\d)"  # Australian Medicare
    r"|(?<![^\W_])[1-9][a-z][a-z\d]\d-?[a-z][a-z\d]\d-?[a-z]{2}\d\d(?![^\W_])"  # US Medicare
    r"|(?<![^\W_])[a-z]{2}\d\d(?:\s?\d{4}){3,7}(?:\s?\d{1,4})?(?![^\W_])"  # bank accounts
    r"|(?:(?<![^\W_])(?:tel(?:ephone|efono?)?|phone|fax|handy|тел)|電話|电话|전화|☎|☏)"
    r"[\s.:=]{0,3}\+?\d(?:[\s().\-/]{0,2}\d){4,}"
    r"|〒\s?\d{3}-?\d{4}"
    r"|(?<![^\W_])(?:p\.?\s?o\.?\s?box|postfach|apartado|casella\spostale|boite\spostale)"
    r"[\s.:#]{1,3}\d+(?:\s\d+)*"
    r"|(?<![^\W_])(?:lat|lon|lng|latitude|longitude)[\s.:=]{1,3}-?\d{1,3}\.\d{3,}"
    r"|(?<![\d.])-?\d{2,3}\.\d{4,},\s?-?\d{2,3}\.\d{4,}"
)
_CALLS: Final = words("nineteen twenty thousand")
_TOLD_GATE: Final = re.compile("|".join(sorted(_CALLS)), re.IGNORECASE)


@functools.cache
def _compiled(form: str) -> re.Pattern[str]:
    """Return what finds a form; milliseconds to compile, and many runs never need it."""
    return re.compile(form, re.IGNORECASE)


def calls(word: str) -> bool:
    """Return whether a folded word may tell a year without a digit."""
    return word in _CALLS


def find(text: str, digits: int) -> Iterator[tuple[int, int, str]]:
    """Yield (start, stop, rule) for every such form.

    Args:
        text: Folded to the same length.
        digits: How many stand in it.
    """
    forms = [(_DAYS, _DATE)] if digits else []
    if digits >= _FEW:
        forms += ((_DATES, _DATE), (_NUMBERS, _NUMBER))
        if not _compiled(_PARAMETERS).search(text):
            forms.append((_OTHER_DATES, _DATE))
    if _TOLD_GATE.search(text):
        forms.append((_TOLD_YEARS, _DATE))
    for form, rule in forms:
        for match in _compiled(form).finditer(text):
            if rule == _DATE or not _is_row(match.group()):
                yield match.start(), match.end(), rule


def _is_row(form: str) -> bool:
    """Tell a row of round numbers (``TE90 1000 2000 3000``) from an account."""
    return " " in form and not any(int(each) % _ROUND for each in re.findall(r"\d+", form))
