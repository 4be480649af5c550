"""Take comments and smuggled bytes out of compressed frames, in place and at the same length.

A compressed frame has corners of its own: comment and application segments, metadata boxes, bytes
after the end marker. They are overwritten where they stand, so that offset tables and fragment
lengths stay true and no pixel is encoded anew. Only markers are walked; entropy-coded data is
passed by a search for the next marker, which its own stuffing rules keep unambiguous.

What a walk cannot find: bits hidden in the coded samples, in unused quantisation or Huffman
tables, or after the last packet inside a JPEG 2000 tile-part.
"""

import re
import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from safelight.dicomio.boxwalk import (
    JP2_SIGNATURE,
    JXL_SIGNATURE,
    walk_j2k,
    walk_jp2,
    walk_jxl,
    walk_jxl_bare,
)
from safelight.dicomio.framewalk import ENCODER, Edit, FaultError, Walk
from safelight.dicomio.limits import Limits

__all__ = ["Edit", "Scrub", "find_edits", "scrub"]

RLE_LOSSLESS: Final = "1.2.840.10008.1.2.5"
DEFLATED_FRAME: Final = "1.2.840.10008.1.2.8.1"
UNCOMPRESSED: Final = "1.2.840.10008.1.2.1.98"  # encapsulated: has no codestream to be walked

_FILL: Final = re.compile(rb"\xff+")
# After FF in entropy-coded data comes 00 (JPEG, T.81 B.1.1.5) or a byte below 80 (JPEG-LS, T.87
# A.1), or a restart marker; whatever else starts with FF is a marker.
_NEXT_MARKER: Final = re.compile(rb"\xff[\xc0-\xcf\xd8-\xfe]")
_SOI, _EOI, _SOS = b"\xff\xd8\xff", 0xD9, 0xDA
_JPEG_SOF: Final = frozenset({*range(0xC0, 0xD0), 0xF7}) - {0xC4, 0xC8, 0xCC}
_JPEG_TABLES: Final = frozenset({0xC4, 0xCC, 0xDB, 0xDC, 0xDD, 0xDE, 0xDF, 0xF8})
_JPEG_BARE: Final = frozenset({0x01, *range(0xD0, 0xD8)})
_JPEG_OTHER: Final = frozenset({0xC8, *range(0xE0, 0xFF)})
# 80 is a run of no bytes (PS3.5 G.3.2): filler that every decoder passes over. 00 would be a pixel.
_RLE_PADDING: Final = re.compile(rb"\x80*\0*")
_PIECE: Final = 1 << 20  # bytes of a deflated frame that are unpacked at a time, then dropped


@dataclass(frozen=True, slots=True)
class Scrub:
    """What a scrub did to one frame.

    Attributes:
        data: The frame with its corners overwritten, as long as it was; None when unchanged.
        places: What was overwritten, e.g. ``JPEG COM``; no value ever stands here.
        fault: Why the walk could not reach the end (empty when it did). What was found before it
            is overwritten; what lies after it was not looked at. The caller decides.
        notes: What this kind of codestream does not allow to be proven.
    """

    data: bytes | None
    places: tuple[str, ...]
    fault: str = ""
    notes: tuple[str, ...] = ()


def scrub(
    fragment: bytes | memoryview, *, limits: Limits, syntax: str = "", pixels: int = 0
) -> Scrub:
    """Overwrite every corner of one compressed frame that decoders do not need.

    Args:
        fragment: One whole frame. A frame that is cut into fragments is joined first; since the
            length does not change, the result can be cut at the same places.
        limits: Bounds on segments and on what a deflated frame may unpack to.
        syntax: Transfer syntax UID; tells RLE and deflated frames apart, which have no signature.
        pixels: Rows times Columns; lets padding after RLE segments be found. 0 when not known.

    Never raises on garbage. Sources: ITU-T T.81 B, T.87 C, T.84 F (SPIFF); ISO/IEC 15444-1 A and
    I; ISO/IEC 18181-2; DICOM PS3.5 A.4 and G.
    """
    edits, places, fault, notes = find_edits(fragment, limits=limits, syntax=syntax, pixels=pixels)
    data = None
    if edits:
        changed = bytearray(fragment)
        for edit in edits:
            changed[edit.start : edit.stop] = edit.payload()
        data = bytes(changed)
    return Scrub(data, places, fault, notes)


