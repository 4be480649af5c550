"""What a header says an image is: the kinds it allows, and why.

Source: PS3.3 C.7.3.1.1.1 (modalities), C.7.6.1.1.2 (image type), C.8.1 to C.8.24; PS3.4 B.5 (SOP
classes); PS3.16 Annex L (body parts), CID 4010 (views), CID 4031 (regions). A header never decides
alone what its pixels can tell: see ``safelight.readers.kind``.
"""

import functools
import re
from dataclasses import dataclass, replace
from importlib.resources import files
from typing import TYPE_CHECKING, Final

from safelight.readers import tags
from safelight.readers.reading import ViewKind
from safelight.types import Kind

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

    from safelight.readers.view import View

__all__ = ["Says", "say"]

_SOP: Final = "1.2.840.10008.5.1.4.1.1."
_CAPTURE: Final = re.compile(re.escape(_SOP) + r"7(\.[1-4])?")
# What a SOP class is, by modality; those that are absent take Modality (0008,0060) at its word.
_CLASSES: Final = {
    "2": "CT", "2.1": "CT", "2.2": "CT",
    "4": "MR", "4.1": "MR", "4.3": "MR", "4.4": "MR",
    "1": "CR", "1.1": "DX", "1.1.1": "DX", "1.2": "MG", "1.2.1": "MG", "13.1.3": "MG",
    "13.1.4": "MG", "13.1.5": "MG", "1.3": "IO", "1.3.1": "IO",
    "6.1": "US", "3.1": "US", "6.2": "US", "20": "NM", "128": "PT", "128.1": "PT", "130": "PT",
    "77.1.5.1": "OP", "77.1.5.2": "OP", "77.1.5.5": "OP", "77.1.5.6": "OP",
    "104.1": "DOC", "104.2": "DOC",
}  # fmt: skip
_PLAIN_FILM: Final = frozenset(("CR", "DX", "RG"))
_MODALITIES: Final = {
    "PET": "PT", "PT": "PT", "ST": "NM", "PX": "PX", "NM": "NM", "MG": "MG", "CT": "CT",
    "MR": "MR", "US": "US", "IVUS": "OTHER", "OP": "OP", "DOC": "DOC", "CR": "CR", "DX": "DX",
    "RG": "RG", "IO": "IO", "BDUS": "OTHER",
}  # fmt: skip
# Modalities that are no picture of a kind known here: whatever the pixels look like.
_NEITHER: Final = frozenset(
    ("ES", "GM", "SM", "XC", "RTIMAGE", "RTDOSE", "RTSTRUCT", "RTPLAN", "SEG", "SR", "KO", "PR",
     "REG", "ECG", "HD", "XA", "RF", "OCT", "OPT", "OPM", "OPV", "IVOCT", "AU", "M3D", "FID", "RWV",
     "DG", "EPS", "RESP", "OTHER")
)  # fmt: skip
_FRONTAL: Final = frozenset(
    ("AP", "PA", "FRONTAL", "APAX", "ANTEROPOSTERIOR", "POSTEROANTERIOR", "399348003", "272479007",
     "399033003", "R-10206", "R-10214", "R-10204")
)  # fmt: skip
_LATERAL: Final = frozenset(
    ("LL", "RL", "LAT", "LATERAL", "LLAT", "RLAT", "LEFTLATERAL", "RIGHTLATERAL", "399067008",
     "399173006", "399198007", "30730003", "R-10202", "R-10236", "R-10232")
)  # fmt: skip
_CHESTS: Final = frozenset((ViewKind.CHEST_XRAY_FRONTAL, ViewKind.CHEST_XRAY_LATERAL))
_WORDS: Final = re.compile(r"[A-Z]+")
_DESCRIPTIONS: Final = (
    "ProtocolName", "SeriesDescription", "StudyDescription", "PerformedProcedureStepDescription",
)  # fmt: skip
_FRAME_ANATOMY: Final = 0x00209071
_SHARED, _PER_FRAME = 0x52009229, 0x52009230
_REGIONS: Final = 0x00082218
_VIEWS: Final = 0x00540220


@dataclass(frozen=True, slots=True, kw_only=True)
class Says:
    """What a header says.

    Attributes:
        allowed: Kinds that do not contradict it; None when it says nothing at all, empty when it
            names something that is none of the kinds.
        why: In words, for a sentence: ``CT of the chest``.
        fault: What in the header contradicts itself; empty when nothing does.
        capture: It is a secondary capture: a picture, a page or a screen that came of such images.
    """

    allowed: frozenset[ViewKind] | None
    why: str
    fault: str = ""
    capture: bool = False

    @property
    def kind(self) -> ViewKind | None:
        """The one kind it names; None when it leaves more than one open, or none."""
        return next(iter(self.allowed)) if self.allowed and len(self.allowed) == 1 else None


