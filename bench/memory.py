"""Peak memory on a 2 GB multi-frame file: the whole tree of processes, bar 300 MiB."""

import argparse
import json
import os
import shutil
import struct
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from pydicom.dataset import Dataset, FileMetaDataset

from corpus.encode import dataset_bytes, meta_bytes
from measure import run
from peers import CACHE, ours

RESULTS = Path(__file__).resolve().parent / "results"
BAR = 300.0


def write(path: Path, *, gigabytes: float) -> None:
    """Write a multi-frame ultrasound of about that size, in chunks."""
    rows, columns = 1024, 1024
    frames = int(gigabytes * (1 << 30)) // (rows * columns)
    ds = Dataset()
    ds.SpecificCharacterSet = "ISO_IR 100"
    ds.SOPClassUID, ds.SOPInstanceUID = (
        "1.2.840.10008.5.1.4.1.1.3.1",
        "1.2.826.0.1.3680043.8.1055.9.1",
    )
    ds.StudyInstanceUID, ds.SeriesInstanceUID = (
        "1.2.826.0.1.3680043.8.1055.9.2",
        "1.2.826.0.1.3680043.8.1055.9.3",
    )
    ds.PatientName, ds.PatientID = "Grauvelskith^Ombretta", "QQ7712345"
    ds.StudyDate, ds.StudyTime, ds.Modality = "20190312", "101500", "US"
    ds.StudyDescription, ds.InstanceNumber = "US ABDOMEN Ombretta Grauvelskith", 1
    ds.SamplesPerPixel, ds.PhotometricInterpretation = 1, "MONOCHROME2"
    ds.NumberOfFrames, ds.Rows, ds.Columns = frames, rows, columns
    ds.BitsAllocated = ds.BitsStored = 8
    ds.HighBit, ds.PixelRepresentation = 7, 0
    meta = FileMetaDataset()
    meta.FileMetaInformationVersion = b"\0\1"
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = (
        ds.SOPClassUID,
        ds.SOPInstanceUID,
    )
    meta.TransferSyntaxUID, meta.ImplementationClassUID = (
        "1.2.840.10008.1.2.1",
        "1.2.826.0.1.3680043.8.1055.1",
    )
    frame = bytes((x * 7 + x // 1024) & 0xFF for x in range(rows * columns))
    with path.open("wb") as file:
        file.write(bytes(128) + b"DICM" + meta_bytes(meta) + dataset_bytes(ds, explicit=True))
        file.write(struct.pack("<HH2s2xL", 0x7FE0, 0x0010, b"OW", frames * rows * columns))
        for number in range(frames):
            file.write(struct.pack("<L", number) + frame[4:])


def main() -> int:
    """Measure one run on the large file; return 1 when the bar is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--gigabytes", type=float, default=2.0)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--results", type=Path, default=RESULTS)
    args = parser.parse_args()
    folder = CACHE / f"memory-{os.getpid()}"
    folder.mkdir(parents=True, exist_ok=True)
    source, target = folder / "large.dcm", CACHE / f"memory-out-{os.getpid()}"
    try:
        write(source, gigabytes=args.gigabytes)
        tool = ours(args.workers)
        one = run(tool.command(folder, target), target, memory=True, log=CACHE / "memory.log")
        size = source.stat().st_size
        written = max((p.stat().st_size for p in target.rglob("*") if p.is_file()), default=0)
    finally:
        shutil.rmtree(folder)
        shutil.rmtree(target, ignore_errors=True)
    whole = one.files == 1 and abs(written - size) < 1 << 20
    print(
        f"{size / 1e9:.2f} GB in, {written / 1e9:.2f} GB out, exit {one.code}: "
        f"peak {one.peak:.0f} MiB (bar {BAR:.0f}), {one.wall:.1f} s wall, {one.cpu:.1f} s CPU"
    )
    args.results.mkdir(parents=True, exist_ok=True)
    body = {
        "bytes_in": size,
        "bytes_out": written,
        "peak_mib": round(one.peak, 1),
        "bar_mib": BAR,
        "wall_seconds": round(one.wall, 2),
        "cpu_seconds": round(one.cpu, 2),
    }
    (args.results / "memory.json").write_text(json.dumps(body, indent=1) + "\n")
    return 0 if whole and one.peak <= BAR else 1


if __name__ == "__main__":
    sys.exit(main())