def find_edits(
    fragment: bytes | memoryview, *, limits: Limits, syntax: str = "", pixels: int = 0
) -> tuple[tuple[Edit, ...], tuple[str, ...], str, tuple[str, ...]]:
    """Return the edits, places, fault and notes of ``scrub`` without copying the frame."""
    walk = Walk(memoryview(fragment).cast("B"), limits, pixels)
    fault = ""
    try:
        _walker(bytes(walk.data[:12]), syntax)(walk)
    except FaultError as err:
        fault = str(err)
    return tuple(walk.edits), tuple(dict.fromkeys(walk.places)), fault, tuple(walk.notes)


def _walker(head: bytes, syntax: str) -> Callable[[Walk], None]:
    if syntax == DEFLATED_FRAME:
        return _deflated
    if syntax != RLE_LOSSLESS:
        for signature, walker in (
            (_SOI, _jpeg),
            (b"\xff\x4f\xff\x51", walk_j2k),
            (JP2_SIGNATURE, walk_jp2),
            (b"\xff\x0a", walk_jxl_bare),
            (JXL_SIGNATURE, walk_jxl),
        ):
            if head.startswith(signature):
                return walker
        if syntax:
            return _unknown
    return _rle if len(head) == 12 and 1 <= head[0] <= 15 and not any(head[1:4]) else _unknown  # noqa: PLR2004 - PS3.5 G.5: a 64-byte header of at most 15 segments


def _unknown(_: Walk) -> None:
    raise FaultError("it is no codestream that is known here")


# --- JPEG and JPEG-LS -------------------------------------------------------------------------


def _jpeg(walk: Walk) -> None:
    data, size, at, spiff = walk.data, len(walk.data), 2, False
    while True:
        walk.step()
        fill = _FILL.match(data, at)
        if fill is None or fill.end() == size:
            raise FaultError("it has no end marker" if at == size else "bytes between segments")
        marker, at = data[fill.end()], fill.end() + 1
        if marker == _EOI:
            return walk.wipe(at, size, "bytes after the end")
        if marker in _JPEG_BARE:
            continue
        start, at = at + 2, at + walk.number(at, 2, size)
        if at > size or at < start:
            raise FaultError("a segment is longer than the frame")
        if marker in _JPEG_OTHER and marker not in _JPEG_SOF and marker not in _JPEG_TABLES:
            spiff = _application(walk, marker, start, at, spiff=spiff)
        elif marker not in _JPEG_TABLES and marker not in _JPEG_SOF and marker != _SOS:
            raise FaultError("a reserved marker")
        else:
            _check_tables(data, marker, start, at)
        if marker == _SOS:
            found = _NEXT_MARKER.search(data, at)
            if found is None:
                raise FaultError("it has no end marker")
            at = found.start()


def _check_tables(data: memoryview, marker: int, start: int, stop: int) -> None:
    """Refuse a table whose stated length leaves room behind its own contents."""
    size, room = stop - start, True
    if marker in _JPEG_SOF:
        room = size >= 6 and size == 6 + 3 * data[start + 5]  # noqa: PLR2004 - T.81 B.2.2
    elif marker == _SOS:
        room = size >= 1 and size == 4 + 2 * data[start]
    elif marker in (0xDB, 0xC4):
        at = start
        while at < stop:
            if marker == 0xDB:  # noqa: PLR2004 - DQT, T.81 B.2.4.1
                at += 129 if data[at] >> 4 else 65
            else:  # DHT, T.81 B.2.4.2
                at += 17 + sum(data[at + 1 : min(at + 17, stop)])
        room = at == stop
    if not room:
        raise FaultError("a table is not as long as it says")


