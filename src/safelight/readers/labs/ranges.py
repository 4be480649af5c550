"""Printed ranges: read for the right person, and checked before anything is compared with them.

HL7's own US Core examples print three ranges upside down (haematocrit 46-38, MCH 33.2-27.5, MCV
87.3-82.4). Such a range is told as what it is; no bound is swapped, since nobody knows which of the
numbers is wrong.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from safelight.readers.labs import units
from safelight.readers.labs.analytes import Analyte, name_key
from safelight.readers.labs.model import Person, PrintedRange, RawRange, Reason, Span
from safelight.readers.labs.units import Unit
from safelight.readers.labs.values import COMPARATOR, NUMBER, Point, number

__all__ = ["BETWEEN", "covered", "fitting", "read", "sane"]

_DASH: Final = r"(?:-|–|—|−|‐|‑|\.\.\.?|…|~|bis|to|à|a|hasta|and|und|y|et)"  # noqa: RUF001  # all are printed
BETWEEN: Final = rf"{NUMBER}\s*{_DASH}\s*{NUMBER}"
_UP_TO: Final = (
    r"(?:(?:less|lower)\s+than\s+or\s+equal\s+to|at\s+most|max\.|höchstens|bis|up\s+to|jusqu'à|hasta"
    r"|inf\.?\s+à|inférieur\s+à|unter|below|less\s+than|under)"
)
_FROM: Final = (
    r"(?:(?:greater|more)\s+than\s+or\s+equal\s+to|at\s+least|min\.|mindestens|ab|from|über|above"
    r"|more\s+than|greater\s+than|over|sup\.?\s+à|supérieur\s+à)"
)
_STRICT: Final = (
    "inf",
    "unter",
    "below",
    "less",
    "under",
    "über",
    "above",
    "more",
    "greater",
    "over",
    "sup",
)
_WITHIN: Final = r"(?:from|between|von|zwischen|entre|desde|de)"
_BOUNDS: Final = re.compile(
    rf"(?:(?:\b{_WITHIN}\s+)?(?P<low>{NUMBER})\s*{_DASH}\s*(?P<high>{NUMBER})"
    rf"|(?P<cmp>{COMPARATOR}|{_UP_TO}|{_FROM})\s*(?P<one>{NUMBER}))",
    re.IGNORECASE,
)
_FEMALE: Final = {
    *("f", "w", "female", "females", "woman", "women", "frau", "frauen", "weiblich", "femme"),
    *("femmes", "feminin", "mujer", "mujeres", "femenino", "fem", "girls", "adult female"),
}
_MALE: Final = {
    *("male", "males", "man", "men", "mann", "manner", "maenner", "mannlich", "maennlich"),
    *("homme", "hommes", "masculin", "hombre", "hombres", "varon", "varones", "masculino", "boys"),
}
_GROWN: Final = {
    "adult",
    "adults",
    "erwachsene",
    "erwachsener",
    "adulte",
    "adultes",
    "adulto",
    "adultos",
}
_YOUNG: Final = {"child", "children", "kinder", "kind", "enfant", "enfants", "nino", "ninos"}
_NEUTRAL: Final = {
    *(
        "normal",
        "ref",
        "reference",
        "range",
        "referenz",
        "referenzbereich",
        "norm",
        "normalbereich",
    ),
    *(
        "normwert",
        "normwerte",
        "interval",
        "valeurs",
        "de",
        "valores",
        "referencia",
        "n",
        "vn",
        "rr",
    ),
    *("normale", "normales", "usual", "biological", "values", "value", "years", "year", "yrs", "y"),
    *(
        "jahre",
        "jahr",
        "j",
        "ans",
        "an",
        "anos",
        "old",
        "the",
        "for",
        "fur",
        "fuer",
        "pour",
        "para",
    ),
}
_AGE: Final = re.compile(
    r"(?:(?P<low>\d{1,3})\s*(?:-|–|to|bis|à|a)\s*(?P<high>\d{1,3})|(?P<cmp><=|>=|≤|≥|<|>)\s*(?P<one>\d{1,3}))"  # noqa: RUF001  # en dash
    r"\s*(?:years?|yrs?|y|jahren?|j|ans|años)\b\.?",
    re.IGNORECASE,
)
_Ages = tuple[Fraction | None, Fraction | None]


@dataclass(frozen=True, slots=True)
class _Whom:
    sex: str = ""
    age: _Ages = (None, None)


def _ages(text: str) -> tuple[str, _Ages]:
    """Take an age out of a label: what is left, and the ages (years, from and just below)."""
    found = _AGE.search(text)
    if not found:
        return text, (None, None)
    left = text[: found.start()] + " " + text[found.end() :]
    if found["low"]:
        return left, (Fraction(found["low"]), Fraction(found["high"]) + 1)
    one = Fraction(found["one"])
    if found["cmp"] in {"<", "<=", "≤"}:
        return left, (None, one if found["cmp"] == "<" else one + 1)
    return left, (one + 1 if found["cmp"] == ">" else one, None)


def _whom(label: str, letters: set[str]) -> _Whom | None:
    """Return for whom a label says that a range holds; None where a word is not known."""
    left, age = _ages(label)
    sex = ""
    for word in name_key(left).split():
        if word in _NEUTRAL:
            continue
        if word in {"m", "h"}:
            said = _letter(word, letters)
        elif word in _FEMALE or word in _MALE:
            said = "F" if word in _FEMALE else "M"
        elif word in _GROWN and age == (None, None):
            age, said = (Fraction(18), None), sex
        elif word in _YOUNG and age == (None, None):
            age, said = (None, Fraction(18)), sex
        else:
            return None
        if said is None or (sex and said != sex):
            return None
        sex = said
    return _Whom(sex, age)


def _letter(word: str, letters: set[str]) -> str | None:
    """``M`` is a man beside F or W, and a woman beside H (hombre); alone it is not known."""
    if word == "h":
        return "M" if letters & {"f", "m"} else None
    if "h" in letters:
        return "F"
    return "M" if letters & {"f", "w"} else None


def _bounds(low: str, high: str, opened: tuple[bool, bool], point: Point) -> PrintedRange | Reason:
    found = [number(each, point) if each else None for each in (low, high)]
    if any(isinstance(each, Reason) for each in found):
        return Reason.RANGE_NOT_READ
    numbers = [each for each in found if each is not None and not isinstance(each, Reason)]
    decimals = max(-int(each.as_tuple().exponent) for each in numbers)
    left, right = (
        None if each is None or isinstance(each, Reason) else Fraction(each) for each in found
    )
    if left is not None and right is not None and left >= right:
        return Reason.RANGE_INVERTED
    if left == 0:  # nothing here goes below zero
        left = None
    if left is None and right is None:
        return Reason.RANGE_NOT_READ  # "> 0" or "0-" bounds nothing: a part of it is missing
    return PrintedRange(
        span=Span(low=left, high=right, low_open=opened[0], high_open=opened[1]),
        decimals=max(decimals, 0),
    )


def _bounded(found: "re.Match[str]", point: Point) -> PrintedRange | Reason:
    if found["low"]:
        return _bounds(found["low"], found["high"], (False, False), point)
    sign = found["cmp"].lower()
    strict = sign in {"<", ">"} or (sign.startswith(_STRICT) and "equal" not in sign)
    if sign[0] in "<≤" or sign == "=<" or re.fullmatch(_UP_TO, sign, re.IGNORECASE):
        return _bounds("", found["one"], (False, strict), point)
    return _bounds(found["one"], "", (strict, False), point)


def _text(raw: RawRange, analyte: Analyte, unit: Unit, point: Point) -> list[PrintedRange] | Reason:
    """Read a printed text that may hold several ranges with labels (``F: 12-16 M: 13-17``)."""
    text = " ".join(raw.text.replace("\u00a0", " ").split()).strip("()[] ")
    aged = [m.span() for m in _AGE.finditer(text)]
    found = [m for m in _BOUNDS.finditer(text) if not any(a <= m.start() < b for a, b in aged)]
    if not found:
        return Reason.RANGE_NOT_READ
    ends = [0, *(m.end() for m in found)]
    labels = [text[a : m.start()] for a, m in zip(ends, found, strict=False)]
    tail = text[found[-1].end() :].strip(" .;,()[]")
    labels, tails = _units_off([*labels, tail], analyte, unit)
    if tails is None:
        return Reason.RANGE_UNIT
    if tails and len(found) == 1 and not labels[0].strip(" :;,()"):
        labels = [tails]  # "13.5-17.5 (male)"
    elif tails:
        return Reason.RANGE_NOT_READ
    letters = {w.lower() for label in labels for w in re.findall(r"\b[FMWHfmwh]\b", label)}
    out: list[PrintedRange] = []
    for label, match in zip(labels, found, strict=True):
        whom = _whom(label, letters)
        bounds = _bounded(match, point)
        if isinstance(bounds, Reason):
            return bounds
        if whom is None or (len(found) > 1 and whom == _Whom()):
            return Reason.RANGE_NOT_READ
        sex = raw.sex or whom.sex
        out.append(PrintedRange(span=bounds.span, decimals=bounds.decimals, sex=sex, age=whom.age))
    return out


def _units_off(parts: list[str], analyte: Analyte, unit: Unit) -> tuple[list[str], str | None]:
    """Take the row's own unit off what stands between ranges; None where it is another unit."""
    out: list[str] = []
    for part in parts:
        left = part.strip(" ;,()[]:/")
        words = left.split(" ")
        for count in range(len(words), 0, -1):
            head = " ".join(words[:count])
            if not units.known(head) or (len(head) == 1 and head != "%"):
                continue
            its = units.parse(head, analyte)
            turn = units.turn(analyte, its, unit) if its else None
            if turn is None or not turn.same:
                return parts[:-1], None
            left = " ".join(words[count:])
            break
        out.append(left)
    return out[:-1], out[-1]


