"""What all measurements share: codes, boxes, and how a refusal is written."""

from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from safelight.errors import UnreadableInputError
from safelight.readers import tags
from safelight.readers.reading import Code, Measurement
from safelight.readers.view import View

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

__all__ = [
    "AREA",
    "DISTANCE",
    "MEAN",
    "SCOUTS",
    "fault",
    "holders",
    "inside",
    "modality_of",
    "odd_groups",
    "own",
    "place_of",
    "real_values",
    "refused",
    "rescale",
    "types_of",
]

Box = tuple[int, int, int, int]

MEAN: Final = Code(scheme="SCT", value="373098007", meaning="Mean")
DISTANCE: Final = Code(scheme="DCM", value="121206", meaning="Distance")
AREA: Final = Code(scheme="SCT", value="42798000", meaning="Area")
SCOUTS: Final = frozenset(("LOCALIZER", "SCOUT", "TOPOGRAM"))
_STORAGE: Final = "1.2.840.10008.5.1.4.1.1."
# Modality of objects that do not say it, by what follows in their SOP Class UID (PS3.4 B.5)
_MODALITIES: Final = {
    **dict.fromkeys(("2", "2.1", "2.2"), "CT"),
    **dict.fromkeys(("4", "4.1", "4.3", "4.4"), "MR"),
    **dict.fromkeys(("128", "128.1", "130"), "PT"),
    "1": "CR",
    "1.1": "DX",
    "1.1.1": "DX",
    "1.2": "MG",
    "1.2.1": "MG",
    "20": "NM",
}
_SEVERAL: Final = 2
_SHARED, _PER_FRAME, _TRANSFORM = 0x52009229, 0x52009230, 0x00289145
_FRAME_TYPE: Final = 0x00189329  # CT Image Frame Type Sequence
_LARGEST: Final = 1e12  # no slope or intercept of a scanner is larger


def own(value: str, meaning: str) -> Code:
    """Return a code of our own, where PS3.16 has none for the whole."""
    return Code(scheme="99SAFELIGHT", value=value, meaning=meaning)


def refused(name: Code, unit: str, why: str, *, method: str, place: str = "") -> Measurement:
    """Return a measurement without a value."""
    return Measurement(name=name, value=None, unit=unit, place=place, method=method, refused=why)


def place_of(view: View, frame: int, box: Box | None = None) -> str:
    """Return where a value was taken, for ``Measurement.place``."""
    parts = [f"frame {frame + 1}"] if view.frames >= _SEVERAL else []
    if box is not None:
        parts.append(",".join(str(each) for each in box))
    return ", ".join(parts)


def inside(values: NDArray[Any], box: Box | None) -> NDArray[Any]:
    """Return the part of a frame that a box (x, y, w, h) covers.

    Raises:
        UnreadableInputError: The box is empty or leads out of the frame.
    """
    if box is None:
        return values
    x, y, w, h = box
    rows, columns = values.shape[:2]
    if w < 1 or h < 1 or x < 0 or y < 0 or x + w > columns or y + h > rows:
        raise UnreadableInputError("the box does not lie inside the frame", place=place_text(box))
    return values[y : y + h, x : x + w]


def place_text(box: Box) -> str:
    """Return a box as text."""
    return ",".join(str(each) for each in box)


def modality_of(view: View) -> str:
    """Return Modality (0008,0060), else that of the SOP class; empty when neither tells."""
    if view.modality or not view.sop_class.startswith(_STORAGE):
        return view.modality
    return _MODALITIES.get(view.sop_class.removeprefix(_STORAGE), "")


def odd_groups(view: View) -> str:
    """Return why what is said of each frame cannot be told apart; empty when it can.

    Per-Frame Functional Groups Sequence has one item for each frame (PS3.3 C.7.6.16).
    """
    count = len(tags.items(view.dataset, _PER_FRAME))
    if count in (0, view.frames):
        return ""
    return "Per-Frame Functional Groups Sequence (5200,9230) has not one item for each frame"


