"""What stands around a result: other specimens, other names, corrections. All of it counts."""

import pytest

from lab_fixtures import table
from safelight.readers.labs import Flag, LabReport, Reason, analytes, read, specimen

HEAD = "MSH|^~\\&|LAB|H|EHR|H|{sent}||ORU^R01|1|P|2.5.1\rPID|1||12345||ROE^JANE||{born}|F\r"


def hl7(*segments: str, sent: str = "20260601", born: str = "19800101") -> bytes:
    return (HEAD.format(sent=sent, born=born) + "\r".join(segments) + "\r").encode()


def order(name: str = "1^CHEM", status: str = "", number: str = "A|B") -> str:
    return f"OBR|1|{number}|{name}|||202606010800" + "|" * 18 + status


def result(test: str, value: str, unit: str, status: str = "F", kind: str = "NM") -> str:
    return f"OBX|1|{kind}|{test}||{value}|{unit}|||||{status}"


def reasons(report: LabReport) -> list[Reason]:
    return [each.reason for each in report.refusals]


URINE = [
    "Urin",
    "Harnsediment",
    "Urinstreifentest",
    "Sammelharn",
    "24 h Urin",
    "Orina",
    "Glukosurie",
]
OTHERS = ["Stuhlprobe", "Liquordiagnostik", "Speichel", "Pleurapunktat", "sweat", "LCR", "Sputum"]
BLOOD = [
    "Harnstoff",
    "Harnsäure",
    "U&E",
    "Enzyme (U/L)",
    "Blutbild",
    "Serum",
    "Niere",
    "Elektrolyte",
]


@pytest.mark.parametrize("text", [*URINE, *OTHERS])
def test_a_heading_of_another_specimen_is_known_in_each_language(text: str) -> None:
    assert specimen.elsewhere(text)
    below = read(table(f"{text};;;", "Glucose;30;mg/dL;", "WBC;25;/uL;"))
    assert reasons(below) == [Reason.OTHER_SPECIMEN] * 2


@pytest.mark.parametrize("text", BLOOD)
def test_words_that_only_look_like_urine_do_not_hide_results(text: str) -> None:
    assert not specimen.elsewhere(text, panel=True)
    assert len(read(table(f"{text} und mehr;;;", "Glucose;90;mg/dL;")).results) == 1


def test_no_name_of_the_table_is_taken_for_another_specimen() -> None:
    names = [name for each in analytes.table().values() for name in each.names]
    assert [name for name in names if specimen.elsewhere(name, panel=True)] == []


@pytest.mark.parametrize(
    "data",
    [
        b"Panel,Test,Result,Unit\nUrinalysis,Glucose,30,mg/dL\n",
        b"Panel,Test,Result,Unit\nUrinalysis,Frobnicin,3,mg/dL\n,Glucose,30,mg/dL\n",
        b"Whatever,Test,Result,Unit\nurine dipstick,Glucose,30,mg/dL\n",
        b"Specimen,Test,Result,Unit\nUrine,Glucose,30,mg/dL\n,Glucose,30,mg/dL\n",
        b"Urinalysis of today\nTest,Result,Unit\nGlucose,30,mg/dL\n",
        b"Test,Result,Unit\nUrinalysis,,\nBilirubin,,\nGlucose,30,mg/dL\n",
        b"Test,Result,Unit\nUrinalysis,,\nUrobilinogen,,\nGlucose,30,mg/dL\n",
        b"Patient,Specimen,Sodium (mmol/L),Glucose (mg/dL)\n1,Urine,110,30\n",
        hl7(order("UA^Urinalysis^L"), result("GLU^Glucose^L", "30", "mg/dL")),
        hl7(order("UA"), result("2345-7^Glucose^LN", "30", "mg/dL")),
        hl7(order(), result("GLU^Glucose^L^UGLU^Glucose urine^L", "30", "mg/dL")),
        hl7(order(), result("2345-7^Glucose Ur^LN", "30", "mg/dL")),
        hl7(order(), result("GLU^Glucose^L", "30", "mg/dL"), "SPM|1|||UR^Urine"),
        hl7(order(), result("2345-7^Glucose^LN", "30", "mg/dL"), "SPM|1|||122575003"),
        hl7(order(), result("2345-7^Glucose^LN", "30", "mg/dL"), "SPM|1|||SER", "SPM|2|||UR"),
    ],
)
def test_urine_is_urine_wherever_it_is_said(data: bytes) -> None:
    report = read(data)
    assert report.results == ()
    assert Reason.OTHER_SPECIMEN in reasons(report)
    assert "critical" not in {each.template for each in report.sentences}


