"""Standardised uptake values of PET, as the vendor-neutral rules of QIBA compute them.

Source: QIBA FDG-PET/CT profile 1.13, appendix G (vendor-neutral pseudo-code for SUVbw, SUVlbm and
SUVbsa); PS3.3 C.8.9 (PET); lean body mass: Janmahasatian et al., Clin Pharmacokinet 44:1051 (2005),
James (1976) with the multiplier 128; body surface: Du Bois and Du Bois (1916). De-identification
shifts the dates of a person by whole days and all alike, so that intervals here are exact.
"""

import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from safelight.errors import SafelightError
from safelight.readers import tags
from safelight.readers.measures.common import (
    Box,
    fault,
    own,
    place_of,
    real_values,
    refused,
    rescale,
)
from safelight.readers.measures.times import apart, as_written, moment, of_day, stamp
from safelight.readers.reading import Measurement
from safelight.readers.view import View

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

__all__ = ["Scale", "bsa_du_bois", "lbm_james", "lbm_janmahasatian", "scale", "statistics"]

_PET: Final = frozenset(
    ("1.2.840.10008.5.1.4.1.1.128", "1.2.840.10008.5.1.4.1.1.130", "1.2.840.10008.5.1.4.1.1.128.1")
)
_PHARMACEUTICALS: Final = 0x00540016
_PHILIPS: Final = ("Philips PET Private Group", 0x7053)
_GE: Final = ("GEMS_PETD_01", 0x0009)
_DAY: Final = timedelta(days=1)
_KILO: Final = 1000.0
_WEIGHTS: Final = (0.2, 500.0)  # kg: what a person weighs
_HEIGHTS: Final = (0.2, 2.75)  # m
_DOSES: Final = (1e5, 1e11)  # Bq: less or more is another unit
_OVERNIGHT: Final = 6 * 3600.0  # s from an injection before midnight to the scan, at most
_FEW: Final = 5  # half-lives, likewise
_TIME: Final = "Radiopharmaceutical Start Time (0018,1072)"
_DATE_TIME: Final = "Radiopharmaceutical Start Date Time (0018,1078)"
_NO_ZONE: Final = (
    "has an offset from UTC, and Timezone Offset From UTC (0008,0201) of the object is not known"
)
_CLOCKS: Final = timedelta(minutes=1)  # two ways to write one time may be this far apart
_QUARTER: Final = timedelta(minutes=15)
_LONGEST: Final = 20  # half-lives between injection and scan: more is a wrong date
UNITS: Final = {
    "bw": "g/ml{SUVbw}",
    "janma": "g/ml{SUVlbm(Janma)}",
    "james": "g/ml{SUVlbm(James128)}",
    "bsa": "cm2/ml{SUVbsa}",
}
_WORDS: Final = {
    "bw": "body weight",
    "janma": "lean body mass, Janmahasatian",
    "james": "lean body mass, James 128",
    "bsa": "body surface area",
}
_TYPES: Final = {"": "bw", "BW": "bw", "BSA": "bsa", "LBMJANMA": "janma", "LBMJAMES128": "james"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """What a rescaled value is multiplied with.

    Attributes:
        factors: By way of standardising: ``bw``, ``janma``, ``james``, ``bsa``.
        refusals: Why a way has no factor, by the same names.
        note: How the factor came about, for ``Measurement.method``.
    """

    factors: dict[str, float]
    refusals: dict[str, str]
    note: str


class _MissingError(Exception):
    """Something that is needed is missing or makes no sense."""


def lbm_janmahasatian(weight: float, height: float, sex: str) -> float:
    """Return lean body mass in kg of kg, m and ``F`` or ``M``."""
    bmi = weight / height**2
    return 9270 * weight / (8780 + 244 * bmi if sex == "F" else 6680 + 216 * bmi)


def lbm_james(weight: float, height: float, sex: str) -> float:
    """Return lean body mass in kg of kg, m and ``F`` or ``M``; may fall below 0 in the obese."""
    ratio = (weight / (height * 100)) ** 2
    return 1.07 * weight - 148 * ratio if sex == "F" else 1.10 * weight - 128 * ratio


def bsa_du_bois(weight: float, height: float) -> float:
    """Return body surface area in m2 of kg and m."""
    return float(0.007184 * weight**0.425 * (height * 100) ** 0.725)


def scale(view: View) -> Scale:
    """Return the factors of one PET image, or why there are none."""
    try:
        return _scale(view)
    except _MissingError as missing:
        return Scale(factors={}, refusals=dict.fromkeys(UNITS, str(missing)), note="")


def _scale(view: View) -> Scale:
    dataset = view.dataset
    if dataset is None or view.sop_class not in _PET:
        raise _MissingError("it is not a PET image")
    corrected = {each.upper() for each in tags.texts(dataset, "CorrectedImage")}
    if "ATTN" not in corrected or "DECY" not in corrected:
        raise _MissingError("Corrected Image (0028,0051) does not name ATTN and DECY")
    correction = tags.text(dataset, "DecayCorrection").upper()
    if correction not in ("START", "ADMIN"):
        raise _MissingError("Decay Correction (0054,1102) is neither START nor ADMIN")
    units = tags.text(dataset, "Units").upper()
    if units == "BQML":
        return _by_dose(view, dataset, correction, 1.0, "Units BQML")
    if units == "CNTS":
        return _philips(view, dataset, correction)
    if units in ("GML", "CM2ML"):
        return _ready(view, dataset, units)
    raise _MissingError("Units (0054,1001) is none of BQML, CNTS, GML and CM2ML")


def _philips(view: View, dataset: "Dataset", correction: str) -> Scale:
    name, group = _PHILIPS
    factor = _private(dataset, name, group, 0x00)
    if factor:
        return _others(view, factor, "Units CNTS, Philips SUV factor (7053,1000)")
    activity = _private(dataset, name, group, 0x09)
    if activity:
        note = "Units CNTS, Philips activity factor (7053,1009)"
        return _by_dose(view, dataset, correction, activity, note)
    raise _MissingError("Units are CNTS; Philips SUV factors (7053,1000), (7053,1009) are missing")


def _private(dataset: "Dataset", creator: str, group: int, element: int) -> float | None:
    try:
        found = dataset.private_block(group, creator)[element].value
    except (KeyError, ValueError, TypeError):
        return None
    try:
        value = float(found[0] if isinstance(found, list | tuple) else found)
    except (ValueError, TypeError, IndexError):
        return None
    return value if math.isfinite(value) and value > 0 else None


def _ready(view: View, dataset: "Dataset", units: str) -> Scale:
    """Return the factors of values that are standardised already."""
    said = tags.text(dataset, "SUVType").upper()
    way = _TYPES.get(said)
    if units == "CM2ML":
        way = "bsa" if said in ("", "BSA") else None
    if way is None or (units == "GML" and way == "bsa"):
        raise _MissingError("SUV Type (0054,1006) is not one that fits Units (0054,1001)")
    note = f"Units {units}" + (f", SUV Type {said}" if said else "")
    if way == "bw":
        return _others(view, 1.0, note)
    why = f"the values are standardised to {_WORDS[way]} already"
    return Scale(
        factors={way: 1.0}, refusals={each: why for each in UNITS if each != way}, note=note
    )


def _by_dose(view: View, dataset: "Dataset", correction: str, activity: float, note: str) -> Scale:
    """Return the factors from dose, decay and weight; ``activity`` leads to Bq/ml first."""
    holders = tags.items(dataset, _PHARMACEUTICALS)
    if len(holders) != 1:
        many = "more than one" if holders else "no"
        raise _MissingError(f"{many} item in Radiopharmaceutical Information Sequence (0054,0016)")
    given = holders[0]
    dose = _number(given, "RadionuclideTotalDose", "(0018,1074)", _DOSES)
    half_life = _number(given, "RadionuclideHalfLife", "(0018,1075)", (1.0, 1e8))
    left = dose
    if correction == "START":
        between = _between(dataset, given, half_life)
        left = dose * 2 ** (-between / half_life)
        note += f", decay over {between:.0f} s to the start of the scan"
    else:
        note += ", decay corrected to administration"
    weight = _weight(dataset)
    return _others(view, activity * weight * _KILO / left, note)


def _others(view: View, factor: float, note: str) -> Scale:
    """Return the other ways' factors too, from that for body weight."""
    factors, refusals = {"bw": factor}, {}
    dataset = view.dataset
    assert dataset is not None  # noqa: S101  # a PET image has a header
    try:
        weight = _weight(dataset)
        height = _number(dataset, "PatientSize", "(0010,1020)", _HEIGHTS)
    except _MissingError as missing:
        return Scale(
            factors=factors, refusals=dict.fromkeys(("janma", "james", "bsa"), str(missing)),
            note=note,
        )  # fmt: skip
    factors["bsa"] = factor * bsa_du_bois(weight, height) * 10000 / (weight * _KILO)
    for way, lean in (("janma", lbm_janmahasatian), ("james", lbm_james)):
        mass = lean(weight, height, view.sex) if view.sex in ("F", "M") else 0.0
        if view.sex not in ("F", "M"):
            refusals[way] = "Patient's Sex (0010,0040) is neither F nor M"
        elif not 0 < mass < weight:
            refusals[way] = "the formula gives no lean body mass for this weight and size"
        else:
            factors[way] = factor * mass / weight
    return Scale(factors=factors, refusals=refusals, note=note)


def _weight(dataset: "Dataset") -> float:
    return _number(dataset, "PatientWeight", "(0010,1030)", _WEIGHTS)


def _number(holder: "Dataset", keyword: str, tag: str, bounds: tuple[float, float]) -> float:
    value = tags.number(holder, keyword)
    if value is None:
        raise _MissingError(f"{_spoken(keyword)} {tag} {fault(holder, keyword)}")
    if not bounds[0] <= value <= bounds[1]:
        raise _MissingError(f"{_spoken(keyword)} {tag} is out of range")
    return value


def _spoken(keyword: str) -> str:
    from pydicom.datadict import dictionary_description  # noqa: PLC0415  # start-up cost

    return str(dictionary_description(keyword))


def _between(dataset: "Dataset", given: "Dataset", half_life: float) -> float:
    """Return seconds from injection to the moment that decay is corrected to."""
    scan = _scan(dataset, half_life)
    start, where = _start(dataset, given, scan, half_life)
    seconds = (scan - start).total_seconds()
    if seconds < 0:
        raise _MissingError(f"{where} is later than the scan")
    if seconds > _LONGEST * half_life:
        raise _MissingError(f"{where} is more than {_LONGEST} half-lives before the scan")
    return seconds


def _start(
    dataset: "Dataset", given: "Dataset", scan: datetime, half_life: float
) -> tuple[datetime, str]:
    """Return the moment of the injection, and what says so."""
    zone = tags.text(dataset, "TimezoneOffsetFromUTC")
    start = stamp(given, "RadiopharmaceuticalStartDateTime", zone)
    written, offset = as_written(given, "RadiopharmaceuticalStartDateTime")
    since = of_day(tags.text(given, "RadiopharmaceuticalStartTime"))
    told = start or written
    if told is not None and since is not None:
        every = _DAY if start is not None else _QUARTER
        if apart(told, since, every) > _CLOCKS:
            raise _MissingError(f"{_DATE_TIME} and {_TIME} name different times")
    if start is not None:
        return start, _DATE_TIME
    if since is None and offset:
        raise _MissingError(f"{_DATE_TIME} {_NO_ZONE}")
    if since is None:
        raise _MissingError(f"{_TIME} {fault(given, 'RadiopharmaceuticalStartTime')}")
    return _before(scan, since, half_life), _TIME


def _before(scan: datetime, since: timedelta, half_life: float) -> datetime:
    """Return the last such time of day that may be that of the injection.

    One that is later than the scan is of the day before only if the time between them is one that
    people wait: a scan may also begin before the injection, and clocks may be wrong.
    """
    start = scan.replace(hour=0, minute=0, second=0, microsecond=0) + since
    if start <= scan:
        return start
    start -= _DAY
    if (scan - start).total_seconds() > min(_OVERNIGHT, _FEW * half_life):
        raise _MissingError(f"{_TIME} is later than the scan")
    return start


def _scan(dataset: "Dataset", half_life: float) -> datetime:
    """Return the moment that START stands for (QIBA: series time may be of a later series)."""
    zone = tags.text(dataset, "TimezoneOffsetFromUTC")
    series = moment(tags.text(dataset, "SeriesDate"), tags.text(dataset, "SeriesTime"))
    acquired = moment(tags.text(dataset, "AcquisitionDate"), tags.text(dataset, "AcquisitionTime"))
    if acquired is None:
        acquired = stamp(dataset, "AcquisitionDateTime", zone)
        if acquired is None and as_written(dataset, "AcquisitionDateTime")[1]:
            raise _MissingError(f"Acquisition Date Time (0008,002A) {_NO_ZONE}")
    if acquired is None:
        raise _MissingError("Acquisition Date and Time (0008,0022), (0008,0032) are missing")
    if series is not None and series <= acquired:
        return series
    name, group = _GE
    try:
        private = dataset.private_block(group, name)
        vendor = stamp(dataset, private.get_tag(0x0D), zone)
    except KeyError:
        vendor = None
    if vendor is not None and vendor <= acquired:
        return vendor
    reference = tags.number(dataset, "FrameReferenceTime")
    duration = tags.number(dataset, "ActualFrameDuration")
    if not reference or not duration or reference < 0 or duration < 0:
        late = "Series Time (0008,0031) is later than the acquisition"
        none = "Series Date (0008,0021) or Series Time (0008,0031) is missing"
        raise _MissingError(
            f"{late if series else none}, and Frame Reference Time (0054,1300) "
            "or Actual Frame Duration (0018,1242) is missing or not above 0"
        )
    constant = math.log(2) / half_life
    decayed = constant * duration / _KILO
    average = math.log(decayed / (1 - math.exp(-decayed))) / constant
    return acquired - timedelta(seconds=reference / _KILO - average)


def statistics(view: View, frame: int = 0, box: Box | None = None) -> tuple[Measurement, ...]:
    """Return the highest and the mean SUV of a frame or a box, each way that can be computed.

    Args:
        view: A PET image.
        frame: From 0.
        box: Column, row, width and height in pixels; None for the whole frame.
    """
    found, place, values = scale(view), place_of(view, frame, box), None
    why = note = ""
    scaled = rescale(view, frame)
    if not isinstance(scaled, str) and scaled[0] < 0:
        why = "Rescale Slope (0028,1053) is below 0"
    try:
        if not why:
            values, note = real_values(view, frame, box)
    except SafelightError as error:
        why = str(error)
    out = []
    for way, unit in UNITS.items():
        name = own(f"SUV-{way.upper()}-MAX", f"Highest SUV ({_WORDS[way]})")
        method = f"QIBA SUV ({_WORDS[way]})"
        factor = found.factors.get(way)
        if factor is None or values is None:
            reason = found.refusals.get(way) or why
            out.append(refused(name, unit, reason, method=method, place=place))
            continue
        method += f": {found.note}{note}"
        mean = own(f"SUV-{way.upper()}-MEAN", f"Mean SUV ({_WORDS[way]})")
        for code, value in ((name, values.max()), (mean, values.mean())):
            out.append(
                Measurement(name=code, value=float(value) * factor, unit=unit, place=place,
                            method=method)
            )  # fmt: skip
    return tuple(out)
