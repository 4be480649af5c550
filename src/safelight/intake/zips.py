"""ZIP archives read by their central directory, with every claim checked (PKWARE APPNOTE 6.3).

Parsed here and not by ``zipfile``, which lists without a bound, and takes entries that overlap,
local headers that contradict the directory, and names that leave the archive.
"""

import bz2
import os
import stat
import struct
import zlib
from dataclasses import dataclass
from typing import BinaryIO, Final

from safelight.dicomio.limits import Limits
from safelight.errors import ArchiveError, LimitExceededError
from safelight.intake.members import RATIO_FLOOR, Member, safe_name

__all__ = ["ZipReader"]

_END: Final = struct.Struct("<4s4H2LH")
_END64: Final = struct.Struct("<4sQ2H2L4Q")
_LOCATOR64: Final = struct.Struct("<4sLQL")
_CENTRAL: Final = struct.Struct("<4s6H3L5H2L")
_LOCAL: Final = struct.Struct("<4s5H3L2H")
_ENTRY_BYTES: Final = 1024  # on average, name, extra fields and comment of one entry
_ENCRYPTED: Final = 0x0001 | 0x0040 | 0x2000
_UTF8: Final = 0x0800
_STORED, _DEFLATED, _BZIP2 = 0, 8, 12
_FULL16, _FULL32 = 0xFFFF, 0xFFFFFFFF
_UNIX_SYSTEMS: Final = (3, 19)


@dataclass(slots=True)
class _Entry:
    raw_name: bytes
    flags: int
    method: int
    crc: int
    packed: int
    size: int
    offset: int
    stop: int = 0  # where the next entry or the directory begins


class ZipReader:
    """An open ZIP archive.

    Raises:
        ArchiveError: It has no sound central directory.
        LimitExceededError: More members or bytes than the limits allow.
    """

    def __init__(self, file: BinaryIO, limits: Limits) -> None:
        self._file = file
        self._limits = limits
        self._entries: list[_Entry] = []
        self.members: list[Member] = []
        self._list()

    def read(self, number: int) -> bytes:
        """Return one member's bytes, its length and CRC checked."""
        entry = self._entries[number]
        data = self._packed(entry)
        if entry.method == _DEFLATED:
            data = _inflate(data, entry.size)
        elif entry.method == _BZIP2:
            data = _unbzip(data, entry.size)
        if len(data) != entry.size:
            raise ArchiveError("the member's length is not what the archive says")
        if zlib.crc32(data) != entry.crc:
            raise ArchiveError("the member's checksum does not match")
        return data

    def _packed(self, entry: _Entry) -> bytes:
        self._file.seek(entry.offset)
        header = self._file.read(_LOCAL.size)
        if len(header) < _LOCAL.size or header[:4] != b"PK\x03\x04":
            raise ArchiveError("the member's own header is missing")
        _, _, flags, method, _, _, _, _, _, name_size, extra_size = _LOCAL.unpack(header)
        name = self._file.read(name_size)
        if name != entry.raw_name or method != entry.method or flags & _ENCRYPTED:
            raise ArchiveError("the member's own header contradicts the directory")
        start = entry.offset + _LOCAL.size + name_size + extra_size
        if start + entry.packed > entry.stop:
            raise ArchiveError("the member overlaps another part of the archive")
        self._file.seek(start)
        data = bytearray()
        while len(data) < entry.packed:
            chunk = self._file.read(min(entry.packed - len(data), 1 << 24))
            if not chunk:
                raise ArchiveError("the archive is truncated")
            data += chunk
        return bytes(data)

    def _list(self) -> None:
        count, start, size = self._directory()
        self._file.seek(start)
        block = self._file.read(size)
        at = 0
        total = packed = 0
        seen: set[str] = set()
        while at < len(block):
            if len(self._entries) >= self._limits.members:
                raise LimitExceededError(f"more than {self._limits.members} members (members)")
            if len(block) < at + _CENTRAL.size or block[at : at + 4] != b"PK\x01\x02":
                raise ArchiveError("the list of members is damaged")
            at = self._entry(block, at, seen)
            count -= 1
        if count:
            raise ArchiveError("the archive miscounts its members")
        for entry in self._entries:
            total += entry.size
            packed += entry.packed
        _check_total(total, packed, self._limits)
        self._check_overlaps(start)

    def _directory(self) -> tuple[int, int, int]:
        """Return the count of entries, and the central directory's start and length."""
        file_size = self._file.seek(0, os.SEEK_END)
        tail_at = max(0, file_size - _END.size - _FULL16)
        self._file.seek(tail_at)
        tail = self._file.read(file_size - tail_at)
        at = tail.rfind(b"PK\x05\x06")
        while at >= 0:
            if len(tail) >= at + _END.size:
                fields = _END.unpack_from(tail, at)
                if at + _END.size + fields[7] == len(tail):
                    break
            at = tail.rfind(b"PK\x05\x06", 0, at)
        else:
            raise ArchiveError("the archive has no end record: truncated, or not a ZIP")
        end = tail_at + at
        _, disk, first_disk, _, count, size, start, _ = fields
        if count == _FULL16 or _FULL32 in (size, start):
            end, disk, first_disk, count, size, start = self._directory64(end)
        if disk or first_disk:
            raise ArchiveError("one part of an archive that is split over several files")
        if count > self._limits.members:
            raise LimitExceededError(f"more than {self._limits.members} members (members)")
        if start + size != end:
            raise ArchiveError("the end record does not fit the archive")
        if size > self._limits.members * _ENTRY_BYTES:
            raise LimitExceededError("the list of members is too long")
        return count, start, size

    def _directory64(self, end: int) -> tuple[int, int, int, int, int, int]:
        self._file.seek(max(0, end - _LOCATOR64.size))
        locator = self._file.read(_LOCATOR64.size)
        if len(locator) < _LOCATOR64.size or locator[:4] != b"PK\x06\x07":
            raise ArchiveError("the ZIP64 locator is missing")
        at = int(_LOCATOR64.unpack(locator)[2])
        self._file.seek(min(at, end))
        record = self._file.read(_END64.size)
        if len(record) < _END64.size or record[:4] != b"PK\x06\x06":
            raise ArchiveError("the ZIP64 end record is missing")
        _, _, _, _, disk, first_disk, _, count, size, start = _END64.unpack(record)
        return at, disk, first_disk, count, size, start

    def _entry(self, block: bytes, at: int, seen: set[str]) -> int:
        """Take one entry of the central directory; return where the next one starts."""
        fields = _CENTRAL.unpack_from(block, at)
        _, made_by, _, flags, method, _, _, crc, packed, size = fields[:10]
        name_size, extra_size, comment_size, disk, _, attributes, offset = fields[10:]
        names = at + _CENTRAL.size
        extras = names + name_size
        following = extras + extra_size + comment_size
        if following > len(block):
            raise ArchiveError("the list of members is damaged")
        raw_name = block[names:extras]
        size, packed, offset = _wide(block[extras : extras + extra_size], size, packed, offset)
        text = raw_name.decode("utf-8" if flags & _UTF8 else "cp437", "replace")
        if text.endswith(("/", "\\")) and not size and not packed:
            return int(following)  # a folder is no input
        number = len(self._entries)
        entry = _Entry(raw_name, flags, method, crc, packed, size, offset)
        name, error = safe_name(text, number)
        problem = error or self._problem(entry, disk, _mode(made_by, attributes))
        if name in seen:
            problem = problem or ArchiveError("a second member of the same name")
            name = f"{name}.{number:06}"
        seen.add(name)
        self._entries.append(entry)
        self.members.append(Member(name, size, problem))
        return int(following)

    def _problem(self, entry: _Entry, disk: int, mode: int) -> ArchiveError | None:
        packed, size = entry.packed, entry.size
        checks = (
            (entry.flags & _ENCRYPTED or entry.method == 99, "the member is encrypted"),  # noqa: PLR2004 - AE-x
            (stat.S_ISLNK(mode), "the member is a link"),
            (mode and not stat.S_ISREG(mode), "the member is a device or another special file"),
            (disk, "the member lies in another part of a split archive"),
            (
                entry.method not in (_STORED, _DEFLATED, _BZIP2),
                "the member is packed by a method that is not read",
            ),
            (entry.method == _STORED and packed != size, "the member's sizes contradict"),
            (
                size > RATIO_FLOOR and size > self._limits.ratio * packed,
                f"the member unpacks to more than {self._limits.ratio} times its size (ratio)",
            ),
        )
        return next((ArchiveError(what) for is_so, what in checks if is_so), None)

    def _check_overlaps(self, directory: int) -> None:
        """Set where each entry must stop, and refuse entries that share bytes (a ZIP bomb)."""
        stop = directory
        for entry in sorted(self._entries, key=lambda entry: entry.offset, reverse=True):
            if entry.offset + _LOCAL.size + len(entry.raw_name) + entry.packed > stop:
                raise ArchiveError("members overlap: a ZIP bomb, or a damaged archive")
            entry.stop = stop
            stop = entry.offset


