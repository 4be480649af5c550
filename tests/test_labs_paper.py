"""Lab reports on paper: results pass de-identification, and whoever they are of does not."""

import io
import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reportlab.pdfgen.canvas import Canvas

from safelight.api import deidentify
from safelight.deid.burned.read import Reading
from safelight.deid.documents.lablines import fold_name, fold_unit, spared
from safelight.errors import NeedsReviewError
from safelight.readers import labs
from safelight.readers.labs import analytes
from safelight.readers.labs.paper_in import lines_of
from safelight.readers.labs.scan_in import UNSURE, _agreed, cells_of

ROWS = (
    ("Untersuchung", "Ergebnis", "Einheit", "Referenzbereich"),
    ("Hämoglobin", "11,2", "g/dl", "12,0-15,5"),
    ("Erythrozyten", "4,21", "10^6/µl", "3,9 - 5,2"),
    ("Kalium", "4,1", "mmol/l", "3,5-5,1"),
    ("Gamma-GT", "144", "U/l", "< 60"),
    ("Ferritin", "112", "µg/l", "30-400"),
    ("Ácido úrico", "5,1", "mg/dL", "2,4-5,7"),
    ("Leukozyten", "15947", "/µl", "4000-11000"),
)
# What is in ROWS, for a woman of 65.
TRUTH = {
    "haemoglobin": ("11.2", "low"),
    "erythrocytes": ("4.21", "within"),
    "potassium": ("4.1", "within"),
    "ggt": ("144", "high"),
    "ferritin": ("112", "within"),
    "urate": ("5.1", "within"),
    "leukocytes": ("15947", "high"),
}
LETTERHEAD = (
    ("ROE, Jane", "*12.03.1961", "Pat.-Nr. 48213377"),
    ("Tel. 0511 448213", "Auftrag 7734120 vom 03.06.2026"),
    ("Befund an: Dr. med. Adam Smithers, Harbour Hill 7",),
)
SECRETS = ("ROE", "Jane", "1961", "48213377", "448213", "7734120", "Smithers", "2026", "Harbour")


def paper(rows: Sequence[Sequence[str]]) -> bytes:
    out = io.BytesIO()
    canvas = Canvas(out, invariant=True)
    for at, row in enumerate(rows):
        for left, text in zip((50, 200, 300, 400), row, strict=False):
            canvas.drawString(left, 800 - 20 * at, text)
    canvas.save()
    return out.getvalue()


def text_of(data: bytes) -> str:
    return " ".join(" ".join(line.cells) for line in lines_of(data))


@pytest.fixture(autouse=True)
def _key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAFELIGHT_KEY_FILE", str(tmp_path / "key"))


def test_german_names_and_tight_ranges_pass_and_the_letterhead_does_not() -> None:
    whole = paper((*LETTERHEAD, *ROWS))
    clean = deidentify(whole, pixels=False).bytes
    report = labs.read(clean, uncleaned=whole, sex="F", age=65)
    told = {each.row.analyte: (str(each.row.number), each.flag.value) for each in report.results}
    assert report.refusals == ()
    assert told == TRUTH
    for secret in SECRETS:
        assert secret not in text_of(clean)
        assert secret.encode() not in clean


@pytest.mark.parametrize(
    "line",
    [
        "Kalium 4,1 mmol/l 3,5-5,1 03.06.2026",
        "Kalium 4,1 mmol/l 03.06.2026",
        "Kalium 4,1 mmol/l 3.6.26",
        "Kalium 4,1 mmol/l 2019-2021",
        "Kalium 4,1 mmol/l 555-1234",
        "Kalium 4,1 mmol/l 0511-448213",
        "Kalium 4,1 mmol/l 0171 4482133",
        "Kalium 4,1 mmol/l 12-34-56",
        "Kalium 48213377 mmol/l",
        "Kalium 4,1 mmol/l 483771",
        "Kalium 4,1 mmol/l Roe",
        "Kalium Roe 4,1 mmol/l",
        "Roe Kalium 4,1 mmol/l",
        "Eisen, Karl 12.03.1961",
        "Eisen Karl 61 Jahre",
        "Eisen 1961",
        "MRN 48213377 mg/dl",
        "Patient ID 4821 mmol/l",
        "Ergebnis Roe",
        "Ergebnis Datum 03.06.2026",
        "Ergebnis",
        "Serum Roe",
        "Kalium 4,1 mmol/l jane@roe.example",
        "Kalium 4,1 mmol/l 10:45",
        "Natrium 140 mmol/l 04821",
        "K 4.1",
        "4.1 mmol/l",
        "",
    ],
)
def test_a_line_that_is_more_than_one_result_is_not_spared(line: str) -> None:
    assert spared([line.split()]) == set()


