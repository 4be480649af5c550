"""Objects that are not plain images: SR, KO, GSPS, SEG, RT, ECG, PDF, CDA, enhanced multi-frame."""

import copy
import io
from typing import Any

import numpy as np
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence as Items

from corpus.bases import BIG, DEFLATED, EXPLICIT, IMPLICIT, NATIVE, Builder, bundled, code, pixels
from corpus.model import Plan, Work

__all__ = ["OBJECT_BASES"]


def reference(w: Work, item: Dataset, target: Plan, place: str) -> None:
    """Point ``item`` at ``target`` and record that the reference must still resolve."""
    item.ReferencedSOPClassUID = target.sop_class
    item.ReferencedSOPInstanceUID = target.sop_uid
    w.key.references.append({"place": f"{place}/00081155", "target": target.sop_uid})


def _evidence(w: Work, keyword: str, tag: str) -> None:
    studies: dict[str, dict[str, list[Plan]]] = {}
    for target in w.plan.targets:
        studies.setdefault(target.study_uid, {}).setdefault(target.series_uid, []).append(target)
    outer = []
    for i, (study, series) in enumerate(studies.items()):
        one = Dataset()
        one.StudyInstanceUID = study
        inner = []
        for j, (series_uid, targets) in enumerate(series.items()):
            two = Dataset()
            two.SeriesInstanceUID = series_uid
            items = []
            for k, target in enumerate(targets):
                three = Dataset()
                reference(w, three, target, f"{tag}/{i}/00081115/{j}/00081199/{k}")
                items.append(three)
            two.ReferencedSOPSequence = Items(items)
            inner.append(two)
        one.ReferencedSeriesSequence = Items(inner)
        outer.append(one)
    setattr(w.ds, keyword, Items(outer))


def sr_item(kind: str, relation: str, concept: Dataset | None, **values: Any) -> Dataset:
    """Return one content item of a structured report."""
    item = Dataset()
    if relation:
        item.RelationshipType = relation
    item.ValueType = kind
    if concept is not None:
        item.ConceptNameCodeSequence = Items([concept])
    for keyword, value in values.items():
        setattr(item, keyword, value)
    return item


def _number(value: str, concept: Dataset) -> Dataset:
    measured = Dataset()
    measured.NumericValue = value
    measured.MeasurementUnitsCodeSequence = Items([code("mm", "UCUM", "millimeter")])
    return sr_item("NUM", "CONTAINS", concept, MeasuredValueSequence=Items([measured]))


def sr(w: Work) -> None:
    """Fill a comprehensive SR whose tree nests six deep."""
    ds = w.ds
    ds.SOPClassUID, ds.Modality = "1.2.840.10008.5.1.4.1.1.88.33", "SR"
    ds.Manufacturer, ds.ManufacturerModelName = "Merge Healthcare", "Merge PACS"
    ds.ValueType, ds.ContinuityOfContent = "CONTAINER", "SEPARATE"
    ds.ConceptNameCodeSequence = Items([code("126000", "DCM", "Imaging Measurement Report")])
    ds.CompletionFlag, ds.VerificationFlag = "COMPLETE", "UNVERIFIED"
    _evidence(w, "CurrentRequestedProcedureEvidenceSequence", "0040A375")
    finding = code("121071", "DCM", "Finding")
    content = [
        sr_item("TEXT", "CONTAINS", finding, TextValue="No acute abnormality. Mild emphysema."),
        _number(f"{12 + w.plan.index / 10:.1f}", code("103339001", "SCT", "Long Axis")),
        _number("7.25", code("103340004", "SCT", "Short Axis")),
        sr_item(
            "CODE",
            "CONTAINS",
            code("363698007", "SCT", "Finding Site"),
            ConceptCodeSequence=Items([code("39607008", "SCT", "Lung")]),
        ),
    ]
    for target in w.plan.targets[:2]:
        pointer = Dataset()
        place = f"0040A730/{len(content)}/00081199/0"
        reference(w, pointer, target, place)
        content.append(
            sr_item(
                "IMAGE",
                "CONTAINS",
                code("121112", "DCM", "Source of Measurement"),
                ReferencedSOPSequence=Items([pointer]),
            )
        )
    deep = _number("3.5", code("81827009", "SCT", "Diameter"))
    for level in range(4):
        deep = sr_item(
            "CONTAINER",
            "CONTAINS",
            code("125007", "DCM", "Measurement Group"),
            ContinuityOfContent="SEPARATE",
            ContentSequence=Items([deep]),
        )
        deep.is_undefined_length_sequence_item = bool(level % 2)
    content.append(deep)
    ds.ContentSequence = Items(content)


