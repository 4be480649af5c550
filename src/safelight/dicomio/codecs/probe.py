"""What a codestream says of itself, read from its header before a decoder sees it.

Nothing is decoded or allocated here: markers are walked, as in ``dicomio.codestream``.
"""

import re
from dataclasses import dataclass
from typing import Final

from safelight.dicomio.boxwalk import JP2_SIGNATURE, JXL_SIGNATURE
from safelight.errors import LimitExceededError, UnreadableInputError

__all__ = ["Codestream", "box_content", "fault", "probe_jpeg"]

Bytes = bytes | memoryview

_MOST_SEGMENTS: Final = 100_000
_FILL: Final = re.compile(rb"\xff+")
_NEXT: Final = re.compile(rb"\xff[\xc0-\xcf\xd8-\xfe]")  # a marker, not a restart or a stuffed byte
_BARE: Final = frozenset({0x01, *range(0xD0, 0xD9)})
_SOF: Final = frozenset({*range(0xC0, 0xD0), 0xF7}) - {0xC4, 0xC8, 0xCC}
_RGB_IDS: Final = (b"RGB", b"rgb")


@dataclass(frozen=True, slots=True, kw_only=True)
class Codestream:
    """The header of one compressed frame.

    Attributes:
        kind: ``jpeg``, ``jpegls``, ``j2k`` or ``jxl``.
        rows: Lines.
        columns: Samples of a line.
        samples: Components; 0 when the header does not say.
        precision: Bits of one sample.
        signed: Samples are signed; JPEG 2000 alone can say so.
        lossless: The coding can lose nothing (it may still come after a loss).
        process: Of JPEG: the number of its SOF marker, 0xC0 to 0xCF; else 0.
        near: Of JPEG-LS: the loss allowed for a sample.
        transform: Colour is transformed inside, and the decoder turns it back to RGB.
        colour: What the markers say of three components: ``RGB``, ``YBR_FULL``, or empty.
        high_throughput: JPEG 2000 with the block coder of part 15.
        whole: It has its end marker where that must be.
        start: First byte of the bare codestream.
        stop: Past its last byte, the end marker included.
    """

    kind: str
    rows: int
    columns: int
    samples: int
    precision: int
    signed: bool = False
    lossless: bool = False
    process: int = 0
    near: int = 0
    transform: bool = False
    colour: str = ""
    high_throughput: bool = False
    whole: bool = True
    start: int = 0
    stop: int = 0


def fault(what: str) -> UnreadableInputError:
    """Return the error for a codestream that breaks its own rules."""
    return UnreadableInputError(f"a compressed frame is damaged: {what}", place="(7FE0,0010)")


def number(data: Bytes, at: int, width: int) -> int:
    """Return the big-endian number at an offset. Raises UnreadableInputError past the end."""
    if at + width > len(data):
        raise fault("it ends inside a header")
    return int.from_bytes(data[at : at + width], "big")


# --- JPEG (T.81) and JPEG-LS (T.87) -----------------------------------------------------------


@dataclass(slots=True)
class _Jpeg:
    """What the walk has met so far."""

    process: int = 0
    size: tuple[int, int, int, int] = (0, 0, 0, 0)
    ids: bytes = b""
    factors: bytes = b""
    jfif: bool = False
    adobe: int = -1
    near: int = 0
    turned: bool = False
    scans: int = 0


def probe_jpeg(data: Bytes) -> Codestream:
    """Read a JPEG or JPEG-LS codestream up to its end marker, or to where it breaks off.

    Raises:
        UnreadableInputError: It has no frame header, two of them, or a segment makes no sense.
        LimitExceededError: More segments than any image has.
    """
    seen, at, whole = _Jpeg(), 2, False
    for _ in range(_MOST_SEGMENTS):
        fill = _FILL.match(data, at)
        if fill is None or fill.end() >= len(data):
            if seen.scans:  # bytes behind a scan that lead nowhere: the scan may still be whole
                break
            raise fault("bytes between segments")
        marker, at = data[fill.end()], fill.end() + 1
        if marker == 0xD9:  # noqa: PLR2004 - EOI
            whole = True
            break
        if marker in _BARE:
            continue
        length = number(data, at, 2)
        if length < 2 or at + length > len(data):  # noqa: PLR2004 - the length counts itself
            raise fault("a segment is longer than the frame")
        _segment(seen, marker, bytes(data[at + 2 : at + length]))
        at += length
        if marker == 0xDA:  # noqa: PLR2004 - SOS
            found = _NEXT.search(data, at)
            at = found.start() if found else len(data)
    else:
        raise LimitExceededError("a compressed frame has more segments than any image has")
    return _jpeg_header(seen, whole=whole, stop=at)