def say(view: "View") -> Says:
    """Return what the header of an input says it is."""
    if view.file_kind in (Kind.PDF, Kind.CDA):
        return Says(allowed=frozenset((ViewKind.DOCUMENT,)), why="a document")
    dataset = view.dataset
    if dataset is None:
        return Says(allowed=None, why="no header that says what it is")
    modality, fault = _modality(view)
    if fault:
        return Says(allowed=None, why="a header that contradicts itself", fault=fault)
    types = tuple(each.upper() for each in tags.texts(dataset, "ImageType"))
    if "SCREEN SAVE" in types or "SCREENSHOT" in types:
        return Says(allowed=frozenset((ViewKind.SCREENSHOT,)), why="a screen that was saved")
    if tags.text(dataset, "ConversionType").upper() == "SD":
        return Says(allowed=frozenset((ViewKind.DOCUMENT,)), why="a scanned document")
    if modality in _NEITHER:
        return Says(allowed=frozenset(), why=f"modality {view.modality or 'other'}")
    if not modality:
        return Says(
            allowed=None, why="a modality that may be anything" if view.modality else "no modality"
        )
    if modality == "CT" and ("LOCALIZER" in types or "SCOUT" in types):
        return Says(allowed=frozenset(), why="a scout view of a CT")
    found = _by_modality(modality, region_of(dataset, modality), dataset)
    return replace(found, capture=bool(_CAPTURE.fullmatch(view.sop_class)))


def _modality(view: "View") -> tuple[str, str]:
    """Return the modality, and what contradicts it."""
    by_class = _CLASSES.get(view.sop_class.removeprefix(_SOP), "")
    said = view.modality
    known = _MODALITIES.get(said, said if said in _NEITHER else "")
    if not by_class or not known:
        return by_class or known, ""
    films = _PLAIN_FILM | {"IO", "PX", "MG"}
    if by_class == known:
        return known, ""
    if by_class in _PLAIN_FILM and known in films:
        return known, ""
    if {by_class, known} <= {"IO", "PX"} | _PLAIN_FILM:
        return known, ""
    return "", f"the SOP class is one of {by_class}, and Modality says {known}"


def _by_modality(modality: str, region: str, dataset: "Dataset") -> Says:
    """Return what a modality and a region allow."""
    kinds = ViewKind
    fixed = {
        "MG": (kinds.MAMMOGRAM, "a mammogram"),
        "PT": (kinds.PET, "PET"),
        "NM": (kinds.SCINTIGRAPHY, "scintigraphy"),
        "PX": (kinds.DENTAL_PANORAMIC, "a panoramic X-ray"),
        "OP": (kinds.FUNDUS, "ophthalmic photography"),
        "DOC": (kinds.DOCUMENT, "a document"),
    }
    if modality in fixed:
        kind, words = fixed[modality]
        return Says(allowed=frozenset((kind,)), why=words)
    if modality in _PLAIN_FILM:
        return _film(region, dataset)
    table = {
        "CT": {"head": kinds.HEAD_CT, "chest": kinds.BODY_CT, "body": kinds.BODY_CT},
        "MR": {"head": kinds.HEAD_MR, "spine": kinds.SPINE_MR, "breast": kinds.BREAST_MR,
               "knee": kinds.KNEE_MR},
        "US": {"breast": kinds.BREAST_ULTRASOUND},
    }.get(modality)  # fmt: skip
    if table is None:  # inside the mouth
        return Says(allowed=frozenset(), why=f"modality {modality}")
    rest = {"MR": kinds.OTHER_MR, "US": kinds.OTHER_ULTRASOUND}.get(modality)
    name = {"US": "ultrasound"}.get(modality, modality)
    if not region:
        every = {*table.values(), *((rest,) if rest else ())}
        return Says(allowed=frozenset(every), why=f"{name} of a region it does not name")
    named = table.get(region, rest)
    words = f"{name} of the {region}" if region != "other" else f"{name} of another region"
    return Says(allowed=frozenset((named,) if named else ()), why=words)


