"""Frames that are not compressed: where they stand in the value, and how to write them back.

Sources: PS3.5 section 8.1 and Annex D (bits and bytes), section 7.3 (byte order), PS3.3
C.7.6.3.1.2 and C.7.6.3.1.3 (colour, planes).
"""

from typing import Any

import numpy as np

from safelight.dicomio.codecs import fields
from safelight.dicomio.codecs.fields import Array
from safelight.dicomio.codecs.form import YBR_HALF, PixelFormat
from safelight.errors import NeedsReviewError, UnreadableInputError

__all__ = ["native_bits", "pack_words", "read_words", "unpack_words", "write_frame"]


def native_bits(form: PixelFormat, *, length: int = 0) -> int:
    """Return the bits of one native frame.

    Args:
        form: The header.
        length: Bytes of the value, where known: colour that is said to be half may be whole.
    """
    whole = form.pixels * form.samples * form.bits_allocated
    if form.photometric in YBR_HALF:
        half = form.pixels * 2 * form.bits_allocated
        return whole if length * 8 >= whole * form.frames else half
    return whole


def read_words(value: Any, index: int, form: PixelFormat) -> Array:
    """Return the words of one frame, in the machine's byte order, samples last.

    Args:
        value: The bytes of native pixel data, of every frame.
        index: Frame number from 0.
        form: The header.
    """
    bits = native_bits(form, length=len(value))
    start, stop = index * bits, (index + 1) * bits
    return unpack_words(
        _cut(value, start, stop, form), form, start % 8, whole=_is_whole(form, bits)
    )


def _is_whole(form: PixelFormat, bits: int) -> bool:
    return bits == form.pixels * form.samples * form.bits_allocated


def _swapped(form: PixelFormat) -> bool:
    """Tell whether bytes stand in pairs, the second pixel first (PS3.5 7.3, 8.1.2)."""
    return form.big_endian and form.bits_allocated <= 8 and form.vr == b"OW"  # noqa: PLR2004 - a byte


def _cut(value: Any, start: int, stop: int, form: PixelFormat) -> Array:
    """Return the bytes that hold these bits."""
    first, last = start // 8, (stop + 7) // 8
    if last > len(value) + (len(value) % 2 if _swapped(form) else 0):
        raise UnreadableInputError(
            "there is less pixel data than the header promises", place="(7FE0,0010)"
        )
    if not _swapped(form):
        return np.frombuffer(value, np.uint8, last - first, first)
    low, high = first - first % 2, min(last + last % 2, len(value))
    pairs = np.frombuffer(value, np.uint8, high - low, low)
    if len(pairs) % 2:
        pairs = np.append(pairs, np.uint8(0))
    return pairs.reshape(-1, 2)[:, ::-1].reshape(-1)[first - low : last - low]


def unpack_words(data: Array, form: PixelFormat, skip: int = 0, *, whole: bool = True) -> Array:
    """Return words of shape ``form.shape`` from the bytes of one frame.

    Args:
        data: Bytes, uint8.
        form: The header.
        skip: Bits before the first pixel, in frames of single bits that begin inside a byte.
        whole: Colour has a sample for each pixel; if not, two pixels share Cb and Cr.
    """
    if form.bits_allocated == 1:
        count = form.pixels * form.samples
        words = np.unpackbits(data, bitorder="little")[skip : skip + count]
    else:
        kind = f"u{form.sample_bytes}"
        words = data.view(_order(form) + kind).astype(kind, copy=False)
    if not whole:
        return _spread(words, form)
    if form.samples > 1 and form.planar:
        return np.moveaxis(words.reshape(form.samples, form.rows, form.columns), 0, -1)
    return words.reshape(form.shape)


def _spread(words: Array, form: PixelFormat) -> Array:
    """Give both pixels of a pair their Cb and Cr (PS3.3 C.7.6.3.1.2: Y1 Y2 Cb Cr)."""
    pairs = words.reshape(-1, 4)
    found = np.empty((len(pairs), 2, 3), words.dtype)
    found[:, :, 0] = pairs[:, :2]
    found[:, :, 1:] = pairs[:, None, 2:]
    return found.reshape(form.shape)


def pack_words(words: Array, form: PixelFormat, *, whole: bool = True) -> Array:
    """Return the bytes of one frame: the other way of ``unpack_words``, from a byte border.

    Raises:
        NeedsReviewError: Two pixels that share their colour differ in it.
    """
    if not whole:
        pairs = words.reshape(-1, 2, 3)
        if (pairs[:, 0, 1:] != pairs[:, 1, 1:]).any():
            raise NeedsReviewError("pixels that share a colour differ in it", place="(7FE0,0010)")
        words = np.concatenate([pairs[:, :, 0], pairs[:, 0, 1:]], axis=1)
    elif form.samples > 1 and form.planar:
        words = np.moveaxis(words, -1, 0)
    flat = np.ascontiguousarray(words).reshape(-1)
    if form.bits_allocated == 1:
        return np.packbits(flat, bitorder="little")
    return flat.astype(f"{_order(form)}u{flat.dtype.itemsize}", copy=False).view(np.uint8)


def _order(form: PixelFormat) -> str:
    return ">" if form.big_endian else "<"


def write_frame(
    value: bytearray, index: int, frame: Array, form: PixelFormat, bits: Array | None = None
) -> None:
    """Write one frame of stored values into native pixel data where it stands.

    A word whose value does not change keeps every bit. Two pixels that share their colour (4:2:2)
    must agree in it: mask whole pairs.

    Args:
        value: The bytes of native pixel data, of every frame; changed in place.
        index: Frame number from 0.
        frame: Stored values, of ``form.shape`` and ``form.dtype``.
        form: The header.
        bits: What shall stand outside the values (``PixelSource.overlay_bits``, with the masked
            places zeroed); None leaves it as it is where the value stays, and clears it elsewhere.

    Raises:
        NeedsReviewError: Two pixels that share their colour differ in it.
        UnreadableInputError: The value is too short.
    """
    size = native_bits(form, length=len(value))
    whole = _is_whole(form, size)
    start, stop = index * size, (index + 1) * size
    words = unpack_words(_cut(value, start, stop, form), form, start % 8, whole=whole)
    if form.floating:
        new = frame.astype(form.dtype, copy=False).view(words.dtype)
    elif bits is None:
        same = fields.stored(words, form) == frame
        new = np.where(same, words, fields.join(frame, form))
    else:
        new = fields.join(frame, form, bits)
    packed = pack_words(new, form, whole=whole)
    if form.bits_allocated == 1:
        packed = _align(packed, _cut(value, start, stop, form), start % 8, stop % 8)
    _put(value, start // 8, packed, swapped=_swapped(form))


def _align(packed: Array, there: Array, skip: int, last: int) -> Array:
    """Move the bits of a frame to where it begins inside a byte, among its neighbours' bits."""
    bits = np.unpackbits(there, bitorder="little")
    end = len(bits) - (8 - last) % 8
    bits[skip:end] = np.unpackbits(packed, bitorder="little")[: end - skip]
    return np.packbits(bits, bitorder="little")


def _put(value: bytearray, first: int, packed: Array, *, swapped: bool) -> None:
    there = np.frombuffer(value, np.uint8)
    if not swapped:
        there[first : first + len(packed)] = packed
        return
    at = np.arange(first, first + len(packed)) ^ 1
    inside = at < len(value)  # the last byte of an odd value that nobody padded
    there[at[inside]] = packed[inside]
