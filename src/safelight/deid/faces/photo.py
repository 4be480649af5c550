"""Faces in flat pictures: colour photographs of people, and lateral scouts of a head.

Photographs are searched with the Haar cascades inside OpenCV 4's wheel (Viola and Jones 2001;
Lienhart and Maydt 2002). OpenCV 5 ships neither them nor another model: there, skin in the shape
of a face is held for a person to look at.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from safelight.deid.boxes import Box, Region, Verdict
from safelight.deid.faces.profile import profile_in
from safelight.deid.faces.volume import GRID

__all__ = ["ScoutFace", "photo_faces", "scout_face"]

Array = NDArray[Any]
Mask = NDArray[np.bool_]

_LONGEST: Final = 800  # pixels: larger pictures are searched at this size
_LONGEST_FINE: Final = 1600  # and, in colour, for small faces at this
_SMALL: Final = 88  # pixels at that size: what is larger shows at the other
_COLOURFUL: Final = 12.0  # mean difference of the channels
_AGREED: Final = 18  # windows: of 571 radiographs, slices and fundi none had more than 11
_FRONTAL: Final = "haarcascade_frontalface_alt2.xml"
_PROFILE: Final = "haarcascade_profileface.xml"
_PADDED: Final = 0.3  # of the box, on each side
_SKIN_IN: Final = 0.35  # of a box that is a face
_LARGE: Final = 0.02  # of the picture
_WHOLE: Final = 0.7  # of the picture: more is a close-up of skin or a scope's view
_EYES: Final = 0.03  # of a face that is darker than its skin
_RULE: Final = "face"
_SAGITTAL: Final = 0.8  # how far a scout looks along the patient's x axis
_FAINT: Final = 0.05  # of the range of a scout: a nose is thin
_FRONT: Final = 24.0  # mm behind the nasion
_HEADS: Final = frozenset({"HEAD", "BRAIN", "SKULL", "FACE", "SINUS", "ORBIT", "IAC", "NECK"})


def photo_faces(rgb: NDArray[np.uint8]) -> list[Region]:
    """Return the faces in a photograph, as padded boxes.

    A hit of the cascades counts when its box holds skin. Where there is none, as in black and
    white or in tinted light, only a face to the front that many of their windows agree on counts:
    radiographs have weak hits.

    Args:
        rgb: Shape (rows, columns, 3), or (rows, columns) for a grey picture.
    """
    if rgb.ndim == 2:  # noqa: PLR2004 - grey
        rgb = np.repeat(rgb[:, :, None], 3, axis=2)
    if rgb.ndim != 3 or rgb.shape[2] != 3 or min(rgb.shape[:2]) < 32:  # noqa: PLR2004 - colour, and room for a face
        return []
    scale = min(1.0, _LONGEST / max(rgb.shape[:2]))
    size = (max(32, round(rgb.shape[1] * scale)), max(32, round(rgb.shape[0] * scale)))
    small = np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), np.uint8)
    spread = small.max(2).astype(np.int16) - small.min(2)
    coloured = float(spread.mean()) >= _COLOURFUL
    skin = _skin(small)
    found = _cascades(small, sides=coloured)
    if found is None:
        return _blobs(small, skin, scale) if coloured else []
    faces = [
        _grown(box, scale)
        for box, windows in found
        if windows >= _AGREED or (coloured and float(_cut(skin, box).mean()) >= _SKIN_IN)
    ]
    if coloured and scale < 1:
        faces += _small_faces(rgb)
    return [Region(boxes=(box,), verdict=Verdict.MASK, rule=_RULE, confidence=0.8) for box in faces]


def _small_faces(rgb: NDArray[np.uint8]) -> list[Box]:
    """Return the faces of a large photograph that are too small at the size of the first search."""
    scale = min(1.0, _LONGEST_FINE / max(rgb.shape[:2]))
    size = (round(rgb.shape[1] * scale), round(rgb.shape[0] * scale))
    fine = np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), np.uint8)
    found = _cascades(fine, sides=False, most=_SMALL) or []
    return [_grown(box, scale) for box, windows in found if windows >= _AGREED]


def _skin(rgb: NDArray[np.uint8]) -> Mask:
    """Return what has the chroma of human skin, of any shade (Chai and Ngan 1999)."""
    luma, red, blue = np.moveaxis(np.asarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2YCrCb)), 2, 0)
    skin = (red >= 133) & (red <= 178) & (blue >= 77) & (blue <= 130) & (luma >= 30)  # noqa: PLR2004 - their bounds
    return np.asarray(skin)


def _cut(mask: Mask, box: Box) -> Mask:
    return mask[box.y : box.y + box.h, box.x : box.x + box.w]


def _cascades(
    rgb: NDArray[np.uint8], *, sides: bool, most: int = _LONGEST
) -> list[tuple[Box, int]] | None:
    """Return boxes of faces to the front, and how many windows agree; None without cascades.

    Args:
        rgb: The picture.
        sides: Faces to either side are looked for as well; for these no windows count.
        most: Pixels of the widest box.
    """
    load = getattr(cv2, "CascadeClassifier", None)
    folder = Path(str(getattr(getattr(cv2, "data", None), "haarcascades", "")))
    if load is None or not (folder / _FRONTAL).is_file():
        return None
    grey = np.asarray(cv2.equalizeHist(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)))
    found: list[tuple[Box, int]] = []
    ways = ((_FRONTAL, False), (_PROFILE, False), (_PROFILE, True))
    for turn in range(4):  # photographs lie on their side, too
        seen = np.ascontiguousarray(np.rot90(grey, turn))
        for name, mirrored in ways if sides else ways[:1]:
            cascade = load(str(folder / name))
            picture = np.ascontiguousarray(seen[:, ::-1]) if mirrored else seen
            boxes, agreed = cascade.detectMultiScale2(
                picture, 1.1, 5, minSize=(32, 32), maxSize=(most, most)
            )
            for (x, y, w, h), windows in zip(boxes, agreed, strict=True):
                left = seen.shape[1] - int(x) - int(w) if mirrored else int(x)
                box = _turned(Box(left, int(y), int(w), int(h)), turn, seen.shape)
                found.append((box, int(windows) if name == _FRONTAL else 0))
    return found


def _turned(box: Box, turn: int, shape: tuple[int, ...]) -> Box:
    """Return a box found in a picture that was turned ``turn`` times, as it is in the picture."""
    mask = np.zeros(shape, np.bool_)
    mask[box.y : box.y + box.h, box.x : box.x + box.w] = True
    back = np.rot90(mask, -turn)
    rows, columns = np.flatnonzero(back.any(1)), np.flatnonzero(back.any(0))
    return Box(int(columns[0]), int(rows[0]), len(columns), len(rows))


def _grown(box: Box, scale: float) -> Box:
    across, down = box.w * _PADDED, box.h * _PADDED
    left, top = max(0.0, box.x - across), max(0.0, box.y - down)
    right, bottom = box.x + box.w + across, box.y + box.h + down
    return Box(
        int(left / scale),
        int(top / scale),
        int((right - left) / scale) + 1,
        int((bottom - top) / scale) + 1,
    )


def _blobs(rgb: NDArray[np.uint8], skin: Mask, scale: float) -> list[Region]:
    """Return skin in the shape of a face with something dark in it, for a person to look at."""
    labels, _count = ndimage.label(ndimage.binary_opening(skin, iterations=2))
    luma = rgb.mean(2)
    found: list[Region] = []
    for part in ndimage.find_objects(labels):
        tall, wide = (edge.stop - edge.start for edge in part)
        share = tall * wide / skin.size
        if not _LARGE <= share <= _WHOLE or not 0.4 <= wide / tall <= 1.6:  # noqa: PLR2004 - faces, and faces on their side
            continue
        own = ndimage.binary_fill_holes(skin[part])
        if own is None or float(own.mean()) < 0.5:  # noqa: PLR2004 - an ellipse fills 0.79
            continue
        light = luma[part]
        dark = own & (light < 0.6 * float(np.median(light[own])))
        if float(dark.sum()) < _EYES * float(own.sum()):
            continue
        box = Box(int(part[1].start), int(part[0].start), int(wide), int(tall))
        found.append(
            Region(boxes=(_grown(box, scale),), verdict=Verdict.REVIEW, rule=_RULE, confidence=0.5)
        )
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoutFace:
    """What a scout shows.

    Attributes:
        verdict: MASK, or REVIEW when it may show a face but where was not found.
        mask: What is masked, shape (rows, columns); None for REVIEW.
    """

    verdict: Verdict
    mask: Mask | None = None


def scout_face(
    image: Array, orientation: Sequence[float], spacing: Sequence[float], body_part: str
) -> ScoutFace | None:
    """Return the face in a flat image seen from the side; None when it shows no head that way.

    Args:
        image: Grey values, tissue lighter than air, shape (rows, columns).
        orientation: Image Orientation (Patient), six cosines.
        spacing: Pixel Spacing or Imager Pixel Spacing, mm, between rows, then columns.
        body_part: Body Part Examined, or what stands for it; empty when unknown.
    """
    named = any(part in body_part.upper() for part in _HEADS)
    if len(orientation) != 6 or len(spacing) != 2 or min(spacing) <= 0 or image.ndim != 2:  # noqa: PLR2004 - as the standard has it
        return ScoutFace(verdict=Verdict.REVIEW) if named else None
    row, column = np.array(orientation[:3], float), np.array(orientation[3:], float)
    if abs(np.cross(row, column)[0]) < _SAGITTAL:
        return None
    turned = abs(row[2]) > abs(row[1])  # rows run along the body
    upright = image.T if turned else image
    back, up = (column[1], row[2]) if turned else (row[1], column[2])
    upright = upright[:: 1 if up > 0 else -1, :: 1 if back > 0 else -1]
    steps = (spacing[1], spacing[0]) if turned else (spacing[0], spacing[1])
    small = ndimage.zoom(upright.astype(np.float32), (steps[0] / GRID, steps[1] / GRID), order=1)
    band = _silhouette(small)
    profile = profile_in(band)
    if profile is None:
        return ScoutFace(verdict=Verdict.REVIEW) if named or _headlike(band) else None
    low, behind = profile.down_and_back(band.shape)
    face = (low >= -10) & (low <= 150) & (behind <= _FRONT + 0.25 * np.maximum(low, 0))  # noqa: PLR2004 - mm, brow to chin
    rows = np.minimum(np.arange(upright.shape[0]) * steps[0] / GRID, band.shape[0] - 1)
    columns = np.minimum(np.arange(upright.shape[1]) * steps[1] / GRID, band.shape[1] - 1)
    large = face[np.ix_(rows.astype(int), columns.astype(int))]
    large = large[:: 1 if up > 0 else -1, :: 1 if back > 0 else -1]
    return ScoutFace(verdict=Verdict.MASK, mask=np.ascontiguousarray(large.T if turned else large))


def _silhouette(image: NDArray[np.float32]) -> Mask:
    low, high = np.percentile(image, (2, 98))
    labels, count = ndimage.label(image > low + _FAINT * (high - low))
    if not count:
        return np.zeros(image.shape, np.bool_)
    sizes = np.bincount(labels.ravel())
    sizes[0] = 0
    filled: Mask = ndimage.binary_fill_holes(labels == int(sizes.argmax()))
    return filled


def _headlike(band: Mask) -> bool:
    """Return whether the top of a silhouette is as deep as a head and rounds off."""
    filled = np.flatnonzero(band.any(1))
    if len(filled) * GRID < 100:  # noqa: PLR2004 - mm
        return False
    depths = band[filled].sum(1)[::-1] * GRID
    widest = float(depths[:70].max())
    return 140 <= widest <= 260 and float(depths[:5].mean()) < 0.6 * widest  # noqa: PLR2004 - mm
