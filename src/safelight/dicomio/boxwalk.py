"""Walk JPEG 2000 and HTJ2K codestreams and the boxes of JP2 and JPEG XL files."""

import re
import struct
from typing import Final

from safelight.dicomio.framewalk import ENCODER, FaultError, Walk

__all__ = ["JP2_SIGNATURE", "JXL_SIGNATURE", "walk_j2k", "walk_jp2", "walk_jxl", "walk_jxl_bare"]

_J2K_END: Final = re.compile(rb"\xff\xd9")
_J2K_PARAMETERS: Final = frozenset(
    {*range(0x50, 0x54), *range(0x55, 0x5A), *range(0x5C, 0x64), *range(0x72, 0x7A)}
)
JP2_SIGNATURE: Final = b"\0\0\0\x0cjP  \r\n\x87\n"
JXL_SIGNATURE: Final = b"\0\0\0\x0cJXL \r\n\x87\n"
_JP2_KEPT: Final = frozenset({b"jP  ", b"ftyp", b"jp2h", b"jp2c"})
_JP2_HEADER_KEPT: Final = frozenset({b"ihdr", b"bpcc", b"colr", b"pclr", b"cmap", b"cdef", b"res "})
_JXL_KEPT: Final = frozenset({b"JXL ", b"ftyp", b"jxll", b"jxlc", b"jxlp", b"jxli"})
_BRANDS: Final = frozenset({b"jp2 ", b"jpx ", b"jpxb", b"jph ", b"jxl ", b"J2P0", b"J2P1"})


def walk_j2k(walk: Walk) -> None:
    """Walk a bare JPEG 2000 or HTJ2K codestream."""
    end = _j2k_codestream(walk, 0, len(walk.data))
    walk.wipe(end, len(walk.data), "bytes after the end")


def _j2k_codestream(walk: Walk, start: int, stop: int) -> int:
    """Walk the main and all tile-part headers; return the offset after the end marker."""
    at = _j2k_header(walk, start + 2, stop, last=0x90)
    while True:  # at SOT: Lsot, Isot (2 bytes each), Psot (4), TPsot, TNsot (A.4.2)
        if walk.number(at + 2, 2, stop) != 10:  # noqa: PLR2004 - Lsot is always 10
            raise FaultError("a tile-part header is not as long as it says")
        length = walk.number(at + 6, 4, stop)
        data_at = _j2k_header(walk, at + 12, stop, last=0x93) + 2
        if length:
            following = at + length
        else:  # the last tile-part may leave its length open
            found = _J2K_END.search(walk.data, data_at, stop)
            following = found.start() if found else stop
        if following == stop:
            raise FaultError("it has no end marker")
        if following < data_at or following > stop:
            raise FaultError("a tile-part is longer than the frame")
        marker = walk.number(following, 2, stop)
        if marker == 0xFFD9:  # noqa: PLR2004 - EOC
            return following + 2
        if marker != 0xFF90:  # noqa: PLR2004 - SOT
            raise FaultError("bytes between tile-parts")
        at = following


def _j2k_header(walk: Walk, at: int, stop: int, *, last: int) -> int:
    """Walk marker segments up to the marker ``FF last``; return its offset."""
    while True:
        walk.step()
        marker = walk.number(at, 2, stop) - 0xFF00
        if marker == last:
            return at
        if 0x30 <= marker <= 0x3F:  # noqa: PLR2004 - 15444-1 A.1: these have no length
            at += 2
            continue
        start, at = at + 4, at + 2 + walk.number(at + 2, 2, stop)
        if at > stop or at < start or not 0x50 <= marker <= 0x7F:  # noqa: PLR2004 - as above
            raise FaultError("a marker segment that makes no sense")
        if marker == 0x51 and at - start != 36 + 3 * walk.number(start + 34, 2, stop):  # noqa: PLR2004 - SIZ
            raise FaultError("a marker segment is not as long as it says")
        if marker == 0x64:  # noqa: PLR2004 - COM: two bytes tell text from binary
            if not ENCODER.fullmatch(walk.data, min(start + 2, at), at):
                walk.wipe(start + 2, at, "J2K COM")
        elif marker not in _J2K_PARAMETERS:
            walk.wipe(start, at, "J2K unknown segment")


# --- Boxes: JP2 and JPEG XL -------------------------------------------------------------------


def walk_jp2(walk: Walk) -> None:
    """Walk a JPEG 2000 codestream that stands in JP2 boxes, which DICOM forbids and files have."""
    _boxes(walk, 0, len(walk.data), _JP2_KEPT, "JP2")


