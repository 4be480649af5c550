"""The values of the lab reader. What leaves it has no field that could hold an identity.

A ``RawRow`` holds a report's own strings and never leaves this package; a ``Row`` holds numbers,
and words from our own tables only.
"""

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction

__all__ = [
    "Assessment",
    "Basis",
    "Flag",
    "LabReport",
    "Person",
    "PrintedRange",
    "RawRange",
    "RawRow",
    "Reason",
    "Refusal",
    "Row",
    "Sentence",
    "Span",
]


class Flag(StrEnum):
    """How a result lies. ``WITHIN`` is never called normal: a range is not health."""

    WITHIN = "within"
    LOW = "low"
    HIGH = "high"
    NOT_LOW = "not-low"  # a cited limit on one side only: nothing is said about the other
    NOT_HIGH = "not-high"
    CRITICAL_LOW = "critical-low"
    CRITICAL_HIGH = "critical-high"
    WITHHELD = "withheld"  # something does not fit: check it against the paper
    NO_RANGE = "no-range"  # nothing to compare with


class Basis(StrEnum):
    """What a result was compared with."""

    PRINTED = "printed"
    SITE = "site"
    CITED = "cited"
    NONE = ""


class Reason(StrEnum):
    """Why a line was refused, or a flag was withheld. One sentence for each stands in words.py."""

    # A line that gives no row
    UNKNOWN_ANALYTE = "unknown-analyte"
    AMBIGUOUS_ANALYTE = "ambiguous-analyte"
    OTHER_SPECIMEN = "other-specimen"
    NOT_A_NUMBER = "not-a-number"
    AMBIGUOUS_NUMBER = "ambiguous-number"
    NO_VALUE = "no-value"
    NO_UNIT = "no-unit"
    UNKNOWN_UNIT = "unknown-unit"
    UNIT_OF_OTHER_KIND = "unit-of-other-kind"
    LINE_NOT_READ = "line-not-read"
    RETRACTED = "retracted"
    MALFORMED = "malformed"
    BLANKED = "blanked"
    # A row whose flag is withheld
    IMPLAUSIBLE = "implausible"
    DECIMAL_POINT = "decimal-point"
    IDENTITY = "identity"
    SWAPPED = "swapped"
    DUPLICATE = "duplicate"
    PRINTED_FLAG = "printed-flag"
    DELTA = "delta"
    RANGE_INVERTED = "range-inverted"
    RANGE_MAGNITUDE = "range-magnitude"
    RANGE_UNIT = "range-unit"
    RANGE_NOT_READ = "range-not-read"
    RANGE_OTHER_PERSON = "range-other-person"
    PERSON_UNKNOWN = "person-unknown"
    ON_THE_LIMIT = "on-the-limit"
    CRITICAL_YET_WITHIN = "critical-yet-within"
    NO_RANGE = "no-range"


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """What is known of the person besides the results.

    Attributes:
        sex: ``F``, ``M`` or empty.
        age: In years, or None.
        trimester: 1 to 3 when pregnant, 0 when not, None when not told.
    """

    sex: str = ""
    age: Fraction | None = None
    trimester: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """The numbers that a printed result, or a range, may mean; None is no bound.

    ``low_open`` and ``high_open`` tell that the bound itself is outside.
    """

    low: Fraction | None
    high: Fraction | None
    low_open: bool = False
    high_open: bool = False

    def place(self, inside: "Span") -> Flag | None:
        """Return how all of self lies to ``inside``.

        None where parts of it lie differently, or where ``inside`` has no bound to lie within.
        """
        if inside.low is None and inside.high is None:
            return None
        if self._below(inside):
            return Flag.LOW
        if inside._below(self):  # noqa: SLF001  # the same class, mirrored
            return Flag.HIGH
        above_low = inside.low is None or (
            self.low is not None
            and (
                self.low > inside.low
                or (self.low == inside.low and (self.low_open or not inside.low_open))
            )
        )
        below_high = inside.high is None or (
            self.high is not None
            and (
                self.high < inside.high
                or (self.high == inside.high and (self.high_open or not inside.high_open))
            )
        )
        return Flag.WITHIN if above_low and below_high else None

    def _below(self, other: "Span") -> bool:
        if self.high is None or other.low is None:
            return False
        return self.high < other.low or (
            self.high == other.low and (self.high_open or other.low_open)
        )

    def scaled(self, turn: "Turn") -> "Span":
        """Return the span in another unit; ``turn`` must rise with its argument."""
        return Span(
            low=None if self.low is None else turn(self.low),
            high=None if self.high is None else turn(self.high),
            low_open=self.low_open,
            high_open=self.high_open,
        )


class Turn:
    """A rising line y = a·x + b between two units of one analyte, exact."""

    __slots__ = ("factor", "offset")

    def __init__(self, factor: Fraction, offset: Fraction = Fraction(0)) -> None:
        self.factor = factor
        self.offset = offset

    def __call__(self, value: Fraction) -> Fraction:
        return value * self.factor + self.offset

    @property
    def same(self) -> bool:
        """Tell whether the two units are one under two names."""
        return self.factor == 1 and self.offset == 0


