"""Burned-in text: our finder beside Presidio, tesseract and RapidOCR on the same images.

``python bench/burned.py --images 600 --seed N [--data DIR]``. Peers see each frame as a viewer
shows it, so that no codec counts against them; Presidio gets it as a plain object with the
original header. CPU-seconds are of the whole process, start included.
"""

import argparse
import json
import os
import random
import shutil
import statistics
import sys
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy as np
import pydicom
from numpy.typing import NDArray
from PIL import Image
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian

from corpus.burned import truth
from corpus.burned.covered import Boxes, Outputs
from corpus.burned.hosts import Hosts
from corpus.burned.make import make
from corpus.burned.report import bars
from corpus.burned.score import Score, score
from corpus.burned.show import display
from measure import run
from peers import CACHE, HERE, _environment

ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OMP_THREAD_LIMIT", "OPENBLAS_NUM_THREADS"), "1")


LEGEND = """\
exposed: identifying characters left; strings: more than half exposed; clean: images with text that
are fully clean; views, other: marks kept; area, hit: of clean images; CPU s: an image; failed:
files the tool failed on or withheld. Presidio runs without a language model."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One tool's result."""

    name: str
    result: Score
    cpu: float
    failed: int


def prepare(folder: Path, shown: Path) -> Path:
    """Write each frame as PNG and as a plain object once; return the list of them."""
    listed = shown / "list.json"
    if listed.exists():
        return listed
    shutil.rmtree(shown, ignore_errors=True)
    shown.mkdir(parents=True)
    files = []
    for image in truth.read(folder):
        frames, objects = [], []
        for number, frame in enumerate(display(folder / image.path)):
            path = shown / f"{image.index:05d}-{number}.png"
            Image.fromarray(frame).save(path, compress_level=1)
            frames.append(str(path))
            if image.path.endswith(".dcm"):
                plain = path.with_suffix(".dcm")
                _plain(folder / image.path, frame, plain)
                objects.append(str(plain))
        files.append({"path": image.path, "frames": frames, "objects": objects})
    listed.write_text(json.dumps(files))
    return listed


def _plain(source: Path, frame: NDArray[np.uint8], out: Path) -> None:
    """Write one frame as 8-bit grey under the original header."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        ds = Dataset()
        for element in pydicom.dcmread(source):  # decoded: what is stored may be big endian
            ds.add(element)
        grey = frame if frame.ndim == 2 else np.asarray(Image.fromarray(frame).convert("L"))
        gone = ["NumberOfFrames", "PlanarConfiguration", "WindowCenter", "WindowWidth"]
        gone += ["RescaleIntercept", "RescaleSlope"]
        gone += [e.keyword for e in ds if "Palette" in e.keyword]
        for keyword in gone:
            if keyword in ds:
                del ds[keyword]
        ds.SamplesPerPixel, ds.PhotometricInterpretation = 1, "MONOCHROME2"
        ds.BitsAllocated = ds.BitsStored = 8
        ds.HighBit, ds.PixelRepresentation = 7, 0
        data = np.ascontiguousarray(grey).tobytes()
        ds.PixelData = data + b"\0" * (len(data) % 2)
        ds["PixelData"].VR = "OB"
        meta = FileMetaDataset()
        meta.TransferSyntaxUID = ExplicitVRLittleEndian
        meta.MediaStorageSOPClassUID = ds.SOPClassUID
        meta.MediaStorageSOPInstanceUID = ds.SOPInstanceUID
        ds.file_meta = meta
        ds.save_as(out, implicit_vr=False, little_endian=True, enforce_file_format=True)


def _pythons() -> dict[str, Callable[[], tuple[str, Path]]]:
    own = Path(sys.executable)
    return {
        "finder": lambda: ("safelight, finder alone", own),
        "presidio": lambda: (
            "Presidio 0.0.62, blank language model",
            _environment("presidio", "presidio-image-redactor==0.0.62"),
        ),
        "tesseract": lambda: ("tesseract psm 11, 2x and inverted", own),
        "rapidocr": lambda: (
            "RapidOCR 3.10.0",
            _environment("rapidocr", "rapidocr==3.10.0", "onnxruntime"),
        ),
    }


def peer(tool: str, folder: Path, listed: Path, work: Path) -> Row | None:
    """Run one finder over the prepared frames and score its boxes; None when it is missing."""
    if tool == "tesseract" and shutil.which("tesseract") is None:
        print("tesseract is missing; on Debian: apt-get install tesseract-ocr")
        return None
    name, python = _pythons()[tool]()
    target, log = work / tool, work / f"{tool}.log"
    out = target / "boxes.json"
    command = [str(python), str(HERE / "burned_run.py"), tool, str(listed), str(out)]
    took = run(command, target, log=log)
    if took.code:
        print(f"{name} failed; see {log}")
        return None
    failed = sum(line.endswith(("Error", "Exception")) for line in log.read_text().splitlines())
    result = score(truth.read(folder), Boxes.load(out))
    return Row(name=name, result=result, cpu=took.cpu, failed=failed)


def whole(folder: Path, work: Path) -> Row | None:
    """Run ``safelight deidentify`` on the set and score the pixels it wrote."""
    target, log = work / "safelight", work / "safelight.log"
    command = [str(Path(sys.executable).parent / "safelight"), "deidentify", str(folder)]
    command += ["-o", str(target), "--key", str(CACHE / "project.key"), "--workers", "1"]
    took = run([*command, "--no-progress"], target, log=log)
    if took.code not in {0, 1, 3}:
        print(f"safelight failed; see {log}")
        return None
    listed = list(truth.read(folder))
    result = score(listed, Outputs(folder, target, listed))
    return Row(name="safelight deidentify", result=result, cpu=took.cpu, failed=result.withheld)


def speed() -> None:
    """Print our finder's rate where nothing is found, at 512 x 512 and 2048 x 2048."""
    from burned_run import finder_tool  # noqa: PLC0415 - loads the networks

    find, hosts, rng = finder_tool(), Hosts(None), random.Random(3)  # noqa: S311 - repeatable on purpose
    work = CACHE / "burned-speed"
    work.mkdir(parents=True, exist_ok=True)
    for side, modality, count in ((512, "CT", 40), (2048, "DX", 6)):
        times, found = [], 0
        for number in range(count):
            picture, _ = hosts.pick(rng, modality, side, side)
            path = work / f"{side}-{number}.png"
            Image.fromarray(np.rint(picture * 255).astype(np.uint8)).convert("L").save(path)
            start = time.process_time()
            boxes = find({"frames": [str(path)]})
            times.append(time.process_time() - start)
            found += bool(boxes[0])
        middle = statistics.median(times[2:])
        print(
            f"finder on clean {side} x {side}: {middle:.3f} CPU-s an image "
            f"({1 / middle:.1f} a second), median of {count - 2}; {found} had boxes"
        )


