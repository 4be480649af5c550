"""Image objects: CT, MR of three makers, PET, NM, CR, DX, MG, US, SC, and bundled files."""

import math
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import pydicom
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.sequence import Sequence as Items

from corpus.model import Work

__all__ = ["BUNDLED", "IMAGE_BASES", "bundled", "code", "pixels"]

IMPLICIT, EXPLICIT = "1.2.840.10008.1.2", "1.2.840.10008.1.2.1"
DEFLATED, BIG = "1.2.840.10008.1.2.1.99", "1.2.840.10008.1.2.2"
RLE = "1.2.840.10008.1.2.5"
NATIVE = (EXPLICIT, IMPLICIT, EXPLICIT, DEFLATED, BIG, EXPLICIT)


def code(value: str, scheme: str, meaning: str) -> Dataset:
    """Return one coded concept."""
    ds = Dataset()
    ds.CodeValue, ds.CodingSchemeDesignator, ds.CodeMeaning = value, scheme, meaning
    return ds


@cache
def bundled(name: str) -> pydicom.FileDataset:
    """Return one of pydicom's bundled test files, read by path."""
    folder = Path(pydicom.__file__).parent / "data" / "test_files"
    return pydicom.dcmread(folder / name, force=True)


def pixels(w: Work, rows: int, columns: int, *, bits: int = 16, frames: int = 1) -> None:
    """Fill native pixel data: a smooth phantom with repeatable noise, unique to the file."""
    noise = np.random.default_rng(w.plan.index + 7)
    y, x = np.mgrid[-1 : 1 : rows * 1j, -1 : 1 : columns * 1j]
    phantom = ((x**2 + 1.4 * y**2) < 0.7) * 900 + 100 * np.sin(4 * x)
    stack = np.stack([phantom + noise.normal(0, 20, phantom.shape) for _ in range(frames)])
    top = 255 if bits == 8 else 4000
    data = np.clip(stack - stack.min(), 0, top).astype("u1" if bits == 8 else "<u2")
    if not w.little and bits == 16:
        data = data.byteswap()
    raw = data.tobytes()
    ds = w.ds
    ds.Rows, ds.Columns, ds.SamplesPerPixel = rows, columns, 1
    ds.PhotometricInterpretation = "MONOCHROME2"
    ds.BitsAllocated, ds.BitsStored, ds.HighBit = (
        bits,
        (8 if bits == 8 else 12),
        (7 if bits == 8 else 11),
    )
    ds.PixelRepresentation = 0
    if frames > 1:
        ds.NumberOfFrames = frames
    ds.add_new(0x7FE00010, "OB" if bits == 8 else "OW", raw + b"\0" * (len(raw) % 2))


def _geometry(w: Work, spacing: float, thickness: float) -> None:
    ds, n = w.ds, w.plan.index
    ds.PixelSpacing = [spacing, spacing]
    ds.SliceThickness = thickness
    ds.ImageOrientationPatient = [1, 0, 0, 0, round(math.cos(0.1), 6), round(math.sin(0.1), 6)]
    ds.ImagePositionPatient = [-120.5, -130.25, round(3.5 * n, 3)]
    ds.SliceLocation = round(3.5 * n, 3)
    ds.FrameOfReferenceUID = w.plan.frame_uid
    ds.PositionReferenceIndicator = ""
    ds.PatientPosition = "HFS"


def ct512(w: Work) -> None:
    """Fill a synthetic CT of 256 x 256 (the corpus) with the usual acquisition attributes."""
    ds = w.ds
    ds.SOPClassUID, ds.Modality = "1.2.840.10008.5.1.4.1.1.2", "CT"
    ds.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
    ds.Manufacturer, ds.ManufacturerModelName = "SIEMENS", "SOMATOM Definition AS+"
    ds.ScanOptions, ds.KVP, ds.DataCollectionDiameter = "HELIX", "120", "500"
    ds.ReconstructionDiameter, ds.GantryDetectorTilt, ds.TableHeight = "300", "0", "150.5"
    ds.RotationDirection, ds.ExposureTime, ds.XRayTubeCurrent = "CW", "500", "210"
    ds.Exposure, ds.FilterType, ds.ConvolutionKernel = "105", "BODY FILTER", "B30f"
    ds.BodyPartExamined, ds.SpiralPitchFactor, ds.CTDIvol = "CHEST", 0.95, 7.25
    ds.WindowCenter, ds.WindowWidth = [40, -600], [400, 1500]
    ds.WindowCenterWidthExplanation = ["SOFT TISSUE", "LUNG"]
    ds.RescaleIntercept, ds.RescaleSlope, ds.RescaleType = "-1024", "1", "HU"
    ds.LossyImageCompression = "00"
    ds.AnatomicRegionSequence = Items([code("51185008", "SCT", "Chest")])
    _geometry(w, 0.586, 2.5)
    pixels(w, 256, 256)


