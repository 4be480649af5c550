"""Forms that identify whatever they say: dates, phones, record numbers, addresses on the net."""

# ruff: noqa: RUF001 - letters and signs of other scripts are what this module is about

import re
from collections.abc import Iterator
from typing import Final

from safelight.deid.text import forms
from safelight.deid.text.fold import fold_text, words

__all__ = ["DATE", "calls", "find"]

DATE: Final = "date"
_MONTHS: Final = (
    "jan(?:uary|uar|vier|uari|eiro)?|ener?o?|gennaio|genn|feb(?:ruary|ruar|ruari|rero|braio)?|"
    "fevr?(?:ier|ereiro)?|mar(?:ch|s|zo|co|t)?|maerz|marz|maart|apr(?:il|ile)?|mrz|avr(?:il)?|abr(?:il)?|"
    "may|mai|maja?|mayo|maio|mei|maggio|june?|juni|juin|junio|junho|giugno|july?|juli|juil(?:let)?|julio|"
    "julho|luglio|aug(?:ust|ustus)?|aout|ago(?:sto)?|sept?(?:ember|embre|iembre)?|setembro|"
    "settembre|oct(?:ober|obre|ubre)?|okt(?:ober)?|ott(?:obre)?|outubro|nov(?:ember|embre|iembre|"
    "embro)?|dec(?:ember|embre)?|dez(?:ember|embro)?|dic(?:iembre|embre)?|"
    "янв\\w*|фев\\w*|марта?|апр\\w*|мая|май|июн\\w*|июл\\w*|авг\\w*|сен\\w*|окт\\w*|ноя\\w*|"
    "дек\\w*|ιαν\\w*|φεβ\\w*|μαρ\\w*|απρ\\w*|μαι\\w*|ιουν\\w*|ιουλ\\w*|αυγ\\w*|σεπ\\w*|"
    "οκτ\\w*|νοε\\w*|δεκ\\w*"
)
_LONG_MONTHS: Final = (
    "january|januar|janvier|february|februar|fevrier|march|april|avril|june|juni|juin|july|juli|"
    "juillet|august|september|septembre|october|oktober|octobre|november|novembre|december|"
    "dezember|decembre|jan|feb|apr|jun|jul|aug|oct|nov"
)
_YEAR: Final = r"(?:1[89]\d\d|20\d\d)"
_MONTH: Final = re.compile(rf"(?<![^\W\d_])(?:{_MONTHS})(?![^\W\d_])", re.IGNORECASE)
_IS_LONG: Final = re.compile(rf"(?:{_LONG_MONTHS})", re.IGNORECASE)
_LINK: Final = r"[\s.,\-/_]{0,12}(?:of|de|du|del|di|d')?[\s.,\-/_]{0,12}"
_DAY_BEFORE: Final = re.compile(
    rf"(?<![\d.])(?:(?:0?[1-9]|[12]\d|3[01])(?:st|nd|rd|th|er)?|(?<![^\W_])(?:{forms.DAY_WORDS}))"
    rf"{_LINK}$",
    re.IGNORECASE,
)
_YEAR_BEFORE: Final = re.compile(rf"(?<!\d){_YEAR}[\s.\-/_]+$")
_DAY_AFTER: Final = re.compile(
    r"[\s.\-/_]*(?:0?[1-9]|[12]\d|3[01])(?:st|nd|rd|th)?(?![^\W_])(?!\.\d)", re.IGNORECASE
)
_DAY_YEAR_AFTER: Final = re.compile(
    rf"[\s.\-/_]*(?:the\s)?(?:0?[1-9]|[12]\d|3[01])(?:st|nd|rd|th)?(?:\s\d\d?:\d\d(?::\d\d)?)?[\s.,\-/_]+'?{_YEAR}(?!\d)",
    re.IGNORECASE,
)
_YEAR_AFTER: Final = re.compile(rf"{_LINK}'?{_YEAR}(?!\d)", re.IGNORECASE)
_SHORT_YEAR_AFTER: Final = re.compile(rf"{_LINK}'?\d\d(?![^\W_])(?!\.\d)", re.IGNORECASE)
_CONTEXT: Final = 26
#: Hyphens and dashes beyond ASCII, and the dots between the parts of a date.
_DASHES: Final = str.maketrans("‐‑‒–—―−·", "-------.")