def _segment(seen: _Jpeg, marker: int, body: bytes) -> None:
    if marker in _SOF:
        if seen.process:
            raise fault("it has two frame headers")
        if len(body) < 6 or len(body) != 6 + 3 * body[5]:  # noqa: PLR2004 - T.81 B.2.2
            raise fault("its frame header is not as long as it says")
        seen.process = marker
        seen.size = (number(body, 1, 2), number(body, 3, 2), body[5], body[0])
        seen.ids, seen.factors = body[6::3], body[7::3]
    elif marker == 0xDA:  # noqa: PLR2004 - SOS; its last bytes are NEAR, ILV, Al in JPEG-LS
        if not seen.process:
            raise fault("it has no frame header")
        seen.scans += 1
        if len(body) >= 3 and seen.process == 0xF7:  # noqa: PLR2004 - JPEG-LS
            seen.near = max(seen.near, body[-3])
    elif marker == 0xE0 and body.startswith(b"JFIF\0"):  # noqa: PLR2004 - APP0
        seen.jfif = True
    elif marker == 0xEE and body.startswith(b"Adobe") and len(body) >= 12:  # noqa: PLR2004 - APP14
        seen.adobe = body[11]
    elif marker == 0xE8 and body.startswith(b"mrfx") and len(body) >= 5:  # noqa: PLR2004 - APP8
        seen.turned = body[4] != 0


def _jpeg_header(seen: _Jpeg, *, whole: bool, stop: int) -> Codestream:
    if not seen.scans:
        raise fault("it ends before its first scan")
    rows, columns, samples, precision = seen.size
    if not rows or not columns:
        raise fault("it does not state its size")
    colour = ""
    if samples == 3:  # noqa: PLR2004 - colour
        if seen.adobe >= 0:
            colour = "YBR_FULL" if seen.adobe else "RGB"
        elif seen.ids in _RGB_IDS:
            colour = "RGB"
        elif seen.jfif or len(set(seen.factors)) > 1:  # nobody halves green and blue
            colour = "YBR_FULL"
    ls = seen.process == 0xF7  # noqa: PLR2004 - T.87 C.1.1
    return Codestream(
        kind="jpegls" if ls else "jpeg",
        rows=rows,
        columns=columns,
        samples=samples,
        precision=precision,
        lossless=not seen.near if ls else seen.process in (0xC3, 0xC7, 0xCB, 0xCF),
        process=0 if ls else seen.process,
        near=seen.near,
        transform=seen.turned,
        colour="" if ls else colour,
        whole=whole,
        stop=stop,
    )


# --- Boxes ------------------------------------------------------------------------------------


def box_content(data: Bytes, wanted: tuple[bytes, ...]) -> tuple[int, int]:
    """Return where the content of the first box of these kinds lies (ISO/IEC 15444-1 I.4).

    Raises:
        UnreadableInputError: There is none.
    """
    at = 0
    for _ in range(_MOST_SEGMENTS):
        length, head = number(data, at, 4), 8
        if length == 1:
            length, head = number(data, at + 8, 8), 16
        stop = at + length if length else len(data)
        if stop < at + head or stop > len(data):
            raise fault("a box is longer than the frame")
        if bytes(data[at + 4 : at + 8]) in wanted:
            return at + head, stop
        at = stop
    raise LimitExceededError("a compressed frame has more boxes than any image has")


def is_boxed(head: bytes) -> bool:
    """Tell whether these first 12 bytes begin a JP2 or JPEG XL file."""
    return head.startswith((JP2_SIGNATURE, JXL_SIGNATURE))
