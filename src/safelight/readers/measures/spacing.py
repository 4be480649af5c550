"""Distances and areas in the patient, where the header says how large a pixel is there.

Source: PS3.3 10.7.1 (Pixel Spacing and its calibration), 10.7.1.3 (at the detector: Imager Pixel
Spacing; the estimated magnification of C.8.7.2), C.8.5.5 (ultrasound regions), C.7.6.16.2.1
(enhanced objects). A size at the detector is not a size in the patient, and is refused as one.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from safelight.readers import tags
from safelight.readers.measures.common import (
    AREA,
    DISTANCE,
    SCOUTS,
    fault,
    holders,
    modality_of,
    odd_groups,
    own,
    place_of,
    refused,
    types_of,
)
from safelight.readers.measures.projected import (
    Spacing,
    from_film,
    pair,
    projected,
    scanned,
)
from safelight.readers.reading import Code, Measurement
from safelight.readers.view import View

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

__all__ = ["Spacing", "UltrasoundScale", "area", "distance", "extent", "regions_of", "spacing_of"]

Point = tuple[float, float]

_MEASURES: Final = 0x00289110
_US_REGIONS: Final = 0x00186011
_PROJECTIONS: Final = frozenset(("CR", "DX", "MG", "RG", "PX", "IO", "XA", "RF", "RTIMAGE"))
_CROSS: Final = frozenset(("CT", "MR", "PT", "NM", "ST"))
_NOT_LENGTHS: Final = "the region's directions (0018,6024), (0018,6026) are not both lengths"
_NOT_IN_PATIENT: Final = (
    "the modality is not one whose Pixel Spacing (0028,0030) lies in the patient"
)
# Physical Units and Physical Delta of a direction
_US_TAGS: Final = {"X": ("(0018,6024)", "(0018,602C)"), "Y": ("(0018,6026)", "(0018,602E)")}
_BEYOND: Final = (
    "the region (0018,6018) to (0018,601E) reaches beyond the picture, which may have been resized"
)
_STEEPEST: Final = 1e6  # of any unit in one pixel
_SIDES: Final = (2.0, 3000.0)  # mm: a picture's sides in the patient
_DEEPEST: Final = 100.0  # cm: a region of an ultrasound image is not wider or deeper
# Physical Units X and Y Direction (0018,6024), (0018,6026): UCUM, and how much of the unit one is
_UNITS: Final = {3: "cm", 4: "s", 5: "Hz", 6: "dB/s", 7: "cm/s", 8: "cm2", 9: "cm2/s", 10: "cm3",
                 11: "cm3/s", 12: "deg"}  # fmt: skip
_MM: Final = 10.0
_CORNERS: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class UltrasoundScale:
    """A calibrated region of an ultrasound image.

    Attributes:
        box: Left, top, right, bottom: the corners are part of it.
        x_unit: Of its columns, UCUM; empty when unknown.
        y_unit: Of its rows.
        x: How much one column is, in ``x_unit``.
        y: How much one row is.
        why: Why a direction cannot be measured: of its columns, of its rows; empty where it can.
    """

    box: tuple[int, int, int, int]
    x_unit: str
    y_unit: str
    x: float
    y: float
    why: tuple[str, str] = ("", "")

    def holds(self, point: Point) -> bool:
        """Tell whether a point (column, row) lies in it."""
        left, top, right, bottom = self.box
        return left <= point[0] <= right and top <= point[1] <= bottom

    @property
    def metric(self) -> bool:
        """Whether both directions are lengths."""
        return self.x_unit == self.y_unit == "cm"


def spacing_of(view: View, frame: int = 0) -> Spacing | str:
    """Return the spacing of one frame's pixels in the patient, or why it is not known."""
    found, header = _spacing(view, frame), view.pixels
    if isinstance(found, str) or header is None:
        return found
    sides = header.rows * found.row, header.columns * found.column
    if not _SIDES[0] <= min(sides) <= max(sides) <= _SIDES[1]:
        return (
            "the size of a pixel makes no sense: what is shown would be wider than 3 m, or "
            "narrower than 2 mm"
        )
    return found


def _spacing(view: View, frame: int) -> Spacing | str:
    dataset = view.dataset
    if dataset is None:
        return "a file without a DICOM header does not say how large a pixel is"
    if tags.items(dataset, _US_REGIONS):
        return "an ultrasound image is measured region by region (0018,6011)"
    modality = modality_of(view)
    if scanned(view, dataset):
        if modality not in _PROJECTIONS | _CROSS:
            return _NOT_IN_PATIENT
        return from_film(dataset)
    if modality in _PROJECTIONS:
        return projected(dataset)
    if not modality:
        return "Modality (0008,0060) is missing, and the kind of object does not tell it"
    if modality not in _CROSS:
        return _NOT_IN_PATIENT
    return _cross(view, dataset, modality, frame)