def _mr(w: Work) -> None:
    ds = w.ds
    ds.SOPClassUID, ds.Modality = "1.2.840.10008.5.1.4.1.1.4", "MR"
    ds.ImageType = ["ORIGINAL", "PRIMARY", "M", "ND"]
    ds.ScanningSequence, ds.SequenceVariant, ds.ScanOptions = "SE", ["SK", "SP"], "FS"
    ds.MRAcquisitionType, ds.RepetitionTime, ds.EchoTime = "2D", "4500", "88.5"
    ds.NumberOfAverages, ds.ImagingFrequency, ds.ImagedNucleus = "2", "123.25", "1H"
    ds.EchoNumbers, ds.MagneticFieldStrength, ds.SpacingBetweenSlices = "1", "3", "3.6"
    ds.EchoTrainLength, ds.PercentSampling, ds.PixelBandwidth = "15", "80", "220"
    ds.FlipAngle, ds.InversionTime, ds.AcquisitionMatrix = "150", "900", [0, 128, 128, 0]
    ds.InPlanePhaseEncodingDirection, ds.SAR, ds.dBdt = "ROW", "0.35", "0"
    ds.BodyPartExamined, ds.SequenceName = "BRAIN", "*ep_b1000#2"
    ds.WindowCenter, ds.WindowWidth = "450", "900"
    _geometry(w, 1.8, 3.0)
    pixels(w, 64, 64)


def mr_siemens(w: Work) -> None:
    """Fill an MR with Siemens' safe b-value, and CSA headers that are not safe."""
    _mr(w)
    ds = w.ds
    ds.Manufacturer, ds.ManufacturerModelName = "SIEMENS", "Prisma"
    block = ds.private_block(0x0019, "SIEMENS MR HEADER", create=True)
    block.add_new(0x0C, "IS", str((0, 500, 1000)[w.plan.index % 3]))
    block.add_new(0x0D, "CS", "DIRECTIONAL")
    block.add_new(0x0E, "FD", [0.25, 0.5, 0.75])


def mr_ge(w: Work) -> None:
    """Fill an MR with GE's safe b-value."""
    _mr(w)
    ds = w.ds
    ds.Manufacturer, ds.ManufacturerModelName = "GE MEDICAL SYSTEMS", "DISCOVERY MR750"
    ds.SequenceName = "EP/SE"
    block = ds.private_block(0x0043, "GEMS_PARM_01", create=True)
    block.add_new(0x39, "IS", [(800, 1000)[w.plan.index % 2], 8, 0, 0])


def mr_philips(w: Work) -> None:
    """Fill an MR with Philips' safe b-value."""
    _mr(w)
    ds = w.ds
    ds.Manufacturer, ds.ManufacturerModelName = "Philips Medical Systems", "Achieva"
    block = ds.private_block(0x2001, "Philips Imaging DD 001", create=True)
    block.add_new(0x03, "FL", float((0, 700, 1500)[w.plan.index % 3]))


