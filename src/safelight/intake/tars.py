"""Tar archives, plain or packed by gzip, bzip2 or xz, read as one stream (POSIX pax, GNU).

Parsed here and not by ``tarfile``, which reads extension headers of any claimed length into memory.
Every byte of a packed archive is counted while it is unpacked, so a bomb ends at the limit.
"""

import bz2
import lzma
import os
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import BinaryIO, Final

from safelight.dicomio.limits import Limits
from safelight.errors import ArchiveError, LimitExceededError, QuarantineError
from safelight.intake.members import RATIO_FLOOR, Member, safe_name

__all__ = ["TarReader"]

_BLOCK: Final = 512
_CHUNK: Final = 1 << 18
_KEPT_BYTES: Final = 64 << 20  # of members that were read last
_EXTENSION_BYTES: Final = 1 << 16  # a longer path or pax record than this is refused
_REGULAR: Final = (b"0", b"\x00", b"7")
_KINDS: Final = {
    b"1": "the member is a link",
    b"2": "the member is a link",
    b"3": "the member is a device or another special file",
    b"4": "the member is a device or another special file",
    b"6": "the member is a device or another special file",
    b"S": "the member is a sparse file, which is not read",
    b"M": "the member continues from another archive",
}


@dataclass(frozen=True, slots=True)
class _Place:
    start: int  # in the unpacked stream
    size: int


class TarReader:
    """An open tar archive.

    Raises:
        ArchiveError: Its first header is damaged.
        LimitExceededError: More members or bytes than the limits allow.
    """

    def __init__(self, file: BinaryIO, limits: Limits) -> None:
        self._file = file
        self._limits = limits
        self._places: list[_Place] = []
        self.members: list[Member] = []
        self._stream = _Stream(file, limits)
        self._kept: dict[int, bytes] = {}  # members that were read last, the latest at the end
        try:
            self._list()
        except ArchiveError as error:
            if not self.members:
                raise
            # what was listed before the damage is still read
            self._add(f"damaged-{len(self.members):06}", 0, 0, error)

    def read(self, number: int) -> bytes:
        """Return one member's bytes; going back in a packed archive starts it over.

        A member is often wanted twice, its kind and then the whole: what was read last is kept.
        """
        data = self._kept.pop(number, None)
        if data is None:
            data = self._read(number)
        if len(data) <= _KEPT_BYTES and self._stream.packed:
            self._kept[number] = data
            left = _KEPT_BYTES - sum(map(len, self._kept.values()))
            while left < 0:
                left += len(self._kept.pop(next(iter(self._kept))))
        return data

    def _read(self, number: int) -> bytes:
        place = self._places[number]
        if place.start < self._stream.position:
            self._stream = _Stream(self._file, self._limits)
        self._stream.skip(place.start - self._stream.position)
        return self._stream.read(place.size)

    def _add(self, name: str, start: int, size: int, error: QuarantineError | None) -> None:
        self._places.append(_Place(start, size))
        self.members.append(Member(name, size, error))

    def _list(self) -> None:
        seen: set[str] = set()
        extended: dict[str, str] = {}
        headers = 0
        waiting = False  # for the member that an extension header is about
        while (header := self._header(waiting=waiting)) is not None:
            headers += 1
            if headers > 4 * self._limits.members or len(self.members) >= self._limits.members:
                raise LimitExceededError(f"more than {self._limits.members} members (members)")
            kind, size, name = header
            waiting = kind in (b"x", b"g", b"L", b"K")
            if waiting:
                records = self._extension(kind, size)
                extended = extended if kind == b"g" else extended | records
                continue
            size = _number_of(extended.get("size", ""), size)
            name = extended.get("path", name)
            start = self._stream.position
            self._stream.check(start + size)
            old_folder = kind in _REGULAR and name.endswith("/")  # before POSIX had a type
            if kind != b"5" and not old_folder:
                self._member(kind, name, start, size, extended, seen)
            self._stream.skip(size + -size % _BLOCK)
            extended = {}
        if self._stream.more():
            raise ArchiveError("more stands behind the archive's end mark; it is not read")

    def _member(
        self,
        kind: bytes,
        name: str,
        start: int,
        size: int,
        extended: dict[str, str],
        seen: set[str],
    ) -> None:
        plain, error = safe_name(name, len(self.members))
        if kind not in _REGULAR:
            error = error or ArchiveError(_KINDS.get(kind, "the member is of an unknown type"))
        elif any(key.startswith("GNU.sparse") for key in extended):
            error = error or ArchiveError(_KINDS[b"S"])
        if plain in seen:
            error = error or ArchiveError("a second member of the same name")
            plain = f"{plain}.{len(self.members):06}"
        seen.add(plain)
        self._add(plain, start, size, error)

    def _header(self, *, waiting: bool) -> tuple[bytes, int, str] | None:
        """Return type, size and name of the next header; None at the end mark."""
        block = self._stream.read(_BLOCK, short=True)
        if not block:
            raise ArchiveError("the archive has no end mark: it may be truncated")
        if len(block) < _BLOCK or (waiting and not any(block)):
            raise ArchiveError("the archive is truncated")
        if not any(block):
            return None
        if _number(block[148:156]) != sum(block[:148]) + 8 * 0x20 + sum(block[156:]):
            raise ArchiveError("a header's checksum does not match")
        name = _text(block[:100])
        if block[257:263] == b"ustar\x00" and block[345]:
            name = f"{_text(block[345:500])}/{name}"
        return block[156:157], _number(block[124:136]), name

    def _extension(self, kind: bytes, size: int) -> dict[str, str]:
        if size > _EXTENSION_BYTES:
            raise ArchiveError("an extension header is too long")
        data = self._stream.read(size)
        self._stream.skip(-size % _BLOCK)
        if kind == b"L":
            return {"path": _text(data)}
        return _pax(data) if kind == b"x" else {}


