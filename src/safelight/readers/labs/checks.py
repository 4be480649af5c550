"""Checks between rows: what must hold whatever the person has, so that a misreading shows.

Identities hold by arithmetic (MCV is Hct over RBC) up to rounding of the printed numbers and a
small allowance for how analysers compute; each returns the ids of all rows that take part, since
nobody knows which one was misread.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise
from typing import Final

from safelight.readers.labs import analytes, units
from safelight.readers.labs.model import Flag, Reason, Row, Span

__all__ = ["Finding", "between", "implausible", "in_unit", "over_days", "over_time"]

F = Fraction
_ZERO: Final = F(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Rows that do not fit each other."""

    reason: Reason
    rows: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Near:
    """A number with the rounding of its print: low <= true <= high."""

    low: Fraction
    high: Fraction

    def __add__(self, other: "_Near") -> "_Near":
        return _Near(self.low + other.low, self.high + other.high)

    def __sub__(self, other: "_Near") -> "_Near":
        return _Near(self.low - other.high, self.high - other.low)

    def __truediv__(self, other: "_Near") -> "_Near":
        if other.low <= 0:
            return _Near(F(0), F(10**12))
        return _Near(self.low / other.high, self.high / other.low)

    def times(self, factor: Fraction) -> "_Near":
        return _Near(self.low * factor, self.high * factor)

    def wide(self, share: Fraction, least: Fraction = _ZERO) -> "_Near":
        slack = max(abs(self.low), abs(self.high)) * share + least
        return _Near(self.low - slack, self.high + slack)

    def meets(self, other: "_Near") -> bool:
        return self.low <= other.high and other.low <= self.high


def in_unit(row: Row, code: str) -> Span | None:
    """Return the span of a row in another unit of its analyte."""
    analyte = analytes.get(row.analyte)
    old, new = units.parse(row.unit, analyte), units.parse(code, analyte)
    turn = units.turn(analyte, old, new) if old and new else None
    return row.span.scaled(turn) if turn else None


def _near(row: Row, code: str) -> _Near | None:
    """Return a row's number with its rounding in this unit; None for < and >."""
    if row.comparator:
        return None
    analyte = analytes.get(row.analyte)
    old, new = units.parse(row.unit, analyte), units.parse(code, analyte)
    turn = units.turn(analyte, old, new) if old and new else None
    if turn is None:
        return None
    span = row.rounded
    return _Near(turn(span.low or _ZERO), turn(span.high or _ZERO))


