"""What the walks over compressed frames share: one frame, its edits and its limits."""

import re
from dataclasses import dataclass, field
from typing import Final

from safelight.dicomio.limits import Limits

__all__ = ["ENCODER", "Edit", "FaultError", "Walk"]

_NONZERO: Final = re.compile(rb"[^\0]")
# Encoders sign their work; a name and a version tell nothing of a person, and leaving them avoids
# a copy of nearly every JPEG 2000 frame there is.
ENCODER: Final = re.compile(
    rb"(?:Created by OpenJPEG version \d{1,3}(?:\.\d{1,3}){1,2}"
    rb"|Kakadu-[vV]?\d{1,3}(?:\.\d{1,3}){0,3}"
    rb"|Creator: JasPer Version \d{1,3}(?:\.\d{1,3}){1,2}"
    rb"|Lavc\d{1,3}(?:\.\d{1,3}){1,2}"
    rb"|OpenHTJ2K|OpenJPH Ver \d{1,3}(?:\.\d{1,3}){1,2}\.?)\0*"
)


@dataclass(frozen=True, slots=True)
class Edit:
    """One run of bytes to overwrite: zeros from ``start`` to ``stop``, or ``data`` if given."""

    start: int
    stop: int
    data: bytes = b""

    def payload(self) -> bytes:
        """Return the bytes to write, exactly ``stop - start`` of them."""
        return self.data or bytes(self.stop - self.start)


class FaultError(Exception):
    """The codestream breaks its own rules here."""


@dataclass(slots=True)
class Walk:
    """One pass over one frame: where it is read and what is to be overwritten."""

    data: memoryview
    limits: Limits
    pixels: int
    edits: list[Edit] = field(default_factory=list)
    places: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    steps: int = 0

    def step(self) -> None:
        """Count one segment against the limit."""
        self.steps += 1
        if self.steps > self.limits.items:
            raise FaultError("more segments than the limit allows")

    def number(self, at: int, width: int, stop: int) -> int:
        """Return the big-endian number of ``width`` bytes at ``at``, all before ``stop``."""
        if at + width > stop:
            raise FaultError("it ends inside a header")
        return int.from_bytes(self.data[at : at + width], "big")

    def wipe(self, start: int, stop: int, place: str) -> None:
        """Mark the run for zeros, unless it is zeros already."""
        if start < stop and _NONZERO.search(self.data, start, stop):
            self.edits.append(Edit(start, stop))
            self.places.append(place)

    def put(self, start: int, data: bytes, place: str = "") -> None:
        """Mark the run for these bytes, unless they stand there already."""
        if bytes(self.data[start : start + len(data)]) != data:
            self.edits.append(Edit(start, start + len(data), data))
            if place:
                self.places.append(place)
