"""Clean one text: a word stays only if it is proven harmless."""

import re
import unicodedata
from bisect import bisect_right
from enum import StrEnum
from operator import attrgetter
from typing import Final, NamedTuple

from safelight.deid.text import (
    ages,
    forms,
    lengthy,
    numerals,
    patterns,
    people,
    remnants,
    tidy,
    veiled,
    vocabulary,
)
from safelight.deid.text.fold import INVISIBLE, RUN, fold, squash
from safelight.deid.text.needles import Needles
from safelight.deid.text.tokens import Token, tokenize

__all__ = ["CleanText", "Mode", "TextCleaner"]

_PASSES: Final = 6
_REACH: Final = 5
_WITHOUT_DIGITS: Final = 1
_REMEMBERED: Final = 20_000
_GATE: Final = re.compile(r"\d|[@:/]|www|\w\.\w|nineteen|twenty|thousand", re.IGNORECASE)
# What the quick way does not judge: beyond ASCII, net addresses, four digits or more, times, ages,
# initials.
_SLOW: Final = re.compile(
    r"[^ -~]|[@\\]|www|//|\w\.[A-Za-z]|\d\D*\d\D*\d\D*\d|\d:\d|\d\s?[apAP]\.?[mM]"
    r"|(?:9\d|1[0-4]\d)[\s-]?[yYaAjJFM/]|[fFmM](?:\s?/\s?)?(?:9\d|10\d)|\dh\d"
    r"|(?<![A-Za-z])[A-Z]\.(?: [A-Z]|(?![ -~]))"
    r"|%[0-9A-Fa-f][0-9A-Fa-f]|&[#A-Za-z]|=[0-9A-F][0-9A-F]="
    r"|u[0-9A-Fa-f]{4}"
)
_Found = tuple[int, int, str]
_stop_of: Final = attrgetter("stop")
_RULE_WORD: Final = "word that is not proven harmless"
_RULE_CODE: Final = "not a known term"
_RULE_INVISIBLE: Final = "invisible characters"
_RULE_AGE: Final = "age over 89"
_SPREAD: Final = 3
_LONG_RUN: Final = 64
_DEPTH: Final = 3


class Mode(StrEnum):
    """How strict to be, by the kind of attribute."""

    WORDS = "words"  # short free text: the token allowlist
    NARRATIVE = "narrative"  # long text: the same, punctuation and lines kept
    SUBJECT = "subject"  # only the subject's values and identifying forms go
    CODE = "code"  # a coded value: kept whole or emptied


class CleanText(NamedTuple):
    """What is left of a text, and the rules that took something; no rules means unchanged."""

    text: str
    rules: tuple[str, ...]


