"""FHIR R4 in: Bundles, Observations, DiagnosticReports with contained Observations, NDJSON.

Names, identifiers, addresses, narrative and performers are not looked at. From Patient only gender
and birthDate are taken, to choose a limit; references serve to tell one person from another.
Source: HL7 FHIR R4 (4.0.1), Observation and Bundle; US Core laboratory result profile.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from typing import Any, Final

from safelight.errors import UnreadableInputError
from safelight.readers.labs import units
from safelight.readers.labs.model import Person, RawRange, RawRow, Reason
from safelight.readers.labs.people import Birth, given, moment, sex_of

__all__ = ["read"]

_LOINC: Final = {"http://loinc.org", "https://loinc.org", "urn:oid:2.16.840.1.113883.6.1"}
_GONE: Final = {"entered-in-error", "cancelled"}
_SNOMED_SEX: Final = {"248152002": "F", "248153007": "M"}
_AGE_UNIT: Final = {
    **dict.fromkeys(("a", "y", "yr", "yrs", "year", "years"), Fraction(1)),
    **dict.fromkeys(("mo", "month", "months"), Fraction(1, 12)),
    **dict.fromkeys(("wk", "w", "week", "weeks"), Fraction(7, 365)),
    **dict.fromkeys(("d", "day", "days"), Fraction(1, 365)),
}
_ENTRIES: Final = 200_000


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


@dataclass(slots=True)
class _File:
    """What is known while a file is read: people and specimens by reference, and what was left."""

    told: Person
    people: dict[str, int] = field(default_factory=dict)
    births: dict[str, Birth] = field(default_factory=dict)
    specimens: dict[str, str] = field(default_factory=dict)
    skipped: int = 0

    def person(self, reference: str) -> int:
        """Return the ordinal of the person that a reference means."""
        return self.people.setdefault(reference, len(self.people) + 1)


def _dict(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _str(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _resources(told: Any) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """Yield place, full URL and each resource, contained ones too."""
    pending = (
        [("", "", each) for each in _list(told)] if isinstance(told, list) else [("", "", told)]
    )
    count = 0
    while pending:
        place, url, resource = pending.pop(0)
        count += 1
        if not isinstance(resource, dict) or count > _ENTRIES:
            continue
        kind = resource.get("resourceType")
        if kind == "Bundle":
            entries = [_dict(each) for each in _list(resource.get("entry"))]
            pending += [
                (f"entry {at}", _str(each.get("fullUrl")), each.get("resource"))
                for at, each in enumerate(entries, start=1)
            ]
            continue
        yield place or f"resource {count}", url, resource
        for at, each in enumerate(_list(resource.get("contained")), start=1):
            if isinstance(each, dict):
                where = f"{place or f'resource {count}'} contained {at}"
                yield where, "#" + _str(each.get("id")), each


def read(data: bytes, told: Person) -> tuple[list[RawRow], int]:
    """Return the lines of a FHIR file, and how many resources were no lab results.

    Raises:
        UnreadableInputError: It is not JSON, or holds no FHIR resource.
    """
    every = list(_resources(_load(data)))
    if not any("resourceType" in each for _, _, each in every):
        raise UnreadableInputError("the file holds no FHIR resource")
    file = _File(told=told)
    for _, url, each in every:
        names = {url, f"{each.get('resourceType')}/{_str(each.get('id'))}"} - {""}
        if each.get("resourceType") == "Patient":
            born = moment(_str(each.get("birthDate")))
            birth = Birth(sex=sex_of(_str(each.get("gender"))), born=born.date() if born else None)
            number = file.person(url or min(names))
            for name in names:
                file.births[name] = birth
                file.people[name] = number
        elif each.get("resourceType") == "Specimen":
            kind = _dict(each.get("type"))
            text = " ".join(
                [
                    _str(kind.get("text")),
                    *(_str(_dict(c).get("display")) for c in _list(kind.get("coding"))),
                ]
            )
            for name in names:
                file.specimens[name] = text
    rows = [
        row
        for place, _, each in every
        if each.get("resourceType") == "Observation"
        for row in _observation(place, each, file)
    ]
    others = sum(each.get("resourceType") != "Observation" for _, _, each in every)
    return rows, file.skipped + others


def _codings(concept: Any) -> list[Mapping[str, Any]]:
    return [_dict(each) for each in _list(_dict(concept).get("coding"))]


def _is_lab(each: Mapping[str, Any]) -> bool:
    codes = {_str(c.get("code")) for kind in _list(each.get("category")) for c in _codings(kind)}
    return not codes or "laboratory" in codes


def _observation(place: str, each: Mapping[str, Any], file: _File) -> Iterator[RawRow]:
    if not _is_lab(each):
        file.skipped += 1
        return
    subject = _str(_dict(each.get("subject")).get("reference"))
    period = _dict(each.get("effectivePeriod"))
    clock = next(
        (
            text
            for key in ("effectiveDateTime", "effectiveInstant")
            if (text := _str(each.get(key)))
        ),
        _str(period.get("start")),
    )
    when = moment(clock)
    specimen = _dict(each.get("specimen"))
    base = {
        "person": file.person(subject),
        "group": clock,
        "when": when,
        "about": given(file.births.get(subject, Birth()), when, file.told),
        "specimen": " ".join(
            (_str(specimen.get("display")), file.specimens.get(_str(specimen.get("reference")), ""))
        ),
        "refused": Reason.RETRACTED if each.get("status") in _GONE else None,
    }
    parts = [_dict(part) for part in _list(each.get("component"))]
    if parts and not any(key.startswith("value") for key in each):
        for at, part in enumerate(parts, start=1):
            yield _row(f"{place} component {at}", part, base)
        return
    yield _row(place, each, base)


def _row(place: str, each: Mapping[str, Any], base: Mapping[str, Any]) -> RawRow:
    codings = _codings(each.get("code"))
    loinc = tuple(_str(c.get("code")) for c in codings if c.get("system") in _LOINC)
    names = [_str(c.get("display")) for c in codings if c.get("system") not in _LOINC]
    number, unit, typed, fault = _value(each)
    told: dict[str, Any] = dict(base)
    told["refused"] = base["refused"] or fault
    return RawRow(
        place=place,
        codes=loinc,
        names=tuple(n for n in (_str(_dict(each.get("code")).get("text")), *names) if n),
        value=number,
        unit=unit,
        ranges=tuple(_ranges(each)),
        flag=_flag(each),
        dotted=typed,
        typed=typed,
        **told,
    )


def _quantity(value: Any) -> tuple[str, str]:
    """Return the number and the unit of a Quantity; the code before the words beside it."""
    quantity = _dict(value)
    number = quantity.get("value")
    code, words = _str(quantity.get("code")), _str(quantity.get("unit"))
    text = f"{number:f}" if isinstance(number, Decimal) and number.is_finite() else ""
    return text, code or words


def _value(each: Mapping[str, Any]) -> tuple[str, str, bool, Reason | None]:
    """Return number with comparator, unit, whether it is typed, and why it is none."""
    if "valueQuantity" in each:
        quantity = _dict(each["valueQuantity"])
        number, unit = _quantity(quantity)
        sign = _str(quantity.get("comparator"))
        if not number or sign not in {"", "<", "<=", ">", ">="}:
            return "", unit, True, Reason.NO_VALUE if not number else Reason.NOT_A_NUMBER
        words = _str(quantity.get("unit"))
        both = f" {words}" if words and words != unit and units.known(words) else ""
        return f"{sign}{number}{both}", unit, True, None
    if "valueInteger" in each and isinstance(each["valueInteger"], Decimal):
        return f"{each['valueInteger']:f}", "", True, None
    if "valueString" in each:
        return _str(each["valueString"]), "", False, None
    if any(key.startswith("value") for key in each):
        return "", "", False, Reason.NOT_A_NUMBER
    return "", "", False, Reason.NO_VALUE


def _flag(each: Mapping[str, Any]) -> str:
    for concept in _list(each.get("interpretation")):
        for coding in _codings(concept):
            if code := _str(coding.get("code")):
                return code
        return _str(_dict(concept).get("text"))
    return ""


def _ranges(each: Mapping[str, Any]) -> Iterator[RawRange]:
    for told in map(_dict, _list(each.get("referenceRange"))):
        kinds = {_str(c.get("code")) for c in _codings(told.get("type"))} - {"", "normal"}
        if kinds:  # recommended, therapeutic, ...: not what a result is held against
            continue
        low, low_unit = _quantity(told.get("low"))
        high, high_unit = _quantity(told.get("high"))
        sex, unread = _whom(told)
        age, lost = _age(_dict(told.get("age")))
        yield RawRange(
            text=_str(told.get("text")),
            low=low,
            high=high,
            unit=low_unit,
            high_unit=high_unit,
            sex=sex,
            age=age,
            unread=unread or lost,
        )


def _whom(told: Mapping[str, Any]) -> tuple[str, bool]:
    """Return the sex that a range holds for, and whether it says something that is not known."""
    found: set[str] = set()
    for concept in _list(told.get("appliesTo")):
        words = [_str(_dict(concept).get("text"))]
        for coding in _codings(concept):
            words += [_SNOMED_SEX.get(_str(coding.get("code")), ""), _str(coding.get("display"))]
            words.append(_str(coding.get("code")))
        found.add(next((sex for word in words if (sex := sex_of(word))), "?"))
    if not found:
        return "", False
    return (found.pop(), False) if len(found) == 1 and "?" not in found else ("", True)


def _age(told: Mapping[str, Any]) -> tuple[tuple[Fraction | None, Fraction | None], bool]:
    """Return ages in years, from and just below, and whether they could not be read."""
    ends: list[Fraction | None] = []
    for key in ("low", "high"):
        number, unit = _quantity(told.get(key))
        if not told.get(key):
            ends.append(None)
        elif number and unit.lower() in _AGE_UNIT:
            scale = _AGE_UNIT[unit.lower()]
            # up to and with the 17th year of life means until the 18th birthday
            ends.append((Fraction(number) + (key == "high")) * scale)
        else:
            return (None, None), True
    return (ends[0], ends[1]), False
