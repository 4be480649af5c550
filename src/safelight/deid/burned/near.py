"""Whether a text equals or comes close to something of the subject's, misread letters included."""

from typing import Final

from safelight.deid.text import Needles
from safelight.deid.text.fold import fold, runs, squash

__all__ = ["near"]

_SHORT: Final = 4
_MIDDLE: Final = 7
_NAMES: Final = 3

# Shapes that a reader of pixels takes for one another, made one.
_LOOKALIKES: Final = str.maketrans("0oq1il|!5s8b2z6g7t9vuy", "ooo1111155882266779vvv"[:22])


def near(text: str, needles: Needles) -> bool:
    """Return whether the text holds one of the subject's values, exactly or nearly.

    Values of 4 to 6 characters may differ by one edit, longer ones by two; shorter ones must be
    equal. Letters and digits of like shape count as the same.

    Args:
        text: As read.
        needles: The subject's values.
    """
    if needles.spans(text):
        return True
    words = {fold(match.group()) for match in runs(text)}
    flat = squash(text)
    words.add(flat)
    alike = {_shape(word) for word in words if len(word) >= _NAMES}
    for value in (*needles.tokens, *needles.joined, *needles.numbers):
        shape = _shape(value)
        if len(shape) < _NAMES:
            continue
        if any(_close(shape, word) for word in alike):
            return True
        if len(shape) >= _MIDDLE and len(flat) > len(shape) and _within(shape, _shape(flat)):
            return True
    return False


def _shape(word: str) -> str:
    return word.translate(_LOOKALIKES)


def _close(value: str, word: str) -> bool:
    if value == word:
        return True
    if len(value) < _SHORT:
        return False
    most = 1 if len(value) < _MIDDLE else 2
    return abs(len(value) - len(word)) <= most and _distance(value, word, most) <= most


def _within(value: str, text: str) -> bool:
    """Return whether a long value stands in a longer text with at most one letter misread."""
    size = len(value)
    return any(
        sum(a != b for a, b in zip(value, text[at : at + size], strict=True)) <= 1
        for at in range(len(text) - size + 1)
    )


def _distance(one: str, other: str, most: int) -> int:
    """Return the edit distance, or anything above ``most`` once it is above it."""
    before = list(range(len(other) + 1))
    for row, a in enumerate(one, start=1):
        now = [row]
        for column, b in enumerate(other, start=1):
            now.append(min(before[column] + 1, now[-1] + 1, before[column - 1] + (a != b)))
        if min(now) > most:
            return most + 1
        before = now
    return before[-1]
