"""Lab results that were handed in: read by the worker, kept for the person, shown as a table.

What is kept is the JSON of the lab reader: numbers, words of our own tables, places and reasons. It
has no field that could hold an identity (docs/labs.md).
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Final

from safelight import __version__
from safelight.deid.photos import KINDS
from safelight.errors import SafelightError, StoreError
from safelight.pipeline.problem import Problem
from safelight.pipeline.submissions import object_name
from safelight.readers.reading import ViewKind
from safelight.types import Kind, Status
from safelight.web.said import LabRow, LabsView, UnreadRow

if TYPE_CHECKING:
    from safelight.readers.labs import LabReport
    from safelight.vault import Vault

__all__ = [
    "HOLDING",
    "LABS",
    "PAPERLIKE",
    "Found",
    "bundle",
    "dumps",
    "kept",
    "loads",
    "look",
    "manifest",
    "view",
]

LABS: Final = "labs"  # kind of lab results in the vault
MODALITY: Final = "LAB"  # what items are shown as that are results and nothing else
_PHOTOS: Final = KINDS - {Kind.HEIF}
HOLDING: Final = frozenset({Kind.UNKNOWN, Kind.PDF}) | _PHOTOS  # what files results come in
# What a picture was taken for that may show a page; no kind at all is "not sure".
PAPERLIKE: Final = frozenset({None, ViewKind.DOCUMENT, ViewKind.PHOTO, ViewKind.SCREENSHOT})
_ALARMS: Final = {"critical-low", "critical-high"}
_MOST: Final = 32 << 20  # bytes of a file that is looked at for results
_SEVERAL: Final = "it holds results of more than one person"
_NOTHING: Final = "it looks like lab results, but none of them could be read for certain"


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What was found in a file.

    Attributes:
        report: The results; None where there is only a problem to tell.
        problem: Why a file that is about results gave none, instead of what was said of it.
    """

    report: "LabReport | None"
    problem: Problem | None = None


def look(
    outcome: object, kind: Kind, original: Callable[[], bytes], clean: bytes | None
) -> Found | None:
    """Return the results in a file; None when it is not about any.

    Args:
        outcome: What de-identification said: a problem, or something that came out.
        kind: What the file is, one of ``HOLDING``.
        original: Gives the file as it was handed in.
        clean: What came out of a PDF or a picture; None when nothing did.
    """
    from safelight.readers.labs import kind_of, read  # noqa: PLC0415  # start-up cost

    held = outcome if isinstance(outcome, Problem) else None
    if held is None and clean is None:
        return None
    try:
        data = original()
        if len(data) > _MOST:
            return None
        if kind is Kind.UNKNOWN:
            if kind_of(data) not in ("fhir", "hl7v2", "table"):
                return None
            return _alone(read(data), held)
        if kind in _PHOTOS:
            return _photo(data, held)
        if clean is not None:
            report = read(clean, uncleaned=data)
            return Found(report=report) if report.results and _one_person(report) else None
        if held is not None and held.status is Status.REVIEW:
            found = _alone(read(data, scanned=True), held)
            return found if found is not None and found.report is not None else None
    except StoreError:
        raise
    except SafelightError:
        return None  # it is no report; what de-identification said of it stands
    except (KeyboardInterrupt, SystemExit, GeneratorExit):
        raise
    except BaseException:  # noqa: BLE001  # a panic of a decoder is one of these
        return None
    return None


def _photo(data: bytes, held: Problem | None) -> Found | None:
    """Return the results on a photograph of paper: beside what came out of it, or alone."""
    from safelight.readers.labs import photo_in, read  # noqa: PLC0415  # start-up cost

    if (held is not None and held.status is not Status.REVIEW) or not photo_in.seems_paper(data):
        return None
    report = read(data)
    return Found(report=report) if report.results and _one_person(report) else None


def _alone(report: "LabReport", held: Problem | None) -> Found | None:
    """Return results that are all that comes out of a file, or why they do not."""
    if not _one_person(report):
        return Found(report=None, problem=_instead(held, _SEVERAL, "hand in your own alone"))
    if report.results:
        return Found(report=report)
    telling = [each for each in report.refusals if each.reason.value not in _DUMB]
    if not telling:
        return None
    todo = "compare it with docs/labs.md, or type the results into a table (CSV)"
    return Found(report=None, problem=_instead(held, _NOTHING, todo))


_DUMB: Final = frozenset({"malformed", "unknown-analyte", "line-not-read"})  # of any table at all


def _instead(held: Problem | None, what: str, todo: str) -> Problem:
    return Problem(
        held.kind if held is not None else Kind.UNKNOWN,
        held.status if held is not None else Status.QUARANTINE,
        "labs",
        what,
        kept="the file stays where it is, and nothing of it is shown",
        todo=todo,
    )


def _one_person(report: "LabReport") -> bool:
    return len({each.row.person for each in report.results}) <= 1


