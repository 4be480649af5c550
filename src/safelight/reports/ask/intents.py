"""What a question wants: example questions, matched word by word with room for slips of the pen.

Nothing of a question ever gets into an answer: it only picks which facts are told. Guards come
first: what asks for a diagnosis, a treatment, an outlook or somebody else's data is known by single
words, whatever stands around them.
"""

import re
import tomllib
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Final

from rapidfuzz import fuzz, process
from rapidfuzz.distance import OSA

from safelight.deid.text import vocabulary
from safelight.readers.labs import analytes

__all__ = ["EXAMPLES", "Intent", "Match", "match", "ordinary", "tokens"]

Intent = str

_LONGEST: Final = 1000  # characters of a question that are looked at
_ALIKE: Final = 84  # per cent: two words are one, mistyped
_SLIP: Final = 0.75  # likeness from which a word is another one, mistyped
_SHORT: Final = 4  # letters; shorter words must be spelt right
_TELLING: Final = 0.7  # share of the words that tell in the score; the rest is all words
_SILENT: Final = 0.6  # where only one side has words that tell
_ENOUGH: Final = 0.52  # of a match: below, the question is not understood
_WORD: Final = re.compile(r"[^\W_]+")

# Guards that give way when the question is clearly about something else.
_SOFT: Final = frozenset({"fine", "diagnosis", "others"})
_CLEAR: Final = 0.9
_DATA: Final = tomllib.loads(
    resources.files(__package__).joinpath("data/questions.toml").read_text("utf-8")
)
EXAMPLES: Final[Mapping[Intent, tuple[str, ...]]] = {
    intent: tuple(several) for intent, several in _DATA["examples"].items()
}
_GUARDS: Final = tuple(
    (intent, frozenset(words.split())) for intent, words in _DATA["guards"].items()
)
_SMALL: Final = frozenset(_DATA["small"].split())
_OWN: Final = frozenset(_DATA["own"].split())
_WHOSE: Final = re.compile(r"([^\W\d_]+)['\u2019]s\b")
_NAMED: Final = re.compile(
    r"\b(?i:of|for|about|from|does|is|has|was)\s+(?:(?:[Mm](?:rs?|s|iss)|[Dd]r)\.?\s+)?"
    r"(?P<name>[^\W\d_a-z][^\W\d_]+(?:[\s-][^\W\d_a-z][^\W\d_]+){0,3})(?=\W*$|[?.!,;]|\s+[a-z])"
)
_SAME: Final = {word: one for one, several in _DATA["same"].items() for word in several.split()}


@dataclass(frozen=True, slots=True)
class Match:
    """What a question wants, and how sure that is (0 to 1); an empty intent is not understood."""

    intent: Intent
    score: float


def tokens(text: str) -> list[str]:
    """Return the words of a text, folded: no case, no accents, at most 1,000 characters of it."""
    plain = unicodedata.normalize("NFKD", text[:_LONGEST]).casefold()
    bare = "".join(char for char in plain if not unicodedata.combining(char))
    return [_SAME.get(word, word) for word in _WORD.findall(bare)]


def match(question: str) -> Match:
    """Return the intent of a question."""
    asked = tokens(question)
    best = _best(asked)
    for intent, marks in _GUARDS:
        if _mentions(asked, marks):
            if intent in _SOFT and best.score >= _CLEAR and best.intent != "findings":
                continue
            return Match(intent, 1.0)
    if _whose(question):
        return Match("others", 1.0)
    return best if best.score >= _ENOUGH else Match("", best.score)


def _whose(question: str) -> bool:
    """Tell whether something of somebody is asked for: ``Anna's``, ``potassium of Anna Roe``."""
    asked = question[:_LONGEST]
    said = [tokens(found[1]) for found in _WHOSE.finditer(asked)]
    if any(word not in _OWN for words in said for word in words):
        return True
    if asked.isupper() or asked.istitle():
        return False
    names = [found["name"] for found in _NAMED.finditer(asked)]
    return any(all(map(_is_name, _WORD.findall(name))) for name in names)


def _is_name(word: str) -> bool:
    """Tell whether a word with a capital is no abbreviation, no test and no other known word."""
    if not word.istitle():
        return False
    (folded,) = tokens(word)
    if folded in _OWN or folded in ordinary() or folded in _tests():
        return False
    return vocabulary.listed(folded) in {vocabulary.UNKNOWN, vocabulary.AMBIGUOUS}


@cache
def _tests() -> frozenset[str]:
    """Return the words of the names of lab tests."""
    return frozenset(
        word for each in analytes.table().values() for name in each.names for word in tokens(name)
    )


def _mentions(asked: list[str], marks: frozenset[str]) -> bool:
    return any(
        word in marks
        or (
            len(word) > _SHORT
            and word not in _known()
            and process.extractOne(word, marks, scorer=fuzz.ratio, score_cutoff=_ALIKE) is not None
        )
        for word in asked
    )


def ordinary() -> frozenset[str]:
    """Return the words that questions are made of: none of them names anything by itself."""
    return _known() | _SMALL


@cache
def _known() -> frozenset[str]:
    return frozenset(
        word for several in EXAMPLES.values() for each in several for word in tokens(each)
    )


@cache
def _examples() -> tuple[tuple[Intent, frozenset[str], frozenset[str]], ...]:
    return tuple(
        (intent, frozenset(tokens(each)), frozenset(tokens(each)) - _SMALL)
        for intent, several in EXAMPLES.items()
        for each in several
    )


@cache
def _weights() -> Mapping[str, float]:
    """Return how much a word tells: one over the number of intents whose examples have it."""
    seen: dict[str, set[Intent]] = {}
    for intent, _, content in _examples():
        for word in content:
            seen.setdefault(word, set()).add(intent)
    return {word: 1 / len(intents) for word, intents in seen.items()}


def _best(asked: list[str]) -> Match:
    """Return the intent whose example shares most of what tells with the question.

    Dice's coefficient over words weighed by how much they tell; a word of the question that no
    example has weighs as much as one that is an intent's alone.
    """
    weights = _weights()
    words = {_corrected(word) for word in asked}
    telling = words - _SMALL
    most = sum(weights.get(word, 1.0) for word in telling)
    best = Match("", 0.0)
    for intent, every, content in _examples():
        whole = 2 * len(words & every) / (len(words) + len(every)) if words else 0.0
        if telling and content:
            shared = sum(weights[word] for word in telling & content)
            told = 2 * shared / (most + sum(weights[word] for word in content))
            score = _TELLING * told + (1 - _TELLING) * whole
        else:
            score = whole if not telling and not content else _SILENT * whole
        if score > best.score:
            best = Match(intent, score)
    return best


@cache
def _spelt() -> frozenset[str]:
    return _known() | frozenset(_SAME)


def _corrected(word: str) -> str:
    """Return the known word that a word is a slip of (swapped letters count once); else itself."""
    if word in _known() or len(word) < _SHORT:
        return word
    found = process.extractOne(word, _spelt(), scorer=OSA.normalized_similarity, score_cutoff=_SLIP)
    return word if found is None else _SAME.get(str(found[0]), str(found[0]))
