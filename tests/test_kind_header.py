"""What headers say an image is, and when they say nothing or contradict themselves."""

from typing import Any

import numpy as np
import pytest
from pydicom import config
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from safelight.readers.kind.header import Says, region_of, say
from safelight.readers.reading import ViewKind
from safelight.types import Kind
from view_fixtures import bundled, dicom, photo, view

SOP = "1.2.840.10008.5.1.4.1.1."
US_KINDS = frozenset((ViewKind.BREAST_ULTRASOUND, ViewKind.OTHER_ULTRASOUND))
PIXELS = np.zeros((4, 4), np.uint8)
CR, DX, CT, MR, US = (SOP + each for each in ("1", "1.1", "2", "4", "6.1"))


def said(sop_class: str, modality: str, part: str = "", **header: Any) -> Says:
    values = {"SOPClassUID": sop_class, "Modality": modality, **header}
    if part:
        values["BodyPartExamined"] = part
    return say(view(dicom(PIXELS, **values)))


def coded(value: str, scheme: str, meaning: str) -> Sequence:
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, scheme, meaning
    return Sequence([item])


@pytest.mark.parametrize(
    ("sop_class", "modality", "part", "kind"),
    [
        (CT, "CT", "HEAD", ViewKind.HEAD_CT),
        (CT, "CT", "CHEST", ViewKind.BODY_CT),
        (CT, "CT", "CHESTABDPELVIS", ViewKind.BODY_CT),
        (CT, "CT", "Chest, Abdomen", ViewKind.BODY_CT),
        (MR, "MR", "BRAIN", ViewKind.HEAD_MR),
        (MR, "MR", "LSPINE", ViewKind.SPINE_MR),
        (MR, "MR", "L-SPINE", ViewKind.SPINE_MR),
        (MR, "MR", "KNEE", ViewKind.KNEE_MR),
        (MR, "MR", "BREAST", ViewKind.BREAST_MR),
        (MR, "MR", "LIVER", ViewKind.OTHER_MR),
        (MR, "MR", "SHOULDER", ViewKind.OTHER_MR),
        (US, "US", "BREAST", ViewKind.BREAST_ULTRASOUND),
        (US, "US", "THYROID", ViewKind.OTHER_ULTRASOUND),
        (CR, "CR", "HAND", ViewKind.LIMB_XRAY),
        (DX, "DX", "KNEE", ViewKind.LIMB_XRAY),
        (DX, "PX", "", ViewKind.DENTAL_PANORAMIC),
        (DX, "DX", "JAW", ViewKind.DENTAL_PANORAMIC),
        (SOP + "1.2", "MG", "BREAST", ViewKind.MAMMOGRAM),
        (SOP + "13.1.3", "MG", "", ViewKind.MAMMOGRAM),
        (SOP + "128", "PT", "", ViewKind.PET),
        (SOP + "20", "NM", "KIDNEY", ViewKind.SCINTIGRAPHY),
        (SOP + "77.1.5.1", "OP", "", ViewKind.FUNDUS),
    ],
)
def test_modality_and_region_name_a_kind(
    sop_class: str, modality: str, part: str, kind: ViewKind
) -> None:
    assert said(sop_class, modality, part).kind is kind


@pytest.mark.parametrize(
    ("header", "kind"),
    [
        ({"ViewPosition": "PA"}, ViewKind.CHEST_XRAY_FRONTAL),
        ({"ViewPosition": "LL"}, ViewKind.CHEST_XRAY_LATERAL),
        ({"PatientOrientation": ["L", "F"]}, ViewKind.CHEST_XRAY_FRONTAL),
        ({"PatientOrientation": ["A", "F"]}, ViewKind.CHEST_XRAY_LATERAL),
        (
            {"ViewCodeSequence": coded("399348003", "SCT", "antero-posterior")},
            ViewKind.CHEST_XRAY_FRONTAL,
        ),
        (
            {"ViewCodeSequence": coded("R-10236", "SRT", "left lateral")},
            ViewKind.CHEST_XRAY_LATERAL,
        ),
    ],
)
def test_the_view_of_a_chest_film(header: dict[str, Any], kind: ViewKind) -> None:
    assert said(DX, "DX", "CHEST", **header).kind is kind


