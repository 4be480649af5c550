"""What a cut would leave of a date or a number: its other parts go with it."""

from typing import Final

from safelight.deid.text.tokens import Token

__all__ = ["spans"]

_DATE: Final = "date"
_NUMBER: Final = "part of a number that went"
_SIGNS: Final = frozenset("-+/")
_GAP: Final = frozenset(" .,-/_'")
_GAP_MOST: Final = 3
_MOST_PARTS: Final = 6  # pieces of a month's name in a script whose vowels are signs
_NUMBER_DIGITS: Final = 4
_DAYS: Final = 31
_YEAR_DIGITS: Final = 4
#: Years of our calendar and of the Persian, Islamic, Buddhist and Jewish ones.
_YEARS: Final = ((1800, 2099), (1300, 1499), (2400, 2599), (5600, 5899))


def spans(text: str, tokens: list[Token]) -> list[tuple[int, int, str]]:
    """Return what goes beside tokens that are gone already; marks those it takes.

    A day and a year with a word between them that nobody knows: a month in some language. Digits
    joined by a sign to a number that went: ``550102-1234``.
    """
    taken: list[tuple[Token, str]] = []
    for place, token in enumerate(tokens):
        if not token.gone:
            continue
        if sum(map(str.isdecimal, token.word)) >= _NUMBER_DIGITS:
            taken += _joined(text, tokens, place)
        elif place and not tokens[place - 1].gone:
            taken += _dated(text, tokens, place)
    for token, _rule in taken:
        token.gone = True
    return [(token.start, token.stop, rule) for token, rule in taken]


def _joined(text: str, tokens: list[Token], place: int) -> list[tuple[Token, str]]:
    """Return the groups of digits on both sides of a number."""
    found = []
    for step in (-1, 1):
        at = place + step
        while 0 <= at < len(tokens) and tokens[at].word.isdecimal() and not tokens[at].gone:
            left, right = sorted((at - step, at))
            if text[tokens[left].stop : tokens[right].start] not in _SIGNS:
                break
            found.append((tokens[at], _NUMBER))
            at += step
    return found


def _dated(text: str, tokens: list[Token], place: int) -> list[tuple[Token, str]]:
    """Return the day and the year around words that went, which begin at a place."""
    stop = place
    while stop < len(tokens) and tokens[stop].gone and not tokens[stop].word.isdecimal():
        stop += 1
    if not place < stop <= min(place + _MOST_PARTS, len(tokens) - 1):
        return []
    before, after = tokens[place - 1], tokens[stop]
    for one, other in ((before, tokens[place]), (tokens[stop - 1], after)):
        gap = text[one.stop : other.start]
        if len(gap) > _GAP_MOST or not _GAP.issuperset(gap):
            return []
    named = (_is_day(before), _is_year(after)), (_is_year(before), _is_day(after))
    return [(before, _DATE), (after, _DATE)] if any(map(all, named)) else []


def _is_day(token: Token) -> bool:
    word = token.word
    return word.isdecimal() and len(word) < _GAP_MOST and 1 <= int(word) <= _DAYS


def _is_year(token: Token) -> bool:
    word = token.word
    if not word.isdecimal() or len(word) != _YEAR_DIGITS:
        return False
    return any(first <= int(word) <= last for first, last in _YEARS)