_NET: Final = re.compile(
    r"(?:https?|s?ftp|file|dicom|mailto)\s?:\s?/{0,2}\S+|www\.\S+|(?<![^\s<>()\[\],;@])[^\s<>()\[\],;@]+@[^\s<>()\[\],;]+"
    r"|(?<![\w@])@\w{2,}"
    r"|(?<![\w-])(?<!\w\.)[\w-]+(?:\.[\w-]+)*\.(?:com|org|net|edu|gov|mil|info|biz|health|hospital|clinic|local|lan"
    r"|de|at|ch|fr|uk|nl|es|it|pt|eu|us|ca|jp|cn|ru|gr|pl|se|dk|fi|au|br|mx|in|io)\b(?:/\S*)?",
    re.IGNORECASE,
)
_DATES: Final = re.compile(
    # 1960-01-02, 1960:1:2, 1960 - 01 - 02, with or without a time; 02.01.1960, 1/2/60; 02 01 1960
    rf"(?<![\d.]){_YEAR}(?P<s>[-/._: ]| - )(?:0?[1-9]|1[0-2])(?P=s)(?:0?[1-9]|[12]\d|3[01])(?!\d)"
    r"(?:[T ]\d{1,2}:\d{2}(?::\d{2})?(?:\.\d+)?Z?)?"
    rf"|(?<![\d.])(?:0?[1-9]|[12]\d|3[01])(?P<t>\s?[-/._]\s?)(?:0?[1-9]|[12]\d|3[01])(?P=t)"
    r"(?:(?:1[89]|20)\d\d|\d\d(?!\s?(?:mm|cm|ml|min|sec)(?![^\W_])))(?!\d|\.\d)"
    rf"|(?<!\d)(?:0?[1-9]|[12]\d|3[01])(?: )(?:0?[1-9]|[12]\d|3[01])(?: ){_YEAR}(?!\d)"
    rf"|(?<!\d)(?:0?[1-9]|1[0-2])[/-]{_YEAR}(?!\d)|(?<!\d){_YEAR}[/-](?:0[1-9]|1[0-2])(?!\d)",
    re.IGNORECASE,
)
_EAST_DATES: Final = re.compile(
    r"(?:明治|大正|昭和|平成|令和|(?<![^\W_])[mtshr])?\s?(?:\d{1,4}|元)\s?年(?:\s?\d{1,2}\s?月)?(?:\s?\d{1,2}\s?日)?"
    r"|(?<![^\W_])[mtshr]\d{1,2}([./-])(?:0?[1-9]|1[0-2])\1(?:0?[1-9]|[12]\d|3[01])(?!\d)"
    r"|\d{1,2}\s?月\s?\d{1,2}\s?日|\d{2,4}\s?년\s?\d{1,2}\s?월(?:\s?\d{1,2}\s?일)?",
    re.IGNORECASE,
)
_TIMES: Final = re.compile(
    r"(?<![\d:])(?:[01]?\d|2[0-4]):[0-5]\d(?::[0-5]\d(?:[.,]\d+)?)?(?:\s?[ap]\.?m\.?\b)?(?![\d:])"
    r"|(?<![\w.])\d{1,2}\s?[ap]\.?m\.?(?!\w)|(?<!\w)(?:[01]?\d|2[0-3])h[0-5]\d(?!\w)",
    re.IGNORECASE,
)
_NUMBERS: Final = re.compile(
    r"(?<![\d.])\d+(?:\.\d+){3,}(?![\d])"  # UIDs and IPv4 addresses
    r"|(?<![\w:])(?:[0-9a-f]{1,4}:){3,7}[0-9a-f]{1,4}(?!\w)"  # IPv6 and MAC addresses
    r"|(?<![\w:])(?:[0-9a-f]{1,4}:){1,6}(?::[0-9a-f]{1,4}){1,6}(?![\w:])"
    r"|(?<![\w:-])(?:[0-9a-f]{2}[:-]){5}[0-9a-f]{2}(?![\w:-])"
    r"|(?<!\d)\d{3}[- ]\d{2}[- ]\d{4}(?!\d)"  # SSN
    r"|\+\s?\d{1,3}(?:[\s().\-/]{0,2}\d){6,}"  # phones: international, US, trunk zero
    r"|(?<![\w(])\(?\d{3}\)?[-. /]{1,2}\d{3}[-. ]\d{4}(?!\d)"
    r"|\(0?\d{2,5}\)[-. ]?\d{3,}(?:[- ]?\d{2,})*"
    r"|(?<![\d.])0\d{1,5}(?:(?:[-/. ]{1,2}| [-/] )\d{2,8}){1,5}(?!\d)"
    r"|(?<![\w.])[2-9]\d{2}[-.](?!\d[05]0\d)\d{4}(?![\d.])"
    r"|(?<![\d.b])\d{1,4}(?:[-.]\d{1,8}){2,5}(?![\d])"  # chains: national numbers
    r"|(?<![\w.])\d{3,4}(?:[ ]\d{3,4}){2,5}(?![\w.])"  # cards
    r"|(?<![\d.])-?\d{1,3}\.\d{5,}(?!\d)"  # coordinates
    r"|(?<!\d)\d{4}-\d{4}-\d{4}(?!\d)"
    # of pathology: S21-4471, H/2021/4471, E 4471/21; not b20-1000, TR 2000/20
    r"|(?<![^\W_])[a-z]{1,3}[-/]?(?:20)?[012]\d[-/]\d{3,5}[1-9](?![^\W_])"
    r"|(?<![^\W_])[a-z][-/ ]?\d{3,5}[1-9]/(?:20)?[012]\d(?![^\W_])",
    re.IGNORECASE,
)
_STRONG_LABEL: Final = re.compile(
    r"(?<![^\W_])(?:m\.?r\.?n|mpi|uhid|ssn|nhs(?:[\s_-]?n(?:o|umber|r)\b)?|d\.?o\.?b|date of birth"
    r"|birth\s?date|born|geb(?:\.|oren)?|nee? le|acc(?:ession)?(?:[\s_-]?n(?:o|umber|r)\b|\s?\#|:)"
    r"|accession|pat(?:ient)?(?:en)?[\s_.-]?(?:id|nr|no|number|nummer|code)\b"
    r"|(?:medical\s)?record\s?(?:no|number|nr|\#)|chart\s?(?:no|number|\#)"
    r"|(?:hosp(?:ital)?|account|acct|insurance|policy|passport|license|visit|encounter|order"
    r"|requisition|study|exam|case|fall|auftrags?|dossier|serial|device|file)"
    r"[\s_.-]?(?:id|no|nr|number|nummer|\#)(?![^\W_])"
    r"|tel(?:efon|ephone|efono)?|phone|fax|mobile?|cell|pager|beeper|bleep"
    r"|handy|dect|durchwahl|ext|ipp|nhc|cpf|dni|nif|bsn|svnr)"
    r"(?![^\W_])[\s.:#=_-]*(?P<value>[^\s\d,;()]{0,6}\d[^\s,;()]*)",
    re.IGNORECASE,
)
_WEAK_LABEL: Final = re.compile(
    r"(?<![^\W_])(?:id|no|nr|ref|case|exam|order|visit|encounter|account|acct|chart|record|number|"
    r"num|ticket|badge|room|bed|station|s/?n|pat|patient|patientin|patienten|sub|subj|subject|proband)"
    r"(?![^\W_])[\s.:#=_-]{1,3}"
    r"(?P<value>[^\W\d_]*\d(?:[^\W\d_]*\d){3}[^\W_]*|[a-z]{1,4}-?\d{3,}"
    r"|[a-z][^\W_]{0,6}-\d{4,})(?![^\W_])",
    re.IGNORECASE,
)
_DIGIT: Final = re.compile(r"\d")
_NET_GATE: Final = re.compile(r"@|www|:\s?/|\w\.[^\W\d_]|file|ftp|http", re.IGNORECASE)
_TIME_GATE: Final = re.compile(r"\d(?::|\s?[aph])", re.IGNORECASE)
_CLOCK: Final = re.compile(r"(?:1[0-2]|0?[1-9]):[03]0")
_CLOCK_NEAR: Final = re.compile(r"breast|clock|nipple|mamma|position", re.IGNORECASE)
_LABEL_GATE: Final = re.compile(
    r"(?<![^\W_])(?:m\.?r\.?n|mpi|uhid|ssn|nhs|d\.?o\.?b|dat|bir|born|geb|nee?|acc|pat|med|rec|cha|hos|ins"
    r"|pol|pas|lic|vis|enc|ord|req|stu|exa|cas|fal|auf|dos|ser|dev|fil|tel|pho|fax|mob|cel|pag|ext"
    r"|ipp|nhc|cpf|dni|nif|bsn|svn|id|no|nr|ref|num|tic|bad|roo|bed|sta"
    r"|beeper|bleep|handy|dect|durchw|s/?n\b|sub(?:j|\b)|proband)",
    re.IGNORECASE,
)
_AGE_LABELS: Final = words("age aged alter edad eta idade y yo ans anos jaar a p h")
#: A day and a month may follow.
_DAY_LABELS: Final = words("vom am seit zum on dated since until le du el del dal")
_FEW: Final = 4
_ROUND: Final = (8, 10)
_CHAIN_DIGITS: Final = 7
_RANGE: Final = re.compile(r"\d{1,3}\.\d{1,2}-\d{1,3}\.\d{1,2}")