def pet(w: Work) -> None:
    """Fill a PET slice."""
    ds = w.ds
    ds.SOPClassUID, ds.Modality = "1.2.840.10008.5.1.4.1.1.128", "PT"
    ds.ImageType = ["ORIGINAL", "PRIMARY"]
    ds.Manufacturer, ds.ManufacturerModelName = "GE MEDICAL SYSTEMS", "Discovery 690"
    ds.Units, ds.CountsSource, ds.SeriesType = "BQML", "EMISSION", ["WHOLE BODY", "IMAGE"]
    ds.DecayCorrection, ds.CorrectedImage = "START", ["DECY", "ATTN", "SCAT"]
    ds.FrameReferenceTime, ds.ActualFrameDuration, ds.ImageIndex = "1200", "180000", 1
    ds.NumberOfSlices, ds.DecayFactor = 47, "1.02"
    ds.RescaleIntercept, ds.RescaleSlope = "0", "3.21"
    drug = Dataset()
    drug.Radiopharmaceutical, drug.RadiopharmaceuticalVolume = "FDG", "1.5"
    drug.RadionuclideTotalDose, drug.RadionuclideHalfLife = "350000000", "6586.2"
    drug.RadionuclideCodeSequence = Items([code("77004003", "SCT", "^18^Fluorine")])
    drug.RadiopharmaceuticalStartDateTime = w.plan.moment.strftime("%Y%m%d%H%M%S.%f")
    ds.RadiopharmaceuticalInformationSequence = Items([drug])
    _geometry(w, 5.47, 3.27)
    pixels(w, 64, 64)


def nm(w: Work) -> None:
    """Fill a nuclear medicine object of four frames."""
    ds = w.ds
    ds.SOPClassUID, ds.Modality = "1.2.840.10008.5.1.4.1.1.20", "NM"
    ds.ImageType = ["ORIGINAL", "PRIMARY", "STATIC", "EMISSION"]
    ds.Manufacturer, ds.ManufacturerModelName = "SIEMENS", "Symbia"
    ds.CountsAccumulated, ds.ActualFrameDuration = "250000", "60000"
    ds.PixelSpacing, ds.NumberOfEnergyWindows, ds.NumberOfDetectors = [4.8, 4.8], 1, 1
    ds.BodyPartExamined, ds.SliceThickness = "SKELETON", "4.8"
    pixels(w, 64, 64, frames=4)


def _xray(w: Work, sop_class: str, modality: str, part: str, view: str) -> None:
    ds = w.ds
    ds.SOPClassUID, ds.Modality = sop_class, modality
    ds.ImageType = ["ORIGINAL", "PRIMARY", ""]
    ds.Manufacturer, ds.ManufacturerModelName = "FUJIFILM Corporation", "FDR D-EVO"
    ds.BodyPartExamined, ds.ViewPosition, ds.KVP = part, view, "81"
    ds.Exposure, ds.ExposureTime, ds.ImagerPixelSpacing = "4", "12", [0.15, 0.15]
    ds.PixelSpacing, ds.RelativeXRayExposure = [0.15, 0.15], "310"
    ds.WindowCenter, ds.WindowWidth, ds.PixelIntensityRelationship = "2048", "4096", "LOG"
    ds.LossyImageCompression, ds.BurnedInAnnotation = "00", "NO"
    ds.PatientOrientation, ds.ImageLaterality = ["L", "F"], "U"
    pixels(w, 96, 80)


def cr(w: Work) -> None:
    """Fill a computed radiograph."""
    _xray(w, "1.2.840.10008.5.1.4.1.1.1", "CR", "CHEST", "PA")


def dx(w: Work) -> None:
    """Fill a digital radiograph."""
    _xray(w, "1.2.840.10008.5.1.4.1.1.1.1", "DX", "HAND", "AP")
    w.ds.PresentationIntentType = "FOR PRESENTATION"


def mg(w: Work) -> None:
    """Fill a mammogram."""
    _xray(w, "1.2.840.10008.5.1.4.1.1.1.2", "MG", "BREAST", "MLO")
    ds = w.ds
    ds.ImageLaterality, ds.CompressionForce, ds.BodyPartThickness = "L", "85.5", "52"
    ds.PresentationIntentType, ds.OrganExposed = "FOR PRESENTATION", "BREAST"
    ds.ViewCodeSequence = Items([code("399368009", "SCT", "medio-lateral oblique")])