@pytest.mark.parametrize(
    "line",
    [
        "Kalium 4,1 mmol/l 3,5-5,1",
        "Kalium i.S. 4,1 mmol/l (3,5 - 5,1)",
        "S-Kreatinin 0,9 mg/dl < 1,2",
        "Hb 11.2 L g/dL 12.0-15.5",
        "Hct 48.1 % 46-38",
        "CRP <0,5 mg/l",
        "CRP < 0.5 mg/l < 5.0",
        "GGT 144 + U/l ≤ 60",
        "Leukozyten 15,9 10^9/l 4,0-11,0 H",
        "Alkalische Phosphatase: 88 U/l 35-105",
        "Test Result Unit Reference range",
        "Untersuchung Ergebnis Einheit Referenzbereich",
    ],
)
def test_a_line_that_is_one_result_and_nothing_else_is_spared_whole(line: str) -> None:
    words = line.split()
    assert spared([words]) == {(0, place) for place in range(len(words))}


NUMBERS = st.from_regex(r"[0-9]{7,12}", fullmatch=True)
DATES = st.dates().map(lambda day: day.strftime("%d.%m.%Y"))
ISO = st.dates().map(lambda day: day.strftime("%Y-%m-%d"))
PHONES = st.from_regex(r"0[1-9][0-9]{2,3}[ /-][0-9]{5,8}", fullmatch=True)
NAMES = st.from_regex(r"[A-Z][a-z]{9,14}", fullmatch=True)


@given(NUMBERS | DATES | ISO | PHONES | NAMES, st.integers(0, 4))
@settings(max_examples=80, deadline=None)
def test_nothing_that_identifies_is_spared_wherever_it_stands(secret: str, place: int) -> None:
    line = ["Kalium", "4,1", "mmol/l", "3,5-5,1"]
    line[place:place] = secret.split()
    assert spared([line]) == set()


def test_a_value_of_the_person_is_not_spared(tmp_path: Path) -> None:
    """Ferritin as a surname, known from an image beside the report, takes the line with it."""
    from run_fixtures import do, sample  # noqa: PLC0415  # only here

    folder = tmp_path / "in"
    folder.mkdir()
    image = sample()
    image.PatientName, image.PatientID = "FERRITIN^JANE", "48213377"
    image.save_as(folder / "a.dcm")
    (folder / "b.pdf").write_bytes(paper((("Ferritin", "112", "ug/l", "30-400"), ROWS[3])))
    done = do(folder, tmp_path / "out", tmp_path / "key")
    assert done.exit_code in {0, 1}
    for path in (tmp_path / "out").rglob("*.pdf"):
        assert "Ferritin" not in text_of(path.read_bytes())


def test_the_words_are_those_of_the_lab_reader() -> None:
    script = Path(__file__).parent.parent / "scripts" / "make_lab_words.py"
    run = subprocess.run([sys.executable, script, "--check"], check=False, timeout=60)
    assert run.returncode == 0


def test_names_and_units_fold_as_the_lab_reader_folds_them() -> None:
    for each in analytes.table().values():
        for name in each.names:
            assert fold_name(name) == analytes.name_key(name)
    for one, other in (("10⁹/L", "10*9/l"), ("x10^3/µl", "10*3/ul"), ("µg / L", "ug/l")):
        assert fold_unit(one) == fold_unit(other)


@given(st.lists(st.lists(st.text(max_size=8).filter(lambda t: not t.isspace()), max_size=8)))
@settings(max_examples=40, deadline=None)
def test_any_lines_are_judged_without_an_error(lines: list[list[str]]) -> None:
    for row, place in spared(lines):
        assert lines[row][place] is not None


def test_a_scan_waits_for_a_person() -> None:
    from PIL import Image  # noqa: PLC0415  # only here

    out = io.BytesIO()
    Image.new("L", (600, 800), 255).save(out, "PDF")
    with pytest.raises(NeedsReviewError):
        deidentify(out.getvalue(), pixels=False)


