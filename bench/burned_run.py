"""Runs one finder of text over prepared pictures, in that finder's own environment.

``python burned_run.py TOOL LIST.json OUT.json``: the list holds, for each file, its frames as PNG
(and, for Presidio, as plain DICOM); out come boxes that ``python -m corpus burned score`` reads.
Every word that an OCR engine finds counts as masked, two pixels wider on each side.
"""

import io
import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

MARGIN = 2
Box = list[int]
File = dict[str, Any]


def _wider(x: float, y: float, w: float, h: float) -> Box:
    left, top = max(int(x) - MARGIN, 0), max(int(y) - MARGIN, 0)
    return [left, top, int(x + w) + MARGIN + 1 - left, int(y + h) + MARGIN + 1 - top]


def tesseract(file: File) -> list[list[Box]]:
    """Find words at twice the size, as it is and inverted, sparse text (page mode 11)."""
    from PIL import Image, ImageOps  # noqa: PLC0415 - each tool has an environment of its own

    found = []
    for frame in file["frames"]:
        with Image.open(frame) as image:
            grey = image.convert("L")
        large = grey.resize((grey.width * 2, grey.height * 2), Image.Resampling.BICUBIC)
        boxes = []
        for one in (large, ImageOps.invert(large)):
            out = io.BytesIO()
            one.save(out, "PNG", compress_level=1)
            done = subprocess.run(
                ["tesseract", "stdin", "stdout", "--psm", "11", "tsv"],
                input=out.getvalue(), capture_output=True, check=True,
            )  # fmt: skip
            for line in done.stdout.decode("utf-8", "replace").splitlines()[1:]:
                cells = line.split("\t")
                if len(cells) > 11 and cells[11].strip() and float(cells[10]) >= 0:
                    x, y, w, h = (int(cell) / 2 for cell in cells[6:10])
                    boxes.append(_wider(x, y, w, h))
        found.append(boxes)
    return found


def rapidocr_tool() -> Any:
    """Return RapidOCR with its defaults, one thread."""
    from rapidocr import RapidOCR  # noqa: PLC0415 - its own environment

    one = {f"EngineConfig.onnxruntime.{key}_op_num_threads": 1 for key in ("intra", "inter")}
    engine: Any = RapidOCR(params={"Global.log_level": "error", **one})

    def find(file: File) -> list[list[Box]]:
        found = []
        for frame in file["frames"]:
            boxes = []
            result = engine(frame)
            for corners in result.boxes if result.boxes is not None else []:
                xs, ys = [p[0] for p in corners], [p[1] for p in corners]
                boxes.append(_wider(min(xs), min(ys), max(xs) - min(xs), max(ys) - min(ys)))
            found.append(boxes)
        return found

    return find


def presidio_tool() -> Any:
    """Return Presidio's redactors; words by a blank English model, so names by header alone."""
    import pydicom  # noqa: PLC0415 - its own environment
    import spacy  # type: ignore[import-not-found]  # noqa: PLC0415 - as above
    from PIL import Image  # noqa: PLC0415 - as above
    from presidio_analyzer import AnalyzerEngine  # type: ignore[import-not-found]  # noqa: PLC0415 - as above
    from presidio_analyzer.nlp_engine import (  # type: ignore[import-not-found]  # noqa: PLC0415 - as above
        SpacyNlpEngine,
    )
    from presidio_image_redactor import (  # type: ignore[import-not-found]  # noqa: PLC0415 - as above
        DicomImageRedactorEngine,
        ImageAnalyzerEngine,
    )

    nlp = SpacyNlpEngine(models=[{"lang_code": "en", "model_name": "blank"}])
    nlp.nlp = {"en": spacy.blank("en")}
    images = ImageAnalyzerEngine(AnalyzerEngine(nlp_engine=nlp, supported_languages=["en"]))
    objects = DicomImageRedactorEngine(image_analyzer_engine=images)

    def find(file: File) -> list[list[Box]]:
        found = []
        for number, frame in enumerate(file["frames"]):
            if file["objects"]:
                ds = pydicom.dcmread(file["objects"][number])
                _, boxes = objects.redact_and_return_bbox(ds)
                found.append([[b["left"], b["top"], b["width"], b["height"]] for b in boxes])
            else:
                with Image.open(frame) as image:
                    results = images.analyze(image.convert("RGB"))
                found.append([[r.left, r.top, r.width, r.height] for r in results])
        return found

    return find


def finder_tool() -> Any:
    """Return our finder with nothing known of the subject."""
    import numpy as np  # noqa: PLC0415 - as above
    from PIL import Image  # noqa: PLC0415 - as above

    from safelight.deid.boxes import Verdict  # noqa: PLC0415 - as above
    from safelight.deid.burned import Finder  # noqa: PLC0415 - as above

    finder = Finder()

    def find(file: File) -> list[list[Box]]:
        sights = []
        for number, frame in enumerate(file["frames"]):
            with Image.open(frame) as image:
                rgb = np.asarray(image.convert("RGB")) if image.mode != "L" else None
                grey = np.asarray(image.convert("L"))
            sights.append(finder.look(SimpleNamespace(grey=grey, rgb=rgb), frame=number))
        found: list[list[Box]] = [[] for _ in file["frames"]]
        for region in finder.decide(sights, None):
            if region.verdict is Verdict.KEEP:
                continue
            for number in region.frames or range(len(found)):
                found[number] += [[b.x, b.y, b.w, b.h] for b in region.boxes]
        return found

    return find


TOOLS = {
    "tesseract": lambda: tesseract,
    "rapidocr": rapidocr_tool,
    "presidio": presidio_tool,
    "finder": finder_tool,
}


def main() -> None:
    """Run one tool over the list and write its boxes; what fails is told and counts as nothing."""
    tool, listed, out = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
    find = TOOLS[tool]()
    table: dict[str, list[Any]] = {}
    for file in json.loads(listed.read_text()):
        try:
            frames = find(file)
        except Exception as error:  # noqa: BLE001 - a peer's failure is a result
            print(f"{file['path']}: {type(error).__name__}", file=sys.stderr)
            frames = []
        table[file["path"]] = [
            {"boxes": boxes, "frames": [number]} for number, boxes in enumerate(frames) if boxes
        ]
    out.write_text(json.dumps(table))


if __name__ == "__main__":
    main()
