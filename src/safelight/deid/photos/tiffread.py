"""Reads the folders of a TIFF or BigTIFF, every offset and count checked before it is followed."""

import struct
from dataclasses import dataclass, field
from typing import Final

from safelight.deid.context import Context
from safelight.deid.photos.common import Cursor
from safelight.deid.photos.tifftags import INTEGERS, SIZES
from safelight.errors import LimitExceededError, NeedsReviewError

__all__ = ["Folder", "TiffReader"]

_MAX_DEPTH: Final = 4
_SUB_FOLDERS: Final = 330
_CLASSIC, _BIG = 42, 43


@dataclass(slots=True)
class Folder:
    """One image file directory.

    Attributes:
        tags: Tag → (type, count, value in the file's byte order).
        children: What SubIFDs (330) point to.
    """

    tags: dict[int, tuple[int, int, bytes]] = field(default_factory=dict)
    children: list["Folder"] = field(default_factory=list)


class TiffReader:
    """Reads folders, and remembers which bytes something pointed to.

    Raises:
        UnreadableInputError: The header is malformed.
    """

    def __init__(self, data: bytes, ctx: Context) -> None:
        self.data = data
        self.count = 0
        self._limits = ctx.limits
        self._seen: set[int] = set()
        self._used: list[tuple[int, int]] = []
        self._value_bytes = 0
        self._entries_left = 10 * ctx.limits.elements  # pages have a dozen tags each
        cursor = Cursor(data)
        mark = bytes(cursor.take(2))
        self.order = "little" if mark == b"II" else "big"
        self.sign = "<" if mark == b"II" else ">"
        version = cursor.number(2, self.order)
        self.big = version == _BIG
        self.word = 8 if self.big else 4
        if mark not in (b"II", b"MM") or version not in (_CLASSIC, _BIG):
            raise cursor.error("the file does not start as a TIFF")
        if self.big and cursor.number(4, self.order) != (8 if mark == b"II" else 8 << 16):
            raise cursor.error("the header is malformed")
        self.first = cursor.number(self.word, self.order)
        self.use(0, cursor.at)

    def use(self, start: int, stop: int) -> None:
        """Remember that something points to these bytes."""
        self._used.append((start, stop))

    def gaps(self) -> bytes:
        """Return all bytes that nothing points to."""
        out = bytearray()
        at = 0
        for start, stop in sorted(self._used):
            if start > at:
                out += self.data[at:start]
            at = max(at, stop)
        return bytes(out + self.data[at:])

    def pages(self) -> list[Folder]:
        """Return the main chain of folders, each with its children.

        Raises:
            UnreadableInputError: Folders are malformed or form a loop.
            LimitExceededError: There are more of them than ``members``.
            NeedsReviewError: A tag stands twice in one of them.
        """
        found: list[Folder] = []
        at = self.first
        while at:
            page, at = self._folder(at, 0)
            found.append(page)
        if not found:
            raise Cursor(self.data).error("the file holds no picture")
        return found

    def numbers(self, folder: Folder, tag: int) -> tuple[int, ...]:
        """Return the whole numbers of a tag; nothing when it is absent or not whole numbers."""
        kind, count, value = folder.tags.get(tag, (0, 0, b""))
        code = INTEGERS.get(kind)
        return struct.unpack(f"{self.sign}{count}{code}", value) if code else ()

    def number(self, folder: Folder, tag: int, otherwise: int) -> int:
        """Return the first whole number of a tag."""
        found = self.numbers(folder, tag)
        return found[0] if found else otherwise

    def _folder(self, at: int, depth: int) -> tuple[Folder, int]:
        cursor = Cursor(self.data, min(at, len(self.data)), place="folder at byte")
        self.count += 1
        if at in self._seen or depth > _MAX_DEPTH:
            raise cursor.error("folders form a loop")
        if self.count > self._limits.members:
            raise LimitExceededError(f"more than {self._limits.members} pages (members)")
        self._seen.add(at)
        out = Folder()
        count = cursor.number(8 if self.big else 2, self.order)
        self._entries_left -= count
        if self._entries_left < 0:
            raise LimitExceededError("more tags than ten times the elements allowed (elements)")
        if count * (4 + 2 * self.word) > cursor.left:
            raise cursor.error("the folder is truncated")
        for _ in range(count):
            tag, kind = cursor.number(2, self.order), cursor.number(2, self.order)
            value_count = cursor.number(self.word, self.order)
            if tag in out.tags:
                raise NeedsReviewError("a folder has a tag twice: readers take one or the other")
            out.tags[tag] = (kind, value_count, self._value(cursor, kind, value_count))
        following = cursor.number(self.word, self.order) if cursor.left >= self.word else 0
        self.use(at, cursor.at)
        for child in self.numbers(out, _SUB_FOLDERS):
            out.children.append(self._folder(child, depth + 1)[0])
        return out, following

    def _value(self, cursor: Cursor, kind: int, count: int) -> bytes:
        place = cursor.take(self.word)
        size = SIZES.get(kind, 0) * count
        if size <= self.word:
            return bytes(place[:size] if kind in SIZES else place)
        at = struct.unpack(f"{self.sign}{'Q' if self.big else 'I'}", place)[0]
        # many tags may point to one long value: what they cost together is bounded too
        self._value_bytes += size
        if self._value_bytes > 2 * len(self.data) + (1 << 20):
            raise cursor.error("values overlap")
        value = bytes(Cursor(self.data, min(at, len(self.data)), place="value at byte").take(size))
        self.use(at, at + size)
        return value
