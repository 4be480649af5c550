"""Units as printed, to UCUM, and between units of one analyte: exact, or refused.

A unit never decides by its dimension alone: mass turns into moles by the analyte's molar mass, and
not at all where that makes no sense (proteins that are mixtures, enzymes, international units).

Sources: UCUM 2.1 (unitsofmeasure.org) for the codes; NIST SP 811 for katal; HbA1c by the IFCC-NGSP
master equation NGSP = 0.09148 * IFCC + 2.152 (Hoelzel et al., Clin Chem 2004;50:166-174).
"""

import re
import tomllib
import unicodedata
from dataclasses import dataclass
from fractions import Fraction
from functools import cache, lru_cache
from importlib import resources
from typing import TYPE_CHECKING, Final

from safelight.readers.labs.model import Turn

if TYPE_CHECKING:
    from safelight.readers.labs.analytes import Analyte

__all__ = ["Unit", "known", "parse", "same", "turn"]

_SUPERSCRIPTS: Final = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹", "0123456789")
_WORDS: Final = (  # spellings that stand in many units; tried in this order
    (re.compile(r"μ|µ"), "u"),  # both micro signs are meant
    (re.compile(r"^(?:x|×)(?=10)"), ""),  # noqa: RUF001  # a multiplication sign is meant
    (re.compile(r"(?<=\d)(?:\^|\*\*|\*\^)(?=\d)"), "*"),
    (re.compile(r"^10e\+?0?(?=\d)"), "10*"),
    (re.compile(r"mcg|mikrog"), "ug"),
    (re.compile(r"mcmol|mikromol|micromol"), "umol"),
    (re.compile(r"microl|mikrol|mcl"), "ul"),
    (re.compile(r"(?:litre|liter|ltr)s?$"), "l"),
    (re.compile(r"^gm(?=/)"), "g"),
    (re.compile(r"per(?=[a-z]?l$|mm3$)"), "/"),
    (re.compile(r"-1$"), ""),
    (re.compile(r"\(calc(?:ulated)?\.?\)$"), ""),
    (re.compile(r"cu\.?mm\.?$|(?<=/)cmm$"), "mm3"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """A unit in one dimension: UCUM code and exact number of base units."""

    code: str
    dim: str
    factor: Fraction


@lru_cache(maxsize=4096)
def _key(text: str) -> str:
    out = unicodedata.normalize("NFC", text).strip().replace("−", "-")  # noqa: RUF001  # a minus sign
    out = re.sub(r"10([⁰¹²³⁴⁵⁶⁷⁸⁹]+)", lambda m: "10*" + m.group(1).translate(_SUPERSCRIPTS), out)
    out = "".join(out.translate(_SUPERSCRIPTS).lower().split())
    for pattern, word in _WORDS:
        out = pattern.sub(word, out)
    return out


@cache
def _tables() -> dict[str, dict[str, Unit]]:
    """Return dimension to spelling to unit."""
    text = (resources.files(__package__) / "data" / "units.toml").read_text("utf-8")
    tables: dict[str, dict[str, Unit]] = {}
    for dim, units in tomllib.loads(text).items():
        tables[dim] = {}
        for code, entry in units.items():
            unit = Unit(code=code, dim=dim, factor=Fraction(entry["factor"]))
            for spelling in (code, *entry.get("also", ())):
                if tables[dim].setdefault(_key(spelling), unit).factor != unit.factor:
                    raise ValueError(f"units.toml: two meanings for one spelling in {dim}")
    return tables


def same(one: str, other: str) -> bool:
    """Tell whether two texts are spellings of one unit."""
    return _key(one) == _key(other)


def known(text: str) -> bool:
    """Tell whether this is a unit of any dimension."""
    return any(_find(text, dim) for dim in _tables())


def _find(text: str, dim: str) -> Unit | None:
    """Return the unit, or the one that is left when UCUM annotations ({...}) are dropped."""
    table = _tables()[dim]
    found = table.get(_key(text))
    if found is None and "{" in text:
        bare = re.sub(r"\{[^{}]*\}", "", text)
        found = table.get(_key(bare)) if bare.strip(" /") else None
    return found


def parse(text: str, analyte: "Analyte") -> Unit | None:
    """Return the unit that this text means for this analyte, or None.

    ``G/L`` is giga per litre for a count and gram per litre for a mass: the analyte's dimensions
    decide, and no unit is spelled alike in two dimensions of one analyte.
    """
    if not text.strip():
        return _tables()["plain"]["1"] if analyte.dims == ("plain",) else None
    if analyte.percent_is and _key(text) == "%":
        return parse(analyte.percent_is, analyte)
    found = {unit for dim in analyte.dims if (unit := _find(text, dim)) is not None}
    return found.pop() if len({(u.dim, u.factor) for u in found}) == 1 else None


_MASS: Final = {"mass": "moles", "entitic": "entiticmoles"}


def turn(analyte: "Analyte", old: Unit, new: Unit) -> Turn | None:
    """Return how numbers of this analyte go from one unit to another, or None where they cannot."""
    if old.dim == new.dim or {old.dim, new.dim} == {"activity", "katal"}:
        return Turn(old.factor / new.factor)
    if old.dim == "equivalents" and analyte.charge:
        moles = Turn(old.factor / analyte.charge)
        return _chain(moles, turn(analyte, Unit(code="", dim="moles", factor=Fraction(1)), new))
    if new.dim == "equivalents" and analyte.charge:
        back = turn(analyte, old, Unit(code="", dim="moles", factor=Fraction(1)))
        return back and _chain(back, Turn(analyte.charge / new.factor))
    if analyte.molar and _MASS.get(old.dim) == new.dim:
        return Turn(old.factor / analyte.molar / new.factor)
    if analyte.molar and _MASS.get(new.dim) == old.dim:
        return Turn(old.factor * analyte.molar / new.factor)
    if (old.dim, new.dim) == ("glycated", "fraction"):  # both sides in mmol/mol and per cent
        return Turn(
            Fraction("0.09148") * old.factor * 1000 / (new.factor * 100),
            Fraction("2.152") / (new.factor * 100),
        )
    if (old.dim, new.dim) == ("fraction", "glycated"):
        slope = Fraction("0.09148")
        return Turn(
            old.factor * 100 / slope / (new.factor * 1000),
            -Fraction("2.152") / slope / (new.factor * 1000),
        )
    return None


def _chain(first: Turn, second: Turn | None) -> Turn | None:
    if second is None:
        return None
    return Turn(first.factor * second.factor, first.offset * second.factor + second.offset)
