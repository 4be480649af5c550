"""What a report is made of, before it becomes a page or a PDF: both show the same words."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

__all__ = ["Block", "Bullets", "Fold", "Heading", "Pairs", "Picture", "Rows", "Text", "Tone"]


class Tone(StrEnum):
    """How a sentence is set."""

    PLAIN = "plain"
    LEAD = "lead"
    SOFT = "soft"
    WARN = "warn"  # set off with a bar: read this before anything else


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading; level 2 or 3."""

    text: str
    level: int = 2


@dataclass(frozen=True, slots=True)
class Text:
    """One paragraph."""

    text: str
    tone: Tone = Tone.PLAIN


@dataclass(frozen=True, slots=True)
class Bullets:
    """A list of sentences."""

    items: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Pairs:
    """Names and values."""

    pairs: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Rows:
    """A table.

    Attributes:
        label: What it is, for people who cannot see it.
        numeric: Columns that are set to the right.
    """

    label: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numeric: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Picture:
    """A PNG file with what it shows, in words."""

    png: bytes
    alt: str
    legend: str = ""


@dataclass(frozen=True, slots=True)
class Fold:
    """What is opened by hand; a PDF shows it open, on a page of its own."""

    title: str
    blocks: "Sequence[Block]"


Block = Heading | Text | Bullets | Pairs | Rows | Picture | Fold