def test_a_test_without_a_result_is_no_heading() -> None:
    report = read(table("Bilirubin;;;", "Frobnicin;;;1-2", "Glucose;90;mg/dL;"))
    assert reasons(report) == [Reason.NO_VALUE, Reason.UNKNOWN_ANALYTE]
    assert [each.row.analyte for each in report.results] == ["glucose"]


def test_a_heading_of_blood_ends_a_part_about_urine() -> None:
    lines = ("Urin;;;", "Glucose;10;mg/dL;", "Farbe;;;", "WBC;25;/uL;", "Hämatologie;;;")
    report = read(table(*lines, "WBC;7000;/uL;"))
    assert reasons(report) == [Reason.OTHER_SPECIMEN] * 2
    assert [each.row.analyte for each in report.results] == ["leukocytes"]


@pytest.mark.parametrize(
    "name",
    [
        *("Calcium (i)", "Bilirubin (I)", "CK-B", "Protein S", "S-Protein", "B-Lymphocytes"),
        *("Plasma Hemoglobin", "Hemoglobin, Plasma", "P-Hb", "Calcium i", "Glucose p"),
    ],
)
def test_a_letter_that_belongs_to_a_name_stays_with_it(name: str) -> None:
    assert analytes.by_name([name], "mg/dL") is Reason.UNKNOWN_ANALYTE


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("S-Kreatinin", "creatinine"),
        ("P-Glucose", "glucose"),
        ("Glucose, P", "glucose"),
        ("Kreatinin im S", "creatinine"),
        ("Kreatinin i. S.", "creatinine"),
        ("B-Hb", "haemoglobin"),
        ("Potassium measurement", "potassium"),
    ],
)
def test_a_letter_that_says_blood_is_known(name: str, wanted: str) -> None:
    assert analytes.by_name([name], "mg/dL") == wanted


@pytest.mark.parametrize(
    ("test", "why"),
    [
        ("AP^Alpha-Amylase, Pankreas^L", Reason.UNKNOWN_ANALYTE),
        ("CK^CK-MB^L", Reason.UNKNOWN_ANALYTE),
        ("CA^Carnitine^L", Reason.UNKNOWN_ANALYTE),
        ("AP^ALT^L", Reason.AMBIGUOUS_ANALYTE),
        ("X^ALT^L^Y^AST^L", Reason.AMBIGUOUS_ANALYTE),
        ("1742-6^ALT^LN^AST^AST^L", Reason.AMBIGUOUS_ANALYTE),
        ("1742-6^ALT^LN^99999-9^Other^LN", Reason.UNKNOWN_ANALYTE),
    ],
)
def test_all_names_of_a_test_must_mean_the_same(test: str, why: Reason) -> None:
    assert reasons(read(hl7(order(), result(test, "60", "U/L")))) == [why]


def test_names_that_agree_are_one_test() -> None:
    for name in ("ALT", "AL^ALT^L", "ALT^GPT^L^ALAT^ALAT (GPT)^M", "1742-6^Frobnicin^LN^A^ALT^L"):
        found = read(hl7(order(), result(name, "60", "U/L"))).results
        assert [each.row.analyte for each in found] == ["alt"]


