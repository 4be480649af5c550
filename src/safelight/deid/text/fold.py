"""One spelling for comparison: case, width, diacritics and special letters folded away."""

# ruff: noqa: RUF001 - letters and signs of other scripts are what this module is about

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from typing import Final

__all__ = [
    "INVISIBLE",
    "RUN",
    "digits",
    "fold",
    "fold_text",
    "runs",
    "segments",
    "squash",
    "squash_map",
    "words",
]

# Letters that canonical decomposition leaves alone but people write without their stroke.
_SPECIAL: Final = str.maketrans(
    {
        "ø": "o",
        "ł": "l",
        "đ": "d",
        "ð": "d",
        "þ": "th",
        "æ": "ae",
        "œ": "oe",
        "ı": "i",
        "ħ": "h",
        "ŋ": "n",
        "ß": "ss",
        "ς": "σ",
        "’": "'",
        "‘": "'",
        "ʼ": "'",
        "`": "'",
        "´": "'",
    }
)

#: A run of letters and digits, apostrophes inside included (``O'Brien``, ``t2``, ``patient's``).
RUN: Final = re.compile(r"[^\W_]+(?:['’ʼ`´][^\W_]+)*")
_MARKS: Final = (
    "\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20f0\u3099\u309a\ufe20-\ufe2f"
)
_WIDE_RUN: Final = re.compile(rf"[^\W_](?:[^\W_]|[{_MARKS}])*(?:['’ʼ`´](?:[^\W_]|[{_MARKS}])+)*")

#: Format and control characters that show nothing: they can split a name or hide bytes.
INVISIBLE: Final = re.compile(
    "[\x00-\x08\x0b\x0e-\x1f\x7f-\x84\x86-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5"
    "\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0"
    "\ufff0-\ufffb\U000e0000-\U000e0fff]+"
)

_OTHER_DIGIT: Final = re.compile(r"(?![0-9])\d")
_DROP: Final = {i: None for i in range(128) if not chr(i).isalnum()}
_SEGMENT: Final = re.compile(r"[^\W\d_]+|\d+")


def runs(text: str) -> "Iterator[re.Match[str]]":
    """Return the runs of a text; combining marks belong to the run that they stand in."""
    return (RUN if text.isascii() else _WIDE_RUN).finditer(text)


_LONGEST: Final = 64


def fold(run: str) -> str:
    """Fold one short run (a word): lower case, no diacritics, one width, ASCII digits."""
    if run.isascii():
        return run.lower()
    return _fold(run) if len(run) <= _LONGEST else fold_text(run)


@lru_cache(maxsize=1 << 14)
def _fold(run: str) -> str:
    return fold_text(run)


def fold_text(text: str) -> str:
    """Fold text of any length; the result may be shorter or longer than the input."""
    if text.isascii():
        return text.lower()
    out = unicodedata.normalize("NFKD", text.casefold().translate(_SPECIAL)).casefold()
    kept = "".join(
        char
        for char in out
        if not unicodedata.combining(char) and unicodedata.category(char) != "Me"
    )
    return digits(unicodedata.normalize("NFC", kept).translate(_SPECIAL))


def digits(text: str) -> str:
    """Return the text with the decimal digits of every script as ASCII, each in its place."""
    if text.isascii():
        return text
    return _OTHER_DIGIT.sub(_digit, text)


def _digit(match: "re.Match[str]") -> str:
    return str(unicodedata.decimal(match[0]))


def words(text: str) -> frozenset[str]:
    """Return the words of a list written as one string, which reads better than quoted words."""
    return frozenset(text.split())


def segments(folded: str) -> list[str]:
    """Split a folded run at every border between letters and digits."""
    return _SEGMENT.findall(folded)


def squash(text: str) -> str:
    """Return the folded text with everything but letters and digits taken out."""
    if text.isascii():
        return text.lower().translate(_DROP)
    return "".join(char for char in fold_text(text) if char.isalnum())


def squash_map(text: str) -> tuple[str, list[int]]:
    """Return the squashed text and, for each of its characters, its place in ``text``."""
    chars: list[str] = []
    places: list[int] = []
    for place, char in enumerate(text):
        for folded in char.lower() if char.isascii() else fold(char):
            if folded.isalnum():
                chars.append(folded)
                places.append(place)
    return "".join(chars), places
