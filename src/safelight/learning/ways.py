"""The ways in which a cohort and its population are told apart: age, sex, both, region, device."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from safelight.feedback.values import Facts
from safelight.learning.reference import Cell, Reference

__all__ = ["WAYS", "Bands", "shares_of", "told"]

OUTSIDE: Final = "outside"
_FINE: Final = 10  # years in a band of "age", where the population tells as much
_COARSE: Final = 20  # in one of "age and sex": few cells show more at a hundred people

# How each dimension tells a member, and a line of the population, apart.
_Key = Callable[[Facts, "Bands"], str]
_Place = Callable[[Cell, "Bands"], str]


@dataclass(frozen=True, slots=True)
class Bands:
    """Bands of ages of a population, and unions of them."""

    ends: tuple[tuple[int, int], ...]

    @classmethod
    def of(cls, reference: Reference) -> "Bands":
        """Return the bands of a population."""
        return cls(tuple(sorted({(cell.first, cell.last) for cell in reference.cells})))

    def joined(self, age: float | None, years: int) -> str:
        """Return the union of bands that begin in the same so many years as an age's band.

        Returns:
            ``40-49``; ``outside`` of all bands; empty when the age is not known.
        """
        if age is None or not age >= 0:
            return ""
        start = next((one[0] for one in self.ends if one[0] <= int(age) <= one[1]), None)
        if start is None:
            return OUTSIDE
        mine = [one for one in self.ends if one[0] // years == start // years]
        return _named(mine[0][0], mine[-1][1])


def _named(first: int, last: int) -> str:
    return f"{first}+" if last >= 150 else f"{first}-{last}"  # noqa: PLR2004  # the open band


def _pair(age: str, sex: str) -> str:
    if OUTSIDE in (age, sex):
        return OUTSIDE
    return f"{age} {sex}" if age and sex else ""


WAYS: Final[Mapping[str, tuple[frozenset[str], _Key, _Place]]] = {
    "age": (
        frozenset({"age"}),
        lambda one, bands: bands.joined(one.age, _FINE),
        lambda cell, bands: bands.joined(cell.first, _FINE),
    ),
    "sex": (frozenset({"sex"}), lambda one, _: one.sex, lambda cell, _: cell.sex),
    "age and sex": (
        frozenset({"age", "sex"}),
        lambda one, bands: _pair(bands.joined(one.age, _COARSE), one.sex),
        lambda cell, bands: _pair(bands.joined(cell.first, _COARSE), cell.sex),
    ),
    "region": (frozenset({"region"}), lambda one, _: one.region, lambda cell, _: cell.region),
    "device": (frozenset({"device"}), lambda one, _: one.device, lambda cell, _: cell.device),
}


def told(reference: Reference) -> list[str]:
    """Return the ways in which a population tells people apart."""
    return [name for name, (needs, _, _) in WAYS.items() if needs <= reference.told]


def shares_of(reference: Reference, name: str, bands: Bands) -> dict[str, float]:
    """Return the share of each category of a population."""
    place = WAYS[name][2]
    sums: dict[str, float] = {}
    for cell in reference.cells:
        where = place(cell, bands)
        if where:
            sums[where] = sums.get(where, 0.0) + cell.count
    total = sum(sums.values())
    return {where: count / total for where, count in sums.items()}
