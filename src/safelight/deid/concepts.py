"""Content items whose concept name says that they tell an age, a birth date or an identifier.

Their values stand in attributes that hold anything (NumericValue, Date, TextValue), so the rule for
the attribute does not know: here it is that for Patient's Age, Patient's Birth Date, Patient ID...

Source: PS3.16 TID 1002 to 1009, 1204, 8001 and CID 7452, LOINC, SNOMED CT; PS3.3 10.2 and C.18
(content items).
"""

import re
from typing import Final

from safelight.deid.level import Level
from safelight.deid.table import Act, Rule, Table
from safelight.dicomio.charset import Charset
from safelight.dicomio.walker import UNKNOWN_SEQUENCE, Budget, Buffer, Element, Walker

__all__ = ["AGES", "CONCEPT_NAME", "capped", "fact_of", "inside", "limit_of", "rule_of"]

CONCEPT_NAME: Final = 0x0040A043
_UNITS: Final = 0x004008EA
_MEASURED: Final = 0x0040A300
_NUMERIC: Final = 0x0040A30A
_TEXT: Final = 0x0040A160
AGES: Final = {_NUMERIC: b"DS", _TEXT: b"UT"}  # where an age stands, and how
# Other forms of a numeric value: floating point and rational.
_FORMS: Final = frozenset((0x0040A161, 0x0040A162, 0x0040A163))
_VALUES: Final = _FORMS | {0x0040A120, 0x0040A121, 0x0040A122, _TEXT, _MEASURED, _NUMERIC}
_NEEDED: Final = frozenset((0x0040A120, 0x0040A121, 0x0040A122, _TEXT))  # Type 1C by value type
_CODE_VALUES: Final = frozenset((0x00080100, 0x00080119, 0x00080120))
_SCHEME: Final = 0x00080102
#: The attribute that says the same, whose rule holds for the item.
_ATTRIBUTES: Final = {
    "age": 0x00101010, "birth": 0x00100030, "subject": 0x00100020, "person": 0x00081070,
    "organization": 0x00080080, "location": 0x00400243, "station": 0x00081010,
    "serial": 0x00181000, "accession": 0x00080050, "order": 0x00402016, "specimen": 0x00400551,
}  # fmt: skip

_SCHEMES: Final = {
    "DCM": "DCM", "1.2.840.10008.2.16.4": "DCM",
    "LN": "LN", "LOINC": "LN", "2.16.840.1.113883.6.1": "LN",
    "SCT": "SCT", "SNOMED-CT": "SCT", "2.16.840.1.113883.6.96": "SCT",
}  # fmt: skip
_FACTS: Final = {
    ("DCM", "121031"): "birth", ("LN", "21112-8"): "birth", ("SCT", "184099003"): "birth",
    ("DCM", "121033"): "age", ("LN", "21612-7"): "age", ("LN", "30525-0"): "age",
    ("LN", "29553-5"): "age", ("SCT", "424144002"): "age", ("SCT", "397669002"): "age",
    ("DCM", "121030"): "subject", ("DCM", "113516"): "subject",
    ("DCM", "113871"): "person", ("DCM", "128774"): "person", ("DCM", "128775"): "person",
    ("DCM", "110122"): "person",
    ("DCM", "113872"): "organization", ("DCM", "113873"): "organization",
    ("DCM", "121009"): "organization",
    ("DCM", "121017"): "location", ("DCM", "121121"): "location", ("DCM", "121197"): "location",
    ("DCM", "121013"): "station", ("DCM", "113877"): "station", ("DCM", "121193"): "station",
    ("DCM", "121122"): "station", ("DCM", "110182"): "station",
    ("DCM", "121016"): "serial", ("DCM", "113880"): "serial", ("DCM", "121196"): "serial",
    ("DCM", "121148"): "serial", ("DCM", "122143"): "serial",
    ("DCM", "121022"): "accession", ("DCM", "121020"): "order", ("DCM", "121021"): "order",
    ("DCM", "121040"): "specimen", ("DCM", "121041"): "specimen", ("DCM", "121043"): "specimen",
    ("DCM", "111700"): "specimen", ("DCM", "111705"): "specimen", ("DCM", "130231"): "specimen",
}  # fmt: skip
_CODED: Final = re.compile(b"|".join(code.encode() for _scheme, code in _FACTS))
# What makes 90 years, by the first letter of a UCUM unit or a word: days, weeks, months.
_LIMITS: Final = {"d": 32871, "w": 4696, "m": 1080}
_YEARS: Final = 90
_NUMBER: Final = re.compile(r"(\d{1,9}(?:[.,]\d{1,9})?)\s*([A-Za-z]?)")


