"""A lab report out: JSON, and FHIR R4 with an interpretation or the reason why there is none.

Nothing here has an identity to give away: ids are r1, r2, ..., times are days after the first
sample, places are line numbers, and every word is from our own tables.
"""

import json
import uuid
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from safelight.readers.labs import analytes, words
from safelight.readers.labs.model import Assessment, Basis, Flag, LabReport, Span

__all__ = ["as_fhir", "as_json"]

_INTERPRETATION: Final = {
    Flag.LOW: ("L", "Low"),
    Flag.HIGH: ("H", "High"),
    Flag.WITHIN: ("N", "Normal"),  # HL7's word for "inside the range"
    Flag.CRITICAL_LOW: ("LL", "Critical low"),
    Flag.CRITICAL_HIGH: ("HH", "Critical high"),
}
_AS_MARKED: Final = {Flag.LOW: Flag.CRITICAL_LOW, Flag.HIGH: Flag.CRITICAL_HIGH}
_SYSTEM: Final = "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation"
_RANGE_MEANING: Final = "http://terminology.hl7.org/CodeSystem/referencerange-meaning"
_ABSENT: Final = "http://terminology.hl7.org/CodeSystem/data-absent-reason"
_SPACE: Final = uuid.uuid5(uuid.NAMESPACE_URL, "urn:safelight:labs")
_UCUM: Final = "http://unitsofmeasure.org"
_CATEGORY: Final = {
    "coding": [
        {
            "system": "http://terminology.hl7.org/CodeSystem/observation-category",
            "code": "laboratory",
        }
    ]
}


def _bounds(span: Span | None) -> dict[str, Any] | None:
    if span is None:
        return None
    return {
        "low": None if span.low is None else words.decimal(span.low),
        "high": None if span.high is None else words.decimal(span.high),
        "low_open": span.low_open,
        "high_open": span.high_open,
    }


def _row(each: Assessment) -> dict[str, Any]:
    row = each.row
    return {
        "id": row.id,
        "place": row.place,
        "person": row.person,
        "day": row.day,
        "analyte": row.analyte,
        "name": analytes.get(row.analyte).name,
        "loinc": row.loinc,
        "known_by": "name" if row.by_name else "code",
        "value": f"{row.number:f}",
        "comparator": row.comparator,
        "unit": row.unit,
        "specimen": row.specimen,
        "flag": each.flag.value,
        "basis": each.basis.value,
        "source": each.source,
        "context": each.context,
        "range": _bounds(each.span),
        "reasons": [reason.value for reason in each.reasons],
        "related": list(each.related),
        "report_mark": row.mark,
        "urgent": each.urgent,
    }


def as_json(report: LabReport) -> dict[str, Any]:
    """Return the report as one JSON document: numbers are text, exact as printed."""
    return {
        "kind": report.kind,
        "results": [_row(each) for each in report.results],
        "refused": [
            {"id": each.id, "place": each.place, "reason": each.reason.value}
            for each in report.refusals
        ],
        "skipped": report.skipped,
        "sentences": [
            {"template": each.template, "text": each.text, "rows": list(each.rows)}
            for each in report.sentences
        ],
        "notice": words.LOINC_NOTICE,
    }


def _quantity(number: str, unit: str, comparator: str = "") -> dict[str, Any]:
    shown: dict[str, Any] = {"value": _json_number(number)}
    if comparator:
        shown["comparator"] = comparator
    return {**shown, "unit": unit, "system": _UCUM, "code": unit}


def _json_number(text: str) -> int | float:
    number = Decimal(text)
    return int(number) if number == number.to_integral_value() else float(text)


def _range(each: Assessment) -> list[Mapping[str, Any]]:
    if each.span is None:
        return []
    shown: dict[str, Any] = {}
    if each.span.low is not None:
        shown["low"] = _quantity(words.decimal(each.span.low), each.row.unit)
    if each.span.high is not None:
        shown["high"] = _quantity(words.decimal(each.span.high), each.row.unit)
    meaning = "normal" if each.basis is Basis.PRINTED else "recommended"
    shown["type"] = {"coding": [{"system": _RANGE_MEANING, "code": meaning}]}
    if each.source and each.basis is not Basis.PRINTED:
        shown["text"] = f"{words.shown_range(each.span)} ({each.source})"
    return [shown]


def _observation(each: Assessment, said: str) -> dict[str, Any]:
    """Return one Observation.

    A number that may be misread is not put out as a value: ``dataAbsentReason`` stands in its place
    (FHIR R4 obs-6 allows only one of them), and the note says what was read.
    """
    row = each.row
    code: dict[str, Any] = {"text": analytes.get(row.analyte).name}
    if row.loinc:
        code["coding"] = [{"system": "http://loinc.org", "code": row.loinc}]
    told: dict[str, Any] = {
        "resourceType": "Observation",
        "id": row.id,
        "status": "preliminary",
        "category": [_CATEGORY],
        "code": code,
        "subject": {"display": f"person {row.person}"},
        "note": [{"text": said}],
    }
    if words.misread(each):
        told["dataAbsentReason"] = {"coding": [{"system": _ABSENT, "code": "error"}]}
        return told
    told["valueQuantity"] = _quantity(f"{row.number:f}", row.unit, row.comparator)
    flag = _AS_MARKED.get(each.flag, each.flag) if row.marked_critical else each.flag
    if flag in _INTERPRETATION:
        mark, display = _INTERPRETATION[flag]
        coding = {"system": _SYSTEM, "code": mark, "display": display}
        told["interpretation"] = [{"coding": [coding]}]
    if shown := _range(each):
        told["referenceRange"] = shown
    return told


def as_fhir(report: LabReport) -> dict[str, Any]:
    """Return a FHIR R4 Bundle (collection) of a DiagnosticReport and its Observations."""
    said: dict[str, str] = {}
    for each in report.sentences:
        if each.template not in {"next", "refused", "critical-if", "critical-mark"}:
            said.setdefault(each.rows[0], each.text)
    observations = [_observation(each, said[each.row.id]) for each in report.results]
    observations += [
        {
            "resourceType": "Observation",
            "id": line.id,
            "status": "preliminary",
            "category": [_CATEGORY],
            "code": {"text": f"not read: {line.place}"},
            "dataAbsentReason": {
                "coding": [{"system": _ABSENT, "code": "unknown"}],
                "text": words.reason(line.reason),
            },
        }
        for line in report.refusals
    ]
    whole = json.dumps(observations, sort_keys=True)
    summary = {
        "resourceType": "DiagnosticReport",
        "id": "labs",
        "status": "preliminary",
        "code": {"coding": [{"system": "http://loinc.org", "code": "11502-2"}]},
        "result": [{"reference": _url(each, whole)} for each in observations],
        "conclusion": " ".join(
            each.text for each in report.sentences if each.template in words.URGENT | {"next"}
        ),
        "text": {
            "status": "additional",
            "div": f'<div xmlns="http://www.w3.org/1999/xhtml"><p>{words.LOINC_NOTICE}</p></div>',
        },
    }
    if not summary["conclusion"]:
        del summary["conclusion"]
    return {
        "resourceType": "Bundle",
        "type": "collection",
        "entry": [
            {"fullUrl": _url(each, whole), "resource": each} for each in (summary, *observations)
        ],
    }


def _url(resource: Mapping[str, Any], whole: str) -> str:
    """Return what a resource is referred to by in its bundle (FHIR R4 2.36.4): it has no server.

    The same results give the same, other results another.
    """
    return uuid.uuid5(_SPACE, f"{resource['resourceType']}/{resource['id']} {whole}").urn
