"""Which of many values stand in a text, at a cost that hardly grows with their number."""

from collections.abc import Iterable, Iterator
from typing import Final

__all__ = ["Grams"]

_WIDTH: Final = 4
_STEP: Final = 3


class Grams:
    """Values by their first four characters (fewer for shorter values).

    Args:
        values: Not empty strings.
    """

    __slots__ = ("_by_width", "_long", "_short_ascii", "_short_other", "_step")

    def __init__(self, values: Iterable[str]) -> None:
        self._by_width: dict[int, dict[str, list[str]]] = {}
        longest = 0
        shortest = _WIDTH + _STEP - 1
        for value in values:
            width = min(len(value), _WIDTH)
            self._by_width.setdefault(width, {}).setdefault(value[:width], []).append(value)
            if width == _WIDTH:
                longest = max(longest, len(value))
                shortest = min(shortest, len(value))
        # Four characters at every third place meet every value of six or more.
        self._step = max(shortest - _WIDTH + 1, 1) if longest else 0
        heads = self._by_width.get(_WIDTH, {})
        self._long = {
            value[at : at + _WIDTH]
            for values in heads.values()
            for value in values
            for at in range(min(self._step, len(value) - _WIDTH + 1))
        }
        short = [
            head for width, found in self._by_width.items() if width != _WIDTH for head in found
        ]
        self._short_ascii = any(head.isascii() for head in short)
        self._short_other = bool(short)

    def find(self, text: str) -> Iterator[tuple[int, str]]:
        """Yield (start, value) for each value wherever it stands."""
        for width, heads in self._by_width.items():
            for at in range(len(text) - width + 1):
                for value in heads.get(text[at : at + width], ()):
                    if text.startswith(value, at):
                        yield at, value

    def within(self, text: str) -> bool:
        """Tell whether any value stands in the text."""
        step = self._step
        if not self._short_ascii and (not self._short_other or text.isascii()):
            if not step:
                return False
            grams = [text[at : at + _WIDTH] for at in range(0, len(text), step)]
            if self._long.isdisjoint(grams):
                return False
        return next(self.find(text), None) is not None
