"""Lab reports as PDF, by where things stand: columns, notes, names on two lines, turned pages."""

import io
from collections.abc import Sequence

import pytest
from reportlab.pdfgen.canvas import Canvas

from safelight.readers.labs import Flag, LabReport, Reason, read

HEAD = ("Test", "Result", "Unit", "Reference")
SODIUM = ("Sodium", "140", "mmol/L", "135 - 145")
CHLORIDE = ("Chloride", "102", "mmol/L", "98 - 107")
LEFT = (50, 200, 280, 360, 470)
FORMER = ("Test", "Result", "Previous", "Unit", "Reference")
NOT_PLACED = (Reason.LINE_NOT_READ,)

Item = tuple[float, float, str]


def table(*rows: Sequence[str]) -> list[Item]:
    return [
        (left, 780 - 16 * at, text)
        for at, row in enumerate(rows)
        for left, text in zip(LEFT, row, strict=False)
        if text
    ]


def pdf(*pages: Sequence[Item], turn: int = 0, content: int = 0) -> bytes:
    """Return pages with texts at these places; the page, or what is on it, turned."""
    out = io.BytesIO()
    canvas = Canvas(out, pagesize=(900, 900), invariant=True)
    for items in pages:
        canvas.setPageRotation(turn)
        canvas.translate(450, 450)
        canvas.rotate(content)
        canvas.translate(-450, -450)
        for left, low, text in items:
            size = 6 if text.startswith("^") else 10
            canvas.setFont("Helvetica", size)
            canvas.drawString(left, low, text.lstrip("^"))
        canvas.showPage()
    canvas.save()
    return out.getvalue()


def told(report: LabReport) -> tuple[dict[str, str], tuple[Reason, ...]]:
    found = {each.row.analyte: f"{each.row.number} {each.flag}" for each in report.results}
    return found, tuple(each.reason for each in report.refusals)


@pytest.mark.parametrize("head", [True, False])
@pytest.mark.parametrize("bound", ["< 5.0", "<= 5.0", "(< 5.0)"])
def test_the_range_of_an_empty_result_is_not_the_result(bound: str, *, head: bool) -> None:
    rows = (SODIUM, ("CRP", "", "mg/L", bound), CHLORIDE)
    data = pdf(table(*((HEAD,) if head else ()), *rows))
    assert told(read(data)) == ({"sodium": "140 within", "chloride": "102 within"}, NOT_PLACED)


def test_a_bound_under_the_header_of_results_is_a_result() -> None:
    data = pdf(table(HEAD, SODIUM, ("CRP", "< 0.5", "mg/L", "")))
    assert [each.row.comparator for each in read(data).results] == ["", "<"]


def test_a_range_before_the_unit_is_not_the_result_either() -> None:
    head = ("Test", "Result", "Reference", "Unit")
    data = pdf(table(head, ("CRP", "", "< 5.0", "mg/L"), ("Sodium", "140", "135 - 145", "mmol/L")))
    assert told(read(data)) == ({"sodium": "140 within"}, NOT_PLACED)


def test_a_header_parted_by_wide_spaces_is_one() -> None:
    head = ("Analyse", "Résultat", "Unité", "Valeurs")
    wide = [(420.0, 780.0, "de"), (460, 780, "référence")]
    row = ("Sodium", "140", "mmol/L", "135 - 145 mmol/L")
    assert told(read(pdf([*table(head, row), *wide]))) == ({"sodium": "140 within"}, ())


def test_a_bound_alone_on_a_page_is_a_result_only_before_its_unit() -> None:
    assert told(read(pdf(table(("CRP", "", "mg/L", "< 5"))))) == ({}, NOT_PLACED)
    assert len(read(pdf(table(("CRP", "< 5", "mg/L")))).results) == 1


@pytest.mark.parametrize("head", ["Previous", "Vorwert", "12.03.2024", "Something"])
def test_a_former_result_is_not_the_result_where_that_is_empty(head: str) -> None:
    rows = (
        ("Test", "Result", head, "Unit", "Reference"),
        ("Sodium", "140", "", "mmol/L", "135 - 145"),
        ("Potassium", "", "6.8", "mmol/L", "3.5 - 5.1"),
    )
    assert told(read(pdf(table(*rows)))) == ({"sodium": "140 within"}, NOT_PLACED)
    assert told(read(pdf(table(*rows[::2])))) == ({}, NOT_PLACED)  # it stands alone


