"""De-identified inputs for readers, made by the engine from what tests hold."""

import io
import struct
from typing import Any

import numpy as np
import pydicom
from numpy.typing import NDArray
from PIL import Image
from pydicom import config
from pydicom.data import get_testdata_file
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, generate_uid

from safelight.deid import profile
from safelight.deid.engine import Engine
from safelight.deid.pseudonyms import ProjectKey
from safelight.dicomio.limits import Limits
from safelight.readers.view import View
from safelight.types import Deidentified, Kind, Original

ENGINE = Engine(key=ProjectKey(b"r" * 32), profile=profile.load("share"))
CT = "1.2.840.10008.5.1.4.1.1.2"


def clean(data: bytes, kind: Kind = Kind.DICOM) -> Deidentified:
    """Return what the engine makes of one input."""
    original = Original(data, kind=kind)
    subject = ENGINE.subject([ENGINE.survey(original)])
    return ENGINE.deidentify(original, subject, header_only=True)


def view(data: bytes, kind: Kind = Kind.DICOM, *, limits: Limits | None = None) -> View:
    """Return the view of one input."""
    return View.of(clean(data, kind), limits=limits)


def bundled(name: str, **changes: Any) -> bytes:
    """Return one of pydicom's own files, with changes to its header by keyword."""
    path = get_testdata_file(name)
    assert isinstance(path, str)
    dataset = pydicom.dcmread(path)
    for keyword, value in changes.items():
        if value is None:
            if keyword in dataset:
                delattr(dataset, keyword)
        else:
            setattr(dataset, keyword, value)
    return to_bytes(dataset)


def to_bytes(dataset: Dataset) -> bytes:
    """Return a data set as a file."""
    out = io.BytesIO()
    with config.disable_value_validation():
        dataset.save_as(out, enforce_file_format=True)
    return out.getvalue()


def dicom(pixels: NDArray[Any], **header: Any) -> bytes:
    """Return a made image, as a file.

    Args:
        pixels: Stored values, shape (rows, columns), (frames, rows, columns) or with a last axis
            of three colours.
        header: Values by keyword; CT where no SOP class is given.
    """
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.SOPClassUID = header.pop("SOPClassUID", CT)
    for keyword in ("SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID"):
        setattr(dataset, keyword, generate_uid(entropy_srcs=["made", keyword]))
    dataset.file_meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    dataset.PatientName, dataset.PatientID = "ROE^MADE", "MADE-1"
    colour = pixels.ndim > 2 and pixels.shape[-1] == 3
    shape = pixels.shape[:-1] if colour else pixels.shape
    if len(shape) == 3:
        dataset.NumberOfFrames = shape[0]
    dataset.Rows, dataset.Columns = shape[-2:]
    dataset.SamplesPerPixel = 3 if colour else 1
    dataset.PhotometricInterpretation = "RGB" if colour else "MONOCHROME2"
    if colour:
        dataset.PlanarConfiguration = 0
    dataset.BitsAllocated = dataset.BitsStored = pixels.dtype.itemsize * 8
    dataset.HighBit = dataset.BitsStored - 1
    dataset.PixelRepresentation = int(pixels.dtype.kind == "i")
    with config.disable_value_validation():  # files of the field break the rules too
        for keyword, value in header.items():
            setattr(dataset, keyword, value)
    raw = np.ascontiguousarray(pixels).tobytes()
    dataset.PixelData = raw + bytes(len(raw) % 2)
    dataset["PixelData"].VR = "OW" if dataset.BitsAllocated > 8 else "OB"
    return to_bytes(dataset)


def photo(pixels: NDArray[np.uint8], form: str = "PNG", **options: Any) -> bytes:
    """Return levels or colours as a photo."""
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, form, **options)
    return out.getvalue()


def nifti(voxels: NDArray[Any], *, affine: NDArray[Any] | None = None) -> bytes:
    """Return a NIfTI-1 file of a volume, shape (i, j, k); ``affine`` leads to RAS, mm."""
    code = {"u1": 2, "i2": 4, "f4": 16}[voxels.dtype.str[1:]]
    head = bytearray(352)
    struct.pack_into("<i", head, 0, 348)
    struct.pack_into("<8h", head, 40, voxels.ndim, *voxels.shape, *[1] * (7 - voxels.ndim))
    struct.pack_into("<hh", head, 70, code, voxels.dtype.itemsize * 8)
    struct.pack_into("<8f", head, 76, 1, 1, 1, 1, 1, 1, 1, 1)
    struct.pack_into("<f", head, 108, 352)
    if affine is not None:
        struct.pack_into("<hh", head, 252, 0, 1)
        struct.pack_into("<12f", head, 280, *affine[:3].reshape(-1))
    head[344:348] = b"n+1\0"
    return bytes(head) + voxels.tobytes(order="F")