def ko(w: Work) -> None:
    """Fill a key object selection."""
    ds = w.ds
    ds.SOPClassUID, ds.Modality = "1.2.840.10008.5.1.4.1.1.88.59", "KO"
    ds.Manufacturer = "Agfa"
    ds.ValueType, ds.ContinuityOfContent = "CONTAINER", "SEPARATE"
    ds.ConceptNameCodeSequence = Items([code("113000", "DCM", "Of Interest")])
    _evidence(w, "CurrentRequestedProcedureEvidenceSequence", "0040A375")
    content = []
    for i, target in enumerate(w.plan.targets):
        pointer = Dataset()
        reference(w, pointer, target, f"0040A730/{i}/00081199/0")
        content.append(sr_item("IMAGE", "CONTAINS", None, ReferencedSOPSequence=Items([pointer])))
    content.append(
        sr_item(
            "TEXT",
            "CONTAINS",
            code("113012", "DCM", "Key Object Description"),
            TextValue="Lesion in segment VI",
        )
    )
    ds.ContentSequence = Items(content)


def gsps(w: Work) -> None:
    """Fill a greyscale presentation state with text and graphics."""
    ds = w.ds
    ds.SOPClassUID, ds.Modality = "1.2.840.10008.5.1.4.1.1.11.1", "PR"
    ds.Manufacturer = "Agfa"
    ds.PresentationCreationDate = w.plan.moment.strftime("%Y%m%d")
    ds.PresentationCreationTime = w.plan.moment.strftime("%H%M%S")
    ds.ContentLabel, ds.ContentDescription = "LESION", "Lesion marks"
    series = Dataset()
    series.SeriesInstanceUID = w.plan.targets[0].series_uid if w.plan.targets else w.plan.series_uid
    items = []
    for i, target in enumerate(w.plan.targets):
        pointer = Dataset()
        reference(w, pointer, target, f"00081115/0/00081140/{i}")
        items.append(pointer)
    series.ReferencedImageSequence = Items(items)
    ds.ReferencedSeriesSequence = Items([series])
    area = Dataset()
    area.DisplayedAreaTopLeftHandCorner, area.DisplayedAreaBottomRightHandCorner = [1, 1], [64, 64]
    area.PresentationSizeMode, area.PresentationPixelAspectRatio = "SCALE TO FIT", [1, 1]
    ds.DisplayedAreaSelectionSequence = Items([area])
    ds.PresentationLUTShape = "IDENTITY"
    text = Dataset()
    text.BoundingBoxAnnotationUnits, text.UnformattedTextValue = "PIXEL", "Lesion 1"
    text.BoundingBoxTopLeftHandCorner, text.BoundingBoxBottomRightHandCorner = (
        [5.0, 5.0],
        [50.0, 20.0],
    )
    text.BoundingBoxTextHorizontalJustification = "LEFT"
    layer = Dataset()
    layer.GraphicLayer, layer.TextObjectSequence = "LAYER1", Items([text])
    ds.GraphicAnnotationSequence = Items([layer])
    order = Dataset()
    order.GraphicLayer, order.GraphicLayerOrder = "LAYER1", 1
    order.GraphicLayerDescription = "Marks"
    ds.GraphicLayerSequence = Items([order])


