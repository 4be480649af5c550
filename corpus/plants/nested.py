"""Plants in sequences: listed and unlisted, one to six deep, each length encoding."""

from pydicom.dataset import Dataset
from pydicom.sequence import Sequence as Items

from corpus.bases import code
from corpus.encode import dataset_bytes, element, item
from corpus.kinds import kind, register
from corpus.model import Work

__all__: list[str] = []


def _deep(depth: int) -> None:
    def plant(w: Work) -> bool:
        place = "00081032"
        inner = code("24627-2", "LN", w.fill("{name} chest", place))
        inner.add_new(0x00404036, "LO", w.fill("{w}", place))
        inner.ReferencedSOPInstanceUID = _uid(w, place)
        for level in range(depth - 1):
            outer = code("24627-2", "LN", "CT Chest")
            outer.ContextUID = "1.2.840.10008.6.1.308"
            outer.PurposeOfReferenceCodeSequence = Items([inner])
            outer.is_undefined_length_sequence_item = bool((level + depth) % 2)
            inner = outer
        w.ds.ProcedureCodeSequence = Items([inner])
        w.ds[0x00081032].is_undefined_length = bool(depth % 2)
        return True

    register(f"nested.depth-{depth}", plant, every=6)


def _uid(w: Work, place: str) -> str:
    uid = w.uid()
    w.plant(uid, place, "uid")
    return uid


for _depth in range(1, 7):
    _deep(_depth)


@kind("nested.RequestAttributesSequence", every=2)
def _request(w: Work) -> bool:
    place, ds = "00400275", Dataset()
    ds.RequestedProcedureID = w.fill("{tok}", place)
    ds.ScheduledProcedureStepID = w.fill("{tok}", place)
    ds.RequestedProcedureDescription = w.fill("CT CHEST {name}", place)
    ds.ScheduledProcedureStepDescription = w.fill("CT CHEST {w}", place)
    ds.ReasonForTheRequestedProcedure = w.fill("Pain; {w}", place)
    ds.AccessionNumber = w.fill("{tok}", place)
    ds.RequestedProcedureCodeSequence = Items(
        [code("24627-2", "LN", w.fill("CT Chest {w}", place))]
    )
    w.ds.RequestAttributesSequence = Items([ds])
    w.key.descriptors.append({"place": "00400275/0/00400007", "words": ["CT", "CHEST"]})
    return True


@kind("nested.OriginalAttributesSequence", every=3)
def _original(w: Work) -> bool:
    place, ds, old = "04000561", Dataset(), Dataset()
    old.PatientName = w.fill("{w}^{w2}", place)
    old.PatientID = w.fill("{tok}", place)
    ds.ModifiedAttributesSequence = Items([old])
    ds.ModifyingSystem = w.fill("{w} PACS", place)
    ds.SourceOfPreviousValues = w.fill("{w}", place)
    ds.AttributeModificationDateTime = "20190203101112"
    ds.ReasonForTheAttributeModification = "CORRECT"
    w.ds.OriginalAttributesSequence = Items([ds])
    return True


@kind("nested.ReferencedPatientSequence", every=4)
def _patient(w: Work) -> bool:
    ds = Dataset()
    ds.ReferencedSOPClassUID = "1.2.840.10008.3.1.2.1.1"
    ds.ReferencedSOPInstanceUID = _uid(w, "00081120")
    w.ds.ReferencedPatientSequence = Items([ds])
    return True


@kind("nested.SourceImageSequence", every=4)
def _source(w: Work) -> bool:
    ds = Dataset()
    ds.ReferencedSOPClassUID = "1.2.840.10008.5.1.4.1.1.2"
    ds.ReferencedSOPInstanceUID = _uid(w, "00082112")
    ds.PurposeOfReferenceCodeSequence = Items([code("121320", "DCM", w.fill("{w}", "00082112"))])
    w.ds.SourceImageSequence = Items([ds])
    return True


@kind("nested.unlisted-sequence", every=3)
def _unlisted(w: Work) -> bool:
    place, ds = "00180026", Dataset()
    ds.InterventionDrugName, ds.PatientName = w.fill("{w}", place), w.fill("{w}^{w2}", place)
    ds.add_new(0x00104000, "LT", w.fill("{name} again", place))
    w.ds.add_new(0x00180026, "SQ", Items([ds]))
    return True


@kind("nested.ContributingEquipmentSequence", every=3)
def _equipment(w: Work) -> bool:
    place, ds = "0018A001", Dataset()
    ds.Manufacturer, ds.InstitutionName = "Agfa", w.fill("{w} Clinic", place)
    ds.OperatorsName, ds.StationName = w.fill("{w}^{w2}", place), w.fill("{tok}", place)
    ds.ContributionDescription = w.fill("by {w}", place)
    w.ds.ContributingEquipmentSequence = Items([ds])
    return True


