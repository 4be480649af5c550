"""Very long texts, judged in pieces: the same piece once, and no more than a budget of them."""

import re
from collections.abc import Callable, Iterator
from typing import Final

from safelight.deid.text import people, vocabulary

__all__ = ["MOST", "Pieces"]

#: Characters above which a text is judged in pieces.
MOST: Final = 1 << 14
_BUDGET: Final = 1 << 17
_PIECE: Final = 2048
_BLOCK: Final = 1 << 16
_RULE_LONG: Final = "too long to be judged word by word"
_BREAK: Final = re.compile(r"[\n\\]")
_WORD: Final = re.compile(r"[^\W\d_]{3}")
_WORDS: Final = re.compile(r"[^\W\d_]{3,}|[\n\\]+")
_EDGE: Final = re.compile(r"[\W\d_]")
_BREAKS: Final = "\n\\"
_ONLY_BREAKS: Final = {code: None for code in range(128) if code not in (10, 92)}
_BLANK: Final = re.compile(r"[\s,;|]")
_MOST_PIECES: Final = 50_000

Judge = Callable[[str], tuple[str, tuple[str, ...]]]


class Pieces:
    """Judges a long text line by line (value by value), long lines in stretches of words.

    Once 128 Ki characters have been judged, of the rest only strong vocabulary stays, lines and
    the number of values kept: a bounded cost for a text of any length.

    Args:
        judge: Returns what is left of one piece, and the rules.
        joined: The person's squashed values; words that touch one are not strong.
        named: Returns whether a folded word is the person's.
    """

    def __init__(self, judge: Judge, joined: list[str], named: Callable[[str], bool]) -> None:
        self._judge = judge
        self._joined = joined
        self._named = named
        self._seen: dict[str, str] = {}
        self._strong: dict[str, str] = {}
        self._left = _BUDGET

    def clean(self, text: str, found: dict[str, None]) -> str:
        """Return what is left; add the rules that took something to ``found``."""
        out: list[str] = []
        at = 0
        seen = self._seen
        for count, (start, stop) in enumerate(_pieces(text)):
            piece = text[start:stop]
            shown = seen.get(piece)
            if shown is None:
                if self._left < len(piece):
                    break
                self._left -= len(piece)
                shown, rules = self._judge(piece) if len(piece) <= _PIECE else ("", (_RULE_LONG,))
                found.update(dict.fromkeys(rules))
                seen[piece] = shown
                seen.setdefault(shown, shown)
            out.append(shown)
            at = stop + 1
            if at > len(text):
                break
            out.append(text[stop])
            if count >= _MOST_PIECES:
                break
        if at < len(text):
            found[_RULE_LONG] = None
            out += self._rest(text, at)
        return "".join(out)

    def _rest(self, text: str, at: int) -> Iterator[str]:
        """Keep the strong words, the line ends and the value borders."""
        strong = self._strong
        before = "\n"
        while at < len(text):
            edge = _EDGE.search(text, at + _BLOCK)
            stop = edge.start() if edge else len(text)
            block = text[at:stop]
            if block.isascii() and not _WORD.search(block):
                shown = block.translate(_ONLY_BREAKS)
            else:
                parts = _WORDS.findall(block)
                for part in set(parts).difference(strong):
                    strong[part] = self._weigh(part)
                shown = " ".join(filter(None, map(strong.__getitem__, parts)))
                for mark in _BREAKS:
                    shown = shown.replace(f" {mark}", mark).replace(f"{mark} ", mark)
            if shown:
                if before not in _BREAKS and shown[0] not in _BREAKS:
                    yield " "
                yield shown
                before = shown[-1]
            if len(strong) > _BLOCK:
                strong.clear()
            at = stop

    def _weigh(self, part: str) -> str:
        if not part[0].isalpha():
            return part
        word = part.lower()
        if vocabulary.listed(word) != vocabulary.STRONG:
            return ""
        strong = (
            part.isascii()
            and not people.calls(word)
            and not self._named(word)
            and not any(word in value or value in word for value in self._joined)
        )
        return part if strong else ""


def _pieces(text: str) -> Iterator[tuple[int, int]]:
    """Yield the ranges of lines and values; long ones are cut at blanks."""
    at = 0
    while True:
        match = _BREAK.search(text, at)
        stop = match.start() if match else len(text)
        while stop - at > _PIECE:
            cut = max(text.rfind(blank, at, at + _PIECE) for blank in " ,;|\t")
            if cut <= at:
                blank = _BLANK.search(text, at + 1, stop)
                cut = blank.start() if blank else stop
            yield at, cut
            at = cut + 1
        if at <= stop:
            yield at, stop
        if match is None:
            return
        at = stop + 1
