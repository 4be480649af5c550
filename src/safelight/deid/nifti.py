"""NIfTI-1 and NIfTI-2: header texts and extensions go, image data stay byte for byte.

Source: NIfTI-1.1 and NIfTI-2 headers (nifti1.h, nifti2.h), RFC 1952 (gzip). The JSON sidecar is
``safelight.deid.sidecar``.
"""

import struct
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import prod
from typing import Final

from safelight.deid.context import Cleaned, Context
from safelight.deid.sidecar import clean_sidecar
from safelight.errors import LimitExceededError, NeedsReviewError, UnreadableInputError
from safelight.types import Action, Kind, Original, Part

__all__ = ["WRITING", "clean", "clean_sidecar"]

_RULE: Final = "NIfTI header text"
WRITING: Final = (
    "Writing was not looked for in a NIfTI file: nothing in its picture is masked but a face."
)
_FACES: Final = (
    "A volume of a head can show a face; faces are looked for separately and have not been looked "
    "for here."
)
_PIECE: Final = 1 << 20
_RATIO_FLOOR: Final = 1 << 24
_HEAD: Final = 352  # what tells the version; the smaller header with its extension flag
# bits of a voxel by data type
_BITS: Final = {
    1: 1, 2: 8, 4: 16, 8: 32, 16: 32, 32: 64, 64: 64, 128: 24, 256: 8, 512: 16, 768: 32,
    1024: 64, 1280: 64, 1536: 128, 1792: 128, 2048: 256, 2304: 32,
}  # fmt: skip
# gzip: method deflate, no name, no time, no system
_GZIP_LEAST: Final = 18  # an empty member
_GZIP_HEADER: Final = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"


@dataclass(frozen=True, slots=True)
class _Layout:
    """Where a version keeps what (places and lengths in bytes)."""

    size: int
    dims: tuple[int, str]
    bits: int
    offset: tuple[int, str]
    texts: tuple[tuple[str, int, int], ...]


_NIFTI1: Final = _Layout(
    size=348,
    dims=(40, "8h"),
    bits=72,
    offset=(108, "f"),
    texts=(
        ("data_type", 4, 10),
        ("db_name", 14, 18),
        ("extents and session_error", 32, 6),
        ("glmax and glmin", 140, 8),
        ("descrip", 148, 80),
        ("aux_file", 228, 24),
        ("intent_name", 328, 16),
    ),
)
_NIFTI2: Final = _Layout(
    size=540,
    dims=(16, "8q"),
    bits=14,
    offset=(168, "q"),
    texts=(
        ("descrip", 240, 80),
        ("aux_file", 320, 24),
        ("intent_name", 508, 16),
        ("unused_str", 525, 15),
    ),
)


def clean(original: Original, ctx: Context) -> Cleaned:
    """Return the volume with its geometry and image data alone.

    The image stays where the header says it is; a ``.nii.gz`` is packed anew, with no file name
    and no time, and gives the same bytes each time.

    Raises:
        UnreadableInputError: It is malformed or truncated.
        LimitExceededError: It unpacks to more than the limits allow.
        NeedsReviewError: Its data type and its bits of a voxel do not agree.
    """
    data = original.reveal()
    packed = original.kind is Kind.NIFTI_GZ
    source = unpacked(data, ctx) if packed else _pieces(data)
    volume = _Volume(ctx)
    if packed:
        volume.gzip_header(data)
    run = volume.run(source)
    parts: list[Part] = list(_packed(run) if packed else run)
    return Cleaned(
        parts=tuple(parts),
        actions=tuple(volume.actions),
        notes=() if ctx.looked else (_FACES, WRITING),
    )


class _Volume:
    """One pass over the unpacked bytes: the header is rewritten, the image passed on."""

    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx
        self.actions: list[Action] = []

    def run(self, source: Iterator[memoryview | bytes]) -> Iterator[bytes | memoryview]:
        head = b""
        for piece in source:
            head += piece
            if len(head) >= _PIECE:
                break
        layout, order = _layout(head)
        start, size = _extent(head, layout, order)
        while len(head) < start:  # a header followed by very long extensions
            piece = next(source, b"")
            if not piece:
                raise _truncated(len(head))
            head += piece
        yield self._header(head[:start], layout, order)
        left = size
        body: bytes | memoryview = memoryview(head)[start:]
        while True:
            if left:
                yield body[:left]
            if len(body) > left:
                self._remove("after the image", body[left:])
            left = max(0, left - len(body))
            body = next(source, b"")
            if not len(body):
                break
        if left:
            raise _truncated(start + size - left)

    def gzip_header(self, data: bytes) -> None:
        """Note what the gzip header says of the file: name, time, comment (RFC 1952, 2.3)."""
        if len(data) < _GZIP_LEAST:
            raise UnreadableInputError("the gzip header is truncated", place="byte 0")
        stop = _gzip_header_end(data)
        if data[3] & 0x1C or data[4:8] != bytes(4):
            self._remove("gzip header", data[:stop])

    def _header(self, block: bytes, layout: _Layout, order: str) -> bytes:
        out = bytearray(block)
        for name, at, size in layout.texts:
            self._remove(name, bytes(out[at : at + size]).strip(b"\x00"))
            out[at : at + size] = bytes(size)
        rest = bytes(out[layout.size :])
        if rest.strip(b"\x00"):
            for number, (at, stop) in enumerate(_extensions(rest, order)):
                self._remove(f"extension {number}", rest[at:stop])
            self._remove("between header and image", rest)
        out[layout.size :] = bytes(len(rest))
        return bytes(out)

    def _remove(self, place: str, data: bytes | memoryview) -> None:
        if len(self.actions) >= self._ctx.limits.items:
            raise LimitExceededError(f"more than {self._ctx.limits.items} parts (items)")
        if len(data):
            digest = self._ctx.key.digest(memoryview(data))
            self.actions.append(Action(place=place, rule=_RULE, action="remove", digest=digest))


