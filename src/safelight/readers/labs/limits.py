"""Limits where a report prints none: the site's own first, else cited ones; and critical limits.

Data in limits.toml; a site adds a TOML file of the same form (docs/labs.md).
"""

import re
import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
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
_TEXTS: Final = {"analyte", "unit", "sex", "context", "source"}
_CRITICAL_KEYS: Final = {"analyte", "unit", "low", "high", "source"}
_NUMBER: Final = re.compile(r"-?\d{1,9}(?:\.\d{1,9})?")
_ENDS: Final = 2  # numbers of an age
_FERTILE: Final = (Fraction(12), Fraction(56))  # years in which somebody may be pregnant
_BABY: Final = Fraction(1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """One cited limit in its own unit, and in ``also`` as its source gives it in others."""

    analyte: str
    unit: str
    span: Span
    also: tuple[str, Span] | None
    sex: str
    age: tuple[Fraction, Fraction] | None
    context: str
    source: str
    basis: Basis


@dataclass(frozen=True, slots=True, kw_only=True)
class Critical:
    """At or beyond this, on one ``side`` (``low`` or ``high``), somebody is to be told at once."""

    analyte: str
    unit: str
    side: str
    at: Fraction
    source: str
    basis: Basis

    def at_home(self) -> Fraction:
        """Return the limit in the unit of the analyte's table."""
        home = analytes.get(self.analyte)
        its, wanted = units.parse(self.unit, home), units.parse(home.unit, home)
        turn = units.turn(home, its, wanted) if its and wanted else None
        return turn(self.at) if turn else self.at


@dataclass(frozen=True, slots=True, kw_only=True)
class Book:
    """All limits: a site's before the cited ones. Limits for alarm go by analyte and side."""

    limits: tuple[Limit, ...]
    critical: Mapping[tuple[str, str], Critical]

    def of(self, analyte: str, person: Person) -> list[Limit]:
        """Return the limits that hold for this person: the site's if it has any, else cited.

        Sex and age must be known where a limit depends on them; several limits are returned where
        only the context (fasting, a pregnancy that may be) tells them apart. Empty where none holds
        for certain.
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

    def urgent(self, analyte: str, span: Span, unit: str, person: Person) -> Critical | None:
        """Return the limit for alarm that a span in this unit is at or beyond, if any."""
        if person.age is not None and person.age < _BABY:
            return None
        home = analytes.get(analyte)
        mine = units.parse(unit, home)
        for side in ("low", "high"):
            known = self.critical.get((analyte, side))
            its = units.parse(known.unit, home) if known else None
            turn = units.turn(home, mine, its) if mine and its else None
            if known is None or turn is None:
                continue
            moved = span.scaled(turn)
            edge = moved.high if side == "low" else moved.low
            if edge is not None and (edge <= known.at if side == "low" else edge >= known.at):
                return known
        return None


def _holds(each: Limit, person: Person) -> bool:
    if each.age is not None and (person.age is None or not each.age[0] <= person.age < each.age[1]):
        return False
    if each.sex and person.sex and each.sex != person.sex:
        return False
    stage = _CONTEXTS[each.context]
    if stage is None:
        return True
    if person.trimester is None:  # every stage may hold
        return stage == 0 or _may_be_pregnant(person)
    return person.trimester == stage


def _may_be_pregnant(person: Person) -> bool:
    age = person.age
    return person.sex != "M" and (age is None or _FERTILE[0] <= age < _FERTILE[1])


def _number(entry: Mapping[str, Any], key: str) -> Fraction | None:
    if key not in entry:
        return None
    value = entry[key]
    if isinstance(value, float):  # binary: 0.1 would not be 0.1
        raise SettingsError(f'{key} must be text, as in {key} = "12.0"', place=entry["analyte"])
    return _plain(value, entry)


def _plain(value: Any, entry: Mapping[str, Any]) -> Fraction:
    """Return a number that is written out.

    Raises:
        SettingsError: It is not.
    """
    told = str(value) if isinstance(value, int | str) and not isinstance(value, bool) else ""
    if not _NUMBER.fullmatch(told):
        raise SettingsError(
            'a number in the file of site limits cannot be read: it is text, as in "12.0"',
            place=entry["analyte"],
        )
    return Fraction(told)


def _ages(entry: Mapping[str, Any]) -> tuple[Fraction, Fraction] | None:
    """Return the ages that a row holds for; None where it holds for all.

    Raises:
        SettingsError: They are not two numbers that rise.
    """
    if "age" not in entry:
        return None
    age = entry["age"]
    ends = [_plain(each, entry) for each in age] if isinstance(age, list) else []
    if len(ends) != _ENDS or ends[0] >= ends[1]:
        raise SettingsError(
            'age is two numbers that rise, as in age = ["18", "120"]', place=entry["analyte"]
        )
    return ends[0], ends[1]


def _limit(entry: Mapping[str, Any], sources: Mapping[str, str], basis: Basis) -> Limit:
    other = entry.get("also")
    return Limit(
        analyte=entry["analyte"],
        unit=entry["unit"],
        span=_span(entry),
        also=(other["unit"], _span({**other, "analyte": entry["analyte"]})) if other else None,
        sex=entry.get("sex", ""),
        age=_ages(entry),
        context=entry.get("context", ""),
        source=sources.get(entry["source"], entry["source"]),
        basis=basis,
    )


def _span(entry: Mapping[str, Any]) -> Span:
    edge, high = _number(entry, "from"), _number(entry, "high")
    return Span(
        low=_number(entry, "low"),
        high=high if edge is None else edge,
        high_open=edge is not None,
    )


def _checked(entry: Any, allowed: set[str], what: str) -> Mapping[str, Any]:
    """Return one entry of a site's file.

    Raises:
        SettingsError: It cannot be used; nothing of it is guessed.
    """
    if not isinstance(entry, dict) or not {"analyte", "unit", "source"} <= set(entry):
        raise SettingsError(f"a row of [[{what}]] needs analyte, unit and source")
    if any(not isinstance(value, str) for key, value in entry.items() if key in _TEXTS):
        raise SettingsError(f"a row of [[{what}]] has something else where text belongs")
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
    named = told.get("sources", {})
    if not isinstance(named, dict) or any(not isinstance(each, str) for each in named.values()):
        raise SettingsError("[sources] of the file of site limits holds names and texts only")
    both = told.get("limits", []), told.get("critical", [])
    if any(not isinstance(each, list) for each in both):
        raise SettingsError("the file of site limits has its rows under [[limits]] or [[critical]]")
    rows = [_checked(each, _LIMIT_KEYS, "limits") for each in both[0]]
    acute = [_checked(each, _CRITICAL_KEYS, "critical") for each in both[1]]
    found = _book(rows, acute, named, Basis.SITE)
    for name, times in Counter((x.analyte, x.sex, x.age, x.context) for x in found.limits).items():
        if times > 1:
            raise SettingsError("two rows of [[limits]] are for the same people", place=name[0])
    return found


def _book(rows: Sequence[Any], acute: Sequence[Any], sources: Any, basis: Basis) -> Book:
    """Return the limits of one file.

    Raises:
        SettingsError: One is upside down, or two say where one alarm is.
    """
    limits = tuple(_limit(each, sources, basis) for each in rows)
    for each in limits:
        if (
            each.span.low is not None
            and each.span.high is not None
            and each.span.low >= each.span.high
        ):
            raise SettingsError("a limit is upside down", place=each.analyte)
    critical: dict[tuple[str, str], Critical] = {}
    for entry in acute:
        for alarm in _alarms(entry, sources, basis):
            if critical.setdefault((alarm.analyte, alarm.side), alarm) is not alarm:
                raise SettingsError(
                    f"two rows of [[critical]] have a {alarm.side} limit", place=alarm.analyte
                )
    return _upright(Book(limits=limits, critical=critical))


def _alarms(entry: Mapping[str, Any], sources: Any, basis: Basis) -> Iterator[Critical]:
    for side in ("low", "high"):
        at = _number(entry, side)
        if at is not None:
            yield Critical(
                analyte=entry["analyte"],
                unit=entry["unit"],
                side=side,
                at=at,
                source=sources.get(entry["source"], entry["source"]),
                basis=basis,
            )


def _upright(found: Book) -> Book:
    """Return a book of which every low limit for alarm lies below the high one.

    Raises:
        SettingsError: One does not.
    """
    for (analyte, side), alarm in found.critical.items():
        other = found.critical.get((analyte, "high"))
        if side == "low" and other is not None and alarm.at_home() >= other.at_home():
            raise SettingsError("the limits for alarm are upside down", place=analyte)
    return found


@cache
def _cited() -> Book:
    text = (resources.files(__package__) / "data" / "limits.toml").read_text("utf-8")
    told = tomllib.loads(text)
    return _book(told["limits"], told["critical"], told["sources"], Basis.CITED)


def book(site: str = "") -> Book:
    """Return the limits; ``site`` is the text of a site's TOML file, or empty.

    A site's limit for alarm stands in for the cited one of its side; the other side stays.

    Raises:
        SettingsError: The site's file cannot be used.
    """
    cited = _cited()
    if not site:
        return cited
    own = _site(site)
    both = {**cited.critical, **own.critical}
    return _upright(Book(limits=own.limits + cited.limits, critical=both))
