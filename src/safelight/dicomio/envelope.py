"""What stands around a data set: preamble, prefix and file meta information (PS3.10 7.1)."""

import functools
import zlib
from dataclasses import dataclass
from typing import Final, NamedTuple

from safelight.dicomio.limits import Limits
from safelight.dicomio.shapes import Shape
from safelight.dicomio.syntax import (
    DICOMDIR_CLASS,
    EXPLICIT_BIG,
    EXPLICIT_LITTLE,
    IMPLICIT_LITTLE,
    Encoding,
    encoding_of,
)
from safelight.dicomio.walker import (
    LONG_VRS,
    SHORT_VRS,
    Budget,
    Buffer,
    Element,
    OddEncodingError,
    Walker,
    place,
)
from safelight.errors import LimitExceededError, UnreadableInputError

__all__ = ["Envelope", "inflate", "read_envelope", "write_meta"]

_PREAMBLE: Final = 128
_ZEROS: Final = bytes(_PREAMBLE)
_SOP_CLASS: Final = 0x00020002
_SYNTAX: Final = 0x00020010
_META_END: Final = 0x00030000
_META: Final = Walker(implicit=False, big=False)
_REBUILT: Final = frozenset(
    (0x00020000, 0x00020001, 0x00020002, 0x00020003, 0x00020010, 0x00020012, 0x00020013)
)
_EXPLICIT_VRS: Final = SHORT_VRS | LONG_VRS
_KEY_BYTES: Final = 48  # of file meta information: up to the SOP class
_KNOWN_MOST: Final = 256
_SAME_KEY: Final = 8
_META_MOST: Final = 4096  # bytes


@dataclass(frozen=True, slots=True)
class Envelope:
    """Where the data set begins and how it is encoded.

    Attributes:
        start: First byte of the data set.
        syntax: Transfer Syntax UID, declared or, where none is, concluded from the bytes.
        encoding: What that syntax means.
        sop_class: Media Storage SOP Class UID, or empty.
        dropped: Places of what the file meta information held beyond what is rebuilt.
        preamble: The 128 bytes before ``DICM`` were not all zero.
    """

    start: int
    syntax: str
    encoding: Encoding
    sop_class: str
    dropped: tuple[str, ...]
    preamble: bool


def read_envelope(data: Buffer, limits: Limits) -> Envelope:
    """Read the file meta information; a missing one is concluded from the first element.

    Raises:
        UnreadableInputError: This is not DICOM, or the transfer syntax is not known.
    """
    size = len(data)
    if size < 8:  # noqa: PLR2004 - one element header
        raise UnreadableInputError("the file is empty" if not size else "the file is too short")
    preamble = False
    pos = 0
    if data[_PREAMBLE : _PREAMBLE + 4] == b"DICM":
        preamble = data[:_PREAMBLE] != _ZEROS
        pos = _PREAMBLE + 4
    if data[pos : pos + 2] != b"\x02\x00":
        return _without_meta(data, pos, preamble=preamble)
    key = (pos, data[pos : pos + _KEY_BYTES])
    known = _recall(key, data, limits, preamble=preamble)
    if known is not None:
        return known
    try:
        elements = _META.elements(data, pos, size, Budget(limits), stop_tag=_META_END)
    except OddEncodingError as error:
        raise UnreadableInputError("the file meta information is damaged") from error
    found = _with_meta(data, pos, elements, preamble=preamble)
    _remember(key, data, elements, found, limits)
    return found


def _with_meta(data: Buffer, pos: int, elements: list[Element], *, preamble: bool) -> Envelope:
    syntax = sop_class = ""
    dropped = []
    for tag, _vr, _start, value, value_stop, stop in elements:
        pos = stop
        if tag == _SYNTAX:
            syntax = _uid(data[value:value_stop])
        elif tag == _SOP_CLASS:
            sop_class = _uid(data[value:value_stop])
        elif tag not in _REBUILT:
            dropped.append(place(tag))
    if not syntax:
        bare = _without_meta(data, pos, preamble=preamble)
        return Envelope(pos, bare.syntax, bare.encoding, sop_class, tuple(dropped), preamble)
    encoding = encoding_of(syntax)
    if encoding is None:
        raise UnreadableInputError("the transfer syntax is not known", place="(0002,0010)")
    if sop_class == DICOMDIR_CLASS:
        raise UnreadableInputError("this is a DICOMDIR, which is rebuilt, not copied")
    return Envelope(pos, syntax, encoding, sop_class, tuple(dropped), preamble)


class _Known(NamedTuple):
    """File meta information that was read: all but two values of it steer nothing."""

    shape: Shape
    envelope: Envelope
    limits: Limits


_Key = tuple[int, bytes]
_KNOWN: Final[dict[_Key, list[_Known]]] = {}


