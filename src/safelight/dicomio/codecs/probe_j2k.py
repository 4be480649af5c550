"""The header of a JPEG 2000 codestream (ISO/IEC 15444-1 Annex A; part 15 for HTJ2K)."""

import re
from typing import Final

from safelight.dicomio.codecs.probe import Bytes, Codestream, fault, number

__all__ = ["J2K_START", "end_of_j2k", "probe_j2k"]

J2K_START: Final = b"\xff\x4f\xff\x51"
_EOC: Final = re.compile(rb"\xff\xd9")
_MOST_SEGMENTS: Final = 100_000
_SIZ, _CAP, _COD, _SOT, _SOD, _END = 0xFF51, 0xFF50, 0xFF52, 0xFF90, 0xFF93, 0xFFD9


def probe_j2k(data: Bytes, start: int, stop: int) -> Codestream:
    """Read the main header and walk the tile-parts between two offsets.

    Raises:
        UnreadableInputError: A marker segment makes no sense, components differ, or a tile-part
            is longer than the frame.
    """
    at, cap, cod = start + 2, False, b""
    siz = b""
    for _ in range(_MOST_SEGMENTS):
        marker = number(data, at, 2)
        if marker == _SOT:
            break
        length = number(data, at + 2, 2)
        if length < 2 or at + 2 + length > stop or not 0xFF50 <= marker <= 0xFF7F:  # noqa: PLR2004 - A.1
            raise fault("a marker segment that makes no sense")
        body = bytes(data[at + 4 : at + 2 + length])
        if marker == _SIZ:
            siz = body
        elif marker == _COD:
            cod = body
        elif marker == _CAP:
            cap = len(body) >= 4 and bool(body[1] & 2)  # noqa: PLR2004 - Pcap, bit 15: part 15
        at += 2 + length
    else:
        raise fault("a header that does not end")
    if len(cod) < 10:  # noqa: PLR2004 - A.6.1
        raise fault("it has no coding style")
    rows, columns, samples, precision, signed = _size(siz)
    end, whole = end_of_j2k(data, at, stop)
    return Codestream(
        kind="j2k",
        rows=rows,
        columns=columns,
        samples=samples,
        precision=precision,
        signed=signed,
        lossless=cod[9] == 1,
        transform=cod[4] == 1,
        high_throughput=cap,
        whole=whole,
        start=start,
        stop=end,
    )


def _size(siz: bytes) -> tuple[int, int, int, int, bool]:
    """Return rows, columns, components, precision and sign (A.5.1)."""
    if len(siz) < 39 or len(siz) != 36 + 3 * number(siz, 34, 2):  # noqa: PLR2004 - one component
        raise fault("its size is not as long as it says")
    right, bottom, left, top = (number(siz, at, 4) for at in (2, 6, 10, 14))
    components = {siz[at : at + 3] for at in range(36, len(siz), 3)}
    kind = min(components)
    if len(components) != 1 or kind[1:] != b"\1\1":
        raise fault("its components differ in size or precision")
    return bottom - top, right - left, number(siz, 34, 2), (kind[0] & 127) + 1, kind[0] > 127  # noqa: PLR2004 - the sign bit


def end_of_j2k(data: Bytes, at: int, stop: int) -> tuple[int, bool]:
    """Walk tile-parts from the first; return the end, and whether its marker stands there.

    Raises:
        UnreadableInputError: A tile-part leads past the end or back.
    """
    for _ in range(_MOST_SEGMENTS):
        if at + 2 > stop:
            return stop, False
        marker = number(data, at, 2)
        if marker == _END:
            return at + 2, True
        if marker != _SOT:
            return at, False
        length = number(data, at + 6, 4)
        if length == 0:  # the last one may leave its length open (A.4.2)
            found = _EOC.search(data, at + 12, stop)
            return (found.end(), True) if found else (stop, False)
        if length < 14 or at + length > stop:  # noqa: PLR2004 - SOT and SOD
            raise fault("a tile-part is longer than the frame")
        at += length
    raise fault("more tile-parts than any image has")
