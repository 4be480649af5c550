"""Lines of lab results: which words of a page are the name of a test, a number, a unit, a range.

The text engine blanks ``3.5-5.1`` (it looks like a chain of numbers) and names of tests that are
not in its vocabulary. A line is spared from that only if the whole of it is one result and nothing
else: a known name, one number, a known unit or a range, a mark. A date, a phone number or an
identifier has no place in such a line; a value of the person's own is never spared.

The names are data, made from the lab reader's own tables by ``scripts/make_lab_words.py``.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from functools import cache
from importlib import resources
from typing import Final

__all__ = ["fold_name", "fold_unit", "spared"]

_NUMBER: Final = r"(?:0|[1-9]\d{0,5})(?:[.,]\d{1,4})?"
_BOUND: Final = r"(?:<=|>=|=<|=>|<|>|\u2264|\u2265)"
_DASHES: Final = "-\u2010\u2011\u2013\u2014\u2212~"
_RANGE: Final = re.compile(rf"[(\[]?({_NUMBER})\s?[{_DASHES}]\s?({_NUMBER})[)\]]?")
_VALUE: Final = re.compile(_NUMBER)
_LIMIT: Final = re.compile(rf"[(\[]?{_BOUND}\s?{_NUMBER}[)\]]?")
_MARK: Final = re.compile(
    r"[(\[]?(?:\*{1,2}[LH]?|[LH]\*|LL|HH|AA|[LHAN]|\++|!{1,2}|\u2191+|\u2193+)[)\]]?"
)
_MARKED: Final = re.compile(rf"({_NUMBER})(?:\*{{1,2}}|[LH+!\u2191\u2193]{{1,2}})")
_WORDS_OF_NAME: Final = 9
_WORDS_OF_UNIT: Final = 3
_WORDS_OF_HEAD: Final = 4
_PHONE: Final = re.compile(r"\d{3}\D\d{4}")  # a local number in North America; no range is worth it
_UPSIDE_DOWN: Final = 3
_YEARS: Final = range(1880, 2101)
_END: Final = ":.\u2026\u00b7 "
_MICRO: Final = re.compile("\u03bc|\u00b5")
_SUPERSCRIPTS: Final = "\u2070\u00b9\u00b2\u00b3\u2074\u2075\u2076\u2077\u2078\u2079"
_DIGITS: Final = str.maketrans(_SUPERSCRIPTS, "0123456789")
_POWER: Final = re.compile(f"10([{_SUPERSCRIPTS}]+)")


def fold_name(text: str) -> str:
    """Return a name without case, accents and punctuation, words parted by single blanks."""
    plain = unicodedata.normalize("NFKD", text.lower().replace("\u00df", "ss"))
    plain = "".join(char for char in plain if not unicodedata.combining(char))
    return " ".join(re.findall(r"[a-z0-9+]+", plain.replace("\u03b3", "gamma")))


def fold_unit(text: str) -> str:
    """Return a unit in one spelling: no case, no blanks, ``u`` for micro, ``*`` before a power."""
    plain = unicodedata.normalize("NFC", text).strip()
    plain = _POWER.sub(lambda found: "10*" + found.group(1).translate(_DIGITS), plain)
    plain = _MICRO.sub("u", "".join(plain.translate(_DIGITS).lower().split()))
    plain = re.sub("^[x\u00d7](?=10)", "", plain)
    return re.sub(r"(?<=\d)(?:\^|\*\*|\*\^)(?=\d)", "*", plain)


@cache
def _words() -> dict[str, frozenset[str]]:
    text = resources.files(__package__).joinpath("data/lab_words.tsv").read_text("utf-8")
    found: dict[str, set[str]] = {}
    for line in text.splitlines():
        if line and not line.startswith("#"):
            kind, word = line.split("\t")
            found.setdefault(kind, set()).add(word)
    return {kind: frozenset(words) for kind, words in found.items()}


def spared(lines: Sequence[Sequence[str]]) -> set[tuple[int, int]]:
    """Return the places (line, word) of words that are results of a laboratory, or their headings.

    Args:
        lines: Words by line, in reading order; no word has a blank in it.
    """
    return {
        (at, place)
        for at, line in enumerate(lines)
        if _is_result(line) or _is_heading(line) or _is_specimen(line)
        for place in range(len(line))
    }


def _is_result(line: Sequence[str]) -> bool:
    """Tell whether a line is the name of a test and one result, and nothing else."""
    return any(_is_rest(line[count:]) for count in _names(line))


def _names(line: Sequence[str]) -> Iterator[int]:
    """Yield how many words from the left may name a test, most first."""
    known = _words()
    for count in range(min(len(line) - 1, _WORDS_OF_NAME), 0, -1):
        words = line[:count]
        if not all(any(char.isalnum() for char in word) for word in words):
            continue
        if re.search(r"[<>=\u2264\u2265\u2191\u2193*@\\]", "".join(words)):
            continue
        folded = fold_name(" ".join(words).rstrip(_END)).split()
        while folded:
            if " ".join(folded) in known["name"]:
                yield count
                break
            if folded[0] in {"s", "p", "b"} and " ".join(folded[1:]) in known["name"]:
                yield count
                break
            if len(folded) == 1 or folded[-1] not in known["blood"]:
                break
            folded.pop()


def _is_rest(rest: Sequence[str]) -> bool:
    """Tell whether words are one number with a unit, a range or a limit, and at most a mark."""
    seen = {"number": 0, "limit": 0, "range": 0, "unit": 0, "mark": 0}
    units: set[str] = set()
    at = 0
    while at < len(rest):
        kind, size = _piece(rest, at)
        if not kind:
            return False
        for each in kind.split():
            seen[each] += 1
        if kind == "unit":
            units.add(fold_unit("".join(rest[at : at + size])))
        at += size
    # "< 5" is the result itself where no other number is
    results = seen["number"] or min(seen["limit"], 1)
    against = seen["number"] + seen["limit"] + seen["range"] - results
    return (
        results == 1
        and against <= 1
        and against + len(units) >= 1
        and seen["mark"] <= 1
        and len(units) <= 1
    )


def _piece(rest: Sequence[str], at: int) -> tuple[str, int]:
    """Return what stands at a place, and how many words it takes; nothing when it is unknown."""
    for size in range(min(_WORDS_OF_UNIT, len(rest) - at), 0, -1):
        run = rest[at : at + size]
        together = "".join(run)
        if _LIMIT.fullmatch(together):
            return "limit", size
        if _is_range(together):
            return "range", size
        folded = fold_unit(together)
        letters = any(char.isalpha() or char == "%" for char in together)
        if letters and folded in _words()["unit"]:
            return "unit", size
    word = rest[at]
    if _VALUE.fullmatch(word):
        return "number", 1
    if _MARK.fullmatch(word):
        return "mark", 1
    if _MARKED.fullmatch(word):
        return "number mark", 1
    return "", 0


def _is_range(text: str) -> bool:
    """Tell whether a text is a range, and neither years nor a phone number.

    A range printed upside down is one too, where its bounds are near: the lab reader tells it.
    """
    found = _RANGE.fullmatch(text)
    if found is None:
        return False
    low, high = (float(each.replace(",", ".")) for each in found.groups())
    years = all(each.isdigit() and int(each) in _YEARS for each in found.groups())
    near = low < high or low <= _UPSIDE_DOWN * high
    return low != high and near and not years and _PHONE.fullmatch(text) is None


def _is_heading(line: Sequence[str]) -> bool:
    """Tell whether a line is made of headings of columns alone, two of them at least."""
    at = found = 0
    while at < len(line):
        for size in range(min(_WORDS_OF_HEAD, len(line) - at), 0, -1):
            if fold_name(" ".join(line[at : at + size])) in _words()["head"]:
                at += size
                found += 1
                break
        else:
            return False
    return found > 1


def _is_specimen(line: Sequence[str]) -> bool:
    """Tell whether a line is one word that says what was measured in."""
    return len(line) == 1 and fold_name(line[0]) in _words()["specimen"]
