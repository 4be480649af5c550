"""The pixels of projections and of digitised film, brought to the patient where that is possible.

Source: PS3.3 10.7.1.3 (Pixel Spacing, Imager Pixel Spacing, Nominal Scanned Pixel Spacing and the
calibration type), C.8.7.2 (magnification), C.8.6.1 and C.8.6.2 (secondary capture).
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from safelight.readers import tags
from safelight.readers.view import View

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

__all__ = ["LARGEST", "Spacing", "from_film", "pair", "projected", "scanned"]

LARGEST: Final = 100.0  # mm: no pixel is larger
_SAME: Final = 1e-4
_MAGNIFIED: Final = (1.0, 20.0)
_CAPTURES: Final = "1.2.840.10008.5.1.4.1.1.7"  # and 7.1 to 7.4: multi-frame
_FILMED: Final = frozenset(("DF", "DV", "SD", "SI"))  # PS3.3 C.8.6.1: from film, video or paper


@dataclass(frozen=True, slots=True, kw_only=True)
class Spacing:
    """How large a pixel is in the patient.

    Attributes:
        row: Distance between rows, mm.
        column: Distance between columns, mm.
        method: Where that comes from.
    """

    row: float
    column: float
    method: str


def pair(holder: "Dataset", keyword: str) -> tuple[float, float] | None:
    """Return a spacing of rows and columns, mm; None when there is none or it makes no sense."""
    found = tags.numbers(holder, keyword)
    if len(found) != 2 or not all(0 < each < LARGEST for each in found):  # noqa: PLR2004 - rows, columns
        return None
    return found[0], found[1]


def scanned(view: View, dataset: "Dataset") -> bool:
    """Tell whether a picture was taken of a film, a sheet or a screen (PS3.3 C.8.6.1, C.8.6.2)."""
    capture = view.sop_class == _CAPTURES or view.sop_class.startswith(f"{_CAPTURES}.")
    made = tags.text(dataset, "ConversionType").upper() in _FILMED
    return "NominalScannedPixelSpacing" in dataset or (capture and made)


def _calibrated(dataset: "Dataset", plain: str, called: str) -> Spacing | None:
    """Return a Pixel Spacing that was calibrated (PS3.3 10.7.1.3); None when none was.

    Args:
        dataset: Header.
        plain: Keyword of the spacing at the detector or on the film.
        called: Name and tag of that.
    """
    given, other = pair(dataset, "PixelSpacing"), pair(dataset, plain)
    calibration = tags.text(dataset, "PixelSpacingCalibrationType").upper()
    if given and calibration in ("GEOMETRY", "FIDUCIAL"):
        how = "Pixel Spacing (0028,0030), calibrated: Pixel Spacing Calibration Type (0028,0A02) "
        return Spacing(row=given[0], column=given[1], method=how + calibration)
    if given and other and any(abs(a - b) > _SAME * b for a, b in zip(given, other, strict=True)):
        how = f"Pixel Spacing (0028,0030), which differs from {called}"
        return Spacing(row=given[0], column=given[1], method=how)
    return None


def from_film(dataset: "Dataset") -> Spacing | str:
    """Return the spacing of a digitised film: in the patient only where it was calibrated."""
    nominal = "Nominal Scanned Pixel Spacing (0018,2010)"
    return _calibrated(dataset, "NominalScannedPixelSpacing", nominal) or (
        "the picture was scanned from a film, a sheet or a screen: its Pixel Spacing (0028,0030) "
        "lies there, and no calibration (0028,0A02) brings it to the patient"
    )


def projected(dataset: "Dataset") -> Spacing | str:
    """Return the spacing of a projection (PS3.3 10.7.1.3)."""
    given, imager = pair(dataset, "PixelSpacing"), pair(dataset, "ImagerPixelSpacing")
    calibrated = _calibrated(dataset, "ImagerPixelSpacing", "Imager Pixel Spacing (0018,1164)")
    if calibrated is not None:
        return calibrated
    if not imager:
        if given:
            return (
                "Pixel Spacing (0028,0030) of a projection without a calibration type (0028,0A02) "
                "does not say whether it lies at the detector or in the patient"
            )
        if "PixelSpacing" in dataset or "ImagerPixelSpacing" in dataset:
            return "Imager Pixel Spacing (0018,1164) or Pixel Spacing (0028,0030) makes no sense"
        return "Imager Pixel Spacing (0018,1164) and Pixel Spacing (0028,0030) are missing"
    factor, how = _magnification(dataset)
    if factor is None:
        return how
    return Spacing(row=imager[0] / factor, column=imager[1] / factor, method=how)


def _magnification(dataset: "Dataset") -> tuple[float | None, str]:
    """Return by how much a projection is larger than the patient, or why that is not known."""
    base = "Imager Pixel Spacing (0018,1164) / "
    factor = tags.number(dataset, "EstimatedRadiographicMagnificationFactor")
    how = base + "Estimated Radiographic Magnification Factor (0018,1114)"
    if factor is None:
        detector = tags.number(dataset, "DistanceSourceToDetector")
        patient = tags.number(dataset, "DistanceSourceToPatient")
        if not detector or not patient:
            return None, (
                "the size of a pixel is known at the detector alone (0018,1164): Estimated "
                "Radiographic Magnification Factor (0018,1114) is missing"
            )
        factor = detector / patient
        how = base + "(Distance Source to Detector (0018,1110) / to Patient (0018,1111))"
    if not _MAGNIFIED[0] <= factor <= _MAGNIFIED[1]:
        return None, "the magnification (0018,1114) makes no sense"
    return factor, how
