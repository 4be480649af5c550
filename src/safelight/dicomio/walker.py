"""One level of an encoded data set, cut into elements without decoding any (PS3.5 section 7).

An element is a plain tuple, since millions of them are made::

    (tag, vr, start, value, value_stop, stop)

``tag`` is ``group << 16 | element``; ``vr`` two bytes, or ``b""`` in implicit VR; the rest are
offsets into the buffer. ``stop`` lies past the sequence delimiter where there is one. Nothing is
trusted: every length is held against the end of what contains it before it is used.
"""

import functools
from struct import Struct
from typing import Any, Final, Literal

from safelight.dicomio.budget import Budget
from safelight.dicomio.runs import Book, Buffer, Element, Run
from safelight.errors import LimitExceededError, UnreadableInputError

__all__ = ["Budget", "Buffer", "Element", "Item", "OddEncodingError", "Walker", "place"]

Item = tuple[int, int]

UNDEFINED: Final = 0xFFFFFFFF
ITEM: Final = 0xFFFEE000
ITEM_END: Final = 0xFFFEE00D
SEQUENCE_END: Final = 0xFFFEE0DD
PIXEL_DATA: Final = 0x7FE00010
_LAST_GROUPS: Final = frozenset((0x7FE0, 0xFFFA, 0xFFFC))
_HEADS_MOST: Final = 1 << 14
_REST_PART: Final = 4  # what may follow the end, as a part of what was read

# PS3.5 Tables 7.1-1 and 7.1-2
LONG_VRS: Final = frozenset(
    (b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"SV", b"UC", b"UN", b"UR", b"UT", b"UV")
)
SHORT_VRS: Final = frozenset(
    vr.encode()
    for vr in "AE AS AT CS DA DS DT FD FL IS LO LT PN SH SL SS ST TM UI UL US".split()  # noqa: SIM905 - reads as the table
)


class OddEncodingError(UnreadableInputError):
    """The bytes are not what the walker can be sure of; a more lenient reader may be."""


@functools.lru_cache(maxsize=1 << 14)
def place(tag: int) -> str:
    """Return a tag as people write it: ``(0010,0020)``."""
    return f"({tag >> 16:04X},{tag & 0xFFFF:04X})"


