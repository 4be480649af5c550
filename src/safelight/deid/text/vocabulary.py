"""The words that may stay: loaded once, from a list made by ``scripts/make_vocabulary.py``.

Four classes of words, one section each in ``data/vocabulary.gz``:

- strong: medical, technical and protocol words; they stop a run of names (``Dr. Roe CT``);
- plain: common words that are no one's name as far as the sources know;
- ambiguous: words that are also names but that reports cannot do without (``white``, ``may``);
- terms: whole phrases that hold an eponym (``Ross procedure``), and CJK terms.
"""

import gzip
from functools import lru_cache
from importlib import resources
from typing import Final

from safelight.deid.text.fold import fold, segments

__all__ = ["AMBIGUOUS", "PLAIN", "STRONG", "UNKNOWN", "cjk_unknown", "kind", "listed", "terms"]

UNKNOWN: Final = 0
AMBIGUOUS: Final = 1
PLAIN: Final = 2
STRONG: Final = 3

# Letters that may be glued to four digits; with other letters such a run looks like a record no.
_FOUR_DIGIT_LETTERS: Final = frozenset(
    "b bv t te ti tr td t1 t2 e f v x s hz hu ms mm um kv ma w c l ww wl wc cm s k d n y".split()
)
_SHORT_GLUED: Final = 2
_LONGEST_NUMBER: Final = 4
_MIN_CAMEL: Final = 3
_MIN_JOINED: Final = 4
_MANY_SEGMENTS: Final = 4


@lru_cache(maxsize=1)
def _load() -> tuple[dict[str, int], frozenset[str], frozenset[str]]:
    data = resources.files("safelight.deid.text").joinpath("data/vocabulary.gz").read_bytes()
    strong, plain, ambiguous, phrases, cjk = gzip.decompress(data).decode().split("\n\n")
    words = dict.fromkeys(plain.split("\n"), PLAIN)
    words.update(dict.fromkeys(strong.split("\n"), STRONG))
    words.update(dict.fromkeys(ambiguous.split("\n"), AMBIGUOUS))
    return words, frozenset(phrases.split("\n")), frozenset(cjk.strip().split("\n"))


def listed(folded: str) -> int:
    """Return the class of one folded word, as listed; no morphology, no splitting."""
    return _load()[0].get(folded, UNKNOWN)


def terms() -> frozenset[str]:
    """Return the folded phrases that may stay whole though a word in them is a name."""
    return _load()[1]


@lru_cache(maxsize=1 << 16)
def kind(run: str) -> int:
    """Return the class of a run of letters and digits as it stands in the text.

    ``UNKNOWN`` means that the run must go. Runs that mix letters and digits are judged part by
    part; unseen words may stay by medical suffix or as a join of two known words.
    """
    folded = fold(run)
    found = listed(folded)
    if found:
        return found
    if "'" in folded:
        return _possessive(folded)
    parts = segments(folded)
    if len(parts) > 1:
        return _mixed(parts)
    if not parts:
        return UNKNOWN
    if folded.isdecimal():
        return PLAIN if len(folded) <= _LONGEST_NUMBER else UNKNOWN
    if len(folded) == 1:
        return PLAIN if folded.isascii() else UNKNOWN
    return _camel(run) or _derived(folded)


def _possessive(folded: str) -> int:
    stem, _, tail = folded.partition("'")
    if tail in {"s", "t", "re", "ll", "ve", "d"} or stem in {"l", "d", "o"}:
        return min(kind(stem), kind(tail)) if len(tail) > _SHORT_GLUED else kind(stem)
    return UNKNOWN


def _mixed(parts: list[str]) -> int:
    digits = sum(len(part) for part in parts if part.isdecimal())
    if digits > _LONGEST_NUMBER:
        return UNKNOWN
    words = [part for part in parts if not part.isdecimal()]
    known = [word for word in words if listed(word)]
    if any(len(word) > _SHORT_GLUED and not listed(word) for word in words):
        return UNKNOWN
    if digits == _LONGEST_NUMBER:
        allowed = all(word in known or word in _FOUR_DIGIT_LETTERS for word in words)
        if not allowed or len(parts) >= _MANY_SEGMENTS:
            return UNKNOWN
    if not all(word.isascii() or listed(word) for word in words):
        return UNKNOWN
    return min((listed(word) or STRONG for word in words), default=STRONG)


def _camel(run: str) -> int:
    """Judge ``HeadNeck``: all parts known, none of them also a name."""
    if run.isupper() or run.islower() or not run.isascii():
        return UNKNOWN
    parts: list[str] = []
    for place, char in enumerate(run):
        starts = char.isupper() and (
            not run[place - 1].isupper() or (place + 1 < len(run) and run[place + 1].islower())
        )
        if starts or not parts:
            parts.append(char)
        else:
            parts[-1] += char
    if len(parts) == 1 or any(len(part) < _MIN_CAMEL for part in parts):
        return UNKNOWN
    kinds = [listed(part.lower()) for part in parts]
    return min(kinds) if min(kinds) > AMBIGUOUS else UNKNOWN


def _derived(folded: str) -> int:
    """Judge an unseen word by its build: two strong words joined (``BONEPLUS``)."""
    for cut in range(_MIN_JOINED, len(folded) - _MIN_JOINED + 1):
        if listed(folded[:cut]) == STRONG and listed(folded[cut:]) == STRONG:
            return STRONG
    return UNKNOWN


def cjk_unknown(run: str) -> list[tuple[int, int]]:
    """Return the unknown stretches of a run of Chinese or Japanese, as (start, stop)."""
    known = _load()[2]
    return [] if run in known else [(0, len(run))]
