"""Find which words of a document stay, when the text engine answers with a text and no places."""

import difflib
from collections import Counter
from collections.abc import Callable
from itertools import chain
from typing import Final, TypeVar

from safelight.deid.context import Context
from safelight.deid.text import Mode

__all__ = ["surviving"]

_COMPARED: Final = 2000  # words: beyond, a full comparison could take minutes
_MARKS: Final = ".,;:!?()[]\"'"
_NEUTRAL: Final = "blood"  # a word that every text may hold, shown in place of what is spared
T = TypeVar("T")


def surviving(
    lines: list[list[T]],
    text_of: Callable[[T], str],
    ctx: Context,
    *,
    spare: Callable[[list[list[str]]], set[tuple[int, int]]] | None = None,
) -> tuple[list[list[T]], list[str], str]:
    """Return the words that the engine leaves, by line; the rules that took others; the text left.

    What stays is cleaned again until the engine takes no more of it: the words that come out are
    harmless in the company in which they are shown.

    Args:
        lines: Words by line, in reading order; compared by identity, so each object stands once.
        text_of: Gives the text of a word: no blank in it.
        ctx: Whose values go.
        spare: Tells the places (line, word) of words that the engine need not judge, such as a line
            that is one laboratory result and nothing else. A line that holds a value of the
            person's is never spared.
    """
    rules: dict[str, None] = {}
    spared = _spared(lines, text_of, ctx, spare) if spare else frozenset()

    def judged(word: T) -> str:
        return _NEUTRAL if id(word) in spared else text_of(word)

    while True:
        text = _joined(lines, judged)
        cleaned = ctx.subject.cleaner.clean(text, Mode.NARRATIVE)
        rules |= dict.fromkeys(cleaned.rules)
        left = lines if cleaned.text == text else _matching(lines, judged, cleaned.text)
        if sum(map(len, left)) == sum(map(len, lines)):
            return lines, list(rules), _joined(lines, text_of)
        lines = left


def _joined(lines: list[list[T]], text_of: Callable[[T], str]) -> str:
    return "\n".join(" ".join(map(text_of, line)) for line in lines)


def _spared(
    lines: list[list[T]],
    text_of: Callable[[T], str],
    ctx: Context,
    spare: Callable[[list[list[str]]], set[tuple[int, int]]],
) -> frozenset[int]:
    """Return the words that are spared, but for lines in which a value of the person stands."""
    texts = [list(map(text_of, line)) for line in lines]
    wanted = spare(texts)
    if not wanted:
        return frozenset()
    spans = list(ctx.subject.needles.spans("\n".join(map(" ".join, texts))))
    held: set[int] = set()
    at = 0
    for number, line in enumerate(texts):
        stop = at + len(" ".join(line))
        if any(span.start < stop and at < span.stop for span in spans):
            held.add(number)
        at = stop + 1
    return frozenset(id(lines[row][place]) for row, place in wanted if row not in held)


def _matching(lines: list[list[T]], text_of: Callable[[T], str], cleaned: str) -> list[list[T]]:
    """Return the words whose text still stands in the cleaned text, in the same order."""
    after = [line.split() for line in cleaned.split("\n")]
    if len(after) == len(lines):
        return [_common(line, text_of, words) for line, words in zip(lines, after, strict=True)]
    flat = _common(list(chain.from_iterable(lines)), text_of, list(chain.from_iterable(after)))
    kept = set(map(id, flat))  # lines were joined or lost: the text was compared as a whole
    return [[word for word in line if id(word) in kept] for line in lines]


def _common(line: list[T], text_of: Callable[[T], str], words: list[str]) -> list[T]:
    texts, after = [_core(text_of(word)) for word in line], [_core(word) for word in words]
    if texts == after:
        return line
    if len(texts) > _COMPARED:
        return _in_order(line, texts, after)
    same = difflib.SequenceMatcher(None, texts, after, autojunk=False).get_matching_blocks()
    return [word for block in same for word in line[block.a : block.a + block.size]]


def _in_order(line: list[T], texts: list[str], after: list[str]) -> list[T]:
    """Find the words that stay in one pass: less thorough than a comparison, linear in time."""
    to_come, at, kept = Counter(texts), 0, []
    for word, text in zip(line, texts, strict=True):
        while at < len(after) and not to_come[after[at]]:
            at += 1  # the engine made this one: it stands nowhere further on
        if at < len(after) and after[at] == text:
            kept.append(word)
            at += 1
        to_come[text] -= 1
    return kept


def _core(word: str) -> str:
    """Return the word without the marks around it, which a cut beside it moves or closes."""
    return word.strip(_MARKS) or word
