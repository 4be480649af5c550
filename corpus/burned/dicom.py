"""DICOM objects around finished pictures: realistic headers, half of them stripped."""

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence as Items
from pydicom.uid import UID

from corpus.burned.forms import SYNTAXES, Form, store
from corpus.burned.strings import Subject
from corpus.encode import assemble, deflate, meta_bytes

__all__ = ["header", "palette", "stored", "write"]

Floats = NDArray[np.float32]
Array = NDArray[Any]
_CLASSES = {
    "CT": "1.2.840.10008.5.1.4.1.1.2",
    "MR": "1.2.840.10008.5.1.4.1.1.4",
    "CR": "1.2.840.10008.5.1.4.1.1.1",
    "DX": "1.2.840.10008.5.1.4.1.1.1.1",
    "MG": "1.2.840.10008.5.1.4.1.1.1.2",
    "US": "1.2.840.10008.5.1.4.1.1.6.1",
    "US multi": "1.2.840.10008.5.1.4.1.1.3.1",
    "NM": "1.2.840.10008.5.1.4.1.1.20",
    "XA": "1.2.840.10008.5.1.4.1.1.12.1",
    "SC": "1.2.840.10008.5.1.4.1.1.7",
}
_MAKERS = {
    "CT": ("SIEMENS", "SOMATOM Definition AS"),
    "MR": ("GE MEDICAL SYSTEMS", "SIGNA HDxt"),
    "CR": ("FUJIFILM Corporation", "FCR PRIMA"),
    "DX": ("Philips Medical Systems", "DigitalDiagnost"),
    "MG": ("HOLOGIC, Inc.", "Selenia Dimensions"),
    "US": ("TOSHIBA_MEC_US", "TUS-A500"),
    "NM": ("GE MEDICAL SYSTEMS", "INFINIA"),
    "XA": ("SIEMENS", "AXIOM-Artis"),
    "SC": ("Agfa", "IMPAX"),
}
INK, GROUND = 245, 244  # palette: writing one index from its ground


def _uid(rng: random.Random) -> str:
    return f"2.25.{rng.getrandbits(122)}"


def _day(day: tuple[int, int, int]) -> str:
    return "{:04d}{:02d}{:02d}".format(*day)


def header(rng: random.Random, subject: Subject, modality: str, frames: int, *, named: bool) -> Any:
    """Return a data set without pixels; ``named`` holds the subject's values, else stripped."""
    ds = Dataset()
    ds.SpecificCharacterSet = "ISO_IR 192"
    multi = modality == "US" and frames > 1
    ds.SOPClassUID = _CLASSES["US multi" if multi else modality]
    ds.SOPInstanceUID, ds.StudyInstanceUID, ds.SeriesInstanceUID = (_uid(rng) for _ in range(3))
    ds.Modality = "OT" if modality == "SC" else modality
    ds.Manufacturer, ds.ManufacturerModelName = _MAKERS[modality]
    ds.ImageType = ["DERIVED", "SECONDARY"] if modality == "SC" else ["ORIGINAL", "PRIMARY"]
    if modality in {"CT", "MR"}:
        ds.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
        ds.SliceThickness, ds.ImagePositionPatient = "5", ["-125", "-125", "40"]
        ds.ImageOrientationPatient = ["1", "0", "0", "0", "1", "0"]
        ds.PixelSpacing = ["0.488", "0.488"]
        ds.FrameOfReferenceUID = _uid(rng)
    if modality == "CT":
        ds.KVP = "120"
    ds.StudyID, ds.SeriesNumber, ds.InstanceNumber = "", rng.randint(1, 9), rng.randint(1, 200)
    native = {"greek", "cyrillic", "han", "kana", "hangul"}
    if named:
        name = f"{subject.family}^{subject.given}"
        ds.PatientName = f"{subject.roman}={name}" if subject.script in native else name
        ds.PatientID, ds.AccessionNumber = subject.number, subject.accession[:16]
        ds.PatientBirthDate, ds.PatientSex = _day(subject.born), subject.sex
        ds.PatientAge = f"{subject.age:03d}Y"
        ds.StudyDate = ds.SeriesDate = ds.ContentDate = _day(subject.taken)
        ds.StudyTime = "{:02d}{:02d}{:02d}".format(*subject.clock)
        ds.InstitutionName, ds.ReferringPhysicianName = subject.clinic, subject.physician
        ds.OperatorsName, ds.PatientAddress = subject.operator, subject.address
        ds.PatientTelephoneNumbers = subject.phone
    else:
        ds.PatientName = rng.choice(("", "ANON", f"CASE{rng.randint(1, 999):03d}"))
        ds.PatientID = f"{rng.randint(1, 99999):05d}"
        ds.PatientBirthDate = ds.PatientSex = ds.StudyDate = ds.StudyTime = ""
        ds.AccessionNumber = ds.ReferringPhysicianName = ""
        if rng.random() < 0.5:
            ds.PatientIdentityRemoved, ds.DeidentificationMethod = "YES", "header only"
    if rng.random() < 0.15:
        ds.BurnedInAnnotation = rng.choice(("NO", "NO", "YES"))
    return ds


