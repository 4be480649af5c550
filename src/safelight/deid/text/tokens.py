"""Cut a text into runs, each with its class."""

# ruff: noqa: RUF001 - letters and signs of other scripts are what this module is about

import functools
import re
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from safelight.deid.text import vocabulary
from safelight.deid.text.fold import RUN, fold, runs

__all__ = ["Token", "tokenize"]

#: Signs beyond ASCII that carry no identity: typographic, mathematical, CJK punctuation.
_SIGNS: Final = frozenset(
    "°µ±×÷≤≥≠≈–—‐‑‒…‘’“”„«»‹›·•²³¹½¼¾§®™©′"
    "″√∞→←↑↓Ø¿¡、。・（）「」『』【】［］：；／〜～ー＋－％＊％〔〕 　"
)


@dataclass(slots=True)
class Token:
    """One run: half-open range, folded form, class, and whether it is to go."""

    start: int
    stop: int
    word: str
    kind: int
    gone: bool = False


def tokenize(text: str) -> list[Token]:
    """Return the runs of letters and digits, and unknown signs beyond ASCII, in order."""
    if text.isascii():
        kind = vocabulary.kind
        return [
            Token(match.start(), match.end(), run.lower(), kind(run))
            for match in RUN.finditer(text)
            for run in (match[0],)
        ]
    out: list[Token] = []
    at = 0
    for match in runs(text):
        _signs(text, at, match.start(), out)
        _mixed_scripts(match.group(), match.start(), out)
        at = match.end()
    _signs(text, at, len(text), out)
    return out


@functools.cache
def _cjk() -> re.Pattern[str]:
    """Return what finds Chinese and Japanese; most runs never need it."""
    return re.compile("[\u3005\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\uff66-\uff9f]+")


def _signs(text: str, start: int, stop: int, out: list[Token]) -> None:
    for place in range(start, stop):
        char = text[place]
        if not char.isascii() and char not in _SIGNS:
            out.append(Token(place, place + 1, char, vocabulary.UNKNOWN))


def _mixed_scripts(run: str, offset: int, out: list[Token]) -> None:
    """Add a run; stretches of Chinese and Japanese are judged term by term."""
    at = 0
    for match in _cjk().finditer(run):
        if match.start() > at:
            _word(run[at : match.start()], offset + at, out)
        begin = offset + match.start()
        unknown = vocabulary.cjk_unknown(match.group())
        edges = [0, *(edge for pair in unknown for edge in pair), len(match.group())]
        for place, (start, stop) in enumerate(pairwise(edges)):
            if start < stop:
                known = vocabulary.UNKNOWN if place % 2 else vocabulary.STRONG
                word = match.group()[start:stop]
                out.append(Token(begin + start, begin + stop, word, known))
        at = match.end()
    if at < len(run):
        _word(run[at:], offset + at, out)


def _word(run: str, start: int, out: list[Token]) -> None:
    if run in _SIGNS:
        return
    out.append(Token(start, start + len(run), fold(run), vocabulary.kind(run)))
