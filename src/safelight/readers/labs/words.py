"""Every sentence a person reads about results: from these templates, with the ids of its rows.

Nothing here names an illness, a cause or a treatment. ``within`` is never called normal or healthy.
"""

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Final

from safelight.readers.labs import analytes
from safelight.readers.labs.model import Assessment, Basis, Flag, Reason, Refusal, Sentence, Span

__all__ = [
    "LOINC_NOTICE",
    "URGENT",
    "about",
    "decimal",
    "differences",
    "misread",
    "reason",
    "shown_range",
    "shown_value",
]

LOINC_NOTICE: Final = (
    "This material contains content from LOINC (http://loinc.org). LOINC is copyright © "
    "Regenstrief Institute, Inc. and the Logical Observation Identifiers Names and Codes (LOINC) "
    "Committee and is available at no cost under the license at http://loinc.org/license. LOINC® "
    "is a registered United States trademark of Regenstrief Institute, Inc."
)

_REASONS: Final = {
    Reason.UNKNOWN_ANALYTE: "the test is not one of those that are known here",
    Reason.AMBIGUOUS_ANALYTE: "the test can be read in more than one way",
    Reason.OTHER_SPECIMEN: "it was not measured in blood",
    Reason.NOT_A_NUMBER: "the result is not a number that can be read for certain",
    Reason.AMBIGUOUS_NUMBER: "the number can be read in more than one way",
    Reason.NO_VALUE: "there is no result",
    Reason.NO_UNIT: "there is no unit",
    Reason.UNKNOWN_UNIT: "the unit is not known",
    Reason.UNIT_OF_OTHER_KIND: "the unit does not fit the test",
    Reason.LINE_NOT_READ: "the line holds something that cannot be placed",
    Reason.RETRACTED: "the laboratory has taken this result back, or has not given it",
    Reason.MALFORMED: "the line does not follow its format",
    Reason.BLANKED: "de-identification has blanked a part of the line, or its heading",
    Reason.IMPLAUSIBLE: "a number like this is beyond what is met",
    Reason.DECIMAL_POINT: "a decimal point may be lost or misplaced",
    Reason.IDENTITY: "it does not fit other numbers of the same sample",
    Reason.SWAPPED: "it may have been swapped with another line",
    Reason.DUPLICATE: "the same test stands there twice with different results",
    Reason.PRINTED_FLAG: "the report's own mark says otherwise",
    Reason.DELTA: "it differs from the result before by more than is met",
    Reason.RANGE_INVERTED: "the printed range is upside down",
    Reason.RANGE_MAGNITUDE: "the printed range is of another size than ranges of this test",
    Reason.RANGE_UNIT: "the printed range has another unit than the result",
    Reason.RANGE_NOT_READ: "the printed range cannot be read for certain",
    Reason.RANGE_OTHER_PERSON: "the printed range is for somebody of another sex or age",
    Reason.PERSON_UNKNOWN: (
        "the limit depends on sex, age, pregnancy or having eaten, which is not known"
    ),
    Reason.ON_THE_LIMIT: "the result is given as a bound that does not tell on which side it lies",
    Reason.CRITICAL_YET_WITHIN: "the printed range or mark contradicts the limits for alarm",
    Reason.NO_RANGE: "the report prints no range, and none is cited here",
}
_TEMPLATES: Final = {
    "within": "{name} is {value}, inside the range that the report prints ({range}).",
    "low": "{name} is {value}, below {limit}.",
    "high": "{name} is {value}, above {limit}.",
    "from": "{name} is {value}, at or above {limit}.",
    "within-limit": "{name} is {value}, inside {limit}.",
    "not-low": "{name} is {value}, not below {limit}; no upper limit is known here.",
    "not-high": "{name} is {value}, not above {limit}; no lower limit is known here.",
    "no-range": "{name} is {value}: no range, cannot flag ({reason}).",
    "withheld": "{name} was read as {value}: check this value against the paper; {reason}.",
    "range-fault": "{name} is {value}: no flag is given; {reason}.",
    "critical": (
        "{name} is {value}, {side} the limit for alarm ({alarm}). Contact your doctor or emergency "
        "service now, unless they already know of this result."
    ),
    "critical-if": (
        "If the paper shows {name} {value} as well: contact your doctor or emergency service now, "
        "unless they already know of this result."
    ),
    "critical-mark": (
        "The report itself marks {name} ({value}) as critical. Contact your doctor or emergency "
        "service now, unless they already know of this result."
    ),
    "refused": "{count} line(s) could not be used, because {reason}.",
    "next": (
        "A result inside or outside a range is not a diagnosis. Ask who ordered the test what it "
        "means for you."
    ),
}
URGENT: Final = frozenset({"critical", "critical-if", "critical-mark"})  # these come first
_RANGE_FAULTS: Final = {
    *(Reason.RANGE_INVERTED, Reason.RANGE_MAGNITUDE, Reason.RANGE_UNIT, Reason.RANGE_NOT_READ),
    *(Reason.RANGE_OTHER_PERSON, Reason.PERSON_UNKNOWN, Reason.ON_THE_LIMIT),
}


