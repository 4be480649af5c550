"""The data dictionary and the UID registry, as compact tables (PS3.6; generated).

Importing pydicom for these two look-ups would cost a run more than many files do, so they are read
from ``data/dictionary.tsv`` and ``data/uids.tsv`` on first use: a few milliseconds, once.
"""

from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Final

__all__ = [
    "Entry",
    "is_image_sop_class",
    "is_storage_sop_class",
    "lookup",
    "read_rows",
    "uid_known",
]

_DATA: Final = Path(__file__).parent / "data"
_TAG_DIGITS: Final = 8
_CONTEXT_GROUP: Final = "1.2.840.10008.6.1."
_CONTEXT_GROUPS: Final = 1600  # room above the last one registered (PS3.6 2024c Table A-3)


@dataclass(frozen=True, slots=True)
class Entry:
    """One row of the registry of data elements.

    Attributes:
        vr: Value representation; several joined by `` or `` where the standard leaves a choice.
        vm: Value multiplicity, e.g. ``1``, ``1-n``, ``2-2n``.
        keyword: The standard's keyword, e.g. ``PatientName``; empty for a few retired rows.
        retired: True if the standard has retired the element.
    """

    vr: str
    vm: str
    keyword: str
    retired: bool


def read_rows(path: Path) -> list[str]:
    """Return the lines of a generated table without its heading (lines that start with ``#``)."""
    lines = path.read_text(encoding="utf-8").split("\n")
    return [line for line in lines if line and not line.startswith("#")]


@cache
def _elements() -> tuple[dict[int, str], list[tuple[int, int, str]]]:
    """Raw rows by tag, and the repeating groups as (mask, value, row); split when asked."""
    exact: dict[int, str] = {}
    repeating: list[tuple[int, int, str]] = []
    for row in read_rows(_DATA / "dictionary.tsv"):
        tag = row[:_TAG_DIGITS]
        if "x" in tag:
            mask = int("".join("0" if digit == "x" else "f" for digit in tag), 16)
            repeating.append((mask, int(tag.replace("x", "0"), 16), row))
        else:
            exact[int(tag, 16)] = row
    return exact, repeating


@lru_cache(maxsize=16_384)  # bounded: a hostile file may hold any tag
def lookup(tag: int) -> Entry | None:
    """Return the dictionary's row for a tag, or None if the standard does not list it.

    Repeating groups (50xx, 60xx, 0020,31xx, ...) are found for even groups. Private tags and group
    lengths of groups other than 0000, 0002 and 0004 are not in the dictionary.

    Args:
        tag: Group in the upper 16 bits, element in the lower 16.

    Source: PS3.6 Tables 6-1, 7-1 and 8-1; PS3.7 Table E.1-1.
    """
    exact, repeating = _elements()
    row = exact.get(tag)
    if row is None and not tag & 0x0001_0000:
        row = next((found for mask, value, found in repeating if tag & mask == value), None)
    if row is None:
        return None
    _, vr, vm, keyword, retired = row.split("\t")
    return Entry(vr=vr, vm=vm, keyword=keyword, retired=retired == "R")


@cache
def _uids() -> dict[str, str]:
    rows = (row.partition("\t") for row in read_rows(_DATA / "uids.tsv"))
    return {uid: kind for uid, _, kind in rows}


def uid_known(uid: str) -> bool:
    """Return True if this exact UID is registered by DICOM or names a well-known coding scheme.

    Such a UID says which standard object is meant, never whose. A mere DICOM prefix is not enough:
    anybody can write digits behind ``1.2.840.10008``. Context groups are numbered in one row.

    Args:
        uid: The UID without padding.

    Source: PS3.6 Tables A-1 to A-5; PS3.16 Table 8-1.
    """
    if uid in _uids():
        return True
    number = uid.removeprefix(_CONTEXT_GROUP)
    if number == uid or not number.isascii() or not number.isdigit() or number[0] == "0":
        return False
    return len(number) <= len(str(_CONTEXT_GROUPS)) and int(number) <= _CONTEXT_GROUPS


def is_storage_sop_class(uid: str) -> bool:
    """Return True if the UID is a storage SOP class of the standard, retired ones included.

    Source: PS3.4 Table B.5-1, PS3.6 Table A-1.
    """
    return _uids().get(uid, "") != ""


def is_image_sop_class(uid: str) -> bool:
    """Return True if the UID is a storage SOP class of images, whose objects hold pixel data.

    Source: PS3.4 Table B.5-1, PS3.6 Table A-1: the names that end in ``Image Storage``.
    """
    return _uids().get(uid, "") == "I"