def scan_of(data: bytes) -> bytes:
    """Return a page as a scanner gives it: grey, a little askew, JPEG."""
    import pypdfium2  # noqa: PLC0415  # only here
    from PIL import Image  # noqa: PLC0415  # as above

    page = pypdfium2.PdfDocument(data)[0].render(scale=200 / 72).to_pil().convert("L")
    out = io.BytesIO()
    page.rotate(0.6, fillcolor=255, resample=Image.Resampling.BICUBIC).save(
        out, "PDF", resolution=200
    )
    return out.getvalue()


def photo_of(data: bytes) -> bytes:
    """Return the upper third of a page as it lies on a desk, on its side, JPEG."""
    import pypdfium2  # noqa: PLC0415  # only here
    from PIL import Image  # noqa: PLC0415  # as above

    page = pypdfium2.PdfDocument(data)[0].render(scale=150 / 72).to_pil().convert("L")
    desk = Image.new("L", (page.width + 200, 700), 70)
    desk.paste(page.crop((0, 0, page.width, 500)), (100, 100))
    out = io.BytesIO()
    desk.rotate(90, expand=True).save(out, "JPEG", quality=90)
    return out.getvalue()


def test_a_scan_is_read_as_a_picture_and_only_results_are_taken_over(tmp_path: Path) -> None:
    from click.testing import CliRunner  # noqa: PLC0415  # only here

    from safelight.cli import main  # noqa: PLC0415  # as above

    path = tmp_path / "scan.pdf"
    path.write_bytes(scan_of(paper((LETTERHEAD[0], *ROWS[1:4]))))
    done = CliRunner().invoke(main, ["labs", str(path), "--sex", "F", "--age", "65", "--json"])
    told = json.loads(done.stdout)
    seen = {each["analyte"]: (each["value"], each["flag"]) for each in told["results"]}
    assert told["kind"] == "scan"
    assert len(seen) >= 2
    assert (
        seen.items()
        <= {
            "haemoglobin": ("11.2", "low"),
            "erythrocytes": ("4.21", "within"),
            "potassium": ("4.1", "within"),
            "ggt": ("144", "high"),
        }.items()
    )
    for secret in SECRETS:
        assert secret not in done.stdout


class Wavering:
    """A recogniser that reads digits differently the second time, and is sure of both."""

    def __init__(self) -> None:
        self.turn = 0

    def read(self, _grey: object, strips: Sequence[object], *, thorough: bool) -> list[Reading]:
        assert not thorough
        self.turn += 1
        return [Reading(text=f"4.{self.turn}", sure=1.0, least=1.0) for _ in strips]


def test_what_is_read_differently_twice_is_not_sure() -> None:
    page = np.full((400, 600), 255, np.uint8)
    cv2.putText(page, "4.1", (100, 200), cv2.FONT_HERSHEY_SIMPLEX, 1.0, (0,), 2)
    assert {cell for row in cells_of(page, Wavering()) for cell in row} == {UNSURE}


@pytest.mark.parametrize(
    ("one", "other", "told"),
    [
        (("mmol/I", 0.9, 0.6), ("mmol/l", 0.9, 0.6), "mmol/l"),
        (("U/1", 0.9, 0.6), ("U/I", 0.9, 0.6), "U/l"),
        (("mg/dL", 0.99, 0.9), ("mg/dL", 0.99, 0.9), "mg/dL"),
        (("mmol/I", 0.5, 0.2), ("mmol/l", 0.9, 0.6), UNSURE),
        (("ug/l", 0.9, 0.6), ("pg/l", 0.9, 0.6), UNSURE),
        (("4.1", 0.9, 0.6), ("4.1", 0.9, 0.6), UNSURE),
        (("4.l", 1.0, 1.0), ("4.l", 1.0, 1.0), "4.l"),
        (("41", 1.0, 1.0), ("4.1", 1.0, 1.0), UNSURE),
        (("", 0.0, 0.0), ("", 0.0, 0.0), UNSURE),
    ],
)
def test_units_are_of_a_list_and_digits_are_never_mended(
    one: tuple[str, float, float], other: tuple[str, float, float], told: str
) -> None:
    first, second = (Reading(text=t, sure=s, least=m) for t, s, m in (one, other))
    assert _agreed(first, second) == told


@pytest.mark.parametrize("shape", [(1, 1), (40, 3), (300, 200)])
@pytest.mark.parametrize("level", [0, 128, 255])
def test_an_empty_page_has_no_lines(shape: tuple[int, int], level: int) -> None:
    assert cells_of(np.full(shape, level, np.uint8), Wavering()) == []
