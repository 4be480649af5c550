"""A reading as FHIR R4: a DiagnosticReport and an Observation for each thing that was said.

HL7 FHIR R4 (4.0.1), a collection Bundle; checked with the R4B models of fhir.resources, which have
the same fields for both resources. Where a reader abstained, or a value was refused, there is a
``dataAbsentReason`` and no value (obs-6). The patient is the pseudonym, or nobody.
"""

import hashlib
import math
import uuid
from collections.abc import Mapping
from typing import Any, Final

from safelight.errors import FhirError
from safelight.readers.reading import Answer, Code, Finding, Measurement, Reading
from safelight.reports import words

__all__ = ["bundle", "validated"]

_TERMS: Final = "http://terminology.hl7.org/CodeSystem/"
_ABSENT: Final = f"{_TERMS}data-absent-reason"
_OWN: Final = "urn:safelight:reading"
_PERSON: Final = "urn:safelight:person"
_SPACE: Final = uuid.uuid5(uuid.NAMESPACE_URL, _OWN)
_TAIL: Final = 32
_UCUM: Final = "http://unitsofmeasure.org"
_SYSTEMS: Final = {
    "SCT": "http://snomed.info/sct",
    "DCM": "http://dicom.nema.org/resources/ontology/DCM",
    "LN": "http://loinc.org",
    "RADLEX": "http://radlex.org",
    "UCUM": _UCUM,
}
# Why there is no value, in HL7's words and in ours.
_WHY: Final = {
    Answer.CANNOT_TELL: ("unknown", "the reader cannot tell"),
    Answer.UNLIKE: ("unsupported", "unlike anything the reader was calibrated on"),
    Answer.NOT_MY_KIND: ("not-applicable", "not a kind of image that the reader reads"),
    Answer.SITE: ("not-permitted", "the reader is not validated for this site"),
    Answer.UNREADABLE: ("error", "the image cannot be read"),
}
_IMAGING: Final = {
    "coding": [{"system": f"{_TERMS}observation-category", "code": "imaging", "display": "Imaging"}]
}
_REPORT: Final = {"coding": [{"system": "http://loinc.org", "code": "18748-4"}]}


def bundle(reading: Reading, *, patient: str = "", study: str = "", clinician: bool = False) -> (
    dict[str, Any]
):  # fmt: skip
    """Return a reading as a valid FHIR R4 Bundle.

    Args:
        reading: What was read.
        patient: Pseudonym of the person, as in the de-identified header; empty where there is none.
        study: Study Instance UID of the de-identified input; empty where there is none.
        clinician: Put in answers of readers in shadow as well, marked, and p-values.

    Raises:
        FhirError: It cannot be said in FHIR; the place is named.
    """
    found = words.shown(reading, clinician=clinician)
    tail = hashlib.sha256(f"{reading.source} {clinician}".encode("utf-8", "replace")).hexdigest()
    observations = [_kind(reading, _named("kind", tail))]
    observations += [
        _measured(each, _named(f"measurement-{at}", tail))
        for at, each in enumerate(reading.measurements, 1)
    ]
    observations += [
        _answered(each, _named(f"answer-{at}", tail), clinician=clinician)
        for at, each in enumerate(found, 1)
    ]
    subject = {"identifier": {"system": _PERSON, "value": patient}} if patient else None
    for each in observations:
        if subject:
            each["subject"] = subject
    conclusion = [
        *words.kind_of(reading.kind),
        *(_marked(each) + words.answer_of(each) for each in found),
        words.no_reader(reading, clinician=clinician),
        words.NOT_A_DIAGNOSIS,
    ]
    report: dict[str, Any] = {
        "resourceType": "DiagnosticReport",
        "id": _named("reading", tail),
        "identifier": [{"system": _OWN, "value": reading.source}],
        "status": "preliminary",
        "category": [{"coding": [{"system": f"{_TERMS}v2-0074", "code": "RAD"}]}],
        "code": _REPORT,
        "result": [{"reference": _url(each)} for each in observations],
        "conclusion": " ".join(each for each in conclusion if each),
    }
    if subject:
        report["subject"] = subject
    if study:
        system = {"system": "urn:dicom:uid", "value": f"urn:oid:{study}"}
        report["imagingStudy"] = [{"identifier": system}]
    entries = [{"fullUrl": _url(each), "resource": each} for each in (report, *observations)]
    return validated({"resourceType": "Bundle", "type": "collection", "entry": entries})


def _named(what: str, tail: str) -> str:
    """Return the id of a resource, which no other reading's has (FHIR R4 2.24.0.1: 64 letters)."""
    return f"{what}-{tail[:_TAIL]}"


def _url(resource: Mapping[str, Any]) -> str:
    """Return what a resource is referred to by in its bundle (FHIR R4 2.36.4): it has no server."""
    return uuid.uuid5(_SPACE, f"{resource['resourceType']}/{resource['id']}").urn


