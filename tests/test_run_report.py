"""The report: complete, true, self-contained, and without a value of any input."""

import csv
import io
import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from run_fixtures import NEEDLES, do, planted, sample
from safelight.pipeline.page import page
from safelight.pipeline.tally import Tally
from safelight.types import Kind, Status


@pytest.fixture
def house(tmp_path: Path, key_file: Path) -> Path:
    source = planted(tmp_path / "in", 5)
    (source / "WEXFORDIAN.txt").write_text("JANETTE")
    (source / "<script>alert(1)<script>.dcm").touch()
    data = sample()
    data.NumberOfFrames = 9
    data.save_as(source / "short.dcm")
    do(source, tmp_path / "out", key_file)
    return tmp_path / "out" / "_safelight"


class Reader(HTMLParser):
    """Collects what could reach out of a page, and whether its tags close."""

    def __init__(self) -> None:
        super().__init__()
        self.reaching: list[str] = []
        self.open: list[str] = []
        self.ids: set[str] = set()
        self.anchors: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in {"meta", "link", "br"}:
            self.open.append(tag)
        for name, value in attrs:
            if name in {"src", "href", "action", "srcset", "data"} and value:
                if value.startswith("#"):
                    self.anchors.add(value[1:])
                elif value != "data:,":
                    self.reaching.append(value)
            if name.startswith("on"):
                self.reaching.append(name)
            if name == "id" and value:
                self.ids.add(value)
        if tag in {"script", "iframe", "object", "embed", "img"}:
            self.reaching.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_page_stands_alone(house: Path) -> None:
    html = (house / "report.html").read_text("utf-8")
    reader = Reader()
    reader.feed(html)
    assert reader.reaching == []
    assert reader.open == []
    assert reader.anchors <= reader.ids
    assert "default-src 'none'" in html
    assert not re.search(r"https?:|//[a-z]|@import|url\(", html)


def test_no_value_stands_in_the_lists(house: Path) -> None:
    for path in house.iterdir():
        text = path.read_bytes().upper()
        assert not [needle for needle in NEEDLES if needle.encode() in text], path.name
        assert b"<SCRIPT" not in text


def test_the_three_forms_tell_the_same(house: Path) -> None:
    told = json.loads((house / "report.json").read_bytes())
    rows = list(csv.DictReader(io.StringIO((house / "report.csv").read_text())))
    assert told["inputs"] == len(rows) == 8
    ends = [row["status"] for row in rows]
    for status in Status:
        assert told[status.value] == ends.count(status.value)
    assert (told["done"], told["review"], told["quarantine"]) == (5, 1, 2)
    html = (house / "report.html").read_text("utf-8")
    for reason in told["reasons"]:
        assert reason["what"] in html
    assert told["profile"]["name"] == "share"
    assert any("113100" in method for method in told["methods"])
    assert not any("113101" in method for method in told["methods"])
    assert "Pixels were not searched" in html
    assert any("PatientID" in place for rule in told["rules"] for place in rule["such_as"])


def test_a_page_escapes_everything_and_stays_small(house: Path) -> None:
    told = json.loads((house / "report.json").read_bytes())
    told["rules"] = [
        {"rule": "<b>&", "action": "<i>", "times": n, "places": 1, "such_as": ["<u>"]}
        for n in range(5000, 0, -1)
    ]
    html = page(told)
    assert "<b>&" not in html
    assert "<u>" not in html
    assert "&lt;b&gt;&amp;" in html
    assert len(html) < 300_000
    assert "more rows are in" in html


def test_counts_stay_small_whatever_the_number_of_inputs() -> None:
    whole = Tally()
    for _ in range(2000):
        part = Tally()
        part.done(Kind.DICOM, ["(0010,0010)\tE.1-1 Z\treplace"], 10, b'"notes":["n"],"actions":[]')
        whole.add(part)
    assert whole.by_place() == {("(0010,0010)", "E.1-1 Z", "replace"): 2000}
    assert (whole.written, whole.notes) == (20_000, {"n": 2000})
    assert len(whole.acts) == 1


def test_counts_from_a_manifest_line_are_the_counts_of_the_run() -> None:
    line = (
        b'{"input":"0","object":{"notes":["a note"],"actions":['
        b'["(0040,0275)[3].(0040,0007)","E.1-1 C","clean","00ff"],'
        b'["(0040,0275)[4].(0040,0007)","E.1-1 C","clean","00ff"]]},"mac":"0"}'
    )
    again = Tally()
    again.again(Kind.DICOM, line, 10)
    assert again.by_place() == {("(0040,0275).(0040,0007)", "E.1-1 C", "clean"): 2}
    assert (again.skipped, again.notes) == (1, {"a note": 1})