# name: the analytes that take part with the unit of the formula, and what must meet
_Rule = tuple[tuple[tuple[str, str], ...], Callable[..., bool]]
_SMALL: Final = F(3, 100)
_IDENTITIES: Final[tuple[_Rule, ...]] = (
    (
        (("mcv", "fL"), ("haematocrit", "%"), ("erythrocytes", "10*12/L")),
        lambda mcv, hct, rbc: (hct / rbc).times(F(10)).wide(_SMALL).meets(mcv),
    ),
    (
        (("mch", "pg"), ("haemoglobin", "g/dL"), ("erythrocytes", "10*12/L")),
        lambda mch, hb, rbc: (hb / rbc).times(F(10)).wide(_SMALL).meets(mch),
    ),
    (
        (("mchc", "g/dL"), ("haemoglobin", "g/dL"), ("haematocrit", "%")),
        lambda mchc, hb, hct: (hb / hct).times(F(100)).wide(_SMALL).meets(mchc),
    ),
    (
        (("mchc", "g/dL"), ("mch", "pg"), ("mcv", "fL")),
        lambda mchc, mch, mcv: (mch / mcv).times(F(100)).wide(_SMALL).meets(mchc),
    ),
    (  # MCHC lies between 25 and 40 in nearly everybody
        (("haemoglobin", "g/dL"), ("haematocrit", "%")),
        lambda hb, hct: (hb / hct).times(F(100)).meets(_Near(F(22), F(42))),
    ),
    (
        (("haematocrit", "%"), ("erythrocytes", "10*12/L")),
        lambda hct, rbc: (hct / rbc).times(F(10)).meets(_Near(F(50), F(140))),
    ),
    (
        (("haemoglobin", "g/dL"), ("erythrocytes", "10*12/L")),
        lambda hb, rbc: (hb / rbc).times(F(10)).meets(_Near(F(14), F(48))),
    ),
    (
        (("sodium", "mmol/L"), ("chloride", "mmol/L"), ("bicarbonate", "mmol/L")),
        # a gap beyond 35 goes with hardly any bicarbonate left
        lambda na, cl, co2: (na - cl - co2).meets(_Near(F(-2), F(60 if co2.low < F(14) else 35))),
    ),
    (  # chloride stays well below sodium
        (("sodium", "mmol/L"), ("chloride", "mmol/L")),
        lambda na, cl: (na - cl).meets(_Near(F(14), F(75))),
    ),
    (
        (
            ("anion_gap", "mmol/L"),
            ("sodium", "mmol/L"),
            ("chloride", "mmol/L"),
            ("bicarbonate", "mmol/L"),
        ),
        # with or without potassium (up to 8), both are printed
        lambda gap, na, cl, co2: _Near((na - cl - co2).low - 1, (na - cl - co2).high + 8).meets(
            gap
        ),
    ),
    (
        (("protein", "g/dL"), ("albumin", "g/dL")),
        lambda protein, albumin: protein.high - albumin.low > F(1, 2),
    ),
    (
        (("globulin", "g/dL"), ("protein", "g/dL"), ("albumin", "g/dL")),
        lambda globulin, protein, albumin: (protein - albumin).wide(F(0), F(1, 20)).meets(globulin),
    ),
    (
        (("ag_ratio", "1"), ("protein", "g/dL"), ("albumin", "g/dL")),
        lambda ratio, protein, albumin: (albumin / (protein - albumin)).wide(_SMALL).meets(ratio),
    ),
    (
        (("non_hdl", "mg/dL"), ("cholesterol", "mg/dL"), ("hdl", "mg/dL")),
        lambda non, total, hdl: (total - hdl).wide(F(1, 100), F(1)).meets(non),
    ),
    (
        (("cholesterol", "mg/dL"), ("hdl", "mg/dL")),
        lambda total, hdl: total.high > hdl.low,
    ),
    (  # the sums below hold as well with the two swapped; HDL is seldom the larger and large
        (("hdl", "mg/dL"), ("ldl", "mg/dL")),
        lambda hdl, ldl: hdl.low < F(100) or hdl.low < ldl.high,
    ),
    (
        (("cholesterol", "mg/dL"), ("hdl", "mg/dL"), ("ldl", "mg/dL")),
        lambda total, hdl, ldl: (hdl + ldl).low <= total.high * F(105, 100) + 5,
    ),
    (  # Friedewald, Clin Chem 1972;18:499: holds below 400 mg/dL, and roughly for other formulas
        (("ldl", "mg/dL"), ("cholesterol", "mg/dL"), ("hdl", "mg/dL"), ("triglycerides", "mg/dL")),
        lambda ldl, total, hdl, tg: (
            tg.high >= F(400)
            or (total - hdl - tg.times(F(1, 5))).wide(F(15, 100), F(12)).meets(ldl)
        ),
    ),
    (
        (("bilirubin", "mg/dL"), ("bilirubin_direct", "mg/dL")),
        lambda total, direct: direct.low <= total.high * F(105, 100),
    ),
    (
        (("iron_saturation", "%"), ("iron", "ug/dL"), ("tibc", "ug/dL")),
        lambda share, iron, tibc: (iron / tibc).times(F(100)).wide(F(5, 100), F(1)).meets(share),
    ),
    (  # urea in one report as urea and as its nitrogen: 60.055 g hold 28.014 g
        (("urea", "mmol/L"), ("urea_nitrogen", "mg/dL")),
        lambda urea, bun: bun.times(F(10) / F("28.014")).wide(F(5, 100), F(1, 5)).meets(urea),
    ),
)
_PROOF: Final = 3  # terms: an identity of these holds by chance only seldom
_CELLS: Final = ("neutrophils", "lymphocytes", "monocytes", "eosinophils", "basophils")


def between(rows: Sequence[Row]) -> Iterator[Finding]:
    """Yield what does not fit within one group: same person, measured together."""
    by: dict[str, list[Row]] = {}
    for row in rows:
        by.setdefault(row.analyte, []).append(row)
    yield from _duplicates(by)
    one = {key: found[0] for key, found in by.items() if len(found) == 1}
    held: set[str] = set()
    for parts, holds in _IDENTITIES:
        if all(key in one for key, _ in parts):
            near = [_near(one[key], code) for key, code in parts]
            ids = tuple(one[key].id for key, _ in parts)
            if not all(each is not None for each in near):
                continue
            if not holds(*near):
                yield Finding(reason=Reason.IDENTITY, rows=ids)
            elif len(parts) == _PROOF:
                held |= set(ids)
    yield from _differential(one)
    yield from _swapped(rows, held)