def read(
    raws: Sequence[RawRange], analyte: Analyte, unit: Unit, point: Point
) -> tuple[tuple[PrintedRange, ...], Reason | None]:
    """Return the ranges of one row in its own unit, or why one of them cannot be used."""
    out: list[PrintedRange] = []
    for raw in raws:
        if raw.unread:
            return (), Reason.RANGE_NOT_READ
        for text in (raw.unit, raw.high_unit):
            its = units.parse(text, analyte) if text else unit
            turn = units.turn(analyte, its, unit) if its else None
            if turn is None or not turn.same:
                return (), Reason.RANGE_UNIT
        if raw.low or raw.high:
            found = _bounds(raw.low, raw.high, (False, False), point)
            if isinstance(found, Reason):
                return (), found
            whom = _beside(raw, found, analyte, unit, point)
            if whom is None:
                return (), Reason.RANGE_NOT_READ
            age = raw.age if raw.age != (None, None) else whom.age
            sex = raw.sex or whom.sex
            out.append(PrintedRange(span=found.span, decimals=found.decimals, sex=sex, age=age))
        elif raw.text.strip():
            several = _text(raw, analyte, unit, point)
            if isinstance(several, Reason):
                return (), several
            out += several
    for each in out:
        if (fault := sane(each.span, analyte, unit)) is not None:
            return (), fault
    return tuple(out), None


