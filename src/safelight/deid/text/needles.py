"""The subject's own values, compiled once a person and looked up in every text."""

# ruff: noqa: RUF001 - letters and signs of other scripts are what this module is about

import re
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from safelight.deid.text import initials, veiled, vocabulary
from safelight.deid.text.builder import (
    CONTACT,
    JOINED,
    MIN_GLUED,
    NAME,
    NUMBER,
    PERSON,
    SHORT,
    Builder,
)
from safelight.deid.text.dates import Dates
from safelight.deid.text.fold import digits, fold, runs, segments, squash, squash_map
from safelight.deid.text.grams import Grams
from safelight.deid.text.identity import Identity
from safelight.deid.text.raw import raw_patterns

__all__ = ["Needles", "Span"]

_DATE: Final = "date of the subject"
_GAP: Final = re.compile(r"[\s,.^=_/'’\-]{0,3}")
_CAMEL: Final = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+|[^\W\d_A-Za-z]+")
_SIDES: Final = frozenset("lrwct")
_LABEL_GAP: Final = 3
_APART: Final = 5  # letters and digits that may stand apart by any sign
_SIGNED: Final = re.compile(r"(?:[^\W_]*[^\W\d_][^\W_]*|[^\W_]+(?:[-_/][^\W_]+)+)")
_SCRIPTS: Final = re.compile(r"[a-z]+|[^\W\d_a-z]+|\d+")
_ASCII: Final = re.compile(r"[a-z]")
_SEVEN: Final = re.compile(r"\d(?:\D*\d){6}")
_SINGLE: Final = re.compile(r"[\W_][^\W\d_][\W_]")
_ROW: Final = 4
_SMALL: Final = 4096
_REMEMBERED: Final = 10_000
_LONG_RUN: Final = 64
_SPELT: Final = 3
_DEPTH: Final = 3


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
        joined: Squashed values (letters and digits only), with rule. Those in ASCII of fewer than
            6 characters count only where they begin and end with a run.
        numbers: Digit-only forms of phone numbers, at least 7 digits.
        glued: Name parts of at least 4 letters that go when glued into an unknown word.
        labelled: Numbers of IDs too short to go everywhere: alone, or beside a word for an ID.
        dates: Dates of the person's, to be found with any signs between their parts.
        raw: Byte patterns, lower case where ASCII, for a caseless sweep over whole files.
        days: The same dates, eight digits each.
        initials: Of the subject, in the usual orders: they go beside the year of a date, or dotted.
        brief: Parts of the subject's name of two letters: they go as ``Ng``, or after a title.
    """

    tokens: dict[str, str]
    short: frozenset[str]
    joined: dict[str, str]
    numbers: tuple[str, ...]
    glued: frozenset[str]
    labelled: frozenset[str]
    dates: Dates
    raw: tuple[bytes, ...]
    joined_grams: Grams
    glued_grams: Grams
    days: frozenset[str] = frozenset()
    initials: frozenset[str] = frozenset()
    brief: frozenset[str] = frozenset()
    known: dict[str, tuple[str, str]] = field(default_factory=dict)

    @classmethod
    def compile(cls, identity: Identity) -> "Needles":
        """Compile a person's values; about 1 ms for 50 values."""
        build = Builder()
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
            joined=build.joined,
            numbers=tuple(sorted(build.numbers)),
            glued=frozenset(build.glued),
            labelled=frozenset(build.labelled),
            dates=Dates(build.dates),
            raw=raw_patterns(identity, build.names),
            joined_grams=Grams(build.joined),
            glued_grams=Grams(build.glued),
            days=frozenset(build.dates),
            initials=frozenset(build.initials),
            brief=frozenset(build.brief),
        )

    def spans(self, text: str) -> list[Span]:
        """Return where the person's values stand in ``text``, sorted, perhaps overlapping.

        Names spelt letter by letter and values in percent or entity codes are found too.
        """
        found = self._plain(text)
        if len(text) > _ROW and _SINGLE.search(text):
            found += self._spelt(text)
        coded = veiled.bare(text)
        if coded is not None:
            found += self._decoded(coded)
        found.sort()
        return found

    def _decoded(self, coded: veiled.Bare) -> list[Span]:
        """Return the places of values that stand in codes, and in codes of codes."""
        found: list[Span] = []
        for _ in range(_DEPTH):
            for span in (*self._plain(coded.text), *self._spelt(coded.text)):
                start, stop = coded.back(span.start, span.stop)
                found.append(Span(start, stop, span.rule))
            deeper = veiled.bare(coded.text)
            if deeper is None:
                break
            coded = veiled.Bare(
                deeper.text,
                [coded.starts[start] for start in deeper.starts],
                [coded.stops[stop - 1] for stop in deeper.stops],
            )
        return found

    def holds(self, run: str) -> bool:
        """Tell whether a run is one of the person's values, or holds one.

        The same answer as ``spans``, at a fraction of the cost for ASCII letters and digits.
        """
        if not (run.isascii() and run.isalnum()) or "u0" in run:
            return bool(self.spans(run))
        word = run.lower()
        if word in self.labelled or self.tokens.get(word) or self._parts(run, word):
            return True
        if self.joined and self.joined_grams.within(word) and self._joined(run):
            return True
        return bool((self.numbers and self._numbers(run)) or self.dates.find(word))

    def names(self, counter: str) -> bool:
        """Return whether a counter such as ``IM0012`` is one of the person's values or holds one.

        The same answer as ``spans`` for such a text, at a fraction of the cost.
        """
        word = fold(counter)
        number = "".join(filter(str.isdecimal, word))
        parts = (word, number, number.lstrip("0"), *_CAMEL.findall(word))
        return (
            not self.tokens.keys().isdisjoint(parts)
            or not self.labelled.isdisjoint(parts)
            or self.joined_grams.within(squash(word))
            or bool(self.dates.find(word))
        )

    def matches_binary(self, data: bytes) -> bool:
        """Return whether a binary value holds anything of the person's; above 4 KiB raw only."""
        low = data.lower()
        if any(pattern in low or pattern in data for pattern in self.raw):
            return True
        if len(data) > _SMALL:
            return False
        return any(
            self._plain("".join(char if char.isprintable() else " " for char in text))
            for text in (
                data.decode("utf-8", "replace"),
                data.decode("utf-16-le", "replace"),
                data.decode("utf-16-be", "replace"),
            )
        )

    def __repr__(self) -> str:
        return f"Needles(<{len(self.tokens)} words, {len(self.joined)} values>)"

    def _plain(self, text: str) -> list[Span]:
        found = self._words(text)
        if self.joined and self.joined_grams.within(squash(text)):
            found += self._joined(text)
        if self.numbers:
            found += self._numbers(text)
        if self.initials:
            found += [Span(*each, NAME) for each in initials.find(text, self.initials, self.days)]
        for start, stop in self.dates.find(text):
            found.append(_whole(text, start, stop, _DATE))
        return found

    def _words(self, text: str) -> list[Span]:
        known = self.known
        found = []
        rules: dict[int, str] = {}
        for place, match in enumerate(runs(text)):
            run = match.group()
            pair = known.get(run)
            if pair is None:
                word = fold(run)
                pair = word, self.tokens.get(word) or self._parts(run, word)
                if len(run) <= _LONG_RUN:
                    if len(known) >= _REMEMBERED:
                        known.clear()
                    known[run] = pair
            if pair[1]:
                rules[place] = pair[1]
            found.append((match.start(), match.end(), pair[0]))
        if self.labelled:
            self._numbered(text, found, rules)
        for place, (start, stop, word) in enumerate(found) if self.brief else ():
            before = found[place - 1][2] if place else ""
            if word.removesuffix("'s") in self.brief and initials.is_name(
                text[start:stop], text[stop : stop + 2], before
            ):
                rules[place] = NAME
        if self.short:
            self._neighbours(text, found, rules)
        return [Span(found[place][0], found[place][1], rule) for place, rule in rules.items()]

    def _parts(self, run: str, word: str) -> str:
        """Return the rule for a run whose inside is the person's: glued, camel case, possessive."""
        if word[-1:] == "s" and self.tokens.get(word[:-1]) in (NAME, PERSON):
            return NAME  # of the person: ``Roes``
        if word.isalpha() and (run.islower() or run.isupper()) and len(word) <= MIN_GLUED:
            return ""
        if not vocabulary.kind(run) and self.glued_grams.within(word):
            return NAME
        if not word.isascii():
            parts = _SCRIPTS.findall(word) if not word.isalpha() or _ASCII.search(word) else ()
            named = next((self.tokens[part] for part in parts if part in self.tokens), "")
            return named or (NAME if parts and not self.brief.isdisjoint(parts) else "")
        if not word.isalpha() and initials.with_digits(
            word, self.labelled, self.initials, self.days
        ):
            return NUMBER
        if word.isalpha() and (run.islower() or run.isupper() or run.istitle()):
            return ""
        if vocabulary.listed(word):
            return ""
        pieces = [*(piece.lower() for piece in _CAMEL.findall(run)), *segments(word)]
        return next((self.tokens[piece] for piece in pieces if piece in self.tokens), "")

    def _numbered(
        self, text: str, words: list[tuple[int, int, str]], rules: dict[int, str]
    ) -> None:
        """Take the short numbers of IDs that stand alone or beside a word for an ID."""
        several = len({word for _start, _stop, word in words if word in self.labelled}) > 1
        for place, (start, stop, word) in enumerate(words):
            if word not in self.labelled:
                continue
            before, after = words[max(place - 1, 0)], words[min(place + 1, len(words) - 1)]
            if (
                len(words) == 1
                or several
                or text[start - 1 : start] == "#"
                or (before[2] in initials.LABELS and start - before[1] <= _LABEL_GAP)
                or (after[2] in initials.LABELS and after[0] - stop <= _LABEL_GAP)
            ):
                rules[place] = NUMBER

    def _neighbours(
        self, text: str, words: list[tuple[int, int, str]], rules: dict[int, str]
    ) -> None:
        """Take initials and short name parts beside a name; two short parts make a name too."""
        short = self.short
        last = len(words) - 1
        pairs = [
            place
            for place, (_start, _stop, word) in enumerate(words)
            if word in short and place < last and words[place + 1][2] in short
        ]
        names = {p for p, rule in rules.items() if rule in {NAME, PERSON}}
        for place in pairs:
            (_start, stop, word), after = words[place], words[place + 1]
            whole = len(word) == SHORT or len(after[2]) == SHORT
            if whole and word != after[2] and _GAP.fullmatch(text, stop, after[0]):
                names |= {place, place + 1}
                rules[place] = rules[place + 1] = NAME
        queue = list(names)
        while queue:
            place = queue.pop()
            for other in (place - 1, place + 1):
                if not 0 <= other <= last or other in rules:
                    continue
                left, right = sorted((place, other))
                if words[other][2] in short and _GAP.fullmatch(
                    text, words[left][1], words[right][0]
                ):
                    stop = words[other][1]
                    blank = text[words[left][1] : words[right][0]] == " "
                    if words[other][2] in _SIDES and blank and text[stop : stop + 1] != ".":
                        continue  # laterality, contrast: left to stand beside a name
                    rules[other] = NAME
                    queue.append(other)

    def _spelt(self, text: str) -> list[Span]:
        """Return the rows of single letters that spell a value of the person."""
        return [
            Span(row.start, row.stop, NAME)
            for row in veiled.spread(text)
            if self._spells(row.letters)
        ]

    def _spells(self, letters: str) -> bool:
        tokens = self.tokens
        if any(letters[at : at + _SPELT] in tokens for at in range(len(letters) - _SPELT + 1)):
            return True
        if len(letters) < MIN_GLUED:
            return False
        return (
            self.glued_grams.within(letters)
            or self.joined_grams.within(letters)
            or any(value.startswith(letters) or value.endswith(letters) for value in self.glued)
        )

    def _joined(self, text: str) -> list[Span]:
        flat, places = squash_map(text)
        found = []
        for at, value in self.joined_grams.find(flat):
            start, stop = places[at], places[at + len(value) - 1] + 1
            starts = start == 0 or not text[start - 1].isalnum()
            stops = stop == len(text) or not text[stop].isalnum()
            if len(value) < JOINED and value.isascii() and not (starts and stops):
                continue
            if len(value) < _APART and not _SIGNED.fullmatch(text, start, stop):
                continue
            if any(char.isdecimal() for char in value):
                found.append(_whole(text, start, stop, self.joined[value]))
            elif starts or stops:
                first, last = _known_edges(text, start, stop)
                found.append(_whole(text, first, last, self.joined[value]))
        return found

    def _numbers(self, text: str) -> list[Span]:
        if not _SEVEN.search(text):
            return []
        shown = digits(text)
        places = [place for place, char in enumerate(shown) if char.isdecimal()]
        flat = "".join(filter(str.isdecimal, shown))
        found = []
        for number in self.numbers:
            at = flat.find(number)
            if at >= 0:
                start, stop = places[at], places[at + len(number) - 1] + 1
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


def _known_edges(text: str, start: int, stop: int) -> tuple[int, int]:
    """Leave out a known word that a glued name only touches (``FLAIR Brown`` holds ``rbrown``)."""
    first = last = start
    while first > 0 and text[first - 1].isalnum():
        first -= 1
    while last < stop and text[last].isalnum():
        last += 1
    if first < start and last < stop and vocabulary.kind(text[first:last]) >= vocabulary.PLAIN:
        start = last
        while not text[start].isalnum():
            start += 1
    first = last = stop
    while first > start and text[first - 1].isalnum():
        first -= 1
    while last < len(text) and text[last].isalnum():
        last += 1
    if last > stop and first > start and vocabulary.kind(text[first:last]) >= vocabulary.PLAIN:
        stop = first
        while not text[stop - 1].isalnum():
            stop -= 1
    return start, stop
