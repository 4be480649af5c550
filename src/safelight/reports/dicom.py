"""What DICOM reports share: whose study they belong to, their UIDs and codes.

A report carries the references of the de-identified input, pseudonyms all of them. What is not
DICOM gets a study of its own, whose UIDs follow from the input's digest.
"""

import hashlib
import io
import re
from datetime import UTC, datetime
from typing import Any, Final

from pydicom import config
from pydicom.datadict import dictionary_VR
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sr.coding import Code as Concept
from pydicom.uid import ExplicitVRLittleEndian, SecondaryCaptureImageStorage
from pydicom.valuerep import validate_value

from safelight import __version__
from safelight.readers import tags
from safelight.readers.measures.times import moment, of_day
from safelight.readers.reading import Code

__all__ = [
    "MANUFACTURER",
    "SCHEME",
    "common",
    "concept",
    "header_of",
    "line",
    "lossy_of",
    "own",
    "scheme_item",
    "uid",
    "written",
]

SCHEME: Final = "99SAFELIGHT"
MANUFACTURER: Final = "Safelight"
_MEANING_MOST: Final = 64  # characters of LO
_VALUE_MOST: Final = 16  # characters of SH
_VALUE: Final = re.compile(r"[!-\[\]-~]{1,16}")
# Type 2 of the Patient and General Study modules (PS3.3 C.7.1.1, C.7.2.1), empty where unknown.
_PATIENT: Final = (
    *("PatientName", "PatientID", "PatientBirthDate", "PatientSex"),
    *("StudyDate", "StudyTime", "ReferringPhysicianName", "StudyID", "AccessionNumber"),
)
_KEPT: Final = (
    *("PatientIdentityRemoved", "DeidentificationMethod", "DeidentificationMethodCodeSequence"),
    *("LongitudinalTemporalInformationModified", "TimezoneOffsetFromUTC"),
)
_COMPRESSION: Final = ("LossyImageCompressionRatio", "LossyImageCompressionMethod")
_SEVERAL: Final = frozenset(("DeidentificationMethod", *_COMPRESSION))
_SEXES: Final = ("M", "F", "O")  # PS3.3 C.7.1.1
_PUNCTUATION: Final = {"DA": {ord("."): None}, "TM": {ord(":"): None}}


def uid(*parts: str) -> str:
    """Return a UID that follows from the parts (PS3.5 B.2, UUID form of 2.25)."""
    digest = hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).digest()
    return f"2.25.{int.from_bytes(digest[:16], 'big')}"


def header_of(dataset: Dataset | None, source: str) -> Dataset:
    """Return the header that a report refers to.

    Args:
        dataset: Header of the de-identified input; None when it is not DICOM.
        source: Its digest. Without a header, the secondary capture of it is referred to.
    """
    header = Dataset()
    if dataset is None:
        header.SOPClassUID = SecondaryCaptureImageStorage
        header.SOPInstanceUID = uid("secondary capture", source)
        header.StudyInstanceUID = uid("study", source)
        header.SeriesInstanceUID = uid("secondary capture series", source)
        header.Modality = "OT"
        header.PatientIdentityRemoved = "YES"
        header.DeidentificationMethod = f"Safelight {__version__}"
    else:
        for keyword in ("SOPClassUID", "SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID"):
            setattr(header, keyword, _valid(dataset, keyword) or uid(keyword, source))
        header.Modality = _valid(dataset, "Modality") or "OT"
        for keyword in (*_PATIENT, *_KEPT, "NumberOfFrames"):
            value = _valid(dataset, keyword)
            if value is not None:
                setattr(header, keyword, value)
    header.SpecificCharacterSet = "ISO_IR 192"
    for keyword in _PATIENT:
        if keyword not in header:
            setattr(header, keyword, "")
    return header


def _valid(dataset: Dataset, keyword: str) -> Any:
    """Return a value as the standard has it written; None when a report cannot carry it.

    Dates and times of ACR-NEMA, ``2024.03.10`` and ``14:04:38``, are written anew (PS3.5 6.2).
    """
    vr = dictionary_VR(keyword)
    if vr == "SQ":
        return list(tags.items(dataset, keyword)) or None
    several = tags.texts(dataset, keyword)
    values = tuple(each.translate(_PUNCTUATION.get(vr, {})) for each in several)
    if vr == "CS":
        values = tuple(each.upper() for each in values)
    if not values or (len(values) > 1 and keyword not in _SEVERAL):
        return None
    if not all(_fits(vr, each) for each in values):
        return None
    if keyword == "PatientSex" and values[0] not in _SEXES:
        return None
    return list(values) if len(values) > 1 else values[0]


