"""Strips and tiles of a TIFF to samples and back, packed as they were (TIFF 6.0, 9 to 14)."""

import io
import zlib
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from safelight.deid.pixels.tifffile import Page, put_first
from safelight.dicomio.limits import Limits
from safelight.errors import LimitExceededError, NeedsReviewError, UnreadableInputError

__all__ = ["PLAIN", "ccitt", "pack", "unpack"]

PLAIN: Final = 1
_LZW, _PACKBITS, _LZMA, _ZSTD = 5, 32773, 34925, 50000
_DEFLATE: Final = (8, 32946)
_DIFFERENCES, _FLOATING = 2, 3
_BITS: Final = (1, 2, 4, 8, 16, 32, 64)

Array = NDArray[Any]


def unpack(block: bytes, page: Page, shape: tuple[int, ...], limits: Limits) -> Array:
    """Return the samples of one block, shape (rows, columns, samples), in the machine's order.

    Raises:
        NeedsReviewError: It is packed in a way that cannot be written back.
        UnreadableInputError: It does not unpack.
        LimitExceededError: It unpacks to more than the limits allow.
    """
    rows, columns = shape
    samples = 1 if page.apart else page.samples
    if page.bits not in _BITS or (page.reversed_bits and page.bits < 8):  # noqa: PLR2004 - whole bytes
        raise NeedsReviewError("samples of such a size cannot be written back")
    row = (columns * samples * page.bits + 7) // 8
    if row * rows > limits.decoded_bytes:
        raise LimitExceededError("its pictures are larger than the limit allows (decoded_bytes)")
    raw = _bytes(block, page.packing, row * rows)
    if len(raw) < row * rows:
        raise UnreadableInputError("a strip or tile is truncated")
    lines = np.frombuffer(raw, np.uint8, row * rows).reshape(rows, row)
    if page.bits < 8:  # noqa: PLR2004 - whole bytes
        if page.predictor != 1:
            raise NeedsReviewError("samples of such a size cannot be written back")
        bits = np.unpackbits(lines, axis=1)[:, : columns * samples * page.bits]
        weights = (1 << np.arange(page.bits)[::-1]).astype(np.uint8)
        return (bits.reshape(rows, columns, samples, page.bits) @ weights).astype(np.uint8)
    kind = np.dtype(f"{'f' if page.format == 3 else 'u'}{page.bits // 8}")  # noqa: PLR2004 - floating point
    if page.predictor == _FLOATING:
        return _from_planes(lines, kind, (rows, columns, samples))
    found = lines.view(kind.newbyteorder(page.order)).astype(kind).reshape(rows, columns, samples)
    if page.predictor == _DIFFERENCES:
        words = found.view(f"u{kind.itemsize}")
        return np.cumsum(words, axis=1, dtype=words.dtype).view(kind)
    return found


def pack(pixels: Array, page: Page) -> bytes:
    """Return samples packed as the page's other blocks are."""
    rows, columns, samples = pixels.shape
    if page.bits < 8:  # noqa: PLR2004 - whole bytes
        places = np.arange(page.bits)[::-1]
        bits = (pixels[..., None] >> places & 1).astype(np.uint8)
        raw = np.packbits(bits.reshape(rows, -1), axis=1)
    elif page.predictor == _FLOATING:
        big = pixels.astype(pixels.dtype.newbyteorder(">")).reshape(rows, -1)
        planes = big.view(np.uint8).reshape(rows, columns * samples, -1).transpose(0, 2, 1)
        flat = planes.reshape(rows, -1)
        raw = flat - np.pad(flat, ((0, 0), (samples, 0)))[:, : flat.shape[1]]
    else:
        if page.predictor == _DIFFERENCES:
            words = pixels.view(f"u{pixels.itemsize}")
            pixels = words - np.pad(words, ((0, 0), (1, 0), (0, 0)))[:, :columns]
        raw = pixels.astype(pixels.dtype.newbyteorder(page.order)).reshape(rows, -1).view(np.uint8)
    return _packed(np.ascontiguousarray(raw), page.packing)


def _from_planes(lines: Array, kind: np.dtype[Any], shape: tuple[int, int, int]) -> Array:
    """Undo the floating-point predictor: bytes of like weight stand together, as differences."""
    rows, columns, samples = shape
    apart = lines.reshape(rows, -1, samples)
    flat = np.cumsum(apart, axis=1, dtype=np.uint8).reshape(rows, kind.itemsize, columns * samples)
    whole = np.ascontiguousarray(flat.transpose(0, 2, 1)).view(kind.newbyteorder(">"))
    return whole.astype(kind).reshape(shape)


def _bytes(block: bytes, packing: int, size: int) -> bytes:
    import imagecodecs  # noqa: PLC0415  # start-up cost

    try:
        if packing == PLAIN:
            return block
        if packing in _DEFLATE:
            return zlib.decompressobj().decompress(block, size)
        if packing == _LZW:
            return bytes(imagecodecs.lzw_decode(block, out=bytearray(size)))
        if packing == _PACKBITS:
            return bytes(imagecodecs.packbits_decode(block, out=bytearray(size)))
        if packing == _ZSTD:
            return bytes(imagecodecs.zstd_decode(block, out=bytearray(size)))
        if packing == _LZMA:
            return bytes(imagecodecs.lzma_decode(block, out=bytearray(size)))
    except (RuntimeError, ValueError, zlib.error) as err:
        raise UnreadableInputError("a strip or tile does not unpack") from err
    raise NeedsReviewError("a page is packed in a way that cannot be written back")


def _packed(raw: Array, packing: int) -> bytes:
    import imagecodecs  # noqa: PLC0415  # start-up cost

    data = raw.tobytes()
    if packing in _DEFLATE:
        return zlib.compress(data, 6)
    if packing == _LZW:
        return bytes(imagecodecs.lzw_encode(data))
    if packing == _PACKBITS:  # each row apart: TIFF 6.0, section 9
        return b"".join(bytes(imagecodecs.packbits_encode(line.tobytes())) for line in raw)
    if packing == _ZSTD:
        return bytes(imagecodecs.zstd_encode(data))
    if packing == _LZMA:
        return bytes(imagecodecs.lzma_encode(data))
    return data


def ccitt(data: bytes, page: Page) -> Array:
    """Return a bilevel page, True where it is white.

    Raises:
        UnreadableInputError: It does not decode, or to another size.
    """
    from PIL import Image  # noqa: PLC0415  # start-up cost

    try:
        with Image.open(put_first(io.BytesIO(data), page), formats=["TIFF"]) as image:
            turned = image.getexif().get(0x0112, 1)
            found = np.array(image.convert("1"))
    except (OSError, SyntaxError, ValueError, EOFError) as err:
        raise UnreadableInputError("a page does not decode") from err
    if turned != 1 or found.shape != (page.rows, page.columns):
        raise UnreadableInputError("a page decodes to another size than it says")
    return found