def regions(ds: Dataset, rows: int, columns: int) -> None:
    """Describe where an ultrasound object's fan lies (PS3.3 C.8.5.5)."""
    item = Dataset()
    item.RegionSpatialFormat, item.RegionDataType, item.RegionFlags = 1, 1, 0
    item.RegionLocationMinX0, item.RegionLocationMinY0 = columns // 8, rows // 10
    item.RegionLocationMaxX1, item.RegionLocationMaxY1 = columns * 7 // 8, rows * 9 // 10
    item.PhysicalUnitsXDirection = item.PhysicalUnitsYDirection = 3
    item.PhysicalDeltaX = item.PhysicalDeltaY = 0.03
    ds.SequenceOfUltrasoundRegions = Items([item])


def stored(ds: Dataset, picture: Floats, form: Form, rng: random.Random) -> Array:
    """Return grey 0 to 1 as stored values, and set the window that shows it so."""
    top = (1 << form.bits) - 1
    if form.bits == 8:
        low, high = 0, 255
    elif ds.get("Modality") == "CT" and form.bits == 12:
        low, high = 864, 1264  # soft tissue under an intercept of -1024
        ds.RescaleIntercept, ds.RescaleSlope = "-1024", "1"
    else:
        low, high = 0, min(top, rng.choice((1023, 4095, top)))
    if form.signed:
        low, high = low - 1024, min(high, 4095) - 1024
    if form.bits > 8 and "WindowCenter" not in ds:
        shift = int(ds.get("RescaleIntercept", 0))
        if rng.random() < 0.8 or shift:
            ds.WindowCenter = f"{(low + high + 1) / 2 + shift:g}"
            ds.WindowWidth = f"{high - low + 1:g}"
    if form.photometric == "MONOCHROME1":
        picture = 1 - picture
    values = np.rint(low + picture * (high - low))
    kind = "u1" if form.bits == 8 else ("i2" if form.signed else "u2")
    return values.astype(kind)


def palette(ds: Dataset, colours: list[tuple[float, float, float]]) -> None:
    """Write a colour table: a grey ramp, then the ground at 244 and inks from 245."""
    table = np.zeros((256, 3), np.uint16)
    ramp = np.linspace(0, 65535, 240).astype(np.uint16)
    table[:240] = ramp[:, None]
    table[240:244] = 20000
    for k, colour in enumerate(colours[:10]):
        table[INK + k] = np.rint(np.array(colour) * 65535)
    for k, name in enumerate(("Red", "Green", "Blue")):
        setattr(ds, f"{name}PaletteColorLookupTableDescriptor", [256, 0, 16])
        setattr(ds, f"{name}PaletteColorLookupTableData", table[:, k].astype("<u2").tobytes())
        ds[f"{name}PaletteColorLookupTableDescriptor"].VR = "US"
        ds[f"{name}PaletteColorLookupTableData"].VR = "OW"


def write(path: Path, ds: Dataset, frames: Iterator[Array], form: Form) -> None:
    """Store the frames and write the file."""
    store(ds, frames, form)
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = UID(SYNTAXES[form.syntax])
    meta.MediaStorageSOPClassUID = ds.SOPClassUID
    meta.MediaStorageSOPInstanceUID = ds.SOPInstanceUID
    meta.ImplementationClassUID = UID("2.25.1")
    body = assemble(
        ds, explicit=form.syntax != "implicit", little=form.syntax != "big endian"
    )  # by hand: pydicom does not write syntaxes it does not know
    if form.syntax == "deflated":
        body = deflate(body)
    path.write_bytes(bytes(128) + b"DICM" + meta_bytes(meta) + body)