class TextCleaner:
    """Cleans texts for one person. Decisions are remembered, since texts repeat over a series.

    Args:
        needles: The person's own values.
    """

    __slots__ = ("_memory", "_words", "needles")

    def __init__(self, needles: Needles) -> None:
        self.needles = needles
        self._memory: dict[tuple[str, Mode], CleanText] = {}
        self._words: dict[str, int] = {}

    def clean(self, text: str, mode: Mode = Mode.WORDS) -> CleanText:
        """Return the text without what may identify someone.

        Args:
            text: Decoded text; values of one attribute may be joined by backslashes, each is
                cleaned by itself and their number stays the same.
            mode: How strict to be.
        """
        key = (text, mode)
        known = self._memory.get(key)
        if known is None:
            if len(self._memory) >= _REMEMBERED:
                self._memory.clear()
            known = self._memory[key] = self._clean(text, mode)
        return known

    def __repr__(self) -> str:
        return f"TextCleaner({self.needles!r})"

    def _clean(self, text: str, mode: Mode) -> CleanText:
        if not text or text.isspace():
            return CleanText(text, ())
        large = len(text) > lengthy.MOST
        if not large:
            if self._plainly(text):
                return CleanText(text, ())
            if "\\" in text and mode is not Mode.NARRATIVE:
                parts = [self.clean(part, mode) for part in text.split("\\")]
                rules = dict.fromkeys(rule for part in parts for rule in part.rules)
                return CleanText("\\".join(part.text for part in parts), tuple(rules))
        elif mode is Mode.CODE:
            return CleanText("", (_RULE_CODE,))
        found: dict[str, None] = {}
        current = text
        pieces = self._pieces(mode) if large else None
        for _attempt in range(_PASSES):
            if pieces and len(current) > lengthy.MOST:
                after = pieces.clean(current, found)
            else:
                after = self._once(current, mode, found)
            if after == current:
                break
            if mode is Mode.CODE:
                return CleanText("", (_RULE_CODE, *found))
            current = after
            if len(current) <= lengthy.MOST and self._plainly(current):
                break
        else:
            current = ""
        if current == text:
            return CleanText(text, ())
        return CleanText(current, tuple(found) or (_RULE_WORD,))

    def _plainly(self, text: str) -> bool:
        """Tell at a glance whether every word is harmless and none calls for a closer look."""
        if _SLOW.search(text):
            return False
        words = self._words
        digits = False
        alone = False
        single = 0
        for run in RUN.findall(text):
            level = words.get(run)
            if level is None:
                if len(words) >= _REMEMBERED:
                    words.clear()
                level = words[run] = self._level(run)
            if not level:
                return False
            alone = alone or level == _WITHOUT_DIGITS
            digits = digits or not run.isalpha()
            single += len(run) == 1
        if (alone and digits) or single >= _SPREAD:
            return False
        needles = self.needles
        if needles.dates.within(text):
            return False
        return not (needles.joined and needles.joined_grams.within(squash(text)))

    def _level(self, run: str) -> int:
        """Return 0 when the word needs a closer look, 1 when it does beside digits, else 2."""
        word = fold(run)
        if len(run) > _LONG_RUN:
            return 0
        if (
            not vocabulary.kind(run)
            or people.calls(word)
            or ages.calls(word)
            or forms.calls(word)
            or word in self.needles.short
            or word in self.needles.initials
            or self.needles.holds(run)
        ):
            return 0
        return _WITHOUT_DIGITS if patterns.calls(word) else 2

    def _once(self, text: str, mode: Mode, found: dict[str, None]) -> str:
        """Make one pass; add the rules that took something to ``found``."""
        plain = text.isascii()
        if not (plain and text.isprintable()) and INVISIBLE.search(text):
            found[_RULE_INVISIBLE] = None
            text = INVISIBLE.sub("", text)
        shown = text
        if not plain:
            text = unicodedata.normalize("NFC", text)
        aged = ages.ages(text)
        if aged != text:
            found[_RULE_AGE] = None
            return aged
        spans: list[_Found] = list(self.needles.spans(text))
        coded = veiled.bare(text)
        if coded is None:
            self._judge(text, mode, spans)
        else:
            spans += patterns.find(text)
            spans += self._coded(coded, mode, _DEPTH)
        if not spans:
            return shown
        for _start, _stop, rule in spans:
            found[rule] = None
        return _cut(text, spans)

    def _judge(self, text: str, mode: Mode, spans: list[_Found]) -> None:
        """Add all that goes to the places of the person's own values."""
        if _GATE.search(text):
            spans += patterns.find(text)
        if mode is Mode.SUBJECT or (not spans and tidy_term(text) in vocabulary.terms()):
            return
        spans += self._unproven(text, spans)

    def _coded(self, coded: veiled.Bare, mode: Mode, depth: int) -> list[_Found]:
        """Judge a text by what its codes stand for; whole codes go."""
        text = coded.text
        deeper = veiled.bare(text)
        if deeper is None:
            spans: list[_Found] = list(self.needles.spans(text))
            spans += ((start, stop, _RULE_AGE) for start, stop in ages.old(text))
            self._judge(text, mode, spans)
        elif depth:
            spans = self._coded(deeper, mode, depth - 1)
        else:
            spans = [(0, len(text), _RULE_WORD)]
        return [(*coded.back(start, stop), rule) for start, stop, rule in spans if start < stop]

    def _pieces(self, mode: Mode) -> lengthy.Pieces:
        needles = self.needles
        return lengthy.Pieces(
            lambda piece: self._clean(piece, mode),
            list(needles.joined),
            lambda word: word in needles.tokens or word in needles.short,
        )

    def _unproven(self, text: str, spans: list[_Found]) -> list[_Found]:
        tokens = tokenize(text)
        rows = (
            [(row.start, row.stop, _RULE_WORD) for row in veiled.unproven(text, _is_known)]
            if sum(token.stop - token.start == 1 for token in tokens) > _SPREAD
            else []
        )
        for start, stop, _rule in (*spans, *rows):
            at = bisect_right(tokens, start, key=_stop_of)
            while at < len(tokens) and tokens[at].start < stop:
                tokens[at].gone = True
                at += 1
        taken = [
            token
            for place, token in enumerate(tokens)
            if not token.gone
            and token.kind == vocabulary.UNKNOWN
            and not vocabulary.eponym_stays(token.word, _near(tokens, place))
            and not (numerals.ROMAN.fullmatch(token.word) and numerals.stays(text, tokens, place))
        ]
        for token in taken:
            token.gone = True
        out = rows + [(token.start, token.stop, _RULE_WORD) for token in taken]
        if any(token.gone for token in tokens):
            out += remnants.spans(text, tokens)
        out += people.spans(text, tokens)
        return out


def _is_known(word: str) -> bool:
    return vocabulary.listed(word) >= vocabulary.PLAIN


def _near(tokens: list[Token], place: int) -> list[str]:
    """Return the words up to five before and after a place."""
    around = [*tokens[max(place - _REACH, 0) : place], *tokens[place + 1 : place + 1 + _REACH]]
    return [token.word for token in around]


def tidy_term(text: str) -> str:
    """Return the form in which whole phrases are listed."""
    return " ".join(text.lower().split())


def _cut(text: str, spans: list[_Found]) -> str:
    pieces: list[str] = []
    at = 0
    for start, stop, _rule in sorted(spans):
        if start > at or not pieces:
            pieces += [text[at:start], tidy.CUT]
        elif stop > at:
            pieces.append(tidy.CUT)
        at = max(at, stop)
    pieces.append(text[at:])
    return tidy.join("".join(pieces))
