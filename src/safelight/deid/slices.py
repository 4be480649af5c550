"""Writing in NIfTI pictures: found slice by slice, and masked in the stored values.

A file of few slices, or of colours, is a picture like others: each is looked at closely. A volume
may have been turned after writing came into it, so a glance goes over its slices along all three
axes, and the closer look is taken where the glance sees ink: brains stay as they are.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from safelight.deid.boxes import Box, Region, Verdict
from safelight.deid.burned import NO_HINTS, Finder, Glance, Hints, Sight
from safelight.deid.burned.sight import Sort
from safelight.deid.burned.verify import plain
from safelight.deid.faces.nifti import NiftiImage, turn_of
from safelight.deid.looking import PHOTO, legible
from safelight.deid.pixels.picture import Picture
from safelight.deid.pixels.render import HIGH_PERCENT, LOW_PERCENT
from safelight.errors import NeedsReviewError

if TYPE_CHECKING:
    from safelight.deid.text import Needles

__all__ = ["Found", "Slices", "search"]

Array = NDArray[Any]

_VOLUME: Final = 8  # slices; fewer are pictures
_NARROW: Final = 24  # pixels: a slice across thick ones holds no letters
_MANY: Final = 16  # slices from which on what stands still in them is looked for
_MOST: Final = 48  # slices of a volume that are looked at closely along one axis
_TALL: Final = 0.2  # of a slice's shorter side: an organ's outline, if it cannot be read
_SLENDER: Final = 3.0  # a line, where nothing can be read in all of a slice
_LUMA: Final = (0.299, 0.587, 0.114)  # ITU-R BT.601


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What was found in one slice.

    Attributes:
        axis: Along which the slices are counted: 0, 1 or 2.
        at: Which of them.
        regions: What was decided, in pixels of the slice as displayed.
    """

    axis: int
    at: int
    regions: Sequence[Region]


