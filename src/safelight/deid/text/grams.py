"""Which of many values stand in a text, at a cost that hardly grows with their number."""

from collections.abc import Iterable, Iterator

__all__ = ["Grams"]

_WIDTH = 4


class Grams:
    """Values by their first four characters (fewer for shorter values).

    Args:
        values: Not empty strings.
    """

    __slots__ = ("_by_width",)

    def __init__(self, values: Iterable[str]) -> None:
        self._by_width: dict[int, dict[str, list[str]]] = {}
        for value in values:
            width = min(len(value), _WIDTH)
            self._by_width.setdefault(width, {}).setdefault(value[:width], []).append(value)

    def find(self, text: str) -> Iterator[tuple[int, str]]:
        """Yield (start, value) for each value wherever it stands."""
        for width, heads in self._by_width.items():
            for at in range(len(text) - width + 1):
                for value in heads.get(text[at : at + width], ()):
                    if text.startswith(value, at):
                        yield at, value

    def within(self, text: str) -> bool:
        """Tell whether any value stands in the text."""
        return next(self.find(text), None) is not None
