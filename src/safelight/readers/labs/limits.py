"""Limits where a report prints none: the site's own first, else cited ones; and critical limits.

Data in limits.toml; a site adds a TOML file of the same form (docs/labs.md).
"""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from importlib import resources
from typing import Any, Final

from safelight.errors import SettingsError
from safelight.readers.labs import analytes, units
from safelight.readers.labs.model import Basis, Person, Span

__all__ = ["Book", "Critical", "Limit", "book"]

_CONTEXTS: Final = {
    "": None,
    "fasting": None,
    "not fasting": None,
    "not pregnant": 0,
    "pregnant, months 1 to 3": 1,
    "pregnant, months 4 to 6": 2,
    "pregnant, months 7 to 9": 3,
}
_LIMIT_KEYS: Final = {"analyte", "unit", "sex", "age", "low", "high", "from", "context", "source"}
_CRITICAL_KEYS: Final = {"analyte", "unit", "low", "high", "source"}
_BABY: Final = Fraction(1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """One cited limit in its own unit."""

    analyte: str
    unit: str
    span: Span
    sex: str
    age: tuple[Fraction, Fraction] | None
    context: str
    source: str
    basis: Basis


@dataclass(frozen=True, slots=True, kw_only=True)
class Critical:
    """At or beyond these somebody is to be told at once."""

    analyte: str
    unit: str
    low: Fraction | None
    high: Fraction | None
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Book:
    """All limits: a site's before the cited ones."""

    limits: tuple[Limit, ...]
    critical: Mapping[str, Critical]

    def of(self, analyte: str, person: Person) -> list[Limit]:
        """Return the limits that hold for this person: the site's if it has any, else cited.

        Sex and age must be known where a limit depends on them; several limits are returned where
        only the context (fasting) tells them apart. Empty where none holds for certain.
        """
        for basis in (Basis.SITE, Basis.CITED):
            mine = [each for each in self.limits if each.analyte == analyte and each.basis is basis]
            if not mine:
                continue
            found = [each for each in mine if _holds(each, person)]
            if not person.sex and any(each.sex for each in found):
                sexes = {each.sex for each in found if each.sex}
                return found if sexes >= {"F", "M"} else []
            return found
        return []

    def urgent(self, analyte: str, span: Span, unit: str, person: Person) -> tuple[str, str]:
        """Return ``low``, ``high`` or nothing, and the source, for a span in this unit."""
        known = self.critical.get(analyte)
        if known is None or (person.age is not None and person.age < _BABY):
            return "", ""
        home = analytes.get(analyte)
        mine, its = units.parse(unit, home), units.parse(known.unit, home)
        turn = units.turn(home, mine, its) if mine and its else None
        if turn is None:
            return "", ""
        moved = span.scaled(turn)
        if known.low is not None and moved.high is not None and moved.high <= known.low:
            return "low", known.source
        if known.high is not None and moved.low is not None and moved.low >= known.high:
            return "high", known.source
        return "", ""


def _holds(each: Limit, person: Person) -> bool:
    if each.age is not None and (person.age is None or not each.age[0] <= person.age < each.age[1]):
        return False
    if each.sex and person.sex and each.sex != person.sex:
        return False
    stage = _CONTEXTS[each.context]
    return stage is None or (person.trimester or 0) == stage


def _number(entry: Mapping[str, Any], key: str) -> Fraction | None:
    if key not in entry:
        return None
    value = entry[key]
    if isinstance(value, float):  # binary: 0.1 would not be 0.1
        raise SettingsError(f'{key} must be text, as in {key} = "12.0"', place=entry["analyte"])
    return Fraction(str(value))


def _limit(entry: Mapping[str, Any], sources: Mapping[str, str], basis: Basis) -> Limit:
    age = entry.get("age")
    edge, high = _number(entry, "from"), _number(entry, "high")
    return Limit(
        analyte=entry["analyte"],
        unit=entry["unit"],
        span=Span(
            low=_number(entry, "low"),
            high=high if edge is None else edge,
            high_open=edge is not None,
        ),
        sex=entry.get("sex", ""),
        age=(Fraction(str(age[0])), Fraction(str(age[1]))) if age else None,
        context=entry.get("context", ""),
        source=sources.get(entry["source"], entry["source"]),
        basis=basis,
    )


def _checked(entry: Any, allowed: set[str], what: str) -> Mapping[str, Any]:
    """Return one entry of a site's file.

    Raises:
        SettingsError: It cannot be used; nothing of it is guessed.
    """
    if not isinstance(entry, dict) or not {"analyte", "unit", "source"} <= set(entry):
        raise SettingsError(f"a row of [[{what}]] needs analyte, unit and source")
    if unknown := set(entry) - allowed:
        raise SettingsError(f"a row of [[{what}]] has an unknown key", place=min(unknown))
    key = entry["analyte"]
    if key not in analytes.table():
        raise SettingsError(f"a row of [[{what}]] names an analyte that is not in the table")
    analyte = analytes.get(key)
    if units.parse(str(entry["unit"]), analyte) is None:
        raise SettingsError(f"a row of [[{what}]] has a unit that does not fit", place=key)
    if not {"low", "high", "from"} & set(entry) or {"high", "from"} <= set(entry):
        raise SettingsError(f"a row of [[{what}]] needs low, or high, or from", place=key)
    if entry.get("sex", "") not in {"", "F", "M"} or entry.get("context", "") not in _CONTEXTS:
        raise SettingsError(
            f"a row of [[{what}]] has a sex or context that is not known", place=key
        )
    return entry


def _site(text: str) -> Book:
    """Read a site's file.

    Raises:
        SettingsError: It is not TOML, or a row cannot be used.
    """
    try:
        told = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        raise SettingsError("the file of site limits is not TOML") from None
    if unknown := set(told) - {"limits", "critical", "sources"}:
        raise SettingsError("the file of site limits has an unknown table", place=min(unknown))
    rows = [_checked(each, _LIMIT_KEYS, "limits") for each in told.get("limits", ())]
    acute = [_checked(each, _CRITICAL_KEYS, "critical") for each in told.get("critical", ())]
    try:
        return _book(rows, acute, told.get("sources", {}), Basis.SITE)
    except (ValueError, TypeError, IndexError):
        raise SettingsError("a number in the file of site limits cannot be read") from None


def _book(rows: Sequence[Any], acute: Sequence[Any], sources: Any, basis: Basis) -> Book:
    limits = tuple(_limit(each, sources, basis) for each in rows)
    for each in limits:
        if (
            each.span.low is not None
            and each.span.high is not None
            and each.span.low >= each.span.high
        ):
            raise SettingsError("a limit is upside down", place=each.analyte)
    critical = {
        each["analyte"]: Critical(
            analyte=each["analyte"],
            unit=each["unit"],
            low=_number(each, "low"),
            high=_number(each, "high"),
            source=sources.get(each["source"], each["source"]),
        )
        for each in acute
    }
    return Book(limits=limits, critical=critical)


@cache
def _cited() -> Book:
    text = (resources.files(__package__) / "data" / "limits.toml").read_text("utf-8")
    told = tomllib.loads(text)
    return _book(told["limits"], told["critical"], told["sources"], Basis.CITED)


def book(site: str = "") -> Book:
    """Return the limits; ``site`` is the text of a site's TOML file, or empty.

    Raises:
        SettingsError: The site's file cannot be used.
    """
    cited = _cited()
    if not site:
        return cited
    own = _site(site)
    return Book(limits=own.limits + cited.limits, critical={**cited.critical, **own.critical})
