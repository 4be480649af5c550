"""Plants beside words that must survive: descriptors, and text off Table E.1-1."""

from pydicom.datadict import dictionary_VR, tag_for_keyword

from corpus.kinds import register
from corpus.model import Work

__all__: list[str] = []

IMAGES = ("CT", "MR", "PT", "NM", "CR", "DX", "MG", "US", "SC", "ENH")

# kind, keyword, templates, words that must survive in each, families, one in so many files
_ROWS: tuple[tuple[str, str, tuple[tuple[str, str], ...], tuple[str, ...], int], ...] = (
    (
        "descriptor.StudyDescription",
        "StudyDescription",
        (
            ("CT CHEST W CONTRAST for {name}", "CT CHEST CONTRAST"),
            ("{caps} MRI BRAIN WITHOUT CONTRAST", "MRI BRAIN WITHOUT CONTRAST"),
            ("XR KNEE LEFT 2 VIEWS ({comma})", "XR KNEE LEFT VIEWS"),
            ("US ABDOMEN COMPLETE {initial}", "US ABDOMEN COMPLETE"),
            ("Abdomen/Pelvis {low} follow-up", "Abdomen Pelvis"),
            ("MR LUMBAR SPINE-{glued}", "MR LUMBAR SPINE"),
            ("{under} PET CT WHOLE BODY", "PET CT WHOLE BODY"),
            ("CT HEAD {caret} {id}", "CT HEAD"),
        ),
        (),
        1,
    ),
    (
        "descriptor.SeriesDescription",
        "SeriesDescription",
        (
            ("AX T2 FLAIR {rev}", "AX T2 FLAIR"),
            ("SAG T1 POST GAD Dr. {w}", "SAG T1 POST"),
            ("LUNG 1.25mm {id}", "LUNG"),
            ("COR STIR {tok}", "COR STIR"),
            ("DWI b1000 ADC {initial_after}", "DWI ADC"),
        ),
        (),
        1,
    ),
    (
        "descriptor.ProtocolName",
        "ProtocolName",
        (("Thorax Routine {w}", "Thorax Routine"), ("Brain tumor {name}", "Brain tumor")),
        (),
        2,
    ),
    (
        "descriptor.ImageComments",
        "ImageComments",
        (
            ("Motion artifact. Discussed with Dr. {w} {w2}.", "Motion artifact"),
            ("Small nodule in left lung, seen by {name}", "nodule left lung"),
            ("Contrast delay 60 s, call +44 20 7946 0{tok}", "Contrast delay"),
        ),
        (),
        2,
    ),
    (
        "descriptor.DerivationDescription",
        "DerivationDescription",
        (("Lossless JPEG compression by {w}", "Lossless JPEG compression"),),
        IMAGES,
        3,
    ),
    (
        "descriptor.RequestedProcedureDescription",
        "RequestedProcedureDescription",
        (("CT ABDOMEN PELVIS W CONTRAST {w}", "CT ABDOMEN PELVIS CONTRAST"),),
        (),
        2,
    ),
    (
        "descriptor.PerformedProcedureStepDescription",
        "PerformedProcedureStepDescription",
        (("MRI knee right for {w} {w2}", "MRI knee right"),),
        (),
        3,
    ),
    (
        "descriptor.AcquisitionProtocolDescription",
        "AcquisitionProtocolDescription",
        (("Abdomen arterial phase {w}", "Abdomen arterial phase"),),
        (),
        4,
    ),
    (
        "descriptor.ContrastBolusAgent",
        "ContrastBolusAgent",
        (("Iohexol 350 {w}", "Iohexol"), ("Gadolinium, {name}", "Gadolinium")),
        ("CT", "MR"),
        3,
    ),
    (
        "descriptor.AcquisitionDeviceProcessingDescription",
        "AcquisitionDeviceProcessingDescription",
        (("Edge enhancement by {w}", "Edge enhancement"),),
        ("CR", "DX", "MG"),
        2,
    ),
    ("offtable.ConvolutionKernel", "ConvolutionKernel", (("B30f {w}", "B30f"),), ("CT",), 3),
    ("offtable.FilterType", "FilterType", (("BODY {w}", "BODY"),), ("CT",), 3),
    ("offtable.SequenceName", "SequenceName", (("tse2d1 {w}", ""),), ("MR",), 3),
    ("offtable.PulseSequenceName", "PulseSequenceName", (("{w}", ""),), ("MR", "ENH"), 3),
    ("offtable.BodyPartExamined", "BodyPartExamined", (("{w}", ""),), ("CT", "CR", "NM"), 4),
    ("offtable.ScanOptions", "ScanOptions", (("{tok}", ""),), ("CT", "MR"), 5),
    ("offtable.SoftwareVersions", "SoftwareVersions", (("syngo {w}", ""),), (), 4),
    ("offtable.ReceiveCoilName", "ReceiveCoilName", (("Head coil {w}", ""),), ("MR",), 3),
    ("offtable.TransmitCoilName", "TransmitCoilName", (("Body {w}", ""),), ("MR",), 4),
    ("offtable.FilterMaterial", "FilterMaterial", (("{w}", ""),), ("CT", "CR", "DX"), 4),
    ("offtable.ViewName", "ViewName", (("Apical {w}", ""),), ("US",), 1),
    ("offtable.StageName", "StageName", (("Rest {w}", ""),), ("US",), 2),
    ("offtable.TransducerData", "TransducerData", (("S5-1 {w}", ""),), ("US",), 2),
    (
        "offtable.ExposureControlModeDescription",
        "ExposureControlModeDescription",
        (("AEC set by {w}", ""),),
        ("DX", "CR"),
        2,
    ),
    ("offtable.GridID", "GridID", (("{tok}", ""),), ("DX", "MG", "CR"), 3),
    ("offtable.Grid", "Grid", (("{tok}", ""),), ("DX", "CR"), 4),
    ("offtable.LUTExplanation", "LUTExplanation", (("LUT of {w}", ""),), IMAGES, 5),
    ("offtable.RescaleType", "RescaleType", (("{tok}", ""),), ("PT",), 3),
    ("offtable.CollimatorGridName", "CollimatorGridName", (("{w}", ""),), ("NM", "CR"), 3),
    (
        "offtable.RandomsCorrectionMethod",
        "RandomsCorrectionMethod",
        (("DLYD {w}", ""),),
        ("PT",),
        2,
    ),
    ("offtable.ReconstructionMethod", "ReconstructionMethod", (("OSEM {w}", ""),), ("PT",), 2),
    ("offtable.TypeOfDetectorMotion", "TypeOfDetectorMotion", (("{tok}", ""),), ("PT", "NM"), 4),
    (
        "offtable.AcquisitionDeviceTypeText",
        "DigitizingDeviceTransportDirection",
        (("{tok}", ""),),
        ("CR", "SC"),
        4,
    ),
    ("offtable.ManufacturerModelName", "ManufacturerModelName", (("Model of Dr. {w}", ""),), (), 9),
    ("offtable.Manufacturer", "Manufacturer", (("Made for {w}", ""),), (), 11),
    ("offtable.ImageGeometryType", "ImageGeometryType", (("{tok}", ""),), IMAGES, 8),
    ("offtable.RecognitionCode", "RecognitionCode", (("{tok}", ""),), (), 8),
    ("offtable.StudyStatusID", "StudyStatusID", (("{tok}", ""),), (), 8),
    ("offtable.DataSetSubtype", "DataSetSubtype", (("{tok}", ""),), (), 8),
    ("offtable.VariableNextDataGroup", "IdentifyingComments", (("{w} {w2}", ""),), (), 6),
    (
        "offtable.LossyImageCompressionMethod",
        "LossyImageCompressionMethod",
        (("{tok}", ""),),
        ("CR", "SC"),
        4,
    ),
    ("offtable.SetTypeAndUnits", "Units", (("{tok}", ""),), ("PT",), 5),
    ("offtable.ContentLabel", "ContentLabel", (("{tok}", ""),), ("PR", "SEG"), 2),
    (
        "offtable.ContentDescription",
        "ContentDescription",
        (("Lesion, {w}", "Lesion"),),
        ("PR", "SEG"),
        2,
    ),
    (
        "offtable.DocumentTitle",
        "DocumentTitle",
        (("Report for {w}", ""), ("Report of {name}", "")),
        ("PDF", "CDA"),
        1,
    ),
    (
        "offtable.RTPlanName",
        "RTPlanName",
        (("Prostate boost {w}", "Prostate boost"),),
        ("RTPLAN",),
        2,
    ),
    ("offtable.RTPlanDescription", "RTPlanDescription", (("Plan by {w}", ""),), ("RTPLAN",), 2),
    (
        "offtable.PrescriptionDescription",
        "PrescriptionDescription",
        (("78 Gy, {w}", ""),),
        ("RTPLAN",),
        2,
    ),
    ("offtable.TreatmentSites", "TreatmentSites", (("Pelvis {w}", ""),), ("RTPLAN",), 2),
)


