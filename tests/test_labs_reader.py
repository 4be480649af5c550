"""What the lab reader says of results: flags, limits, doubts, and the words for them."""

from fractions import Fraction

import pytest

from lab_fixtures import bounds, everything, fhir, observation, one, table
from safelight.readers.labs import Flag, Reason, Span, read
from safelight.readers.labs.out import as_fhir
from safelight.readers.labs.words import decimal


@pytest.mark.parametrize(
    ("code", "value", "unit", "low", "high"),
    [
        ("4544-3", "43", "%", 46, 38),
        ("785-6", "30", "pg", 33.2, 27.5),
        ("787-2", "85", "fL", 87.3, 82.4),
    ],
)
def test_the_ranges_that_hl7_prints_upside_down_are_caught(
    code: str, value: str, unit: str, low: float, high: float
) -> None:
    told = observation(code, value, unit, referenceRange=[bounds(low, high, unit)])
    found = one(fhir(told))
    assert found.flag is Flag.WITHHELD
    assert found.reasons == (Reason.RANGE_INVERTED,)


def test_the_printed_range_comes_before_any_other() -> None:
    line = "Hemoglobin;12.4;g/dL;11.0 - 15.0"
    found = one(table(line), sex="M", age=40)
    assert (found.flag, found.basis) == (Flag.WITHIN, "printed")


def test_a_cited_limit_stands_in_for_the_right_person() -> None:
    line = "Hemoglobin;12.4;g/dL;"
    assert one(table(line), sex="M", age=40).flag is Flag.LOW
    woman = one(table(line), sex="F", age=40, trimester=0)
    assert (woman.flag, woman.context) == (Flag.NOT_LOW, "not pregnant")
    assert one(table("Hemoglobin;10.8;g/dL;"), sex="F", age=30, trimester=2).flag is Flag.NOT_LOW
    assert one(table("Hemoglobin;10.8;g/dL;"), sex="F", age=30, trimester=1).flag is Flag.LOW
    unknown = one(table(line))
    assert (unknown.flag, unknown.reasons) == (Flag.NO_RANGE, (Reason.PERSON_UNKNOWN,))
    assert (
        one(table("Hemoglobin;11.0;g/dL;"), age=40, trimester=0).flag is Flag.LOW
    )  # whoever it is
    assert one(table("Hemoglobin;11,7;g/dL;"), age=8).flag is Flag.NOT_LOW


@pytest.mark.parametrize(
    ("value", "sex", "age", "wanted"),
    [
        ("13.0", "F", 30, Flag.NOT_LOW),  # at any stage
        ("11.5", "F", 30, Flag.WITHHELD),  # low, unless she is pregnant
        ("10.7", "F", 30, Flag.WITHHELD),  # low, but for months 4 to 6
        ("10.0", "F", 30, Flag.LOW),  # at any stage
        ("11.5", "F", 60, Flag.LOW),
        ("11.2", "F", 10, Flag.LOW),
        ("12.5", "M", 30, Flag.LOW),
        ("10.7", "", 30, Flag.WITHHELD),
    ],
)
def test_where_pregnancy_is_not_known_every_stage_must_agree(
    value: str, sex: str, age: int, wanted: Flag
) -> None:
    found = one(table(f"Hemoglobin;{value};g/dL;"), sex=sex, age=age)
    assert found.flag is wanted
    assert (found.reasons == (Reason.PERSON_UNKNOWN,)) is (wanted is Flag.WITHHELD)


def test_two_printed_ranges_that_say_not_whom_they_are_for_were_not_read() -> None:
    plain, wide = bounds(3.5, 5.1, "mmol/L"), bounds(2.8, 6.2, "mmol/L")
    told = observation("2823-3", "5.8", "mmol/L", referenceRange=[plain, wide])
    found = one(fhir(told), sex="F", age=34)
    assert (found.flag, found.reasons) == (Flag.WITHHELD, (Reason.RANGE_NOT_READ,))


def test_a_limit_that_depends_on_having_eaten_is_not_guessed() -> None:
    told = {"age": 50}
    assert one(table("Glucose;90;mg/dL;"), **told).flag is Flag.WITHIN
    assert one(table("Glucose;150;mg/dL;"), **told).flag is Flag.WITHHELD
    assert one(table("Glucose;210;mg/dL;"), **told).flag is Flag.HIGH
    assert one(table("Fasting glucose;110;mg/dL;"), **told).flag is Flag.HIGH
    assert one(table("Glukose nüchtern;5,0;mmol/l;"), **told).flag is Flag.WITHIN


