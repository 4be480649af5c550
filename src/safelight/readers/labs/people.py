"""What a report says of the person that a limit depends on: sex, and age in whole months.

A birth date is read to work out the age and is dropped at once; the age is never put out.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from fractions import Fraction
from typing import Final

from safelight.readers.labs.model import Person
from safelight.readers.labs.specimen import name_key

__all__ = ["Birth", "Lived", "age_at", "given", "moment", "sex_of", "sexes"]

_SEX: Final = {
    **dict.fromkeys(("f", "female", "w", "weiblich", "woman", "femme", "femenino", "mujer"), "F"),
    **dict.fromkeys(
        ("m", "male", "mannlich", "männlich", "man", "homme", "masculino", "hombre"), "M"
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Birth:
    """Sex and birth date of one person of a file, inside the reader only."""

    sex: str = ""
    born: date | None = None

    def __repr__(self) -> str:
        return "Birth(...)"


def sex_of(text: str) -> str:
    """Return ``F``, ``M`` or nothing."""
    return _SEX.get(text.strip().lower(), "")


_ALSO_WOMAN: Final = {"sexo", "genero"}  # headers below which M may be mujer


def sexes(head: str, values: Iterable[str]) -> dict[str, str]:
    """Return the sex that each value of a column means, ``F``, ``M`` or nothing.

    ``M`` is a woman beside H (hombre) or V (varón), and in a Spanish column that shows neither
    these nor F it is not known. H beside F is a man.
    """
    every = list(values)
    said = {each.strip().lower() for each in every}
    women = "f" in said
    letters = {"h": "M", "v": "M"} if said & {"h", "v"} and (women or "m" in said) else {}
    if letters and "m" in said:
        letters = dict.fromkeys("hvm", "") if women else {**letters, "m": "F"}
    elif name_key(head) in _ALSO_WOMAN and not women:
        letters = {"h": "M", "v": "M", "m": ""}
    return {each: letters.get(each.strip().lower(), sex_of(each)) for each in every}


_FORMS: Final = ("%d.%m.%Y %H:%M", "%d.%m.%Y", "%d.%m.%y", "%Y/%m/%d")
_DIGITS: Final = re.compile(r"(\d+)(?:\.\d+)?(?:[+-]\d{4})?")  # of HL7 v2: parts of a second, zone
_BY_LENGTH: Final = {8: "%Y%m%d", 10: "%Y%m%d%H", 12: "%Y%m%d%H%M", 14: "%Y%m%d%H%M%S"}
_ISO: Final = re.compile(r"\d{4}-\d\d-\d\d(?:[T ].*)?")


def moment(text: str) -> datetime | None:
    """Return a point in time as it stands on the clock of its place; None where it is not whole.

    Days and months that could be taken for each other (03/04/2026) are not read, and a year or a
    month alone is no point in time.
    """
    raw = text.strip()
    try:
        if digits := _DIGITS.fullmatch(raw):
            form = _BY_LENGTH.get(len(digits[1]))
            return datetime.strptime(digits[1], form) if form else None  # noqa: DTZ007  # the clock of its place
        if _ISO.fullmatch(raw):
            return datetime.fromisoformat(raw).replace(tzinfo=None)
    except ValueError:
        return None
    for form in _FORMS:
        try:
            return datetime.strptime(raw, form)  # noqa: DTZ007  # as above
        except ValueError:
            continue
    return None


@dataclass(frozen=True, slots=True)
class Lived:
    """How long somebody had lived, in whole days and in whole months. Stays inside the reader."""

    days: int
    months: int

    @classmethod
    def of(cls, born: date | None, when: datetime | None) -> "Lived | None":
        """Return it where both are known."""
        if born is None or when is None or when.date() < born:
            return None
        months = (when.year - born.year) * 12 + when.month - born.month - (when.day < born.day)
        return cls((when.date() - born).days, max(months, 0))

    def reached(self, bound: Fraction, unit: str) -> bool | None:
        """Tell whether an age in ``d``, ``wk``, ``mo`` or ``a`` is reached; None between months."""
        if unit in {"d", "wk"}:
            return self.days >= bound * (7 if unit == "wk" else 1)
        months = bound * (12 if unit == "a" else 1)
        return self.months >= months if months.denominator == 1 else None


def age_at(born: date | None, when: datetime | None) -> Fraction | None:
    """Return the age in years, to whole months."""
    lived = Lived.of(born, when)
    return None if lived is None else Fraction(lived.months, 12)


def given(birth: Birth, when: datetime | None, told: Person) -> Person:
    """Return what is known of a person: as told, else as the file says; a conflict is not known."""
    age = age_at(birth.born, when)
    year = 2
    if told.age is not None and age is not None and abs(told.age - age) >= year:
        age = None
    elif told.age is not None:
        age = told.age
    sex = told.sex or birth.sex
    if told.sex and birth.sex and told.sex != birth.sex:
        sex = ""
    return Person(sex=sex, age=age, trimester=told.trimester)
