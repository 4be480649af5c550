"""PNG and APNG: chunks that carry or colour pixels stay, all others go.

Source: PNG third edition (W3C 2025): 5 (chunks and CRC), 7 (filtering, interlace), 11 (chunks).
"""

import struct
import zlib
from collections.abc import Iterator
from typing import Final

from safelight.deid.context import Cleaned, Context
from safelight.deid.icc import scrub_profile
from safelight.deid.photos import exif
from safelight.deid.photos.common import Bytes, Cursor, Trail
from safelight.errors import LimitExceededError, NeedsReviewError
from safelight.types import Original

__all__ = ["clean"]

_SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
# name: the largest length that its fields account for
_KEPT: Final = {
    b"IHDR": 13,
    b"PLTE": 768,
    b"IDAT": 0x7FFFFFFF,
    b"IEND": 0,
    b"tRNS": 256,
    b"gAMA": 4,
    b"cHRM": 32,
    b"sRGB": 1,
    b"cICP": 4,
    b"mDCV": 24,
    b"cLLI": 8,
    b"sBIT": 4,
    b"bKGD": 6,
    b"hIST": 512,
    b"pHYs": 9,
    b"acTL": 8,
    b"fcTL": 26,
    b"fdAT": 0x7FFFFFFF,
}
_NAMED: Final = frozenset(b"tEXt zTXt iTXt eXIf tIME iCCP sPLT".split())
_CHANNELS: Final = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
_ADAM7: Final = (
    (0, 0, 8, 8),
    (4, 0, 8, 8),
    (0, 4, 4, 8),
    (2, 0, 4, 4),
    (0, 2, 2, 4),
    (1, 0, 2, 2),
    (0, 1, 1, 2),
)
_PIECE: Final = 1 << 20
_RAW_EXIF: Final = b"Raw profile type exif\x00"  # as ImageMagick wrote it before eXIf
_MAX_PROFILE: Final = 8 << 20


def clean(original: Original, ctx: Context) -> Cleaned:
    """Return the PNG without anything but its pixels, frames and colour.

    Raises:
        UnreadableInputError: It is malformed, truncated, or a checksum does not match.
        LimitExceededError: Its pixels unpack to more than the limits allow.
        NeedsReviewError: A frame of an animation carries more than its pixels.
    """
    cursor = Cursor(original.reveal())
    if bytes(cursor.take(8)) != _SIGNATURE:
        raise cursor.error("the file does not start as a PNG")
    return _Png(cursor, Trail(ctx), ctx).clean()


