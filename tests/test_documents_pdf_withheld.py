"""PDF documents that cannot be proven harmless are withheld, each with its reason."""

import io
import zlib
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pypdf import PdfWriter
from pypdf.annotations import Link
from pypdf.generic import DictionaryObject, NameObject, TextStringObject
from reportlab.lib.pagesizes import A4
from reportlab.pdfgen.canvas import Canvas

from pdf_fixtures import (
    PICTURE,
    PLAIN,
    PLAIN_OUTPUT,
    assert_no_needle,
    changed,
    clean,
    context,
    drawn,
    output,
)
from safelight.dicomio.limits import Limits
from safelight.errors import (
    LimitExceededError,
    NeedsReviewError,
    QuarantineError,
    SafelightError,
    UnreadableInputError,
)


def curves(canvas: Canvas) -> None:
    for step in range(200):
        canvas.circle(100 + step, 300, 3)


def scan(canvas: Canvas) -> None:
    canvas.drawImage(PICTURE, 0, 0, *A4)


def picture_alone() -> bytes:
    out = io.BytesIO()
    canvas = Canvas(out)
    canvas.drawImage(PICTURE, 100, 100, 50, 50)
    canvas.save()
    return out.getvalue()


def with_file(writer: PdfWriter) -> None:
    writer.add_attachment("roe.txt", b"Jane Roe")


def with_field(writer: PdfWriter) -> None:
    field = DictionaryObject({NameObject("/T"): TextStringObject("name")})
    fields = writer._add_object(field)
    writer.root_object[NameObject("/AcroForm")] = DictionaryObject(
        {NameObject("/Fields"): NameObject("/x"), NameObject("/DA"): fields}
    )


def locked(data: bytes, user: str) -> bytes:
    return changed(data, lambda w: w.encrypt(user, "owner", algorithm="AES-256"))


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(drawn(curves), id="letters-may-be-drawn-as-curves"),
        pytest.param(drawn(scan), id="scan-with-a-text-layer"),
        pytest.param(picture_alone(), id="picture-without-text"),
        pytest.param(changed(PLAIN, with_file), id="embedded-file"),
        pytest.param(changed(PLAIN, with_field), id="form"),
        pytest.param(
            PLAIN.replace(b"[ /ASCII85Decode /FlateDecode ]", b"[ /FlateDecode /FlateDecode]"),
            id="packed-twice",
        ),
    ],
)
def test_what_cannot_be_proven_harmless_waits_for_review(data: bytes) -> None:
    with pytest.raises(NeedsReviewError):
        clean(data)


def script() -> DictionaryObject:
    return DictionaryObject(
        {NameObject("/S"): NameObject("/JavaScript"), NameObject("/JS"): TextStringObject("1")}
    )


def with_script(writer: PdfWriter) -> None:
    names = DictionaryObject(
        {NameObject("/JavaScript"): DictionaryObject({NameObject("/Names"): script()})}
    )
    writer.root_object[NameObject("/Names")] = names


def with_open_action(writer: PdfWriter) -> None:
    step = DictionaryObject({NameObject("/S"): NameObject("/GoTo"), NameObject("/Next"): script()})
    writer.root_object[NameObject("/OpenAction")] = step


def with_page_action(writer: PdfWriter) -> None:
    writer.pages[0][NameObject("/AA")] = DictionaryObject({NameObject("/O"): script()})


def with_launch(writer: PdfWriter) -> None:
    link = Link(rect=(0, 0, 9, 9), url="https://example.org")
    link[NameObject("/A")] = DictionaryObject({NameObject("/S"): NameObject("/Launch")})
    writer.add_annotation(page_number=0, annotation=link)


@pytest.mark.parametrize("change", [with_script, with_open_action, with_page_action, with_launch])
def test_active_content_goes_to_quarantine(change: Callable[[PdfWriter], object]) -> None:
    with pytest.raises(QuarantineError):
        clean(changed(PLAIN, change))


@pytest.mark.parametrize("password", ["", "secret"])
def test_encryption_is_told(password: str) -> None:
    with pytest.raises(QuarantineError, match="encrypted") as caught:
        clean(locked(PLAIN, password))
    assert "password" in caught.value.todo


def bomb(size: int) -> bytes:
    packed = zlib.compress(b"\n" * size, 9)
    head = b"%%PDF-1.4\n4 0 obj\n<</Length %d/Filter/FlateDecode>>stream\n" % len(packed)
    return PLAIN[:-6] + head + packed + b"\nendstream endobj\n%%EOF\n"


@pytest.mark.parametrize(
    ("data", "limits"),
    [
        pytest.param(bomb(200 << 20), Limits(), id="deflate-bomb"),
        pytest.param(PLAIN, Limits(pages=0), id="pages"),
        pytest.param(PLAIN, Limits(header_bytes=100), id="bytes"),
        pytest.param(PLAIN, Limits(elements=3), id="characters"),
        pytest.param(drawn(curves), Limits(items=50), id="shapes"),
        pytest.param(
            changed(PLAIN, lambda w: setattr(w.pages[0].mediabox, "upper_right", (1e6, 1e6))),
            Limits(),
            id="page-larger-than-any-paper",
        ),
    ],
)
def test_limits_are_met_before_the_cost(data: bytes, limits: Limits) -> None:
    with pytest.raises(LimitExceededError):
        clean(data, context(limits))


@pytest.mark.parametrize("data", [b"", b"%PDF-1.7\n", b"MZ" + PLAIN[5:], PLAIN[:200]])
def test_what_is_no_pdf_is_told(data: bytes) -> None:
    with pytest.raises(UnreadableInputError):
        clean(data)


@given(
    st.lists(st.tuples(st.integers(0, len(PLAIN)), st.binary(min_size=1, max_size=6)), max_size=8),
    st.integers(0, len(PLAIN)),
)
def test_a_mutant_is_rewritten_or_refused_with_a_reason(
    changes: list[tuple[int, bytes]], cut: int
) -> None:
    mutant = bytearray(PLAIN[: cut or None])
    for at, data in changes:
        mutant[at : at + len(data)] = data
    try:
        data = output(bytes(mutant))
    except SafelightError as error:
        data = PLAIN_OUTPUT
        told = error.diagnostics()
    else:
        told = ""
    assert "Jane" not in told
    assert_no_needle(data)