@pytest.mark.parametrize("head", [True, False])
def test_two_dates_over_numbers_are_columns_of_results(*, head: bool) -> None:
    items = [(200.0, 764.0, "02.01.24"), (260, 764, "05.06.23")]
    items += [(50, 780, "Test"), (222, 780, "Result"), (330, 780, "Unit")] if head else []
    row = [(50, 732, "Potassium"), (260, 732, "6.8"), (330, 732, "mmol/L")]
    assert told(read(pdf([*items, *row]))) == ({}, NOT_PLACED)


@pytest.mark.parametrize("left", [233, 240, 250])
def test_headers_in_one_cell_are_of_two_columns(left: float) -> None:
    head = [(50.0, 780.0, "Test"), (200, 780, "Result Previous"), (330, 780, "Unit")]
    row = [(50, 732, "Potassium"), (left, 732, "6.8"), (330, 732, "mmol/L")]
    assert told(read(pdf([*head, *row]))) == ({}, NOT_PLACED)
    under = [(50, 732, "Potassium"), (200, 732, "6.8"), (330, 732, "mmol/L")]
    assert told(read(pdf([*head, *under])))[0] == {"potassium": "6.8 critical-high"}


def test_a_former_bound_is_not_the_range() -> None:
    data = pdf(table(FORMER, ("CRP", "12", "< 5.0", "mg/L", "")))
    assert told(read(data)) == ({}, NOT_PLACED)


def test_without_the_word_result_two_columns_of_numbers_refuse_a_number_alone() -> None:
    dates = ("Test", "02.01.24", "05.06.23", "Unit", "Range")
    both = ("Sodium", "140", "138", "mmol/L", "135 - 145")
    one = ("Potassium", "", "6.8", "mmol/L", "3.5 - 5.1")
    for rows in ((dates, both, one), (both, one), (dates, one)):
        found, refused = told(read(pdf(table(*rows))))
        assert found == {}
        assert set(refused) == set(NOT_PLACED)


def test_a_number_beside_the_column_of_all_others_is_refused() -> None:
    off = ("Potassium", "", "6.8", "mmol/L", "3.5 - 5.1")
    rows = (("Sodium", "140", "", "mmol/L", "135 - 145"), ("Chloride", "102", "", "mmol/L"), off)
    assert told(read(pdf(table(*rows))))[0] == {"sodium": "140 within", "chloride": "102 no-range"}


def test_results_set_to_the_right_or_in_the_middle_are_one_column() -> None:
    items = table(HEAD)
    for at, (name, value, unit, span) in enumerate(
        [
            SODIUM,
            ("Potassium", "4.1", "mmol/L", "3.5 - 5.1"),
            ("WBC", "7400", "/uL", "4000 - 11000"),
        ]
    ):
        low = 760 - 16 * at
        right = 240 - 5.56 * len(value)
        items += [(50, low, name), (right, low, value), (280, low, unit), (360, low, span)]
    assert len(read(pdf(items)).results) == 3


@pytest.mark.parametrize("value", ["3", "45", "4.5"])
def test_a_raised_note_is_not_a_digit_of_the_result(value: str) -> None:
    width = sum(2.78 if sign == "." else 5.56 for sign in value)
    items = [*table(HEAD, SODIUM), (50, 700, "CRP"), (200, 700, value), (280, 700, "mg/L")]
    assert len(read(pdf(items)).results) == 2
    for low in (703.5, 700):  # raised, and only small
        note = (200 + width + 0.3, low, "^1")
        assert told(read(pdf([*items, note]))) == ({"sodium": "140 within"}, NOT_PLACED)


def test_a_raised_exponent_is_of_its_unit() -> None:
    row = [
        (50, 700, "WBC"),
        (200, 700, "7.4"),
        (280, 700, "10"),
        (291.3, 703.5, "^9"),
        (294.8, 700, "/L"),
    ]
    found = read(pdf([*table(HEAD, SODIUM), *row])).results[-1].row
    assert (found.analyte, found.unit) == ("leukocytes", "10*9/L")


@pytest.mark.parametrize(
    ("name", "above", "below"),
    [
        ("Calcium,", "", "ionized"),
        ("Calcium", "Ionized", ""),
        ("Calcium", "", "(corrected)"),
        ("Cholesterol", "LDL", ""),
        ("Cholesterol,", "", "HDL"),
        ("Bilirubin,", "", "direct"),
        ("Calcium -", "", ""),
    ],
)
def test_a_name_on_two_lines_is_not_that_of_one(name: str, above: str, below: str) -> None:
    row = [(50, 700, name), (200, 700, "1.20"), (280, 700, "mmol/L")]
    items = [(50, 711, above), *row, (50, 689, below)]
    found, refused = told(read(pdf([*table(HEAD, SODIUM, CHLORIDE), *items])))
    assert found == {"sodium": "140 within", "chloride": "102 within"}
    assert refused == (Reason.AMBIGUOUS_ANALYTE,)


