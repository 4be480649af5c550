"""A reading as DICOM Structured Report: Comprehensive 3D SR, TID 1500 Measurement Report.

PS3.16 TID 1500 with TID 1501 groups: one for what the image is and its measurements, one for each
reader with TID 4019 Algorithm Identification (name, version, digest of its card). Answers use codes
of our own: "not seen by this reader" is not SNOMED CT's "absent". What readers abstained from is in
it with its reason; sentences stand as comments (121106, DCM).
"""

import copy
import hashlib
import math
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

import highdicom as hd
from highdicom import sr as templates
from pydicom.dataset import Dataset
from pydicom.sr.codedict import codes
from pydicom.sr.coding import Code as Concept

from safelight import __version__
from safelight.readers.reading import Finding, Measurement, Reading
from safelight.readers.reading_json import dumps
from safelight.reports import words
from safelight.reports.dicom import (
    MANUFACTURER,
    common,
    concept,
    header_of,
    line,
    own,
    scheme_item,
    uid,
    written,
)

if TYPE_CHECKING:
    from highdicom.sr import MeasurementsAndQualitativeEvaluations as Group

__all__ = ["structured_report"]

_COMMENT: Final = Concept("121106", "DCM", "Comment")
_SOURCE: Final = Concept("121112", "DCM", "Source of Measurement")
_PROCEDURE: Final = Concept("363679005", "SCT", "Imaging procedure")
_NO_UNIT: Final = Concept("1", "UCUM", "no units")
_TEXT_MOST: Final = 1024
_SERIES_NUMBER: Final = 9901
_UCUM: Final = re.compile(r"[!-\[\]-~]+")  # UCUM 3: printable ASCII; without a backslash
_PLACES: Final = 12  # characters that a DS value of ours takes at most: see _decimal


def structured_report(
    reading: Reading, dataset: Dataset | None, *, clinician: bool = False, number: int = 1
) -> bytes:
    """Return the SR as a DICOM file.

    Args:
        reading: What was read.
        dataset: Header of the de-identified input it was read from; None when it is not DICOM. The
            report then refers to the secondary capture of the same reading.
        clinician: Put in answers of readers in shadow as well, marked.
        number: Its Instance Number: reports of one study are one series.
    """
    header = header_of(dataset, reading.source)
    image = _image(header, dataset)
    groups = [_whole(reading, image)]
    groups += [
        _reader(each, image, clinician=clinician)
        for each in words.shown(reading, clinician=clinician)
    ]
    device = templates.DeviceObserverIdentifyingAttributes(
        uid=uid("device", __version__),
        name=MANUFACTURER,
        manufacturer_name=MANUFACTURER,
        model_name=f"Safelight {__version__}",
    )
    observer = templates.ObserverContext(
        observer_type=codes.DCM.Device, observer_identifying_attributes=device
    )
    report = templates.MeasurementReport(
        observation_context=templates.ObservationContext(observer_device_context=observer),
        procedure_reported=_PROCEDURE,
        imaging_measurements=groups,
        title=codes.DCM.ImagingMeasurementReport,
    )
    name = uid("structured report", str(clinician), reading.source, hash_of(reading))
    nameless = copy.deepcopy(header)
    nameless.PatientName = ""  # a pseudonym is no name with parts: it is set below
    document = templates.Comprehensive3DSR(
        evidence=[nameless],
        content=report[0],
        series_instance_uid=uid("structured report series", str(header.StudyInstanceUID)),
        series_number=_SERIES_NUMBER,
        sop_instance_uid=name,
        instance_number=number,
        manufacturer=MANUFACTURER,
        is_complete=True,
    )
    for keyword, value in common(header).items():
        setattr(document, keyword, value)
    document.SeriesDescription = "Safelight reading, unverified"
    document.CodingSchemeIdentificationSequence = [scheme_item()]
    return written(document)


def hash_of(reading: Reading) -> str:
    """Return a digest of all that a reading says."""
    return hashlib.sha256(dumps(reading)).hexdigest()


def _image(header: Dataset, dataset: Dataset | None) -> Any:
    """Return the reference to what was read; the notes say which frame of it was.

    IMAGE refers to an image alone, anything else is a COMPOSITE (PS3.3 C.18.3, C.18.4).
    """
    names = (str(header.SOPClassUID), str(header.SOPInstanceUID))
    if dataset is None or "Rows" in dataset:
        return templates.SourceImageForMeasurementGroup(
            referenced_sop_class_uid=names[0], referenced_sop_instance_uid=names[1]
        )
    return hd.sr.CompositeContentItem(
        name=_SOURCE,
        referenced_sop_class_uid=names[0],
        referenced_sop_instance_uid=names[1],
        relationship_type=hd.sr.RelationshipTypeValues.CONTAINS,
    )


def _group(image: Any, **told: Any) -> "Group":
    """Return a group on what was read; its template knows source images alone."""
    if isinstance(image, templates.SourceImageForMeasurementGroup):
        return templates.MeasurementsAndQualitativeEvaluations(source_images=[image], **told)
    group = templates.MeasurementsAndQualitativeEvaluations(**told)
    group[0].ContentSequence.append(image)
    return group