def reason(each: Reason) -> str:
    """Return the half sentence for a reason."""
    return _REASONS[each]


_EXACT: Final = 12  # digits: more are of a conversion, not of a print


def decimal(value: Fraction, places: int = 4) -> str:
    """Return a fraction as a plain decimal: exact where it ends, as all that is printed does.

    What does not end, or only after more digits than anybody prints, is rounded to ``places``
    significant digits.
    """
    number = Decimal(value.numerator) / Decimal(value.denominator)
    if number == number.to_integral_value() and abs(number) >= 1:
        return f"{number.to_integral_value():f}"
    if Fraction(number) == value and len(number.normalize().as_tuple().digits) <= _EXACT:
        return f"{number.normalize():f}"
    short = Decimal(f"{number:.{places}g}").normalize()
    return f"{short:f}"


def shown_value(each: Assessment) -> str:
    """Return number and unit as they were read."""
    unit = "" if each.row.unit == "1" else f" {each.row.unit}"
    return f"{each.row.comparator}{each.row.number:f}{unit}"


def shown_range(span: Span | None) -> str:
    """Return a range in words of signs: ``3.5-5.1``, ``< 5``, ``>= 60``."""
    if span is None:
        return ""
    if span.low is not None and span.high is not None:
        tail = " (not including it)" if span.high_open else ""
        return f"{decimal(span.low)}-{decimal(span.high)}{tail}"
    if span.high is not None:
        return f"{'<' if span.high_open else '<='} {decimal(span.high)}"
    if span.low is not None:
        return f"{'>' if span.low_open else '>='} {decimal(span.low)}"
    return ""


def _limit(each: Assessment) -> str:
    if each.basis is Basis.PRINTED:
        shown = shown_range(each.span)
        return f"the range that the report prints ({shown})" if shown else "the printed ranges"
    shown = shown_range(each.span)
    whom = f", {each.context}" if each.context else ""
    own = "the laboratory's own limit" if each.basis is Basis.SITE else "the cited limit"
    return f"{own} ({shown}{whom}; {each.source})" if shown else f"{own} ({each.source})"


def misread(each: Assessment) -> bool:
    """Tell whether the number itself is in doubt, and not only its range."""
    return each.flag is Flag.WITHHELD and not set(each.reasons) <= _RANGE_FAULTS


def _template(each: Assessment) -> str:
    if each.flag in {Flag.CRITICAL_LOW, Flag.CRITICAL_HIGH}:
        return "critical"
    if each.flag is Flag.WITHHELD:
        return "withheld" if misread(each) else "range-fault"
    if each.flag is Flag.WITHIN:
        return "within" if each.basis is Basis.PRINTED and each.span else "within-limit"
    if each.flag is Flag.HIGH and each.span is not None and each.span.high_open:
        return "from"
    return each.flag.value


def differences(results: Sequence[Assessment]) -> tuple[bool, bool]:
    """Tell whether results are of several people, and of several days."""
    people = {each.row.person for each in results}
    return len(people) > 1, len({each.row.day for each in results}) > 1


def name_of(each: Assessment, apart: tuple[bool, bool]) -> str:
    """Return the name of a test, with the number of the person and the day where those differ."""
    told = []
    people, days = apart
    if people:
        told.append(f"person {each.row.person}")
    if days and each.row.day is not None:
        told.append(f"day {each.row.day}")
    name = analytes.get(each.row.analyte).name
    return f"{name} ({', '.join(told)})" if told else name


def about(results: Sequence[Assessment], refusals: Sequence[Refusal]) -> tuple[Sentence, ...]:
    """Return all sentences: what is urgent first, then each row, then what was left out."""
    urgent: list[Sentence] = []
    plain: list[Sentence] = []
    apart = differences(results)
    for each in results:
        name = name_of(each, apart)
        kind = _template(each)
        filled = _TEMPLATES[kind].format(
            name=name,
            value=shown_value(each),
            range=shown_range(each.span),
            limit=_limit(each),
            reason="; ".join(reason(r) for r in each.reasons),
            side="at or below" if each.flag is Flag.CRITICAL_LOW else "at or above",
            alarm=each.urgent_source,
        )
        said = Sentence(template=kind, text=filled, rows=(each.row.id, *each.related))
        (urgent if kind == "critical" else plain).append(said)
        if each.urgent and kind != "critical":
            marked = each.row.marked_critical and not misread(each)
            call = "critical-mark" if marked else "critical-if"
            text = _TEMPLATES[call].format(name=name, value=shown_value(each))
            urgent.append(Sentence(template=call, text=text, rows=(each.row.id,)))
    left: dict[Reason, list[str]] = {}
    for refusal in refusals:
        left.setdefault(refusal.reason, []).append(refusal.id)
    for why, lines in left.items():
        text = _TEMPLATES["refused"].format(count=len(lines), reason=reason(why))
        plain.append(Sentence(template="refused", text=text, rows=tuple(lines)))
    if results:
        ids = tuple(each.row.id for each in results)
        plain.append(Sentence(template="next", text=_TEMPLATES["next"], rows=ids))
    return (*urgent, *plain)
