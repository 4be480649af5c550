"""WebP: pictures, transparency, animation and colour stay; EXIF, XMP and unknown chunks go.

Source: RFC 9649 (WebP container).
"""

import struct
from typing import Final

from safelight.deid.context import Cleaned, Context
from safelight.deid.icc import scrub_profile
from safelight.deid.photos import exif
from safelight.deid.photos.common import Bytes, Cursor, Trail
from safelight.errors import LimitExceededError
from safelight.types import Original

__all__ = ["clean"]

_PICTURES: Final = (b"VP8 ", b"VP8L", b"ALPH")
_ICC_FLAG, _EXIF_FLAG, _XMP_FLAG = 0x20, 0x08, 0x04
_KEPT_FLAGS: Final = 0x12  # transparency and animation
_FRAME_FIELDS: Final = 16
_MAX_FRAME_CHUNKS: Final = 1000


def clean(original: Original, ctx: Context) -> Cleaned:
    """Return the WebP without anything but its pictures, orientation and colour.

    Raises:
        UnreadableInputError: It is malformed or truncated.
        LimitExceededError: It has more chunks than the limits allow.
    """
    data = original.reveal()
    cursor = Cursor(data)
    head = bytes(cursor.take(12))
    if head[:4] != b"RIFF" or head[8:12] != b"WEBP":
        raise cursor.error("the file does not start as a WebP")
    size = int.from_bytes(head[4:8], "little")
    inside = Cursor(data, 12, min(8 + size, len(data) + 1))
    trail = Trail(ctx)
    state = _Chunks(trail)
    for _ in range(ctx.limits.items):
        if inside.left < 8:  # noqa: PLR2004 - a chunk's name and length
            break
        state.take(*_next(inside))
    if inside.left >= 8:  # noqa: PLR2004 - a chunk's name and length
        raise LimitExceededError(f"more than {ctx.limits.items} chunks (items)")
    trail.remove("after the last chunk", inside.rest())
    trail.remove("after the end", cursor.data[inside.stop :])
    if not state.pictures:
        raise inside.error("the file holds no picture")
    body = state.finish()
    total = sum(len(part) for part in body) + 4
    trail.keep(struct.pack("<4sI4s", b"RIFF", total, b"WEBP"), *body)
    return trail.done()


class _Chunks:
    """The chunks that are kept, and what VP8X must say of them at the end."""

    def __init__(self, trail: Trail) -> None:
        self.trail = trail
        self.kept: list[bytes | memoryview] = []
        self.extended_at = -1
        self.extended = b""
        self.flags = 0
        self.orientation = 1
        self.pictures = 0
        self.told: set[bytes] = set()

    def take(self, name: bytes, body: memoryview) -> None:
        if name == b"VP8X" and len(body) >= 10 and not self.extended:  # noqa: PLR2004 - its fields
            self.flags = body[0] & _KEPT_FLAGS
            self.extended = bytes(body[4:10])
            self.extended_at = len(self.kept)
            self.trail.remove("slack of VP8X", body[10:])
        elif name in _PICTURES:
            self.pictures += name != b"ALPH"
            self._keep(name, body)
        elif name == b"ANIM" and len(body) >= 6:  # noqa: PLR2004 - background and loop count
            self._keep(name, body[:6])
            self.trail.remove("slack of ANIM", body[6:])
        elif name == b"ANMF":
            self._frame(body)
        elif name == b"ICCP" and not self.flags & _ICC_FLAG:
            self._profile(body)
        else:
            self._drop(name, body)

    def finish(self) -> list[bytes | memoryview]:
        turned = exif.with_orientation(self.orientation)
        if turned and self.extended:
            self._keep(b"EXIF", turned)
            self.flags |= _EXIF_FLAG
        if self.extended:
            fields = bytes((self.flags, 0, 0, 0)) + self.extended
            self.kept.insert(self.extended_at, _chunk(b"VP8X", fields))
        return self.kept

    def _keep(self, name: bytes, body: Bytes) -> None:
        self.kept.extend(_parts(name, body))

    def _frame(self, body: memoryview) -> None:
        cursor = Cursor(body, place="frame byte")
        inner: list[bytes | memoryview] = [cursor.take(_FRAME_FIELDS)]
        while cursor.left >= 8:  # noqa: PLR2004 - a chunk's name and length
            name, data = _next(cursor)
            if len(inner) > _MAX_FRAME_CHUNKS:
                raise cursor.error("a frame has too many chunks")
            if name in _PICTURES:
                self.pictures += name != b"ALPH"
                inner.extend(_parts(name, data))
            else:
                self.trail.remove("unknown chunk of a frame", data if len(data) else name)
        self.trail.remove("slack of a frame", cursor.rest())
        size = sum(len(part) for part in inner)
        self.kept.append(struct.pack("<4sI", b"ANMF", size))
        self.kept.extend(inner)

    def _profile(self, body: memoryview) -> None:
        kept = scrub_profile(bytes(body))
        self.trail.act("ICCP", "rebuild" if kept else "remove", body)
        if kept:
            self.flags |= _ICC_FLAG
            self._keep(b"ICCP", kept)
        else:
            self.trail.note("A damaged colour profile was removed; colours may look different.")

    def _drop(self, name: bytes, body: memoryview) -> None:
        known = {b"EXIF": "EXIF", b"XMP ": "XMP"}
        place = known.get(name, "unknown chunk")
        first = name not in self.told
        self.told.add(name)
        self.trail.remove(place, body if len(body) else name)
        if name == b"EXIF" and first:
            self.orientation = exif.orientation_of(body)
            for what, value in exif.describe(body):
                self.trail.remove(f"EXIF.{what}", value)


def _next(cursor: Cursor) -> tuple[bytes, memoryview]:
    name = bytes(cursor.take(4))
    body = cursor.take(cursor.number(4, "little"))
    cursor.take(min(len(body) % 2, cursor.left))  # the last chunk's padding is often left out
    return name, body


def _parts(name: bytes, body: Bytes) -> list[bytes | memoryview]:
    view = body if isinstance(body, bytes) else memoryview(body)
    return [struct.pack("<4sI", name, len(body)), view, b"\x00" * (len(body) % 2)]


def _chunk(name: bytes, body: bytes) -> bytes:
    return b"".join(bytes(part) for part in _parts(name, body))
