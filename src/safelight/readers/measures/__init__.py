"""Measurements: computed from the standard, or refused with the reason; never guessed.

    for each in measure(view): print(each.name.meaning, each.value, each.unit, each.refused)

CT numbers are ``hu``, uptake values ``suv``, distances and areas ``spacing``; see
docs/measurements.md.
"""

from safelight.readers.measures import hu, spacing, suv
from safelight.readers.measures.common import modality_of
from safelight.readers.measures.hu import statistics as hu_statistics
from safelight.readers.measures.spacing import area, distance
from safelight.readers.measures.suv import statistics as suv_statistics
from safelight.readers.reading import Measurement
from safelight.readers.view import View

__all__ = ["area", "distance", "hu_statistics", "measure", "suv_statistics"]


def measure(view: View, frame: int | None = None) -> tuple[Measurement, ...]:
    """Return what can be measured of a frame without anyone pointing at a place in it.

    Args:
        view: The input. One without pictures, or without a header, gives nothing.
        frame: From 0; None for the middle one.
    """
    if view.dataset is None or not view.frames:
        return ()
    at = view.middle if frame is None else frame
    found = list(spacing.extent(view, at))
    modality = modality_of(view)
    if modality == "CT":
        found += hu.statistics(view, at)
    if modality == "PT":
        found += suv.statistics(view, at)
    return tuple(found)
