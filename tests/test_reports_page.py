"""Reports as a page and as a PDF: who sees what, and that nothing can be smuggled in."""

import io
import itertools
import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pypdf
import pytest
from hypothesis import given, settings
from PIL import Image
from reportlab.pdfbase.pdfmetrics import stringWidth

from report_fixtures import CANNOT, NOT_SEEN, NOT_SURE, REFUSED, SEEN, SHADOWED, reading
from safelight.readers.measures.suv import UNITS
from safelight.readers.reading import Answer, KindAnswer, Reading, State, ViewKind
from safelight.readers.registry import registry
from safelight.reports import maps, words
from safelight.reports.blocks import Heading
from safelight.reports.cards import facts
from safelight.reports.page import page
from safelight.reports.pdf import pdf
from safelight.reports.pdffile import BOLD, PLAIN, encoded, width_of
from safelight.reports.report import Entry, Report, Waiting, blocks
from strategies_reading import READINGS


def report(told: Reading, *, clinician: bool = False, **given: object) -> Report:
    entry = Entry(number=1, reading=told, **given)  # type: ignore[arg-type]  # checked at run time
    return Report(entries=(entry,), clinician=clinician)


def pdf_text(data: bytes) -> str:
    text = "\n".join(each.extract_text() for each in pypdf.PdfReader(io.BytesIO(data)).pages)
    return " ".join(text.split())