def holders(dataset: "Dataset | None", frame: int, macro: int) -> "tuple[Dataset, ...]":
    """Return what may say something of a frame, nearest first (PS3.3 C.7.6.16).

    Args:
        dataset: Header; it is the last one itself.
        frame: From 0.
        macro: Tag of the functional group's sequence.
    """
    frames = tags.items(dataset, _PER_FRAME)
    found: list[Dataset] = []
    for group in (frames[frame : frame + 1], tags.items(dataset, _SHARED)[:1]):
        for item in group:
            found += tags.items(item, macro)
    return (*found, dataset) if dataset is not None else tuple(found)


def types_of(dataset: "Dataset | None", frame: int) -> frozenset[str]:
    """Return the values of Image Type (0008,0008) and of a CT frame's Frame Type (0008,9007)."""
    found = {*tags.texts(dataset, "ImageType")}
    for holder in holders(dataset, frame, _FRAME_TYPE):
        found |= {*tags.texts(holder, "FrameType")}
    return frozenset(each.upper() for each in found)


def fault(holder: "Dataset", keyword: str) -> str:
    """Return what is wrong with a number that cannot be used.

    De-identification empties a number's element that holds something else, such as ``NaN``.
    """
    if keyword not in holder:
        return "is missing"
    return "makes no sense" if tags.texts(holder, keyword) else "is empty, or was no number"


def rescale(view: View, frame: int) -> tuple[float, float] | str:
    """Return Rescale Slope and Intercept of a frame, or why they are not known.

    They are type 1 where values are CT numbers or activity (PS3.3 C.8.2.1, C.8.9.4,
    C.7.6.16.2.9): nothing stands for one that is missing.
    """
    if odd := odd_groups(view):
        return odd
    header = view.pixels
    if header is None:
        return view.why_no_picture or "it has no pixel data"
    if header.look(frame).modality is not None:
        return "its values go through a table (0028,3000), whose unit is not said"
    for holder in holders(view.dataset, frame, _TRANSFORM):
        if "RescaleSlope" not in holder and "RescaleIntercept" not in holder:
            continue
        slope = tags.numbers(holder, "RescaleSlope")
        intercept = tags.numbers(holder, "RescaleIntercept")
        if len(slope) != 1 or not 0 < abs(slope[0]) < _LARGEST:
            return f"Rescale Slope (0028,1053) {fault(holder, 'RescaleSlope')}"
        if len(intercept) != 1 or not abs(intercept[0]) < _LARGEST:
            return f"Rescale Intercept (0028,1052) {fault(holder, 'RescaleIntercept')}"
        return slope[0], intercept[0]
    return "Rescale Slope (0028,1053) and Rescale Intercept (0028,1052) are missing"


def real_values(view: View, frame: int, box: Box | None = None) -> tuple[NDArray[np.float64], str]:
    """Return rescaled values (PS3.3 C.11.1), flat, and in words what is not as it was.

    Padding is left out, and so is what de-identification drew over: those are no values of the
    patient.

    Raises:
        UnreadableInputError: There are none, how they are rescaled is not known, or they cannot be
            decoded.
        LimitExceededError: They take more than the limits allow.
    """
    header = view.pixels
    if header is None:
        raise UnreadableInputError(view.why_no_picture or "it has no pixel data")
    stored = inside(view.stored(frame), box)
    if stored.ndim > _SEVERAL:
        raise UnreadableInputError("its pixels are colours, not values")
    scaled = rescale(view, frame)
    if isinstance(scaled, str):
        raise UnreadableInputError(scaled)
    values = stored.astype(np.float64) * scaled[0] + scaled[1]
    kept = np.isfinite(values)
    if header.padding is not None:
        low, high = header.padding
        kept &= (stored < low) | (stored > high)
    if not kept.any():
        raise UnreadableInputError("all of its pixels are padding")
    drawn, note = view.painted(frame), ""
    # Once compressed with loss, always so (PS3.3 C.7.6.1.1.5): values are near what they were.
    if tags.lossy(view.dataset) or tags.text(view.dataset, "LossyImageCompression") == "01":
        note = ", of pixels that were compressed with loss"
    if drawn is not None:
        there = inside(drawn, box)
        kept &= ~there
        if there.any():
            note += f", without the {100 * there.mean():.2g} % of pixels that were masked"
    if not kept.any():
        raise UnreadableInputError("all of its pixels are padding or were masked")
    return np.asarray(values[kept], np.float64), note
