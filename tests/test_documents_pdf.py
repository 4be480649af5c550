"""PDF documents: rewritten from harmless words, and nothing else comes along."""

import io

import pypdfium2
import pytest
from PIL import Image
from pypdf import PdfReader, PdfWriter
from pypdf.annotations import FreeText
from pypdf.generic import DictionaryObject, NameObject, StreamObject
from reportlab.lib.pagesizes import A4
from reportlab.pdfgen.canvas import Canvas

from pdf_fixtures import (
    NEEDLES,
    PICTURE,
    PLAIN,
    SENTENCES,
    assert_no_needle,
    changed,
    clean,
    drawn,
    output,
    report,
    text_of,
)
from safelight.deid.documents.pdfread import read_pages
from safelight.dicomio.limits import Limits
from safelight.errors import (
    NeedsReviewError,
)


def test_a_report_loses_its_names_and_keeps_its_medicine() -> None:
    cleaned = clean(report())
    (data,) = cleaned.parts
    assert isinstance(data, bytes)
    assert_no_needle(data)
    text = " ".join(text_of(data).split())
    for sentence in SENTENCES:
        assert sentence in text
    for word in ("FINDINGS", "Hemoglobin", "13.2", "Creatinine", "0.9"):
        assert word in text
    assert {action.action for action in cleaned.actions} == {"remove", "mask", "rebuild"}
    for action in cleaned.actions:
        assert not any(needle.lower() in str(action).lower() for needle in NEEDLES)


def test_the_output_holds_nothing_but_pages_fonts_and_plain_streams() -> None:
    data = output(report())
    reader = PdfReader(io.BytesIO(data), strict=True)
    assert reader.metadata is None
    assert set(reader.trailer) == {"/Size", "/Root"}
    root = reader.trailer["/Root"]
    assert isinstance(root, DictionaryObject)
    assert set(root) == {"/Type", "/Pages"}
    assert set(reader.pages[0]) == {
        *("/Type", "/Parent", "/MediaBox", "/Rotate", "/Resources", "/Contents")
    }
    assert b"/Filter" not in data


def test_the_same_input_gives_the_same_bytes_and_a_second_run_changes_no_word() -> None:
    once = output(report())
    assert output(report()) == once
    again = output(once)
    assert text_of(again).split() == text_of(once).split()


def ink(data: bytes) -> Image.Image:
    page = pypdfium2.PdfDocument(data)[0]
    return page.render(scale=1).to_pil().convert("L")


def test_bars_lie_over_the_removed_words_and_nothing_else_moves() -> None:
    def draw(canvas: Canvas) -> None:
        canvas.drawString(72, 700, "Jane Roe")
        canvas.drawString(72, 600, "Normal heart")

    data = drawn(draw)
    before, after = ink(data), ink(output(data))
    bar = after.crop((74, round(A4[1]) - 706, 112, round(A4[1]) - 701))
    assert bar.getextrema()[1] < 128  # flat and dark
    kept = (70, round(A4[1]) - 612, 140, round(A4[1]) - 596)
    dark = [sum(p < 128 for p in im.crop(kept).tobytes()) for im in (before, after)]
    assert dark[1] == pytest.approx(dark[0], rel=0.15)


@pytest.mark.parametrize("turn", [0, 90, 180, 270])
def test_a_turned_page_stays_turned_and_cropped(turn: int) -> None:
    def change(writer: PdfWriter) -> None:
        writer.pages[0].rotate(turn)
        writer.pages[0].cropbox.lower_left = (50, 500)

    data = output(changed(drawn(lambda c: c.drawString(72, 300, "Bones normal")), change))
    page = PdfReader(io.BytesIO(data)).pages[0]
    assert page.rotation == turn
    assert "Heart size is normal." in page.extract_text()
    assert "Bones" not in page.extract_text()  # it lay outside what viewers show


def test_letters_spaced_out_or_one_below_the_other_are_read_as_a_word() -> None:
    def draw(canvas: Canvas) -> None:
        canvas.drawString(72, 700, "J A N E   R O E")
        for row, letter in enumerate("SMITHERS"):
            canvas.drawString(300, 600 - 30 * row, letter)

    data = output(drawn(draw))
    assert text_of(data).split() == ["Heart", "size", "is", "normal."]


def test_a_name_broken_by_a_hyphen_goes_or_waits_for_review() -> None:
    def draw(canvas: Canvas) -> None:
        canvas.drawString(72, 700, "Normal Smi-")
        canvas.drawString(72, 686, "thers heart")

    try:
        text = text_of(output(drawn(draw)))
    except NeedsReviewError:
        return
    assert "Smi" not in text
    assert "thers" not in text