def seg(w: Work) -> None:
    """Fill a binary segmentation of two frames."""
    ds = w.ds
    ds.SOPClassUID, ds.Modality = "1.2.840.10008.5.1.4.1.1.66.4", "SEG"
    ds.ImageType, ds.SegmentationType = ["DERIVED", "PRIMARY"], "BINARY"
    ds.Manufacturer, ds.ManufacturerModelName = "Siemens Healthineers", "syngo.via"
    ds.ContentLabel, ds.ContentDescription = "LIVER", "Liver segmentation"
    ds.FrameOfReferenceUID, ds.LossyImageCompression = w.plan.frame_uid, "00"
    segment = Dataset()
    segment.SegmentNumber, segment.SegmentLabel = 1, "Liver"
    segment.SegmentDescription = "Whole liver"
    segment.SegmentAlgorithmType, segment.SegmentAlgorithmName = "AUTOMATIC", "Watershed"
    segment.SegmentedPropertyCategoryCodeSequence = Items(
        [code("123037004", "SCT", "Anatomical Structure")]
    )
    segment.SegmentedPropertyTypeCodeSequence = Items([code("10200004", "SCT", "Liver")])
    ds.SegmentSequence = Items([segment])
    series = Dataset()
    series.SeriesInstanceUID = w.plan.targets[0].series_uid if w.plan.targets else w.plan.series_uid
    pointers = []
    for i, target in enumerate(w.plan.targets):
        pointer = Dataset()
        reference(w, pointer, target, f"00081115/0/0008114A/{i}")
        pointers.append(pointer)
    series.ReferencedInstanceSequence = Items(pointers)
    ds.ReferencedSeriesSequence = Items([series])
    ds.Rows, ds.Columns, ds.SamplesPerPixel, ds.NumberOfFrames = 16, 16, 1, 2
    ds.PhotometricInterpretation = "MONOCHROME2"
    ds.BitsAllocated = ds.BitsStored = 1
    ds.HighBit = ds.PixelRepresentation = 0
    bits = np.random.default_rng(w.plan.index).integers(0, 256, 64, dtype="u1")
    ds.add_new(0x7FE00010, "OB", bits.tobytes())


def rtstruct(w: Work) -> None:
    """Fill an RT structure set with two contoured ROIs."""
    ds = w.ds
    ds.SOPClassUID, ds.Modality = "1.2.840.10008.5.1.4.1.1.481.3", "RTSTRUCT"
    ds.Manufacturer, ds.ManufacturerModelName = "Varian Medical Systems", "ARIA RadOnc"
    ds.StructureSetLabel, ds.StructureSetName = "PLAN1", "Prostate"
    ds.StructureSetDate = w.plan.moment.strftime("%Y%m%d")
    ds.StructureSetTime = w.plan.moment.strftime("%H%M%S")
    frame = Dataset()
    frame.FrameOfReferenceUID = w.plan.targets[0].frame_uid if w.plan.targets else w.plan.frame_uid
    study, series = Dataset(), Dataset()
    study.ReferencedSOPClassUID = "1.2.840.10008.3.1.2.3.1"
    study.ReferencedSOPInstanceUID = w.plan.study_uid
    series.SeriesInstanceUID = w.plan.targets[0].series_uid if w.plan.targets else w.plan.series_uid
    images = []
    for i, target in enumerate(w.plan.targets):
        pointer = Dataset()
        reference(w, pointer, target, f"30060010/0/30060012/0/30060014/0/30060016/{i}")
        images.append(pointer)
    series.ContourImageSequence = Items(images)
    study.RTReferencedSeriesSequence = Items([series])
    frame.RTReferencedStudySequence = Items([study])
    ds.ReferencedFrameOfReferenceSequence = Items([frame])
    rois, contours, observations = [], [], []
    for number, name in enumerate(("Prostate", "Bladder"), 1):
        roi = Dataset()
        roi.ROINumber, roi.ROIName, roi.ROIGenerationAlgorithm = number, name, "MANUAL"
        roi.ReferencedFrameOfReferenceUID = frame.FrameOfReferenceUID
        rois.append(roi)
        contour, line = Dataset(), Dataset()
        contour.ROIDisplayColor, contour.ReferencedROINumber = [255, 0, 0], number
        line.ContourGeometricType, line.NumberOfContourPoints = "CLOSED_PLANAR", 4
        base = w.plan.index + number / 10
        line.ContourData = [base, 1.5, 2, base + 10, 1.5, 2, base + 10, 9, 2, base, 9, 2]
        contour.ContourSequence = Items([line])
        contours.append(contour)
        seen = Dataset()
        seen.ObservationNumber = seen.ReferencedROINumber = number
        seen.ROIObservationLabel, seen.RTROIInterpretedType, seen.ROIInterpreter = name, "ORGAN", ""
        observations.append(seen)
    ds.StructureSetROISequence = Items(rois)
    ds.ROIContourSequence = Items(contours)
    ds.RTROIObservationsSequence = Items(observations)