def _application(walk: Walk, marker: int, start: int, stop: int, *, spiff: bool) -> bool:
    """Wipe one COM, APPn or reserved segment but for what decoders read; tell if SPIFF began."""
    body, keep, names_spiff = bytes(walk.data[start : min(stop, start + 64)]), 0, False
    if marker == 0xFE:  # noqa: PLR2004 - COM
        if not ENCODER.fullmatch(walk.data, start, stop):
            walk.wipe(start, stop, "JPEG COM")
        return spiff
    if marker == 0xE0 and body.startswith(b"JFIF\0"):  # noqa: PLR2004 - APP0
        keep = 14  # up to the size of the thumbnail; the thumbnail itself turns black
    elif marker == 0xEE and body.startswith(b"Adobe"):  # noqa: PLR2004 - APP14
        keep = 12
    elif marker == 0xE8:  # noqa: PLR2004 - APP8
        names_spiff = body.startswith(b"SPIFF\0")
        if names_spiff:
            keep = 30
        elif body.startswith(b"mrfx"):  # the colour transform that JPEG-LS coders write
            keep = 5
        elif spiff:  # a directory entry keeps its tag; the last one also holds an SOI
            keep = 6 if body == b"\0\0\0\1\xff\xd8" else 4
    name = f"JPEG APP{marker - 0xE0}" if 0xE0 <= marker <= 0xEF else "JPEG reserved segment"  # noqa: PLR2004 - APP0 to APP15
    walk.wipe(min(start + keep, stop), stop, name)
    return spiff or names_spiff


# --- RLE and deflate --------------------------------------------------------------------------


def _rle(walk: Walk) -> None:
    data, size = walk.data, len(walk.data)
    if size < 64:  # noqa: PLR2004 - PS3.5 G.5
        raise FaultError("it ends inside a header")
    count, *offsets = struct.unpack("<16I", data[:64])
    walk.wipe(4 + 4 * count, 64, "RLE header")
    bounds = [*offsets[:count], size]
    if bounds[0] < 64 or bounds != sorted(bounds) or count < 1:  # noqa: PLR2004 - as above
        raise FaultError("a segment is longer than the frame")
    walk.wipe(64, bounds[0], "RLE header")
    if not walk.pixels:
        walk.notes.append("the size of the frame is not known: padding of RLE segments stays")
        return
    for start, stop in pairwise(bounds):
        end = _packbits_end(data[start:stop], walk.pixels) + start
        if not _RLE_PADDING.fullmatch(data, end, stop):
            walk.put(end, b"\x80" * (stop - end), "RLE padding")


# Bytes that a PackBits run takes and gives, by its first byte (PS3.5 G.3.2).
_TAKES: Final = (*range(2, 130), 1, *([2] * 127))
_GIVES: Final = (*range(1, 129), 0, *range(128, 1, -1))


def _packbits_end(segment: memoryview, wanted: int) -> int:
    """Return where the run ends that completes ``wanted`` bytes; the segment's end if none does."""
    takes, gives, at, given, size = _TAKES, _GIVES, 0, 0, len(segment)
    while given < wanted and at < size:
        first = segment[at]
        at += takes[first]
        given += gives[first]
    return min(at, size)


def _deflated(walk: Walk) -> None:
    """Unpack in pieces, keeping none, to find where the stream ends (PS3.5 A.4.13, RFC 1951)."""
    head = bytes(walk.data[:2])
    wrapped = len(head) > 1 and head[0] & 15 == 8 and int.from_bytes(head, "big") % 31 == 0  # noqa: PLR2004 - RFC 1950 2.2
    unpacker, total, size = zlib.decompressobj(15 if wrapped else -15), 0, len(walk.data)
    at, waiting = 0, b""
    try:
        while not unpacker.eof:
            if not waiting:
                waiting = bytes(walk.data[at : at + _PIECE])
                at += len(waiting)
            total += len(unpacker.decompress(waiting, _PIECE))
            if total > walk.limits.decoded_bytes or total > size * walk.limits.ratio + _PIECE:
                raise FaultError("it unpacks to more than the limit allows")
            if not unpacker.eof and not unpacker.unconsumed_tail and at >= size:
                raise FaultError("it has no end marker")
            waiting = unpacker.unconsumed_tail
    except zlib.error as err:
        raise FaultError("it does not unpack") from err
    walk.wipe(at - len(unpacker.unused_data), size, "bytes after the end")
