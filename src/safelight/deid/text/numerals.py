"""Roman numerals: segments, grades, stages and nerves, told from the names Vi and Xi."""

import re
from typing import Final

from safelight.deid.text.fold import words
from safelight.deid.text.tokens import Token

__all__ = ["ROMAN", "stays"]

#: One to twelve.
ROMAN: Final = re.compile(r"(?:i{1,3}|iv|vi{0,3}|ix|xi{0,2})[abc]?")
#: Words that a numeral follows.
_BEFORE: Final = words(
    """segment segments seg segm segmente segmento segmenti segmentos sector grade grades grad grado
    graden graad gr type types typ tipo tipi tipos stage stages stadium stade stadio estadio
    estadiamento staging class classe klasse clase category categories kategorie level levels
    zone zones zona region cn nerve nerves nerf nerfs nervus nervo hirnnerv hirnnerven cranial
    factor phase phases part parts teil parte series volume degree degrees nyha figo ajcc
    bosniak lefort salter harris gartland schatzker neer mason ideberg rockwood garden pauwels
    tossy modic fazekas fisher couinaud forrest rads mallampati stanford debakey crawford
    endoleak keller chiari fontaine rutherford ccs asa winter wassel frykman crowe tile denis
    division lead leads ableitung derivation"""
)
#: Words that follow a numeral.
_AFTER: Final = words(
    """nerve nerves nerf ventricle ventrikel ventricule ventricolo ventriculo palsy cranial segment
    segments metatarsal metacarpal endoleak fracture"""
)
_LINKS: Final = words("and or to und bis et a y e bzw")
_REACH: Final = 6


def stays(text: str, tokens: list[Token], place: int) -> bool:
    """Return whether the numeral at a place counts something that is counted in numerals."""
    raw = text[tokens[place].start : tokens[place].stop]
    if raw[:1].islower() != raw[1:2].islower() and len(raw) > 1 and raw[1:2] not in "abc":
        return False  # Vi, Xi: written like a name
    for before in reversed(tokens[max(place - _REACH, 0) : place]):
        if before.word in _BEFORE:
            return True
        if not (ROMAN.fullmatch(before.word) or before.word in _LINKS or before.word.isdecimal()):
            break
    after = tokens[place + 1] if place + 1 < len(tokens) else None
    return after is not None and after.word in _AFTER