def _film(region: str, dataset: "Dataset") -> Says:
    """Return what a plain X-ray of a region is."""
    if region == "chest":
        side = _chest_side(dataset)
        allowed = frozenset((side,)) if side else _CHESTS
        return Says(
            allowed=allowed, why="an X-ray of the chest" + ("" if side else ", view unsaid")
        )
    if region in ("limb", "knee"):
        return Says(allowed=frozenset((ViewKind.LIMB_XRAY,)), why="an X-ray of a limb")
    if region == "jaw":
        return Says(allowed=frozenset((ViewKind.DENTAL_PANORAMIC,)), why="an X-ray of the jaw")
    if region == "breast":
        return Says(allowed=frozenset((ViewKind.MAMMOGRAM,)), why="an X-ray of the breast")
    if not region:
        films = {*_CHESTS, ViewKind.LIMB_XRAY, ViewKind.DENTAL_PANORAMIC}
        return Says(allowed=frozenset(films), why="an X-ray of a region it does not name")
    return Says(allowed=frozenset(), why=f"an X-ray of the {region}")


def _chest_side(dataset: "Dataset") -> ViewKind | None:
    """Return frontal or lateral, from the view, its code, or how the patient lay; None if unsaid.

    Two sources that contradict each other say nothing.
    """
    words = {re.sub(r"[^A-Z0-9]", "", tags.text(dataset, "ViewPosition").upper())}
    for item in tags.items(dataset, _VIEWS):
        _scheme, value, meaning = tags.code_of(item)
        words |= {value.upper(), re.sub(r"[^A-Z]", "", meaning.upper())}
    found = set()
    if words & _FRONTAL:
        found.add(ViewKind.CHEST_XRAY_FRONTAL)
    if words & _LATERAL:
        found.add(ViewKind.CHEST_XRAY_LATERAL)
    if not found:
        across = tags.text(dataset, "PatientOrientation").upper()[:1]  # direction of the rows
        if across in ("L", "R"):
            found.add(ViewKind.CHEST_XRAY_FRONTAL)
        elif across in ("A", "P"):
            found.add(ViewKind.CHEST_XRAY_LATERAL)
    return next(iter(found)) if len(found) == 1 else None


def region_of(dataset: "Dataset", modality: str = "") -> str:
    """Return the region: from codes, else the body part, else words of the descriptions.

    ``head``, ``chest``, ``spine``, ``breast``, ``knee``, ``limb``, ``jaw``, ``eye``, ``body`` or
    ``other``; empty when it is not said or said twice over.
    """
    terms, codes = _tables()
    coded = set()
    holders = [dataset]
    for group in (_SHARED, _PER_FRAME):
        for item in tags.items(dataset, group)[:1]:
            holders += tags.items(item, _FRAME_ANATOMY)
    for holder in holders:
        for item in tags.items(holder, _REGIONS):
            _scheme, value, meaning = tags.code_of(item)
            coded.add(codes.get(value) or _term(meaning, terms) or "other")
    if coded:
        return _one(coded)
    part = tags.text(dataset, "BodyPartExamined")
    if part:
        return _term(part, terms) or "other"
    for keyword in _DESCRIPTIONS:
        words = tags.text(dataset, keyword).upper()
        found = {terms[word] for word in _WORDS.findall(words) if word in terms} - {"other"}
        if found:
            return _one(found - {"body"} if modality != "CT" and len(found) > 1 else found)
    return ""


def _term(written: str, terms: dict[str, str]) -> str:
    """Return the region of a body part; one spelled freely counts by its words."""
    squeezed = re.sub(r"[^A-Z0-9]", "", written.upper())
    if squeezed in terms:
        return terms[squeezed]
    found = {terms[word] for word in _WORDS.findall(written.upper()) if word in terms}
    return _one(found)


def _one(regions: set[str]) -> str:
    """Return the one region; chest and belly together are the body, all else is unsaid."""
    if regions == {"chest", "body"}:
        return "body"
    if regions == {"knee", "limb"}:
        return "knee"
    return next(iter(regions)) if len(regions) == 1 else ""


@functools.cache
def _tables() -> tuple[dict[str, str], dict[str, str]]:
    """Return region by body part, and region by code value."""
    terms: dict[str, str] = {}
    codes: dict[str, str] = {}
    lines = (files(__package__) / "data" / "regions.tsv").read_text("ascii").splitlines()
    for line in lines:
        if line.startswith("#"):
            continue
        region, parts, snomed, older = line.split("\t")
        terms.update(dict.fromkeys(parts.split(), region))
        codes.update(dict.fromkeys((*snomed.split(), *older.split()), region))
    return terms, codes
