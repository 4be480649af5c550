"""Header and pixels together: who decides, what is told, and what is never said."""

import itertools
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from safelight.readers.kind import _decide, what
from safelight.readers.kind.header import Says
from safelight.readers.kind.pixels import Look
from safelight.readers.reading import ViewKind
from safelight.types import Kind
from view_fixtures import bundled, dicom, photo, view

SOP = "1.2.840.10008.5.1.4.1.1."
CHEST, MAMMOGRAM = ViewKind.CHEST_XRAY_FRONTAL, ViewKind.MAMMOGRAM
OTHER_US = ViewKind.OTHER_ULTRASOUND
NOTHING = Says(allowed=None, why="no header")


def says(*kinds: ViewKind) -> Says:
    return Says(allowed=frozenset(kinds), why="something")


def looks(kind: ViewKind | None, *, nearest: ViewKind | None = None, distance: float = 0.5) -> Look:
    return Look(kind=kind, nearest=nearest or kind, distance=distance, why="" if kind else "far")


@pytest.mark.parametrize(
    ("header", "pixels", "kind"),
    [
        (NOTHING, looks(CHEST), CHEST),
        (NOTHING, looks(None), None),
        (says(CHEST), looks(CHEST), CHEST),
        (says(CHEST, ViewKind.CHEST_XRAY_LATERAL), looks(CHEST), CHEST),
        (says(ViewKind.HEAD_CT), looks(CHEST), None),
        (says(ViewKind.SPINE_MR), looks(CHEST), None),
        (says(MAMMOGRAM), looks(ViewKind.BREAST_ULTRASOUND), None),
        (says(CHEST), looks(ViewKind.PHOTO), None),
        (says(), looks(CHEST), None),
        (says(), looks(None), None),
        # never learned by the pixels: the header may tell it from its kin, and stand alone
        (says(ViewKind.KNEE_MR), looks(ViewKind.SPINE_MR), ViewKind.KNEE_MR),
        (
            says(ViewKind.OTHER_ULTRASOUND),
            looks(ViewKind.BREAST_ULTRASOUND),
            ViewKind.OTHER_ULTRASOUND,
        ),
        (says(ViewKind.KNEE_MR), looks(None), ViewKind.KNEE_MR),
        (says(ViewKind.KNEE_MR), looks(ViewKind.LIMB_XRAY), None),
        # learned: the header alone does not decide, but helps a little
        (says(CHEST), looks(None, nearest=CHEST, distance=1.4), CHEST),
        (says(CHEST), looks(None, nearest=CHEST, distance=1.6), None),
        (says(CHEST), looks(None, nearest=ViewKind.LIMB_XRAY, distance=1.1), None),
        (says(CHEST, MAMMOGRAM), looks(None, nearest=CHEST, distance=1.1), None),
    ],
)
def test_who_decides(header: Says, pixels: Look, kind: ViewKind | None) -> None:
    assert _decide(header, pixels)[0] is kind