def _recall(key: _Key, data: Buffer, limits: Limits, *, preamble: bool) -> Envelope | None:
    """Return what was read where a file had the same, but for the values that steer nothing."""
    known = _KNOWN.get(key, [])
    for number, (shape, envelope, under) in enumerate(known):
        start = envelope.start
        if (
            shape.fits(data)
            and envelope.preamble == preamble
            and (under is limits or under == limits)
            and len(data) - start >= 8  # noqa: PLR2004 - one element header
            and int.from_bytes(data[start : start + 2], "little") > 2  # noqa: PLR2004 - group
        ):
            if number:  # the one that was met last is tried first
                known.insert(0, known.pop(number))
            return envelope
    return None


def _remember(
    key: _Key, data: Buffer, elements: list[Element], found: Envelope, limits: Limits
) -> None:
    """Keep what was read for the next file, which is likely to have the same but for UIDs."""
    declared = any(tag == _SYNTAX and _uid(data[at:to]) for tag, _, _, at, to, _ in elements)
    plain = all(to == stop for *_, to, stop in elements)
    if not declared or not plain or found.start > _META_MOST:
        return  # without a syntax the bytes that follow decide too
    if len(_KNOWN) >= _KNOWN_MOST:
        _KNOWN.clear()
    steers = (_SYNTAX, _SOP_CLASS)
    values = [(at, to) for tag, _, _, at, to, _ in elements if tag not in steers]
    known = _KNOWN.setdefault(key, [])
    known.insert(0, _Known(Shape(data[: found.start], [(0, key[0]), *values]), found, limits))
    del known[_SAME_KEY:]


def _without_meta(data: Buffer, pos: int, *, preamble: bool) -> Envelope:
    head = data[pos : pos + 8]
    if len(head) < 8:  # noqa: PLR2004 - one element header
        raise UnreadableInputError("the file ends before its data set begins")
    explicit = head[4:6] in _EXPLICIT_VRS
    little, big = int.from_bytes(head[:2], "little"), int.from_bytes(head[:2], "big")
    plausible = range(0x0008, 0x0021)
    if explicit and little in plausible:
        syntax = EXPLICIT_LITTLE
    elif explicit and big in plausible:
        syntax = EXPLICIT_BIG
    elif little in plausible:
        syntax = IMPLICIT_LITTLE
    else:
        raise UnreadableInputError("this is not a DICOM file")
    encoding = encoding_of(syntax)
    if encoding is None:
        raise UnreadableInputError("the transfer syntax is not known")
    return Envelope(pos, syntax, encoding, "", (), preamble)


def _uid(raw: bytes) -> str:
    return raw.decode("ascii", "replace").strip(" \0")


def inflate(data: Buffer, start: int, limits: Limits) -> bytes:
    """Return the inflated data set of a deflated file (PS3.5 A.5), within the limits.

    Raises:
        LimitExceededError: It unpacks to more than ``decoded_bytes`` or ``ratio`` times its size.
        UnreadableInputError: The stream is damaged or truncated.
    """
    packed = data[start:]
    most = min(limits.decoded_bytes, limits.header_bytes, max(len(packed) * limits.ratio, 1 << 16))
    stream = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        unpacked = stream.decompress(packed, most)
    except zlib.error as error:
        raise UnreadableInputError("the deflated data set is damaged") from error
    if not stream.eof:
        if len(unpacked) >= most:
            raise LimitExceededError(
                f"the deflated data set unpacks to more than {most} bytes "
                "(limits ratio, decoded_bytes)"
            )
        raise UnreadableInputError("the deflated data set is truncated")
    if len(stream.unused_data) > len(packed) // 4:
        raise UnreadableInputError("the deflated data set ends too soon")
    return unpacked


def write_meta(*, syntax: str, sop_class: str, sop_uid: str, version: str) -> bytes:
    """Return preamble, prefix and file meta information that name nothing but the object itself.

    Implementation Class UID and Version Name are ours, as PS3.10 7.1 asks of who writes a file.
    """
    before, after = _around(syntax, sop_class, version)
    uid = _ui(0x03, sop_uid)
    length = len(before) + len(uid) + len(after)
    return _HEAD + length.to_bytes(4, "little") + before + uid + after


@functools.lru_cache(maxsize=256)
def _around(syntax: str, sop_class: str, version: str) -> tuple[bytes, bytes]:
    """Return what stands before and after Media Storage SOP Instance UID."""
    before = b"\x02\x00\x01\x00OB\x00\x00\x02\x00\x00\x00\x00\x01" + _ui(0x02, sop_class)
    version_name = _short(0x13, b"SH", version.encode("ascii"), b" ")
    return before, _ui(0x10, syntax) + _IMPLEMENTATION + version_name


def _ui(element: int, uid: str) -> bytes:
    return _short(element, b"UI", uid.encode("ascii"), b"\0")


def _short(element: int, vr: bytes, value: bytes, pad: bytes) -> bytes:
    if len(value) % 2:
        value += pad
    return b"\x02\x00" + bytes((element, 0)) + vr + len(value).to_bytes(2, "little") + value


_HEAD: Final = bytes(_PREAMBLE) + b"DICM\x02\x00\x00\x00UL\x04\x00"
# 2.25 and the version 5 UUID of "safelight" in the URL namespace (PS3.5 B.2).
_IMPLEMENTATION: Final = _ui(0x12, "2.25.2575876702130440402235421945101653379")
