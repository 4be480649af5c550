"""Pixel data on its way through: copied untouched, its corners emptied (PS3.5 section 8, Annex A).

Corners are the places of pixel data that hold no pixel: bytes after the last one, the Basic
Offset Table, comments and application segments of compressed frames, item delimiters' lengths.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from safelight.deid.decision import Entry
from safelight.deid.encode import encode_element
from safelight.dicomio.codestream import UNCOMPRESSED, Edit, find_edits
from safelight.dicomio.limits import Limits
from safelight.dicomio.walker import PIXEL_DATA, UNDEFINED, Budget, Buffer, Element, Walker, place
from safelight.errors import NeedsReviewError, UnreadableInputError
from safelight.types import FileSlice, Part

__all__ = ["Changes", "Geometry", "PixelCopier"]

_ITEM: Final = b"\xfe\xff\x00\xe0"
_END: Final = b"\xfe\xff\xdd\xe0\0\0\0\0"
_FRAME_STARTS: Final = (b"\xff\xd8\xff", b"\xff\x4f\xff\x51", b"\0\0\0\x0cjP", b"\xff\x0a")
_HALF_CHROMA: Final = ("YBR_FULL_422", "YBR_PARTIAL_422")
_FEW_FRAMES: Final = 1


@dataclass(frozen=True, slots=True)
class Geometry:
    """What the header says of the pixels.

    Attributes:
        rows: Rows (0028,0010).
        columns: Columns (0028,0011).
        samples: Samples per Pixel (0028,0002).
        bits: Bits Allocated (0028,0100).
        frames: Number of Frames (0028,0008); 1 when absent.
        photometric: Photometric Interpretation (0028,0004).
    """

    rows: int
    columns: int
    samples: int
    bits: int
    frames: int
    photometric: str

    def native_bytes(self) -> int:
        """Return the length of native pixel data in bytes, without padding; 0 when not known."""
        pixels = self.rows * self.columns * self.frames
        if self.photometric in _HALF_CHROMA:
            return pixels * 2 * self.bits // 8
        return (pixels * self.samples * self.bits + 7) // 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """Pixels that a mask changed, to be written instead of what the input holds.

    Attributes:
        patches: Native: where in the input, inclusive and exclusive, and the bytes that go there;
            ascending, none over another.
        frames: Encapsulated: the new codestream of each changed frame.
        spans: Encapsulated: the fragments of every frame, all fragments in their order.
        syntax: Transfer Syntax UID of the new codestreams.
    """

    patches: Sequence[tuple[int, int, bytes]] = ()
    frames: Mapping[int, bytes] = field(default_factory=dict)
    spans: Sequence[Sequence[tuple[int, int]]] = ()
    syntax: str = ""


@dataclass(slots=True)
class PixelCopier:
    """Copies the pixel data of one object.

    Attributes:
        data: The whole input.
        path: Where it lies, so that large runs are streamed from there; empty for bytes in memory.
        walker: Of the data set's encoding.
        syntax: Transfer Syntax UID.
        geometry: What the header says of the pixels.
        limits: Bounds on fragments.
    """

    data: Buffer
    path: str
    walker: Walker
    syntax: str
    geometry: Geometry
    limits: Limits

    def copy(
        self, element: Element, changes: Changes | None = None
    ) -> tuple[list[Part], list[Entry]]:
        """Return the encoded element in parts, and what was emptied.

        Args:
            element: Of the pixel data.
            changes: What a mask changed; None when nothing was masked.

        Raises:
            UnreadableInputError: Fragments are damaged.
            NeedsReviewError: Less pixel data than the header promises, or a frame that cannot be
                followed to its end.
        """
        _tag, _vr, _start, _value, value_stop, stop = element
        if stop == value_stop:
            return self._native(element, changes.patches if changes else ())
        if changes is not None and changes.frames:
            return self._masked(element, changes)
        return self._encapsulated(element)

    def _run(self, start: int, stop: int) -> Part:
        """Return a run of the input: by reference when the input is a file that is streamed."""
        if self.path:
            return FileSlice(self.path, start, stop)
        return memoryview(self.data)[start:stop]

    def _native(
        self, element: Element, patches: Sequence[tuple[int, int, bytes]]
    ) -> tuple[list[Part], list[Entry]]:
        tag, vr, _start, value, value_stop, _stop = element
        length = value_stop - value
        wanted = self.geometry.native_bytes() if tag == PIXEL_DATA else length
        entries: list[Entry] = []
        if length < wanted:
            raise NeedsReviewError(
                "there is less pixel data than the header promises", place=place(tag)
            )
        if not wanted:
            wanted = length
        if vr == b"OW" and self.walker.big:
            wanted = min(wanted + wanted % 2, length)  # the last byte stands before the padding
        if any(self.data[value + wanted : value_stop]):
            entries.append((place(tag), "bytes after the last pixel", "remove", ""))
        even = wanted + wanted % 2
        head = encode_element(self.walker, tag, vr, b"")
        if vr and vr not in (b"OB", b"OW", b"OF", b"OD", b"OV", b"UN"):
            raise UnreadableInputError("pixel data with a strange VR", place=place(tag))
        head = head[:-4] + even.to_bytes(4, self.walker.order)
        parts: list[Part] = [head]
        at = value
        for start, stop, changed in patches:
            if start > at:
                parts.append(self._run(at, start))
            parts.append(changed[: max(value + wanted - start, 0)])
            at = stop
        if at < value + wanted:
            parts.append(self._run(at, value + wanted))
        if even > wanted:
            parts.append(b"\0")
        return parts, entries

    def _fragments(self, element: Element) -> list[tuple[int, int]]:
        _tag, _vr, _start, value, value_stop, _stop = element
        fragments = []
        pos = value
        while pos + 8 <= value_stop:
            length = int.from_bytes(self.data[pos + 4 : pos + 8], "little")
            if self.data[pos : pos + 4] != _ITEM or length == UNDEFINED:
                raise UnreadableInputError("a fragment is damaged", place="(7FE0,0010)")
            if pos + 8 + length > value_stop:
                raise UnreadableInputError("a fragment runs past the end", place="(7FE0,0010)")
            fragments.append((pos + 8, pos + 8 + length))
            pos += 8 + length
        Budget(self.limits).take_items(len(fragments))
        return fragments

    def _encapsulated(self, element: Element) -> tuple[list[Part], list[Entry]]:
        tag, vr = element[:2]
        fragments = self._fragments(element)
        if len(fragments) < 2:  # noqa: PLR2004 - the offset table and one fragment
            raise UnreadableInputError(
                "encapsulated pixel data without a fragment", place=place(tag)
            )
        head = tag.to_bytes(4, "big")
        head = head[1::-1] + head[3:1:-1]
        if not self.walker.implicit:
            head += (vr if vr in (b"OB", b"OW") else b"OB") + b"\0\0"
        entries: list[Entry] = []
        table = self._offset_table(fragments, entries)
        parts: list[Part] = [head + b"\xff\xff\xff\xff", _ITEM, _length(table), table]
        for frame in self._frames(fragments[1:], table):
            self._frame(frame, parts, entries)
        parts.append(_END)
        return parts, entries

    def _masked(self, element: Element, changes: Changes) -> tuple[list[Part], list[Entry]]:
        """Write changed frames anew, one fragment each, and the others as they are (PS3.5 A.4)."""
        tag = element[0]
        fragments = self._fragments(element)
        full = [(start, stop) for start, stop in fragments[1:] if stop > start]
        every = [span for frame in changes.spans for span in frame]
        whole = every == full
        if not whole and not self._within(every, full):
            raise UnreadableInputError("fragments that belong to no frame", place=place(tag))
        head = tag.to_bytes(4, "big")
        head = head[1::-1] + head[3:1:-1]
        if not self.walker.implicit:
            head += b"OB\0\0"
        entries: list[Entry] = []
        body: list[Part] = []
        offsets, at = [], 0
        for number, spans in enumerate(changes.spans):
            offsets.append(at)
            new = changes.frames.get(number)
            if new is None and whole:
                self._frame(list(spans), body, entries)
                at += sum(8 + stop - start for start, stop in spans)
                continue
            if new is None:  # it shared a fragment with others: now it has its own
                new = b"".join(bytes(self.data[start:stop]) for start, stop in spans)
            new = self._scrubbed(new, changes.syntax)
            body += (_ITEM, _length(new), new)
            at += 8 + len(new)
        table = b""
        if (len(offsets) > 1 or fragments[0][0] < fragments[0][1]) and at < UNDEFINED:
            table = b"".join(_length_of(offset) for offset in offsets)
        return [head + b"\xff\xff\xff\xff", _ITEM, _length(table), table, *body, _END], entries

    def _within(self, spans: Sequence[tuple[int, int]], full: Sequence[tuple[int, int]]) -> bool:
        """Tell whether spans and zeros between them are all that fragments hold."""
        rest = iter(spans)
        span = next(rest, None)
        for start, stop in full:
            at = start
            while span is not None and at <= span[0] and span[1] <= stop:
                if any(self.data[at : span[0]]):
                    return False
                at, span = span[1], next(rest, None)
            if any(self.data[at:stop]):
                return False
        return span is None

    def _scrubbed(self, frame: bytes, syntax: str) -> bytes:
        """Return a new codestream of even length without what an encoder may have carried along."""
        edits, _places, fault = self._edits(frame, syntax)
        if fault:
            raise NeedsReviewError(f"a masked frame cannot be followed to its end ({fault})")
        changed = bytearray(frame)
        for edit in edits:
            changed[edit.start : edit.stop] = edit.payload()
        return bytes(changed) + bytes(len(changed) % 2)

    def _edits(
        self, frame: memoryview | bytes, syntax: str
    ) -> tuple[Sequence[Edit], Sequence[str], str]:
        """Return what of a frame is overwritten, where that is, and why it cannot be known."""
        if syntax == UNCOMPRESSED:
            size = replace(self.geometry, frames=1).native_bytes()
            if not 0 < size <= len(frame):
                return (), (), "it is shorter than a frame"
            if any(frame[size:]):
                return (Edit(size, len(frame)),), ("bytes after the last pixel",), ""
            return (), (), ""
        pixels = self.geometry.rows * self.geometry.columns
        return find_edits(frame, limits=self.limits, syntax=syntax, pixels=pixels)[:3]

    def _offset_table(self, fragments: Sequence[tuple[int, int]], entries: list[Entry]) -> bytes:
        """Return the Basic Offset Table if it is one, else an empty one (PS3.5 A.4)."""
        start, stop = fragments[0]
        raw = bytes(self.data[start:stop])
        if not raw:
            return raw
        begins = {}
        offset = 0
        for first, last in fragments[1:]:
            begins[offset] = True
            offset += 8 + last - first
        offsets = [int.from_bytes(raw[at : at + 4], "little") for at in range(0, len(raw), 4)]
        if len(raw) == 4 * self.geometry.frames and all(at in begins for at in offsets):
            return raw
        entries.append(("(7FE0,0010)[0]", "an offset table that points nowhere", "remove", ""))
        return b""

    def _frames(
        self, fragments: Sequence[tuple[int, int]], table: bytes
    ) -> list[list[tuple[int, int]]]:
        """Group fragments by frame."""
        if self.geometry.frames <= _FEW_FRAMES:
            return [list(fragments)]
        if len(fragments) == self.geometry.frames:
            return [[fragment] for fragment in fragments]
        offsets = {int.from_bytes(table[at : at + 4], "little") for at in range(0, len(table), 4)}
        frames: list[list[tuple[int, int]]] = []
        offset = 0
        for start, stop in fragments:
            begins = offset in offsets if offsets else self._begins_frame(start)
            if begins or not frames:
                frames.append([])
            frames[-1].append((start, stop))
            offset += 8 + stop - start
        return frames

    def _begins_frame(self, start: int) -> bool:
        return bytes(self.data[start : start + 6]).startswith(_FRAME_STARTS)

    def _frame(self, frame: list[tuple[int, int]], parts: list[Part], entries: list[Entry]) -> None:
        """Append one frame's fragments, with what decoders do not need overwritten in place."""
        view = memoryview(self.data)
        if len(frame) == 1:
            joined: memoryview | bytes = view[frame[0][0] : frame[0][1]]
        else:
            joined = b"".join(view[start:stop] for start, stop in frame)
        edits, places, fault = self._edits(joined, self.syntax)
        if fault:
            raise NeedsReviewError(
                f"a compressed frame cannot be followed to its end ({fault})", place="(7FE0,0010)"
            )
        if not edits:
            for start, stop in frame:
                parts += (_ITEM, _length_of(stop - start), self._run(start, stop))
            return
        changed = bytearray(joined)
        for edit in edits:
            changed[edit.start : edit.stop] = edit.payload()
        entries += [("(7FE0,0010)", where, "remove", "") for where in places]
        at = 0
        for start, stop in frame:
            parts += (_ITEM, _length_of(stop - start), bytes(changed[at : at + stop - start]))
            at += stop - start


def _length(value: bytes) -> bytes:
    return _length_of(len(value))


def _length_of(length: int) -> bytes:
    return length.to_bytes(4, "little")
