"""Private elements known to be safe (PS3.15 E.3.10 and TCIA's knowledge base); generated data."""

from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Final

from safelight.dicomio import dictionary

__all__ = ["Safe", "lookup", "normal"]

_DATA: Final = Path(__file__).parent / "data" / "safe_private.tsv"


@dataclass(frozen=True, slots=True)
class Safe:
    """A private element that may stay.

    Attributes:
        vr: Its VR; what stands in a file may be UN or implicit.
        source: ``PS3.15`` or ``TCIA``: the list that calls it safe.
    """

    vr: str
    source: str


def normal(creator: str) -> str:
    """Return a private creator as the list spells it: padding off, one space, upper case."""
    return " ".join(creator.replace("\0", " ").split()).upper()


@cache
def _rows() -> dict[str, str]:
    """Creator, group and low byte (tab between them) to VR and source."""
    rows = (row.rsplit("\t", 2) for row in dictionary.read_rows(_DATA))
    return {key: f"{vr}\t{source}" for key, vr, source in rows}


@lru_cache(maxsize=8192)  # bounded: creators come from files
def lookup(creator: str, group: int, element_low: int) -> Safe | None:
    """Return what is known of a private element, or None if it is not known to be safe.

    Args:
        creator: Value of the private creator element that reserves the block, padded or not.
        group: Odd group number.
        element_low: Low byte of the element number (the high byte is the block's).

    Source: PS3.15 Table E.3.10-1; TCIA Private Tag Knowledge Base, 2024-02-01.
    """
    found = _rows().get(f"{normal(creator)}\t{group:04x}\t{element_low:02x}")
    if found is None:
        return None
    vr, _, source = found.partition("\t")
    return Safe(vr=vr, source=source)