def lossy_of(dataset: Dataset | None) -> dict[str, Any]:
    """Return what is known of lossy compression, which a picture of the image inherits.

    Once compressed with loss, always so (PS3.3 C.7.6.1.1.5); a transfer syntax with loss tells it
    where the header does not. Where nothing is known, nothing is said.

    Args:
        dataset: Header of the de-identified input with its meta information; None when it is not
            DICOM.
    """
    if dataset is None:
        return {}
    method = tags.lossy(dataset)
    said = _valid(dataset, "LossyImageCompression")
    if not method and said != "01":
        return {"LossyImageCompression": "00"} if said == "00" else {}
    told = {keyword: _valid(dataset, keyword) for keyword in _COMPRESSION}
    told["LossyImageCompressionMethod"] = told["LossyImageCompressionMethod"] or method
    kept = {keyword: value for keyword, value in told.items() if value}
    return {"LossyImageCompression": "01", **kept}


def _fits(vr: str, value: str) -> bool:
    if vr == "DA" and moment(value, "00") is None:
        return False
    if vr == "TM" and of_day(value) is None:
        return False
    try:
        validate_value(vr, value, config.RAISE)
    except ValueError:
        return False
    return True


def common(header: Dataset, *, when: datetime | None = None) -> dict[str, Any]:
    """Return the attributes of patient, study, identity and equipment that each report carries."""
    now = when or datetime.now(UTC)
    told = {keyword: header[keyword].value for keyword in _PATIENT}
    told |= {keyword: header[keyword].value for keyword in _KEPT if keyword in header}
    return told | {
        "StudyInstanceUID": header.StudyInstanceUID,
        "SpecificCharacterSet": "ISO_IR 192",
        "Manufacturer": MANUFACTURER,
        "ManufacturerModelName": MANUFACTURER,
        "SoftwareVersions": __version__,
        "DeviceSerialNumber": "0",
        "InstanceCreationDate": now.strftime("%Y%m%d"),
        "InstanceCreationTime": now.strftime("%H%M%S"),
        "ContentDate": now.strftime("%Y%m%d"),
        "ContentTime": now.strftime("%H%M%S"),
    }


def line(text: str, most: int = _MEANING_MOST) -> str:
    """Return text that a single value of any text VR can hold (PS3.5 6.2); never empty."""
    plain = "".join(char if char.isprintable() and char != "\\" else " " for char in text)
    return " ".join(plain.split())[:most].strip() or "unnamed"


def concept(code: Code) -> Concept:
    """Return a coded concept that fits its attributes (PS3.3 8.8); a longer one is our own."""
    meaning, value, scheme = line(code.meaning), code.value, code.scheme
    if not (_VALUE.fullmatch(value) and _VALUE.fullmatch(scheme)):
        return own(value or meaning, meaning)
    return Concept(value, scheme, meaning)


def own(value: str, meaning: str) -> Concept:
    """Return a concept of our own scheme."""
    short = "".join(char if char.isalnum() and char.isascii() else "-" for char in value)
    if len(short) > _VALUE_MOST:
        tail = hashlib.sha256(short.encode()).hexdigest()[:6]
        short = f"{short[: _VALUE_MOST - 7]}-{tail}"
    return Concept(short or "unnamed", SCHEME, line(meaning))


def scheme_item() -> Dataset:
    """Return what says whose scheme our own codes are of (PS3.3 C.12.1.1.7)."""
    item = Dataset()
    item.CodingSchemeDesignator = SCHEME
    item.CodingSchemeName = "Safelight: answers of readers"
    item.CodingSchemeVersion = "1"
    item.CodingSchemeResponsibleOrganization = "The Safelight developers"
    return item


def written(dataset: Dataset) -> bytes:
    """Return a data set as a DICOM file, explicit little endian."""
    if not hasattr(dataset, "file_meta"):
        meta = FileMetaDataset()
        meta.MediaStorageSOPClassUID = dataset.SOPClassUID
        meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
        dataset.file_meta = meta
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.file_meta.ImplementationVersionName = "SAFELIGHT"
    out = io.BytesIO()
    dataset.save_as(out, enforce_file_format=True, little_endian=True, implicit_vr=False)
    return out.getvalue()
