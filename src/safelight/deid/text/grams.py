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

    __slots__ = ("_grams", "_places", "_short", "_short_ascii", "_short_other", "_step", "_values")

    def __init__(self, values: Iterable[str]) -> None:
        self._values = list(values)
        self._places: dict[str, list[tuple[str, int]]] | None = None
        self._short: list[str] = []
        long = [value for value in self._values if len(value) >= _WIDTH]
        short = [value for value in self._values if len(value) < _WIDTH]
        self._short_ascii = any(value.isascii() for value in short)
        self._short_other = bool(short)
        # Four characters at every third place meet every value of six or more.
        shortest = min(map(len, long), default=0)
        self._step = min(shortest - _WIDTH + 1, _STEP) if long else 0
        self._grams = {value[at : at + _WIDTH] for at in range(self._step) for value in long}

    def find(self, text: str) -> Iterator[tuple[int, str]]:
        """Yield (start, value) for each value wherever it stands."""
        if self._places is None:
            self._places, self._short = self._index()
        step = self._step
        places = self._places
        for place in range(0, len(text), step) if step else ():
            for value, offset in places.get(text[place : place + _WIDTH], ()):
                if offset <= place and text.startswith(value, place - offset):
                    yield place - offset, value
        for value in self._short:
            at = text.find(value)
            while at >= 0:
                yield at, value
                at = text.find(value, at + 1)

    def within(self, text: str) -> bool:
        """Tell whether any value stands in the text."""
        step = self._step
        if not self._short_ascii and (not self._short_other or text.isascii()):
            if not step:
                return False
            grams = [text[at : at + _WIDTH] for at in range(0, len(text), step)]
            if self._grams.isdisjoint(grams):
                return False
        return next(self.find(text), None) is not None

    def _index(self) -> tuple[dict[str, list[tuple[str, int]]], list[str]]:
        """Return where in which value each group of four stands, and the values below four."""
        places: dict[str, list[tuple[str, int]]] = {}
        for value in self._values:
            for offset in range(self._step if len(value) >= _WIDTH else 0):
                group = value[offset : offset + _WIDTH]
                places.setdefault(group, []).append((value, offset))
        return places, [value for value in self._values if len(value) < _WIDTH]