def _layout(head: bytes) -> tuple[_Layout, str]:
    for order in "<>":
        size = struct.unpack_from(order + "i", head)[0] if len(head) >= _HEAD else 0
        if size == _NIFTI1.size and head[344:348] == b"n+1\x00":
            return _NIFTI1, order
        if size == _NIFTI2.size and head[4:12] == b"n+2\x00\r\n\x1a\n" and len(head) >= size:
            return _NIFTI2, order
    raise UnreadableInputError("the NIfTI header is malformed or truncated", place="byte 0")


def _extent(head: bytes, layout: _Layout, order: str) -> tuple[int, int]:
    """Return where the image starts and how many bytes it has."""
    dims = struct.unpack_from(order + layout.dims[1], head, layout.dims[0])
    coded, bits = struct.unpack_from(order + "2h", head, layout.bits - 2)
    offset = struct.unpack_from(order + layout.offset[1], head, layout.offset[0])[0]
    if not 1 <= dims[0] < len(dims) or any(size < 1 for size in dims[1 : dims[0] + 1]):
        raise UnreadableInputError("the NIfTI dimensions are out of range", place="dim")
    if _BITS.get(coded) != bits:  # what the one shows, the other leaves out
        raise NeedsReviewError("the image's data type is not of the stated size", place="bitpix")
    if not layout.size <= offset < 1 << 31 or offset != int(offset):
        raise UnreadableInputError("the image starts inside the header", place="vox_offset")
    return int(offset), (prod(dims[1 : dims[0] + 1]) * bits + 7) // 8


def _extensions(block: bytes, order: str) -> Sequence[tuple[int, int]]:
    """Return the places of header extensions: a flag, then size and code before each."""
    found: list[tuple[int, int]] = []
    at = 4
    while block[0] and at + 8 <= len(block):
        size = struct.unpack_from(order + "i", block, at)[0]
        if size < 8 or at + size > len(block):  # noqa: PLR2004 - size and code
            break
        found.append((at, at + size))
        at += size
    return found


def _truncated(at: int) -> UnreadableInputError:
    return UnreadableInputError("the image is truncated", place=f"byte {at}")


def _pieces(data: bytes) -> Iterator[memoryview]:
    view = memoryview(data)
    yield view[:_PIECE]
    if len(view) > _PIECE:
        yield view[_PIECE:]


def unpacked(data: bytes, ctx: Context) -> Iterator[bytes]:
    """Yield what a gzip file holds (all its members), each piece counted against the limits."""
    view = memoryview(data)
    total = 0
    while view:
        unpacker = zlib.decompressobj(31)
        waiting: bytes | memoryview = view
        while not unpacker.eof:
            try:
                piece = unpacker.decompress(waiting, _PIECE)
            except zlib.error:
                raise UnreadableInputError(
                    "the packed data are damaged", place=f"unpacked byte {total}"
                ) from None
            waiting = unpacker.unconsumed_tail
            if not piece and not len(waiting) and not unpacker.eof:
                raise UnreadableInputError(
                    "the packed data are truncated", place=f"unpacked byte {total}"
                )
            total += len(piece)
            _check(total, len(data), ctx)
            yield piece
        view = view[len(view) - len(unpacker.unused_data) :]
        if bytes(view[:2]) != b"\x1f\x8b":
            if len(view):
                yield bytes(view)  # not gzip: a passenger, cut off behind the image
            return


def _check(total: int, packed: int, ctx: Context) -> None:
    limits = ctx.limits
    if total > limits.decoded_bytes:
        raise LimitExceededError(f"unpacks to more than {limits.decoded_bytes} bytes")
    if total > _RATIO_FLOOR and total > limits.ratio * packed:
        raise LimitExceededError(f"unpacks to more than {limits.ratio} times its size (ratio)")


def _gzip_header_end(data: bytes) -> int:
    flags, at = data[3], 10
    if flags & 4:
        at += 2 + int.from_bytes(data[at : at + 2], "little")
    for flag in (8, 16):
        if flags & flag:
            at = data.find(b"\x00", at) + 1 or len(data)
    return at + (2 if flags & 2 else 0)


def _packed(pieces: Iterator[bytes | memoryview]) -> Iterator[bytes]:
    """Yield the pieces as one gzip member with an empty header."""
    packer = zlib.compressobj(6, zlib.DEFLATED, -15)
    yield _GZIP_HEADER
    crc = size = 0
    for piece in pieces:
        crc = zlib.crc32(piece, crc)
        size += len(piece)
        if packed := packer.compress(piece):
            yield packed
    yield packer.flush() + struct.pack("<2I", crc, size & 0xFFFFFFFF)