@pytest.mark.parametrize("heading", ["Electrolytes", "Serum", "BLOOD GASES", "Hämatologie"])
def test_a_heading_is_no_part_of_a_name(heading: str) -> None:
    items = table(HEAD, (heading,), SODIUM, CHLORIDE)
    assert len(read(pdf([(x, 780 - (780 - y) * 0.8, text) for x, y, text in items])).results) == 2


@pytest.mark.parametrize(
    "heading",
    [
        ("URINALYSIS", "Result", "Unit", "Reference"),
        ("Harnsediment",),
        ("Urinstatus",),
        ("Routine Urine Examination and Microscopy Report",),
        ("24h-Sammelurin",),
        ("Examen de orina",),
        ("Specimen: urine",),
        ("Dialysat",),
    ],
)
def test_what_stands_below_another_specimen_is_not_of_blood(heading: tuple[str, ...]) -> None:
    data = pdf(table(HEAD, SODIUM, heading, ("WBC", "25", "/uL", "")))
    assert told(read(data)) == ({"sodium": "140 within"}, (Reason.OTHER_SPECIMEN,))


@pytest.mark.parametrize(
    "heading", ["Clinical chemistry", "Hämatologie", "Serum", "Material: Blut"]
)
def test_a_heading_of_blood_ends_that_of_urine(heading: str) -> None:
    data = pdf(table(("Urine",), ("Glucose", "neg"), (heading,), ("Potassium", "7.1", "mmol/L")))
    assert told(read(data)) == ({"potassium": "7.1 critical-high"}, ())


@pytest.mark.parametrize("line", ["Report of 02.01.24", "U. Miller, floor 24", "Total 24"])
def test_a_date_or_a_name_is_no_heading_of_urine(line: str) -> None:
    found, refused = told(read(pdf(table((line, "Harbour Hill"), ("",), HEAD, SODIUM))))
    assert (found, refused) == ({"sodium": "140 within"}, ())


@pytest.mark.parametrize("line", ["Blood negative", "Blood: neg", "Colour yellow", "Microscopy"])
def test_a_line_of_the_urine_does_not_end_it(line: str) -> None:
    items = table(("Urine",), (line,), ("WBC", "25", "/uL", ""))
    data = pdf([(left, 2 * low - 800, text) for left, low, text in items])
    assert told(read(data)) == ({}, (Reason.OTHER_SPECIMEN,))


@pytest.mark.parametrize("turn", [0, 90, 180, 270])
@pytest.mark.parametrize("content", [0, 90, 180, 270])
def test_a_page_is_read_however_it_is_turned(turn: int, content: int) -> None:
    data = pdf(table(HEAD, SODIUM, CHLORIDE), turn=turn, content=content)
    assert told(read(data)) == ({"sodium": "140 within", "chloride": "102 within"}, ())


def test_numbers_that_run_askew_are_told_as_not_read() -> None:
    for text, refused in (("Potassium 7.1", 1), ("COPY", 0)):
        out = io.BytesIO()
        canvas = Canvas(out, invariant=True)
        for left, low, item in table(SODIUM):
            canvas.drawString(left, low, item)
        canvas.rotate(30)
        canvas.drawString(300, 100, text)
        canvas.save()
        report = read(out.getvalue())
        assert [each.flag for each in report.results] == [Flag.WITHIN]
        assert [each.place for each in report.refusals] == ["page 1"] * refused


def test_a_page_that_is_a_picture_is_told_as_not_read() -> None:
    from PIL import Image  # noqa: PLC0415  # only here
    from reportlab.lib.utils import ImageReader  # noqa: PLC0415  # as above

    out = io.BytesIO()
    canvas = Canvas(out, invariant=True)
    for left, low, text in table(HEAD, SODIUM):
        canvas.drawString(left, low, text)
    canvas.showPage()
    canvas.drawImage(ImageReader(Image.new("L", (40, 40), 128)), 50, 50)
    canvas.showPage()
    canvas.showPage()  # an empty page has nothing to tell
    canvas.save()
    report = read(out.getvalue())
    assert [(each.place, each.reason) for each in report.refusals] == [
        ("page 2", Reason.LINE_NOT_READ)
    ]