def _take(w: Work, name: str, skip: tuple[str, ...] = ()) -> None:
    for elem in bundled(name):
        if elem.keyword not in skip and elem.keyword not in w.ds:
            w.ds.add(copy.deepcopy(elem))


def rtplan(w: Work) -> None:
    """Fill an RT plan from the bundled one."""
    _take(w, "rtplan.dcm")
    w.ds.RTPlanLabel, w.ds.RTPlanDate = "PLAN1", w.plan.moment.strftime("%Y%m%d")
    w.ds.RTPlanTime = w.plan.moment.strftime("%H%M%S")
    w.ds.Modality = "RTPLAN"


def ecg(w: Work) -> None:
    """Fill a waveform from the bundled ECG, with annotations."""
    _take(w, "waveform_ecg.dcm")
    note = Dataset()
    note.UnformattedTextValue = "Sinus rhythm"
    note.AnnotationGroupNumber = 1
    w.ds.WaveformAnnotationSequence = Items([note])
    w.ds.Modality = "ECG"


def pdf(w: Work) -> None:
    """Fill an encapsulated PDF; its pages carry the person's name and a finding."""
    ds = w.ds
    ds.SOPClassUID, ds.Modality = "1.2.840.10008.5.1.4.1.1.104.1", "DOC"
    ds.Manufacturer, ds.ConversionType, ds.BurnedInAnnotation = "Agfa", "WSD", "YES"
    ds.DocumentTitle, ds.MIMETypeOfEncapsulatedDocument = "Radiology report", "application/pdf"
    w.kind = "pdf.text"
    lines = [
        w.fill(text, "00420011") for text in ("Patient: {name} ({id})", "Seen by Dr. {w} {w2}")
    ]
    lines += ["CT chest with contrast: no acute abnormality.", w.fill("Ref {tok}", "00420011")]
    w.kind = "pdf.metadata"
    title, author = w.fill("Report {w}", "00420011"), w.fill("{w}", "00420011")
    data = make_pdf(lines, title=title, author=author, plain=w.plan.index % 2 == 0)
    ds.EncapsulatedDocumentLength = len(data)
    ds.EncapsulatedDocument = data + b"\0" * (len(data) % 2)


def make_pdf(lines: list[str], *, title: str, author: str, plain: bool) -> bytes:
    """Return a one-page PDF; ``plain`` leaves its streams uncompressed."""
    from reportlab.pdfgen.canvas import Canvas  # noqa: PLC0415 - only two bases need it

    out = io.BytesIO()
    canvas = Canvas(out, pageCompression=0 if plain else 1, invariant=1)
    canvas.setTitle(title)
    canvas.setAuthor(author)
    for i, line in enumerate(lines):
        canvas.drawString(72, 760 - 16 * i, line)
    canvas.save()
    return out.getvalue()


def cda(w: Work) -> None:
    """Fill an encapsulated CDA document."""
    ds = w.ds
    ds.SOPClassUID, ds.Modality = "1.2.840.10008.5.1.4.1.1.104.2", "DOC"
    ds.Manufacturer, ds.ConversionType = "Agfa", "WSD"
    ds.DocumentTitle, ds.MIMETypeOfEncapsulatedDocument = "Discharge summary", "text/XML"
    place = "00420011"
    w.kind = "cda.header"
    head = w.fill(
        '<recordTarget><patientRole><id extension="{id}"/><addr><city>{w}</city></addr>'
        "<patient><name><given>{name}</given></name></patient></patientRole></recordTarget>",
        place,
    )
    w.kind = "cda.author"
    author = w.fill(
        "<author><assignedAuthor><name>Dr. {w} {w2}</name></assignedAuthor></author>", place
    )
    w.kind = "cda.text"
    body = w.fill("<text>Seen with {w} {w2}. No acute abnormality. MRN-{tok}</text>", place)
    w.kind = "cda.attribute-and-comment"
    tail = w.fill('<!-- dictated by {w} --><value displayName="{w2}"/>', place)
    data = (
        '<?xml version="1.0" encoding="UTF-8"?><ClinicalDocument xmlns="urn:hl7-org:v3">'
        f"{head}{author}<component><section>{body}{tail}</section></component></ClinicalDocument>"
    ).encode()
    ds.EncapsulatedDocumentLength = len(data)
    ds.EncapsulatedDocument = data + b" " * (len(data) % 2)


