"""Which texts are harmless marks: the whole text must parse, or it is not one.

A mark is a word of the list, a key with a number, a number with a unit, a few orientation letters,
or a row of those. Dates, times and long numbers never parse. What does not parse is masked.
"""

# ruff: noqa: RUF001 - signs of other widths and scripts are what is made one here

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, NamedTuple

from safelight.deid.burned.marks import (
    ALONE,
    AMBIGUOUS,
    KEYS,
    LONE,
    LONGER_NUMBERS,
    UNITS,
    WITH_UNIT,
    WORDS,
)

__all__ = ["Mark", "parse"]

_LONGEST: Final = 90
_MOST_TOKENS: Final = 16
_JOINED: Final = 4
_SHORT: Final = 3
_INITIALS: Final = 2
_BEFORE: Final = re.compile(r"\bDR\b[. ]+[A-Z]")
# a title and what may be a surname: "Mr Waters", "MR. LONG", "Waters, Mr"
_SURNAMES: Final = "|".join(sorted(AMBIGUOUS))
_TITLED: Final = re.compile(
    rf"\b(?:MR|MS|PT)(?:\.\s*[A-Z]|[, ]*(?:{_SURNAMES})\b)|\b(?:{_SURNAMES})\s*,\s*(?:MR|MS)\b"
)
_YEARS: Final = (1900, 2100)

