"""The subject's own values, compiled once a person and looked up in every text."""

# ruff: noqa: RUF001 - letters and signs of other scripts are what this module is about

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, NamedTuple

from safelight.deid.text import vocabulary
from safelight.deid.text.fold import fold, runs, segments, squash, squash_map, words
from safelight.deid.text.grams import Grams
from safelight.deid.text.identity import Identity
from safelight.deid.text.raw import raw_patterns
from safelight.deid.text.transliterate import spellings

__all__ = ["Needles", "Span"]

NAME: Final = "name of the subject"
PERSON: Final = "name of a person"
NUMBER: Final = "identifier of the subject"
PLACE: Final = "address or institution"
CONTACT: Final = "contact of the subject"

_CJK: Final = re.compile("[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\uff66-\uff9f\uac00-\ud7a3]")
_GAP: Final = re.compile(r"[\s,.^=_/'’\-]{0,3}")
_CAMEL: Final = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+|[^\W\d_A-Za-z]+")
_PLACEHOLDERS: Final = words(
    """anonymous anonymized anonymised anonymize anon unknown unnamed none noname patient test
    phantom male female nil null mr mrs ms dr prof md phd jr sr ii iii iv"""
)
#: Parts of names that are function words: they go beside another part of the name.
_PARTICLES: Final = words("the of and von van der den de del la le di da dos das el al bin ibn und")
_SIDES: Final = frozenset("lrwct")
_SHORT: Final = 2
_MIN_ID: Final = 3
_MIN_SQUASH: Final = 6
_MIN_GLUED: Final = 4
_PHONE: Final = 7
_MIN_PHRASE: Final = 10
_SMALL: Final = 4096


class Span(NamedTuple):
    """A stretch of text that must go: half-open character range and the rule that says so."""

    start: int
    stop: int
    rule: str


