"""Text that no plain search finds: letters spread out, percent and entity codes, ringed letters."""

import functools
import re
import unicodedata
from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

from safelight.deid.text.fold import INVISIBLE, fold_text, words

__all__ = ["Bare", "Spread", "bare", "spread", "unproven"]

_CODE: Final = re.compile(
    r"(?:%[0-9A-Fa-f]{2})+|&(?:\#\d{1,7}|\#[xX][0-9A-Fa-f]{1,6});?|&[A-Za-z][A-Za-z0-9]{1,31};"
    r"|(?:=[0-9A-F]{2}){3,}|(?:\\?u[0-9A-Fa-f]{4}){2,}|(?:\\x[0-9A-Fa-f]{2}){2,}"
)
_PERCENTAGES: Final = re.compile(r"(?:%\d\d){1,2}")
_SPREAD: Final = re.compile(r"(?<![^\W_])[^\W\d_](?:[\W_]{1,3}[^\W\d_]){2,}(?![^\W_])")
_HEX: Final = re.compile(r"[0-9A-Fa-f]{4}|[0-9A-Fa-f]{2}")
#: Pairs of letters that departments write with a slash: bilateral, without, status post, ...
_PAIRS: Final = re.compile(
    r"(?<![\w/])(?:b/l|u/e|l/e|u/l|l/l|w/o|s/p|r/o|c/o|f/u|a/p|p/a|r/l|l/r|h/o|d/t|p/o|n/v|h/f|f/h)"
    r"(?![\w/])",
    re.IGNORECASE,
)
_SIDES: Final = re.compile(r"(?:ap|pa|rl|lr|hf|fh|si|is){2,3}")
_FEW: Final = 4
#: Signs that fold to letters and yet are signs.
_NOT_LETTERS: Final = words("™ ® © ª º ½ ¼ ¾ ² ³ ¹")


class Bare(NamedTuple):
    """A text with its codes resolved; ``starts`` and ``stops`` give each character's place."""

    text: str
    starts: list[int]
    stops: list[int]

    def back(self, start: int, stop: int) -> tuple[int, int]:
        """Return the range of the coded text that a range of the bare text stands for."""
        return self.starts[start], self.stops[stop - 1]


class Spread(NamedTuple):
    """Three or more single letters in a row, each apart from the next: its range and letters."""

    start: int
    stop: int
    letters: str


@functools.cache
def _east() -> re.Pattern[str]:
    """Return what finds East Asian letters; few texts need it."""
    return re.compile("[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3]")


def bare(text: str) -> Bare | None:
    """Return the text with its codes resolved, or nothing if it holds none."""
    plain = text.isascii()
    if plain and not ("%" in text or "&" in text or "=" in text or "\\" in text or "u0" in text):
        return None
    chars: list[str] = []
    starts: list[int] = []
    stops: list[int] = []
    at = 0
    changed = False
    for start, stop, shown in (*_codes(text), (len(text), len(text), "")):
        for place in range(at, start):
            for char in text[place] if plain else _unringed(text[place]):
                changed = changed or char != text[place]
                chars.append(char)
                starts.append(place)
                stops.append(place + 1)
        for char in INVISIBLE.sub("", shown):
            chars.append(char)
            starts.append(start)
            stops.append(stop)
        changed = changed or start < stop
        at = stop
    return Bare("".join(chars), starts, stops) if changed and chars else None


def _codes(text: str) -> Iterator[tuple[int, int, str]]:
    for match in _CODE.finditer(text):
        code = match.group()
        if code[0] == "&":
            import html  # noqa: PLC0415 - start-up cost: texts with entities only

            shown = html.unescape(code)
            if shown == code:
                continue
        elif code[0] == "%":
            behind = text[match.start() - 1 : match.start()]
            after = text[match.end() : match.end() + 1]
            if behind.isdecimal() and not after.isalnum() and _PERCENTAGES.fullmatch(code):
                continue  # 40%50%: percentages side by side
            shown = _bytes(bytes.fromhex(code.replace("%", "")))
        elif "u" in code:
            shown = "".join(chr(int(unit, 16)) for unit in _HEX.findall(code))
        else:
            shown = _bytes(bytes(int(unit, 16) for unit in _HEX.findall(code)))
        yield match.start(), match.end(), shown


def _bytes(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data.decode("latin-1")


def _unringed(char: str) -> str:
    """Return the letters that a sign stands for (a letter in a circle), else the character."""
    if char.isalnum() or char.isascii() or char in _NOT_LETTERS:
        return char
    shown = unicodedata.normalize("NFKC", char)
    return shown if any(one.isalnum() for one in shown) else char


def spread(text: str) -> Iterator[Spread]:
    """Yield the rows of three or more single letters, each apart from the next by a sign or two."""
    for match in _SPREAD.finditer(text):
        letters = "".join(char for char in match.group() if char.isalpha())
        yield Spread(match.start(), match.end(), fold_text(letters))


def unproven(text: str, listed: Callable[[str], bool]) -> Iterator[Spread]:
    """Yield the rows of four letters or more that spell neither a known word nor directions."""
    for row in spread(text):
        if len(row.letters) < _FEW or _east().search(row.letters):
            continue
        left = fold_text(_PAIRS.sub("", text[row.start : row.stop]))
        letters = "".join(char for char in left if char.isalpha())
        if len(letters) >= _FEW and not (_SIDES.fullmatch(letters) or listed(letters)):
            yield row