class Reader(HTMLParser):
    """Gathers the text, the tags and the attributes of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        self.text += data


def read(html: str) -> Reader:
    reader = Reader()
    reader.feed(html)
    reader.text = " ".join(reader.text.split())
    return reader


def test_a_person_sees_a_sentence_counts_limits_and_the_next_step() -> None:
    for text in (
        read(page(report(reading(NOT_SEEN)))).text,
        pdf_text(pdf(report(reading(NOT_SEEN)))),
    ):
        assert "This looks like a chest X-ray" in text
        assert "The one thing it looks for, opacity of the lung, was not seen." in text
        assert "Of 100 people with opacity of the lung" in text
        assert "on average at most 5 are told 'not seen'" in text
        assert "It does not look for small nodules." in text
        assert "Have the picture read by a radiologist this week." in text
        assert "1234.5 mm" in text
        assert "not computed: Patient's Weight (0010,1030) is missing" in text
        assert "Frame 1 of 2 was read." in text
        assert "turned by 90 degrees" in text


def test_a_person_sees_no_score_no_p_value_no_map_and_no_hash() -> None:
    html = page(report(reading(SEEN), maps={"chest-opacity": png()}))
    assert "<img" not in html
    for secret in ("0.61", "0.012", "p-value", "a1a1", "b2b2", "Score"):
        assert secret not in read(html).text


def test_a_clinician_sees_p_values_hashes_neighbours_and_the_map_behind_a_fold() -> None:
    html = page(report(reading(SEEN, SHADOWED), clinician=True, maps={"chest-opacity": png()}))
    told = read(html)
    assert "own impression first" in told.text
    assert "details" in told.tags
    for shown in ("0.6100", "0.0120", "a1" * 32, "b2" * 32, "case-7f", "5c" * 32):
        assert shown in told.text
    assert html.count("<img") == 1


def test_a_clinician_sees_what_keeps_a_reader_in_shadow() -> None:
    card = registry().named("head-bleed").card
    told = dict(facts(card))
    assert told["On another source"] == "not measured"
    assert "another source with 40 people" in told["Why it is not validated"]
    (promise,) = [text for name, text in told.items() if name.startswith("Promise of 95%")]
    assert f"{card.covered[0]:.1%} of those with" in promise
    (outside, *_) = registry().named("tuberculosis").card.external
    told = dict(facts(registry().named("tuberculosis").card))
    assert f"On another source: {outside.name}" in told
    assert "On another source" not in told


def test_the_legend_of_a_map_adds_up() -> None:
    html = page(report(reading(SEEN), clinician=True, maps={"chest-opacity": png()}))
    assert f"what is of no place ({words.amount(SEEN.bias)})" in read(html).text


def test_shadow_is_for_clinicians_and_marked_and_refused_is_for_nobody() -> None:
    told = reading(SHADOWED, REFUSED)
    person = read(page(report(told))).text
    clinician = read(page(report(told, clinician=True))).text
    assert "uberculosis" not in person
    assert "No reader that may answer you" in person
    assert "tuberculosis" in clinician
    assert words.SHADOW in clinician
    for text in (person, clinician):
        assert "breast" not in text


def test_a_person_hears_that_a_reader_is_not_validated_for_the_site_and_none_of_its_numbers() -> (
    None
):
    site = replace(SEEN, state=State.SHADOW, answer=Answer.SITE, reason="Not for this site: new.")
    text = read(page(report(reading(site)))).text
    assert "has not been tested on pictures from this place" in text
    assert "Not for this site: new." in text
    assert words.SHADOW not in text
    assert "0.61" not in text
    assert not words.numbers_of(site, clinician=False)


@pytest.mark.parametrize("clinician", [False, True])
@pytest.mark.parametrize("answer", list(Answer))
def test_research_only_is_said_with_every_answer(answer: Answer, *, clinician: bool) -> None:
    told = reading(replace(SEEN, answer=answer, research_only=True))
    assert words.RESEARCH in read(page(report(told, clinician=clinician))).text


@given(READINGS)
@settings(max_examples=10, deadline=None)
def test_any_reading_makes_a_page_without_markup_of_its_own(told: Reading) -> None:
    for clinician in (False, True):
        html = page(report(told, clinician=clinician))
        tags = read(html).tags
        assert not {"script", "iframe", "form", "object", "a"} & set(tags)
        assert html.count("<h1>") == 1
        assert not [name for name, _ in read(html).attributes if name.startswith("on")]


@given(READINGS)
@settings(max_examples=8, deadline=None)
def test_any_reading_makes_a_pdf_that_opens(told: Reading) -> None:
    for clinician in (False, True):
        data = pdf(report(told, clinician=clinician))
        assert data == pdf(report(told, clinician=clinician))
        assert pypdf.PdfReader(io.BytesIO(data)).pages


def test_markup_in_a_reading_stays_text() -> None:
    evil = "<script>alert(1)</script>\"'><img src=x onerror=1>"
    told = reading(replace(SEEN, reason=evil, next_step=evil), notes=(evil,))
    html = page(report(told, clinician=True))
    assert "<script" not in html
    assert "onerror=1&gt;" in html


def test_the_page_asks_for_nothing_and_prints() -> None:
    html = page(report(reading(SEEN)))
    assert "default-src 'none'" in html
    assert not re.findall(r"""(?:src|href)=["']?(?!data:)[^"'\s>]""", html)
    assert "url(" not in html
    assert "@media print" in html
    assert "prefers-color-scheme: dark" in html
    assert 'lang="en"' in html


def test_what_was_not_read_is_listed_with_its_reason() -> None:
    waiting = (Waiting(number=2, status="review", what="it may show a face", todo="look at it"),)
    whole = Report(entries=(), waiting=waiting)
    for text in (read(page(whole)).text, pdf_text(pdf(whole))):
        assert "0 images were read after the identity came off. 1 input was not read." in text
        assert "it may show a face" in text


def test_header_and_pixels_that_disagree_are_told() -> None:
    kind = KindAnswer(
        kind=None,
        by_header=ViewKind.HEAD_CT,
        by_pixels=ViewKind.CHEST_XRAY_FRONTAL,
        distance=0.5,
        why="",
    )
    text = read(page(report(reading(kind=kind)))).text
    assert "Its header says that it is a CT picture of the head" in text


def test_a_kind_that_the_header_decides_is_not_called_wrong() -> None:
    # pixels never learned knees: what they call a spine is no contradiction (docs/kind.md)
    why = "the header says MR of the knee; pixels cannot tell these two apart"
    kind = KindAnswer(
        kind=ViewKind.KNEE_MR,
        by_header=ViewKind.KNEE_MR,
        by_pixels=ViewKind.SPINE_MR,
        distance=0.5,
        why=why,
    )
    assert not kind.disagree
    assert list(words.kind_of(kind)) == [
        "This looks like an MR picture of the knee.",
        words.plain(why),
    ]


@pytest.mark.parametrize("answer", [each for each in Answer if not each.decided])
def test_who_abstains_promises_nothing(answer: Answer) -> None:
    told = reading(replace(CANNOT, answer=answer, promise=SEEN.promise))
    assert "Of 100 people" not in read(page(report(told))).text


def test_every_kind_and_every_answer_has_its_words_and_none_is_normal() -> None:
    told = [words.kind_name(kind) for kind in ViewKind]
    told += [words.answer_of(replace(SEEN, answer=answer)) for answer in Answer]
    told += list(words.kind_of(NOT_SURE))
    assert len(set(told)) == len(told)
    assert not [each for each in told if "normal" in each.lower() or "healthy" in each.lower()]


def test_seen_tells_false_alarms_too() -> None:
    told = list(words.counts(SEEN))
    assert told[1].startswith("Of 100 people without opacity of the lung")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (5.0, "5"),
        (2.5, "2.5"),
        (1234.5, "1234.5"),
        (0.00001, "1.000e-05"),
        (float("nan"), "no number"),
        (12.34567, "12.35"),
        (0.0, "0"),
        (-1000.0, "-1000"),
    ],
)
def test_amounts_read_as_people_read(value: float, text: str) -> None:
    assert words.amount(value) == text