@kind("nested.charset-of-item", every=4)
def _item_charset(w: Work) -> bool:
    """Plant under an item's own character set, other than the file's."""
    place, ds = "00081111", Dataset()
    ds.SpecificCharacterSet = "ISO_IR 144"
    ds.ReferencedSOPClassUID = "1.2.840.10008.3.1.2.3.3"
    ds.ReferencedSOPInstanceUID = _uid(w, place)
    ds.add_new(0x00104000, "LT", "Привет Жуховерцев")
    if w.person.index == 3:
        w.plant("Жуховерцев", place)
    ds.add_new(0x00081070, "PN", w.fill("{w}", place))
    w.ds.ReferencedPerformedProcedureStepSequence = Items([ds])
    return True


@kind("nested.un-sequence", every=5)
def _un_sequence(w: Work) -> bool:
    """Plant in a known sequence that is encoded as UN with items in implicit VR."""
    inner = Dataset()
    inner.PatientID = w.fill("{tok}", "00101002")
    inner.IssuerOfPatientID = w.fill("{w}", "00101002")
    if "OtherPatientIDsSequence" in w.ds:
        del w.ds.OtherPatientIDsSequence
    body = item(dataset_bytes(inner, explicit=False))
    if not w.explicit or not w.little:
        return False
    w.raw.append((0x00101002, element(0x00101002, "UN", body, explicit=True)))
    return True


@kind("nested.un-sequence-undefined-length", every=5)
def _un_undefined(w: Work) -> bool:
    inner = Dataset()
    inner.add_new(0x00081050, "PN", w.fill("{w}^{w2}", "00081084"))
    if not w.explicit or not w.little or 0x00081084 in w.ds:
        return False
    body = item(dataset_bytes(inner, explicit=False)) + bytes.fromhex("feffdde000000000")
    w.raw.append((0x00081084, element(0x00081084, "UN", body, explicit=True, length=0xFFFFFFFF)))
    return True


@kind("nested.un-sequence-unknown-tag", every=6)
def _un_unknown(w: Work) -> bool:
    inner = Dataset()
    inner.add_new(0x00104000, "LT", w.fill("{w} hidden", "00409F97"))
    body = item(dataset_bytes(inner, explicit=False))
    w.raw.append(
        (0x00409F97, element(0x00409F97, "UN", body, explicit=w.explicit, little=w.little))
    )
    return bool(w.little)


@kind("nested.icon-image-items", every=4)
def _icon(w: Work) -> bool:
    place, ds = "00880200", Dataset()
    ds.SamplesPerPixel, ds.PhotometricInterpretation, ds.Rows, ds.Columns = 1, "MONOCHROME2", 8, 8
    ds.BitsAllocated = ds.BitsStored = 8
    ds.HighBit, ds.PixelRepresentation = 7, 0
    ds.ImageComments = w.fill("icon of {w}", place)
    text = w.fill("{w}{w2}", place).encode()
    ds.add_new(0x7FE00010, "OB", (text + bytes(64))[:64])
    w.ds.IconImageSequence = Items([ds])
    return True


@kind("nested.PersonIdentificationCode", every=4)
def _person_code(w: Work) -> bool:
    place, ds = "00404035", Dataset()
    ds.HumanPerformerName, ds.HumanPerformerOrganization = (
        w.fill("{w}^{w2}", place),
        w.fill("{w}", place),
    )
    ds.HumanPerformerCodeSequence = Items(
        [code(w.fill("{tok}", place), "99HP", w.fill("{w}", place))]
    )
    w.ds.ActualHumanPerformersSequence = Items([ds])
    return True


@kind("nested.functional-group-text", families=("ENH",), every=1)
def _functional(w: Work) -> bool:
    group = w.ds.PerFrameFunctionalGroupsSequence[0].FrameContentSequence[0]
    group.FrameComments = w.fill("Frame of {name}", "52009230")
    group.FrameLabel = w.fill("{w}", "52009230")
    return True


@kind("nested.dimension-label", families=("ENH", "SEG"), every=2)
def _dimension(w: Work) -> bool:
    ds = Dataset()
    ds.DimensionDescriptionLabel = w.fill("Stack {w}", "00209222")
    ds.DimensionIndexPointer, ds.FunctionalGroupPointer = 0x00209056, 0x00209111
    w.ds.DimensionIndexSequence = Items([ds])
    return True
