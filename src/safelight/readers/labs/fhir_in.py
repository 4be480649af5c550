"""FHIR R4 in: Bundles, Observations, DiagnosticReports with contained Observations, NDJSON.

Names, identifiers, addresses, narrative and performers are not looked at. From Patient only gender
and birthDate are taken, to choose a limit; references serve to tell one person from another.
Source: HL7 FHIR R4 (4.0.1), Observation and Bundle; US Core laboratory result profile.
"""

import json
from collections.abc import Iterator, Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Any, Final

from safelight.errors import UnreadableInputError
from safelight.readers.labs import units
from safelight.readers.labs.fhir_graph import Graph, a_dict, a_list, a_str, codings
from safelight.readers.labs.fhir_scene import Scene
from safelight.readers.labs.model import Person, RawRange, RawRow, Reason
from safelight.readers.labs.people import Lived, sex_of
from safelight.readers.labs.versions import current

__all__ = ["read"]

_LOINC: Final = {"http://loinc.org", "https://loinc.org", "urn:oid:2.16.840.1.113883.6.1"}
_SNOMED_SEX: Final = {"248152002": "F", "248153007": "M"}
_AGE_UNIT: Final = {
    **dict.fromkeys(("a", "y", "yr", "yrs", "year", "years"), "a"),
    **dict.fromkeys(("mo", "month", "months"), "mo"),
    **dict.fromkeys(("wk", "w", "week", "weeks"), "wk"),
    **dict.fromkeys(("d", "day", "days"), "d"),
}
_YEARS: Final = {
    "a": Fraction(1),
    "mo": Fraction(1, 12),
    "wk": Fraction(7, 365),
    "d": Fraction(1, 365),
}
_ROOM: Final = 40  # digits before and behind the point; no result has more
_HAIR: Final = Fraction(1, 1000)  # of a year: an age on the other side of a bound


def _load(data: bytes) -> Any:
    """Return the parsed JSON; numbers are decimal and keep their digits.

    Raises:
        UnreadableInputError: It is not JSON.
    """
    try:
        text = data.decode("utf-8-sig")
        try:
            return json.loads(text, parse_float=Decimal, parse_int=Decimal)
        except ValueError:
            lines = [line for line in text.splitlines() if line.strip()]
            if len(lines) > 1 and all(line.lstrip().startswith("{") for line in lines):
                return [json.loads(each, parse_float=Decimal, parse_int=Decimal) for each in lines]
            raise
    except (ValueError, RecursionError, ArithmeticError):
        raise UnreadableInputError("the file is not JSON that can be read") from None


def read(data: bytes, told: Person) -> tuple[list[RawRow], int]:
    """Return the lines of a FHIR file, and how many resources were no lab results.

    Raises:
        UnreadableInputError: It is not JSON, or holds no FHIR resource.
        LimitExceededError: It holds more resources than are read.
    """
    graph = Graph.of(_load(data))
    if not any("resourceType" in held.resource for held in graph.every):
        raise UnreadableInputError("the file holds no FHIR resource")
    scene = Scene(graph=graph, told=told)
    rows: list[RawRow] = []
    skipped = 0
    for held in graph.every:
        if held.kind != "Observation" or not scene.laboratory(held):
            skipped += 1
            continue
        rows += _observation(held.place, held.resource, scene.base(held), scene.lived(held))
    unknown = [None] * len(rows)
    # what was entered in error may stand before or behind its like
    return current(current(rows, unknown)[::-1], unknown)[::-1], skipped


def _observation(
    place: str, each: Mapping[str, Any], base: Mapping[str, Any], lived: Lived | None
) -> Iterator[RawRow]:
    parts = [a_dict(part) for part in a_list(each.get("component"))]
    for at, part in enumerate(parts, start=1):
        yield _row(f"{place} component {at}", part, base, lived)
    if not parts or any(key.startswith("value") for key in each):
        yield _row(place, each, base, lived)


def _row(
    place: str, each: Mapping[str, Any], base: Mapping[str, Any], lived: Lived | None
) -> RawRow:
    every = codings(each.get("code"))
    loinc = tuple(a_str(c.get("code")) for c in every if c.get("system") in _LOINC)
    names = [a_str(a_dict(each.get("code")).get("text")), *(a_str(c.get("display")) for c in every)]
    local = [a_str(c.get("code")) for c in every if c.get("system") not in _LOINC]
    number, unit, typed, fault = _value(each)
    told: dict[str, Any] = dict(base)
    told["refused"] = base["refused"] or fault
    return RawRow(
        place=place,
        codes=loinc,
        names=tuple(filter(None, names)),
        # a code of some system alone is no name
        shorts=tuple(filter(None, local)) if loinc or any(names) else (),
        value=number,
        unit=unit,
        ranges=tuple(_ranges(each, base["about"], lived)),
        flag=_flag(each),
        dotted=typed,
        typed=typed,
        **told,
    )