def us(w: Work) -> None:
    """Fill an ultrasound of six colour frames."""
    ds = w.ds
    ds.SOPClassUID, ds.Modality = "1.2.840.10008.5.1.4.1.1.3.1", "US"
    ds.ImageType = ["ORIGINAL", "PRIMARY", "", "0001"]
    ds.Manufacturer, ds.ManufacturerModelName = "Philips Medical Systems", "EPIQ 7C"
    ds.BodyPartExamined, ds.FrameTime, ds.MechanicalIndex = "HEART", "33.3", "1.1"
    ds.HeartRate, ds.TransducerData, ds.NumberOfStages = "72", ["S5-1", "", ""], 1
    region = Dataset()
    region.RegionSpatialFormat, region.RegionDataType, region.RegionFlags = 1, 1, 2
    region.RegionLocationMinX0, region.RegionLocationMinY0 = 0, 0
    region.RegionLocationMaxX1, region.RegionLocationMaxY1 = 47, 31
    region.PhysicalUnitsXDirection = region.PhysicalUnitsYDirection = 3
    region.PhysicalDeltaX = region.PhysicalDeltaY = 0.0125
    ds.SequenceOfUltrasoundRegions = Items([region])
    pixels(w, 32, 48, bits=8, frames=6)
    mono = np.frombuffer(ds.PixelData, "u1")[: 6 * 32 * 48]
    ds.SamplesPerPixel, ds.PlanarConfiguration = 3, 0
    ds.PhotometricInterpretation = "RGB"
    ds["PixelData"].value = np.repeat(mono, 3).tobytes()


def sc(w: Work) -> None:
    """Fill a secondary capture, RLE encoded."""
    ds = w.ds
    ds.SOPClassUID, ds.Modality = "1.2.840.10008.5.1.4.1.1.7", "OT"
    ds.ImageType, ds.ConversionType = ["DERIVED", "SECONDARY"], "WSD"
    ds.Manufacturer, ds.ManufacturerModelName = "Canon Inc.", "CXDI"
    ds.PixelSpacing, ds.WindowCenter, ds.WindowWidth = [0.4, 0.4], "128", "256"
    ds.LossyImageCompression, ds.BodyPartExamined, ds.PatientOrientation = "00", "KNEE", ["L", "F"]
    ds.DateOfSecondaryCapture = w.plan.moment.strftime("%Y%m%d")
    pixels(w, 40, 40, bits=8)
    if w.plan.syntax == RLE:
        raw = ds.PixelData[:1600]
        packed = b""
        for start in range(0, 1600, 40):
            packed += bytes([39]) + raw[start : start + 40]
        head = (1).to_bytes(4, "little") + (64).to_bytes(4, "little") + bytes(56)
        frame = head + packed + b"\0" * (len(packed) % 2)
        ds.add_new(0x7FE00010, "OB", encapsulate([frame]))
        ds["PixelData"].is_undefined_length = True


# bundled file -> family; compressed ones keep their transfer syntax
BUNDLED: dict[str, str] = {
    "CT_small.dcm": "CT",
    "MR_small.dcm": "MR",
    "MR_small_RLE.dcm": "MR",
    "MR_small_jp2klossless.dcm": "MR",
    "MR_small_jpeg_ls_lossless.dcm": "MR",
    "MR_small_bigendian.dcm": "MR",
    "MR_small_implicit.dcm": "MR",
    "JPEG2000.dcm": "NM",
    "JPEG-lossy.dcm": "NM",
    "JPGExtended.dcm": "NM",
    "SC_rgb_jpeg_dcmtk.dcm": "SC",
    "SC_rgb_rle_2frame.dcm": "SC",
    "examples_ybr_color.dcm": "US",
    "examples_palette.dcm": "US",
    "examples_overlay.dcm": "CR",
    "rtdose.dcm": "RTDOSE",
    "liver_1frame.dcm": "SEG",
    "693_J2KI.dcm": "CT",
}

Builder = Callable[[Work], None]
IMAGE_BASES: dict[str, tuple[str, tuple[str, ...], Builder]] = {
    "ct": ("CT", NATIVE, ct512),
    "mr-siemens": ("MR", NATIVE, mr_siemens),
    "mr-ge": ("MR", NATIVE, mr_ge),
    "mr-philips": ("MR", NATIVE, mr_philips),
    "pet": ("PT", NATIVE, pet),
    "nm": ("NM", NATIVE, nm),
    "cr": ("CR", NATIVE, cr),
    "dx": ("DX", NATIVE, dx),
    "mg": ("MG", NATIVE, mg),
    "us": ("US", (EXPLICIT, IMPLICIT), us),
    "sc": ("SC", (RLE, EXPLICIT), sc),
}