class Walker:
    """Cuts data sets of one encoding into elements and items.

    Args:
        implicit: Implicit VR.
        big: Big endian.
    """

    __slots__ = ("_explicit", "_heads", "_item", "_long", "big", "implicit", "order")

    def __init__(self, *, implicit: bool, big: bool) -> None:
        order = ">" if big else "<"
        self.implicit = implicit
        self.big = big
        self.order: Literal["little", "big"] = "big" if big else "little"
        self._explicit = Struct(order + "HH2sH").unpack_from
        self._item = Struct(order + "HHL").unpack_from
        self._long = Struct(order + "L").unpack_from
        # What the first eight bytes of elements say: tag, VR, length, where the value begins.
        self._heads: dict[bytes, tuple[int, bytes, int, int]] = {}

    def elements(
        self,
        data: Buffer,
        pos: int,
        end: int,
        budget: Budget,
        *,
        stop_tag: int = 1 << 32,
        depth: int = 0,
    ) -> list[Element]:
        """Return the elements between two offsets, up to the first tag >= ``stop_tag``.

        Raises:
            OddEncodingError: A value representation is unknown.
            UnreadableInputError: A length leads past the end.
            LimitExceededError: Too many elements, or nested too deep.
        """
        found: list[Any] = []
        if self.implicit:
            self._implicit_elements(data, pos, end, budget, stop_tag, depth, found, {})
        else:
            self._explicit_elements(data, pos, end, budget, stop_tag, depth, found, {})
        budget.take_elements(len(found))
        return found

    def segments(
        self,
        data: Buffer,
        pos: int,
        end: int,
        budget: Budget,
        book: Book,
        *,
        stop_tag: int = 1 << 32,
    ) -> list[Element | Run]:
        """Return the top level like ``elements``, with runs that the book knows as one each.

        Bytes that follow pixel data or begin with zeros and are no element are left out: the
        last element then ends before ``end``.

        Raises:
            OddEncodingError: As ``elements``.
            LimitExceededError: As ``elements``.
        """
        found: list[Element | Run] = []
        series = book.series(data, pos)
        walk = self._implicit_elements if self.implicit else self._explicit_elements
        try:
            walk(data, pos, end, budget, stop_tag, 0, found, series.starts)
        except UnreadableInputError:
            if not self._ended(data, pos, end, found):
                raise
        budget.take_elements(len(found))
        book.learn(data, pos, found, series)
        return found

    @staticmethod
    def _ended(data: Buffer, start: int, end: int, found: list[Element | Run]) -> bool:
        """Tell whether what could not be read stands after the end of the data set.

        Zeros that are followed by much more are a damaged header, not the end.
        """
        last = found[-1] if found else None
        while last and not isinstance(last, Run) and last[0] == 0 and last[3] == last[5]:
            found.pop()  # zeros before the rest: an empty element in implicit VR
            last = found[-1] if found else None
        if last is None or isinstance(last, Run):
            return False
        stop = last[5]
        little = end - stop <= (stop - start) // _REST_PART
        return last[0] >> 16 in _LAST_GROUPS or (little and data[stop : stop + 4] == bytes(4))

    def _explicit_elements(
        self,
        data: Buffer,
        pos: int,
        end: int,
        budget: Budget,
        stop_tag: int,
        depth: int,
        found: list[Element | Run],
        starts: dict[bytes, list[Run]],
    ) -> None:
        append = found.append
        heads = self._heads
        last = end - 8
        most = budget.elements
        many = end - pos > 8 * most  # so many bytes that they can hold more elements than that
        while pos <= last:
            head = data[pos : pos + 8]
            if starts and (known := starts.get(head)) is not None:
                run = _standing(data, pos, end, known, found)
                if run is not None:
                    append(run)
                    pos += run.size
                    continue
            tag, vr, length, size = heads.get(head) or self._read_head(head)
            if tag >= stop_tag:
                return
            value = pos + size
            if length < 0:  # it stands in four bytes of its own
                if not size or value > end:
                    if self._only_zeros(data, pos, end):
                        return
                    raise OddEncodingError("a value representation is not known", place=place(tag))
                length = self._long(data, pos + 8)[0]
            if length == UNDEFINED:
                value_stop = self.skip(data, value, end, Budget(budget.limits), depth, vr, tag)
                stop = self.past(data, value_stop, end)
            else:
                value_stop = stop = value + length
                if stop > end:
                    raise _too_long(tag)
            append((tag, vr, pos, value, value_stop, stop))
            if many and len(found) > most:
                budget.take_elements(len(found))
            pos = stop
        self._check_rest(data, pos, end)

    def _read_head(self, head: bytes) -> tuple[int, bytes, int, int]:
        """Return what the first eight bytes of an explicit element say, and remember it.

        The length is -1 where it follows in four more bytes, and where the VR is not known: the
        size of the head is 0 then.
        """
        group, element, vr, length = self._explicit(head)
        size = 8
        if vr not in SHORT_VRS:
            length, size = -1, 12 if vr in LONG_VRS else 0
        if len(self._heads) >= _HEADS_MOST:
            self._heads.clear()
        told = self._heads[head] = (group << 16 | element, vr, length, size)
        return told

    def _implicit_elements(
        self,
        data: Buffer,
        pos: int,
        end: int,
        budget: Budget,
        stop_tag: int,
        depth: int,
        found: list[Element | Run],
        starts: dict[bytes, list[Run]],
    ) -> None:
        unpack = self._item
        last = end - 8
        most = budget.elements
        many = end - pos > 8 * most  # so many bytes that they can hold more elements than that
        while pos <= last:
            if starts and (known := starts.get(data[pos : pos + 8])) is not None:
                run = _standing(data, pos, end, known, found)
                if run is not None:
                    found.append(run)
                    pos += run.size
                    continue
            group, element, length = unpack(data, pos)
            tag = group << 16 | element
            if tag >= stop_tag:
                return
            value = pos + 8
            if length == UNDEFINED:
                value_stop = self.skip(data, value, end, Budget(budget.limits), depth, b"", tag)
                stop = self.past(data, value_stop, end)
            else:
                value_stop = stop = value + length
                if stop > end:
                    if self._only_zeros(data, pos, end):
                        return
                    raise _too_long(tag)
            found.append((tag, b"", pos, value, value_stop, stop))
            if many and len(found) > most:
                budget.take_elements(len(found))
            pos = stop
        self._check_rest(data, pos, end)

    @staticmethod
    def _only_zeros(data: Buffer, pos: int, end: int) -> bool:
        """Tell whether nothing but zero bytes follows: padding after the last element."""
        step = 1 << 16
        return all(not any(data[at : min(at + step, end)]) for at in range(pos, end, step))

    @staticmethod
    def _check_rest(data: Buffer, pos: int, end: int) -> None:
        """Refuse a tail too short for an element, unless it is padding."""
        if pos < end and any(data[pos:end]):
            raise OddEncodingError("bytes are left after the last element")

    def skip(
        self, data: Buffer, pos: int, end: int, budget: Budget, depth: int, vr: bytes, tag: int
    ) -> int:
        """Return where the sequence delimiter of an undefined length begins.

        Args:
            data: The buffer.
            pos: The first byte of the value.
            end: The end of what contains it.
            budget: What is left of the limits.
            depth: How deep the element itself is nested; 0 at the top.
            vr: Its value representation; ``UN`` means implicit VR little endian inside (PS3.5
                6.2.2, note on unknown sequences).
            tag: Its tag, for the error.

        Raises:
            OddEncodingError: No delimiter before the end, or something else than an item.
            LimitExceededError: Too deep, or too many items.
        """
        if depth >= budget.limits.depth_read:
            raise LimitExceededError(
                f"sequences nested deeper than {budget.limits.depth_read} (limit depth_read)"
            )
        walker = UNKNOWN_SEQUENCE if vr == b"UN" else self
        unpack = walker._item  # noqa: SLF001 - own class
        while pos + 8 <= end:
            group, element, length = unpack(data, pos)
            head = group << 16 | element
            if head == ITEM:
                budget.take_items(1)
                if length == UNDEFINED:
                    pos = walker.item_end(data, pos + 8, end, budget, depth + 1)
                    pos = walker.past(data, pos, end)
                else:
                    pos += 8 + length
            elif head == SEQUENCE_END:
                return pos
            else:
                raise OddEncodingError(
                    "something else than an item in a sequence", place=place(tag)
                )
        raise UnreadableInputError("a sequence or fragment runs past the end", place=place(tag))

    def item_end(self, data: Buffer, pos: int, end: int, budget: Budget, depth: int) -> int:
        """Return where the item delimiter of an item of undefined length begins."""
        while pos + 8 <= end:
            tag, vr, value, length = self._head(data, pos, end)
            if tag == ITEM_END:
                return pos
            if length == UNDEFINED:
                pos = self.past(data, self.skip(data, value, end, budget, depth, vr, tag), end)
            else:
                pos = value + length
            budget.take_elements(1)
        raise UnreadableInputError("an item runs past the end")

    def _head(self, data: Buffer, pos: int, end: int) -> tuple[int, bytes, int, int]:
        group, element, length = self._item(data, pos)
        tag = group << 16 | element
        if self.implicit or group == 0xFFFE:  # noqa: PLR2004 - item group, PS3.5 7.5
            return tag, b"", pos + 8, length
        vr, short_length = self._explicit(data, pos)[2:]
        if vr in SHORT_VRS:
            return tag, vr, pos + 8, short_length
        if vr in LONG_VRS and pos + 12 <= end:
            return tag, vr, pos + 12, self._long(data, pos + 8)[0]
        raise OddEncodingError("a value representation is not known", place=place(tag))

    def past(self, data: Buffer, pos: int, end: int) -> int:
        """Return the first byte after a delimiter, which should hold no value but may."""
        stop: int = pos + 8 + self._item(data, pos)[2]
        if stop > end:
            raise UnreadableInputError("a delimiter claims more bytes than there are")
        return stop

    def items(self, data: Buffer, pos: int, end: int, budget: Budget, depth: int) -> list[Item]:
        """Return (start, stop) of the content of each item between two offsets.

        ``depth`` is that of the sequence element; its items' elements are one deeper.

        Raises:
            OddEncodingError: Something else than an item, or an item that leads past the end.
        """
        found: list[Item] = []
        unpack = self._item
        while pos + 8 <= end:
            group, element, length = unpack(data, pos)
            head = group << 16 | element
            if head == SEQUENCE_END:
                break
            if head != ITEM:
                raise OddEncodingError("something else than an item in a sequence")
            start = pos + 8
            if length == UNDEFINED:
                stop = self.item_end(data, start, end, Budget(budget.limits), depth + 1)
                pos = self.past(data, stop, end)
            else:
                pos = stop = start + length
            if stop > end:
                raise UnreadableInputError("an item runs past the end of its sequence")
            found.append((start, stop))
            if len(found) > budget.items:
                budget.take_items(len(found))
        else:
            self._check_rest(data, pos, end)
        budget.take_items(len(found))
        return found


def _standing(
    data: Buffer, pos: int, end: int, known: list[Run], found: list[Element | Run]
) -> Run | None:
    """Return the longest of some runs that stands here and divides no private group."""
    for run in known:
        stop = pos + run.size
        if stop > end or data[pos:stop] != run.raw:
            continue
        if run.closes and data[stop : stop + 2] == run.closes:
            continue
        if run.opens and found:
            before = found[-1]
            if (before.last if isinstance(before, Run) else before[0]) >> 16 == run.opens:
                continue
        return run
    return None


def _too_long(tag: int) -> UnreadableInputError:
    return UnreadableInputError("a length leads past the end of what contains it", place=place(tag))


UNKNOWN_SEQUENCE: Final = Walker(implicit=True, big=False)