def test_without_range_and_limit_there_is_no_flag() -> None:
    found = one(table("Platelets;250;10*9/L;"))
    assert (found.flag, found.reasons) == (Flag.NO_RANGE, (Reason.NO_RANGE,))


def test_a_critical_value_says_whom_to_call_in_plain_words() -> None:
    report = read(table("Kalium;6,9;mmol/l;3,5 - 5,1"))
    assert report.results[0].flag is Flag.CRITICAL_HIGH
    assert "Contact your doctor or emergency service now" in report.sentences[0].text
    doubted = read(table("Potassium;2.1;mmol/L;5.1-3.5"))
    assert {each.flag for each in doubted.results} == {Flag.WITHHELD}
    assert doubted.sentences[0].template == "critical-if"
    assert "If the paper shows" in doubted.sentences[0].text


@pytest.mark.parametrize(
    ("lines", "why"),
    [
        (["Potassium;41;mmol/L;3.5-5.1"], Reason.IMPLAUSIBLE),
        (["Creatinine;12;mg/dL;0.6-1.2"], Reason.DECIMAL_POINT),
        (["WBC;25;10*3/uL;4.0-11.0"], Reason.DECIMAL_POINT),
        (["Sodium;104;mmol/L;136-145", "Chloride;140;mmol/L;98-107"], Reason.IDENTITY),
        (["Hemoglobin;14.2;g/dL;12-16", "Hematocrit;24.0;%;36-46"], Reason.IDENTITY),
        (["TSH;14.0;mIU/L;0.40-4.00", "Free T4;2.00;pmol/L;12.0-22.0"], Reason.SWAPPED),
        (["ALT;30;U/L;<= 45", "ALT;80;U/L;<= 45"], Reason.DUPLICATE),
        (["HDL cholesterol;160;mg/dL;>= 40", "LDL cholesterol;50;mg/dL;<= 130"], Reason.IDENTITY),
        (["Potassium;4.0;mmol/L;2.0-5.1"], Reason.RANGE_MAGNITUDE),
        (["Potassium;6.5;mmol/L;3.5-7.0"], Reason.CRITICAL_YET_WITHIN),
        (["CRP;<6;mg/L;< 5.0"], Reason.ON_THE_LIMIT),
    ],
)
def test_what_does_not_fit_gets_no_flag(lines: list[str], why: Reason) -> None:
    report = read(table(*lines))
    assert {each.flag for each in report.results} == {Flag.WITHHELD}
    assert all(why in each.reasons for each in report.results)


def test_the_reports_own_mark_must_agree() -> None:
    head = "Test;Result;Flag;Unit;Reference range"
    assert one(table("ALT;60;H;U/L;<= 45", head=head)).flag is Flag.HIGH
    found = one(table("ALT;60;L;U/L;<= 45", head=head))
    assert found.reasons == (Reason.PRINTED_FLAG,)


@pytest.mark.parametrize("printed", ["> 0", ">= 0", "0,0 <", "> 0,0"])
def test_a_range_that_bounds_nothing_is_no_range(printed: str) -> None:
    found = one(table(f"CRP;250;mg/L;{printed}"))
    assert (found.flag, found.reasons) == (Flag.WITHHELD, (Reason.RANGE_NOT_READ,))


def test_a_lower_bound_of_zero_alone_is_no_range_in_any_form() -> None:
    columns = one(table("ALT;900;U/L;0;", head="Test;Result;Unit;Low;High"))
    zero = {"low": {"value": 0, "unit": "U/L"}}
    typed = one(fhir(observation("1742-6", "900", "U/L", referenceRange=[zero])))
    for found in (columns, typed):
        assert (found.flag, found.reasons) == (Flag.WITHHELD, (Reason.RANGE_NOT_READ,))
    assert one(table("CRP;3;mg/L;0-5")).flag is Flag.WITHIN


def test_nothing_lies_within_a_span_without_bounds() -> None:
    unbounded = Span(low=None, high=None)
    assert Span(low=Fraction(3), high=Fraction(3)).place(unbounded) is None


