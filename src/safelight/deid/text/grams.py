"""Which of many values stand in a text, at a cost that hardly grows with their number."""

from collections.abc import Iterable, Iterator
from typing import Final

__all__ = ["Grams"]

_WIDTH: Final = 4
_STEP: Final = 3
_SPARE: Final = 6  # characters: 28 parts at most
_APART: Final = "\n"  # stands in no value


class Grams:
    """Values by their first four characters (fewer for shorter values).

    Args:
        values: Not empty strings of letters and digits.
    """

    __slots__ = (
        *("_grams", "_least", "_places", "_row", "_short", "_short_ascii", "_short_other"),
        *("_step", "_values"),
    )

    def __init__(self, values: Iterable[str]) -> None:
        every = list(values)
        self._values = frozenset(every)
        self._least = min(map(len, every), default=0)
        self._places: dict[str, list[tuple[str, int]]] = {}
        long = [value for value in every if len(value) >= _WIDTH]
        short = self._short = [value for value in every if len(value) < _WIDTH]
        self._row = _APART.join(("", *long, ""))
        self._short_ascii = any(value.isascii() for value in short)
        self._short_other = bool(short)
        # Four characters at every third place meet every value of six or more.
        shortest = min(map(len, long), default=0)
        self._step = min(shortest - _WIDTH + 1, _STEP) if long else 0
        self._grams = {value[at : at + _WIDTH] for at in range(self._step) for value in long}

    def find(self, text: str) -> Iterator[tuple[int, str]]:
        """Yield (start, value) for each value wherever it stands."""
        step = self._step
        for place in range(0, len(text), step) if step else ():
            gram = text[place : place + _WIDTH]
            if gram not in self._grams:
                continue
            for value, offset in self._places.get(gram) or self._look(gram):
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
        if len(text) - self._least <= _SPARE:  # few parts are as long as the shortest value
            return self._parts(text)
        return next(self.find(text), None) is not None

    def _parts(self, text: str) -> bool:
        """Tell the same of a text hardly longer than the values, from all of its parts."""
        values, least, size = self._values, self._least, len(text)
        for start in range(size - least + 1):
            for stop in range(start + least, size + 1):
                if text[start:stop] in values:
                    return True
        return False

    def _look(self, gram: str) -> list[tuple[str, int]]:
        """Return in which values one of the groups of four stands at their start, and where."""
        found = self._places[gram] = []
        row = self._row
        at = row.find(gram)
        while at >= 0:
            start = row.rfind(_APART, 0, at) + 1
            if at - start < self._step:
                found.append((row[start : row.index(_APART, at)], at - start))
            at = row.find(gram, at + 1)
        return found
