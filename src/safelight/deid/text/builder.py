"""Collect the forms in which one person's values may stand in a text."""

import functools
import re
from typing import Final

from safelight.deid.text import contacts, vocabulary
from safelight.deid.text.fold import digits as ascii_digits
from safelight.deid.text.fold import fold, runs, squash, words
from safelight.deid.text.transliterate import spellings

__all__ = ["CONTACT", "JOINED", "NAME", "NUMBER", "PERSON", "PLACE", "SHORT", "Builder"]

NAME: Final = "name of the subject"
PERSON: Final = "name of a person"
NUMBER: Final = "identifier of the subject"
PLACE: Final = "address or institution"
CONTACT: Final = "contact of the subject"

#: Letters of the shortest name parts: they go beside another part only.
SHORT: Final = 2
#: Letters and digits of the shortest value that is found inside a run; shorter ones stand alone.
JOINED: Final = 6
MIN_GLUED: Final = 4
_PLACEHOLDERS: Final = words(
    """anonymous anonymized anonymised anonymize anon unknown unnamed none noname patient test
    phantom male female nil null mr mrs ms dr prof md phd jr sr ii iii iv"""
)
#: Parts of names that are function words: they go beside another part of the name.
_PARTICLES: Final = words("the of and von van der den del de la le di da dos das el al bin ibn und")
_MIN_ID: Final = 3
_MIN_APART: Final = 5  # of a prefix and its number, which may stand apart
_MIN_NUMBER: Final = 4
_MIN_PHRASE: Final = 10
_PREFIXED: Final = re.compile(r"([^\W\d_]+)0*([1-9]\d{2,})")


class Builder:
    """Collects the forms of every value."""

    def __init__(self) -> None:
        self.tokens: dict[str, str] = {}
        self.short: set[str] = set()
        self.joined: dict[str, str] = {}
        self.numbers: set[str] = set()
        self.glued: set[str] = set()
        self.dates: set[str] = set()
        self.labelled: set[str] = set()
        self.names: list[list[str]] = []
        self.initials: set[str] = set()
        self.brief: set[str] = set()

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
            first, folded = [options[0] for options in forms], [fold(part) for part in parts]
            self._orders(first, rule)
            if folded != first:
                self._orders(folded, rule)
            if rule == NAME:
                self._shorten(group)

    def _shorten(self, group: str) -> None:
        """Add initials in the usual orders, and the parts of two letters."""
        parts = [[fold(m.group()) for m in runs(part)] for part in group.split("^")[:3]]
        words = [[w for w in part if w not in _PARTICLES and w.isalpha()] for part in parts]
        self.brief |= {
            w for part in words for w in part if len(w) == SHORT and not _cjk().search(w)
        }
        family, *rest = ["".join(w[0] for w in part) for part in words if part] or [""]
        given = "".join(rest)
        for form in (given, family, family + given, given + family, family[:1] + given[:1]):
            self.initials |= {form, form[::-1]} if SHORT <= len(form) <= MIN_GLUED else set()

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
            enough = SHORT if east else JOINED
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
        if len(digits) >= JOINED - 1:
            forms |= {digits, digits.lstrip("0")}
        prefixed = _PREFIXED.fullmatch(flat)
        if prefixed:
            forms |= {prefixed[1] + prefixed[2]}
            if len(digits) >= _MIN_NUMBER:
                self.labelled |= {digits, prefixed[2]} - forms
        for form in forms:
            if len(form) >= (_MIN_APART if prefixed and not form.isdecimal() else JOINED):
                self.joined.setdefault(form, NUMBER)
            elif len(form) >= _MIN_ID and not value.strip().isalnum():
                self.joined.setdefault(form, NUMBER)  # ``X-77``: written with its sign
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
        enough = JOINED if unknown else _MIN_PHRASE
        if len(flat) >= enough and (unknown or len(words) > 1):
            self.joined.setdefault(flat, PLACE)
        for form in contacts.address(value):
            if len(form) >= _MIN_APART:
                self.joined.setdefault(form, PLACE)
        if len(words) == 1 and len(flat) >= _MIN_ID and not flat.isalpha() and not flat.isdecimal():
            self.tokens.setdefault(flat, PLACE)

    def contact(self, value: str) -> None:
        """Take a phone number, an e-mail or a web address."""
        if "@" not in value and (numbers := contacts.phones(value)):
            self.numbers |= numbers
            return
        flat = squash(value)
        if len(flat) >= JOINED:
            self.joined.setdefault(flat, CONTACT)
        box = contacts.mailbox(value)
        local = "".join(box)
        kinds = [vocabulary.listed(word) for word in box]
        technical = all(kind == vocabulary.STRONG for kind in kinds)
        if len(local) >= JOINED and len(box) > 1 and not technical:
            self.joined.setdefault(local, CONTACT)
        for word, kind in zip(box, kinds, strict=True):
            if len(word) > SHORT and not kind:
                self.tokens.setdefault(word, CONTACT)


@functools.cache
def _cjk() -> re.Pattern[str]:
    """Return what finds Chinese, Japanese and Korean; four milliseconds to compile."""
    return re.compile("[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\uff66-\uff9f\uac00-\ud7a3]")


def _digits(value: str) -> str:
    return "".join(filter(str.isdecimal, ascii_digits(value)))