def fact_of(scheme: str, code: str) -> str:
    """Return what a code says: ``age``, ``birth``, what is identified, or nothing.

    Args:
        scheme: Coding Scheme Designator, or the OID of the scheme.
        code: Its value.
    """
    return _FACTS.get((_SCHEMES.get(scheme, ""), code), "")


def limit_of(unit: str) -> int:
    """Return what makes 90 years in a unit; one that is not known counts as years."""
    return _LIMITS.get(unit[:1].lower(), _YEARS) if unit != "min" else _YEARS


def inside(
    data: Buffer, elements: list[Element], level: Level, outer: Level, budget: Budget
) -> Level:
    """Return the level of an item with what its concept name, or that of the item around, says.

    Args:
        data: The buffer the offsets of ``elements`` lead into.
        elements: Of the item, in ascending order of their tags.
        level: Of the item.
        outer: Of what holds its sequence.
        budget: What is left of the object's limits.
    """
    sought = CONCEPT_NAME
    if level.parent == _MEASURED:
        if not outer.fact:
            return level
        sought = _UNITS
    for element in elements:
        if element[0] < sought:
            continue
        if element[0] == sought and level.parent == _MEASURED:
            codes = _codes(data, element, level.walker, level.depth, budget)
            unit = next((code for _scheme, code in codes), "")
            return level._replace(fact=outer.fact, most=limit_of(unit))
        if element[0] == sought and _CODED.search(data, element[3], element[4]):
            codes = _codes(data, element, level.walker, level.depth, budget)
            fact = next(filter(None, (fact_of(*each) for each in codes)), "")
            return level._replace(fact=fact) if fact else level
        break
    return level._replace(fact=outer.fact) if level.parent == _MEASURED else level


def _codes(
    data: Buffer, element: Element, walker: Walker, depth: int, budget: Budget
) -> list[tuple[str, str]]:
    """Return scheme and value of each code in a code sequence."""
    found: list[tuple[str, str]] = []
    _tag, vr, _start, value, value_stop, _stop = element
    inner = UNKNOWN_SEQUENCE if vr == b"UN" else walker
    for start, stop in inner.items(data, value, value_stop, budget, depth):
        scheme, values = "", []
        for each in inner.elements(data, start, stop, budget, depth=depth + 1):
            if each[0] == _SCHEME or each[0] in _CODE_VALUES:
                raw = bytes(data[each[3] : min(each[4], each[3] + 128)])
                text = raw.decode("ascii", "replace").strip(" \0")
                if each[0] == _SCHEME:
                    scheme = text
                else:
                    values.append(text)
        found += [(scheme, each) for each in values]
    return found


def rule_of(tag: int, fact: str, rule: Rule, table: Table, sop_class: str) -> Rule:
    """Return the rule for a value in an item that tells an age, a birth date or an identifier.

    Args:
        tag: The element's tag.
        fact: As ``fact_of`` says it.
        rule: As it would be in any other item.
        table: Of the profile.
        sop_class: Of the object.
    """
    if not fact or tag not in _VALUES or rule.act in (Act.REMOVE, Act.EMPTY, Act.DUMMY):
        return rule
    own = table.rule(_ATTRIBUTES[fact], sop_class=sop_class)
    if own is None or own.act in (Act.KEEP, Act.CLEAN):
        return rule
    if own.act is not Act.AGE:
        act = Act.DUMMY if tag in _NEEDED else Act.EMPTY
        return Rule(act, f"concept name says {fact}: {own.source}")
    if tag in AGES:
        return Rule(Act.AGE, f"concept name says age: {own.source}")
    return Rule(Act.REMOVE, "another form of an age") if tag in _FORMS else rule


def capped(tag: int, raw: bytes, most: int, charset: Charset) -> bytes:
    """Return an age as (0010,1010) tells it: up to 89 years as it is, above as 90.

    Args:
        tag: Numeric Value, whose unit stands beside it, or Text Value, which may hold its own.
        raw: The encoded value.
        most: What makes 90 years in the unit beside it.
        charset: In force.
    """
    text = charset.decode(raw)[0]

    def lower(found: re.Match[str]) -> str:
        top = limit_of(found[2])
        if float(found[1].replace(",", ".")) < top:
            return found[0]
        width = len(found[1]) if found[1].startswith("0") else 0
        return str(top).rjust(width, "0") + found[0][len(found[1]) :]

    if tag == _NUMERIC:
        try:
            values = [float(each) for each in text.strip(" \0").split("\\") if each.strip()]
        except ValueError:
            return raw  # no number: goes as such
        if all(value < most for value in values):
            return raw
        new = "\\".join(str(most) if value >= most else f"{value:g}" for value in values)
    else:
        new = _NUMBER.sub(lower, text)
    if new == text:
        return raw
    out = charset.encode(new)
    return out + b" " * (len(out) % 2)
