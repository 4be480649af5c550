"""The analytes that are known: LOINC codes, names, units, plausibility. Data in analytes.toml."""

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from importlib import resources
from typing import Final

from safelight.readers.labs import units
from safelight.readers.labs.model import Reason, Span
from safelight.readers.labs.specimen import BLOOD, blood, cell_free, elsewhere, name_key

__all__ = [
    "JOINTS",
    "Analyte",
    "blood",
    "by_code",
    "by_name",
    "contradicted",
    "get",
    "known_codes",
    "name_key",
    "table",
]

JOINTS: Final = {"in", "im", "en", "de", "le", "or", "and", "of", "du", "dans"}
# words of code systems and forms that say nothing more
_PLAIN: Final = {
    "measurement",
    "level",
    "estimation",
    "observation",
    "test",
    "quant",
    "quantitative",
}
# what a name holds in brackets: another name of the test, or what LOINC measures in it
_BRACKETS: Final = re.compile(r"^([^()\[\]]+)[(\[]([^()\[\]]+)[)\]]([^()\[\]]*)$")
_PROPERTIES: Final = {
    *("mass volume", "moles volume", "volume", "volume fraction", "entitic volume"),
    *("entitic mass", "enzymatic activity volume", "units volume"),
}
# One letter is a specimen as "S-Kreatinin", "Glucose, P", "Kreatinin i.S."; CK-B is another test.
_LETTER_BEFORE: Final = re.compile(r"\s*([SPB])\s*[-\u2010-\u2013]\s*(?=\w)", re.IGNORECASE)
_LETTER_BEHIND: Final = re.compile(r"(?:\s*,\s*|\s+(?:in|im|i\.)\s*)([SPB])\.?\s*$", re.IGNORECASE)
_NOT_WITH: Final = {  # where the letter is part of the name: protein S, B lymphocytes, CK-B
    "s": {"protein"},
    "b": {"lymphocytes", "lymphocytes_pct", "ck"},
    "p": set[str](),
}
_FREE: Final = "haemoglobin"  # in serum or plasma it is another test
_ALIKE: Final = {"glucose", "glucose_fasting"}  # the general name beside the closer one


@dataclass(frozen=True, slots=True, kw_only=True)
class Analyte:
    """One row of analytes.toml; numbers are in ``unit``."""

    key: str
    name: str
    loinc: Mapping[str, tuple[str, ...]]
    names: tuple[str, ...]
    unit: str
    dims: tuple[str, ...]
    molar: Fraction | None
    charge: int
    moles_floor: Fraction | None
    percent_is: str
    plausible: Span
    usual: tuple[Fraction, Fraction]


@cache
def table() -> dict[str, Analyte]:
    """Return every analyte by its key."""
    text = (resources.files(__package__) / "data" / "analytes.toml").read_text("utf-8")
    return {
        key: Analyte(
            key=key,
            name=each["name"],
            loinc={dim: tuple(codes) for dim, codes in each["loinc"].items()},
            names=tuple(each["names"]),
            unit=each["unit"],
            dims=tuple(each["dims"]),
            molar=Fraction(each["molar"]) if "molar" in each else None,
            charge=each.get("charge", 0),
            moles_floor=Fraction(each["moles_floor"]) if "moles_floor" in each else None,
            percent_is=each.get("percent_is", ""),
            plausible=Span(low=Fraction(each["plausible"][0]), high=Fraction(each["plausible"][1])),
            usual=(Fraction(each["usual"][0]), Fraction(each["usual"][1])),
        )
        for key, each in tomllib.loads(text).items()
    }


def get(key: str) -> Analyte:
    """Return one analyte that is known to be there."""
    return table()[key]


@cache
def known_codes() -> dict[str, str]:
    """Return LOINC code to analyte."""
    return {
        code: each.key
        for each in table().values()
        for codes in each.loinc.values()
        for code in codes
    }


@cache
def _by_name() -> dict[str, tuple[str, ...]]:
    names: dict[str, list[str]] = {}
    for each in table().values():
        for name in each.names:
            # German umlauts are also written with an e after the vowel.
            spelled = name.replace("ä", "ae").replace("ö", "oe").replace("ü", "ue")
            for spelling in {name_key(name), name_key(spelled)}:
                if each.key not in names.setdefault(spelling, []):
                    names[spelling].append(each.key)
    return {name: tuple(keys) for name, keys in names.items()}


