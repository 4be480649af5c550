"""Types of attributes in the IOD of an object (PS3.3), for codes such as X/Z/D.

Only the modules of IODs that are asked for are parsed: a run over one kind of object reads a few
kilobytes of ``data/iod_types.tsv``.
"""

from enum import IntEnum
from functools import cache
from pathlib import Path
from typing import Final

from safelight.dicomio import dictionary

__all__ = ["Type", "known", "type_of"]

_DATA: Final = Path(__file__).parent / "data" / "iod_types.tsv"
_ANY: Final = "*"


class Type(IntEnum):
    """How an IOD wants an attribute, the strictest first (PS3.5 7.4)."""

    ONE = 1  # with a value
    ONE_C = 2  # with a value, under a condition
    TWO = 3  # may be empty
    TWO_C = 4  # may be empty, under a condition
    THREE = 5  # optional, or not in the IOD

    @property
    def label(self) -> str:
        """As the standard writes it: ``1``, ``1C``, ``2``, ``2C``, ``3``."""
        return ("1", "1C", "2", "2C", "3")[self - 1]


Types = dict[tuple[int, int], Type]


@cache
def _lines() -> tuple[dict[str, str], dict[str, str], dict[str, str]]:
    """Raw lines: modules, IODs and SOP classes, by their key."""
    kinds: dict[str, dict[str, str]] = {"M": {}, "I": {}, "C": {}}
    for row in dictionary.read_rows(_DATA):
        kind, key, value = row.split("\t")
        kinds[kind][key] = value
    return kinds["M"], kinds["I"], kinds["C"]


@cache
def _module(key: str) -> Types:
    """Types by (parent tag, tag); an entry is 9 characters at the top and 17 when nested."""
    found: Types = {}
    for entry in _lines()[0][key].split(" "):
        parent = int(entry[:-9] or "0", 16)
        found[parent, int(entry[-9:-1], 16)] = Type(int(entry[-1]))
    return found


@cache
def _iod(name: str) -> Types:
    """The strictest Type of each attribute over all modules of an IOD."""
    found: Types = {}
    for key in _lines()[1][name].split(" "):
        for place, kind in _module(key).items():
            found[place] = min(kind, found.get(place, kind))
    return found


def known(sop_class: str) -> bool:
    """Return True if the SOP class has an IOD here."""
    return sop_class in _lines()[2]


def type_of(sop_class: str, parent: int, tag: int) -> Type:
    """Return the attribute's Type in the object's IOD; Type 3 also if it is not in it.

    Whether the condition of a 1C or 2C holds is not judged here. Where modules differ the
    strictest counts. In an item that the IOD does not have, and in a SOP class that is
    unknown, the strictest Type of any module counts: that is always valid.

    Args:
        sop_class: SOP Class UID without padding.
        parent: Tag of the enclosing sequence, 0 at the top.
        tag: The attribute.

    Source: PS3.3 Annexes A and C; PS3.5 7.4 (Types).
    """
    iod = _lines()[2].get(sop_class)
    if iod is None:
        return _module(_ANY).get((parent, tag), Type.THREE)
    kind = _iod(iod).get((parent, tag))
    if kind is None and parent:
        kind = _module(_ANY).get((parent, tag))
    return kind or Type.THREE