@dataclass(frozen=True, slots=True, repr=False)
class Needles:
    """One person's values in the form that texts are searched with.

    Attributes:
        tokens: Folded whole words, each with its rule.
        short: Initials and name parts of one or two letters: they go beside a name part only.
        joined: Squashed values (letters and digits only) of at least 6 characters, with rule.
        numbers: Digit-only forms of phone numbers, at least 7 digits.
        glued: Name parts of at least 4 letters that go when glued into an unknown word.
        raw: Byte patterns, lower case where ASCII, for a caseless sweep over whole files.
    """

    tokens: dict[str, str]
    short: frozenset[str]
    joined: tuple[tuple[str, str], ...]
    numbers: tuple[str, ...]
    glued: tuple[str, ...]
    raw: tuple[bytes, ...]
    joined_grams: Grams
    glued_grams: Grams

    @classmethod
    def compile(cls, identity: Identity) -> "Needles":
        """Compile a person's values; about 1 ms for 50 values."""
        build = _Builder()
        for name in sorted(identity.names):
            build.name(name, NAME)
        for name in sorted(identity.people):
            build.name(name, PERSON)
        for value in sorted(identity.ids):
            build.identifier(value)
        for value in sorted(identity.dates):
            build.date(value)
        for value in sorted(identity.phrases):
            build.phrase(value)
        for value in sorted(identity.contacts):
            build.contact(value)
        return cls(
            tokens=build.tokens,
            short=frozenset(build.short),
            joined=tuple(sorted(build.joined.items(), key=lambda item: -len(item[0]))),
            numbers=tuple(sorted(build.numbers)),
            glued=tuple(sorted(build.glued)),
            raw=raw_patterns(identity, build.names),
            joined_grams=Grams(build.joined),
            glued_grams=Grams(build.glued),
        )

    def spans(self, text: str) -> list[Span]:
        """Return where the person's values stand in ``text``, sorted, perhaps overlapping."""
        found = self._words(text)
        if self.joined and self.joined_grams.within(squash(text)):
            found += self._joined(text)
        if self.numbers:
            found += self._numbers(text)
        found.sort()
        return found

    def names(self, counter: str) -> bool:
        """Return whether a counter such as ``IM0012`` is one of the person's values or holds one.

        The same answer as ``spans`` for such a text, at a fraction of the cost.
        """
        word = counter.lower()
        digits = "".join(char for char in word if char.isdecimal())
        parts = (word, digits, digits.lstrip("0"), *_CAMEL.findall(word))
        return any(part in self.tokens for part in parts) or self.joined_grams.within(squash(word))

    def matches_binary(self, data: bytes) -> bool:
        """Return whether a binary value holds anything of the person's; above 4 KiB raw only."""
        low = data.lower()
        if any(pattern in low or pattern in data for pattern in self.raw):
            return True
        if len(data) > _SMALL:
            return False
        return any(
            self.spans("".join(char if char.isprintable() else " " for char in text))
            for text in (
                data.decode("utf-8", "replace"),
                data.decode("utf-16-le", "replace"),
                data.decode("utf-16-be", "replace"),
            )
        )

    def __repr__(self) -> str:
        return f"Needles(<{len(self.tokens)} words, {len(self.joined)} values>)"

    def _words(self, text: str) -> list[Span]:
        found = [(m.start(), m.end(), fold(m.group())) for m in runs(text)]
        rules: dict[int, str] = {}
        tokens = self.tokens
        for place, (start, stop, word) in enumerate(found):
            rule = tokens.get(word) or self._parts(text[start:stop], word)
            if rule:
                rules[place] = rule
        if self.short:
            self._neighbours(text, found, rules)
        return [Span(found[place][0], found[place][1], rule) for place, rule in rules.items()]

    def _parts(self, run: str, word: str) -> str:
        """Return the rule for a run whose inside is the person's: glued, camel case, possessive."""
        if word.isalpha() and (run.islower() or run.isupper()) and len(word) <= _MIN_GLUED:
            return ""
        if not vocabulary.kind(run) and self.glued_grams.within(word):
            return NAME
        if not word.isascii():
            return ""
        if word.isalpha() and (run.islower() or run.isupper() or run.istitle()):
            return ""
        if vocabulary.listed(word):
            return ""
        pieces = [*(piece.lower() for piece in _CAMEL.findall(run)), *segments(word)]
        return next((self.tokens[piece] for piece in pieces if piece in self.tokens), "")

    def _neighbours(
        self, text: str, words: list[tuple[int, int, str]], rules: dict[int, str]
    ) -> None:
        """Take initials and short name parts beside a name; two short parts make a name too."""
        names = {p for p, rule in rules.items() if rule in {NAME, PERSON}}
        for place, (_start, stop, word) in enumerate(words[:-1]):
            after = words[place + 1]
            if word in self.short and after[2] in self.short and word != after[2]:
                whole = len(word) == _SHORT or len(after[2]) == _SHORT
                if whole and _GAP.fullmatch(text, stop, after[0]):
                    names |= {place, place + 1}
                    rules[place] = rules[place + 1] = NAME
        queue = list(names)
        while queue:
            place = queue.pop()
            for other in (place - 1, place + 1):
                if not 0 <= other < len(words) or other in rules:
                    continue
                left, right = sorted((place, other))
                gap = text[words[left][1] : words[right][0]]
                if words[other][2] in self.short and _GAP.fullmatch(gap):
                    stop = words[other][1]
                    if words[other][2] in _SIDES and gap == " " and text[stop : stop + 1] != ".":
                        continue  # laterality, contrast: left to stand beside a name
                    rules[other] = NAME
                    queue.append(other)

    def _joined(self, text: str) -> list[Span]:
        flat, places = squash_map(text)
        found = []
        rules = dict(self.joined)
        for at, value in self.joined_grams.find(flat):
            start, stop = places[at], places[at + len(value) - 1] + 1
            starts = start == 0 or not text[start - 1].isalnum()
            stops = stop == len(text) or not text[stop].isalnum()
            if starts or stops or any(char.isdecimal() for char in value):
                found.append(_whole(text, start, stop, rules[value]))
        return found

    def _numbers(self, text: str) -> list[Span]:
        digits = [(place, char) for place, char in enumerate(text) if char.isdecimal()]
        if len(digits) < _PHONE:
            return []
        flat = "".join(char for _place, char in digits)
        found = []
        for number in self.numbers:
            at = flat.find(number)
            if at >= 0:
                start, stop = digits[at][0], digits[at + len(number) - 1][0] + 1
                if not re.search(r"[^\W\d_]{3}", text[start:stop]):
                    found.append(_whole(text, start, stop, CONTACT))
        return found


def _whole(text: str, start: int, stop: int, rule: str) -> Span:
    """Widen a span to the whole runs that it touches."""
    while start > 0 and text[start - 1].isalnum():
        start -= 1
    while stop < len(text) and text[stop].isalnum():
        stop += 1
    return Span(start, stop, rule)


