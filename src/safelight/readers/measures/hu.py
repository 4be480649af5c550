"""CT numbers in Hounsfield units, where the header says that they are.

Source: PS3.3 C.8.2.1.1.2 (Rescale Type is absent when it is HU), C.11.1, C.7.6.16.2.9 (enhanced
objects), C.8.2.1.1.1, C.8.15.2.1.1 and C.8.16.1 (image and frame types).
"""

from typing import Final

import numpy as np

from safelight.errors import SafelightError
from safelight.readers import tags
from safelight.readers.measures.common import (
    SCOUTS,
    Box,
    holders,
    odd_groups,
    own,
    place_of,
    real_values,
    refused,
    rescale,
    types_of,
)
from safelight.readers.reading import Code, Measurement
from safelight.readers.view import View

__all__ = ["refusal", "statistics"]

UNIT: Final = "[hnsf'U]"
_METHOD: Final = "stored value x Rescale Slope + Rescale Intercept (PS3.3 C.11.1)"
_CT: Final = frozenset(
    ("1.2.840.10008.5.1.4.1.1.2", "1.2.840.10008.5.1.4.1.1.2.1", "1.2.840.10008.5.1.4.1.1.2.2")
)
# Words of an Image Type whose values are no CT numbers: projections and renderings, sums and
# differences, maps of materials, of energies and of blood, and pictures of a screen.
_OTHER_VALUES: Final = frozenset(
    ("MIN_IP", "MAX_IP", "MIP", "MINIP", "MNIP", "VOLREN", "RENDERING", "PROJECTION", "SUBTRACTION",
     "SUBTRACT", "ADDITION", "DIVISION", "MAXIMUM", "MINIMUM", "MULTIPLICATION", "STD_DEVIATION",
     "VIRTUAL_MONOENERGETIC", "VMI", "VMI_MONO", "MONOENERGETIC", "MONO_ENERGETIC", "IODINE",
     "IODINE_MAP", "VNC", "VIRTUAL_NON_CONTRAST", "MATERIAL_SPECIFIC", "MAT_SPECIFIC",
     "MAT_REMOVED", "MAT_FRACTIONAL", "MAT_MODIFIED", "MAT_VALUE_BASED", "ELECTRON_DENSITY",
     "EFF_ATOMIC_NUM", "EFFECTIVE_Z", "Z_EFF", "CBF", "CBV", "MTT", "TTP", "TMAX", "RCBF", "RCBV",
     "PBP", "KTRANS", "SAVE", "SCREEN_SAVE")
)  # fmt: skip
_RANGE: Final = (-1500.0, 40_000.0)  # beyond what a scanner makes of air and of metal
_NOT_NAMED: Final = (
    "values below -1500 or above 40000 HU are of nothing that is scanned: padding that Pixel "
    "Padding Value (0028,0120) does not name, or a rescale that makes no sense"
)
_TRANSFORM: Final = 0x00289145
NAMES: Final[dict[str, Code]] = {
    "mean": own("HU-MEAN", "Mean CT number"),
    "sd": own("HU-SD", "Standard deviation of CT numbers"),
    "min": own("HU-MIN", "Lowest CT number"),
    "max": own("HU-MAX", "Highest CT number"),
}


def refusal(view: View, frame: int = 0) -> str:
    """Return why the values are no Hounsfield units; empty when they are."""
    dataset = view.dataset
    if dataset is None or view.sop_class not in _CT:
        return "it is not a CT image"
    if odd := odd_groups(view):
        return odd
    types = types_of(dataset, frame)
    if types & SCOUTS:
        return "it is a scout view (Image Type (0008,0008)): its values are no Hounsfield units"
    if {word for each in types for word in each.split()} & _OTHER_VALUES:
        return "it is a derived image (Image Type (0008,0008)): its values are no CT numbers"
    if tags.text(dataset, "MultienergyCTAcquisition").upper() == "YES" and not _kind(view, frame):
        return "multi-energy CT without Rescale Type (0028,1054)"
    header = view.pixels
    if header is None:
        return view.why_no_picture or "it has no pixel data"
    kind = _kind(view, frame)
    if kind not in ("", "HU"):
        return "Rescale Type (0028,1054) is not HU"
    scaled = rescale(view, frame)
    return scaled if isinstance(scaled, str) else ""


def _kind(view: View, frame: int) -> str:
    for holder in holders(view.dataset, frame, _TRANSFORM):
        said = tags.text(holder, "RescaleType").upper()
        if said:
            return said
    return ""


def statistics(view: View, frame: int = 0, box: Box | None = None) -> tuple[Measurement, ...]:
    """Return mean, standard deviation, lowest and highest CT number of a frame or a box in it.

    Args:
        view: A CT image.
        frame: From 0.
        box: Column, row, width and height in pixels; None for the whole frame. Padding and
            what de-identification masked are left out.
    """
    why, place, note = refusal(view, frame), place_of(view, frame, box), ""
    if not why:
        try:
            values, note = real_values(view, frame, box)
            if values.min() < _RANGE[0] or values.max() > _RANGE[1]:
                why = _NOT_NAMED
        except SafelightError as error:
            why = str(error)
    if why:
        return (refused(NAMES["mean"], UNIT, why, method=_METHOD, place=place),)
    found = {"mean": values.mean(), "sd": values.std(), "min": values.min(), "max": values.max()}
    return tuple(
        Measurement(
            name=NAMES[each], value=round(float(np.float64(value)), 6), unit=UNIT, place=place,
            method=_METHOD + note,
        )
        for each, value in found.items()
    )  # fmt: skip