_NAMED: Final = 50  # rows that are named beside each other


def _duplicates(by: Mapping[str, Sequence[Row]]) -> Iterator[Finding]:
    """One test twice in one group must say the same, in whatever unit."""
    for found in by.values():
        home = analytes.get(found[0].analyte).unit
        if len(found) == 1:
            continue
        near = [_near(row, home) for row in found]
        # HbA1c by the master equation meets the rounding of both scales only nearly
        wide = [each.wide(F(1, 100)) for each in near if each is not None]
        same_text = len({(row.number, row.comparator, row.unit) for row in found}) == 1
        if not same_text and (
            len(wide) < len(found)
            # all meet each other if the highest beginning lies below the lowest end
            or max(each.low for each in wide) > min(each.high for each in wide)
        ):
            ids = [row.id for row in found]
            rows = [tuple(ids)] if len(ids) <= _NAMED else [(each,) for each in ids]
            yield from (Finding(reason=Reason.DUPLICATE, rows=each) for each in rows)


def _differential(one: Mapping[str, Row]) -> Iterator[Finding]:
    """Shares add up to 100, counts to the white cells, and each share times those is its count."""
    shares = [one[f"{cell}_pct"] for cell in _CELLS if f"{cell}_pct" in one]
    near = [each for row in shares if (each := _near(row, "%")) is not None]
    if shares and len(near) == len(shares):
        total = sum((each.low for each in near), F(0)), sum((each.high for each in near), F(0))
        # bands, blasts and atypical cells may be printed beside the five
        if total[0] > F(102) or (len(shares) == len(_CELLS) and total[1] < F(90)):
            yield Finding(reason=Reason.IDENTITY, rows=tuple(row.id for row in shares))
    white = one.get("leukocytes")
    all_white = _near(white, "10*9/L") if white else None
    if white is None or all_white is None:
        return
    for cell in _CELLS:
        count, share = one.get(cell), one.get(f"{cell}_pct")
        many = _near(count, "10*9/L") if count else None
        if count is None or many is None:
            continue
        if many.low > all_white.high * F(103, 100):
            yield Finding(reason=Reason.IDENTITY, rows=(count.id, white.id))
        part = _near(share, "%") if share else None
        if share is not None and part is not None:
            wanted = _Near(part.low * all_white.low / 100, part.high * all_white.high / 100)
            if not wanted.wide(F(5, 100), F(1, 100)).meets(many):
                yield Finding(reason=Reason.IDENTITY, rows=(count.id, share.id, white.id))


def _swapped(rows: Sequence[Row], held: set[str]) -> Iterator[Finding]:
    """Two neighbouring results may stand on each other's line.

    Each lies outside its own range and inside the other's; or each has the digits behind the point
    that the other's range has; or one is beyond what is met and both would be met where the other
    stands. Rows of which an identity holds (``held``) are where they belong.
    """
    for one, two in pairwise(rows):
        if (
            one.analyte == two.analyte
            or not (one.ranges and two.ranges)
            or {one.id, two.id} <= held
        ):
            continue
        left, right = replace(one, number=two.number), replace(two, number=one.number)
        spans = one.ranges[0].span, two.ranges[0].span
        inside = left.span.place(spans[0]), right.span.place(spans[1])
        outside = one.span.place(spans[0]), two.span.place(spans[1])
        closed = all(span.low is not None and span.high is not None for span in spans)
        crossed = closed and Flag.WITHIN not in outside and set(inside) == {Flag.WITHIN}
        digits = _digits(one) != _digits(two) and (
            _digits(one) == two.ranges[0].decimals and _digits(two) == one.ranges[0].decimals
        )
        met_there = not (implausible(left) or implausible(right))
        odd = (implausible(one) or implausible(two)) and met_there
        if crossed or digits or odd:
            yield Finding(reason=Reason.SWAPPED, rows=(one.id, two.id))


def _digits(row: Row) -> int:
    return max(-int(row.number.as_tuple().exponent), 0)


def implausible(row: Row) -> bool:
    """Tell whether a result is beyond what is met, or may be in a unit of another molecule."""
    analyte = analytes.get(row.analyte)
    span = in_unit(row, analyte.unit)
    if span is None or span.place(analyte.plausible) in {Flag.LOW, Flag.HIGH}:
        return True
    if analyte.moles_floor is not None and row.unit.endswith("mol/L"):
        moles = in_unit(row, "mmol/L")
        return moles is None or moles.high is None or moles.high < analyte.moles_floor
    return False