class Slices:
    """An image as slices along any of three axes, as displayed; masks are drawn on a copy.

    Attributes:
        pictures: It is no volume: its slices are pictures of their own.

    Args:
        image: The image; its voxels stay as they are.
    """

    def __init__(self, image: NiftiImage) -> None:
        voxels = image.voxels
        voxels = voxels.reshape((*voxels.shape, 1, 1)[: max(3, voxels.ndim)], order="F")
        i, j, k = voxels.shape[:3]
        self.pictures = voxels.dtype.names is not None or k < _VOLUME
        shape = (i, j, voxels.size // (i * j), 1) if self.pictures else (i, j, k, -1)
        self._image = image
        self._voxels = voxels.reshape(shape, order="F")
        self._own = False
        self._turn = turn_of(image.affine)
        self.axes = tuple(axis for axis in (2, 1, 0) if axis == 2 or self._wide(axis))  # noqa: PLR2004 - k

    def _wide(self, axis: int) -> bool:
        sides = [size for at, size in enumerate(self._voxels.shape[:3]) if at != axis]
        return not self.pictures and min(sides) >= _NARROW

    def views(self) -> "Iterator[_View]":
        """Yield what is looked at: the image; over time, its greatest and least values.

        Each is taken when it is asked for, from what was masked by then.
        """
        if self._voxels.shape[3] == 1:
            yield _View(self, None)
            return
        yield _View(self, np.fmax.reduce(_seen(self._voxels), axis=3))
        yield _View(self, np.fmin.reduce(_seen(self._voxels), axis=3))

    def size(self, axis: int) -> int:
        """Return how many slices there are along an axis."""
        return int(self._voxels.shape[axis])

    def shown(self, volume: Array, axis: int, at: int) -> Array:
        """Return a view of one slice as displayed, shape (rows, columns, ...)."""
        plane = np.moveaxis(volume, axis, 0)[at]
        swap, rows, columns = self._turn if axis == 2 else (False, -1, 1)  # noqa: PLR2004 - k
        plane = plane if swap else np.moveaxis(plane, 0, 1)
        shown: Array = plane[::rows, ::columns]
        return shown

    def picture(self, axis: int, at: int) -> Picture:
        """Return one slice of the first time as a viewer shows it, over its own range of values."""
        plane = self.shown(self._voxels[..., 0], axis, at)
        if plane.dtype.names is None:
            return Picture(grey=_levels(plane), frame=at)
        parts = [plane[name] for name in plane.dtype.names[:3]]
        grey = sum(part * share for part, share in zip(parts, _LUMA, strict=True))
        rgb = np.ascontiguousarray(np.stack(parts, axis=2))
        return Picture(grey=np.rint(grey).astype(np.uint8), rgb=rgb, frame=at)

    def mask(self, axis: int, at: int, boxes: Sequence[Box]) -> None:
        """Draw over a slice, at all times, with the darkest value."""
        if not self._own:
            self._voxels, self._own = self._voxels.copy(order="F"), True
        _blank(self.shown(self._voxels, axis, at), boxes, self._image.lowest())

    def written(self, data: bytes) -> bytes:
        """Return the file with the masks in it."""
        start, stop = self._image.start, self._image.start + self._image.voxels.nbytes
        return b"".join((data[:start], self._voxels.tobytes(order="F"), data[stop:]))


class _View:
    """What the slices of an image are looked at in: itself, or its values over time."""

    def __init__(self, slices: Slices, volume: Array | None) -> None:
        self._slices = slices
        self._volume = volume

    def mask(self, axis: int, at: int, boxes: Sequence[Box]) -> None:
        """Draw over a slice of the image, and of what is looked at."""
        self._slices.mask(axis, at, boxes)
        if self._volume is not None:
            _blank(self._slices.shown(self._volume, axis, at), boxes, self._volume.min())

    def picture(self, axis: int, at: int) -> Picture:
        """Return one slice as a viewer shows it, over its own range of values."""
        if self._volume is None:
            return self._slices.picture(axis, at)
        return Picture(grey=_levels(self._slices.shown(self._volume, axis, at)), frame=at)


def _blank(plane: Array, boxes: Sequence[Box], fill: Any) -> None:
    for box in boxes:
        plane[box.y : box.y + box.h, box.x : box.x + box.w] = fill


def _seen(voxels: Array) -> Array:
    return np.abs(voxels) if voxels.dtype.kind == "c" else voxels


def _levels(plane: Array) -> NDArray[np.uint8]:
    values = np.nan_to_num(_seen(plane).astype(np.float32), posinf=0, neginf=0)
    low, high = (float(value) for value in np.percentile(values, (LOW_PERCENT, HIGH_PERCENT)))
    if high <= low:
        low, high = float(values.min()), float(values.max())
    scale = 255 / (high - low) if high > low else 0.0
    return np.ascontiguousarray(np.clip(np.rint((values - low) * scale), 0, 255).astype(np.uint8))


def search(finder: Finder, slices: Slices, needles: "Needles | None") -> list[Found]:
    """Find and mask what is written in an image; return what was found.

    Args:
        finder: Looks.
        slices: The image; masked here.
        needles: The subject's own values.

    Raises:
        NeedsReviewError: There is more than can be looked at closely, or it is legible still.
    """
    out: list[Found] = []
    for view in slices.views():
        for axis in slices.axes:
            together: dict[int, list[Region]] = {}
            for found in _Along(finder, slices, view, axis, needles).found():
                together.setdefault(found.at, []).extend(found.regions)
            for at, regions in together.items():
                picture = view.picture(axis, at)
                suspect = slices.pictures or finder.glance(picture.grey)
                if suspect and finder.check(picture, regions, needles):
                    raise NeedsReviewError("writing is still legible in its pixels after masking")
                out.append(Found(axis=axis, at=at, regions=regions))
    return out


class _Along:
    """The search along one axis."""

    def __init__(
        self, finder: Finder, slices: Slices, view: _View, axis: int, needles: "Needles | None"
    ) -> None:
        self._finder = finder
        self._view = view
        self._axis = axis
        self._needles = needles
        self._pictures = slices.pictures
        self._hints: Hints = PHOTO if slices.pictures else NO_HINTS
        self._glances = {at: self._glance(at) for at in range(slices.size(axis))}

    def _glance(self, at: int) -> Glance:
        return self._finder.glance(self._view.picture(self._axis, at).grey)

    def found(self) -> list[Found]:
        """Return what was found and masked."""
        out = self._standing()
        wanted = [at for at, seen in self._glances.items() if seen or self._pictures]
        if len(wanted) > _MOST and not self._pictures:
            raise NeedsReviewError("what may be writing stands in many of its slices")
        for at in wanted:
            out += self._masked([at], self._regions(at))
        return out

    def _standing(self) -> list[Found]:
        """Find what stands at the same place in many slices, and mask it in all of them."""
        some = [at for at, seen in self._glances.items() if seen]
        if len(some) < _MANY:
            return []
        regions: list[Region] = []
        for mirrored in (False, True):
            series = self._finder.series()
            for at in some:
                picture = self._view.picture(self._axis, at)
                series.add(_mirrored(picture) if mirrored else picture)
            sight = series.finish(self._hints)
            if sight is not None and not regions:
                regions = self._decided(sight, mirrored=mirrored)
            if sight is not None and _read(sight):
                regions = self._decided(sight, mirrored=mirrored)
                break
        regions = [replace(one, frames=()) for one in regions if one.verdict is not Verdict.KEEP]
        where = some if 2 * len(some) < len(self._glances) else list(self._glances)
        out = self._masked(where, regions)
        for at in some if regions else ():
            self._glances[at] = self._glance(at)
        return out

    def _masked(self, where: Sequence[int], regions: Sequence[Region]) -> list[Found]:
        boxes = [box for one in regions if one.verdict is Verdict.MASK for box in one.boxes]
        for at in where if boxes else ():
            self._view.mask(self._axis, at, boxes)
        return [Found(axis=self._axis, at=at, regions=regions) for at in where if regions]

    def _regions(self, at: int) -> list[Region]:
        """Look at one slice closely, and once more in the mirror if nothing can be read in it.

        Programs differ in the order of rows: what one stored upright another shows mirrored.
        """
        picture = self._view.picture(self._axis, at)
        seen = self._glances[at]
        sight = self._finder.look(picture, self._hints, at)
        if not _read(sight):
            if seen is Glance.CLEARLY:
                other = self._finder.look(_mirrored(picture), self._hints, at)
                if _read(other):
                    return self._decided(other, mirrored=True)
            if seen is Glance.PERHAPS and not self._pictures:
                return []  # what a glance is not sure of and nobody can read is anatomy
        return self._decided(sight, mirrored=False)

    def _decided(self, sight: Sight, *, mirrored: bool) -> list[Region]:
        """Return what is masked and kept, on the picture as it was before it was mirrored."""
        sight = legible(sight)
        if not self._pictures:
            most, least = _TALL * min(sight.rows, sight.columns), 0.0 if _read(sight) else _SLENDER
            kept = [
                one
                for one in sight.found
                if plain(one.reading)
                or (least * one.strip.height <= one.strip.length and one.strip.height <= most)
            ]
            sight = replace(sight, found=kept)
        regions = self._finder.decide([sight], self._needles, self._hints)
        return [_turned(one, sight.rows) for one in regions] if mirrored else regions


def _read(sight: Sight) -> bool:
    """Tell whether several letters were read for certain somewhere, or a code."""
    found = (one for one in sight.found if not one.weak)
    return any(plain(one.reading) or one.sort is Sort.CODE for one in found)


def _mirrored(picture: Picture) -> Picture:
    rgb = None if picture.rgb is None else np.ascontiguousarray(picture.rgb[::-1])
    return replace(picture, grey=np.ascontiguousarray(picture.grey[::-1]), rgb=rgb)


def _turned(region: Region, rows: int) -> Region:
    """Return a region of a mirrored picture on the picture itself."""
    boxes = tuple(Box(box.x, rows - box.y - box.h, box.w, box.h) for box in region.boxes)
    return replace(region, boxes=boxes)