class _Stream:
    """The unpacked bytes of an archive, forward only, counted against the limits."""

    def __init__(self, file: BinaryIO, limits: Limits) -> None:
        self._file = file
        self._limits = limits
        self.position = 0
        self._size = file.seek(0, os.SEEK_END)
        file.seek(0)
        start = file.read(6)
        file.seek(0)
        self._unpack: Callable[[int], bytes] | None = None
        if start[:2] == b"\x1f\x8b":
            self._unpack = _Gzip(file).read
        elif start[:3] == b"BZh":
            self._unpack = _Block(file, bz2.BZ2Decompressor).read
        elif start == b"\xfd7zXZ\x00":
            self._unpack = _Block(file, _xz).read

    @property
    def packed(self) -> bool:
        """Whether going back means to start over."""
        return self._unpack is not None

    def check(self, stop: int) -> None:
        """Refuse a claim beyond the limits or the end of a plain archive."""
        if stop > self._limits.decoded_bytes + self._limits.members * 4 * _BLOCK:
            raise LimitExceededError(f"unpacks to more than {self._limits.decoded_bytes} bytes")
        if self._unpack is None and stop > self._size:
            raise ArchiveError("the archive is truncated")

    def read(self, count: int, *, short: bool = False) -> bytes:
        self.check(self.position + (0 if short else count))
        out = bytearray()
        while len(out) < count:
            chunk = self._some(count - len(out))
            if not chunk:
                break
            out += chunk
        if len(out) < count and not short:
            raise ArchiveError("the archive is truncated")
        return bytes(out)

    def skip(self, count: int) -> None:
        if self._unpack is None:
            self.position = min(self.position + count, self._size)
            self._file.seek(self.position)
            return
        while count > 0:
            chunk = self._some(min(count, _CHUNK))
            if not chunk:
                return  # the padding after the last member may be missing
            count -= len(chunk)

    def more(self) -> bool:
        """Tell whether anything but zeros follows; reads up to the end."""
        found = False
        while chunk := self._some(_CHUNK):
            found = found or any(chunk)
        return found

    def _some(self, count: int) -> bytes:
        if self._unpack is None:
            chunk = self._file.read(min(count, 1 << 24))
        else:
            try:
                chunk = self._unpack(min(count, _CHUNK))
            except (zlib.error, lzma.LZMAError, EOFError, ValueError):
                raise ArchiveError("the archive's packed data are damaged") from None
        self.position += len(chunk)
        if self._unpack is not None:
            self.check(self.position)
            if self.position > RATIO_FLOOR * 16 and (
                self.position > self._limits.ratio * self._file.tell()
            ):
                raise LimitExceededError(
                    f"unpacks to more than {self._limits.ratio} times its size (ratio)"
                )
        return chunk