def table(rows: list[Row], images: int) -> None:
    """Print one line a tool; exposed characters also as a multiple of our finder's."""
    head = ("tool", "exposed", "of", "x ours", "strings", "clean", "views", "other", "area", "hit")
    print(
        f"\n{head[0]:38}" + "".join(f"{one:>9}" for one in head[1:]) + f"{'CPU s':>9}{'failed':>8}"
    )
    ours = next((row for row in rows if row.name.startswith("safelight")), None)
    for row in rows:
        r = row.result
        value = {name: share for name, share, *_ in bars(r)}
        left = r.removed.total - r.removed.count
        base = max(1, ours.result.removed.total - ours.result.removed.count) if ours else 1
        cells: list[Any] = [left, r.removed.total, f"{left / base:.1f}", r.mostly]
        cells += [
            f"{value[name]:.1%}"
            for name in (
                "images fully clean",
                "laterality and view marks kept",
                "other harmless marks kept",
                "masked area of clean images",
                "clean images touched",
            )
        ]
        cells.append(f"{row.cpu / images:.3f}")
        print(f"{row.name:38}" + "".join(f"{cell!s:>9}" for cell in cells) + f"{row.failed:>8}")
    print(LEGEND)


def main() -> None:
    """Make the set, run everything, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=600)
    parser.add_argument("--seed", type=int, default=11)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--only", default="", help="names separated by commas")
    args = parser.parse_args()
    os.environ.update(ONE_THREAD)
    wanted = args.only.split(",") if args.only else []
    kind = "data" if args.data else "made"
    folder = CACHE / f"burned-{kind}-{args.seed}-{args.images}"
    if not truth.folder_of(folder).joinpath("done").exists():
        shutil.rmtree(folder, ignore_errors=True)
        shutil.rmtree(truth.folder_of(folder), ignore_errors=True)
        print(make(folder, seed=args.seed, images=args.images, data=args.data))
        truth.folder_of(folder).joinpath("done").touch()
    work = CACHE / "burned-work"
    work.mkdir(parents=True, exist_ok=True)
    listed = prepare(folder, CACHE / f"{folder.name}-shown")
    rows: list[Row | None] = []
    if not wanted or "safelight" in wanted:
        rows.append(whole(folder, work))
    rows += [
        peer(tool, folder, listed, work) for tool in _pythons() if not wanted or tool in wanted
    ]
    table([row for row in rows if row is not None], args.images)
    if not wanted or "speed" in wanted:
        speed()


if __name__ == "__main__":
    main()
