"""JPEG: segments that carry pixels are copied untouched, all others go.

Nothing is decoded or encoded again. Source: ITU-T T.81 annex B (markers), JFIF 1.02, EXIF 2.32,
ICC.1 annex B.4 (profiles in APP2), CIPA DC-007 (MPF: further pictures after the first).
"""

import re
import struct
from collections.abc import Callable
from typing import Final

from safelight.deid.context import Cleaned, Context
from safelight.deid.icc import scrub_profile
from safelight.deid.photos import exif
from safelight.deid.photos.common import Bytes, Cursor, Trail
from safelight.types import Original, Part

__all__ = ["clean", "strip"]

_SOI, _EOI, _SOS, _DQT, _DHT = 0xD8, 0xD9, 0xDA, 0xDB, 0xC4
_DRI, _DNL, _DAC, _COM, _TEM, _APP1 = 0xDD, 0xDC, 0xCC, 0xFE, 0x01, 0xE1
_FRAMES: Final = frozenset({*range(0xC0, 0xD0)} - {_DHT, 0xC8, _DAC})
_RESTARTS: Final = range(0xD0, 0xD8)
_APPS: Final = range(0xE0, 0xF0)
_ICC: Final = b"ICC_PROFILE\x00"
_EXIF: Final = (b"Exif\x00\x00", b"Exif\x00\xff")
_ICC_CHUNK: Final = 65_519  # what fits one APP2 beside its name and number
_MARKER: Final = re.compile(rb"\xff[^\x00\xff]", re.DOTALL)
# a fill byte (FF before FF) belongs to the marker; FF 00 and restarts belong to the pixels
_END_OF_SCAN: Final = re.compile(rb"\xff+[^\x00\xff\xd0-\xd7]", re.DOTALL)
_MAX_SEGMENTS: Final = 100_000
_PLACES: Final = (
    (0xE1, b"http://ns.adobe.com/xap/1.0/\x00", "APP1 XMP"),
    (0xE1, b"http://ns.adobe.com/xmp/extension/\x00", "APP1 XMP extension"),
    (0xE0, b"JFXX\x00", "APP0 thumbnail"),
    (0xE2, b"MPF\x00", "APP2 MPF"),
    (0xED, b"Photoshop 3.0\x00", "APP13 IPTC"),
)


def clean(original: Original, ctx: Context) -> Cleaned:
    """Return the JPEG without anything but its pixels, orientation and colour.

    Raises:
        UnreadableInputError: It is malformed, or ends before its end marker.
        LimitExceededError: It has more segments than the limits allow.
    """
    data = original.reveal()
    trail = Trail(ctx)
    end = strip(data, trail)
    trail.remove("after the end", memoryview(data)[end:])
    return trail.done()


def strip(data: Bytes, trail: Trail, *, prefix: str = "") -> int:
    """Pass one JPEG stream to the trail without its metadata; return where it ends.

    Args:
        data: Bytes that start with the stream; it may also be tables alone (as in TIFF).
        trail: Takes the kept parts and the actions.
        prefix: Stands before the places in the actions.
    """
    cursor = Cursor(data, place=f"{prefix}byte".strip())
    if cursor.left < 4 or bytes(cursor.take(2)) != b"\xff\xd8":  # noqa: PLR2004 - SOI and EOI
        raise cursor.error("the picture does not start as a JPEG")
    state = _State(trail, prefix)
    trail.keep(b"\xff\xd8")
    state.head = len(trail.parts)
    for _ in range(_MAX_SEGMENTS):
        marker = _marker(cursor, state)
        if marker == _EOI:
            trail.keep(b"\xff\xd9")
            state.finish()
            return cursor.at
        if marker in _RESTARTS or marker in (_TEM, 0x00):
            continue  # stands alone and means nothing here
        if marker == _SOI:
            raise cursor.error("a second picture starts inside the first")
        length = cursor.number(2)
        if length < 2:  # noqa: PLR2004 - the length counts itself
            raise cursor.error("a segment's length is wrong")
        _segment(marker, cursor.take(length - 2), state, cursor)
        if marker == _SOS:
            trail.keep(_scan(cursor))
    raise cursor.error("the picture has too many segments")


