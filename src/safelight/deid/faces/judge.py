"""Is this a head with a face? Told from geometry, with the header as a hint, and said plainly.

What cannot be told is UNSURE, and a person looks: a volume of a head is never let through because
something was not found.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from safelight.deid.faces import brain as brains
from safelight.deid.faces.deface import FaceMask, Head, deface, room_of
from safelight.deid.faces.profile import Profile, middle_of, profile_of
from safelight.deid.faces.surface import head_of
from safelight.deid.faces.volume import GRID, Volume

__all__ = ["Examined", "Verdict", "examine"]

Mask = NDArray[np.bool_]

_SEEN_THROUGH: Final = frozenset({"CT", "MR", "PT", "NM", "XA", ""})
_ELSEWHERE: Final = (
    *("ABDOMEN", "PELVIS", "KNEE", "ANKLE", "FOOT", "HAND", "WRIST", "ELBOW", "SHOULDER", "HIP"),
    *("LEG", "ARM", "THIGH", "BREAST", "PROSTATE", "LIVER", "KIDNEY", "HEART", "CHEST", "LSPINE"),
)
_SMALLEST: Final = 450.0  # mL: the head of a newborn
_WIDE: Final = (90.0, 205.0)  # mm, left to right
_DEEP: Final = (105.0, 260.0)  # mm, front to back
_TALL: Final = 40.0  # mm of such slices
_BRAIN: Final = (900.0, 2000.0)  # mL
_CAP: Final = (900.0, 2300.0)  # mL; the skull cap's ellipsoid holds fluid too
_ALIKE: Final = 0.7  # Dice of the two
_STRIPPED: Final = 0.55  # of a stripped brain, by the values
_STILL: Final = 0.995  # of the voxels around it that are alike
_TIP: Final = 4  # voxels behind the nose tip
_NARROW: Final = 60.0  # mm, across a nose there
_UNDER: Final = 14  # voxels from nasion up to the skull cap


class Verdict(StrEnum):
    """What a volume shows."""

    HEAD_WITH_FACE = "head with face"
    NO_FACE = "no face"
    UNSURE = "unsure"


@dataclass(frozen=True, slots=True, kw_only=True)
class Examined:
    """What was found in a volume.

    Attributes:
        verdict: HEAD_WITH_FACE has a mask, the others have none; UNSURE goes to a person.
        reason: Why, in plain words without a value of the file.
        mask: The face.
        head: The head, on the grid of the volume, for renderings.
    """

    verdict: Verdict
    reason: str
    mask: FaceMask | None = None
    head: Mask | None = None


def examine(volume: Volume) -> Examined:
    """Return whether a volume shows a face, and its mask."""
    if volume.modality not in _SEEN_THROUGH:
        return _told(Verdict.NO_FACE, "scans of this modality show no face")
    mask = head_of(volume)
    if brains.millilitres(mask) < _SMALLEST:
        return _told(Verdict.NO_FACE, "what it shows is smaller than a head")
    if _headlike(mask) < _TALL:
        return _told(Verdict.NO_FACE, "what it shows has not the width and depth of a head")
    cut = _upper(mask)
    profile = profile_of(cut)
    if profile is None:
        return _faceless(volume, cut)
    if not _nosed(cut, profile) and _nosed(cut[:, ::-1], profile_of(cut[:, ::-1])):
        return _told(Verdict.UNSURE, "its nose is where its header says the back is", mask)
    low, back = profile.down_and_back(mask.shape)
    room = room_of(low, back)
    cap = brains.from_cap(cut, profile.nasion[0] + _UNDER)
    if cap is None:
        return _told(Verdict.UNSURE, "no skull cap fits over what may be a head", mask)
    cap &= room[:, :, None]
    brain = brains.from_values(volume, cut, _centre(cap), room)
    inside, shaped = brains.millilitres(brain), brains.millilitres(cap)
    if not _BRAIN[0] <= inside <= _BRAIN[1] or not _CAP[0] <= shaped <= _CAP[1]:
        return _told(Verdict.UNSURE, "what would be its brain is not of a brain's size", mask)
    if 2 * brains.millilitres(brain & cap) < _ALIKE * (inside + shaped):
        return _told(Verdict.UNSURE, "two ways to find its brain disagree", mask)
    face = deface(volume, Head(mask=cut, profile=profile, cap=cap, brain=brain))
    if face is None:
        return _told(Verdict.UNSURE, "the face lies too near to what may be brain", mask)
    return Examined(
        verdict=Verdict.HEAD_WITH_FACE, reason="a head with a nose", mask=face, head=cut
    )


def _told(verdict: Verdict, reason: str, head: Mask | None = None) -> Examined:
    return Examined(verdict=verdict, reason=reason, head=head)


def _headlike(mask: Mask) -> float:
    """Return over how many mm the slices have the width and depth of a head."""
    count = 0
    for plane in mask:
        rows, columns = np.flatnonzero(plane.any(1)), np.flatnonzero(plane.any(0))
        if not len(rows):
            continue
        deep, wide = (rows[-1] - rows[0] + 1) * GRID, (columns[-1] - columns[0] + 1) * GRID
        count += _DEEP[0] <= deep <= _DEEP[1] and _WIDE[0] <= wide <= _WIDE[1]
    return count * GRID


def _upper(mask: Mask) -> Mask:
    """Return the part of a body within 300 mm of its top, without shoulders."""
    top, _middle = middle_of(mask)
    cut = mask.copy()
    cut[: max(0, top - 150)] = False
    widths = [int(np.count_nonzero(plane.any(0))) * GRID for plane in cut]
    for z in range(top - 20, -1, -1):
        if widths[z] > _WIDE[1] + 20:
            cut[: z + 1] = False
            break
    return cut


def _nosed(mask: Mask, profile: Profile | None) -> bool:
    """Return whether what stands out in front is as narrow as a nose."""
    if profile is None:
        return False
    z, y = profile.tip
    part = mask[max(0, z - 2) : z + 3, : min(y + _TIP + 1, mask.shape[1])]
    columns = np.flatnonzero(part.any((0, 1)))
    return bool(len(columns)) and (columns[-1] - columns[0] + 1) * GRID <= _NARROW


def _centre(cap: Mask) -> tuple[int, int, int]:
    z, y, x = np.argwhere(cap).mean(0)
    return int(z), int(y), int(x)


def _faceless(volume: Volume, mask: Mask) -> Examined:
    """Return the verdict on something of a head's size that has no nose to the front."""
    if any(part in volume.body_part for part in _ELSEWHERE):
        return _told(Verdict.NO_FACE, "no head by its shape, nor by its header")
    if brains.millilitres(mask) <= _BRAIN[1]:
        around = ~ndimage.binary_dilation(mask, iterations=3) & volume.inside
        values = volume.data[around]
        still = len(values) and float((values == values.min()).mean()) >= _STILL
        room = np.ones(mask.shape[:2], np.bool_)
        brain = brains.from_values(volume, mask, _centre(mask), room)
        if still and brains.millilitres(brain) >= _STRIPPED * brains.millilitres(mask):
            return _told(Verdict.NO_FACE, "only a brain: skull and skin are taken off already")
    return _told(Verdict.UNSURE, "it may be a head, but no nose was found in front", mask)