def test_a_chest_film_of_unsaid_view_leaves_both_open() -> None:
    both = (ViewKind.CHEST_XRAY_FRONTAL, ViewKind.CHEST_XRAY_LATERAL)
    assert said(CR, "CR", "CHEST").allowed == frozenset(both)
    contradicting = {"ViewPosition": "PA", "ViewCodeSequence": coded("399173006", "SCT", "lateral")}
    assert said(CR, "CR", "CHEST", **contradicting).allowed == frozenset(both)


@pytest.mark.parametrize(
    ("sop_class", "modality", "header"),
    [
        (CT, "CT", {"ImageType": ["ORIGINAL", "PRIMARY", "LOCALIZER"], "BodyPartExamined": "HEAD"}),
        (CT, "CT", {"BodyPartExamined": "KNEE"}),
        (SOP + "1.3", "IO", {}),
        (SOP + "77.1.1", "ES", {}),
        (SOP + "481.2", "RTDOSE", {}),
        (CR, "CR", {"BodyPartExamined": "ABDOMEN"}),
    ],
)
def test_some_are_no_kind_known_here(sop_class: str, modality: str, header: dict[str, Any]) -> None:
    assert said(sop_class, modality, **header).allowed == frozenset()


def test_a_modality_without_a_region_leaves_its_kinds_open() -> None:
    assert said(CT, "CT").allowed == frozenset((ViewKind.HEAD_CT, ViewKind.BODY_CT))
    assert ViewKind.KNEE_MR in (said(MR, "MR").allowed or ())
    assert said(US, "US").allowed == US_KINDS
    assert ViewKind.MAMMOGRAM not in (said(CR, "CR").allowed or ())


def test_a_class_and_a_modality_that_disagree_are_a_fault() -> None:
    found = said(CT, "MR", "HEAD")
    assert found.allowed is None
    assert "CT" in found.fault
    assert "MR" in found.fault


def test_screens_and_scanned_papers_say_so() -> None:
    screen = said(SOP + "7", "CT", "HEAD", ImageType=["DERIVED", "SECONDARY", "SCREEN SAVE"])
    assert screen.kind is ViewKind.SCREENSHOT
    assert said(SOP + "7", "OT", ConversionType="SD").kind is ViewKind.DOCUMENT
    other = said(SOP + "7", "OT")
    assert other.allowed is None
    assert "may be anything" in other.why
    assert said(SOP + "7", "PT").capture
    assert said(SOP + "7.4", "PT").capture
    assert not said(SOP + "128", "PT").capture


def test_photos_and_pydicoms_files() -> None:
    assert say(view(photo(np.zeros((9, 9), np.uint8)), Kind.PNG)).allowed is None
    allowed = say(view(bundled("CT_small.dcm"))).allowed
    assert allowed == frozenset((ViewKind.HEAD_CT, ViewKind.BODY_CT))
    assert say(view(bundled("MR_small.dcm"))).allowed is not None
    assert say(view(bundled("reportsi.dcm"))).allowed == frozenset()


@pytest.mark.parametrize(
    ("header", "region"),
    [
        ({"AnatomicRegionSequence": coded("T-D1100", "SRT", "Head")}, "head"),
        ({"AnatomicRegionSequence": coded("72696002", "SCT", "Knee")}, "knee"),
        ({"AnatomicRegionSequence": coded("X1", "99LOCAL", "Breast")}, "breast"),
        ({"AnatomicRegionSequence": coded("X1", "99LOCAL", "gizzard")}, "other"),
        ({"BodyPartExamined": "gizzard"}, "other"),
        ({"SeriesDescription": "T2 TSE SAG LUMBAR SPINE"}, "spine"),
        ({"ProtocolName": "HEAD AND KNEE"}, ""),
        ({"BodyPartExamined": "", "SeriesDescription": "AX 5MM"}, ""),
        ({"BodyPartExamined": "HEAD", "SeriesDescription": "KNEE"}, "head"),
    ],
)
def test_regions_come_from_codes_then_parts_then_words(header: dict[str, Any], region: str) -> None:
    dataset = Dataset()
    with config.disable_value_validation():
        for keyword, value in header.items():
            setattr(dataset, keyword, value)
    assert region_of(dataset) == region


def test_the_region_of_an_enhanced_object_stands_with_its_frames() -> None:
    anatomy, shared, dataset = Dataset(), Dataset(), Dataset()
    anatomy.AnatomicRegionSequence = coded("12738006", "SCT", "Brain")
    shared.FrameAnatomySequence = Sequence([anatomy])
    dataset.SharedFunctionalGroupsSequence = Sequence([shared])
    assert region_of(dataset) == "head"
