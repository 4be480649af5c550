"""The front profile of a head: forehead, nasion, nose tip, and how far the head nods.

Between forehead and nose tip the profile is hollow: of the edges of the profile's convex hull, the
one with the deepest hollow at the height where it is to be expected is the bridge from the one to
the other, and the deepest point under it is the nasion. This needs no template and holds for a
nodding head.
"""

import itertools
from dataclasses import dataclass
from math import atan2, cos, degrees, hypot, radians, sin
from typing import Final

import numpy as np
from numpy.typing import NDArray

from safelight.deid.faces.volume import GRID

__all__ = ["Profile", "middle_of", "profile_in", "profile_of"]

Mask = NDArray[np.bool_]
Grid = NDArray[np.float64]

_HALF_BAND: Final = 15  # voxels to either side of the middle
_CAP: Final = (15, 50)  # voxels under the top: where the head is symmetric
_DOWN: Final = 90  # voxels under the top: no nose is further down
_HIGHEST: Final = 70.0  # mm from vertex to nasion
_LOWEST: Final = 155.0
_SHORTEST: Final = 38.0  # mm from forehead to nose tip
_LONGEST: Final = 95.0
_HOLLOW: Final = 3.8  # mm
_USUAL: Final = 118.0  # mm from vertex to nasion in an adult
_FAR: Final = 8.0  # mm away from there that cost one mm of hollow
_SLANT: Final = 40.0  # degrees that the bridge may lean
_UPRIGHT: Final = -15.0  # degrees that it leans in a head that looks straight ahead


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """Where the face is. Indices of the 2 mm grid.

    Attributes:
        top: Highest slice of the head.
        middle: Column (x) of the midline.
        nasion: (z, y) of the nasion.
        tip: (z, y) of the nose tip.
        nod: Degrees that the head nods, chin to the chest positive.
        hollow: How deep the nasion lies under the bridge, mm.
    """

    top: int
    middle: int
    nasion: tuple[int, int]
    tip: tuple[int, int]
    nod: float
    hollow: float

    def down_and_back(self, shape: tuple[int, ...]) -> tuple[Grid, Grid]:
        """Return, for each (z, y) of a volume, how far below and behind the nasion it is, in mm.

        Along the head's own axes; shape (z, y) each.
        """
        z, y = np.ogrid[: shape[0], : shape[1]]
        low = (self.nasion[0] - z) * GRID
        behind = (y - self.nasion[1]) * GRID
        turn = radians(self.nod)
        return low * cos(turn) + behind * sin(turn), behind * cos(turn) - low * sin(turn)


def middle_of(head: Mask) -> tuple[int, int]:
    """Return the highest slice and the column of the midline of a head that is not empty."""
    top = int(np.flatnonzero(head.any((1, 2)))[-1])
    cap = head[max(0, top - _CAP[1]) : max(1, top - _CAP[0])].any((0, 1))
    columns = np.flatnonzero(cap if cap.any() else head.any((0, 1)))
    return top, round(float(columns[0] + columns[-1]) / 2)


def profile_of(head: Mask) -> Profile | None:
    """Return the profile of a head with a nose to the front; None when there is none."""
    _top, middle = middle_of(head)
    band = head[:, :, max(0, middle - _HALF_BAND) : middle + _HALF_BAND + 1].any(2)
    return profile_in(np.asarray(band), middle)


def profile_in(band: Mask, middle: int = 0) -> Profile | None:
    """Return the profile of a silhouette seen from the side.

    Args:
        band: Shape (z, y) on the 2 mm grid, ascending to the head and the back.
        middle: Column (x) of the midline.
    """
    filled = np.flatnonzero(band.any(1))
    if not len(filled):
        return None
    top = int(filled[-1])
    low = max(0, top - _DOWN)
    front = {z: int(band[z].argmax()) for z in range(top, low - 1, -1) if band[z].any()}
    hull = _hull(list(front.items()))
    best: tuple[float, Profile] | None = None
    for (z1, y1), (z2, y2) in itertools.pairwise(hull):
        length = hypot(z1 - z2, y1 - y2)
        leans = degrees(atan2(y2 - y1, z1 - z2))
        if not _SHORTEST <= length * GRID <= _LONGEST or abs(leans - _UPRIGHT) > _SLANT:
            continue
        under = [
            (((y - y1) * (z1 - z2) - (y2 - y1) * (z1 - z)) / length * GRID, z)
            for z, y in front.items()
            if z2 < z < z1
        ]
        hollow, at = max(under, default=(0.0, top))
        depth = (top - at) * GRID
        if hollow < _HOLLOW or not _HIGHEST <= depth <= _LOWEST:
            continue
        score = hollow - abs(depth - _USUAL) / _FAR
        if best is None or score > best[0]:
            nod = float(np.clip(leans - _UPRIGHT, -25, 35))
            found = Profile(
                top=top, middle=middle, nasion=(at, front[at]), tip=(z2, y2), nod=nod, hollow=hollow
            )
            best = (score, found)
    return best[1] if best else None


def _hull(points: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return the front of the convex hull of points (z, y), which come from top to bottom."""
    hull: list[tuple[int, int]] = []
    for z, y in points:
        while len(hull) > 1:
            (z1, y1), (z2, y2) = hull[-2], hull[-1]
            if (y2 - y1) * (z1 - z) < (y - y1) * (z1 - z2):
                break
            hull.pop()
        hull.append((z, y))
    return hull
