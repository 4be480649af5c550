"""Lab results with known truth, and the damage that scanning and printing do to them.

Written apart from the reader: it shares no table, no conversion and no code with it. What is true
is decided before anything is printed: the true number against the true range, as decimals. A limit
in another unit is not computed but taken from the tables that laboratories print beside each other.
"""

import random
import tomllib
from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import ROUND_HALF_UP, Decimal
from functools import cache
from importlib import resources

__all__ = ["FAULTS", "PANELS", "UNSEEN", "Line", "damaged", "drawn", "line_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One printed line, and what is true of it.

    Attributes:
        key: Which test; the reader's answer is found again by it.
        value: What is printed; ``true`` what should have been.
        low, high: The true range; ``shown`` is what is printed of it.
        fault: What was done to this line, or empty.
    """

    key: str
    names: dict[str, str]
    loinc: str
    value: str
    true: Decimal
    unit: str
    low: Decimal | None
    high: Decimal | None
    shown: tuple[str, str]
    fault: str = ""
    range_unit: str = ""
    label: str = ""

    @property
    def flag(self) -> str:
        """What is true: ``low``, ``high`` or ``within``; a printed bound is inside."""
        if self.low is not None and self.true < self.low:
            return "low"
        if self.high is not None and self.true > self.high:
            return "high"
        return "within"


_Unit = tuple[str, int, str, str, str]


@cache
def _tests() -> dict[str, tuple[tuple[str, ...], dict[str, _Unit]]]:
    """Return each test: its names, and by unit LOINC, digits, range and factor."""
    told = tomllib.loads((resources.files(__package__) / "tests.toml").read_text("utf-8"))
    out: dict[str, tuple[tuple[str, ...], dict[str, _Unit]]] = {}
    for key, each in told.items():
        units: dict[str, _Unit] = {}
        for line in each["units"]:
            unit, loinc, digits, low, high, factor = line.split()
            units[unit] = (loinc, int(digits), low, high, factor)
        out[key] = (tuple(each["names"]), units)
    return out


# How widely each is drawn, in the first unit: middle, spread inside, far low, far high.
_DRAW: dict[str, tuple[float, float, float, float]] = {
    "leukocytes": (7, 2, 2.4, 24),
    "platelets": (260, 60, 50, 800),
    "potassium": (4.2, 0.4, 2.9, 6.1),
    "magnesium": (2.0, 0.2, 1.1, 3.4),
    "glucose": (92, 10, 52, 380),
    "creatinine": (0.85, 0.1, 0.3, 6.5),
    "urea": (5, 1, 1.5, 28),
    "urate": (4.8, 0.6, 1.5, 11),
    "bilirubin": (0.6, 0.2, 0.1, 9),
    "alt": (22, 6, 8, 480),
    "ast": (23, 5, 9, 520),
    "alp": (78, 18, 25, 600),
    "ggt": (24, 8, 7, 700),
    "calcium": (9.4, 0.3, 7.2, 12.4),
    "crp": (1.8, 1, 0.3, 190),
    "ferritin": (85, 30, 5, 1500),
    "tsh": (1.8, 0.7, 0.02, 38),
    "ft4": (1.25, 0.15, 0.4, 4.5),
    "iron": (95, 20, 15, 260),
    "hba1c": (5.2, 0.25, 3.6, 12.5),
    "inr": (1.0, 0.1, 0.7, 4.4),
}
PANELS: tuple[tuple[str, ...], ...] = (
    ("leukocytes", "erythrocytes", "haemoglobin", "haematocrit", "mcv", "mch", "mchc", "platelets"),
    ("sodium", "potassium", "chloride", "bicarbonate", "calcium", "magnesium"),
    ("glucose", "creatinine", "urea", "urate", "hba1c"),
    ("protein", "albumin", "bilirubin", "alt", "ast", "alp", "ggt"),
    ("cholesterol", "hdl", "ldl", "triglycerides"),
    ("crp", "ferritin", "iron", "tsh", "ft4", "inr"),
)
FAULTS = (
    "",
    "lost point",
    "letter for digit",
    "swapped",
    "range upside down",
    "point lost in range",
    "range in another unit",
    "range for the other sex",
    "no unit",
)
# What may leave no trace on the page; counted apart, since no reader can see it.
UNSEEN = ("swapped alike", "one digit wrong")
_TIES = (
    {"erythrocytes", "haemoglobin", "haematocrit", "mcv", "mch", "mchc"},
    {"sodium", "chloride", "bicarbonate"},
    {"protein", "albumin"},
    {"cholesterol", "hdl", "ldl", "triglycerides"},
)


def _round(number: float | Decimal, digits: int) -> Decimal:
    step = Decimal(1).scaleb(-digits)
    return Decimal(str(number)).quantize(step, rounding=ROUND_HALF_UP)


def _blood_count(rng: random.Random) -> dict[str, float]:
    """Red cells that belong together: volume and content are drawn, the rest follows."""
    ill = rng.random() < 0.4
    rbc = rng.uniform(2.4, 6.6) if ill else rng.uniform(4.0, 5.5)
    mcv = rng.uniform(64, 118) if ill else rng.uniform(82, 96)
    mchc = rng.uniform(29, 37) if ill else rng.uniform(32.5, 35.5)
    hct = rbc * mcv / 10
    hb = hct * mchc / 100
    return {
        "erythrocytes": rbc, "mcv": mcv, "mchc": mchc, "haematocrit": hct, "haemoglobin": hb,
        "mch": hb * 10 / rbc,
    }  # fmt: skip


def _salts(rng: random.Random) -> dict[str, float]:
    ill = rng.random() < 0.4
    sodium = rng.uniform(122, 156) if ill else rng.uniform(137, 144)
    co2 = rng.uniform(12, 38) if ill else rng.uniform(23, 28)
    return {"sodium": sodium, "bicarbonate": co2, "chloride": sodium - co2 - rng.uniform(8, 15)}


def _fats(rng: random.Random) -> dict[str, float]:
    hdl, ldl, fat = rng.uniform(28, 85), rng.uniform(50, 210), rng.uniform(50, 340)
    return {"hdl": hdl, "ldl": ldl, "triglycerides": fat, "cholesterol": hdl + ldl + fat / 5}


def _proteins(rng: random.Random) -> dict[str, float]:
    albumin = rng.uniform(2.2, 5.4)
    return {"albumin": albumin, "protein": albumin + rng.uniform(1.9, 4.4)}


def drawn(rng: random.Random) -> dict[str, float]:
    """Return one person's numbers in the first unit of each test."""
    out = {**_blood_count(rng), **_salts(rng), **_fats(rng), **_proteins(rng)}
    for key, (middle, spread, low, high) in _DRAW.items():
        kind = rng.random()
        if kind < 0.65:
            out[key] = rng.gauss(middle, spread / 2)
        elif kind < 0.8:
            out[key] = rng.uniform(low, middle)
        else:
            out[key] = rng.uniform(middle, high)
        out[key] = max(out[key], low)
    return out


def _of(text: str, sex: str) -> str:
    return text.split("/")[0 if sex == "F" else -1] if "/" in text else text


def line_of(key: str, number: float, sex: str, rng: random.Random, *, mixed: bool) -> Line:
    """Return one true line; ``mixed`` takes any of its units."""
    names, units = _tests()[key]
    unit = rng.choice(list(units)) if mixed else next(iter(units))
    loinc, digits, low, high, factor = units[unit]
    low, high = _of(low, sex), _of(high, sex)
    true = _round(Decimal(str(number)) * Decimal(factor), digits)
    return Line(
        key=key,
        names=dict(zip(("en", "de", "fr", "es"), names, strict=True)),
        loinc=loinc,
        value=f"{true:f}",
        true=true,
        unit=unit,
        low=None if low == "-" else Decimal(low),
        high=None if high == "-" else Decimal(high),
        shown=("" if low == "-" else low, "" if high == "-" else high),
    )


def damaged(lines: list[Line], fault: str, sex: str, rng: random.Random) -> list[Line]:
    """Do one kind of damage to one place (two lines when swapped)."""
    order = list(range(len(lines)))
    rng.shuffle(order)
    for at in order:
        done = _DAMAGES[fault](lines, at, sex, rng)
        if done is not None:
            return done
    return lines


def _put(lines: list[Line], at: int, **changes: object) -> list[Line]:
    out = list(lines)
    out[at] = replace(lines[at], **changes)  # type: ignore[arg-type]  # fields by name
    return out


def _lost_point(lines: list[Line], at: int, _sex: str, _rng: random.Random) -> list[Line] | None:
    text = lines[at].value
    if "." not in text:
        return None
    return _put(lines, at, value=text.replace(".", "").lstrip("0") or "0", fault="lost point")


def _letter(lines: list[Line], at: int, _sex: str, rng: random.Random) -> list[Line] | None:
    text = lines[at].value
    swaps = [("0", "O"), ("1", "l"), ("1", "I"), ("5", "S"), ("8", "B")]
    usable = [(a, b) for a, b in swaps if a in text]
    if not usable:
        return None
    old, new = rng.choice(usable)
    return _put(lines, at, value=text.replace(old, new, 1), fault="letter for digit")


def _tied(one: Line, two: Line) -> bool:
    """Tell whether a swap leaves a trace: arithmetic ties the tests, or their digits differ."""
    digits = [-int(line.true.as_tuple().exponent) for line in (one, two)]
    keys = {one.key, two.key}
    if keys == {"hdl", "ldl"}:  # all sums hold as well the other way round
        return digits[0] != digits[1]
    return digits[0] != digits[1] or any(keys <= ties for ties in _TIES)


def _exchanged(lines: list[Line], at: int, fault: str) -> list[Line]:
    one, two = lines[at], lines[at + 1]
    out = list(lines)
    out[at] = replace(one, value=two.value, fault=fault)
    out[at + 1] = replace(two, value=one.value, fault=fault)
    return out


def _swap(lines: list[Line], at: int, _sex: str, _rng: random.Random) -> list[Line] | None:
    if at + 1 >= len(lines) or not _tied(lines[at], lines[at + 1]):
        return None
    return _exchanged(lines, at, "swapped")


def _swap_alike(lines: list[Line], at: int, _sex: str, _rng: random.Random) -> list[Line] | None:
    if at + 1 >= len(lines) or _tied(lines[at], lines[at + 1]):
        return None
    return _exchanged(lines, at, "swapped alike")


def _digit(lines: list[Line], at: int, _sex: str, rng: random.Random) -> list[Line] | None:
    text = lines[at].value
    place = rng.choice([i for i, sign in enumerate(text) if sign.isdigit()])
    other = rng.choice([sign for sign in "123456789" if sign != text[place]])
    return _put(lines, at, value=text[:place] + other + text[place + 1 :], fault="one digit wrong")


def _inverted(lines: list[Line], at: int, _sex: str, _rng: random.Random) -> list[Line] | None:
    low, high = lines[at].shown
    return _put(lines, at, shown=(high, low), fault="range upside down") if low and high else None


def _range_point(lines: list[Line], at: int, _sex: str, rng: random.Random) -> list[Line] | None:
    shown = list(lines[at].shown)
    usable = [end for end in (0, 1) if "." in shown[end] and Decimal(shown[end])]
    if not usable:
        return None
    end = rng.choice(usable)
    shown[end] = shown[end].replace(".", "")
    return _put(lines, at, shown=tuple(shown), fault="point lost in range")


def _range_unit(lines: list[Line], at: int, sex: str, _rng: random.Random) -> list[Line] | None:
    _, units = _tests()[lines[at].key]
    here = Decimal(units[lines[at].unit][4])
    others = {u: t for u, t in units.items() if Decimal(t[4]) != here}
    for unit, (_, _, low, high, _) in others.items():
        ends = tuple("" if _of(end, sex) == "-" else _of(end, sex) for end in (low, high))
        return _put(lines, at, shown=ends, range_unit=unit, fault="range in another unit")
    return None


def _other_sex(lines: list[Line], at: int, sex: str, _rng: random.Random) -> list[Line] | None:
    _, units = _tests()[lines[at].key]
    _, _, low, high, _ = units[lines[at].unit]
    if "/" not in low + high:
        return None
    other = "M" if sex == "F" else "F"
    ends = tuple("" if _of(end, other) == "-" else _of(end, other) for end in (low, high))
    return _put(lines, at, shown=ends, label=other, fault="range for the other sex")


def _no_unit(lines: list[Line], at: int, _sex: str, _rng: random.Random) -> list[Line] | None:
    return _put(lines, at, unit="", fault="no unit") if lines[at].unit != "1" else None


_DAMAGES: dict[str, Callable[[list[Line], int, str, random.Random], list[Line] | None]] = {
    "lost point": _lost_point,
    "letter for digit": _letter,
    "swapped": _swap,
    "swapped alike": _swap_alike,
    "one digit wrong": _digit,
    "range upside down": _inverted,
    "point lost in range": _range_point,
    "range in another unit": _range_unit,
    "range for the other sex": _other_sex,
    "no unit": _no_unit,
}