@pytest.mark.parametrize(
    ("line", "flag", "interpretation"),
    [
        ("Lactate;9.0;HH;mmol/L;0.5-2.2", Flag.HIGH, "HH"),
        ("Lactate;0.2;LL;mmol/L;0.5-2.2", Flag.LOW, "LL"),
        ("Lactate;9.0;critical;mmol/L;0.5-2.2", Flag.HIGH, "HH"),
        ("Lactate;9.0;HH;mmol/L;", Flag.NO_RANGE, ""),
        ("Potassium;6.0;HH;mmol/L;3.5-5.1", Flag.HIGH, "HH"),
        ("Potassium;7.0;HH;mmol/L;3.5-5.1", Flag.CRITICAL_HIGH, "HH"),
    ],
)
def test_what_the_laboratory_marks_as_critical_is_told_as_urgent(
    line: str, flag: Flag, interpretation: str
) -> None:
    report = read(table(line, head="Test;Result;Flag;Unit;Reference range"))
    found = report.results[0]
    assert (found.flag, found.urgent) == (flag, True)
    first = report.sentences[0]
    assert "Contact your doctor or emergency service now" in first.text
    marked = flag is not Flag.CRITICAL_HIGH
    assert (first.template == "critical-mark") is marked
    assert ("The report itself marks" in first.text) is marked
    summary, observed = (each["resource"] for each in as_fhir(report)["entry"])
    assert first.text in summary["conclusion"]
    codes = [each["coding"][0]["code"] for each in observed.get("interpretation", [])]
    assert codes == ([interpretation] if interpretation else [])


@pytest.mark.parametrize("line", ["Lactate;1.0;HH;mmol/L;0.5-2.2", "Lactate;9.0;LL;mmol/L;0.5-2.2"])
def test_a_critical_mark_that_contradicts_gives_no_flag_and_is_not_silent(line: str) -> None:
    report = read(table(line, head="Test;Result;Flag;Unit;Reference range"))
    assert report.results[0].reasons == (Reason.PRINTED_FLAG,)
    assert report.sentences[0].template == "critical-if"


@pytest.mark.parametrize("mark", ["H", "H*", "A", "*", "C"])
def test_a_mark_that_is_not_critical_raises_no_alarm(mark: str) -> None:
    report = read(table(f"Lactate;9.0;{mark};mmol/L;0.5-2.2", head="Test;Result;Flag;Unit;Range"))
    assert (report.results[0].flag, report.results[0].urgent) == (Flag.HIGH, False)


def test_a_range_is_told_as_it_is_printed() -> None:
    report = read(table("Ferritin;150.24;ug/L;12.55-150.25", "Creatinine;106;umol/L;53.04-106.08"))
    texts = " ".join(each.text for each in report.sentences)
    assert "12.55-150.25" in texts
    assert "53.04-106.08" in texts
    assert decimal(Fraction(1, 3)) == "0.3333"
    assert decimal(Fraction(200, 3)) == "66.67"
    assert decimal(Fraction(1, 2**40)) == "0.0000000000009095"


def test_with_several_people_each_sentence_says_of_whom_it_is() -> None:
    head = "Patient;Test;Result;Unit;Range"
    rows = ["ROE JANE;Potassium;7.2;mmol/L;3.5-5.1", "DOE BOB;Potassium;4.2;mmol/L;3.5-5.1"]
    report = read(table(*rows, head=head))
    first, second = (each.text for each in report.sentences[:2])
    assert first.startswith("Potassium (person 1) is 7.2")
    assert second.startswith("Potassium (person 2) is 4.2")
    assert "ROE" not in everything(report)
    alone = read(table(rows[0], head=head))
    assert alone.sentences[0].text.startswith("Potassium is 7.2")


def test_five_shares_of_white_cells_add_up() -> None:
    good = ["Neutrophils;60;%;", "Lymphocytes;30;%;", "Monocytes;6;%;", "Eosinophils;3;%;"]
    assert Reason.IDENTITY not in read(table(*good, "Basophils;1;%;")).results[0].reasons
    assert Reason.IDENTITY in read(table(*good, "Basophils;10;%;")).results[0].reasons


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("Frobnicin;3;mg/dL;", Reason.UNKNOWN_ANALYTE),
        ("Glucose urine;3;mg/dL;", Reason.OTHER_SPECIMEN),
        ("Glucose;l20;mg/dL;", Reason.NOT_A_NUMBER),
        ("Glucose;1O.2;mmol/L;", Reason.NOT_A_NUMBER),
        ("Glucose;negative;mg/dL;", Reason.NOT_A_NUMBER),
        ("Glucose;;mg/dL;", Reason.NO_VALUE),
        ("Glucose;120;;", Reason.NO_UNIT),
        ("Glucose;120;mg/dLL;", Reason.UNKNOWN_UNIT),
        ("Glucose;120;U/L;", Reason.UNIT_OF_OTHER_KIND),
        ("Ferritin;1.234;ug/L;", Reason.AMBIGUOUS_NUMBER),
    ],
)
def test_a_line_that_cannot_be_mapped_says_why(line: str, why: Reason) -> None:
    report = read(table(line))
    assert report.results == ()
    assert [each.reason for each in report.refusals] == [why]


