"""Limits that are cited, in every unit a laboratory may print."""

import pytest

from lab_fixtures import one, table
from safelight.readers.labs import Flag


@pytest.mark.parametrize(
    ("line", "sex", "wanted"),
    [
        ("Hemoglobin;129;g/L;", "M", Flag.LOW),
        ("Hemoglobin;131;g/L;", "M", Flag.NOT_LOW),
        ("Hemoglobin;7.3;mmol/L;", "F", Flag.LOW),
        ("Hemoglobin;7.5;mmol/L;", "F", Flag.NOT_LOW),
        ("Fasting glucose;5.5;mmol/L;", "F", Flag.WITHIN),
        ("Fasting glucose;5.6;mmol/L;", "F", Flag.HIGH),
        ("Fasting glucose;3.8;mmol/L;", "M", Flag.LOW),
        ("HbA1c;39;mmol/mol;", "M", Flag.HIGH),
        ("HbA1c;38;mmol/mol;", "M", Flag.NOT_HIGH),
        ("Cholesterol;5.1;mmol/L;", "F", Flag.NOT_HIGH),
        ("Cholesterol;5.2;mmol/L;", "F", Flag.HIGH),
        ("Triglycerides;1.7;mmol/L;", "F", Flag.HIGH),
        ("Triglycerides;1.6;mmol/L;", "F", Flag.NOT_HIGH),
        ("HDL cholesterol;1.0;mmol/L;", "F", Flag.LOW),
        ("HDL cholesterol;1.03;mmol/L;", "F", Flag.NOT_LOW),
        ("HDL cholesterol;1.02;mmol/L;", "F", Flag.LOW),
        ("LDL cholesterol;3.36;mmol/L;", "F", Flag.HIGH),
        ("LDL cholesterol;3.35;mmol/L;", "F", Flag.NOT_HIGH),
        ("Cholesterol;5.17;mmol/L;", "F", Flag.HIGH),
        ("Triglycerides;1.69;mmol/L;", "F", Flag.HIGH),
        ("Vitamin D;50;nmol/L;", "F", Flag.NOT_LOW),
        ("Hemoglobin;7.4;mmol/L;", "F", Flag.WITHHELD),  # 11.84 to 12.01 g/dL
        ("eGFR;59;mL/min/1.73m2;", "F", Flag.LOW),
        ("Vitamin D;49;nmol/L;", "F", Flag.LOW),
        ("Vitamin D;51;nmol/L;", "F", Flag.NOT_LOW),
        ("Sodium;150;mmol/L;", "F", Flag.NOT_LOW),
        ("Sodium;134;meq/L;", "F", Flag.LOW),
        ("Glucose;2.5;mmol/L;", "M", Flag.CRITICAL_LOW),
        ("Calcium;3.3;mmol/L;", "M", Flag.CRITICAL_HIGH),
        ("Calcium;13.5;mg/dL;", "M", Flag.CRITICAL_HIGH),
    ],
)
def test_a_cited_limit_holds_in_every_unit(line: str, sex: str, wanted: Flag) -> None:
    assert one(table(line), sex=sex, age=45, trimester=0).flag is wanted