def _beside(
    raw: RawRange, found: PrintedRange, analyte: Analyte, unit: Unit, point: Point
) -> _Whom | None:
    """Return for whom a text beside typed bounds says that they hold; None where it contradicts."""
    if not re.search(r"\d", raw.text):
        whom = _whom(raw.text, set())
    else:
        told = _text(raw, analyte, unit, point)
        if isinstance(told, Reason) or len(told) != 1 or told[0].span != found.span:
            return None
        whom = _Whom(told[0].sex, told[0].age)
    return whom if whom is None or not (raw.sex and whom.sex and raw.sex != whom.sex) else None


def sane(span: Span, analyte: Analyte, unit: Unit) -> Reason | None:
    """Return what is wrong with a range for this analyte, if anything.

    Both bounds must lie where printed ranges of laboratories lie (``usual`` of the table), the
    lower one not in its upper part and the upper one not in its lower part.
    """
    home = units.parse(analyte.unit, analyte)
    turn = units.turn(analyte, unit, home) if home else None
    if turn is None:
        return Reason.RANGE_UNIT
    low, high = analyte.usual
    middle = float(low * high) ** 0.5 if low else 0.0
    moved = span.scaled(turn)
    if moved.low is not None and not (
        low <= moved.low <= high and (not middle or moved.low <= middle * 2)
    ):
        return Reason.RANGE_MAGNITUDE
    if moved.high is not None and not (
        low <= moved.high <= high and (not middle or moved.high >= middle * 0.6)
    ):
        return Reason.RANGE_MAGNITUDE
    return None


def fitting(
    ranges: Sequence[PrintedRange], person: Person
) -> tuple[list[PrintedRange], Reason | None]:
    """Return the ranges that may hold for this person.

    A range that certainly is for somebody else is left out; where sex or age is not known, all that
    may hold stay, and the caller flags only what they agree on.
    """
    if not ranges:
        return [], Reason.NO_RANGE
    out = [each for each in ranges if _may_hold(each, person)]
    return (out, None) if out else ([], Reason.RANGE_OTHER_PERSON)


def _may_hold(each: PrintedRange, person: Person) -> bool:
    if each.sex and person.sex and each.sex != person.sex:
        return False
    low, high = each.age
    if person.age is None:
        return True
    return (low is None or person.age >= low) and (high is None or person.age < high)


def covered(ranges: Sequence[PrintedRange], person: Person) -> bool:
    """Tell whether one of these holds for this person, whatever is not known of them."""
    if all(
        (not r.sex or person.sex) and (r.age == (None, None) or person.age is not None)
        for r in ranges
    ):
        return True
    return {r.sex for r in ranges if r.age == (None, None)} >= {"F", "M"}
