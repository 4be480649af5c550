"""Numbers, units and ranges of lab reports: read for certain, or refused."""

import json
from decimal import Decimal
from fractions import Fraction

import pytest

from safelight.readers.labs import analytes, limits, ranges, units, values
from safelight.readers.labs.model import Person, RawRange, Reason, Span
from safelight.readers.labs.people import moment
from safelight.readers.labs.values import Point


def unit_of(text: str, key: str) -> units.Unit:
    found = units.parse(text, analytes.get(key))
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("text", "point", "wanted"),
    [
        ("5.4", Point.UNKNOWN, "5.4"),
        ("5,4", Point.COMMA, "5.4"),
        ("1.234,5", Point.UNKNOWN, "1234.5"),
        ("1,234.5", Point.UNKNOWN, "1234.5"),
        ("7.800", Point.COMMA, "7800"),
        ("1.234", Point.DOT, "1.234"),
        ("7'800", Point.UNKNOWN, "7800"),
        ("7\u202f800", Point.UNKNOWN, "7800"),
        ("0.025", Point.UNKNOWN, "0.025"),
        ("250", Point.COMMA, "250"),
    ],
)
def test_a_number_is_read_as_its_document_writes_it(text: str, point: Point, wanted: str) -> None:
    assert values.number(text, point) == Decimal(wanted)


@pytest.mark.parametrize(
    ("text", "point", "why"),
    [
        ("1.234", Point.UNKNOWN, Reason.AMBIGUOUS_NUMBER),
        ("1,234", Point.MIXED, Reason.AMBIGUOUS_NUMBER),
        ("5.4", Point.COMMA, Reason.AMBIGUOUS_NUMBER),
        ("05", Point.DOT, Reason.AMBIGUOUS_NUMBER),
        ("1.2.3", Point.DOT, Reason.AMBIGUOUS_NUMBER),
        ("l4.2", Point.DOT, Reason.NOT_A_NUMBER),
        ("1O.2", Point.DOT, Reason.NOT_A_NUMBER),
        ("-3", Point.DOT, Reason.NOT_A_NUMBER),
        ("", Point.DOT, Reason.NOT_A_NUMBER),
    ],
)
def test_a_number_in_doubt_is_refused(text: str, point: Point, why: Reason) -> None:
    assert values.number(text, point) is why


def test_all_numbers_of_a_document_prove_its_decimal_sign() -> None:
    assert values.point_of(["5,4", "1.234"]) is Point.COMMA
    assert values.point_of(["5.4", "12"]) is Point.DOT
    assert values.point_of(["5.4", "6,1"]) is Point.MIXED
    assert values.point_of(["1.234", "12"]) is Point.UNKNOWN


def test_a_cell_may_hold_comparator_mark_and_unit() -> None:
    found = values.value("H <5.4 mmol/L", Point.DOT)
    assert isinstance(found, values.Value)
    assert (found.number, found.comparator, found.mark) == (Decimal("5.4"), "<", "high")
    assert found.rest == "mmol/L"
    starred = values.value("5.4*", Point.DOT)
    assert isinstance(starred, values.Value)
    assert starred.mark == "off"
    assert values.value("negative", Point.DOT) is Reason.NOT_A_NUMBER
    assert values.value("14 .2", Point.DOT) is Reason.NOT_A_NUMBER


