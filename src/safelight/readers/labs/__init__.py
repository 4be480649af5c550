"""The lab reader: results from FHIR, HL7 v2, tables, PDF and photographs.

    report = read(data, sex="F", age=41)

It computes and never guesses: a line that cannot be mapped for certain is refused with its reason,
a result that does not fit the others gets no flag, and no sentence names an illness (docs/labs.md).
"""

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from typing import Final

from safelight.deid.photos import KINDS
from safelight.errors import SettingsError, UnreadableInputError
from safelight.intake.kinds import HEAD_BYTES, sniff
from safelight.readers.labs import fhir_in, hl7_in, judge, limits, paper_in, table_in, words
from safelight.readers.labs import rows as mapping
from safelight.readers.labs.model import (
    Assessment,
    Basis,
    Flag,
    LabReport,
    Person,
    PrintedRange,
    RawRow,
    Reason,
    Refusal,
    Row,
    Sentence,
    Span,
)

__all__ = [
    "Assessment",
    "Basis",
    "Flag",
    "LabReport",
    "Person",
    "PrintedRange",
    "Reason",
    "Refusal",
    "Row",
    "Sentence",
    "Span",
    "kind_of",
    "read",
]

_READERS: Final[dict[str, Callable[[bytes, Person], tuple[list[RawRow], int]]]] = {
    "fhir": fhir_in.read,
    "hl7v2": hl7_in.read,
    "table": table_in.read,
    "pdf": paper_in.read,
    "scan": paper_in.read_scan,
    "photo": paper_in.read_photo,
}
_LARGEST: Final = 256 * 1024 * 1024
_OLDEST: Final = 130


def kind_of(data: bytes) -> str:
    """Return what a file is, from its bytes: ``fhir``, ``hl7v2``, ``table``, ``pdf``, ``photo``.

    Raises:
        UnreadableInputError: It is none of these, empty, or too large.
    """
    if not data.strip():
        raise UnreadableInputError("the file is empty")
    if len(data) > _LARGEST:
        raise UnreadableInputError("the file is larger than lab reports are")
    head = data[:1024].removeprefix(b"\xef\xbb\xbf").lstrip(b" \t\r\n\x0b")
    if b"%PDF-" in data[:1024]:
        return "pdf"
    if sniff(data[:HEAD_BYTES], size=len(data)) in KINDS:
        return "photo"
    if head[:1] in {b"{", b"["}:
        return "fhir"
    if head[:3] in {b"MSH", b"FHS", b"BHS"}:
        return "hl7v2"
    if head[:1] == b"<":
        raise UnreadableInputError(
            "XML is not read for results", todo="export the report as FHIR JSON, HL7 v2 or CSV"
        )
    return "table"


def read(
    data: bytes,
    *,
    sex: str = "",
    age: float | Fraction | None = None,
    trimester: int | None = None,
    sites: str = "",
    before: bytes | None = None,
    uncleaned: bytes | None = None,
    scanned: bool = False,
) -> LabReport:
    """Return every result of one file with its flag, or why it has none.

    Args:
        data: The file. A PDF must be de-identified already; of the other formats nothing but codes,
            numbers and units is taken over, so that no name can come along.
        sex: ``F``, ``M`` or empty where not known.
        age: In years, None where not known.
        trimester: 1 to 3 in pregnancy, 0 when not pregnant, None where not known.
        sites: Text of a site's TOML file with limits of its own.
        before: An earlier report of the same person, to compare with.
        uncleaned: The PDF before de-identification: only rows that are the same in both are used.
        scanned: The PDF is a scan: its pages are read as pictures. It need not be de-identified,
            since only numbers and words of our own tables are taken over, as of other formats.

    Raises:
        UnreadableInputError: The file is none that can be read.
        LimitExceededError: It is larger than is read.
        SettingsError: Sex, age or the site's file cannot be used.
    """
    told = _person(sex, age, trimester)
    book = limits.book(sites)
    kind = kind_of(data)
    kind = "scan" if kind == "pdf" and scanned else kind
    raws, skipped = _READERS[kind](data, told)
    if uncleaned is not None and kind == "pdf":
        raws = paper_in.untouched(raws, paper_in.read(uncleaned, told)[0])
    found, refused = mapping.rows(raws)
    earlier: list[Row] = []
    if before is not None:
        old, _ = _READERS[kind_of(before)](before, told)
        earlier, _ = mapping.rows(old)
        if len({row.person for row in earlier}) > 1 or len({row.person for row in found}) > 1:
            raise SettingsError("reports of several people cannot be compared with each other")
        earlier = [replace(row, day=None) for row in earlier]
    results = judge.assess(found, book, earlier)
    return LabReport(
        kind=kind,
        results=results,
        refusals=tuple(refused),
        sentences=words.about(results, refused),
        skipped=skipped,
    )


def _person(sex: str, age: float | Fraction | None, trimester: int | None) -> Person:
    """Return what was told of the person.

    Raises:
        SettingsError: It cannot be.
    """
    if sex.upper() not in {"", "F", "M"}:
        raise SettingsError("sex is F or M, or left out")
    if age is not None and not 0 <= age <= _OLDEST:
        raise SettingsError("age is in years, from 0 to 130")
    if trimester not in {None, 0, 1, 2, 3}:
        raise SettingsError("trimester is 1, 2 or 3 (0 when not pregnant)")
    years = None if age is None else Fraction(age).limit_denominator(1000)
    return Person(sex=sex.upper(), age=years, trimester=trimester)