def test_text_that_cannot_be_seen_is_not_brought_to_light() -> None:
    def draw(canvas: Canvas) -> None:
        hidden = canvas.beginText(72, 700)
        hidden.setTextRenderMode(3)
        hidden.textOut("Fracture of the femur")
        canvas.drawText(hidden)
        canvas.drawString(72, 600, "Pneumonia")
        canvas.rect(60, 590, 200, 30, fill=1)

    text = text_of(output(drawn(draw)))
    assert "Fracture" not in text
    assert "Pneumonia" not in text
    assert "Heart size is normal." in text


def test_underlined_struck_out_and_highlighted_words_can_be_seen() -> None:
    def draw(canvas: Canvas) -> None:
        canvas.drawString(72, 700, "Normal liver")
        canvas.line(72, 703, 150, 703)
        canvas.drawString(72, 600, "Bones normal")
        canvas.setFillColorRGB(1, 1, 0, alpha=0.4)
        canvas.rect(70, 595, 100, 20, fill=1, stroke=0)

    text = text_of(output(drawn(draw)))
    assert "Normal liver" in text
    assert "Bones normal" in text


@pytest.mark.parametrize("flip", [False, True])
def test_size_and_place_hold_in_scaled_and_mirrored_spaces(*, flip: bool) -> None:
    def draw(canvas: Canvas) -> None:
        canvas.setFont("Helvetica", 1)
        text = canvas.beginText()
        canvas.scale(2, -2 if flip else 2)
        text.setTextTransform(10, 0, 0, -10 if flip else 10, 50, -200 if flip else 200)
        text.textOut("Normal liver")
        canvas.drawText(text)

    data = drawn(draw)
    (words,) = (next(read_pages(d, Limits())).lines[1] for d in (output(data),))
    assert words[0].size == pytest.approx(20, abs=0.5)
    assert words[0].origin == pytest.approx((100, 400), abs=0.5)
    assert words[1].text == "liver"


def lying_font() -> bytes:
    """Return a page whose ink reads JANE while its text layer reads LUNG."""
    unicode_map = b"1 begincodespacerange<00><FF>endcodespacerange 4 beginbfchar "
    unicode_map += b"<4A><004C><41><0055><4E><004E><45><0047> endbfchar"
    content = b"BT /F0 24 Tf 72 700 Td (JANE) Tj ET"
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Count 1/Kids[3 0 R]>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 5 0 R/Resources 7 0 R>>",
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica/ToUnicode 6 0 R>>",
        b"<</Length %d>>stream\n%s\nendstream" % (len(content), content),
        b"<</Length %d>>stream\n%s\nendstream" % (len(unicode_map), unicode_map),
        b"<</Font<</F0 4 0 R>>>>",
    ]
    out = b"%PDF-1.4\n"
    for number, body in enumerate(objects, 1):
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    out += b"trailer\n<</Root 1 0 R/Size 8>>\nstartxref\n0\n%%EOF\n"
    return out


def test_a_font_whose_ink_says_another_word_passes_nothing_on() -> None:
    data = output(lying_font())
    assert b"JANE" not in data
    assert "JANE" not in text_of(data)


def test_greek_letters_and_signs_of_laboratories_stay() -> None:
    data = output(
        drawn(lambda c: c.drawString(72, 700, "Glucose \u2264 5.6, 7 \u00b5g, 37 \u00b0"))
    )
    text = text_of(data)
    assert "Glucose" in text
    assert "5.6" in text


def test_a_small_picture_leaves_an_empty_frame() -> None:
    cleaned = clean(drawn(lambda c: c.drawImage(PICTURE, 400, 700, 100, 80)))
    assert "picture" in str(cleaned.actions)
    (data,) = cleaned.parts
    assert isinstance(data, bytes)
    assert b"/Image" not in data
    assert "Heart size is normal." in text_of(data)


def test_notes_outlines_and_metadata_are_left_behind_and_told() -> None:
    def change(writer: PdfWriter) -> None:
        writer.add_annotation(
            page_number=0, annotation=FreeText(text="Jane Roe", rect=(10, 10, 90, 30))
        )
        writer.add_outline_item(title="Jane Roe", page_number=0)
        writer.add_metadata({"/Title": "Jane Roe", "/Roe": "Jane"})
        xmp = StreamObject()
        xmp.set_data(b"<x:xmpmeta xmlns:x='adobe:ns:meta/'><a>Jane Roe</a></x:xmpmeta>")
        writer.root_object[NameObject("/Metadata")] = writer._add_object(xmp)

    cleaned = clean(changed(PLAIN, change))
    assert_no_needle(bytes(cleaned.parts[0]))  # type: ignore[arg-type]  # a PDF is one part
    gone = {action.place for action in cleaned.actions if action.action == "remove"}
    assert gone == {"annotations", "outlines", "document information", "XMP metadata"}