def by_code(codes: Iterable[str]) -> str | Reason:
    """Return the one analyte that all these LOINC codes mean."""
    found = {known_codes().get(code, "") for code in codes}
    if not found or "" in found:
        return Reason.UNKNOWN_ANALYTE
    return found.pop() if len(found) == 1 else Reason.AMBIGUOUS_ANALYTE


def _candidates(name: str) -> tuple[str, ...] | Reason:
    key = name_key(name)
    if key in _by_name():
        return _by_name()[key]
    if elsewhere(name):
        return Reason.OTHER_SPECIMEN
    letter = _LETTER_BEFORE.match(name)
    bare = name[letter.end() :] if letter else name
    if letter is None and (letter := _LETTER_BEHIND.search(name)):
        bare = name[: letter.start()]
    found = _stripped(name_key(bare).split()) or _bracketed(name)
    said = letter[1].lower() if letter else ""
    if said and set(found) & _NOT_WITH[said]:
        return Reason.UNKNOWN_ANALYTE
    if _FREE in found and (cell_free(name) or said in {"s", "p"}):
        return Reason.UNKNOWN_ANALYTE
    return found or Reason.UNKNOWN_ANALYTE


def _bracketed(name: str) -> tuple[str, ...]:
    """Return what ``Free T4 (FT4)`` means on both sides of its brackets."""
    parts = _BRACKETS.match(name)
    if parts is None:
        return ()
    outside = _stripped(name_key(f"{parts[1]} {parts[3]}").split())
    inside = name_key(parts[2])
    if inside in _PROPERTIES:
        return outside
    return tuple(key for key in outside if key in _by_name().get(inside, ()))


def _stripped(words: list[str]) -> tuple[str, ...]:
    """Return the analytes of a name without the words around it that say blood."""
    while True:
        if found := _by_name().get(" ".join(words)):
            return found
        if len(words) > 1 and (words[-1] in BLOOD or words[-1] in JOINTS | _PLAIN):
            words = words[:-1]
        elif len(words) > 1 and words[0] in BLOOD:
            words = words[1:]
        else:
            return ()


def _agreed(names: Iterable[str], shorts: Iterable[str]) -> set[str] | Reason:
    """Return the analytes that all names leave open; a short form adds nothing where not known."""
    told = [_candidates(name) for name in names]
    brief = [_candidates(short) for short in shorts]
    if not told:
        told, brief = brief, []
    if Reason.OTHER_SPECIMEN in (*told, *brief):
        return Reason.OTHER_SPECIMEN
    if not told or any(isinstance(each, Reason) for each in told):
        return Reason.UNKNOWN_ANALYTE
    known = [set(each) for each in (*told, *brief) if not isinstance(each, Reason)]
    both = set.intersection(*known)
    if not both and set.union(*known) == _ALIKE:
        return {"glucose"}
    return both or Reason.AMBIGUOUS_ANALYTE


def by_name(names: Iterable[str], unit: str, shorts: Iterable[str] = ()) -> str | Reason:
    """Return the one analyte that all names mean with this unit.

    ``Neutrophils`` is a share with ``%`` and a count with ``10*9/L``; without a unit it is refused.

    Args:
        names: Each must be known, and mean the same.
        unit: As printed.
        shorts: Local codes such as ``CK``: tried as names where there is no other, else they must
            not contradict.
    """
    found = _agreed([each for each in names if each.strip()], [s for s in shorts if s.strip()])
    if isinstance(found, Reason):
        return found
    if len(found) == 1:
        return found.pop()
    fitting = [key for key in found if units.parse(unit, get(key)) is not None]
    if len(fitting) == 1:
        return fitting[0]
    return Reason.AMBIGUOUS_ANALYTE if unit.strip() else Reason.NO_UNIT


def contradicted(key: str, names: Iterable[str]) -> bool:
    """Tell whether a name beside a code is known and means another analyte."""
    for name in names:
        found = _candidates(name) if name.strip() else Reason.UNKNOWN_ANALYTE
        if not isinstance(found, Reason) and key not in found and not {key, *found} <= _ALIKE:
            return True
    return False