def _whole(reading: Reading, image: Any) -> "Group":
    """Return the group on the whole image: kind, measurements, notes."""
    kind = reading.kind.kind
    what = own(kind.name.lower(), kind.value) if kind else own("not-sure", "not sure")
    evaluations = [
        templates.QualitativeEvaluation(own("kind", "Kind of image, as recognised"), what)
    ]
    evaluations += [
        templates.QualitativeEvaluation(
            own("quality", "What harms reading the image"), own(issue.code, issue.code)
        )
        for issue in reading.quality
    ]
    measured = [_measurement(each) for each in reading.measurements if _decimal(each.value)]
    evaluations += [
        templates.QualitativeEvaluation(concept(each.name), own("not-computed", "not computed"))
        for each in reading.measurements
        if not _decimal(each.value)
    ]
    group = _group(
        image,
        tracking_identifier=_tracking(reading, "image"),
        algorithm_id=templates.AlgorithmIdentification(
            name="safelight", version=line(reading.software)
        ),
        measurements=measured,
        qualitative_evaluations=evaluations,
    )
    told = [*words.kind_of(reading.kind), *map(words.plain, reading.notes)]
    told += [words.plain(issue.text) for issue in reading.quality]
    told += [
        f"{each.name.meaning}: not computed: {each.refused}"
        for each in reading.measurements
        if not _decimal(each.value)
    ]
    told += [
        f"{each.name.meaning}: {each.method}" + (f", {each.place}" if each.place else "")
        for each in reading.measurements
        if _decimal(each.value)
    ]
    _comment(group, [*told, words.NOT_A_DIAGNOSIS])
    return group


def _reader(finding: Finding, image: Any, *, clinician: bool) -> "Group":
    """Return one reader's group."""
    parameters = [f"card sha256={finding.card}", f"alpha={finding.alpha!r}"]
    if finding.features:
        parameters.append(f"features sha256={finding.features}")
    shown = words.numbers_of(finding, clinician=clinician)
    measured = [
        templates.Measurement(name=name, value=value, unit=_NO_UNIT)
        for name, value in (
            (own("p-seen", "Conformal p-value of having the finding"), finding.p_seen),
            (own("p-not-seen", "Conformal p-value of not having the finding"), finding.p_not_seen),
            (own("score", "Score of the reader"), finding.score),
        )
        if value is not None and _decimal(value) and shown
    ]
    answer = own(finding.answer.name.lower(), f"{finding.answer.value} by this reader")
    evaluations = [
        templates.QualitativeEvaluation(own("answer", "Answer of the reader"), answer),
        templates.QualitativeEvaluation(
            own("state", "What the publication gate allows"),
            own(finding.state.value, finding.state.value),
        ),
    ]
    group = _group(
        image,
        tracking_identifier=templates.TrackingIdentifier(
            uid=uid("finding", finding.reader, finding.version, finding.features),
            identifier=line(finding.reader),
        ),
        finding_type=concept(finding.finding),
        algorithm_id=templates.AlgorithmIdentification(
            name=line(finding.reader), version=line(finding.version), parameters=parameters
        ),
        measurements=measured,
        qualitative_evaluations=evaluations,
    )
    _comment(group, _sentences(finding))
    return group


def _sentences(finding: Finding) -> Iterator[str]:
    if words.in_shadow(finding):
        yield words.SHADOW
    if finding.research_only:
        yield words.RESEARCH
    yield words.answer_of(finding)
    if finding.reason:
        yield words.plain(finding.reason)
    yield from words.counts(finding)
    for each in finding.cannot_see:
        yield f"Limits: {words.plain(each)}"
    if finding.next_step:
        yield words.plain(finding.next_step)


def _tracking(reading: Reading, what: str) -> Any:
    return templates.TrackingIdentifier(uid=uid(what, reading.source), identifier=what)


def _measurement(each: Measurement) -> Any:
    return templates.Measurement(
        name=concept(each.name), value=float(_decimal(each.value)), unit=_unit(each.unit)
    )


def _unit(ucum: str) -> Concept:
    """Return a unit as it is: a long one goes into Long Code Value (PS3.3 8.8, PS3.16 CID 85).

    What UCUM cannot have written is a unit of our own, and not a measurement without one.
    """
    if ucum in ("", "1"):
        return _NO_UNIT
    if _UCUM.fullmatch(ucum):
        return Concept(ucum, "UCUM", line(ucum))
    return own(ucum, ucum)


def _decimal(value: float | None) -> str:
    """Return a value as DICOM can hold it; empty when there is none."""
    if value is None or not math.isfinite(value):
        return ""
    return f"{value:.{_PLACES - 4}g}"


def _comment(group: "Group", sentences: "Iterator[str] | list[str]") -> None:
    """Add sentences to a group; TID 1501 is extensible."""
    content = group[0].ContentSequence
    for sentence in sentences:
        if not sentence:
            continue
        content.append(
            hd.sr.TextContentItem(
                name=_COMMENT,
                value=line(sentence, _TEXT_MOST),
                relationship_type=hd.sr.RelationshipTypeValues.CONTAINS,
            )
        )