def _row(
    name: str,
    keyword: str,
    templates: tuple[tuple[str, str], ...],
    families: tuple[str, ...],
    every: int,
) -> None:
    tag = tag_for_keyword(keyword)
    if tag is None:
        raise ValueError(keyword)
    vr = dictionary_VR(tag)
    limit = 64 if vr == "LO" else None

    def plant(w: Work) -> bool:
        template, words = templates[w.plan.index % len(templates)]
        place = f"{tag:08X}"
        text = w.fill(template, place)
        w.ds.add_new(tag, vr, text if limit is None else text[:limit])
        if words:
            w.key.descriptors.append({"place": place, "words": words.split()})
        return True

    register(name, plant, families=families, every=every)


for _name, _keyword, _templates, _families, _every in _ROWS:
    _row(_name, _keyword, _templates, _families, _every)


def _image_type(w: Work) -> bool:
    values = [*w.ds.get("ImageType", ["ORIGINAL", "PRIMARY"]), "OTHER", "OTHER"][:3]
    w.ds.ImageType = [*values, w.fill("{tok}", "00080008")]
    return True


def _window(w: Work) -> bool:
    w.ds.WindowCenterWidthExplanation = ["BRAIN", w.fill("{name}", "00281055")]
    return True


def _meaning(w: Work) -> bool:
    from corpus.bases import code  # noqa: PLC0415 - keeps the table free of object code

    w.ds.AnatomicRegionSequence = [code("39607008", "SCT", w.fill("Lung of {name}", "00082218"))]
    w.key.descriptors.append({"place": "00082218/0/00080104", "words": ["Lung"]})
    return True


def _scheme(w: Work) -> bool:
    from corpus.bases import code  # noqa: PLC0415 - keeps the table free of object code

    item = code(w.fill("{tok}", "00082228"), w.fill("99{tok}", "00082228")[:16], "Lung")
    item.CodingSchemeVersion = w.fill("{tok}", "00082228")[:16]
    w.ds.PrimaryAnatomicStructureSequence = [item]
    return True


def _lossy(w: Work) -> bool:
    w.ds.add_new(0x00080061, "CS", [w.ds.get("Modality", "OT"), w.fill("{tok}", "00080061")])
    return True


register("offtable.ImageType-value-4", _image_type, families=IMAGES, every=2)
register("offtable.WindowCenterWidthExplanation", _window, families=("CT", "MR", "CR"), every=3)
register("offtable.CodeMeaning", _meaning, families=IMAGES, every=3)
register("offtable.CodeValue-and-scheme", _scheme, families=IMAGES, every=4)
register("offtable.ModalitiesInStudy-value-2", _lossy, every=5)
