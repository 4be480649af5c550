"""Terms that the standard itself defines: text that is known to say nothing about a person.

Coded strings (CS) are compared with the defined and enumerated values of their attribute, coded
entries with the context groups of PS3.16. What is not found here is not wrong; it is merely not
proven harmless, and the text cleaner judges it.

Sources: PS3.3 (values of attributes; ``data/defined_terms.txt``, written by hand), PS3.16
(context groups and Annex L; ``data/coded_terms.txt``, generated; ``data/coded_extra.txt``, written
by hand: units, electrocardiography, headings).
"""

import re
from functools import cache, lru_cache
from pathlib import Path
from typing import Final

from safelight.dicomio import dictionary

__all__ = ["is_coded_meaning", "is_coded_term", "is_defined_term", "normal"]

_DATA: Final = Path(__file__).parent / "data"
_MEMO: Final = 8192  # bounded: values come from files
_BODY_PART: Final = 0x0018_0015
# Older names of one scheme, still written by scanners (PS3.16 Table 8-1)
_ALIASES: Final = {"SNM3": "SRT", "99SDM": "SRT", "SNOMED-CT": "SCT", "LOINC": "LN"}


def normal(meaning: str) -> str:
    """Return a code meaning as it is compared: no padding or zero-width space, lower case."""
    return " ".join(meaning.replace("\0", " ").replace("\u200b", "").split()).casefold()


@cache
def _defined() -> tuple[frozenset[str], dict[int, frozenset[str]], dict[int, str]]:
    """Values of any CS attribute, values by tag, and patterns by tag."""
    anywhere: frozenset[str] = frozenset()
    values: dict[int, frozenset[str]] = {}
    patterns: dict[int, str] = {}
    for row in dictionary.read_rows(_DATA / "defined_terms.txt"):
        names, _, text = row.partition(": ")
        if names == "*":
            anywhere |= frozenset(text.split("|"))
            continue
        for name in names.split(" ")[::2]:  # tag and keyword in turn; the keyword is for readers
            tag = int(name, 16)
            if text.startswith("/"):
                patterns[tag] = text.strip("/")
            else:
                values[tag] = values.get(tag, frozenset()) | frozenset(text.split("|"))
    return anywhere, values, patterns


@lru_cache(maxsize=_MEMO)
def is_defined_term(tag: int, value: str) -> bool:
    """Return True if the standard defines this value for this attribute.

    Args:
        tag: The attribute.
        value: One value (not the whole backslash-joined string), with or without padding. Case
            counts: coded strings are upper case. An empty value is defined everywhere.
    """
    text = value.strip(" \0")
    if not text:
        return True
    anywhere, values, patterns = _defined()
    if text in anywhere or text in values.get(tag, ()):
        return True
    if tag == _BODY_PART and text in _terms("B"):
        return True
    pattern = patterns.get(tag)
    return pattern is not None and re.fullmatch(pattern, text) is not None


@cache
def _coded() -> dict[str, list[str]]:
    """Raw lines by kind: ``C <scheme>``, ``M`` or ``B``. Split only when asked for."""
    found: dict[str, list[str]] = {}
    names = ("coded_terms.txt", "coded_extra.txt")
    for row in (row for name in names for row in dictionary.read_rows(_DATA / name)):
        kind, _, text = row.partition("\t")
        if kind == "C":
            scheme, _, text = text.partition("\t")
            kind = f"C {scheme}"
        found.setdefault(kind, []).append(text)
    return found


@cache
def _terms(kind: str) -> frozenset[str]:
    """Codes of a scheme, meanings or body parts."""
    return frozenset("\t".join(_coded().get(kind, ())).split("\t")) - {""}


def _listed(scheme: str) -> frozenset[str]:
    """Codes of a scheme; nothing is remembered for a scheme that only a file knows."""
    kind = f"C {scheme}"
    return _terms(kind) if kind in _coded() else frozenset()


@lru_cache(maxsize=_MEMO)
def is_coded_term(code_value: str, scheme: str) -> bool:
    """Return True if PS3.16 uses this code of this scheme in a context group or template.

    Args:
        code_value: (0008,0100), with or without padding.
        scheme: Coding Scheme Designator (0008,0102); SNM3 and 99SDM are read as SRT.
    """
    designator = scheme.strip(" \0")
    return code_value.strip(" \0") in _listed(_ALIASES.get(designator, designator))


@lru_cache(maxsize=_MEMO)
def is_coded_meaning(meaning: str) -> bool:
    """Return True if this is the meaning of a code that PS3.16 uses; case and spacing are free."""
    return normal(meaning) in _terms("M")
