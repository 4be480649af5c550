"""Photographs of lab reports: read from above, level, whichever way up; refused where bent."""

import contextlib
import io
import random
from pathlib import Path

import cv2
import numpy as np
import pypdfium2
import pytest
from click.testing import CliRunner
from numpy.typing import NDArray
from PIL import Image

from corpus.labs.photo import photographed
from lab_fixtures import NEEDLES, everything
from safelight.cli import main
from safelight.errors import UnreadableInputError
from safelight.readers import labs
from safelight.readers.labs import photo_in
from safelight.readers.labs.paper_in import _of_picture
from safelight.readers.labs.scan_in import UNSURE, _joined
from test_labs_paper import LETTERHEAD, ROWS, TRUTH, paper

Grey = NDArray[np.uint8]


def page(dpi: int = 200) -> Grey:
    drawn = pypdfium2.PdfDocument(paper((*LETTERHEAD, *ROWS)))[0].render(scale=dpi / 72)
    return np.asarray(drawn.to_pil().convert("L"))


def file(picture: Grey, form: str = "JPEG") -> bytes:
    out = io.BytesIO()
    Image.fromarray(picture).save(out, form)
    return out.getvalue()


def told(data: bytes) -> dict[str, tuple[str, str]]:
    report = labs.read(data, sex="F", age=65)
    assert report.kind == "photo"
    assert not [
        needle for needle in (*NEEDLES, "448213", "7734120") if needle in everything(report)
    ]
    return {each.row.analyte: (str(each.row.number), each.flag.value) for each in report.results}


@pytest.mark.parametrize("seed", [1, 2])
def test_a_photograph_gives_results_and_none_that_is_wrong(seed: int) -> None:
    found = told(photographed(page(), random.Random(seed)))  # noqa: S311  # no secret
    assert found.items() <= TRUTH.items()
    assert len(found) >= 5


@pytest.mark.parametrize("turns", [1, 2, 3])
def test_it_may_lie_on_its_side_or_upside_down(turns: int) -> None:
    desk = np.full((2300, 1800), 70, np.uint8)
    sheet = page(150)
    desk[300 : 300 + sheet.shape[0], 250 : 250 + sheet.shape[1]] = sheet
    found = told(file(np.ascontiguousarray(np.rot90(desk, turns))))
    assert found.items() <= TRUTH.items()
    assert len(found) >= 5


def test_a_page_is_held_in_the_way_in_which_it_is_read_best() -> None:
    whole = page(150)[:580]
    torn = whole.copy()
    torn[270:, 400:] = cv2.GaussianBlur(torn[270:, 400:], (0, 0), 3)  # all below the first result
    read = {line.cells[0]: line for line in _of_picture(1, iter((torn, whole)))}
    assert UNSURE not in read["Erythrozyten"].cells
    ways = iter((whole, torn))
    assert _of_picture(1, ways) == _of_picture(1, iter((whole,)))
    assert len(list(ways)) == 1  # a page that is read well is not read again


def test_a_screen_in_the_dark_is_read_as_it_is() -> None:
    part = page(150)[:580]
    found = told(file(np.asarray(255 - 0.8 * part, np.uint8), "PNG"))
    assert found.items() <= TRUTH.items()
    assert len(found) >= 5


def test_of_a_page_that_is_crumpled_nothing_is_taken_from_another_line() -> None:
    sheet = page()
    y, x = np.mgrid[0 : sheet.shape[0], 0 : sheet.shape[1]].astype(np.float32)
    waves = y + 60 * np.sin(x / 55, dtype=np.float32)
    data = file(cv2.remap(sheet, x, waves, cv2.INTER_CUBIC, borderValue=255.0))
    with contextlib.suppress(UnreadableInputError):  # as well as refusing every line
        assert told(data).items() <= TRUTH.items()


def test_lines_that_run_at_all_angles_are_not_made_level() -> None:
    chance = np.random.default_rng(4)
    desk = np.full((1400, 1400), 250, np.uint8)
    for at in range(60):
        turn = cv2.getRotationMatrix2D((0, 0), float(chance.uniform(-11, 11)), 1)
        word = np.full((60, 200), 250, np.uint8)
        cv2.putText(word, "Kalium", (30, 40), cv2.FONT_HERSHEY_SIMPLEX, 0.8, 20, 2)
        turned = cv2.warpAffine(word, turn, (200, 60), borderValue=250)
        top, left = 100 + 80 * (at // 5), 150 + 210 * (at % 5)
        desk[top : top + 60, left : left + 200] = turned
    assert photo_in.page_of(desk) is None


def test_what_shows_no_page_seems_none() -> None:
    chance = np.random.default_rng(3)
    cloud = cv2.GaussianBlur(chance.normal(128, 60, (600, 800)), (0, 0), 9)
    assert not photo_in.seems_paper(file(np.clip(cloud * 4 - 384, 0, 255).astype(np.uint8)))
    assert photo_in.seems_paper(file(page(150)))


@pytest.mark.parametrize(
    ("data", "what", "todo"),
    [
        (b"\xff\xd8\xff\xe0" + bytes(600), "decoded", ""),
        (b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic" + bytes(64), "not decoded", "JPEG"),
        (file(np.full((900, 700), 250, np.uint8)), "no line", "flat"),
        (file(np.full((9, 7), 250, np.uint8), "PNG"), "no line", "flat"),
    ],
)
def test_what_cannot_be_read_says_so(data: bytes, what: str, todo: str) -> None:
    with pytest.raises(UnreadableInputError) as caught:
        labs.read(data)
    assert what in caught.value.what
    assert todo in caught.value.todo


def test_a_sign_that_stands_alone_is_read_with_its_number_or_not_at_all() -> None:
    box = (0, 0, 10, 10)
    row = [("GGT", box), ("144", box), (UNSURE, (100, 0, 10, 10)), ("60", (130, 0, 20, 10))]
    assert _joined([list(row)], lambda boxes: ["< 60"] * len(boxes))[0][2:] == [
        (UNSURE, (100, 0, 10, 10)),
        ("60", (130, 0, 20, 10)),
    ]  # a space: not as it is read
    assert _joined([list(row)], lambda boxes: ["<60"] * len(boxes))[0][2:] == [
        ("<60", (100, 0, 50, 10))
    ]
    assert _joined([list(row)], lambda boxes: ["<66"] * len(boxes))[0][2][0] == UNSURE


def test_the_command_reads_a_photograph(tmp_path: Path) -> None:
    path = tmp_path / "page.png"
    path.write_bytes(file(page(150)[:580], "PNG"))
    done = CliRunner().invoke(main, ["labs", str(path), "--sex", "F", "--age", "65"])
    assert done.exit_code in (0, 1)
    assert "Haemoglobin" in done.output
    assert not [needle for needle in NEEDLES if needle in done.output]