def test_haemoglobin_in_plasma_is_another_test() -> None:
    told = hl7(order(), result("HB^Hemoglobin^L", "5.0", "g/dL"), "SPM|1|||PLAS^Plasma")
    assert reasons(read(told)) == [Reason.OTHER_SPECIMEN]
    told = hl7(order(), result("HB^Hemoglobin^L", "5.0", "g/dL"), "SPM|1|||BLD^Blood")
    assert len(read(told).results) == 1


def test_text_in_hl7_has_the_decimal_sign_that_its_document_proves() -> None:
    told = result("Ferritin", "1.234", "ug/L", kind="ST")
    assert reasons(read(hl7(order(), told))) == [Reason.AMBIGUOUS_NUMBER]
    other = result("K", "4.1", "mmol/L", kind="ST")
    assert len(read(hl7(order(), told, other)).results) == 2


def test_a_column_that_numbers_the_lines_is_no_person() -> None:
    rows = "\n1,Hb,14.0,g/dL,12-16\n2,Hct,22,%,36-46\n"
    report = read(b"id,Test,Result,Unit,Range" + rows.encode())
    assert {each.flag for each in report.results} == {Flag.WITHHELD}
    people = read(b"patient,Test,Result,Unit,Range" + rows.encode()).results
    assert [each.row.person for each in people] == [1, 2]


def test_headers_further_down_begin_another_table() -> None:
    first = "Test,Result,Unit,Range\nSodium,140,mmol/L,135-145\n"
    former = "Previous\nTest,Date,Previous,Unit\nPotassium,7.2,mmol/L,3.5-5.1\n"
    turned = "Test,Unit,Result,Range\nPotassium,mmol/L,4.2,3.5-5.1\n"
    report = read((first + former + turned).encode())
    assert [(each.row.analyte, each.flag) for each in report.results] == [
        ("sodium", Flag.WITHIN),
        ("potassium", Flag.WITHIN),
    ]
    assert reasons(report) == [Reason.LINE_NOT_READ]


K = "2823-3^K^LN"


@pytest.mark.parametrize(
    ("first", "second", "left"),
    [
        (("7.4", "F"), ("4.1", "C"), ["4.1"]),
        (("7.4", "F"), ("7.4", "W"), []),
        (("7.4", "F"), ("7.4", "D"), []),
        (("7.4", "C"), ("4.1", "C"), ["4.1"]),
    ],
)
def test_a_later_message_corrects_or_takes_back(
    first: tuple[str, str], second: tuple[str, str], left: list[str]
) -> None:
    one = hl7(order(), result(K, first[0], "mmol/L", first[1]), sent="20260601")
    two = hl7(order(), result(K, second[0], "mmol/L", second[1]), sent="20260602")
    for data in (one + two, two + one):  # the time of the message counts, not where it stands
        assert [str(each.row.number) for each in read(data).results] == left
    other = hl7(order(number="C|D"), result(K, first[0], "mmol/L"), sent="20260601")
    assert len(read(other + two).results) == len(left) + 1


def test_two_results_of_one_order_without_a_correction_are_withheld() -> None:
    data = b"".join(hl7(order(), result(K, value, "mmol/L")) for value in ("7.4", "4.1"))
    assert [each.flag for each in read(data).results] == [Flag.WITHHELD] * 2


def test_an_order_that_was_cancelled_has_no_results() -> None:
    told = result(K, "7.4", "mmol/L")
    assert reasons(read(hl7(order(status="X"), told))) == [Reason.RETRACTED]
    assert reasons(read(hl7("ORC|CA|A|B", order(), told))) == [Reason.RETRACTED]


def test_a_birth_month_is_no_birth_date() -> None:
    data = hl7(order(), result("718-7^Hb^LN", "10.8", "g/dL"), born="202212")
    assert [each.flag for each in read(data).results] == [Flag.NO_RANGE]