_SIGNS: Final = str.maketrans(
    {"：": ":", "，": ",", "（": "(", "）": ")", "％": "%", "–": "-", "−": "-", "—": "-", "º": "°",
     "µ": "U", "μ": "U", "×": "X", "✕": "X", "＋": "+", "|": " ", "~": " ", "_": " ", "•": " ",
     "“": " ", "”": " ", "‘": "'", "’": "'"}
)  # fmt: skip
_NUMBER: Final = r"[+-]?\d{1,4}(?:[.,]\d{1,3})?"
_SINGLE: Final = re.compile(_NUMBER)
_DIGIT: Final = re.compile(r"[+-]?\d")
_DECIMAL: Final = re.compile(r"[.,]\d")
_WHOLE: Final = re.compile(r"(?<![\d.,])\d{4}(?![\d.,])")
_NEXT: Final = re.compile(r"\s*[:=]?\s*[+-]?\d")
_FOLLOWED: Final = re.compile(r"[:=.]?\s+(?:[A-Z+]|\d)")
_WORD: Final = re.compile(r"[+-]?\d{0,2}[A-Z](?:[A-Z0-9²³/'-]*[A-Z0-9²³'+-])?\+?")
_BETWEEN: Final = " :=,;.()[]/<>*&°%+-#"
_LOOSE: Final = frozenset({"D", "N", "T", "'", "W", "L", "G", "S", "M", "IN"})
_FORBIDDEN: Final = re.compile(
    r"\d{5,}|\d{1,4}[./-]\d{1,2}[./-]\d{1,4}|\d{1,2}:\d\d|\d[AP]\.?M\b|(?:19|20)\d\d[./-]\d"
    r"|\d-\d{3,}|\d{3,}-\d|@|#\s*\d{3,}|\b[NM]\d{3,}|\b\d{3,}\s*[A-KM-VY-Z]\d"
)
_PROBE: Final = re.compile(r"(?:[A-Z]{1,2}\d{1,2}-\d{1,2}[A-Z]{0,2}|\d{1,2}[CLSVP](?:-D)?)")
_PLACE: Final = re.compile(r"[LRAPHFSI]-?\d{1,3}(?:\.\d{1,2})?(?:MM)?")
_OF: Final = re.compile(rf"{_NUMBER}\s?(?:/|OF\s|X|:(?=\d\b))\s?{_NUMBER}")
_SPACED: Final = re.compile(r"[A-Z](?: [A-Z])+")
_UNEVEN: Final = re.compile(r"[A-Z]{1,2}(?: [A-Z]{1,2}){2,}")
_LONG_WORD: Final = 5
_INITIAL: Final = re.compile(r"[A-Z]{1,3}\d")
_MATRIX: Final = re.compile(r"(?:64|96|128|192|256|320|384|512|768|1024|2048)\s?X\s?\d{2,4}")
_GLUED: Final = re.compile(r"([A-Z/%']{1,9})[:=]?(?=[+-]?\d)")
_AXES: Final = ("LR", "AP", "HFSI")


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A text that parsed as a whole.

    Attributes:
        kind: ``laterality``, ``view``, ``position``, ``body part``, ``technique``, ``window``,
            ``scale``, ``slice``, ``orientation``, ``probe setting``, ``measurement``, ``console``.
        short: Whether it is so short that a piece of something else could look like it.
        ambiguous: Whether it is a word that is someone's name too.
    """

    kind: str
    short: bool
    ambiguous: bool = False


class _Step(NamedTuple):
    at: int
    key: str = ""
    kind: str = ""
    number: bool = False


@lru_cache(maxsize=1 << 12)
def parse(text: str) -> Mark | None:
    """Return what kind of harmless mark the whole text is; None when any part is unknown.

    Args:
        text: As read, in any case.
    """
    text = unicodedata.normalize("NFKC", text.translate(_SIGNS)).upper().translate(_SIGNS)
    text = " ".join(text.replace("K VP", "KVP").split())
    if _SPACED.fullmatch(text):
        text = text.replace(" ", "")  # letter by letter: one word
    elif _UNEVEN.fullmatch(text) and len(whole := text.replace(" ", "")) >= _LONG_WORD:
        text = whole if whole in WORDS else text  # spread letters read in ones and twos
    if not text or len(text) > _LONGEST or _FORBIDDEN.search(text):
        return None
    bare = re.sub(r"[^A-Z0-9]", "", text)
    if not bare:
        return Mark(kind="measurement", short=True) if text in {"+", "X", "*"} else None
    if text in WORDS and len(bare) <= _INITIALS and text not in ALONE:
        return None
    if _BEFORE.search(text) or _TITLED.search(text):
        return None
    kinds = _kinds(text)
    if not kinds:
        return None
    kind = min(kinds, key=_RANK.index)
    return Mark(
        kind=kind,
        short=len(bare) <= _SHORT or not any(map(str.isalpha, bare)),
        ambiguous=bare in AMBIGUOUS,
    )


_RANK: Final = (
    "laterality", "view", "position", "orientation", "body part", "measurement", "window", "scale",
    "slice", "technique", "probe setting", "console",
)  # fmt: skip


def _kinds(text: str) -> list[str]:
    """Return the kinds of the marks in a row; empty when something in it is no mark."""
    at, kinds, key = 0, list[str](), ""
    for _token in range(_MOST_TOKENS):
        while at < len(text) and text[at] in _BETWEEN and not text.startswith("+C", at):
            at += 1
        if at >= len(text):
            return kinds if not key or _ends(key) else []
        step = _number(text, at, key) if not key or _DIGIT.match(text, at) else None
        step = step or _word(text, at)
        if step is None or (key and not step.key and not step.kind):
            return []
        if key and not step.number and not _ends(key) and not key.isdigit():
            return []
        if key and step.number and key in WORDS:
            kinds.pop()  # the word was the key of this number
        at, key = step.at, step.key
        if step.kind:
            kinds.append(step.kind)
    return []


def _ends(key: str) -> bool:
    """Tell whether a key is a mark without a number as well."""
    return key in WORDS or _oriented(key)


def _number(text: str, at: int, key: str) -> _Step | None:
    """Read a number, a pair such as 12/60 or 24X24, with the unit behind it."""
    match = _OF.match(text, at) or _SINGLE.match(text, at)
    if match is None:
        return None
    unit = _unit_at(text, match.end())
    # In "KVP 120 MAS 3.2" what looks like a unit is the next key.
    if key and unit.startswith(" ") and _NEXT.match(text, match.end() + len(unit)):
        unit = ""
    bare = unit.strip()
    end = match.end() + len(unit)
    if not bare and text[end : end + 1].isalnum():
        return None
    year = any(_YEARS[0] <= int(part) < _YEARS[1] for part in _WHOLE.findall(match[0]))
    if (year and key not in LONGER_NUMBERS) or (not bare and key in WITH_UNIT):
        return None
    if key:
        return _Step(end, kind=KEYS[key], number=True)
    if bare and bare not in _LOOSE:
        return _Step(end, kind=_BY_UNIT.get(bare, "measurement"), number=True)
    if _MATRIX.fullmatch(match[0]):
        return _Step(end, kind="technique", number=True)
    digit = match[0]
    if digit in KEYS and _FOLLOWED.match(text, match.end()):
        return _Step(match.end(), key=digit, kind="")  # "1 L 4.25 cm": the first, its length
    return None


_BY_UNIT: Final = dict.fromkeys(
    ("KVP", "KV", "MAS", "MA", "MSEC", "MS", "SEC", "S"), "technique"
) | (
    dict.fromkeys(("HZ", "KHZ", "MHZ", "FPS", "F/S", "DB", "%"), "probe setting")
    | dict.fromkeys(("CM", "MM"), "scale")
    | {"X": "scale"}
)


def _unit_at(text: str, at: int) -> str:
    rest = text[at:]
    blank = len(rest) - len(rest.lstrip())
    for unit in sorted(UNITS, key=len, reverse=True):
        after = rest[blank + len(unit) : blank + len(unit) + 1]
        if rest.startswith(unit, blank) and not after.isalnum():
            return rest[: blank + len(unit)]
    return ""


def _word(text: str, at: int) -> _Step | None:
    """Read a word, a key, or a key with its number glued to it; None for what is no mark."""
    match = _WORD.match(text, at)
    if match is None:
        return None
    plain = match[0] if match[0] in WORDS else match[0].strip("-'")
    decimal = _DECIMAL.match(text, match.end()) is not None
    if not decimal:
        if plain in WORDS:
            return _Step(match.end(), key=plain if plain in KEYS else "", kind=WORDS[plain])
        if plain in KEYS:
            kind = "orientation" if _oriented(plain) and len(plain) == len(text) else ""
            return _Step(match.end(), key=plain, kind=kind)
        kind = _coded(plain)
        if kind:
            return _Step(match.end(), kind=kind)
    glued = _GLUED.match(text, at)
    # A key with a lone digit glued to it may be three initials: SPO reads as SP0.
    initials = not decimal and _INITIAL.fullmatch(match[0])
    if glued is not None and glued[1] in KEYS and not initials:
        step = _number(text, glued.end(1) + (text[glued.end(1)] in ":="), glued[1])
        if step is not None:
            return step
    if not decimal and (len(plain) < len(text) or len(plain) >= 2 * _JOINED):
        kind = _run_together(plain)
        if kind:
            return _Step(match.end(), kind=kind)
    return None


def _coded(word: str) -> str:
    """Return the kind of orientation letters, probe names, places such as I45.5, and pairs."""
    if _oriented(word):
        return "orientation"
    if _PROBE.fullmatch(word):
        return "probe setting"
    if _PLACE.fullmatch(word):
        return "slice"
    parts = re.split(r"[/-]", word)
    if len(parts) > 1 and all(part in WORDS or part in KEYS for part in parts):
        return next((WORDS[part] for part in parts if part in WORDS), "technique")
    return ""


def _oriented(word: str) -> bool:
    """Tell whether these are at most three ends of the body's axes, each axis once."""
    if not 1 <= len(word) <= _SHORT or not set(word) <= LONE:
        return False
    return all(sum(word.count(letter) for letter in axis) <= 1 for axis in _AXES)


def _run_together(word: str) -> str:
    """Return the kind of two or three long words that lost the blank between them."""
    if not word.isalpha():
        return ""
    for cut in range(2, len(word) - 1):
        head, tail = word[:cut], word[cut:]
        if max(len(head), len(tail)) >= _JOINED and head in WORDS and tail in WORDS:
            return WORDS[tail] if len(head) < len(tail) else WORDS[head]
    return ""
