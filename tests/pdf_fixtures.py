"""What tests of PDF documents share: a report, ways to make pages, and a person to hide."""

import io
from collections.abc import Callable

from PIL import Image
from pypdf import PdfReader, PdfWriter
from reportlab.lib import colors
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import getSampleStyleSheet
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Paragraph, SimpleDocTemplate, Spacer, Table

from safelight.deid.context import Cleaned, Context, Subject
from safelight.deid.documents.pdf import clean_pdf
from safelight.deid.profile import PRESETS
from safelight.deid.pseudonyms import ProjectKey
from safelight.deid.text import Identity, Needles, TextCleaner
from safelight.dicomio.limits import Limits
from safelight.types import Kind, Original

NEEDLES = ("Roe", "Jane", "48213377", "1961", "Smithers", "201-3344", "2021", "Harbour Hill")
SENTENCES = (
    "There is no pleural effusion.",
    "Heart size is normal.",
    "No evidence of pulmonary embolism.",
)


def context(limits: Limits | None = None) -> Context:
    identity = Identity(
        names={"ROE^JANE"},
        people={"SMITHERS^ADAM"},
        ids={"48213377"},
        dates={"19610203"},
        phrases={"Harbour Hill Hospital"},
    )
    needles = Needles.compile(identity)
    subject = Subject(
        code="P1",
        patient_id="P1",
        patient_name="P1",
        shift_days=-100,
        needles=needles,
        cleaner=TextCleaner(needles),
        digest="0",
    )
    return Context(
        key=ProjectKey(b"k" * 32),
        profile=PRESETS["share"],
        subject=subject,
        limits=limits or Limits(),
    )


CONTEXT = context()


def clean(data: bytes, ctx: Context = CONTEXT) -> Cleaned:
    return clean_pdf(Original(data, kind=Kind.PDF), ctx)


def output(data: bytes, ctx: Context = CONTEXT) -> bytes:
    (part,) = clean(data, ctx).parts
    assert isinstance(part, bytes)
    return part


def text_of(data: bytes) -> str:
    return "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(data)).pages)


def report() -> bytes:
    """Return a report as clinics print it: title, header lines, two sections and a table."""
    out, styles = io.BytesIO(), getSampleStyleSheet()
    doc = SimpleDocTemplate(
        out, pagesize=A4, title="ROE^JANE", author="Dr. Adam Smithers", subject="MRN 48213377"
    )
    body = "CT chest with contrast. There is no pleural effusion. Heart size is normal."
    lines = [
        Paragraph("Harbour Hill Hospital", styles["Title"]),
        Paragraph("Patient: Jane Roe MRN: 48213377 DOB: 02/03/1961", styles["Normal"]),
        Paragraph("Referring physician: Dr. Adam Smithers, (555) 201-3344", styles["Normal"]),
        Paragraph("FINDINGS", styles["Heading2"]),
        Paragraph(f"{body} Mrs. Roe was seen by Dr. Smithers on 2021-05-06.", styles["BodyText"]),
        Paragraph("No evidence of pulmonary embolism.", styles["BodyText"]),
        Spacer(1, 12),
        Table(
            [["Test", "Result"], ["Hemoglobin", "13.2"], ["Creatinine", "0.9"]],
            style=[
                ("GRID", (0, 0), (-1, -1), 0.5, colors.grey),
                ("BACKGROUND", (0, 0), (-1, 0), colors.lightblue),
            ],
            colWidths=100,
        ),
    ]
    doc.build(lines)
    return out.getvalue()


def drawn(draw: Callable[[Canvas], object], *, compressed: bool = True) -> bytes:
    """Return a one-page PDF with one harmless sentence and whatever ``draw`` adds."""
    out = io.BytesIO()
    canvas = Canvas(out, pagesize=A4, pageCompression=int(compressed))
    canvas.setFont("Helvetica", 11)
    canvas.drawString(72, 760, "Heart size is normal.")
    draw(canvas)
    canvas.save()
    return out.getvalue()


def changed(data: bytes, change: Callable[[PdfWriter], object]) -> bytes:
    writer = PdfWriter(clone_from=io.BytesIO(data))
    change(writer)
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def assert_no_needle(data: bytes) -> None:
    everything = [data, text_of(data).encode("utf-8")]
    everything += [data.replace(b"\0", b"")]
    for needle in NEEDLES:
        for held in everything:
            assert needle.lower().encode() not in held.lower()


PICTURE = ImageReader(Image.effect_noise((60, 60), 90))
PLAIN = drawn(lambda c: c.drawString(72, 700, "Jane Roe"))
PLAIN_OUTPUT = output(PLAIN)