class _Png:
    """One pass over the chunks; pixels are gathered per picture and checked for passengers."""

    def __init__(self, cursor: Cursor, trail: Trail, ctx: Context) -> None:
        self.cursor = cursor
        self.trail = trail
        self.limits = ctx.limits
        self.header = b""
        self.pixels: list[memoryview] = []  # whole IDAT chunks
        self.frame: list[memoryview] = []  # fdAT bodies of one frame, less their numbers
        self.frame_size = (0, 0)
        self.left = ctx.limits.items
        self.told: set[bytes] = set()
        self.orientation = self.raw = 0  # as the eXIf chunk and an old text chunk say; 0: no such

    def clean(self) -> Cleaned:
        self.trail.keep(_SIGNATURE)
        name = b""
        while name != b"IEND":
            place = self.cursor.at
            length = self.cursor.number(4)
            name = bytes(self.cursor.take(4))
            body = self.cursor.take(length)
            crc = self.cursor.number(4)
            self._leave(name)
            if name == b"IEND" and not self.orientation:
                self._turn()
            self.left -= 1
            if self.left < 0:
                raise LimitExceededError(f"more than {self.limits.items} chunks (items)")
            if name in _KEPT and length <= _KEPT[name]:
                if zlib.crc32(self.cursor.data[place + 4 : self.cursor.at - 4]) != crc:
                    raise self.cursor.error("a chunk's checksum does not match")
                self._keep(name, body, self.cursor.data[place : self.cursor.at])
            else:
                self._drop(name, body)
        self.trail.remove("after the end", self.cursor.rest())
        return self.trail.done()

    def _keep(self, name: bytes, body: memoryview, chunk: memoryview) -> None:
        if name == b"IHDR":
            if self.header or len(body) != 13:  # noqa: PLR2004 - its fields
                raise self.cursor.error("the header chunk is malformed")
            self.header = bytes(body)
        elif not self.header:
            raise self.cursor.error("the header chunk does not come first")
        if name == b"fcTL":
            if len(body) != 26:  # noqa: PLR2004 - its fields
                raise self.cursor.error("a frame's chunk is malformed")
            self._check_frame()
            self.frame_size = struct.unpack_from(">II", body, 4)
        if name == b"fdAT":
            self.frame.append(body[4:])
        if name == b"IDAT":
            self.pixels.append(chunk)  # written together, once all are known
        else:
            self.trail.keep(chunk)

    def _leave(self, name: bytes) -> None:
        """Write the pixels when the first chunk after them comes."""
        if self.pixels and name != b"IDAT":
            self._write_pixels(self.pixels)
            self.pixels = []
        if name == b"IEND":
            self._check_frame()
            if not self.header:
                raise self.cursor.error("the picture has no header")

    def _drop(self, name: bytes, body: memoryview) -> None:
        if not name.isalpha() or not name.isascii():
            raise self.cursor.error("a chunk's name is malformed")
        if name in _KEPT or name[0] & 0x20 == 0:
            raise self.cursor.error("a chunk is malformed, or needed and not known")
        first = name not in self.told
        self.told.add(name)
        if name == b"iCCP" and first:
            self._profile(body)
            return
        # an unknown chunk's name could spell anything: it is not repeated
        place = name.decode() if name in _NAMED else "unknown chunk"
        self.trail.remove(place, body if len(body) else name)
        if name == b"eXIf" and first:
            for what, value in exif.describe(body):
                self.trail.remove(f"eXIf.{what}", value)
            self.orientation = exif.orientation_of(body)
            self._turn()
        elif name in (b"tEXt", b"zTXt") and bytes(body[: len(_RAW_EXIF)]) == _RAW_EXIF:
            self.raw = self.raw or exif.orientation_of(_raw_profile(name, body))

    def _turn(self) -> None:
        """Put back which side is up, once it is known: as a chunk, or at the end as a text says."""
        turned = exif.with_orientation(self.orientation or self.raw)
        if turned:
            self.trail.keep(_chunk(b"eXIf", turned))

    def _profile(self, body: memoryview) -> None:
        name, _, rest = bytes(body).partition(b"\x00")
        unpacker = zlib.decompressobj()
        try:
            profile = unpacker.decompress(rest[1:], _MAX_PROFILE)
        except zlib.error:
            profile = b""
        kept = scrub_profile(profile) if unpacker.eof else b""
        self.trail.act("iCCP", "rebuild" if kept else "remove", body if len(body) else name)
        if kept:
            self.trail.keep(_chunk(b"iCCP", b"profile\x00\x00" + zlib.compress(kept, 9)))
        else:
            self.trail.note("A damaged colour profile was removed; colours may look different.")

    def _write_pixels(self, chunks: list[memoryview]) -> None:
        """Write IDAT as it was, or packed anew when something rides behind the pixels."""
        width, height = struct.unpack_from(">II", self.header)
        size = _raw_size(self.header, width, height, self.cursor)
        bodies = [chunk[8:-4] for chunk in chunks]
        extra = self._passenger(bodies, size)
        if not extra:
            self.trail.keep(*chunks)
            return
        self.trail.remove("IDAT after the pixels", extra)
        packer = zlib.compressobj(6)
        left = size
        unpacker = zlib.decompressobj()
        for piece in _unpacked(unpacker, bodies):
            packed = packer.compress(piece[:left])
            left -= min(left, len(piece))
            if packed:
                self.trail.keep(_chunk(b"IDAT", packed))
            if not left:
                break
        self.trail.keep(_chunk(b"IDAT", packer.flush()))

    def _check_frame(self) -> None:
        if not self.frame:
            return
        width, height = self.frame_size
        bodies, self.frame = self.frame, []
        if self._passenger(bodies, _raw_size(self.header, width, height, self.cursor)):
            raise NeedsReviewError("a frame of the animation carries more than pixels")

    def _passenger(self, bodies: list[memoryview], size: int) -> bytes:
        """Return what stands behind the pixels: unpacked, or behind the packed stream."""
        if size > self.limits.decoded_bytes:
            raise LimitExceededError(f"the pixels unpack to more than {self.limits.decoded_bytes}")
        unpacker = zlib.decompressobj()
        done = 0
        extra = b""
        try:
            for piece in _unpacked(unpacker, bodies):
                if done + len(piece) > size:
                    extra += piece[max(0, size - done) :]
                done += len(piece)
                if len(extra) > _PIECE:
                    break
        except zlib.error:
            raise self.cursor.error("the packed pixels are damaged") from None
        if done < size:
            raise self.cursor.error("the pixels are truncated")
        if not unpacker.eof and not extra:
            raise self.cursor.error("the packed pixels have no end")
        return extra + unpacker.unused_data


def _unpacked(unpacker: "zlib._Decompress", bodies: list[memoryview]) -> Iterator[bytes]:
    """Yield unpacked bytes a megabyte at a time; packed bytes after the end join unused_data."""
    for body in bodies:
        waiting: Bytes = body
        while len(waiting):
            piece = unpacker.decompress(waiting, _PIECE)
            waiting = unpacker.unconsumed_tail
            if piece:
                yield piece
            if unpacker.eof:
                break
    while piece := unpacker.decompress(unpacker.unconsumed_tail, _PIECE):
        yield piece


def _raw_size(header: bytes, width: int, height: int, cursor: Cursor) -> int:
    """Return the bytes of the filtered rows (7.2, 8.1), of one pass or of the seven of Adam7."""
    depth, colour, _, _, interlaced = header[8:13]
    if not (0 < width < 1 << 31 and 0 < height < 1 << 31) or colour not in _CHANNELS:
        raise cursor.error("the header's fields are out of range")
    bits = depth * _CHANNELS[colour]
    if not interlaced:
        return height * (1 + (width * bits + 7) // 8)
    total = 0
    for left, top, across, down in _ADAM7:
        columns = (width - left + across - 1) // across
        rows = (height - top + down - 1) // down
        if columns > 0 and rows > 0:
            total += rows * (1 + (columns * bits + 7) // 8)
    return total


def _chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def _raw_profile(name: bytes, body: memoryview) -> bytes:
    """Return the EXIF block of a text chunk: a name and a length by line, then hexadecimal."""
    text = bytes(body[len(_RAW_EXIF) :])
    try:
        if name == b"zTXt":
            text = zlib.decompressobj().decompress(text[1:], _MAX_PROFILE)
        return bytes.fromhex("".join(text.decode("ascii").split("\n")[3:]))
    except (zlib.error, ValueError):
        return b""