def bundle(report: "LabReport") -> bytes:
    """Return what comes out in place of a file: a FHIR R4 bundle of what was read."""
    from safelight.readers.labs.out import as_fhir  # noqa: PLC0415  # start-up cost

    return json.dumps(as_fhir(report), indent=1, ensure_ascii=True).encode("ascii")


def manifest(report: "LabReport") -> bytes:
    """Return what was done to a file of which nothing but results came out."""
    told = {
        "person": "",
        "profile": LABS,
        "version": __version__,
        "notes": ["nothing but numbers, units and our own words was taken over"],
        "actions": [["the file", "lab results alone", "remove", ""]]
        + [
            [each.place, f"not read: {each.reason.value}", "remove", ""] for each in report.refusals
        ],
    }
    return json.dumps(told, ensure_ascii=True).encode("ascii")


def dumps(report: "LabReport") -> bytes:
    """Return a report as it is kept."""
    from safelight.readers.labs.out import as_json  # noqa: PLC0415  # start-up cost

    return json.dumps(as_json(report), ensure_ascii=True).encode("ascii")


def loads(data: bytes) -> "LabReport":
    """Return a report that was kept, with all that is shown or told of it.

    What its flags were worked out from (printed ranges, for whom they hold) is not kept.
    """
    from safelight.readers.labs import LabReport, Reason, Refusal, Sentence  # noqa: PLC0415  # as above

    told = json.loads(data)
    return LabReport(
        kind=told["kind"],
        results=tuple(_assessment(each) for each in told["results"]),
        refusals=tuple(
            Refusal(id=each["id"], place=each["place"], reason=Reason(each["reason"]))
            for each in told["refused"]
        ),
        sentences=tuple(
            Sentence(template=each["template"], text=each["text"], rows=tuple(each["rows"]))
            for each in told["sentences"]
        ),
        skipped=told["skipped"],
    )


def _assessment(told: Mapping[str, Any]) -> Any:
    from safelight.readers.labs import (  # noqa: PLC0415  # start-up cost
        Assessment,
        Basis,
        Flag,
        Person,
        Reason,
        Row,
        Span,
    )

    row = Row(
        id=told["id"],
        place=told["place"],
        person=told["person"],
        group="",
        analyte=told["analyte"],
        loinc=told["loinc"],
        by_name=told["known_by"] == "name",
        number=Decimal(told["value"]),
        comparator=told["comparator"],
        unit=told["unit"],
        ranges=(),
        range_fault=None,
        mark=told["report_mark"],
        specimen=told["specimen"],
        day=told["day"],
        typed=False,
        about=Person(),
    )
    span = told["range"]
    return Assessment(
        row=row,
        flag=Flag(told["flag"]),
        basis=Basis(told["basis"]),
        source=told["source"],
        context=told["context"],
        span=span
        and Span(
            low=None if span["low"] is None else Fraction(span["low"]),
            high=None if span["high"] is None else Fraction(span["high"]),
            low_open=span["low_open"],
            high_open=span["high_open"],
        ),
        reasons=tuple(Reason(each) for each in told["reasons"]),
        related=tuple(told["related"]),
        urgent=told["urgent"],
    )


def kept(vault: "Vault", person: str, submission: str, n: int) -> "LabReport | None":
    """Return the results of one file; None when it has none."""
    try:
        return loads(b"".join(vault.get(person, LABS, object_name(submission, n))))
    except StoreError:
        return None


def view(report: "LabReport") -> LabsView:
    """Return results as the page shows them."""
    from safelight.readers.labs import Flag, analytes, words  # noqa: PLC0415  # start-up cost

    doubtful = {each.row.id for each in report.results if words.misread(each)}
    return LabsView(
        rows=[
            LabRow(
                id=each.row.id,
                name=analytes.get(each.row.analyte).name,
                loinc=each.row.loinc,
                known_by="name" if each.row.by_name else "code",
                value=f"{each.row.number:f}",
                number=float(each.row.number),
                comparator=each.row.comparator,
                unit="" if each.row.unit == "1" else each.row.unit,
                low=_bound(each.span.low if each.span else None),
                high=_bound(each.span.high if each.span else None),
                flag=each.flag.value,
                urgent=each.urgent,
                marked=each.row.marked_critical and each.flag not in _ALARMS,
                doubtful=each.row.id in doubtful,
                outside=each.flag in (Flag.LOW, Flag.HIGH, Flag.CRITICAL_LOW, Flag.CRITICAL_HIGH),
                basis=each.basis.value,
                source=each.source,
                context=each.context,
                reasons=[words.reason(reason) for reason in each.reasons],
                place=each.row.place,
                day=each.row.day,
            )
            for each in report.results
        ],
        unread=[
            UnreadRow(place=each.place, reason=words.reason(each.reason))
            for each in report.refusals
        ],
        sentences=[each.text for each in report.sentences],
        notice=words.LOINC_NOTICE,
    )


def _bound(value: Fraction | None) -> float | None:
    return None if value is None else float(value)
