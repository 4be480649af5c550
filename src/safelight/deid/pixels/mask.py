"""Mask an object's pixels without harm: what no mask covers stays bit-identical when decoded.

Native pixels are patched where they stand. Compressed frames that a mask touches are coded anew,
without loss, in their own syntax where it can hold them; lossy JPEG is masked in whole MCUs
without being decoded, but for kept marks in them. All other frames are copied as they are.
"""

import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from safelight.deid.boxes import Region, Verdict
from safelight.deid.decision import Entry
from safelight.deid.pixelcopy import Changes, PixelCopier
from safelight.deid.pixels.header import PixelHeader
from safelight.deid.pixels.jpegmask import covered, mask_jpeg
from safelight.deid.pixels.jpegparts import parse
from safelight.deid.pixels.jpegproof import compare
from safelight.deid.pixels.masks import Fill, Mask, Masks, blanked
from safelight.deid.pixels.statistics import STALE, Statistics
from safelight.dicomio.codecs import (
    PixelSource,
    encode,
    fields,
    lossless_target,
    open_pixels,
    write_frame,
)
from safelight.dicomio.codecs.form import YBR_HALF, PixelFormat
from safelight.dicomio.codestream import DEFLATED_FRAME
from safelight.dicomio.limits import Limits
from safelight.dicomio.walker import Element, place
from safelight.errors import NeedsReviewError, UnreadableInputError
from safelight.types import Part

__all__ = ["Fill", "Masked", "mask_object", "masked_frame", "paired"]

_JPEG: Final = "1.2.840.10008.1.2.4."
_BASELINE, _EXTENDED = _JPEG + "50", _JPEG + "51"
_LOSSY_JPEG: Final = frozenset(f"{_JPEG}{last}" for last in range(50, 57))
_PLACE: Final = "(7FE0,0010)"
_OFFSETS, _LENGTHS, _PHOTOMETRIC = 0x7FE00001, 0x7FE00002, 0x00280004