_JUMP: Final = 5  # times: a lost decimal point makes ten
_STEADY: Final = {  # never five times as much as before; enzymes, CRP, ferritin, TSH may be
    *("haemoglobin", "haematocrit", "erythrocytes", "mcv", "mch", "mchc", "rdw_cv", "rdw_sd"),
    *("mpv", "sodium", "potassium", "chloride", "bicarbonate", "calcium", "calcium_ionised"),
    *("magnesium", "phosphate", "protein", "albumin", "globulin", "cholesterol", "hdl", "hba1c"),
    *(
        "urate",
        "creatinine",
        "urea",
        "urea_nitrogen",
        "egfr",
        "tibc",
        "ft4",
        "aptt",
        "ldl",
        "non_hdl",
    ),
}
_STABLE: Final = {"mcv": (F(12), 30), "mch": (F(6), 30)}  # home unit within days: another's sample


_Ends = tuple[Fraction, Fraction]  # the least and the largest of several results


def _comparable(row: Row) -> Fraction | None:
    """Return a result in the home unit of its test; None for bounds, nothing, and zero."""
    span = None if row.comparator else in_unit(row, analytes.get(row.analyte).unit)
    return (span.low or None) if span is not None else None


def _wider(one: _Ends | None, low: Fraction, high: Fraction) -> _Ends:
    return (low, high) if one is None else (min(one[0], low), max(one[1], high))


def _jumped(analyte: str, value: Fraction, old: _Ends | None) -> bool:
    """Tell whether a result is so far from one of those before that a body cannot do it."""
    if old is None or analyte not in _STEADY:
        return False
    return value >= _JUMP * old[0] or old[1] >= _JUMP * value


def over_time(rows: Sequence[Row], before: Sequence[Row]) -> Iterator[Finding]:
    """Yield rows that differ from an earlier report of the person by more than a body can."""
    ends: dict[str, _Ends] = {}
    for row in before:
        if (value := _comparable(row)) is not None:
            ends[row.analyte] = _wider(ends.get(row.analyte), value, value)
    for row in rows:
        found = _comparable(row)
        if found is not None and _jumped(row.analyte, found, ends.get(row.analyte)):
            yield Finding(reason=Reason.DELTA, rows=(row.id,))


def over_days(rows: Sequence[Row]) -> Iterator[Finding]:
    """Yield rows of one person that differ too much from their rows of the days up to theirs.

    Rows of one group are no earlier and later ones. Each test is gone through once.
    """
    days: dict[str, dict[int, list[tuple[Row, Fraction]]]] = {}
    for row in rows:
        if row.day is not None and (value := _comparable(row)) is not None:
            days.setdefault(row.analyte, {}).setdefault(row.day, []).append((row, value))
    for analyte, by_day in days.items():
        seen: _Ends | None = None
        past: dict[int, _Ends] = {}
        apart, window = _STABLE.get(analyte, (F(0), 0))
        for day in sorted(by_day):
            beside = _others(by_day[day])
            recent = [past[day - back] for back in range(1, window + 1) if day - back in past]
            for row, value in by_day[day]:
                near = [each for each in (beside[row.group],) if each is not None]
                moved = window and any(
                    max(abs(value - end) for end in ends) > apart for ends in (*recent, *near)
                )
                if moved or any(_jumped(analyte, value, ends) for ends in (seen, *near)):
                    yield Finding(reason=Reason.DELTA, rows=(row.id,))
            values = [value for _, value in by_day[day]]
            past[day] = min(values), max(values)
            seen = _wider(seen, *past[day])


def _others(found: Sequence[tuple[Row, Fraction]]) -> dict[str, _Ends | None]:
    """Return, for each group of one day, the least and the largest result of the other groups."""
    groups: dict[str, _Ends] = {}
    for row, value in found:
        groups[row.group] = _wider(groups.get(row.group), value, value)
    least = sorted(groups, key=lambda name: groups[name][0])[:2]
    most = sorted(groups, key=lambda name: -groups[name][1])[:2]
    if len(groups) == 1:
        return dict.fromkeys(groups, None)
    return {
        name: (groups[least[least[0] == name]][0], groups[most[most[0] == name]][1])
        for name in groups
    }
