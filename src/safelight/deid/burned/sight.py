"""What one look at a picture saw, small enough to be sent between processes."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Protocol

from safelight.deid.boxes import Box
from safelight.deid.burned.find import Grey
from safelight.deid.burned.read import Reading
from safelight.deid.burned.strip import Strip

__all__ = ["NO_HINTS", "Candidate", "Hints", "Shown", "Sight", "Sort", "Told"]


class Shown(Protocol):
    """A picture as a viewer shows it: ``pixels.render.Picture`` and whatever else has these."""

    @property
    def grey(self) -> Grey:
        """The brightness, shape (rows, columns), 0 to 255."""

    @property
    def rgb(self) -> Grey | None:
        """The colours, shape (rows, columns, 3); None for a grey picture."""


class Told(Protocol):
    """What hints are taken from: ``pixels.header.PixelHeader`` and whatever else has these."""

    @property
    def burned_in(self) -> str:
        """Burned In Annotation (0028,0301)."""

    @property
    def image_type(self) -> Sequence[str]:
        """Values of Image Type (0008,0008)."""

    @property
    def sop_class(self) -> str:
        """SOP Class UID (0008,0016)."""

    @property
    def modality(self) -> str:
        """Modality (0008,0060)."""


_MADE: Final = frozenset({"DERIVED", "SECONDARY", "SCREEN SAVE", "SCREENSAVE", "REFORMATTED"})
_CAPTURES: Final = "1.2.840.10008.5.1.4.1.1.7"  # Secondary Capture, single and multi-frame
_FILMS: Final = frozenset({"OT", "SC", "HC", "XC", "DOC"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Hints:
    """What a header says that may call for a closer look. It never calls for a lesser one.

    Attributes:
        closer: Burned In Annotation is YES, the image is a secondary capture, derived or of a
            photographed film, or ultrasound with regions: look at more scales.
        areas: Ultrasound regions (0018,6011): the parts of the picture that hold the image itself,
            where calipers and measurements stand.
    """

    closer: bool = False
    areas: Sequence[Box] = ()

    @classmethod
    def of(cls, header: Told, areas: Sequence[Box] = ()) -> "Hints":
        """Return the hints that a header gives; what it says never makes the look a lesser one.

        Args:
            header: Burned In Annotation, Image Type, SOP class and modality.
            areas: Ultrasound regions as boxes.
        """
        closer = (
            header.burned_in.upper().startswith("Y")
            or bool(_MADE & {value.upper() for value in header.image_type})
            or header.sop_class.startswith(_CAPTURES)
            or header.modality.upper() in _FILMS
            or bool(areas)
        )
        return cls(closer=closer, areas=tuple(areas))


NO_HINTS = Hints()


class Sort(StrEnum):
    """What was found."""

    TEXT = "text"
    CODE = "bar code"
    PATTERN = "pattern like a bar code"


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """One thing found.

    Attributes:
        sort: Text, or a code.
        strip: Where, without padding.
        score: How sure the finders are that it is what ``sort`` says, 0 to 1.
        reading: What it says; None when it was not read.
        weak: Whether no engine confirmed it: taken for anatomy unless something else speaks for it.
    """

    sort: Sort
    strip: Strip
    score: float
    reading: Reading | None = None
    weak: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """All that was found in one picture.

    Attributes:
        rows: Height of the picture.
        columns: Width of the picture.
        frame: Number of the frame or slice, from 0; None for what stands in all of them.
        found: The things found.
    """

    rows: int
    columns: int
    frame: int | None
    found: Sequence[Candidate]