def _cross(view: View, dataset: "Dataset", modality: str, frame: int) -> Spacing | str:
    """Return the spacing of a section through the patient."""
    if odd := odd_groups(view):
        return odd
    if modality == "CT" and types_of(dataset, frame) & SCOUTS:
        return "a scout view is magnified, and the header does not say by how much"
    for holder in holders(dataset, frame, _MEASURES):
        found = pair(holder, "PixelSpacing")
        if found:
            return Spacing(row=found[0], column=found[1], method="Pixel Spacing (0028,0030)")
        if "PixelSpacing" in holder:
            return f"Pixel Spacing (0028,0030) {fault(holder, 'PixelSpacing')}"
    return "Pixel Spacing (0028,0030) is missing"


def regions_of(view: View) -> tuple[UltrasoundScale, ...]:
    """Return the calibrated regions of an ultrasound image, in the order of the header.

    A region without corners, or all of which lies beyond the picture, is left out. One that ends
    behind the picture's last pixel ends there; one that reaches further is of a picture that was
    resized since, whose pixels are no longer as large as it says.
    """
    header, found = view.pixels, []
    for item in tags.items(view.dataset, _US_REGIONS):
        corners = [
            tags.number(item, f"RegionLocation{each}")
            for each in ("MinX0", "MinY0", "MaxX1", "MaxY1")
        ]
        if header is None or any(each is None for each in corners):
            continue
        left, top, right, bottom = (int(each or 0) for each in corners)
        beyond = right > header.columns or bottom > header.rows
        left, right = max(left, 0), min(right, header.columns - 1)
        top, bottom = max(top, 0), min(bottom, header.rows - 1)
        if right < left or bottom < top:
            continue
        (x, x_unit, x_why), (y, y_unit, y_why) = (
            (0.0, "", _BEYOND) if beyond else _step(item, axis, pixels)
            for axis, pixels in (("X", right - left + 1), ("Y", bottom - top + 1))
        )
        found.append(
            UltrasoundScale(
                box=(left, top, right, bottom), x_unit=x_unit, y_unit=y_unit, x=x, y=y,
                why=(x_why, y_why),
            )
        )  # fmt: skip
    return tuple(found)


def _step(item: "Dataset", axis: str, pixels: int) -> tuple[float, str, str]:
    """Return how much one pixel is along X or Y, its unit, or why that is not known.

    Args:
        item: The region.
        axis: ``X`` or ``Y``.
        pixels: How many there are along it.
    """
    code = tags.number(item, f"PhysicalUnits{axis}Direction")
    step = abs(tags.number(item, f"PhysicalDelta{axis}") or 0.0)
    unit = _UNITS.get(int(code or 0), "")
    units, delta = _US_TAGS[axis]
    if not unit:
        return 0.0, "", f"Physical Units {axis} Direction {units} names no unit"
    if not 0 < step < (_DEEPEST / pixels if unit == "cm" else _STEEPEST):
        wrong = fault(item, f"PhysicalDelta{axis}")
        return 0.0, "", f"Physical Delta {axis} {delta} {wrong}"
    return step, unit, ""


def distance(view: View, start: Point, stop: Point, frame: int = 0) -> Measurement:
    """Return the length of a line between two points (column, row), from pixel centre to centre.

    In an ultrasound region whose directions are no lengths, such as M-mode, a line along one of
    them is measured in that direction's unit.
    """
    place = f"{_join(place_of(view, frame))}{_text(start)} to {_text(stop)}"
    if not _finite((start, stop)):
        return refused(DISTANCE, "mm", "a point is no number", method="", place=place)
    across, down = stop[0] - start[0], stop[1] - start[1]
    if tags.items(view.dataset, _US_REGIONS):
        return _ultrasound_distance(view, (start, stop), (across, down), place)
    found = _outside(view, (start, stop)) or spacing_of(view, frame)
    if isinstance(found, str):
        return refused(DISTANCE, "mm", found, method="Pixel Spacing (0028,0030)", place=place)
    value = math.hypot(across * found.column, down * found.row)
    return Measurement(name=DISTANCE, value=value, unit="mm", place=place, method=found.method)


def _ultrasound_distance(
    view: View, ends: tuple[Point, Point], steps: tuple[float, float], place: str
) -> Measurement:
    method = "Sequence of Ultrasound Regions (0018,6011)"
    region = _region(view, ends)
    if isinstance(region, str):
        return refused(DISTANCE, "mm", region, method=method, place=place)
    across, down = steps
    if region.metric:
        value = math.hypot(across * region.x, down * region.y) * _MM
        return Measurement(name=DISTANCE, value=value, unit="mm", place=place, method=method)
    for along, other, unit, step in (
        (across, down, region.x_unit, region.x),
        (down, across, region.y_unit, region.y),
    ):
        if not other and unit:
            length = unit == "cm"
            name = DISTANCE if length else own(f"US-{unit}", f"Difference along one axis ({unit})")
            value = abs(along) * step * (_MM if length else 1)
            return Measurement(
                name=name, value=value, unit="mm" if length else unit, place=place, method=method
            )
    return refused(DISTANCE, "mm", _flaw(region), method=method, place=place)


def _flaw(region: UltrasoundScale) -> str:
    return region.why[0] or region.why[1] or _NOT_LENGTHS


