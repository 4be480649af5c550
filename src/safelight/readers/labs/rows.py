"""Lines of a report become rows, or typed refusals. Nothing of their text goes along."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from safelight.readers.labs import analytes, checks, ranges, specimen, units, values
from safelight.readers.labs.model import RawRow, Reason, Refusal, Row
from safelight.readers.labs.units import Unit
from safelight.readers.labs.values import Point, Value

__all__ = ["rows"]

_SPECIMEN: Final = "blood"


def rows(raws: Sequence[RawRow]) -> tuple[list[Row], list[Refusal]]:
    """Return the rows that could be mapped, and the lines that could not, in their order.

    The decimal sign is what all numbers of the document prove together; typed formats have a point.
    Where their form does not tell, their size may: ``250,000`` platelets in a microlitre.
    """
    texts = [
        text
        for raw in raws
        if not raw.dotted
        for text in (raw.value, *(t for r in raw.ranges for t in (r.text, r.low, r.high)))
    ]
    point = values.point_of(texts)
    if point is Point.UNKNOWN:
        point = _proven(raws)
    first: dict[int, datetime] = {}
    for raw in raws:
        if raw.when is not None:
            first[raw.person] = min(raw.when, first.get(raw.person, raw.when))
    groups: dict[str, str] = {}
    kept: list[Row] = []
    refused: list[Refusal] = []
    for raw in raws:
        days = None if raw.when is None else (raw.when.date() - first[raw.person].date()).days
        group = groups.setdefault(raw.group, f"g{len(groups) + 1}")  # its own word may be a date
        sign = Point.DOT if raw.dotted else point
        found = _row(raw, f"r{len(kept) + 1}", group, days, sign)
        if isinstance(found, Reason):
            name = f"x{len(refused) + 1}"
            refused.append(Refusal(id=name, place=raw.place, reason=found))
        else:
            kept.append(found)
    return kept, refused


def _proven(raws: Sequence[RawRow]) -> Point:
    """Return the decimal sign with which alone results and ranges are of a size that is met."""
    told: set[Point] = set()
    for raw in raws:
        if raw.dotted or values.value(raw.value, Point.UNKNOWN) is not Reason.AMBIGUOUS_NUMBER:
            continue
        fits = [sign for sign in (Point.DOT, Point.COMMA) if _fits(raw, sign)]
        if len(fits) == 1:
            told.add(fits[0])
    return told.pop() if len(told) == 1 else Point.UNKNOWN


def _fits(raw: RawRow, point: Point) -> bool:
    row = _row(raw, "", "", None, point)
    return isinstance(row, Row) and bool(row.ranges) and not checks.implausible(row)


def _row(raw: RawRow, name: str, group: str, day: int | None, point: Point) -> Row | Reason:
    if raw.refused is not None:
        return raw.refused
    if _elsewhere(raw):
        return Reason.OTHER_SPECIMEN
    value = values.value(raw.value, point)
    text = raw.unit or ("" if isinstance(value, Reason) else value.rest)
    key = _test(raw, text)
    if isinstance(key, Reason):
        return key
    if isinstance(value, Reason):
        return value
    if raw.unit and value.rest and units.parse(value.rest, analytes.get(key)) is None:
        return Reason.NOT_A_NUMBER
    unit = _unit(key, text, raw, value)
    if isinstance(unit, Reason):
        return unit
    mark = values.mark(raw.flag)
    read, fault = ranges.read(raw.ranges, analytes.get(key), unit, point)
    return Row(
        id=name,
        place=raw.place,
        person=raw.person,
        group=group,
        analyte=key,
        loinc=_code(key, raw, unit),
        by_name=not raw.codes,
        number=value.number,
        comparator=value.comparator,
        unit=unit.code,
        ranges=read,
        range_fault=fault,
        mark=(mark or value.mark) if mark is not None else "off",
        specimen=_SPECIMEN if analytes.blood(raw.specimen) else "",
        day=day,
        typed=raw.typed,
        about=raw.about,
    )


def _elsewhere(raw: RawRow) -> bool:
    """Tell whether anything around a line says that it was not measured in blood, or may say so."""
    around = (raw.specimen, raw.section, *raw.context)
    if any(specimen.elsewhere(text, panel=True) for text in around):
        return True
    if any(specimen.elsewhere(name) for name in (*raw.names, *raw.shorts)):
        return True
    if not raw.specimen.strip() or specimen.blood(raw.specimen):
        return False
    # a code of LOINC says in what it was measured, a name does not; a bare number says nothing
    return not raw.codes or not any(sign.isalpha() for sign in raw.specimen)


def _test(raw: RawRow, unit: str) -> str | Reason:
    """Return the analyte that everything which names the test agrees on."""
    if not raw.codes:
        key = analytes.by_name(raw.names, unit, raw.shorts)
    else:
        key = analytes.by_code(raw.codes)
        if key in analytes.table() and analytes.contradicted(key, (*raw.names, *raw.shorts)):
            return Reason.AMBIGUOUS_ANALYTE
    if key == "haemoglobin" and any(map(specimen.cell_free, (raw.specimen, *raw.names))):
        return Reason.OTHER_SPECIMEN
    return key


def _unit(key: str, text: str, raw: RawRow, value: Value) -> Unit | Reason:
    analyte = analytes.get(key)
    unit = units.parse(text, analyte)
    if unit is None:
        if not text.strip():
            return Reason.NO_UNIT
        return Reason.UNIT_OF_OTHER_KIND if units.known(text) else Reason.UNKNOWN_UNIT
    if raw.unit and value.rest:
        inner = units.parse(value.rest, analyte)
        if inner is None or (inner.dim, inner.factor) != (unit.dim, unit.factor):
            return Reason.UNIT_OF_OTHER_KIND
    return unit


def _code(key: str, raw: RawRow, unit: Unit) -> str:
    """Return the report's own code, else the table's for this dimension, else nothing."""
    own = [code for code in raw.codes if analytes.known_codes().get(code) == key]
    if own:
        return own[0]
    listed = analytes.get(key).loinc
    dim = {"equivalents": "moles", "katal": "activity"}.get(unit.dim, unit.dim)
    return next(iter(listed.get(dim, ())), "")
