"""Sequences that differ from one seen before in nothing but UIDs: only the UIDs are decided again.

The images of a series refer to one another in sequences that are the same in all of them but for
a UID or two. Such a sequence is recognised by the bytes around its UIDs. They hold all that steers
a walk (tags, representations, lengths, character sets, coding schemes, private creators), so
another sequence of the same length with the same bytes there has the same elements at the same
places, and all decisions but those about the UIDs are the same.
"""

from collections.abc import Callable, Hashable, Sequence
from typing import Final, NamedTuple

from safelight.deid.decision import Decided, told
from safelight.dicomio.runs import Element
from safelight.dicomio.shapes import Shape

__all__ = ["MOST_BYTES", "Moulds"]

MOST_BYTES: Final = 8192  # longer sequences are walked
_KEYS: Final = 1000
_SAME_KEY: Final = 4


class Hole(NamedTuple):
    """One UID of a sequence that has been decided.

    Attributes:
        element: Its element, with offsets into the sequence.
        level: Where it stands.
        decided: What was decided about it.
    """

    element: Element
    level: Hashable
    decided: Decided


class Mould:
    """What became of a sequence, ready for others of the same shape."""

    __slots__ = ("_acts", "_entries", "_holes", "_out", "_places", "_shape", "_told")

    def __init__(
        self, raw: bytes, holes: Sequence[Hole], out: Sequence[bytes], places: Sequence[int],
        decided: Decided,
    ) -> None:  # fmt: skip
        self._shape = Shape(raw, [hole.element[3:5] for hole in holes])
        self._holes = holes
        self._out = out
        self._places = places
        self._entries = decided.entries
        self._acts = decided.acts
        self._told = [told(entry) for entry in decided.entries]

    @classmethod
    def make(cls, raw: bytes, holes: Sequence[Hole], decided: Decided) -> "Mould | None":
        """Return the mould of a sequence; None when it is not sure what the UIDs have become.

        Args:
            raw: The encoded sequence.
            holes: Its UIDs, in order of their places.
            decided: What has been decided about the sequence.
        """
        if not holes or decided.out is None:
            return None
        out = _around(decided.out, [hole.decided.out for hole in holes])
        places = _places(decided, holes)
        if out is None or places is None:
            return None
        return cls(raw, holes, out, places, decided)

    def cast(
        self, raw: bytes, decide: Callable[[bytes, Element, Hashable], Decided]
    ) -> Decided | None:
        """Return what becomes of a sequence of the same length; None when it has to be walked.

        Args:
            raw: The encoded sequence.
            decide: Decides about the UID that stands in it in place of a hole's.
        """
        if not self._shape.fits(raw):
            return None
        out = [self._out[0]]
        entries = list(self._entries)
        lines = self._told.copy()
        alike = True
        for number, hole in enumerate(self._holes):
            old, new = hole.decided, decide(raw, hole.element, hole.level)
            if new.out is None or old.out is None or len(new.out) != len(old.out):
                return None  # the lengths around it would be others
            if len(new.entries) != len(old.entries):
                return None
            out += (new.out, self._out[number + 1])
            if new.entries:
                at = self._places[number]
                _place, rule, action, digest = new.entries[0]
                alike = alike and (rule, action) == old.entries[0][1:3]
                entries[at] = (entries[at][0], rule, action, digest)
                lines[at] = told(entries[at])
        acts = self._acts if alike else ""
        return Decided(b"".join(out), entries, acts=acts, json=",".join(lines))


class Moulds:
    """The moulds of one cleaner, by all that a decision depends on beside the bytes."""

    __slots__ = ("_known", "_noted")

    def __init__(self) -> None:
        self._known: dict[Hashable, list[Mould]] = {}
        self._noted: list[tuple[Element, Hashable]] | None = None

    def note(self, element: Element, level: Hashable) -> None:
        """Note a UID that is decided for the first time, inside the sequence at work."""
        if self._noted is not None:
            self._noted.append((element, level))

    def decide(
        self,
        key: Hashable,
        raw: bytes,
        begin: int,
        walk: Callable[[], Decided],
        uid: Callable[[bytes, Element, Hashable], Decided],
    ) -> Decided:
        """Decide a sequence: by its UIDs where one like it has been decided, else by a walk.

        Args:
            key: All that decides beside the bytes, and their length.
            raw: The encoded sequence.
            begin: Where it stands in the buffer that is walked.
            walk: Decides it by a walk, which notes the UIDs.
            uid: Decides about one UID: the buffer, its element there, where it stands.
        """
        known = self._known.get(key)
        if known is not None:
            for mould in known:
                cast = mould.cast(raw, uid)
                if cast is not None:
                    return cast
        noted: list[tuple[Element, Hashable]] = []
        self._noted = noted
        try:
            decided = walk()
        finally:
            self._noted = None
        holes = []
        for (tag, vr, *places), level in sorted(noted, key=_start):
            start, value, value_stop, stop = (place - begin for place in places)
            element = (tag, vr, start, value, value_stop, stop)
            holes.append(Hole(element, level, uid(raw, element, level)))
        made = Mould.make(raw, holes, decided)
        if made is not None:
            self._add(key, made)
        return decided

    def _add(self, key: Hashable, mould: Mould) -> None:
        if len(self._known) > _KEYS:
            self._known.clear()
        same = self._known.setdefault(key, [])
        same.insert(0, mould)
        del same[_SAME_KEY:]


def _start(noted: tuple[Element, Hashable]) -> int:
    return noted[0][2]


def _around(out: bytes, inner: Sequence[bytes | None]) -> list[bytes] | None:
    """Return what stands around encoded elements in a sequence that holds each of them once.

    None when it cannot be said where one of them stands: it is gone, or stands elsewhere too.
    """
    pieces: list[bytes] = []
    at = 0
    for each in inner:
        if not each or out.count(each) != inner.count(each):
            return None
        found = out.find(each, at)
        if found < 0:
            return None
        pieces.append(out[at:found])
        at = found + len(each)
    return [*pieces, out[at:]]


def _places(decided: Decided, holes: Sequence[Hole]) -> list[int] | None:
    """Return the position of each hole's entry among those of the sequence; -1 for no entry."""
    told = [hole.decided.entries for hole in holes]
    places: list[int] = []
    at = 0
    for own in told:
        if not own:
            places.append(-1)
            continue
        same = [
            place
            for place, entry in enumerate(decided.entries)
            if entry[1:] == own[0][1:] and entry[0].endswith(own[0][0])
        ]
        here = [place for place in same if place >= at]
        if len(own) != 1 or len(same) != told.count(own) or not here:
            return None
        places.append(here[0])
        at = here[0] + 1
    return places
