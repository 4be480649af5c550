"""The analytes that are known: LOINC codes, names, units, plausibility. Data in analytes.toml."""

import re
import tomllib
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from importlib import resources
from typing import Final

from safelight.readers.labs import units
from safelight.readers.labs.model import Reason, Span

__all__ = ["Analyte", "blood", "by_code", "by_name", "get", "known_codes", "name_key", "table"]

# Words that say "in blood", which is what every analyte here is measured in.
_BLOOD: Final = {
    *("serum", "plasma", "blood", "blut", "sang", "sangre", "suero", "vollblut", "wb", "serpl"),
    *("ser", "plas", "venous", "capillary", "edta", "citrate", "citrat", "heparin", "heparinized"),
    *(
        "plasm",
        "whole",
        "bldv",
        "bldc",
        "blda",
        "ppp",
        "prp",
        "sst",
        "vollblut",
        "wblood",
        "venoso",
        "veineux",
        "bld",
        "ser/plas",
        "venoes",
        "venos",
    ),
}
_JOINTS: Final = {"in", "im", "i", "s", "p", "b", "en", "de", "le", "or", "and", "of", "du", "dans"}
# Words that say that it was measured in something else, so that it is not ours.
_ELSEWHERE: Final = {
    *("urine", "urin", "harn", "urinaire", "urinario", "urinaria", "orina", "urines", "ur", "u"),
    *("sammelurin", "spoturin", "24h", "24hr", "24", "csf", "liquor", "lcr", "stool", "stuhl"),
    *("selles", "heces", "saliva", "speichel", "ascites", "aszites", "pleural", "pleura"),
    *("punktat", "fluid", "synovial", "sweat", "schweiss", "semen", "ejakulat", "dialysate"),
    *("dialysat", "cerebrospinal", "faeces", "feces", "urinstatus", "urinalysis", "uro", "bal"),
    *("cord", "amniotic", "gastric", "drain", "peritoneal"),
}


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


def name_key(text: str) -> str:
    """Return a name without case, accents and punctuation, words parted by single spaces."""
    plain = unicodedata.normalize("NFKD", text.lower().replace("ß", "ss"))
    plain = "".join(c for c in plain if not unicodedata.combining(c))
    return " ".join(re.findall(r"[a-z0-9+]+", plain.replace("\u03b3", "gamma")))


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
    """Return the one analyte that these LOINC codes mean."""
    found = {known_codes()[code] for code in codes if code in known_codes()}
    if len(found) > 1:
        return Reason.AMBIGUOUS_ANALYTE
    return found.pop() if found else Reason.UNKNOWN_ANALYTE


def _candidates(name: str) -> tuple[str, ...] | Reason:
    key = name_key(name)
    if key in _by_name():
        return _by_name()[key]
    words = key.split()
    if _ELSEWHERE & set(words):
        return Reason.OTHER_SPECIMEN
    if len(words) > 1 and words[0] in {"s", "p", "b"}:  # "S-Kreatinin"
        rest = _by_name().get(" ".join(words[1:]))
        if rest:
            return rest
    while len(words) > 1 and (words[-1] in _BLOOD or words[-1] in _JOINTS):
        words.pop()
        if found := _by_name().get(" ".join(words)):
            return found
    while len(words) > 1 and words[0] in _BLOOD:
        words.pop(0)
        if found := _by_name().get(" ".join(words)):
            return found
    return Reason.UNKNOWN_ANALYTE


def by_name(names: Iterable[str], unit: str) -> str | Reason:
    """Return the one analyte that a name means with this unit.

    ``Neutrophils`` is a share with ``%`` and a count with ``10*9/L``; without a unit it is refused.
    """
    reason: Reason = Reason.UNKNOWN_ANALYTE
    for name in names:
        found = _candidates(name)
        if isinstance(found, Reason):
            reason = found if reason is Reason.UNKNOWN_ANALYTE else reason
            continue
        if len(found) == 1:
            return found[0]
        fitting = [key for key in found if units.parse(unit, get(key)) is not None]
        if len(fitting) == 1:
            return fitting[0]
        reason = Reason.AMBIGUOUS_ANALYTE if unit.strip() else Reason.NO_UNIT
    return reason


def blood(specimen: str) -> bool | None:
    """Tell whether a specimen is blood, serum or plasma; None where that is not said."""
    words = set(name_key(specimen).split())
    if words & _ELSEWHERE:
        return False
    return True if words & _BLOOD else None
