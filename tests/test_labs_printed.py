"""How laboratories print names, units, ranges and marks: read where they are certain."""

import pytest

from lab_fixtures import HL7, one, table
from safelight.readers.labs import Flag, Reason, read


@pytest.mark.parametrize(
    ("line", "analyte"),
    [
        ("White Blood Cell (WBC) Count;6.8;K/uL;4.0-11.0", "leukocytes"),
        ("Free T4 (FT4);15;pmol/L;10-22", "ft4"),
        ("Glucose [Mass/volume] in Serum or Plasma;95;mg/dL;70-99", "glucose"),
        ("Baso (Absolute);0.1;x10E3/uL;0.0-0.2", "basophils"),
        ("Platelet count - observation;200;10*9/L;150-400", "platelets"),
        ("GLOBULIN;2.4;g/dL (calc);1.9-3.7", "globulin"),
        ("HEMOGLOBIN A1c;5.4;% of total Hgb;<5.7", "hba1c"),
        ("Platelet Count;2.5;lakhs/cumm;1.5-4.5", "platelets"),
        ("Total Leukocyte Count (TLC);8000;cells/cu.mm;4000-11000", "leukocytes"),
        ("ESR;10;mm/1st hr;0-20", "esr"),
        ("eGFR;90;mL/min/1.73;> OR = 60", "egfr"),
        ("TSH;2.05;uIU/mL;0.4-4.0", "tsh"),
        ("TSH;2.0;uIU/mL;0.45-4.50", "tsh"),
    ],
)
def test_a_line_as_large_laboratories_print_it_is_read(line: str, analyte: str) -> None:
    found = one(table(line))
    assert (found.row.analyte, found.flag) == (analyte, Flag.WITHIN)


@pytest.mark.parametrize("name", ["Haemoglobin (HbA1c)", "Protein (CRP)", "Iron (TIBC)", "Hb (S)"])
def test_brackets_that_say_another_test_are_refused(name: str) -> None:
    report = read(table(f"{name};14.0;g/dL;12.0-16.0"))
    assert [each.reason for each in report.refusals] == [Reason.UNKNOWN_ANALYTE]


@pytest.mark.parametrize(
    ("printed", "wanted"),
    [
        ("< OR = 5.1", Flag.WITHIN),
        ("less than or equal to 4.8", Flag.WITHIN),
        ("less than 4.8", Flag.HIGH),
        ("max. 4.7", Flag.HIGH),
        ("at least 3.5", Flag.WITHIN),
    ],
)
def test_bounds_in_words(printed: str, wanted: Flag) -> None:
    assert one(table(f"Potassium;4.8;mmol/L;{printed}")).flag is wanted


@pytest.mark.parametrize(
    ("mark", "wanted"),
    [
        ("In range", Flag.WITHIN),
        ("WNL", Flag.WITHIN),
        ("no", Flag.WITHIN),
        ("erhöht", Flag.WITHHELD),
        ("below range", Flag.WITHHELD),
    ],
)
def test_marks_in_words(mark: str, wanted: Flag) -> None:
    head = "Test;Result;Unit;Range;Flag"
    assert one(table(f"Potassium;4.8;mmol/L;3.5-5.1;{mark}", head=head)).flag is wanted


def test_a_mark_of_the_report_speaks_for_the_point() -> None:
    head = "Test;Result;Unit;Range;Flag"
    assert one(table("TSH;0.25;uIU/mL;0.4-4.0;", head=head)).flag is Flag.WITHHELD
    assert one(table("TSH;0.25;uIU/mL;0.4-4.0;L", head=head)).flag is Flag.LOW
    assert one(table("TSH;205;uIU/mL;0.4-4.0;", head=head)).flag is Flag.WITHHELD
    # not for a result that the point alone makes one for alarm
    lost = one(table("WBC;125;10*9/L;4.0-11.0;H", head=head))
    assert (lost.flag, lost.reasons) == (Flag.WITHHELD, (Reason.DECIMAL_POINT,))


def test_a_power_in_a_unit_of_hl7_needs_no_escape() -> None:
    found = read(HL7.replace(b"10\\S\\3/uL", b"10^3/uL")).results
    assert [each.row.unit for each in found] == ["g/dL", "mg/L", "10*3/uL"]
