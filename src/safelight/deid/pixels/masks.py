"""Regions and shapes as masks of frames, and what is drawn there."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from safelight.deid.boxes import Region, Verdict
from safelight.deid.pixels.header import PixelHeader
from safelight.errors import UnreadableInputError

__all__ = ["Fill", "Masks", "blanked", "edge_of"]

Array = NDArray[Any]
Mask = NDArray[np.bool_]
_COLOURS: Final = 3


class Fill(StrEnum):
    """What is drawn over a masked place."""

    FLAT = "flat"  # the darkest level that is displayed
    BOX = "box"  # the same with an edge of mid-grey, so that it is seen to be a mask


@dataclass(frozen=True, slots=True, kw_only=True)
class Masks:
    """What is masked in which frame. A mask is made when it is asked for, a frame at a time.

    Attributes:
        rows: Rows of a frame.
        columns: Columns of a frame.
        frames: Number of frames.
        regions: Those with verdict MASK cover their boxes; those with KEEP are spared.
        shapes: Masks of any form by frame number, shape (rows, columns).
    """

    rows: int
    columns: int
    frames: int
    regions: Sequence[Region] = ()
    shapes: Mapping[int, Mask] = field(default_factory=dict)

    def sized(self, rows: int, columns: int, frames: int, *, together: bool = False) -> "Masks":
        """Return the same masks over pictures of this size; ``together`` puts all in frame 0."""
        regions, shapes = self.regions, self.shapes
        if together:
            regions = [replace(region, frames=()) for region in regions]
            every = [shape for shape in shapes.values() if shape.any()]
            shapes = {0: np.logical_or.reduce(every)} if every else {}
        return replace(
            self, rows=rows, columns=columns, frames=frames, regions=regions, shapes=shapes
        )

    def numbers(self) -> list[int]:
        """Return the numbers of the frames that something is masked in, ascending."""
        found = {number for number, shape in self.shapes.items() if shape.any()}
        for region in self.regions:
            boxes = (box.clipped(self.rows, self.columns) for box in region.boxes)
            if region.verdict is Verdict.MASK and any(boxes):
                found.update(region.frames or range(self.frames))
        return sorted(number for number in found if 0 <= number < self.frames)

    def of(self, frame: int) -> Mask:
        """Return the mask of one frame, shape (rows, columns).

        Raises:
            UnreadableInputError: A shape is of another size than the frame.
        """
        mask = self._boxes(frame, Verdict.MASK)
        shape = self.shapes.get(frame)
        if shape is not None:
            if shape.shape != mask.shape:
                raise UnreadableInputError("a mask is of another size than its frame")
            mask |= shape
        return mask

    def kept(self, frame: int) -> Mask:
        """Return where marks of one frame are kept, shape (rows, columns)."""
        return self._boxes(frame, Verdict.KEEP)

    def _boxes(self, frame: int, verdict: Verdict) -> Mask:
        found = np.zeros((self.rows, self.columns), np.bool_)
        for region in self.regions:
            if region.verdict is not verdict or (region.frames and frame not in region.frames):
                continue
            for box in region.boxes:
                part = box.clipped(self.rows, self.columns)
                if part is not None:
                    found[part.y : part.y + part.h, part.x : part.x + part.w] = True
        return found


def edge_of(mask: Mask) -> Mask:
    """Return the outermost pixels of a mask, one wide."""
    inner = np.pad(mask, 1)
    return mask & ~(inner[:-2, 1:-1] & inner[2:, 1:-1] & inner[1:-1, :-2] & inner[1:-1, 2:])


def blanked(
    frame: Array, mask: Mask, header: PixelHeader, colour: str, *, index: int = 0, fill: Fill
) -> Array:
    """Return a copy of one frame with what the mask covers drawn over.

    Args:
        frame: Stored values, shape (rows, columns) or (rows, columns, samples).
        mask: Shape (rows, columns).
        header: What the header says of the frame.
        colour: The colour space of ``frame``.
        index: Number of the frame.
        fill: What is drawn.
    """
    flat, middle = _levels(frame, header, colour, index)
    done = frame.copy()
    done[mask] = flat
    if fill is Fill.BOX:
        done[edge_of(mask)] = middle
    return done


def _levels(frame: Array, header: PixelHeader, colour: str, index: int) -> tuple[Array, Array]:
    """Return the darkest and a middle value, as arrays of the samples of one pixel."""
    if frame.ndim == _COLOURS:
        return _colour_levels(frame, header, colour)
    if header.palettes is not None and header.first_colour is None:
        return _palette_levels(frame, header)
    if header.form.bits_allocated == 1:
        dark = np.array(int(header.inverted), frame.dtype)
        return dark, dark
    known: Array = frame[np.isfinite(frame)] if frame.dtype.kind == "f" else frame.reshape(-1)
    if header.padding is not None:
        low, high = header.padding
        seen = known[(known < low) | (known > high)]
        known = seen if len(seen) else known
    low, high = (known.min(), known.max()) if len(known) else (0, 0)
    turned = header.inverted != (header.look(index).slope < 0)
    middle: Any = low / 2 + high / 2 if frame.dtype.kind == "f" else (int(low) + int(high)) // 2
    return np.array(high if turned else low, frame.dtype), np.array(middle, frame.dtype)


def _palette_levels(frame: Array, header: PixelHeader) -> tuple[Array, Array]:
    assert header.palettes is not None  # noqa: S101  # the caller asked
    red, green, blue = (table.scaled().astype(np.int64) for table in header.palettes)
    count = min(len(red), len(green), len(blue))
    light = 299 * red[:count] + 587 * green[:count] + 114 * blue[:count]
    first, bits = header.palettes[0].first, header.form.bits_stored
    lowest, highest = (-(1 << bits - 1), 1 << bits - 1) if header.form.signed else (0, 1 << bits)
    reach = np.arange(first, first + count)
    light = np.where((reach >= lowest) & (reach < highest), light, 1 << 40)
    dark, middle = int(light.argmin()), int(np.abs(light - 128_000).argmin())
    return np.array(first + dark).astype(frame.dtype), np.array(first + middle).astype(frame.dtype)


def _colour_levels(frame: Array, header: PixelHeader, colour: str) -> tuple[Array, Array]:
    top = (1 << header.form.bits_stored) - 1
    half = (top + 1) // 2
    samples = frame.shape[2]
    dark, middle = [0] * samples, [half] * samples
    if colour.startswith("YBR") or colour == "CIELAB":
        black = (top + 1) // 16 if "PARTIAL" in colour else 0
        dark = [black, half, half, 0][:samples]
    elif colour == "CMYK":
        dark, middle = [0] * (samples - 1) + [top], [0] * (samples - 1) + [half]
    elif colour == "ARGB":
        dark, middle = [top, *dark[1:]], [top, *middle[1:]]
    elif colour == "HSV":
        middle = [0, 0, half, 0][:samples]
    return np.array(dark, frame.dtype), np.array(middle, frame.dtype)