Array = NDArray[Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Masked:
    """An object's pixel data after masking.

    Attributes:
        parts: The encoded element, in order, as ``PixelCopier.copy`` gives it.
        entries: What was done, for the manifest.
        syntax: Transfer Syntax UID that the object has to be written in now.
        changed: Elements of the top level that are no longer true: their new raw value, in the
            encoding of the data set, or None for one that has to go. Only elements that were there.
        frames: Numbers of the frames that were masked.
        painted: What was drawn over: in lossy JPEG whole MCUs; None where nothing was.
        lossy: Frames were masked in their coefficients, and proven one by one.
    """

    parts: list[Part]
    entries: list[Entry]
    syntax: str
    changed: Mapping[int, bytes | None] = field(default_factory=dict)
    frames: tuple[int, ...] = ()
    painted: Masks | None = None
    lossy: bool = False


def mask_object(
    source: PixelSource,
    header: PixelHeader,
    regions: Sequence[Region],
    *,
    copier: PixelCopier,
    element: Element,
    shapes: Mapping[int, Mask] | None = None,
    fill: Fill = Fill.FLAT,
) -> Masked:
    """Return the pixel data with what regions and shapes cover drawn over.

    Args:
        source: The frames.
        header: What the header says of them.
        regions: Those with verdict MASK are masked; those with KEEP stay beside them.
        copier: Of the same input; copies what is not touched.
        element: Of the pixel data.
        shapes: Masks of any form by frame number, shape (rows, columns).
        fill: What is drawn over.

    Raises:
        UnreadableInputError: A frame is damaged, or a mask is of another size.
        NeedsReviewError: No encoder here can write such a frame without loss.
        LimitExceededError: A frame took too much time or memory.
    """
    masks = Masks(
        rows=header.rows,
        columns=header.columns,
        frames=header.frames,
        regions=regions,
        shapes=shapes or {},
    )
    numbers = masks.numbers()
    work = _Work(source, header, masks, copier, fill)
    changes, syntax = Changes(), header.form.syntax
    if numbers and source.compressed:
        changes, syntax = work.encapsulated(numbers)
    elif numbers:
        changes = Changes(patches=tuple(work.native(numbers, element)))
    parts, entries = copier.copy(element, changes)
    if numbers:
        entries = [*_told(regions, shapes, element[0]), *entries]
    changed = work.changed(changes) if numbers else {}
    return Masked(
        parts=parts,
        entries=entries,
        syntax=syntax,
        changed=changed,
        frames=tuple(numbers),
        painted=work.painted if numbers else None,
        lossy=work.lossy,
    )


def masked_frame(
    source: PixelSource, header: PixelHeader, masks: Masks, index: int, fill: Fill = Fill.FLAT
) -> Array:
    """Return one frame as it is after masking in lossless syntaxes, for before and after views."""
    return blanked(
        source.frame(index),
        masks.of(index),
        header,
        source.colour(index),
        index=index,
        fill=fill,
    )


def paired(mask: Mask, form: PixelFormat) -> Mask:
    """Return a mask over whole pairs of pixels, where two of them share their colour."""
    if form.photometric in YBR_HALF:
        even = mask[:, : mask.shape[1] // 2 * 2].reshape(mask.shape[0], -1, 2)
        mask[:, : mask.shape[1] // 2 * 2] = np.repeat(even.any(axis=2), 2, axis=1)
    return mask


def _told(
    regions: Sequence[Region], shapes: Mapping[int, Mask] | None, tag: int
) -> Iterator[Entry]:
    rules = [region.rule for region in regions if region.verdict is Verdict.MASK]
    if shapes:
        rules.append("face")
    for rule in dict.fromkeys(rules):
        yield place(tag), rule, "mask", ""


class _Work:
    """One object being masked."""

    def __init__(
        self,
        source: PixelSource,
        header: PixelHeader,
        masks: Masks,
        copier: PixelCopier,
        fill: Fill,
    ) -> None:
        self.source, self.header, self.masks = source, header, masks
        self.copier, self.fill = copier, fill
        self.form = header.form
        self.photometric = self.form.photometric
        self.painted = masks
        self.lossy = False
        self.statistics = Statistics(header)
        self.seen: set[int] = set()

    # native

    def native(self, numbers: Sequence[int], element: Element) -> Iterator[tuple[int, int, bytes]]:
        """Yield what is written over the input, frame by frame."""
        form, data = self.form, self.copier.data
        value, stop = element[3], element[4]
        pairs = form.big_endian and form.bits_allocated <= 8 and form.vr == b"OW"  # noqa: PLR2004 - a byte
        if form.bits_allocated == 1 or pairs:  # frames share bytes
            whole = bytearray(data[value:stop])
            for index in numbers:
                new, bits, _ = self._drawn(index)
                write_frame(whole, index, new, form, bits)
            yield value, stop, bytes(whole)
            return
        alone = replace(form, frames=1)
        for index in numbers:
            ((start, end),) = self.source.encoded(index)
            there = bytearray(data[start:end])
            new, bits, mask = self._drawn(index)
            write_frame(there, 0, new, alone, bits)
            for first, last in _stretches(mask, form, end - start):
                yield start + first, start + last, bytes(there[first:last])

    def _drawn(self, index: int) -> tuple[Array, Array | None, Mask]:
        """Return a frame drawn over, the bits outside its values, and the mask as it was used."""
        frame, mask = self.source.frame(index), paired(self.masks.of(index), self.form)
        colour = self.source.colour(index)
        new = blanked(frame, mask, self.header, colour, index=index, fill=self.fill)
        self._count(index, frame, new)
        bits = None
        if not self.form.floating and self.form.bits_stored < self.form.bits_allocated:
            bits = self.source.overlay_bits(index).copy()
            bits[mask] = fields.outside(fields.join(new[mask], self.form), self.form)
        return new, bits, mask

    # encapsulated

    def encapsulated(self, numbers: Sequence[int]) -> tuple[Changes, str]:
        """Return the new codestreams and the syntax they are in."""
        syntax = self.form.syntax
        if syntax in _LOSSY_JPEG:
            done = self._jpeg(numbers)
            if done is not None:
                return done
        target = lossless_target(syntax)
        colour = self._colour(numbers[0], target)
        everything = target != syntax or colour != self.form.photometric
        form = replace(self.form, photometric=colour)
        frames: dict[int, bytes] = {}
        for index in range(self.form.frames) if everything else numbers:
            new, bits, _ = self._drawn(index)
            coded = encode(new, form, syntax=target, bits=bits)
            frames[index] = _deflated(coded) if target == DEFLATED_FRAME else coded
        self.photometric = colour
        return self._changes(frames, target), target

    def _changes(self, frames: dict[int, bytes], syntax: str) -> Changes:
        spans = [self.source.encoded(index) for index in range(self.form.frames)]
        return Changes(frames=frames, spans=spans, syntax=syntax)

    def _colour(self, index: int, target: str) -> str:
        """Return the Photometric Interpretation of the output."""
        found, said = self.source.colour(index), self.form.photometric
        if said in ("YBR_RCT", "YBR_ICT") and found == "RGB" and target.startswith(_JPEG):
            return said if target == self.form.syntax else found
        return found

    def _jpeg(self, numbers: Sequence[int]) -> tuple[Changes, str] | None:
        """Mask DCT frames as they are; None when they are of another process."""
        frames: dict[int, bytes] = {}
        units: dict[int, Mask] = {}
        touched = set(numbers)
        sequential = self.form.syntax in (_BASELINE, _EXTENDED)
        for index in range(self.form.frames):
            coded = self.source.codestream(index)
            try:
                jpeg = parse(coded)
            except NeedsReviewError:
                return None
            if index not in touched and sequential:
                continue
            mask = self.masks.of(index) if index in touched else None
            frames[index] = mask_jpeg(
                coded,
                np.zeros((jpeg.rows, jpeg.columns), np.bool_) if mask is None else mask,
                photometric=self.form.photometric,
                bright=self.header.inverted,
                border=self.fill is Fill.BOX,
                anew=not sequential,
                keep=self.masks.kept(index),
            )
            if mask is not None:
                units[index] = covered(coded, mask)
                self._check(index, frames[index], mask, units[index], jpeg.precision)
        self.painted, self.lossy = replace(self.masks, regions=(), shapes=units), True
        syntax = self.form.syntax
        if not sequential:
            syntax = _BASELINE if self.form.bits_stored <= 8 else _EXTENDED  # noqa: PLR2004 - bits of the baseline process
        return self._changes(frames, syntax), syntax

    def _check(self, index: int, coded: bytes, mask: Mask, touched: Mask, bits: int) -> None:
        """Decode a masked JPEG frame: nothing but what was meant to may have changed."""
        old, new = self.source.frame(index), _decoded(coded, self.form, self.copier.limits)
        self._count(index, old, new)
        flat = self.fill is Fill.FLAT
        compare(old, new, mask, touched, bits=bits, flat=flat, place=_PLACE)

    # what is no longer true

    def _count(self, index: int, old: Array, new: Array) -> None:
        self.seen.add(index)
        self.statistics.add(old, new)

    def changed(self, changes: Changes) -> dict[int, bytes | None]:
        """Return elements that the mask made untrue."""
        present = self.header.present
        found: dict[int, bytes | None] = {tag: None for tag in STALE if tag in present}
        if self.statistics.wanted:
            for index in range(self.form.frames):
                if index not in self.seen:
                    frame = self.source.frame(index)
                    self.statistics.add(frame, frame)
            found.update(self.statistics.elements())
        if changes.frames:
            found.update({_OFFSETS: None, _LENGTHS: None})
        if self.photometric != self.form.photometric:
            found[_PHOTOMETRIC] = self.photometric.encode() + b" " * (len(self.photometric) % 2)
        return found


def _deflated(frame: bytes) -> bytes:
    """Return a frame deflated (PS3.5 A.4.13, RFC 1951)."""
    stream = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return stream.compress(frame) + stream.flush()


def _decoded(coded: bytes, form: PixelFormat, limits: Limits) -> Array:
    coded += bytes(len(coded) % 2)
    item = b"\xfe\xff\x00\xe0"
    data = item + bytes(4) + item + len(coded).to_bytes(4, "little") + coded
    one = replace(form, frames=1)
    source = open_pixels(data, value=0, stop=len(data), encapsulated=True, form=one, limits=limits)
    return source.frame(0)


def _stretches(mask: Mask, form: PixelFormat, size: int) -> Iterator[tuple[int, int]]:
    """Yield the bytes of a native frame, plane by plane, that hold rows with something masked."""
    rows = np.flatnonzero(np.diff(mask.any(axis=1).astype(np.int8), prepend=0, append=0))
    planes = form.samples if form.samples > 1 and form.planar and size == form.frame_bytes else 1
    plane = size // planes
    if plane % form.rows:
        raise UnreadableInputError("native pixels that end inside a row", place=_PLACE)
    row = plane // form.rows
    for number in range(planes):
        for first, last in zip(rows[::2].tolist(), rows[1::2].tolist(), strict=True):
            yield number * plane + first * row, number * plane + last * row
