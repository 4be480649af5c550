"""Collect the forms in which one person's values may stand in a text."""

import functools
import re
from collections.abc import Iterable
from typing import Final

from safelight.deid.text import vocabulary
from safelight.deid.text.fold import digits as ascii_digits
from safelight.deid.text.fold import fold, runs, squash, words
from safelight.deid.text.transliterate import spellings

__all__ = ["CONTACT", "NAME", "NUMBER", "PERSON", "PHONE", "PLACE", "SHORT", "Builder"]

NAME: Final = "name of the subject"
PERSON: Final = "name of a person"
NUMBER: Final = "identifier of the subject"
PLACE: Final = "address or institution"
CONTACT: Final = "contact of the subject"

#: Letters of the shortest name parts: they go beside another part only.
SHORT: Final = 2
#: Digits of the shortest phone number.
PHONE: Final = 7
MIN_GLUED: Final = 4
_PLACEHOLDERS: Final = words(
    """anonymous anonymized anonymised anonymize anon unknown unnamed none noname patient test
    phantom male female nil null mr mrs ms dr prof md phd jr sr ii iii iv"""
)
#: Parts of names that are function words: they go beside another part of the name.
_PARTICLES: Final = words("the of and von van der den del de la le di da dos das el al bin ibn und")
_MIN_ID: Final = 3
_MIN_SQUASH: Final = 6
_MIN_PHRASE: Final = 10


class Builder:
    """Collects the forms of every value."""

    def __init__(self) -> None:
        self.tokens: dict[str, str] = {}
        self.short: set[str] = set()
        self.joined: dict[str, str] = {}
        self.numbers: set[str] = set()
        self.glued: set[str] = set()
        self.dates: set[str] = set()
        self.names: list[list[str]] = []

    def name(self, value: str, rule: str) -> None:
        """Take a person name in DICOM or free form."""
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
        if not form.isascii() and _cjk().search(form):
            if len(form) >= SHORT:
                self.joined.setdefault(form, rule)
            else:
                self.short.add(form)
            return
        if rule == PERSON and vocabulary.listed(form) == vocabulary.STRONG:
            return  # an operator called "CT TECH" must not empty every description
        self.short.add(form[0])
        if len(form) <= SHORT or form in _PARTICLES:
            self.short.add(form)
            return
        self.tokens.setdefault(form, rule)
        if len(form) >= MIN_GLUED:
            self.glued.add(form)

    def _orders(self, parts: list[str], rule: str) -> None:
        """Add the glued full names: ``roejane``, ``janeroe``, ``jroe``, ``roej``."""
        if len(parts) < 2:  # noqa: PLR2004 - one part has no order
            return
        first, second = parts[0], parts[1]
        joins = {first + second, second + first, "".join(parts), "".join(reversed(parts))}
        joins |= {second[0] + first, first + second[0]}
        for join in joins:
            east = not join.isascii() and _cjk().search(join)
            enough = SHORT if east else _MIN_SQUASH
            if len(join) >= enough and not vocabulary.listed(join):
                self.joined.setdefault(join, rule)

    def identifier(self, value: str) -> None:
        """Take an ID, with and without prefix, zeros and separators."""
        flat = squash(value)
        if len(flat) < _MIN_ID or flat in _PLACEHOLDERS:
            return
        if flat.isalpha() and vocabulary.kind(value.strip()):
            return  # an ID that is an ordinary word cannot be told from the word
        forms = {flat, flat.lstrip("0")}
        digits = _digits(flat)
        if len(digits) >= _MIN_SQUASH - 1:
            forms |= {digits, digits.lstrip("0")}
        for form in forms:
            if len(form) >= _MIN_SQUASH:
                self.joined.setdefault(form, NUMBER)
            if len(form) > _MIN_ID or (len(form) == _MIN_ID and not form.isdecimal()):
                self.tokens.setdefault(form, NUMBER)

    def date(self, value: str) -> None:
        """Take a date (``19600102``), and its orders that are written without separators."""
        digits = _digits(value)[:8]
        if len(digits) != 8:  # noqa: PLR2004 - YYYYMMDD
            return
        self.dates.add(digits)
        year, month, day = digits[:4], digits[4:6], digits[6:]
        forms = {digits, day + month + year, month + day + year}
        forms |= {form[2:] for form in (digits,)} | {day + month + year[2:], month + day + year[2:]}
        for form in forms:
            self.tokens.setdefault(form, "date")

    def phrase(self, value: str) -> None:
        """Take an institution or an address."""
        words = [m.group() for m in runs(value)]
        unknown = [word for word in words if not vocabulary.kind(word)]
        for word in unknown:
            folded = fold(word)
            if len(folded) > SHORT:
                self.tokens.setdefault(folded, PLACE)
        flat = squash(value)
        enough = _MIN_SQUASH if unknown else _MIN_PHRASE
        if len(flat) >= enough and (unknown or len(words) > 1):
            self.joined.setdefault(flat, PLACE)
        if len(words) == 1 and len(flat) >= _MIN_ID and not flat.isalpha() and not flat.isdecimal():
            self.tokens.setdefault(flat, PLACE)

    def contact(self, value: str) -> None:
        """Take a phone number, an e-mail or a web address."""
        digits = _digits(value)
        if len(digits) >= PHONE and "@" not in value:
            self.numbers |= set(_national(digits))
            return
        flat = squash(value)
        if len(flat) >= _MIN_SQUASH:
            self.joined.setdefault(flat, CONTACT)
        local = value.partition("@")[0] if "@" in value else ""
        for match in runs(local):
            word = fold(match.group())
            if len(word) > SHORT and not vocabulary.listed(word):
                self.tokens.setdefault(word, CONTACT)


@functools.cache
def _cjk() -> re.Pattern[str]:
    """Return what finds Chinese, Japanese and Korean; four milliseconds to compile."""
    return re.compile("[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\uff66-\uff9f\uac00-\ud7a3]")


def _digits(value: str) -> str:
    return "".join(filter(str.isdecimal, ascii_digits(value)))


def _national(digits: str) -> Iterable[str]:
    """Yield the number as given, and its tail without country code or trunk zero."""
    yield digits
    bare = digits.lstrip("0")
    if len(bare) >= PHONE:
        yield bare
    longest = 10
    if len(bare) > longest:
        yield bare[-longest:]
    if len(bare) > longest - 1:
        yield bare[-(longest - 1) :]
