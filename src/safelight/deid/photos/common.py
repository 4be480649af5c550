"""What the photo cleaners share: a reader that never runs past the end, and the list of actions."""

from collections.abc import Sequence
from typing import Final

from safelight.deid.context import Cleaned, Context
from safelight.errors import LimitExceededError, UnreadableInputError
from safelight.types import Action, Part

__all__ = ["PIXELS_NOTE", "RULE", "Bytes", "Cursor", "Trail"]

RULE: Final = "photo metadata"
PIXELS_NOTE: Final = (
    "Writing in the picture itself (film labels, stickers, captions) is looked for separately "
    "and has not been looked for here."
)

Bytes = bytes | bytearray | memoryview


class Cursor:
    """Reads forward through bytes and fails in words instead of past the end.

    Args:
        data: The whole input.
        at: Where to start.
        stop: Where the part being read ends; the end of ``data`` by default.
        place: How errors name the part being read.
    """

    __slots__ = ("at", "data", "place", "stop")

    def __init__(self, data: Bytes, at: int = 0, stop: int = -1, *, place: str = "") -> None:
        self.data: Final = memoryview(data)
        self.stop = len(data) if stop < 0 else stop
        self.at = at
        self.place = place
        if not 0 <= at <= self.stop <= len(data):
            raise self.error("points outside the file")

    @property
    def left(self) -> int:
        """Bytes between here and the end of the part."""
        return self.stop - self.at

    def error(self, what: str) -> UnreadableInputError:
        """Return the error for what is wrong here."""
        return UnreadableInputError(what, place=f"{self.place or 'byte'} {self.at}".strip())

    def take(self, count: int) -> memoryview:
        """Return the next ``count`` bytes without copying them."""
        if count > self.left or count < 0:
            raise self.error("the file is truncated, or a length in it is wrong")
        self.at += count
        return self.data[self.at - count : self.at]

    def rest(self) -> memoryview:
        """Return all bytes up to the end of the part."""
        return self.take(self.left)

    def number(self, size: int, order: "str" = "big") -> int:
        """Return an unsigned number of ``size`` bytes; ``order`` is ``big`` or ``little``."""
        return int.from_bytes(self.take(size), "little" if order == "little" else "big")


class Trail:
    """The output and the actions of one photo, gathered in the order of the input."""

    __slots__ = ("_ctx", "_notes", "actions", "parts")

    def __init__(self, ctx: Context) -> None:
        self._ctx: Final = ctx
        self._notes: Final[list[str]] = []
        self.actions: Final[list[Action]] = []
        self.parts: Final[list[Part]] = []

    def keep(self, *parts: Part) -> None:
        """Pass these bytes to the output."""
        self.parts.extend(parts)

    def act(self, place: str, action: str, data: Bytes) -> None:
        """Note that ``data`` at ``place`` met ``action``; the manifest gets its keyed digest."""
        if len(self.actions) >= self._ctx.limits.items:
            raise LimitExceededError(f"more than {self._ctx.limits.items} parts (items)")
        digest = self._ctx.key.digest(memoryview(data))
        self.actions.append(Action(place=place, rule=RULE, action=action, digest=digest))

    def remove(self, place: str, data: Bytes) -> None:
        """Note that ``data`` at ``place`` is not passed on; nothing to note when it is empty."""
        if len(data):
            self.act(place, "remove", data)

    def note(self, text: str) -> None:
        """Add a fact for the report, once."""
        if text not in self._notes:
            self._notes.append(text)

    def done(self, extra: Sequence[str] = ()) -> Cleaned:
        """Return the result; a picture that was not looked at says so."""
        notes = (*self._notes, *extra, *(() if self._ctx.looked else (PIXELS_NOTE,)))
        return Cleaned(parts=tuple(self.parts), actions=tuple(self.actions), notes=notes)