class _Builder:
    """Collects the forms of every value."""

    def __init__(self) -> None:
        self.tokens: dict[str, str] = {}
        self.short: set[str] = set()
        self.joined: dict[str, str] = {}
        self.numbers: set[str] = set()
        self.glued: set[str] = set()
        self.names: list[list[str]] = []

    def name(self, value: str, rule: str) -> None:
        for group in value.split("="):
            parts = [m.group() for m in runs(group)]
            parts = [part for part in parts if fold(part) not in _PLACEHOLDERS]
            if not parts:
                continue
            self.names.append(parts)
            forms = [sorted(spellings(part)) for part in parts]
            for options in forms:
                for form in options:
                    self._part(form, rule)
            self._orders([options[0] for options in forms], rule)
            self._orders([fold(part) for part in parts], rule)

    def _part(self, form: str, rule: str) -> None:
        if _CJK.search(form):
            if len(form) >= _SHORT:
                self.joined.setdefault(form, rule)
            else:
                self.short.add(form)
            return
        if rule == PERSON and vocabulary.listed(form) == vocabulary.STRONG:
            return  # an operator called "CT TECH" must not empty every description
        self.short.add(form[0])
        if len(form) <= _SHORT or form in _PARTICLES:
            self.short.add(form)
            return
        self.tokens.setdefault(form, rule)
        if len(form) >= _MIN_GLUED:
            self.glued.add(form)

    def _orders(self, parts: list[str], rule: str) -> None:
        """Add the glued full names: ``roejane``, ``janeroe``, ``jroe``, ``roej``."""
        if len(parts) < 2:  # noqa: PLR2004 - one part has no order
            return
        first, second = parts[0], parts[1]
        joins = {first + second, second + first, "".join(parts), "".join(reversed(parts))}
        joins |= {second[0] + first, first + second[0]}
        for join in joins:
            enough = _SHORT if _CJK.search(join) else _MIN_SQUASH
            if len(join) >= enough and not vocabulary.listed(join):
                self.joined.setdefault(join, rule)

    def identifier(self, value: str) -> None:
        flat = squash(value)
        if len(flat) < _MIN_ID or flat in _PLACEHOLDERS:
            return
        if flat.isalpha() and vocabulary.kind(value.strip()):
            return  # an ID that is an ordinary word cannot be told from the word
        forms = {flat, flat.lstrip("0")}
        digits = "".join(char for char in flat if char.isdecimal())
        if len(digits) >= _MIN_SQUASH - 1:
            forms |= {digits, digits.lstrip("0")}
        for form in forms:
            if len(form) >= _MIN_SQUASH:
                self.joined.setdefault(form, NUMBER)
            if len(form) > _MIN_ID or (len(form) == _MIN_ID and not form.isdecimal()):
                self.tokens.setdefault(form, NUMBER)

    def date(self, value: str) -> None:
        digits = "".join(char for char in value if char.isdecimal())[:8]
        if len(digits) != 8:  # noqa: PLR2004 - YYYYMMDD
            return
        year, month, day = digits[:4], digits[4:6], digits[6:]
        forms = {digits, day + month + year, month + day + year}
        forms |= {form[2:] for form in (digits,)} | {day + month + year[2:], month + day + year[2:]}
        for form in forms:
            self.tokens.setdefault(form, "date")

    def phrase(self, value: str) -> None:
        words = [m.group() for m in runs(value)]
        unknown = [word for word in words if not vocabulary.kind(word)]
        for word in unknown:
            folded = fold(word)
            if len(folded) > _SHORT:
                self.tokens.setdefault(folded, PLACE)
        flat = squash(value)
        enough = _MIN_SQUASH if unknown else _MIN_PHRASE
        if len(flat) >= enough and (unknown or len(words) > 1):
            self.joined.setdefault(flat, PLACE)
        if len(words) == 1 and len(flat) >= _MIN_ID and not flat.isalpha() and not flat.isdecimal():
            self.tokens.setdefault(flat, PLACE)

    def contact(self, value: str) -> None:
        digits = "".join(char for char in value if char.isdecimal())
        if len(digits) >= _PHONE and "@" not in value:
            self.numbers |= set(_national(digits))
            return
        flat = squash(value)
        if len(flat) >= _MIN_SQUASH:
            self.joined.setdefault(flat, CONTACT)
        local = value.partition("@")[0] if "@" in value else ""
        for match in runs(local):
            word = fold(match.group())
            if len(word) > _SHORT and not vocabulary.listed(word):
                self.tokens.setdefault(word, CONTACT)


def _national(digits: str) -> Iterable[str]:
    """Yield the number as given, and its tail without country code or trunk zero."""
    yield digits
    bare = digits.lstrip("0")
    if len(bare) >= _PHONE:
        yield bare
    longest = 10
    if len(bare) > longest:
        yield bare[-longest:]
    if len(bare) > longest - 1:
        yield bare[-(longest - 1) :]