class _State:
    """What is gathered while the segments pass by."""

    __slots__ = ("exif", "head", "prefix", "profile", "profile_at", "trail")

    def __init__(self, trail: Trail, prefix: str) -> None:
        self.trail = trail
        self.prefix = prefix
        self.head = 0  # where the orientation goes: first, or after JFIF
        self.exif: list[memoryview] = []  # one block may lie in several segments
        self.profile: list[memoryview] = []
        self.profile_at = -1

    def remove(self, place: str, data: Bytes) -> None:
        self.trail.remove(self.prefix + place, data)

    def finish(self) -> None:
        """Put back what colours and the right way up need."""
        if self.profile:
            whole = b"".join(bytes(piece[14:]) for piece in self.profile)
            kept = scrub_profile(whole)
            self.trail.act(self.prefix + "APP2 ICC", "rebuild" if kept else "remove", whole)
            if not kept:
                self.trail.note("A damaged colour profile was removed; colours may look different.")
            self.trail.parts[self.profile_at : self.profile_at] = _profile_segments(kept)
        # readers take the first block, and join what follows to it
        whole = b"".join(bytes(piece[6:]) for piece in self.exif)
        block = exif.with_orientation(exif.orientation_of(whole))
        if block:
            self.trail.parts.insert(self.head, _wrap(0xE1, b"Exif\x00\x00" + block))


def _marker(cursor: Cursor, state: _State) -> int:
    """Return the next marker; bytes before it belong to nothing and go."""
    found = _MARKER.search(cursor.data, cursor.at, cursor.stop)
    if found is None:
        raise cursor.error("the picture ends before its end marker")
    stray = cursor.take(found.start() - cursor.at)
    state.remove("between segments", stray)
    return int(cursor.take(2)[1])


def _segment(marker: int, body: memoryview, state: _State, cursor: Cursor) -> None:
    if marker == _COM:
        state.remove("COM", body)
    elif marker in _APPS:
        _application(marker, body, state)
    else:
        size = _true_size(marker, body, cursor)
        if size < len(body):
            state.remove(f"slack of segment {marker:02X}", body[size:])
        state.trail.keep(_wrap(marker, body[:size]))


def _application(marker: int, body: memoryview, state: _State) -> None:
    start = bytes(body[:40])
    if marker == 0xE0 and start[:5] == b"JFIF\x00" and len(body) >= 14:  # noqa: PLR2004 - its fields
        state.trail.keep(_wrap(0xE0, bytes(body[:12]) + b"\x00\x00"))
        state.head = max(state.head, len(state.trail.parts))
        state.remove("APP0 thumbnail", body[14:])
    elif marker == 0xEE and start[:5] == b"Adobe" and len(body) >= 12:  # noqa: PLR2004 - its fields
        state.trail.keep(_wrap(0xEE, body[:12]))
        state.remove("slack of APP14", body[12:])
    elif marker == 0xE2 and start.startswith(_ICC) and len(body) > 14:  # noqa: PLR2004 - name, number
        if not state.profile:
            state.profile_at = len(state.trail.parts)
        state.profile.append(body)
    elif marker == _APP1 and start[:6] in _EXIF:
        state.exif.append(body)
        state.remove("APP1 EXIF", body)
        for name, value in exif.describe(body[6:]):
            state.remove(f"APP1 EXIF.{name}", value)
    else:
        named = (place for app, sign, place in _PLACES if app == marker and start.startswith(sign))
        place = next(named, f"APP{marker - 0xE0}")
        state.remove(place, body if len(body) else b"\x00")


def _true_size(marker: int, body: memoryview, cursor: Cursor) -> int:
    """Return how much of a segment its own fields account for: the rest could hide anything."""
    size = -1
    if marker in _FRAMES and len(body) >= 6:  # noqa: PLR2004 - up to the number of components
        size = 6 + 3 * body[5]
    elif marker == _SOS and len(body) >= 1:
        size = 4 + 2 * body[0]
    elif marker == _DQT:
        size = _tables(body, lambda at: 1 + (128 if body[at] >> 4 else 64))
    elif marker == _DHT:
        size = _tables(body, lambda at: 17 + sum(body[at + 1 : at + 17]))
    elif marker in (_DRI, _DNL):
        size = 2
    elif marker == _DAC:
        size = len(body) // 2 * 2
    if size < 0 or size > len(body):
        raise cursor.error(f"segment {marker:02X} is malformed or not of a photograph")
    return size


def _tables(body: memoryview, size_of: Callable[[int], int]) -> int:
    at = 0
    while at < len(body):
        size = size_of(at)
        if at + size > len(body):
            break
        at += size
    return at or -1


def _scan(cursor: Cursor) -> memoryview:
    """Return entropy-coded data: up to a marker that is neither stuffing nor a restart."""
    found = _END_OF_SCAN.search(cursor.data, cursor.at, cursor.stop)
    if found is None:
        cursor.at = cursor.stop
        raise cursor.error("the picture ends inside its pixels")
    return cursor.take(found.start() - cursor.at)


def _profile_segments(profile: bytes) -> list[Part]:
    pieces = [profile[at : at + _ICC_CHUNK] for at in range(0, len(profile), _ICC_CHUNK)]
    return [
        _wrap(0xE2, _ICC + bytes((number, len(pieces))) + piece)
        for number, piece in enumerate(pieces, 1)
    ]


def _wrap(marker: int, body: Bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(body) + 2) + bytes(body)