def test_a_heading_names_the_specimen_of_what_follows() -> None:
    report = read(
        table("Glucose;90;mg/dL;", "Urin;;;", "Glucose;10;mg/dL;", "Blut;;;", "ALT;20;U/L;")
    )
    assert [each.row.analyte for each in report.results] == ["glucose", "alt"]
    assert [each.reason for each in report.refusals] == [Reason.OTHER_SPECIMEN]


def test_a_table_with_a_column_for_each_test_is_read() -> None:
    data = b"id,sex,age,Hemoglobin (g/dL),ALT [U/L],K\n77,m,40,12.1,20,4.1\n78,f,40,12.1,,4.0\n"
    report = read(data)
    assert [(r.row.person, r.row.analyte, r.flag) for r in report.results] == [
        (1, "haemoglobin", Flag.LOW),
        (1, "alt", Flag.NO_RANGE),
        (2, "haemoglobin", Flag.NOT_LOW),
    ]
    assert [each.reason for each in report.refusals] == [Reason.NO_UNIT] * 2


def test_a_jump_since_the_report_before_is_told() -> None:
    before = table("Creatinine;0.9;mg/dL;")
    found = one(table("Creatinine;9.0;mg/dL;0.6-1.2"), before=before)
    assert Reason.DELTA in found.reasons
    assert one(table("Creatinine;1.4;mg/dL;0.6-1.2"), before=before).flag is Flag.HIGH


def test_days_are_counted_from_the_first_sample() -> None:
    head = "Date;Test;Result;Unit;Reference range"
    report = read(table("2026-01-05;ALT;20;U/L;<= 45", "2026-02-04;ALT;60;U/L;<= 45", head=head))
    assert [each.row.day for each in report.results] == [0, 30]
    assert "2026" not in everything(report)


@pytest.mark.parametrize(
    ("lines", "wanted"),
    [
        (("Platelets;250,000;/uL;150,000-400,000",), {"platelets": "250000"}),
        (("Platelets;250.000;/uL;150.000-400.000",), {"platelets": "250000"}),
        (  # one line whose size tells speaks for the document
            ("WBC;7,800;/uL;4,000-11,000", "TSH;1.234;mIU/L;0.4-4"),
            {"leukocytes": "7800", "tsh": "1.234"},
        ),
        (("Platelets;250,000;/uL;",), {}),  # nothing tells its size
        (("TSH;1.234;mIU/L;",), {}),
        (("Platelets;250,000;/uL;150-400",), {}),  # as printed it is no range of this unit
    ],
)
def test_a_sign_that_form_does_not_tell_is_told_by_size(
    lines: tuple[str, ...], wanted: dict[str, str]
) -> None:
    report = read(table(*lines))
    assert {each.row.analyte: str(each.row.number) for each in report.results} == wanted
    assert {each.reason.value for each in report.refusals} <= {"ambiguous-number"}


def test_a_report_as_portals_show_it_is_read() -> None:
    report = read(
        table(
            "Hemoglobin\t*11.2 g/dL\t12.0 - 15.5 g/dL",
            "Potassium\t**6.9 mmol/L\t3.5 - 5.1 mmol/L",
            "Ferritin\t41 ng/mL\tfrom 15 to 150",
            "Sodium\t140 mmol/L\tfrom 135",
            "Plaquetas\t250 miles/mm3\tbetween 150 and 400",
            head="Component\tYour Value\tStandard Range",
        ),
        sex="F",
    )
    assert report.refusals == ()
    told = [(each.flag.value, each.row.ranges[0].span.high) for each in report.results]
    assert told == [
        ("low", Fraction("15.5")),
        ("critical-high", Fraction("5.1")),
        ("within", 150),
        ("within", None),
        ("within", 400),
    ]