def walk_jxl(walk: Walk) -> None:
    """Walk the boxes of a JPEG XL file."""
    _boxes(walk, 0, len(walk.data), _JXL_KEPT, "JXL")
    walk.notes.append("JPEG XL states no end: bytes after its last frame are not told apart")


def walk_jxl_bare(walk: Walk) -> None:
    """Note what a bare JPEG XL codestream, which has no markers, leaves open."""
    walk.notes.append("JPEG XL states no end: bytes after its last frame are not told apart")


def _boxes(walk: Walk, at: int, stop: int, kept: frozenset[bytes], family: str) -> None:
    """Turn each box that is not kept into an empty ``free`` box (ISO/IEC 15444-1 I.4)."""
    coded = False
    while at < stop:
        walk.step()
        head, length = _box_size(walk, at, stop)
        if length < head or at + length > stop:
            if not coded:
                raise FaultError("a box is longer than the frame")
            return walk.wipe(at, stop, "bytes after the end")
        kind, start, end = bytes(walk.data[at + 4 : at + 8]), at + head, at + length
        if kind not in kept:
            walk.wipe(start, end, f"{family} {_box_name(kind)}")
            walk.put(at + 4, b"free", f"{family} {_box_name(kind)}")
        else:
            _kept_box(walk, kind, at, start, end)
        coded = coded or kind in (b"jp2c", b"jxlc", b"jxlp")
        at = end
    return None


def _box_size(walk: Walk, at: int, stop: int) -> tuple[int, int]:
    """Return the bytes of a box's header and of the whole box; (8, 0) when no box fits."""
    if stop - at < 8:  # noqa: PLR2004 - length and type
        return 8, 0
    length = walk.number(at, 4, stop)
    if length == 1:
        return (16, walk.number(at + 8, 8, stop)) if stop - at >= 16 else (16, 0)  # noqa: PLR2004 - the long form
    return 8, length or stop - at


def _kept_box(walk: Walk, kind: bytes, at: int, start: int, end: int) -> None:
    """Clean inside a box that decoders read."""
    if kind == b"ftyp":
        _brands(walk, start, end)
    elif kind == b"jp2h":
        _boxes(walk, start, end, _JP2_HEADER_KEPT, "JP2")
    elif kind == b"colr":
        _colour(walk, at, start, end)
    elif kind == b"jp2c":
        walk.wipe(_j2k_codestream(walk, start, end), end, "bytes after the end")
    elif kind in (b"jP  ", b"JXL ") and end - start != 4:  # noqa: PLR2004 - fixed contents
        raise FaultError("a signature box is not as long as it says")


def _box_name(kind: bytes) -> str:
    """Name a box in a report only if the name is a known one: a type can spell anything."""
    known = (b"xml ", b"uuid", b"uinf", b"jp2i", b"Exif", b"brob", b"jbrd", b"jumb", b"free")
    return f"{kind.decode().strip()} box" if kind in known else "unknown box"


def _brands(walk: Walk, start: int, stop: int) -> None:
    """Put ``jp2 ``/``jxl `` for brands that are not known; the minor version becomes 0."""
    own = b"jxl " if bytes(walk.data[4:8]) == b"JXL " else b"jp2 "
    if (stop - start) % 4 or stop - start < 8:  # noqa: PLR2004 - brand and version
        raise FaultError("a file type box is not as long as it says")
    walk.wipe(start + 4, start + 8, "file type box")
    for at in (start, *range(start + 8, stop, 4)):
        if bytes(walk.data[at : at + 4]) not in _BRANDS:
            walk.put(at, own, "file type box")


def _colour(walk: Walk, at: int, start: int, stop: int) -> None:
    """Put an enumerated colour space for an ICC profile: DICOM states colour outside the frame."""
    method = walk.data[start] if start < stop else 0
    if method == 1:
        return walk.wipe(start + 7, stop, "colour box")
    if start - at != 8 or stop - at < 23:  # noqa: PLR2004 - room for a 15-byte and an 8-byte box
        return walk.wipe(start + 1, stop, "colour box")
    found = re.search(rb"ihdr.{8}(..)", bytes(walk.data[:at]), re.DOTALL)
    space = 17 if found and int.from_bytes(found[1], "big") < 3 else 16  # noqa: PLR2004 - grey or sRGB
    box = struct.pack(">I4sBBBI", 15, b"colr", 1, 0, 0, space)
    box += struct.pack(">I4s", stop - at - 15, b"free")
    walk.put(at, box, "colour box")
    return walk.wipe(at + 23, stop, "colour box")