def calls(word: str) -> bool:
    """Return whether a folded word beside digits may make an identifying form."""
    labels = word in _AGE_LABELS or word in _DAY_LABELS
    return labels or bool(_LABEL_GATE.match(word) or _MONTH.fullmatch(word))


def find(text: str) -> Iterator[tuple[int, int, str]]:
    """Yield (start, stop, rule) for every identifying form.

    The costly searches run only where the text has what they need.
    """
    text = _same_length_fold(text)
    if _NET_GATE.search(text):
        for match in _NET.finditer(text):
            yield match.start(), match.end(), "address on the net"
    digits = len(_DIGIT.findall(text))
    if digits:
        yield from _labelled(text)
        yield from _dates(text, digits)
    yield from forms.find(text, digits)
    if digits >= _FEW:
        for match in _NUMBERS.finditer(text):
            if not _harmless(match.group()):
                yield match.start(), match.end(), "number like a record, phone or address"


def _labelled(text: str) -> Iterator[tuple[int, int, str]]:
    if _LABEL_GATE.search(text):
        for label in (_STRONG_LABEL, _WEAK_LABEL):
            for match in label.finditer(text):
                yield match.start(), match.end(), "labelled number"


def _dates(text: str, digits: int) -> Iterator[tuple[int, int, str]]:
    text = text.translate(_DASHES) if not text.isascii() else text
    for start, stop in _month_dates(text):
        yield start, stop, DATE
    if not text.isascii():
        for match in _EAST_DATES.finditer(text):
            yield match.start(), match.end(), DATE
    if digits >= _FEW:
        for match in _DATES.finditer(text):
            yield match.start(), match.end(), DATE
    if _TIME_GATE.search(text):
        clock = _CLOCK_NEAR.search(text) is not None
        for match in _TIMES.finditer(text):
            if clock and _CLOCK.fullmatch(match.group()):
                continue  # a place in the breast, written like a time
            yield match.start(), match.end(), "time"