def test_a_header_alone_decides_neither_of_captures_nor_of_what_has_colours() -> None:
    for kind in (ViewKind.PET, ViewKind.OTHER_MR, OTHER_US, ViewKind.CHEST_XRAY_LATERAL):
        assert _decide(says(kind), looks(None))[0] is kind
        captured = replace(says(kind), capture=True)
        assert _decide(captured, looks(None))[0] is None
        coloured = replace(looks(None), colour=True)
        assert _decide(says(kind), coloured)[0] is (kind if kind is OTHER_US else None)
    knee, spine = says(ViewKind.KNEE_MR), looks(ViewKind.SPINE_MR)
    assert _decide(knee, replace(spine, colour=True))[0] is None
    page = np.random.default_rng(2).integers(0, 256, (200, 200), dtype=np.uint8)
    fused = dicom(np.dstack([page, page // 2, page // 4]), SOPClassUID=SOP + "128", Modality="PT")
    sheet = dicom(page, SOPClassUID=SOP + "7", Modality="PT")
    for data, why in ((fused, "has no colours"), (sheet, "secondary capture")):
        answer = what(view(data))
        assert answer.kind is None
        assert why in answer.why


@pytest.mark.parametrize(
    ("header", "near", "rivals", "kind"),
    [
        # MR is as likely by its pixels, but the header leaves only CT open
        ({ViewKind.HEAD_CT}, 0.6, {ViewKind.HEAD_MR: 9.0, None: 0.5}, ViewKind.HEAD_CT),
        ({ViewKind.HEAD_CT}, 0.6, {None: 1.4}, ViewKind.HEAD_CT),
        ({ViewKind.HEAD_CT}, 0.6, {None: 1.6}, None),
        ({ViewKind.HEAD_CT}, 1.6, {None: 0.5}, None),
        ({ViewKind.HEAD_MR}, 0.6, {ViewKind.HEAD_MR: 9.0, None: 0.5}, None),
        ({ViewKind.HEAD_CT, ViewKind.BODY_CT}, 0.6, {ViewKind.BODY_CT: 0.9}, ViewKind.HEAD_CT),
        ({ViewKind.HEAD_CT, ViewKind.BODY_CT}, 0.6, {ViewKind.BODY_CT: 1.1}, None),
        ({ViewKind.HEAD_CT, ViewKind.BODY_CT}, 0.6, {None: 1.1}, None),
        # one of what the header leaves open was never learned: pixels cannot exclude it
        ({ViewKind.HEAD_CT, ViewKind.PET}, 0.6, {None: 0.1}, None),
    ],
)
def test_a_header_excludes_rivals(
    header: set[ViewKind],
    near: float,
    rivals: dict[ViewKind | None, float],
    kind: ViewKind | None,
) -> None:
    look = Look(
        kind=None, nearest=ViewKind.HEAD_CT, distance=9.0, why="?", near=near, rivals=rivals
    )
    assert _decide(says(*header), look)[0] is kind
    assert _decide(NOTHING, look)[0] is None


def test_a_disagreement_is_told_and_never_resolved() -> None:
    kind, why = _decide(says(ViewKind.HEAD_CT), looks(CHEST))
    assert kind is None
    assert "disagree" in why
    fault = Says(allowed=None, why="", fault="the SOP class is one of CT, and Modality says MR")
    assert _decide(fault, looks(CHEST)) == (None, f"the header contradicts itself: {fault.fault}")


def test_whatever_the_pixels_say_a_header_of_one_kind_is_followed_or_nothing_is() -> None:
    # the two of the story: a chest film is never a spine, a mammogram never anything else
    for kind in (CHEST, MAMMOGRAM):
        for pixels in (None, *ViewKind):
            for nearest, distance in itertools.product((None, *ViewKind), (0.2, 1.2, 9.0)):
                look = looks(pixels, nearest=nearest, distance=distance)
                assert _decide(says(kind), look)[0] in (kind, None)


def test_the_sentence_holds_no_value_of_the_header() -> None:
    seen = view(dicom(np.zeros((40, 40), np.uint8), Modality="ROE", BodyPartExamined="DOE"))
    assert "DOE" not in what(seen).why


def test_documents_and_files_without_pictures() -> None:
    report = what(view(bundled("reportsi.dcm")))
    assert (report.kind, report.by_pixels) == (None, None)
    assert "no picture" in report.why


@pytest.mark.parametrize(
    "pixels",
    [
        np.zeros((200, 200), np.uint8),
        np.full((200, 200), 255, np.uint8),
        np.zeros((1, 1), np.uint8),
        np.zeros((1, 4000), np.uint8),
        np.tile(np.arange(20, dtype=np.uint8), (20, 1)),
        np.random.default_rng(1).integers(0, 256, (300, 200), dtype=np.uint8),
        (np.indices((256, 256)).sum(0) // 32 % 2 * 255).astype(np.uint8),
        np.tile(np.linspace(0, 255, 256), (256, 1)).astype(np.uint8),
    ],
    ids=["black", "white", "dot", "line", "small", "noise", "chess", "ramp"],
)
def test_what_shows_nothing_known_is_no_kind(pixels: NDArray[np.uint8]) -> None:
    answer = what(view(photo(pixels), Kind.PNG))
    assert answer.kind is None
    assert answer.why


def test_pydicoms_pictures_get_their_kind_or_none() -> None:
    allowed: dict[str, set[Any]] = {
        "CT_small.dcm": {ViewKind.BODY_CT, ViewKind.HEAD_CT, None},
        "MR_small.dcm": {ViewKind.HEAD_MR, ViewKind.SPINE_MR, ViewKind.OTHER_MR, None},
        "examples_ybr_color.dcm": {ViewKind.OTHER_ULTRASOUND, None},
    }
    for name, kinds in allowed.items():
        assert what(view(bundled(name))).kind in kinds


def test_a_wrong_modality_on_a_known_picture_is_told() -> None:
    # a page of text that claims to be a mammogram
    page = np.full((400, 300, 3), 250, np.uint8)
    page[20:380:12, 20:280:3] = 30
    page[21:381:12, 20:280:5] = 30
    header = {"SOPClassUID": SOP + "1.2", "Modality": "MG"}
    answer = what(view(dicom(page, **header)))
    assert answer.by_header is MAMMOGRAM
    assert answer.kind is None