@dataclass(frozen=True, slots=True, kw_only=True)
class RawRange:
    """A range as it stands in the report: text, or bounds with unit and for whom."""

    text: str = ""
    low: str = ""
    high: str = ""
    unit: str = ""
    high_unit: str = ""
    sex: str = ""
    age: tuple[Fraction | None, Fraction | None] = (None, None)
    unread: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RawRow:
    """One line of a report in its own words. Stays inside the reader.

    Attributes:
        place: Where, in words of ours: ``row 3``, ``entry 17``, ``page 1 line 12``.
        person: Ordinal of the person in the file.
        group: Rows of one group were measured together (identities are checked within it).
        codes: LOINC codes.
        names: Names by which the test goes, each tried whole; all must mean the same.
        shorts: Local codes of the test, which may be short forms of its name.
        value: The result as printed, with comparator or marks.
        specimen: What the report says was taken; ``section`` and ``context`` are headings, panels
            and orders around the line, which may say so too.
        order: Numbers of the order that it answers.
        corrects: It takes the place of an earlier line of the same test and order.
        dotted: The format says that the decimal sign is a point (FHIR, HL7 v2).
        typed: The value is a number of a typed format, where a zero behind the point may go.
        refused: Set when the format itself says that the line is no result.
    """

    place: str
    person: int = 1
    group: str = ""
    when: datetime | None = None
    codes: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    shorts: tuple[str, ...] = ()
    value: str = ""
    unit: str = ""
    ranges: tuple[RawRange, ...] = ()
    flag: str = ""
    specimen: str = ""
    section: str = ""
    context: tuple[str, ...] = ()
    order: tuple[str, ...] = ()
    corrects: bool = False
    dotted: bool = False
    typed: bool = False
    refused: Reason | None = None
    about: Person = field(default_factory=Person)


@dataclass(frozen=True, slots=True, kw_only=True)
class PrintedRange:
    """A range that was read: bounds in the row's unit, and for whom it holds."""

    span: Span
    decimals: int
    sex: str = ""
    age: tuple[Fraction | None, Fraction | None] = (None, None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One result that was mapped. Holds numbers and words of our own tables only.

    Attributes:
        id: ``r1``, ``r2``, ... within the report.
        analyte: Key of the analyte table.
        loinc: Code of the report, or of the table where ``by_name``.
        number: As printed, without its comparator; ``comparator`` is empty or one of < <= > >=.
        unit: UCUM.
        ranges: Those printed that were read; ``range_fault`` says why one was not.
        mark: What the report itself says: ``low``, ``high``, ``within``, ``off``, ``critical``,
            ``critical-low``, ``critical-high`` or empty.
        day: Days after the first sample of this person in the file; None where undated.
    """

    id: str
    place: str
    person: int
    group: str
    analyte: str
    loinc: str
    by_name: bool
    number: Decimal
    comparator: str
    unit: str
    ranges: tuple[PrintedRange, ...]
    range_fault: Reason | None
    mark: str
    specimen: str
    day: int | None
    typed: bool
    about: Person = field(repr=False)

    @property
    def marked_critical(self) -> bool:
        """Tell whether the laboratory itself marks this result as critical."""
        return self.mark.startswith("critical")

    @property
    def span(self) -> Span:
        """Return the numbers that this result may mean, in its own unit."""
        value = Fraction(self.number)
        if self.comparator.startswith("<"):
            return Span(low=None, high=value, high_open=self.comparator == "<")
        if self.comparator.startswith(">"):
            return Span(low=value, high=None, low_open=self.comparator == ">")
        return Span(low=value, high=value)

    @property
    def rounded(self) -> Span:
        """Return all that the printed number may have been before it was rounded."""
        if self.comparator:
            return self.span
        half = Fraction(Decimal(1).scaleb(int(self.number.as_tuple().exponent))) / 2
        value = Fraction(self.number)
        return Span(low=max(value - half, Fraction(0)), high=value + half, high_open=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A line of the report that gave no row, and why. Never its text."""

    id: str
    place: str
    reason: Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Sentence:
    """One sentence for a person, from a template, with the ids of the rows that it rests on."""

    template: str
    text: str
    rows: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessment:
    """How one row lies.

    Attributes:
        basis: What it was compared with; ``source`` cites it where it was not the report itself.
        span: The range used, in the row's unit; None where there was none or several agreed.
        reasons: Why the flag was withheld; empty else.
        urgent: The number, if it is what the paper shows, is at or beyond a critical limit, or the
            report itself marks it as critical.
    """

    row: Row
    flag: Flag
    basis: Basis = Basis.NONE
    source: str = ""
    context: str = ""
    span: Span | None = None
    reasons: tuple[Reason, ...] = ()
    related: tuple[str, ...] = ()
    urgent: bool = False
    urgent_source: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LabReport:
    """Everything that was read from one file.

    Attributes:
        kind: ``fhir``, ``hl7v2``, ``table``, ``pdf`` or ``scan``.
        skipped: Things that are no lab results (vital signs, letterheads), counted only.
    """

    kind: str
    results: tuple[Assessment, ...]
    refusals: tuple[Refusal, ...]
    sentences: tuple[Sentence, ...]
    skipped: int = 0
