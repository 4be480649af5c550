"""EXIF: what a block holds, so that its removal can be told; and a block with orientation alone.

Source: EXIF 2.32 (CIPA DC-008), TIFF 6.0. Reading is lenient: the block is dropped whole whatever
it holds, so a part that can't be read costs only its line in the manifest.
"""

import struct
from typing import Final, Literal

from safelight.deid.photos.common import Bytes

__all__ = ["EMPTY", "NAMES", "describe", "folder", "orientation_of", "with_orientation"]

EMPTY: Final = b"MM\x00*\x00\x00\x00\x08\x00\x00\x00\x00\x00\x00"  # a header and no entries

_ORIENTATION: Final = 0x0112
_ORIENTATIONS: Final = range(2, 9)
_SIZES: Final = (0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4)
_MAX_ENTRIES: Final = 500
_MAX_FOLDERS: Final = 12
_FOLDERS: Final = {0x8769: "Exif", 0x8825: "GPS", 0xA005: "Interoperability"}
NAMES: Final = {
    0x010D: "DocumentName",
    0x010E: "ImageDescription",
    0x010F: "Make",
    0x0110: "Model",
    0x0131: "Software",
    0x0132: "DateTime",
    0x013B: "Artist",
    0x013C: "HostComputer",
    0x02BC: "XMP",
    0x8298: "Copyright",
    0x83BB: "IPTC",
    0x8649: "Photoshop",
    0x8773: "ICC",
    0x9003: "DateTimeOriginal",
    0x9004: "DateTimeDigitized",
    0x927C: "MakerNote",
    0x9286: "UserComment",
    0x9C9B: "XPTitle",
    0x9C9C: "XPComment",
    0x9C9D: "XPAuthor",
    0x9C9E: "XPKeywords",
    0x9C9F: "XPSubject",
    0xA420: "ImageUniqueID",
    0xA430: "CameraOwnerName",
    0xA431: "BodySerialNumber",
    0xA435: "LensSerialNumber",
}

Entry = tuple[str, int, memoryview]  # folder, tag, value


def describe(block: Bytes) -> list[tuple[str, memoryview]]:
    """Return (name, bytes) of what a block holds: folders such as ``GPS`` whole, others by tag."""
    entries = _entries(_bare(block))
    found: list[tuple[str, memoryview]] = []
    gps = [value for folder, _, value in entries if folder == "GPS"]
    if gps:
        found.append(("GPS", memoryview(b"".join(gps))))
    for folder, tag, value in entries:
        if folder == "GPS" or (folder == "thumbnail" and tag not in NAMES and tag):
            continue
        if folder == "thumbnail" and not tag:
            found.append(("thumbnail", value))
        else:
            found.append((NAMES.get(tag, f"0x{tag:04X}"), value))
    return found


def orientation_of(block: Bytes) -> int:
    """Return Orientation (0x0112) when it says that the picture is turned, else 1.

    It is a SHORT; readers take a BYTE and a LONG too.
    """
    bare = _bare(block)
    order: Literal["little", "big"] = "little" if bytes(bare[:2]) == b"II" else "big"
    for folder, tag, value in _entries(bare):
        if folder == "" and tag == _ORIENTATION and value:
            numbers = (int.from_bytes(one, order) for one in (value[:4], value[:2]))
            return next((number for number in numbers if number in _ORIENTATIONS), 1)
    return 1


def _bare(block: Bytes) -> memoryview:
    """Return a block without the name that it bears in JPEG, and wrongly elsewhere."""
    view = memoryview(block)
    return view[6:] if bytes(view[:6]) == b"Exif\x00\x00" else view


def with_orientation(orientation: int) -> bytes:
    """Return a TIFF block that holds Orientation alone; empty when the picture is not turned."""
    if orientation not in _ORIENTATIONS:
        return b""
    entry = struct.pack(">HHIHH", _ORIENTATION, 3, 1, orientation, 0)
    return b"MM\x00*\x00\x00\x00\x08\x00\x01" + entry + b"\x00\x00\x00\x00"


def folder(block: Bytes, at: int) -> bytes:
    """Return the values of the folder at ``at`` and of the folders it names, joined."""
    return b"".join(value for _, _, value in _entries(memoryview(block), at))


def _entries(block: memoryview, at: int = -1) -> list[Entry]:
    order = {b"II": "<", b"MM": ">"}.get(bytes(block[:2]))
    if order is None or len(block) < len(EMPTY):
        return []
    # many entries may point to one long value: what they cost together is bounded
    budget = 2 * len(block) + (1 << 16)
    waiting = [("", at if at >= 0 else int(struct.unpack_from(order + "I", block, 4)[0]))]
    seen: set[int] = set()
    found: list[Entry] = []
    while waiting and len(seen) < _MAX_FOLDERS:
        folder, at = waiting.pop()
        if at in seen or at + 2 > len(block):
            continue
        seen.add(at)
        count = min(int(struct.unpack_from(order + "H", block, at)[0]), _MAX_ENTRIES)
        for number in range(count):
            entry = at + 2 + 12 * number
            if entry + 12 > len(block):
                break
            budget -= _entry(block, entry, order, folder, found, waiting)
            if budget < 0:
                return found[:-1]
        following = at + 2 + 12 * count
        if folder == "" and following + 4 <= len(block):
            waiting.append(("thumbnail", int(struct.unpack_from(order + "I", block, following)[0])))
    return found


def _entry(
    block: memoryview,
    at: int,
    order: str,
    folder: str,
    found: list[Entry],
    waiting: list[tuple[str, int]],
) -> int:
    """Take one entry; return how many bytes its value has."""
    tag, kind, count, offset = struct.unpack_from(order + "HHII", block, at)
    size = count * (_SIZES[kind] if kind < len(_SIZES) else 0)
    if tag in _FOLDERS:
        waiting.append((_FOLDERS[tag], offset))
    elif folder == "thumbnail" and tag == 0x0201:  # noqa: PLR2004 - where the thumbnail starts
        found.append((folder, 0, block[offset:]))
        return len(found[-1][2])
    elif size:
        start = at + 8 if size <= 4 else offset  # noqa: PLR2004 - the value fits the entry
        found.append((folder, tag, block[start : start + size]))
        return len(found[-1][2])
    return 0
