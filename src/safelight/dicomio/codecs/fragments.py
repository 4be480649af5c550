"""Which bytes belong to which frame of encapsulated pixel data (PS3.5 A.4)."""

import struct
from collections.abc import Callable, Sequence
from typing import Final

from safelight.dicomio.limits import Limits
from safelight.dicomio.walker import Budget, Buffer
from safelight.errors import UnreadableInputError

__all__ = ["Span", "frame_spans", "list_fragments"]

Span = tuple[int, int]

_ITEM: Final = b"\xfe\xff\x00\xe0"
_END: Final = b"\xfe\xff\xdd\xe0"
_PLACE: Final = "(7FE0,0010)"
# None of these can stand inside coded data: T.81 B.1.1.5, 15444-1 Annex A, I.5.1 and 18181-2.
_STARTS: Final = (
    b"\xff\xd8\xff",
    b"\xff\x4f\xff\x51",
    b"\0\0\0\x0cjP  \r\n\x87\n",
    b"\0\0\0\x0cJXL \r\n\x87\n",
)


def list_fragments(data: Buffer, value: int, stop: int, limits: Limits) -> list[Span]:
    """Return all items of encapsulated pixel data, the Basic Offset Table first.

    Raises:
        UnreadableInputError: An item is damaged or runs past the end, or there is none.
        LimitExceededError: More items than the limit allows.
    """
    found = []
    pos, budget = value, Budget(limits)
    while pos + 8 <= stop:
        tag, length = bytes(data[pos : pos + 4]), int.from_bytes(data[pos + 4 : pos + 8], "little")
        if tag == _END:
            break
        if tag != _ITEM:
            raise UnreadableInputError("a fragment is damaged", place=_PLACE)
        if length > stop - pos - 8:
            raise UnreadableInputError("a fragment runs past the end", place=_PLACE)
        found.append((pos + 8, pos + 8 + length))
        budget.take_items(1)
        pos += 8 + length
    if len(found) < 2:  # noqa: PLR2004 - the offset table and one fragment
        raise UnreadableInputError("encapsulated pixel data without a fragment", place=_PLACE)
    return found


def frame_spans(
    data: Buffer,
    fragments: Sequence[Span],
    frames: int,
    *,
    offsets: Sequence[int] | None,
    ends: Callable[[int, int], int] | None,
) -> list[list[Span]]:
    """Return the spans of each frame.

    Args:
        data: The whole input.
        fragments: From ``list_fragments``, the Basic Offset Table first.
        frames: Number of Frames.
        offsets: The Extended Offset Table, if there is one (PS3.3 C.7.6.3.1.8).
        ends: Tells where the codestream from one offset ends, at most at the other; used where one
            fragment holds several frames. None when the syntax has no such ends.

    Raises:
        UnreadableInputError: The fragments cannot be made into this many frames.
    """
    (table_start, table_stop), *rest = fragments
    table = bytes(data[table_start:table_stop])
    full = [(start, stop) for start, stop in rest if stop > start]
    if frames == 1:
        found = [full]
    else:
        found = (
            _by_offsets(rest, offsets or (), frames)
            or _by_offsets(rest, _basic(table), frames)
            or _by_count(full, frames)
            or _by_start(data, full, frames)
            or _by_end(data, full, frames, ends)
        )
    if len(found) != frames or not all(found):
        raise UnreadableInputError(
            "there are more or fewer frames than the header says", place="(0028,0008)"
        )
    return found


def _basic(table: bytes) -> tuple[int, ...]:
    return struct.unpack(f"<{len(table) // 4}L", table[: len(table) // 4 * 4])


def _by_offsets(rest: Sequence[Span], offsets: Sequence[int], frames: int) -> list[list[Span]]:
    """Cut at the offsets, if each is the start of an item and they rise from the first."""
    if len(offsets) != frames or offsets[0] != 0 or list(offsets) != sorted(set(offsets)):
        return []
    begins, found = set(offsets), list[list[Span]]()
    base = rest[0][0]
    for start, stop in rest:
        if start - base in begins:
            found.append([])
        if stop > start:
            found[-1].append((start, stop))
    return found if len(found) == frames and all(found) else []


def _by_count(full: Sequence[Span], frames: int) -> list[list[Span]]:
    return [[span] for span in full] if len(full) == frames else []


def _by_start(data: Buffer, full: Sequence[Span], frames: int) -> list[list[Span]]:
    """Cut before each fragment that begins with a codestream's signature."""
    found: list[list[Span]] = []
    for start, stop in full:
        if bytes(data[start : start + 12]).startswith(_STARTS) or not found:
            found.append([])
        found[-1].append((start, stop))
    return found if len(found) == frames else []


def _by_end(
    data: Buffer,
    full: Sequence[Span],
    frames: int,
    ends: Callable[[int, int], int] | None,
) -> list[list[Span]]:
    """Cut one fragment that holds several whole codestreams, one behind the other."""
    if ends is None or len(full) != 1:
        return []
    found: list[list[Span]] = []
    pos, stop = full[0]
    while pos < stop and len(found) < frames:
        end = ends(pos, stop)
        if end <= pos:
            return []
        found.append([(pos, end)])
        pos = end
        while pos < stop and data[pos] == 0:  # padding to an even length
            pos += 1
    return found if pos == stop else []