def _wide(extra: bytes, size: int, packed: int, offset: int) -> tuple[int, int, int]:
    """Return the sizes and offset with the ZIP64 extra field read where 32 bits are full."""
    values = [size, packed, offset]
    if _FULL32 not in values:
        return size, packed, offset
    at = 0
    while at + 4 <= len(extra):
        code, length = struct.unpack_from("<2H", extra, at)
        if code == 1:
            field = extra[at + 4 : at + 4 + length]
            for place in (index for index in range(3) if values[index] == _FULL32):
                if len(field) < 8:  # noqa: PLR2004 - one 64-bit number
                    raise ArchiveError("a ZIP64 field is damaged")
                values[place], field = int.from_bytes(field[:8], "little"), field[8:]
            break
        at += 4 + length
    return values[0], values[1], values[2]


def _mode(made_by: int, attributes: int) -> int:
    """Return the Unix file type bits; 0 when the archive was made elsewhere."""
    if made_by >> 8 not in _UNIX_SYSTEMS:
        return 0
    mode = attributes >> 16
    return mode if stat.S_IFMT(mode) else 0


def _check_total(total: int, packed: int, limits: Limits) -> None:
    if total > limits.decoded_bytes:
        raise LimitExceededError(f"unpacks to more than {limits.decoded_bytes} bytes")
    if total > RATIO_FLOOR * 16 and total > limits.ratio * packed:
        raise LimitExceededError(f"unpacks to more than {limits.ratio} times its size (ratio)")


def _inflate(data: bytes, size: int) -> bytes:
    unpacker = zlib.decompressobj(-15)
    try:
        # one byte more than promised: a header that lies is noticed, not believed
        out = unpacker.decompress(data, size + 1)
    except zlib.error:
        raise ArchiveError("the member's packed data are damaged") from None
    if not unpacker.eof and len(out) <= size:
        raise ArchiveError("the member's packed data are truncated")
    return out


def _unbzip(data: bytes, size: int) -> bytes:
    unpacker = bz2.BZ2Decompressor()
    try:
        return unpacker.decompress(data, size + 1)
    except (OSError, EOFError):
        raise ArchiveError("the member's packed data are damaged") from None
