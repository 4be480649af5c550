"""Plants that only one kind of object has: reports, annotations, structures, plans, waveforms."""

from typing import Any

from pydicom.dataset import Dataset
from pydicom.sequence import Sequence as Items

from corpus.bases import code
from corpus.kinds import kind
from corpus.model import Work
from corpus.objects import sr_item

__all__: list[str] = []

REPORTS = ("SR", "KO")
_CONTENT = "0040A730"


def _say(w: Work, kind_: str, concept: Dataset, **values: Any) -> bool:
    w.ds.ContentSequence.append(sr_item(kind_, "CONTAINS", concept, **values))
    return True


@kind("sr.text", families=REPORTS, every=1)
def _text(w: Work) -> bool:
    value = w.fill("{name} has a nodule in the left lung. Discussed with Dr. {w} {w2}.", _CONTENT)
    place = f"{_CONTENT}/{len(w.ds.ContentSequence)}/0040A160"
    w.key.descriptors.append({"place": place, "words": ["nodule", "left", "lung"]})
    return _say(w, "TEXT", code("121071", "DCM", "Finding"), TextValue=value)


@kind("sr.person-name", families=REPORTS, every=1)
def _person(w: Work) -> bool:
    name = w.fill("{w}^{w2}", _CONTENT)
    return _say(w, "PNAME", code("121008", "DCM", "Person Observer Name"), PersonName=name)


@kind("sr.uid", families=REPORTS, every=1)
def _uid(w: Work) -> bool:
    uid = w.uid()
    w.plant(uid, _CONTENT, "uid")
    return _say(w, "UIDREF", code("121012", "DCM", "Device Observer UID"), UID=uid)


@kind("sr.date-and-time", families=REPORTS, every=1)
def _dates(w: Work) -> bool:
    stamp = w.plan.moment
    place = f"{_CONTENT}/{len(w.ds.ContentSequence)}/0040A120"
    value = stamp.strftime("%Y%m%d%H%M%S")
    w.key.moments.append({"date": place, "time": "", "value": value})
    _say(w, "DATETIME", code("111526", "DCM", "DateTime Started"), DateTime=value)
    place = f"{_CONTENT}/{len(w.ds.ContentSequence)}/0040A121"
    w.plant(stamp.strftime("%Y%m%d"), place, "exact")
    return _say(
        w, "DATE", code("121031", "DCM", "Subject Birth Date"), Date=stamp.strftime("%Y%m%d")
    )


@kind("sr.code-meaning", families=REPORTS, every=2)
def _meaning(w: Work) -> bool:
    value = code(w.fill("{tok}", _CONTENT), "99LOCAL", w.fill("Clinic of {w}", _CONTENT))
    return _say(
        w,
        "CODE",
        code("121046", "DCM", w.fill("Site {w}", _CONTENT)),
        ConceptCodeSequence=Items([value]),
    )


@kind("sr.deep-text", families=("SR",), every=1)
def _deep(w: Work) -> bool:
    item = sr_item(
        "TEXT", "CONTAINS", code("121071", "DCM", "Finding"), TextValue=w.fill("{w}", _CONTENT)
    )
    for _ in range(4):
        item = sr_item(
            "CONTAINER",
            "CONTAINS",
            code("125007", "DCM", "Measurement Group"),
            ContentSequence=Items([item]),
        )
    w.ds.ContentSequence.append(item)
    return True


@kind("sr.observers", families=REPORTS, every=2)
def _observers(w: Work) -> bool:
    place, ds = "0040A073", Dataset()
    ds.VerifyingObserverName = w.fill("{w}^{w2}", place)
    ds.VerifyingOrganization = w.fill("{w} Hospital", place)
    ds.VerificationDateTime = w.plan.moment.strftime("%Y%m%d%H%M%S")
    ds.VerifyingObserverIdentificationCodeSequence = Items(
        [code(w.fill("{tok}", place), "99", w.fill("{w}", place))]
    )
    w.ds.VerifyingObserverSequence = Items([ds])
    author = Dataset()
    author.ObserverType, author.PersonName = "PSN", w.fill("{w}^{w2}", "0040A078")
    author.InstitutionName = w.fill("{w}", "0040A078")
    w.ds.AuthorObserverSequence = Items([author])
    return True


@kind("gsps.text-object", families=("PR",), every=1)
def _gsps(w: Work) -> bool:
    w.ds.GraphicAnnotationSequence[0].TextObjectSequence[0].UnformattedTextValue = w.fill(
        "{name} {w}", "00700001"
    )
    return True


@kind("gsps.layer-and-creator", families=("PR", "SEG"), every=1)
def _layer(w: Work) -> bool:
    if "GraphicLayerSequence" in w.ds:
        w.ds.GraphicLayerSequence[0].GraphicLayerDescription = w.fill("Marks of {w}", "00700060")
    w.ds.ContentCreatorName = w.fill("{w}^{w2}", "00700084")
    return True


