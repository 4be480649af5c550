"""A JPEG stream cut into its parts: frame, tables, scans (ITU-T T.81 annex B)."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from safelight.deid.pixels.huffman import Table
from safelight.errors import NeedsReviewError, UnreadableInputError

__all__ = ["Component", "Jpeg", "Scan", "parse"]

_BASELINE, _EXTENDED, _PROGRESSIVE = 0xC0, 0xC1, 0xC2
_FRAMES: Final = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_DHT, _SOI, _EOI, _SOS, _DQT, _DNL, _DRI = 0xC4, 0xD8, 0xD9, 0xDA, 0xDB, 0xDC, 0xDD
_ALONE: Final = frozenset({0x01, *range(0xD0, 0xD8)})
# the end of a scan: a marker that is neither a stuffed byte nor a restart
_SCAN_END: Final = re.compile(rb"\xff+[^\x00\xff\xd0-\xd7]", re.DOTALL)
_RESTART: Final = re.compile(rb"\xff+[\xd0-\xd7]")
_ADOBE: Final = b"Adobe"

Slot = tuple[int, int]  # 0 for DC and 1 for AC, and the destination


@dataclass(frozen=True, slots=True)
class Component:
    """One component of the frame (B.2.2).

    Attributes:
        ident: Its identifier.
        h: Horizontal sampling factor.
        v: Vertical sampling factor.
        quant: Where its quantisation table is.
    """

    ident: int
    h: int
    v: int
    quant: int


@dataclass(frozen=True, slots=True)
class Scan:
    """One scan (B.2.3), with the tables that are in force for it.

    Attributes:
        components: Index into the frame's components, DC and AC destination.
        spectral: First and last coefficient.
        approximation: Successive approximation, high and low.
        head: Where its SOS segment starts in the stream.
        start: Where its coded data starts.
        stop: Past its coded data.
        tables: By slot.
        restart: MCUs between restarts; 0 when there are none.
    """

    components: tuple[tuple[int, int, int], ...]
    spectral: tuple[int, int]
    approximation: tuple[int, int]
    head: int
    start: int
    stop: int
    tables: dict[Slot, Table]
    restart: int


@dataclass(slots=True)
class Jpeg:
    """A whole stream.

    Attributes:
        data: Its bytes.
        process: The frame's marker: 0xC0 baseline, 0xC1 extended, 0xC2 progressive.
        frame_at: Where the frame's segment starts.
        precision: Bits of a sample.
        rows: Rows.
        columns: Columns.
        components: In the order of the frame.
        quants: Each component's quantisation table, in zigzag order, as its first scan meets it.
        requantised: A table is replaced once pixels were coded with it.
        scans: In order.
        adobe: Colour transform of the Adobe segment; -1 without one.
        jfif: There is a JFIF segment.
        end: Past the end marker.
        abbreviated: Its tables are not its own: other streams need them as they are.
    """

    data: bytes
    process: int = 0
    frame_at: int = 0
    precision: int = 8
    rows: int = 0
    columns: int = 0
    components: tuple[Component, ...] = ()
    quants: dict[int, tuple[int, ...]] = field(default_factory=dict)
    requantised: bool = False
    scans: list[Scan] = field(default_factory=list)
    adobe: int = -1
    jfif: bool = False
    end: int = 0
    abbreviated: bool = False

    @property
    def progressive(self) -> bool:
        """Tell whether coefficients come in several passes."""
        return self.process == _PROGRESSIVE

    @property
    def sampling(self) -> tuple[int, int]:
        """Highest sampling factors, horizontal and vertical; 1 and 1 for one component."""
        if len(self.components) == 1:
            return 1, 1
        return max(one.h for one in self.components), max(one.v for one in self.components)

    @property
    def units(self) -> tuple[int, int]:
        """Rows and columns of MCUs."""
        h, v = self.sampling
        return -(-self.rows // (8 * v)), -(-self.columns // (8 * h))

    def blocks(self, index: int) -> tuple[int, int]:
        """Return rows and columns of one component's blocks in a scan of its own (A.2.2)."""
        h, v = self.sampling
        one = self.components[index]
        mine_h, mine_v = (one.h, one.v) if len(self.components) > 1 else (1, 1)
        rows, columns = -(-self.rows * mine_v // v), -(-self.columns * mine_h // h)
        return -(-rows // 8), -(-columns // 8)

    def intervals(self, scan: Scan) -> Iterator[tuple[int, int]]:
        """Yield where the coded data between restarts starts and stops."""
        at = scan.start
        if scan.restart:
            for found in _RESTART.finditer(self.data, scan.start, scan.stop):
                yield at, found.start()
                at = found.end()
        yield at, scan.stop


def parse(data: bytes, tables: bytes = b"") -> Jpeg:
    """Return the parts of a stream of the sequential and progressive DCT processes.

    Args:
        data: The stream, from SOI; what lies after EOI is not looked at.
        tables: An abbreviated stream with tables alone (TIFF's JPEGTables).

    Raises:
        UnreadableInputError: It is malformed or truncated.
        NeedsReviewError: It is of a process that nothing here masks.
    """
    jpeg = Jpeg(data, abbreviated=bool(tables))
    state = _State()
    if tables:
        _walk(Jpeg(tables), state, abbreviated=True)
    _walk(jpeg, state)
    if not jpeg.scans:
        raise _broken("it holds no scan")
    return jpeg


class _State:
    """Tables as they are replaced on the way."""

    def __init__(self) -> None:
        self.tables: dict[Slot, Table] = {}
        self.quants: dict[int, tuple[int, ...]] = {}
        self.restart = 0


def _broken(what: str) -> UnreadableInputError:
    return UnreadableInputError(f"a JPEG stream is damaged: {what}")


def _walk(jpeg: Jpeg, state: _State, *, abbreviated: bool = False) -> None:
    data, size = jpeg.data, len(jpeg.data)
    if data[:2] != b"\xff\xd8":
        raise _broken("it does not start as one")
    at = 2
    while True:
        begin = at
        if at >= size or data[at] != 0xFF:  # noqa: PLR2004 - a marker
            raise _broken("something stands between its segments, or it has no end")
        while at < size and data[at] == 0xFF:  # noqa: PLR2004 - fill bytes
            at += 1
        marker = data[at] if at < size else _EOI
        at += 1
        if marker == _EOI:
            jpeg.end = at
            return
        if marker in _ALONE:
            continue
        stop = at + int.from_bytes(data[at : at + 2], "big")
        body = data[at + 2 : stop]
        if stop > size or stop < at + 2:
            raise _broken("a segment is longer than the stream")
        at = stop
        if marker == _SOS and not abbreviated:
            at = _scan(jpeg, state, body, begin, stop)
        else:
            _segment(jpeg, state, marker, body, begin)


def _segment(jpeg: Jpeg, state: _State, marker: int, body: bytes, begin: int) -> None:
    if marker == _DHT:
        _huffman(state, body)
    elif marker == _DQT:
        _quantisation(jpeg, state, body)
    elif marker == _DRI:
        if len(body) < 2:  # noqa: PLR2004 - a number of two bytes
            raise _broken("a restart interval without its number")
        state.restart = int.from_bytes(body[:2], "big")
    elif marker in _FRAMES:
        _frame(jpeg, marker, body, begin)
    elif marker == 0xEE and body.startswith(_ADOBE) and len(body) >= 12:  # noqa: PLR2004 - APP14 and its fields
        jpeg.adobe = body[11]
    elif marker == 0xE0 and body.startswith(b"JFIF\0"):  # noqa: PLR2004 - APP0
        jpeg.jfif = True
    elif marker in (_DNL, _SOI, 0xCC, 0xDE, 0xDF):
        raise NeedsReviewError("a kind of JPEG that nothing here masks")


def _frame(jpeg: Jpeg, marker: int, body: bytes, begin: int) -> None:
    if marker not in (_BASELINE, _EXTENDED, _PROGRESSIVE) or jpeg.components:
        raise NeedsReviewError("a kind of JPEG that nothing here masks")
    if len(body) < 6 or len(body) < 6 + 3 * body[5]:  # noqa: PLR2004 - B.2.2
        raise _broken("its frame is too short")
    jpeg.process, jpeg.frame_at, jpeg.precision = marker, begin, body[0]
    jpeg.rows, jpeg.columns = (int.from_bytes(body[at : at + 2], "big") for at in (1, 3))
    found = []
    for at in range(6, 6 + 3 * body[5], 3):
        ident, sampling, quant = body[at : at + 3]
        found.append(Component(ident, sampling >> 4, sampling & 15, quant))
    jpeg.components = tuple(found)
    if not jpeg.rows or not jpeg.columns or jpeg.precision not in (8, 12):
        raise NeedsReviewError("a kind of JPEG that nothing here masks")
    if not 1 <= len(found) <= 4 or not all(1 <= n <= 4 for one in found for n in (one.h, one.v)):  # noqa: PLR2004 - B.2.2
        raise _broken("its components make no sense")


def _huffman(state: _State, body: bytes) -> None:
    at = 0
    while at < len(body):
        counts = tuple(body[at + 1 : at + 17])
        size = sum(counts)
        symbols = body[at + 17 : at + 17 + size]
        if len(counts) < 16 or len(symbols) < size or size > 256:  # noqa: PLR2004 - B.2.4.2
            raise _broken("a table is cut off")
        state.tables[body[at] >> 4, body[at] & 15] = Table(counts, symbols)
        at += 17 + size


def _quantisation(jpeg: Jpeg, state: _State, body: bytes) -> None:
    at = 0
    while at < len(body):
        wide, slot = 2 if body[at] >> 4 else 1, body[at] & 15
        raw = body[at + 1 : at + 1 + 64 * wide]
        table = tuple(int.from_bytes(raw[n : n + wide], "big") for n in range(0, len(raw), wide))
        if len(raw) < 64 * wide or not table[0]:
            raise _broken("a quantisation table is cut off")
        before, state.quants[slot] = state.quants.get(slot, table), table
        jpeg.requantised |= bool(jpeg.scans) and before != table
        at += 1 + 64 * wide


def _scan(jpeg: Jpeg, state: _State, body: bytes, begin: int, start: int) -> int:
    """Note one scan; return where its coded data stops."""
    count = body[0] if body else 0
    if not jpeg.components or not 1 <= count <= len(jpeg.components) or len(body) < 4 + 2 * count:
        raise _broken("a scan makes no sense")
    idents = [one.ident for one in jpeg.components]
    found = []
    for at in range(1, 1 + 2 * count, 2):
        if body[at] not in idents:
            raise _broken("a scan names a component that is not there")
        index = idents.index(body[at])
        found.append((index, body[at + 1] >> 4, body[at + 1] & 15))
        table = state.quants.get(jpeg.components[index].quant)
        if table is not None:
            jpeg.quants.setdefault(index, table)
    first, last, approximation = body[1 + 2 * count : 4 + 2 * count]
    end = _SCAN_END.search(jpeg.data, start)
    if end is None:
        raise _broken("it ends inside its pixels")
    scan = Scan(
        components=tuple(found),
        spectral=(first, last),
        approximation=(approximation >> 4, approximation & 15),
        head=begin,
        start=start,
        stop=end.start(),
        tables=dict(state.tables),
        restart=state.restart,
    )
    jpeg.scans.append(scan)
    return scan.stop