def png() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (40, 30), (1, 2, 3)).save(out, "PNG")
    return out.getvalue()


def test_a_pdf_for_clinicians_holds_the_map() -> None:
    data = pdf(report(reading(SEEN), clinician=True, maps={"chest-opacity": png()}))
    images = [image for each in pypdf.PdfReader(io.BytesIO(data)).pages for image in each.images]
    assert [image.image.size for image in images if image.image] == [(40, 30)]


@pytest.mark.parametrize(("font", "name"), [(PLAIN, "Helvetica"), (BOLD, "Helvetica-Bold")])
def test_widths_are_those_of_the_fonts(font: int, name: str) -> None:
    for code in range(32, 127):
        assert width_of(chr(code), font=font, size=10) == pytest.approx(
            stringWidth(chr(code), name, 10)
        )


def test_letters_that_the_fonts_lack_lose_their_marks_only() -> None:
    assert encoded("Grüße, ő ≤ 5 \N{GREEK SMALL LETTER MU}") == b"Gr\xfc\xdfe, o <= 5 ?"


def test_long_words_and_long_tables_stay_on_the_paper() -> None:
    told = reading(replace(SEEN, reason="x" * 4000), notes=tuple("word " * 300 for _ in range(30)))
    document = pypdf.PdfReader(io.BytesIO(pdf(report(told))))
    assert len(document.pages) > 3
    assert sum(each.extract_text().count("x" * 20) for each in document.pages) > 10


@pytest.mark.parametrize("shape", [(1, 1), (3, 500), (64, 64), (2000, 1500)])
def test_a_map_lies_over_any_picture(shape: tuple[int, int]) -> None:
    grey = np.full(shape, 100, np.uint8)
    shown = maps.overlaid(grey, SEEN)
    assert shown.dtype == np.uint8
    assert max(shown.shape) <= 1024
    rows, columns = shown.shape[:2]
    strongest, weakest = shown[0, 0].astype(int), shown[rows - 1, 0].astype(int)
    assert strongest[0] > strongest[2]  # the field that raised the score is orange
    if rows > 1:
        assert weakest[2] > weakest[0]  # the one that lowered it is blue
    assert columns >= 1
    labelled = maps.with_legend(shown, maps.legend(SEEN))
    assert labelled.shape[0] > rows


def test_fields_of_nothing_leave_the_picture_as_it_is() -> None:
    grey = np.arange(256, dtype=np.uint8).reshape(16, 16).repeat(16, 0).repeat(16, 1)
    flat = replace(SEEN, cells=((0.0, 0.0),))
    assert np.array_equal(maps.overlaid(grey, flat)[..., 0], grey)


@pytest.mark.parametrize("cells", [(), ((),), ((1.0,), (1.0, 2.0)), ((float("nan"),),)])
def test_what_is_no_grid_has_no_map(cells: tuple[tuple[float, ...], ...]) -> None:
    assert not maps.has_map(replace(SEEN, cells=cells))
    assert maps.has_map(SEEN)


def test_legends_say_shadow_research_and_unverified() -> None:
    told = " ".join(
        maps.legend(replace(SEEN, state=State.SHADOW, research_only=True, unverified=True))
    )
    assert "UNVERIFIED" in told
    assert words.SHADOW in told
    assert words.RESEARCH in told
    assert "add up to 1.5; score 1.5" in told


def test_headings_go_down_one_level_at_a_time() -> None:
    levels = [each.level for each in blocks(report(reading(SEEN))) if isinstance(each, Heading)]
    assert levels[0] == 2
    assert all(after - before <= 1 for before, after in itertools.pairwise(levels))


def test_units_are_shown_without_the_remarks_of_ucum() -> None:
    squared = "cm\N{SUPERSCRIPT TWO}/ml"
    assert {words.unit_of(each) for each in UNITS.values()} == {"g/ml", squared}
    assert words.unit_of("{ratio}") == words.unit_of("1") == ""