def _month_dates(text: str) -> Iterator[tuple[int, int]]:
    """Yield dates that name a month: day, month and year, or two of them."""
    for month in _MONTH.finditer(text):
        before = text[max(month.start() - _CONTEXT, 0) : month.start()]
        offset = month.start() - len(before)
        day = _DAY_BEFORE.search(before)
        year = _YEAR_BEFORE.search(before)
        known = _IS_LONG.fullmatch(month.group()) is not None or month.group().istitle()
        after = (
            _DAY_YEAR_AFTER.match(text, month.end())
            or _YEAR_AFTER.match(text, month.end())
            or (day and _SHORT_YEAR_AFTER.match(text, month.end()))
            or ((known or year) and _DAY_AFTER.match(text, month.end()))
            or None
        )
        first = year or day
        if after or year or (day and known):
            start = offset + first.start() if first else month.start()
            yield start, after.end() if after else month.end()


def _harmless(form: str) -> bool:
    """Tell a row of dimensions or b-values (``500 1000 2000``) from a number in groups."""
    groups = re.findall(r"\d+", form)
    if form.startswith(("+", "(", "0")) or form[0].isalpha():
        return False
    if _RANGE.fullmatch(form):
        return True
    if sum(map(len, groups)) < _CHAIN_DIGITS and "." not in form:
        return True
    rows = " " in form and "-" not in form
    return rows and any(all(int(group) % step == 0 for group in groups) for step in _ROUND)


def _same_length_fold(text: str) -> str:
    """Fold diacritics character by character where that keeps every place the same."""
    if text.isascii():
        return text
    return "".join(_one(char) for char in text)


def _one(char: str) -> str:
    if char.isascii():
        return char
    folded = fold_text(char)
    return folded if len(folded) == 1 else char
