"""How each result lies, or why that is not said. When in doubt there is no flag."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Final

from safelight.readers.labs import analytes, checks, ranges, units
from safelight.readers.labs.limits import Book, Limit
from safelight.readers.labs.model import (
    Assessment,
    Basis,
    Flag,
    Person,
    PrintedRange,
    Reason,
    Row,
    Span,
)

__all__ = ["assess"]

_OUT: Final = {Flag.LOW, Flag.HIGH}
_MARK_ALLOWS: Final = {  # what the report's own mark leaves open
    "low": {Flag.LOW, Flag.NOT_HIGH},
    "high": {Flag.HIGH, Flag.NOT_LOW},
    "within": {Flag.WITHIN, Flag.NOT_LOW, Flag.NOT_HIGH},
    "off": {Flag.LOW, Flag.HIGH, Flag.NOT_LOW, Flag.NOT_HIGH},
}
_PLAIN: Final = {"critical-low": "low", "critical-high": "high", "critical": "off"}
_CRITICAL: Final = {
    "low": (Flag.CRITICAL_LOW, {Flag.LOW, Flag.NOT_HIGH, Flag.NO_RANGE}),
    "high": (Flag.CRITICAL_HIGH, {Flag.HIGH, Flag.NOT_LOW, Flag.NO_RANGE}),
}


def assess(rows: Sequence[Row], book: Book, before: Sequence[Row] = ()) -> tuple[Assessment, ...]:
    """Return one assessment for each row, in their order.

    Args:
        rows: Of one file; rows of one person and group are checked against each other.
        book: Limits.
        before: Rows of an earlier report of the one person that ``rows`` are of.
    """
    found: dict[str, list[checks.Finding]] = {}
    for finding in _findings(rows, before):
        for each in finding.rows:
            found.setdefault(each, []).append(finding)
    return tuple(_one(row, book, found.get(row.id, [])) for row in rows)


def _findings(rows: Sequence[Row], before: Sequence[Row]) -> Iterable[checks.Finding]:
    groups: dict[tuple[int, str], list[Row]] = {}
    people: dict[int, list[Row]] = {}
    for row in rows:
        groups.setdefault((row.person, row.group), []).append(row)
        people.setdefault(row.person, []).append(row)
    for group in groups.values():
        yield from checks.between(group)
    for mine in people.values():
        yield from checks.over_days(mine)
    if before:
        yield from checks.over_time(rows, before)


def _one(row: Row, book: Book, found: Sequence[checks.Finding]) -> Assessment:
    alarm = book.urgent(row.analyte, row.span, row.unit, row.about)
    side, urgent_source = (alarm.side, alarm.source) if alarm else ("", "")
    flag, basis, source, context, span, reasons = _compared(row, book)
    doubts = [each.reason for each in found]
    if checks.implausible(row):
        doubts.insert(0, Reason.IMPLAUSIBLE)
    if basis is Basis.PRINTED and span and _shifted(row, span, flag, side, book):
        doubts.append(Reason.DECIMAL_POINT)
    mark = _PLAIN.get(row.mark, row.mark)
    if mark and flag in _MARK_ALLOWS["off"] | {Flag.WITHIN} and (flag not in _MARK_ALLOWS[mark]):
        doubts.append(Reason.PRINTED_FLAG)
    if alarm:
        critical, allowed = _CRITICAL[side]
        if flag in allowed and mark not in {"within", "high" if side == "low" else "low"}:
            if basis is not Basis.PRINTED:  # it rests on the limit for alarm alone
                basis, context, span, reasons = alarm.basis, "", None, ()
            flag, source = critical, alarm.source
        elif flag is not Flag.WITHHELD:
            doubts.append(Reason.CRITICAL_YET_WITHIN)
    if doubts:
        related = {name for each in found for name in each.rows} - {row.id}
        return Assessment(
            row=row,
            flag=Flag.WITHHELD,
            reasons=tuple(dict.fromkeys((*doubts, *(reasons if flag is Flag.WITHHELD else ())))),
            related=tuple(sorted(related, key=lambda name: int(name[1:]))),
            urgent=bool(side) or row.marked_critical,
            urgent_source=urgent_source,
        )
    return Assessment(
        row=row,
        flag=flag,
        basis=basis,
        source=source,
        context=context,
        span=span,
        reasons=reasons,
        urgent=bool(side) or row.marked_critical,
        urgent_source=urgent_source,
    )


_Told = tuple[Flag, Basis, str, str, Span | None, tuple[Reason, ...]]


def _compared(row: Row, book: Book) -> _Told:
    """Return flag, basis, source, context, span and reasons, before any doubt about the number."""
    if row.range_fault is not None:
        return _silent(row.range_fault)
    fitting, why = ranges.fitting(row.ranges, row.about)
    if why is Reason.RANGE_OTHER_PERSON:
        return _silent(why)
    if fitting:
        if not ranges.covered(fitting, row.about):
            return _silent(Reason.PERSON_UNKNOWN)
        placed = {row.span.place(each.span) for each in fitting}
        if len(placed) > 1:
            unknown = any(_asks(each, row.about) for each in fitting)
            return _silent(Reason.PERSON_UNKNOWN if unknown else Reason.RANGE_NOT_READ)
        flag = placed.pop()
        if flag is None:
            return _silent(Reason.ON_THE_LIMIT)
        return flag, Basis.PRINTED, "", "", fitting[0].span if len(fitting) == 1 else None, ()
    return _cited(row, book)


def _asks(printed: PrintedRange, person: Person) -> bool:
    """Tell whether a range depends on what is not known of the person."""
    aged = printed.age != (None, None) and person.age is None
    return aged or bool(printed.sex and not person.sex)


def _cited(row: Row, book: Book) -> _Told:
    limits = book.of(row.analyte, row.about)
    if not limits:
        known = any(each.analyte == row.analyte for each in book.limits)
        person = row.about == Person() or row.about.age is None or not row.about.sex
        hint = (Reason.PERSON_UNKNOWN,) if known and person else (Reason.NO_RANGE,)
        return Flag.NO_RANGE, Basis.NONE, "", "", None, hint
    told = {_against(row, each) for each in limits}
    if len(told) > 1:
        return _silent(Reason.PERSON_UNKNOWN)
    flag = told.pop()
    if flag is None:
        return _silent(Reason.ON_THE_LIMIT)
    one = limits[0] if len(limits) == 1 else None
    bounds = _bounds(row, one) if one is not None else None
    span = bounds[0] if bounds else None
    contexts = ", ".join(dict.fromkeys(each.context for each in limits if each.context))
    return flag, limits[0].basis, limits[0].source, contexts if one else "", span, ()


def _bounds(row: Row, limit: Limit) -> tuple[Span, bool] | None:
    """Return a limit in the row's unit, and whether numbers were converted by a molar mass.

    A source that gives its limit in both units has rounded one: a result is held against the one
    that is printed in its own.
    """
    analyte = analytes.get(row.analyte)
    mine = units.parse(row.unit, analyte)
    own, span = limit.unit, limit.span
    if limit.also is not None:
        other = units.parse(limit.also[0], analyte)
        if mine and other and mine.dim == other.dim:
            own, span = limit.also
    its = units.parse(own, analyte)
    turn = units.turn(analyte, its, mine) if mine and its else None
    if turn is None or mine is None or its is None:
        return None
    return span.scaled(turn), mine.dim != its.dim


def _against(row: Row, limit: Limit) -> Flag | None:
    found = _bounds(row, limit)
    if found is None:
        return None
    bounds, converted = found
    # a rounded number may lie on either side of a limit that was made for another unit
    flag = (row.rounded if converted else row.span).place(bounds)
    if flag is Flag.WITHIN and bounds.high is None:
        return Flag.NOT_LOW
    if flag is Flag.WITHIN and bounds.low is None:
        return Flag.NOT_HIGH
    return flag


def _silent(reason: Reason) -> _Told:
    return Flag.WITHHELD, Basis.NONE, "", "", None, (reason,)


def _shifted(row: Row, span: Span, flag: Flag, side: str, book: Book) -> bool:
    """Tell whether a moved decimal point would change what is said of this result.

    Laboratories print a result and its range with as many digits behind the point. Where they
    differ, the point may be lost or misplaced; if the number with the point moved is one that is
    met and would be told otherwise, nothing is told. Typed formats may drop a zero, so that there a
    result inside its range is believed; so is one where both have a point, and one whose own mark
    says the same.
    """
    wanted = max((each.decimals for each in row.ranges), default=0)
    have = max(-int(row.number.as_tuple().exponent), 0)
    if have == wanted or (row.typed and flag is Flag.WITHIN):
        return False
    believed = _PLAIN.get(row.mark, row.mark) == flag.value or (
        flag is Flag.WITHIN and bool(have and wanted)
    )
    # a result may be printed with one digit more than its range
    shifts = [have - wanted, have - wanted - 1] if not have else [have - wanted]
    for shift in shifts:
        moved = replace(row, number=row.number.scaleb(shift))
        if checks.implausible(moved):
            continue
        if side and book.urgent(row.analyte, moved.span, row.unit, row.about) is None:
            return True
        if not believed and moved.span.place(span) is not flag:
            return True
    return False