@pytest.mark.parametrize(
    ("key", "value", "old", "new", "wanted"),
    [
        ("glucose", "126", "mg/dL", "mmol/L", 6.99),
        ("cholesterol", "200", "mg/dL", "mmol/L", 5.17),
        ("creatinine", "1", "mg/dL", "µmol/l", 88.4),
        ("calcium", "10", "mg/dL", "mmol/L", 2.495),
        ("calcium", "5", "meq/L", "mmol/L", 2.5),
        ("haemoglobin", "14", "g/dL", "mmol/L", 8.69),
        ("haemoglobin", "14", "g/dL", "g/l", 140),
        ("triglycerides", "150", "mg/dL", "mmol/L", 1.694),
        ("bilirubin", "1", "mg/dL", "umol/L", 17.1),
        ("alt", "1", "µkat/L", "U/L", 60),
        ("hba1c", "48", "mmol/mol", "%", 6.54),
        ("hba1c", "6.5", "%", "mmol/mol", 47.53),
        ("leukocytes", "7800", "/µl", "10^9/L", 7.8),
        ("haematocrit", "0.42", "L/L", "%", 42),
        ("ft4", "1", "ng/dL", "pmol/L", 12.87),
    ],
)
def test_units_turn_as_doctors_tables_say(
    key: str, value: str, old: str, new: str, wanted: float
) -> None:
    turn = units.turn(analytes.get(key), unit_of(old, key), unit_of(new, key))
    assert turn is not None
    assert float(turn(Fraction(value))) == pytest.approx(wanted, rel=2e-3)


def test_turning_is_exact_both_ways() -> None:
    key = analytes.get("glucose")
    there = units.turn(key, unit_of("mg/dL", "glucose"), unit_of("mmol/L", "glucose"))
    back = units.turn(key, unit_of("mmol/L", "glucose"), unit_of("mg/dL", "glucose"))
    assert there is not None
    assert back is not None
    assert back(there(Fraction("99.7"))) == Fraction("99.7")


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("albumin", "umol/L"),  # a mixture has no molar mass
        ("urea_nitrogen", "mmol/L"),  # of urea, or of nitrogen
        ("alt", "mg/dL"),
        ("glucose", "mg/dLL"),
        ("glucose", "g/24h"),
        ("egfr", "mL/min"),  # not for 1.73 m2
        ("potassium", "mg/dL"),
        ("glucose", ""),
    ],
)
def test_a_unit_that_does_not_fit_is_refused(key: str, text: str) -> None:
    assert units.parse(text, analytes.get(key)) is None


def test_a_letter_means_what_the_test_makes_of_it() -> None:
    assert unit_of("G/L", "platelets").factor == Fraction(10**9)
    assert unit_of("G/L", "protein").factor == 1


def luhn(code: str) -> bool:
    body, _, check = code.partition("-")
    digits = [int(sign) for sign in reversed(body)]
    doubled = [sum(divmod(2 * d, 10)) if at % 2 == 0 else d for at, d in enumerate(digits)]
    return (10 - sum(doubled) % 10) % 10 == int(check)


def test_every_loinc_code_has_its_check_digit() -> None:
    codes = analytes.known_codes()
    assert len(codes) > 100
    assert [code for code in codes if not luhn(code)] == []


def test_the_table_holds_together() -> None:
    assert len(analytes.table()) >= 30
    for each in analytes.table().values():
        home = units.parse(each.unit, each)
        assert home is not None, each.key
        assert set(each.loinc) <= set(each.dims), each.key
        low, high = each.usual
        assert low < high
        assert each.plausible.high is not None
        assert high <= each.plausible.high
    for limit in limits.book().limits:
        assert units.parse(limit.unit, analytes.get(limit.analyte)) is not None
        assert limit.source


@pytest.mark.parametrize(
    ("name", "unit", "wanted"),
    [
        ("Hämoglobin", "g/dl", "haemoglobin"),
        ("Haemoglobin", "g/dl", "haemoglobin"),
        ("HGB", "", "haemoglobin"),
        ("Glucose, Serum", "mg/dL", "glucose"),
        ("Kreatinin i.S.", "mg/dl", "creatinine"),
        ("Neutrophils", "%", "neutrophils_pct"),
        ("Neutrophils", "10*9/L", "neutrophils"),
        ("Neutrophils", "", Reason.NO_UNIT),
        ("Glucose, urine", "mg/dL", Reason.OTHER_SPECIMEN),
        ("Kreatinin im Urin", "mg/dl", Reason.OTHER_SPECIMEN),
        ("U-Albumin", "mg/L", Reason.OTHER_SPECIMEN),
        ("Glucose 2h after", "mg/dL", Reason.UNKNOWN_ANALYTE),
        ("Frobnicin", "mg/dL", Reason.UNKNOWN_ANALYTE),
    ],
)
def test_a_name_is_known_whole_or_not_at_all(name: str, unit: str, wanted: str | Reason) -> None:
    assert analytes.by_name([name], unit) == wanted