def validated(resource: Mapping[str, Any]) -> dict[str, Any]:
    """Return a Bundle that the FHIR R4 model accepts.

    Raises:
        FhirError: It is not valid; the message names the place, never the value.
    """
    from fhir.resources.R4B.bundle import Bundle  # noqa: PLC0415  # 0.5 s start-up cost

    try:
        Bundle.model_validate(dict(resource))
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        told: list[Any] = getattr(error, "errors", list)()
        place = ".".join(str(part) for part in told[0]["loc"]) if told else "the resource"
        raise FhirError(
            "the reading cannot be said in FHIR R4", place=place, kept="the reading stands"
        ) from None
    return dict(resource)


def _text(text: str) -> str:
    """Return text that a FHIR string may hold: not empty, no control characters (2.24.0.1)."""
    clean = "".join(max(char, " ") for char in text if not _lone(char))
    return " ".join(clean.split()) or "unnamed"


def _lone(char: str) -> bool:
    return "\ud800" <= char <= "\udfff"


def _concept(code: Code) -> dict[str, Any]:
    told: dict[str, Any] = {"text": _text(code.meaning)}
    value = "".join(code.value.split())
    if value and not any(map(_lone, value)):
        system = _SYSTEMS.get(code.scheme, f"{_OWN}:code")
        told["coding"] = [{"system": system, "code": value, "display": _text(code.meaning)}]
    return told


def _absent(code: str, text: str) -> dict[str, Any]:
    return {"coding": [{"system": _ABSENT, "code": code}], "text": _text(text)}


def _observation(name: str, code: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "resourceType": "Observation",
        "id": name,
        "status": "preliminary",
        "category": [_IMAGING],
        "code": dict(code),
    }


def _kind(reading: Reading, name: str) -> dict[str, Any]:
    what = {"coding": [{"system": _OWN, "code": "kind"}], "text": "Kind of image, as recognised"}
    told = _observation(name, what)
    notes = [*words.kind_of(reading.kind), *map(words.plain, reading.notes)]
    notes += [words.plain(issue.text) for issue in reading.quality]
    told["note"] = [{"text": _text(each)} for each in notes if each]
    kind = reading.kind.kind
    if kind is None:
        told["dataAbsentReason"] = _absent("unknown", "the kind was not recognised")
    else:
        coding = {"system": f"{_OWN}:kind", "code": kind.name.lower(), "display": kind.value}
        told["valueCodeableConcept"] = {"coding": [coding], "text": kind.value}
    return told


def _measured(each: Measurement, name: str) -> dict[str, Any]:
    told = _observation(name, _concept(each.name))
    told["method"] = {"text": _text(each.method)}
    if each.place:
        told["note"] = [{"text": _text(f"Where: {each.place}")}]  # a place in the image
    if each.value is None or not math.isfinite(each.value):
        told["dataAbsentReason"] = _absent("not-performed", each.refused or "it is no number")
    else:
        unit = "".join(each.unit.split())
        told["valueQuantity"] = {"value": each.value}
        if unit and not any(map(_lone, unit)):
            told["valueQuantity"] |= {"unit": unit, "system": _UCUM, "code": unit}
    return told


def _marked(each: Finding) -> str:
    shadow = f"{words.SHADOW} " if words.in_shadow(each) else ""
    return shadow + (f"{words.RESEARCH} " if each.research_only else "")


def _answered(each: Finding, name: str, *, clinician: bool) -> dict[str, Any]:
    told = _observation(name, _concept(each.finding))
    told["method"] = {"text": _text(f"reader {each.reader} {each.version}, card {each.card}")}
    notes = [_marked(each) + words.answer_of(each), words.plain(each.reason), *words.counts(each)]
    notes += [f"Limits: {words.plain(line)}" for line in each.cannot_see]
    notes.append(words.plain(each.next_step))
    told["note"] = [{"text": _text(line)} for line in notes if line]
    if each.answer.decided:
        code = each.answer.name.lower().replace("_", "-")
        coding = {"system": f"{_OWN}:answer", "code": code, "display": each.answer.value}
        told["valueCodeableConcept"] = {"coding": [coding], "text": each.answer.value}
    else:
        told["dataAbsentReason"] = _absent(*_WHY[each.answer])
    values = (("p-seen", each.p_seen), ("p-not-seen", each.p_not_seen), ("score", each.score))
    parts = [
        {
            "code": {"coding": [{"system": _OWN, "code": code}], "text": code},
            "valueQuantity": {"value": value, "system": _UCUM, "code": "1"},
        }
        for code, value in values
        if clinician and value is not None and math.isfinite(value)
    ]
    if parts:
        told["component"] = parts
    return told