def _plain(number: Any) -> str:
    """Return a number without an exponent; nothing where it is none, or longer than any result."""
    if not isinstance(number, Decimal) or not number.is_finite() or abs(number.adjusted()) > _ROOM:
        return ""
    return f"{number:f}" if -int(number.as_tuple().exponent) <= _ROOM else ""


def _quantity(value: Any) -> tuple[str, str]:
    """Return the number and the unit of a Quantity; the code before the words beside it."""
    quantity = a_dict(value)
    code, words = a_str(quantity.get("code")), a_str(quantity.get("unit"))
    return _plain(quantity.get("value")), code or words


def _value(each: Mapping[str, Any]) -> tuple[str, str, bool, Reason | None]:
    """Return number with comparator, unit, whether it is typed, and why it is none."""
    if "valueQuantity" in each:
        quantity = a_dict(each["valueQuantity"])
        number, unit = _quantity(quantity)
        sign = a_str(quantity.get("comparator"))
        if not number or sign not in {"", "<", "<=", ">", ">="}:
            return "", unit, True, Reason.NOT_A_NUMBER if "value" in quantity else Reason.NO_VALUE
        words = a_str(quantity.get("unit"))
        both = f" {words}" if words and words != unit and units.known(words) else ""
        return f"{sign}{number}{both}", unit, True, None
    if whole := _plain(each.get("valueInteger")):
        return whole, "", True, None
    if "valueString" in each:
        return a_str(each["valueString"]), "", False, None
    if any(key.startswith("value") for key in each):
        return "", "", False, Reason.NOT_A_NUMBER
    return "", "", False, Reason.NO_VALUE


def _flag(each: Mapping[str, Any]) -> str:
    for concept in a_list(each.get("interpretation")):
        for coding in codings(concept):
            if code := a_str(coding.get("code")):
                return code
        return a_str(a_dict(concept).get("text"))
    return ""


def _ranges(each: Mapping[str, Any], about: Person, lived: Lived | None) -> Iterator[RawRange]:
    for told in map(a_dict, a_list(each.get("referenceRange"))):
        kinds = {a_str(c.get("code")) for c in codings(told.get("type"))} - {"", "normal"}
        if kinds:  # recommended, therapeutic, ...: not what a result is held against
            continue
        low, low_unit = _quantity(told.get("low"))
        high, high_unit = _quantity(told.get("high"))
        sex, unread = _whom(told)
        age, lost = _age(a_dict(told.get("age")), about, lived)
        # a bound that is no plain number would leave a range open that is not
        odd = (told.get("low") and not low) or (told.get("high") and not high)
        odd = odd or any("comparator" in a_dict(told.get(end)) for end in ("low", "high"))
        yield RawRange(
            text=a_str(told.get("text")),
            low=low,
            high=high,
            unit=low_unit,
            high_unit=high_unit,
            sex=sex,
            age=age,
            unread=bool(unread or lost or odd),
        )


def _whom(told: Mapping[str, Any]) -> tuple[str, bool]:
    """Return the sex that a range holds for, and whether it says something that is not known."""
    found: set[str] = set()
    for concept in a_list(told.get("appliesTo")):
        words = [a_str(a_dict(concept).get("text"))]
        for coding in codings(concept):
            words += [_SNOMED_SEX.get(a_str(coding.get("code")), ""), a_str(coding.get("display"))]
            words.append(a_str(coding.get("code")))
        found.add(next((sex for word in words if (sex := sex_of(word))), "?"))
    if not found:
        return "", False
    return (found.pop(), False) if len(found) == 1 and "?" not in found else ("", True)


_Ages = tuple[Fraction | None, Fraction | None]


def _age(told: Mapping[str, Any], about: Person, lived: Lived | None) -> tuple[_Ages, bool]:
    """Return ages in years, from and just below, and whether they could not be read for certain.

    Where the days and months that a person has lived are known, each bound is held against them in
    its own unit, and comes out beside the person's age on the side where it lies.
    """
    ends: list[Fraction | None] = []
    for key in ("low", "high"):
        number, unit = _quantity(told.get(key))
        if not told.get(key):
            ends.append(None)
            continue
        kind = _AGE_UNIT.get(unit.lower(), "")
        if not number or not kind:
            return (None, None), True
        # up to and with the 17th year of life means until the 18th birthday
        bound = Fraction(number) + (key == "high")
        years = bound * _YEARS[kind]
        if about.age is not None and lived is not None:
            reached = lived.reached(bound, kind)
            if reached is None:
                return (None, None), True
            years = about.age if reached else about.age + _HAIR
        elif about.age is not None and kind != "a" and about.age < years < about.age + 1:
            return (None, None), True  # an age that was told is in whole years
        ends.append(years)
    return (ends[0], ends[1]), False