@kind("gsps.compound-graphic", families=("PR",), every=2)
def _compound(w: Work) -> bool:
    tick = Dataset()
    tick.TickLabel, tick.TickPosition = w.fill("{w}", "00700001"), 0.5
    compound = Dataset()
    compound.CompoundGraphicType, compound.MajorTicksSequence = "RULER", Items([tick])
    w.ds.GraphicAnnotationSequence[0].CompoundGraphicSequence = Items([compound])
    return True


@kind("seg.segment-text", families=("SEG",), every=1)
def _segment(w: Work) -> bool:
    if "SegmentSequence" not in w.ds:
        return False
    one = w.ds.SegmentSequence[0]
    one.SegmentDescription = w.fill("Liver drawn by {w}", "00620002")
    one.SegmentAlgorithmName = w.fill("{w}", "00620002")
    one.TrackingID, one.TrackingUID = w.fill("{tok}", "00620002"), w.uid()
    w.plant(str(one.TrackingUID), "00620002", "uid")
    return True


@kind("rtstruct.roi-names", families=("RTSTRUCT",), every=1)
def _roi(w: Work) -> bool:
    w.ds.StructureSetROISequence[0].ROIName = w.fill("Prostate {w}", "30060020")
    w.ds.StructureSetROISequence[1].ROIDescription = w.fill("Seen by {name}", "30060020")
    w.key.descriptors.append({"place": "30060020/0/30060026", "words": ["Prostate"]})
    return True


@kind("rtstruct.interpreter", families=("RTSTRUCT",), every=1)
def _interpreter(w: Work) -> bool:
    one = w.ds.RTROIObservationsSequence[0]
    one.ROIInterpreter = w.fill("{w}^{w2}", "30060080")
    one.ROIObservationLabel = w.fill("{w}", "30060080")
    one.ROIObservationDescription = w.fill("Checked by {w}", "30060080")
    return True


@kind("rtstruct.labels", families=("RTSTRUCT",), every=1)
def _labels(w: Work) -> bool:
    w.ds.StructureSetLabel = w.fill("{tok}", "30060002")
    w.ds.StructureSetName = w.fill("{name}", "30060004")
    w.ds.StructureSetDescription = w.fill("Bladder full, {w}", "30060006")
    w.key.descriptors.append({"place": "30060006", "words": ["Bladder"]})
    return True


@kind("rtplan.labels", families=("RTPLAN",), every=1)
def _plan(w: Work) -> bool:
    w.ds.RTPlanLabel = w.fill("{tok}", "300A0002")
    if "BeamSequence" in w.ds:
        w.ds.BeamSequence[0].BeamName = w.fill("{w}", "300A00B0")
        w.ds.BeamSequence[0].BeamDescription = w.fill("Beam for {name}", "300A00B0")
        w.ds.BeamSequence[0].TreatmentMachineName = w.fill("{tok}", "300A00B0")
    return True


@kind("rtplan.approval", families=("RTPLAN", "RTSTRUCT"), every=1)
def _approval(w: Work) -> bool:
    w.ds.ApprovalStatus, w.ds.ReviewerName = "APPROVED", w.fill("{w}^{w2}", "300E0008")
    return True


@kind("ecg.annotation", families=("ECG",), every=1)
def _ecg(w: Work) -> bool:
    w.ds.WaveformAnnotationSequence[0].UnformattedTextValue = w.fill(
        "{name} sinus rhythm, {w}", "0040B020"
    )
    return True


@kind("ecg.channel-labels", families=("ECG",), every=1)
def _channel(w: Work) -> bool:
    if "WaveformSequence" not in w.ds:
        return False
    w.ds.WaveformSequence[0].MultiplexGroupLabel = w.fill("{w}", "54000100")
    w.ds.WaveformSequence[0].ChannelDefinitionSequence[0].ChannelLabel = w.fill("{w}", "54000100")
    return True


@kind("pet.radiopharmaceutical-text", families=("PT",), every=1)
def _pet(w: Work) -> bool:
    drug = w.ds.RadiopharmaceuticalInformationSequence[0]
    drug.Radiopharmaceutical = w.fill("FDG {w}", "00540016")
    drug.RadiopharmaceuticalRoute = w.fill("{w}", "00540016")
    drug.RadiopharmaceuticalVolume = "1.5"
    return True


@kind("us.region-and-patient-text", families=("US",), every=1)
def _us(w: Work) -> bool:
    if "SequenceOfUltrasoundRegions" in w.ds:
        w.ds.SequenceOfUltrasoundRegions[0].add_new(0x00104000, "LT", w.fill("{w}", "00186011"))
    return True


@kind("document.source-text", families=("PDF", "CDA"), every=1)
def _document(w: Work) -> bool:
    w.ds.ConceptNameCodeSequence = Items([code("18748-4", "LN", w.fill("Report {w}", "0040A043"))])
    return True