class _Gzip:
    """Gzip members one after another (RFC 1952), a bounded piece at a time."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._unpacker = zlib.decompressobj(31)
        self._waiting = b""

    def read(self, count: int) -> bytes:
        while True:
            if self._unpacker.eof:
                self._waiting = self._unpacker.unused_data.lstrip(b"\x00") or self._file.read(
                    _CHUNK
                )
                if not self._waiting.strip(b"\x00"):
                    return b""
                self._unpacker = zlib.decompressobj(31)
            data = self._waiting or self._file.read(_CHUNK)
            out = self._unpacker.decompress(data, count)
            self._waiting = self._unpacker.unconsumed_tail
            if out:
                return out
            if not data and not self._unpacker.eof:
                raise ArchiveError("the archive's packed data end too early")


class _Block:
    """One bzip2 or xz stream, a bounded piece at a time."""

    def __init__(
        self, file: BinaryIO, make: Callable[[], bz2.BZ2Decompressor | lzma.LZMADecompressor]
    ) -> None:
        self._file = file
        self._make = make
        self._unpacker = make()

    def read(self, count: int) -> bytes:
        while True:
            data = b""
            if self._unpacker.eof:
                data = self._unpacker.unused_data or self._file.read(_CHUNK)
                if not data.strip(b"\x00"):
                    return b""
                self._unpacker = self._make()
            elif self._unpacker.needs_input:
                data = self._file.read(_CHUNK)
                if not data:
                    raise ArchiveError("the archive's packed data end too early")
            try:
                out = self._unpacker.decompress(data, count)
            except OSError:  # how bz2 says that data are damaged
                raise ArchiveError("the archive's packed data are damaged") from None
            if out:
                return out


def _xz() -> lzma.LZMADecompressor:
    # a dictionary as large as the header claims would be allocated: hence the bound
    return lzma.LZMADecompressor(memlimit=1 << 28)


def _number(field: bytes) -> int:
    """Return a header's number: octal digits, or base 256 where the first bit is set (GNU)."""
    if field[:1] >= b"\x80":
        value = int.from_bytes(field, "big") - (0x80 << 8 * (len(field) - 1))
        if value < 0 or field[0] != 0x80:  # noqa: PLR2004 - the mark of a positive number
            raise ArchiveError("a header's number is out of range")
        return value
    return _octal(field.strip(b" \x00").partition(b"\x00")[0])


def _octal(digits: bytes) -> int:
    try:
        return int(digits or b"0", 8)
    except ValueError:
        raise ArchiveError("a header's number is damaged") from None


def _number_of(text: str, otherwise: int) -> int:
    if not text:
        return otherwise
    if not (text.isascii() and text.isdigit() and len(text) < 20):  # noqa: PLR2004 - 64 bits
        raise ArchiveError("a pax record is damaged")
    return int(text)


def _text(field: bytes) -> str:
    return field.partition(b"\x00")[0].decode("utf-8", "replace")


def _pax(data: bytes) -> dict[str, str]:
    """Return pax records: length, key=value, newline; the length counts the whole record."""
    records: dict[str, str] = {}
    at = 0
    while at < len(data) and data[at]:
        space = data.find(b" ", at, at + 12)
        digits = data[at:space]
        length = int(digits) if space > 0 and digits.isdigit() else 0
        key, equals, value = data[space + 1 : at + length - 1].partition(b"=")
        if length <= space - at or at + length > len(data) or not equals:
            raise ArchiveError("a pax record is damaged")
        records[key.decode("utf-8", "replace")] = value.decode("utf-8", "replace")
        at += length
    return records