def read_range(text: str, key: str = "haemoglobin", unit: str = "g/dL") -> object:
    told, fault = ranges.read(
        [RawRange(text=text)], analytes.get(key), unit_of(unit, key), Point.DOT
    )
    return fault or [(each.span.low, each.span.high, each.sex) for each in told]


def test_ranges_with_labels_are_read_for_the_right_person() -> None:
    both = [(12, 16, "F"), (Fraction("13.5"), Fraction("17.5"), "M")]
    dash = "\u2013"
    for text in (
        "F: 12-16 M: 13.5-17.5",
        f"Frauen 12 - 16; Männer 13.5 {dash} 17.5",
        "W 12-16, M 13.5-17.5",
    ):
        assert read_range(text) == both
    assert read_range("M 12-16 H 13.5-17.5") == both  # mujeres, hombres
    assert read_range("13.5-17.5 (male)") == [both[1]]
    assert read_range("12.0-16.0 g/dL") == [(12, 16, "")]
    assert read_range("M: 13.5-17.5") is Reason.RANGE_NOT_READ  # man, or mujer


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("16-12", Reason.RANGE_INVERTED),
        ("120-160", Reason.RANGE_MAGNITUDE),
        ("1.2-16", Reason.RANGE_MAGNITUDE),
        ("7.4-9.6 mmol/L", Reason.RANGE_UNIT),
        ("optimal 12-16", Reason.RANGE_NOT_READ),
        ("12-13 13-16", Reason.RANGE_NOT_READ),
        ("see below", Reason.RANGE_NOT_READ),
        ("12-l6", Reason.RANGE_NOT_READ),
    ],
)
def test_a_range_that_cannot_be_right_is_told(text: str, why: Reason) -> None:
    assert read_range(text) is why


def test_a_range_for_an_age_holds_for_that_age_only() -> None:
    told, _ = ranges.read(
        [RawRange(text="> 18 years: 12-16")],
        analytes.get("haemoglobin"),
        unit_of("g/dL", "haemoglobin"),
        Point.DOT,
    )
    assert ranges.fitting(told, Person(age=Fraction(5)))[1] is Reason.RANGE_OTHER_PERSON
    assert ranges.fitting(told, Person(age=Fraction(40)))[1] is None
    assert not ranges.covered(told, Person())


def test_a_bound_of_a_span_decides_as_it_is_written() -> None:
    five = Span(low=Fraction(5), high=Fraction(5))
    assert five.place(Span(low=None, high=Fraction(5), high_open=True)) == "high"
    assert five.place(Span(low=None, high=Fraction(5))) == "within"
    less = Span(low=None, high=Fraction(5), high_open=True)
    assert less.place(Span(low=Fraction(5), high=Fraction(9))) == "low"
    assert less.place(Span(low=Fraction(3), high=Fraction(9))) is None
    assert json.dumps(five.place(less)) == '"high"'


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("20241112", "2024-11-12 00:00:00"),
        ("2024111210", "2024-11-12 10:00:00"),
        ("202411121030", "2024-11-12 10:30:00"),
        ("20241112103005.123+0100", "2024-11-12 10:30:05"),
        ("2024-11-12T10:30:00Z", "2024-11-12 10:30:00"),
        ("12.11.2024", "2024-11-12 00:00:00"),
        *((short, "None") for short in ("2024", "202411", "2024-11", "2024111", "202411121", "")),
        ("20241332", "None"),
    ],
)
def test_a_time_of_reduced_precision_is_not_made_up(text: str, wanted: str) -> None:
    assert str(moment(text)) == wanted