def enhanced(w: Work) -> None:
    """Fill an enhanced MR (even files) or CT (odd files) with functional groups."""
    ds = w.ds
    is_mr = w.plan.index % 2 == 0
    ds.SOPClassUID = "1.2.840.10008.5.1.4.1.1.4.1" if is_mr else "1.2.840.10008.5.1.4.1.1.2.1"
    ds.Modality = "MR" if is_mr else "CT"
    ds.ImageType = ["ORIGINAL", "PRIMARY", "DIFFUSION" if is_mr else "VOLUME", "NONE"]
    ds.Manufacturer = "Philips Medical Systems"
    ds.ManufacturerModelName = "Ingenia" if is_mr else "IQon"
    ds.AcquisitionDateTime = w.plan.moment.strftime("%Y%m%d%H%M%S.%f") + "+0100"
    ds.PixelPresentation, ds.VolumetricProperties = "MONOCHROME", "VOLUME"
    ds.FrameOfReferenceUID, ds.BurnedInAnnotation = w.plan.frame_uid, "NO"
    ds.PatientPosition = "HFS"
    frames = []
    for number in range(2):
        group, content, plane, orient = Dataset(), Dataset(), Dataset(), Dataset()
        content.FrameAcquisitionNumber, content.StackID, content.InStackPositionNumber = (
            1,
            "1",
            number + 1,
        )
        content.FrameAcquisitionDateTime = ds.AcquisitionDateTime
        plane.ImagePositionPatient = [0, 0, 2.5 * number]
        orient.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
        group.FrameContentSequence, group.PlanePositionSequence = Items([content]), Items([plane])
        group.PlaneOrientationSequence = Items([orient])
        if is_mr:
            diffusion = Dataset()
            diffusion.DiffusionBValue, diffusion.DiffusionDirectionality = 800.0, "ISOTROPIC"
            group.MRDiffusionSequence = Items([diffusion])
        frames.append(group)
    shared, measures, values = Dataset(), Dataset(), Dataset()
    measures.PixelSpacing, measures.SliceThickness = [1.5, 1.5], "2.5"
    values.RescaleIntercept, values.RescaleSlope, values.RescaleType = "0", "1", "US"
    shared.PixelMeasuresSequence = Items([measures])
    shared.PixelValueTransformationSequence = Items([values])
    ds.SharedFunctionalGroupsSequence = Items([shared])
    ds.PerFrameFunctionalGroupsSequence = Items(frames)
    pixels(w, 32, 32, frames=2)


OBJECT_BASES: dict[str, tuple[str, tuple[str, ...], Builder]] = {
    "sr": ("SR", (EXPLICIT, IMPLICIT, DEFLATED, BIG), sr),
    "ko": ("KO", (EXPLICIT, IMPLICIT), ko),
    "gsps": ("PR", (EXPLICIT, IMPLICIT), gsps),
    "seg": ("SEG", (EXPLICIT,), seg),
    "rtstruct": ("RTSTRUCT", (IMPLICIT, EXPLICIT, BIG), rtstruct),
    "rtplan": ("RTPLAN", (IMPLICIT, EXPLICIT), rtplan),
    "ecg": ("ECG", (EXPLICIT,), ecg),
    "pdf": ("PDF", (EXPLICIT,), pdf),
    "cda": ("CDA", (EXPLICIT,), cda),
    "enhanced": ("ENH", NATIVE, enhanced),
}
