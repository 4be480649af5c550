"""The parts of addresses, phone numbers and e-mail addresses that name someone by themselves."""

import re
from collections.abc import Iterator
from typing import Final

from safelight.deid.text import vocabulary
from safelight.deid.text.fold import digits, fold, runs, squash, words

__all__ = ["PHONE", "address", "mailbox", "phones"]

#: Digits of the shortest phone number.
PHONE: Final = 7
_TAILS: Final = (10, 9, 8, 7)  # without country code, without trunk zero, without area code
_PARTS: Final = re.compile(r"[\^,;\r\n]+")
_PHONES: Final = re.compile(r"[\^,;\r\n]+|\s/\s|\bor\b")
_EXTENSION: Final = re.compile(r"(?:\bext|\bdw|x)[\s.:]*\d", re.IGNORECASE)
_SCHEME: Final = re.compile(r"^\s*(?:mailto|e-?mail|sip|xmpp)\s*:\s*", re.IGNORECASE)
_HOUSE: Final = re.compile(r"\d{1,4}[a-z]?")
#: Postcodes of letters and digits: British, Canadian, Dutch.
_POSTCODE: Final = re.compile(
    r"\b(?:[a-z]{1,2}\d[a-z\d]?\s?\d[a-z]{2}|[a-z]\d[a-z]\s?\d[a-z]\d"
    r"|[1-9]\d{3}\s?(?!ct|mr|us|xr|nm|pt|cr|dx|mg|rf|xa)[a-z]{2})\b",
    re.IGNORECASE,
)
#: Beside a number these tell a place in a house, or what stands there.
_INDOORS: Final = words(
    """room rooms floor floors level ward wards building bldg suite unit wing block bed beds box
    station zimmer raum etage stock haus saal stanza piano piso sala salle chambre lit bay area"""
)
_KINDS: Final = {
    "street": "st", "road": "rd", "avenue": "ave", "lane": "ln", "drive": "dr",
    "boulevard": "blvd", "strasse": "str",
}  # fmt: skip
_GLUED: Final = frozenset(("strasse",))
_STREET: Final = 3  # words of the longest name of a street
_MIN_FORM: Final = 6
_MIN_STREET: Final = 8


def address(value: str) -> set[str]:
    """Return the squashed parts of an address: lines, number and street, street, postcode."""
    found = {squash(match[0]) for match in _POSTCODE.finditer(value)}
    houses = False
    parts = [[fold(match.group()) for match in runs(part)] for part in _PARTS.split(value)]
    for part in parts:
        for place, word in enumerate(part):
            if _HOUSE.fullmatch(word):
                forms = set(_houses(part, place))
                houses = houses or bool(forms)
                found |= forms
    for part in parts:
        flat = "".join(part)
        if len(part) < 2 or len(flat) < _MIN_FORM:  # noqa: PLR2004 - one word is no line
            continue
        if any(not vocabulary.kind(word) for word in part) or (houses and _is_street(part)):
            found.add(flat)
    return found


def _houses(part: list[str], place: int) -> Iterator[str]:
    """Yield a house number with its street, in both orders, and the street by itself."""
    number = part[place]
    after = _letters(part[place + 1 : place + 1 + _STREET])
    before = _letters(part[max(place - _STREET, 0) : place][::-1])[::-1]
    street = after or before
    if not street or all(vocabulary.listed(word) == vocabulary.STRONG for word in street):
        return
    if street[-1 if before and not after else 0] in _INDOORS:
        return
    for size in range(1, len(street) + 1):
        name = street[:size] if after else street[-size:]
        if size == 1 and len(street) > 1 and vocabulary.listed(name[0]):
            continue  # ``14 high`` of 14 High Street says too little
        for flat in _shortened(name):
            if len(flat) + len(number) >= _MIN_FORM:
                yield number + flat
                yield flat + number
        if _is_street(name):
            yield "".join(name)


def _shortened(name: list[str]) -> Iterator[str]:
    """Yield the words joined, with the kind of street written out and shortened."""
    flat = "".join(name)
    yield flat
    for long, short in _KINDS.items():
        if flat.endswith(long):
            yield flat.removesuffix(long) + short
        elif name[-1] == short or (long in _GLUED and flat.endswith(short)):
            yield flat.removesuffix(short) + long


def _letters(run: list[str]) -> list[str]:
    """Return the words before the first that holds a digit."""
    for place, word in enumerate(run):
        if not word.isalpha():
            return run[:place]
    return run


def _is_street(name: list[str]) -> bool:
    """Tell whether words make a name of a street or town, and no technical term."""
    return (
        len(name) > 1
        and sum(map(len, name)) >= _MIN_STREET
        and vocabulary.listed(name[0]) != vocabulary.STRONG
        and _INDOORS.isdisjoint(name)
    )


def phones(value: str) -> set[str]:
    """Return the digits of the phone numbers in a value, whole and without what may be left out."""
    found: set[str] = set()
    for part in (value, *_PHONES.split(value)):
        extension = _EXTENSION.search(part)
        number = _digits(part[: extension.start()] if extension else part)
        for form in {number, number.lstrip("0")}:
            if len(form) >= PHONE:
                found.add(form)
                found |= {form[-tail:] for tail in _TAILS if tail < len(form)}
    return found


def _digits(value: str) -> str:
    return "".join(filter(str.isdecimal, digits(value)))


def mailbox(value: str) -> list[str]:
    """Return the folded words before the ``@`` of an e-mail address; without one, none."""
    local, at, _host = _SCHEME.sub("", value).partition("@")
    return [fold(match.group()) for match in runs(local)] if at else []