def _region(view: View, points: Sequence[Point]) -> UltrasoundScale | str:
    """Return the smallest region that holds all points, or why there is none."""
    holding = [each for each in regions_of(view) if all(each.holds(point) for point in points)]
    if not holding:
        return "the points do not lie in one calibrated region (0018,6011)"

    def size(region: UltrasoundScale) -> int:
        left, top, right, bottom = region.box
        return (right - left + 1) * (bottom - top + 1)

    return min(holding, key=size)


def area(view: View, corners: Sequence[Point], frame: int = 0) -> Measurement:
    """Return the area of a polygon, its corners (column, row) in order, mm2."""
    place = place_of(view, frame)
    method = "polygon, Pixel Spacing (0028,0030)"
    if len(corners) < _CORNERS or not _finite(corners):
        return refused(AREA, "mm2", "an area needs three corners", method=method, place=place)
    if _crosses(corners):
        return refused(AREA, "mm2", "the polygon crosses itself", method=method, place=place)
    turns = zip(corners, [*corners[1:], corners[0]], strict=True)
    pixels = abs(sum(a[0] * b[1] - b[0] * a[1] for a, b in turns)) / 2
    if tags.items(view.dataset, _US_REGIONS):
        method = "polygon, Sequence of Ultrasound Regions (0018,6011)"
        region = _region(view, corners)
        if isinstance(region, str) or not region.metric:
            why = region if isinstance(region, str) else _flaw(region)
            return refused(AREA, "mm2", why, method=method, place=place)
        value = pixels * region.x * region.y * _MM * _MM
        return Measurement(name=AREA, value=value, unit="mm2", place=place, method=method)
    found = _outside(view, corners) or spacing_of(view, frame)
    if isinstance(found, str):
        return refused(AREA, "mm2", found, method=method, place=place)
    value = pixels * found.row * found.column
    return Measurement(
        name=AREA, value=value, unit="mm2", place=place, method=f"polygon, {found.method}"
    )


def extent(view: View, frame: int = 0) -> tuple[Measurement, ...]:
    """Return how wide and how high what is shown is in the patient, or why that is not known."""
    names: tuple[Code, Code] = (
        own("EXTENT-WIDTH", "Width of what is shown"),
        own("EXTENT-HEIGHT", "Height of what is shown"),
    )
    if tags.items(view.dataset, _US_REGIONS):
        return _region_extents(view, names)
    found, place = spacing_of(view, frame), place_of(view, frame)
    if isinstance(found, str):
        return (refused(names[0], "mm", found, method="Pixel Spacing (0028,0030)", place=place),)
    header = view.pixels
    if header is None:
        return ()
    return tuple(
        Measurement(name=name, value=count * step, unit="mm", place=place, method=found.method)
        for name, count, step in (
            (names[0], header.columns, found.column),
            (names[1], header.rows, found.row),
        )
    )


def _region_extents(view: View, names: tuple[Code, Code]) -> tuple[Measurement, ...]:
    """Return how wide and how high each region is, or why that is not known."""
    method, found = "Sequence of Ultrasound Regions (0018,6011)", []
    for n, region in enumerate(regions_of(view), 1):
        left, top, right, bottom = region.box
        for name, count, step, unit, why in (
            (names[0], right - left + 1, region.x, region.x_unit, region.why[0]),
            (names[1], bottom - top + 1, region.y, region.y_unit, region.why[1]),
        ):
            if unit == "cm":
                value = count * step * _MM
                told = Measurement(
                    name=name, value=value, unit="mm", place=f"region {n}", method=method
                )
            else:
                no_length = f"this direction of the region is no length but {unit}"
                told = refused(name, "mm", why or no_length, method=method, place=f"region {n}")
            found.append(told)
    if not found:
        why = "no region (0018,6011) has corners (0018,6018) to (0018,601E) inside the picture"
        found.append(refused(names[0], "mm", why, method=method))
    return tuple(found)


def _outside(view: View, points: Sequence[Point]) -> str:
    """Return that a point lies outside the picture; empty when none does."""
    header = view.pixels
    if header is None:
        return ""
    wide, high = header.columns - 0.5, header.rows - 0.5  # pixel centres are whole numbers
    if all(-0.5 <= x <= wide and -0.5 <= y <= high for x, y in points):  # noqa: PLR2004  # half a pixel
        return ""
    return "a point lies outside the picture"


def _crosses(corners: Sequence[Point]) -> bool:
    """Tell whether two sides of a polygon cross: then it holds no one area."""
    sides = list(zip(corners, [*corners[1:], corners[0]], strict=True))

    def side(a: Point, b: Point, c: Point) -> float:
        return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])

    return any(
        side(a, b, c) * side(a, b, d) < 0 and side(c, d, a) * side(c, d, b) < 0
        for n, (a, b) in enumerate(sides)
        for c, d in sides[n + 2 :]
    )


def _text(point: Point) -> str:
    return f"({point[0]:g}, {point[1]:g})"


def _join(place: str) -> str:
    return f"{place}, " if place else ""


def _finite(points: Sequence[Point]) -> bool:
    return all(math.isfinite(each) for point in points for each in point)
