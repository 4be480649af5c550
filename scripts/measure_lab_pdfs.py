"""Measure lab results on paper: after de-identification of a PDF, of a scan, of a photograph.

    python scripts/measure_lab_pdfs.py [--reports 48] [--scans 12] [--photos 24] [--seed 5]

Reports with known truth (``corpus/labs``) are set as PDFs under a letterhead that identifies, in
four languages and three fonts, with loose and tight ranges. As text they go through
de-identification and are read; as scans (150 to 300 dpi, askew, with noise, JPEG) and as
photographs (``corpus/labs/photo.py``) they are read as pictures. Ends with 1 if anything of the
letterhead is left, or a number, unit or flag is wrong and not withheld.
"""

import argparse
import io
import os
import random
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pypdfium2
from PIL import Image
from reportlab.pdfgen.canvas import Canvas

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from corpus.labs import printed
from corpus.labs.draw import PANELS, Line, drawn, line_of
from corpus.labs.photo import photographed
from safelight.api import deidentify
from safelight.errors import UnreadableInputError
from safelight.readers import labs
from safelight.readers.labs.paper_in import lines_of

HEAD = (
    "ROE, Jane   *12.03.1961   Pat.-Nr. 48213377",
    "Tel. 0511 448213   Auftrag 7734120 vom 03.06.2026",
    "Dr. med. A. Smithers",
)
SECRETS = ("ROE", "Jane", "1961", "48213377", "448213", "7734120", "2026", "Smithers")
FONTS = ("Helvetica", "Times-Roman", "Courier")
Told = dict[str, tuple[str, str, str]]


def paper(lines: list[Line], language: str, rng: random.Random) -> bytes:
    """Return a report as a PDF with text."""
    heads, _, sign, words = printed._HEADS[language]  # noqa: SLF001  # the printer's own words
    tight = rng.random() < 0.5
    out = io.BytesIO()
    canvas = Canvas(out, invariant=True)
    font, size = rng.choice(FONTS), rng.choice((9, 10, 12))
    canvas.setFont(font, size)
    rows: list[tuple[str, ...]] = [(text,) for text in HEAD]
    rows.append(heads)
    for line in lines:
        shown = printed._range(line, words, sign)  # noqa: SLF001  # as above
        unit = "" if line.unit == "1" else line.unit
        shown = shown.replace(" - ", "-") if tight else shown
        rows.append((line.names[language], line.value.replace(".", sign), unit, shown))
    for at, row in enumerate(rows):
        for left, text in zip((50, 220, 300, 400), row, strict=False):
            canvas.drawString(left, 800 - 20 * at, text)
    canvas.save()
    return out.getvalue()


def scanned(data: bytes, rng: random.Random) -> bytes:
    """Return the first page as a scan."""
    dpi, angle = rng.choice((150, 200, 300)), rng.uniform(-1.5, 1.5)
    page = pypdfium2.PdfDocument(data)[0].render(scale=dpi / 72).to_pil().convert("L")
    page = page.rotate(angle, fillcolor=255, resample=Image.Resampling.BICUBIC)
    chance = np.random.default_rng(rng.randrange(1 << 30))
    noise = chance.normal(0, rng.choice((1, 5, 12)), (page.height, page.width))
    dirty = Image.fromarray(np.clip(np.asarray(page) + noise, 0, 255).astype(np.uint8))
    jpeg, out = io.BytesIO(), io.BytesIO()
    dirty.save(jpeg, "JPEG", quality=rng.choice((40, 60, 90)))
    Image.open(jpeg).save(out, "PDF", resolution=dpi)
    return out.getvalue()


def taken(data: bytes, rng: random.Random) -> bytes:
    """Return the first page as a photograph of it."""
    page = pypdfium2.PdfDocument(data)[0].render(scale=300 / 72).to_pil().convert("L")
    return photographed(np.asarray(page), rng)


def told(report: labs.LabReport) -> Told:
    """Return number, unit and flag by test."""
    return {
        each.row.analyte: (str(each.row.number), each.row.unit, each.flag.value)
        for each in report.results
    }


def made(seed: int, number: int) -> tuple[bytes, str, random.Random]:
    """Return a report, of which sex it is, and the chance to go on with."""
    rng = random.Random(f"{seed} {number}")  # noqa: S311  # made-up numbers, no secret
    people, sex = drawn(rng), rng.choice("FM")
    lines = [
        line_of(key, people[key], sex, rng, mixed=rng.random() < 0.5)
        for panel in rng.sample(PANELS, 2)
        for key in panel
    ]
    return paper(lines, tuple(printed._HEADS)[number % 4], rng), sex, rng  # noqa: SLF001  # as above


def compare(truth: Told, seen: Told, counts: Counter[str]) -> None:
    """Count rows that are right, missing, and wrong."""
    counts["rows"] += len(truth)
    for key, value in truth.items():
        if key not in seen:
            counts["refused"] += 1
        elif seen[key] == value:
            counts["right"] += 1
        else:
            counts["withheld" if seen[key][2] == "withheld" else "WRONG"] += 1
    counts["WRONG"] += len(set(seen) - set(truth))


def of_text(seed: int, reports: int) -> Counter[str]:
    """Return how reports with text fare after de-identification."""
    counts: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as folder:
        os.environ["SAFELIGHT_KEY_FILE"] = os.path.join(folder, "key")
        for number in range(reports):
            data, sex, _ = made(seed, number)
            clean = deidentify(data, pixels=False).bytes
            left = " ".join(" ".join(line.cells) for line in lines_of(clean))
            counts["LEFT"] += sum(secret in left for secret in SECRETS)
            truth = told(labs.read(data, sex=sex, age=40))
            compare(truth, told(labs.read(clean, uncleaned=data, sex=sex, age=40)), counts)
    return counts


def of_pictures(
    seed: int, reports: int, shown: Callable[[bytes, random.Random], bytes]
) -> Counter[str]:
    """Return how pictures of reports fare."""
    counts: Counter[str] = Counter()
    for number in range(reports):
        data, sex, rng = made(seed, number)
        truth = told(labs.read(data, sex=sex, age=40))
        try:
            seen = told(labs.read(shown(data, rng), sex=sex, age=40, scanned=True))
        except UnreadableInputError:
            counts["pages refused"] += 1
            seen = {}
        compare(truth, seen, counts)
    return counts


def main() -> int:
    """Make, read, count, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--reports", type=int, default=48)
    parser.add_argument("--scans", type=int, default=12)
    parser.add_argument("--photos", type=int, default=24)
    parser.add_argument("--seed", type=int, default=5)
    given = parser.parse_args()
    text = of_text(given.seed, given.reports)
    scans = of_pictures(given.seed + 1, given.scans, scanned)
    photos = of_pictures(given.seed + 2, given.photos, taken)
    print(f"text, de-identified: {given.reports} reports, {dict(text)}")
    print(f"scans: {given.scans} reports, {dict(scans)}")
    print(f"photographs: {given.photos} reports, {dict(photos)}")
    return int(bool(text["LEFT"] + text["WRONG"] + scans["WRONG"] + photos["WRONG"]))


if __name__ == "__main__":
    sys.exit(main())
