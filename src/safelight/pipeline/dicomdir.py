"""Write a new DICOMDIR for the outputs of a run, from the outputs' own headers.

A DICOMDIR repeats names, dates and identifiers of every file it lists, so the one on a CD is never
cleaned: it is left out, and this one is written from what stands in the outputs.

File IDs should have at most eight components of at most eight capital letters, digits or
underscores (PS3.10 8.2); ``conforms`` tells. Outputs keep their own names, so other paths are
written as they are, which viewers open.
"""

import hashlib
import re
import struct
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from safelight.dicomio.envelope import write_meta
from safelight.dicomio.syntax import DICOMDIR_CLASS

__all__ = ["Fields", "build", "conforms", "read_fields"]

#: Values by keyword; a sequence is a list of such mappings.
Fields = Mapping[str, "str | Sequence[Fields]"]

_EXPLICIT_LITTLE: Final = "1.2.840.10008.1.2.1"
_COMPONENT: Final = re.compile(r"[A-Z0-9_]{1,8}")
_MOST_COMPONENTS: Final = 8
_LONGEST: Final = 1024  # characters: the longest of the text VRs here (PS3.5 6.2)
_HEAD_ITEM: Final = b"\xfe\xff\x00\xe0"

# Keyword: tag and VR (PS3.6). Only what a directory record can hold.
_ELEMENTS: Final = {
    "SpecificCharacterSet": (0x00080005, b"CS"),
    "StudyDate": (0x00080020, b"DA"),
    "ContentDate": (0x00080023, b"DA"),
    "StudyTime": (0x00080030, b"TM"),
    "ContentTime": (0x00080033, b"TM"),
    "AccessionNumber": (0x00080050, b"SH"),
    "Modality": (0x00080060, b"CS"),
    "CodeValue": (0x00080100, b"SH"),
    "CodingSchemeDesignator": (0x00080102, b"SH"),
    "CodeMeaning": (0x00080104, b"LO"),
    "StudyDescription": (0x00081030, b"LO"),
    "PatientName": (0x00100010, b"PN"),
    "PatientID": (0x00100020, b"LO"),
    "StudyInstanceUID": (0x0020000D, b"UI"),
    "SeriesInstanceUID": (0x0020000E, b"UI"),
    "StudyID": (0x00200010, b"SH"),
    "SeriesNumber": (0x00200011, b"IS"),
    "InstanceNumber": (0x00200013, b"IS"),
    "ConceptNameCodeSequence": (0x0040A043, b"SQ"),
    "CompletionFlag": (0x0040A491, b"CS"),
    "VerificationFlag": (0x0040A493, b"CS"),
    "DocumentTitle": (0x00420010, b"ST"),
    "MIMETypeOfEncapsulatedDocument": (0x00420012, b"LO"),
    "ContentLabel": (0x00700080, b"CS"),
    "ContentDescription": (0x00700081, b"LO"),
    "PresentationCreationDate": (0x00700082, b"DA"),
    "PresentationCreationTime": (0x00700083, b"TM"),
    "ContentCreatorName": (0x00700084, b"PN"),
    "StructureSetLabel": (0x30060002, b"SH"),
    "StructureSetDate": (0x30060008, b"DA"),
    "StructureSetTime": (0x30060009, b"TM"),
    "DoseSummationType": (0x3004000A, b"CS"),
    "TreatmentDate": (0x30080250, b"DA"),
    "TreatmentTime": (0x30080251, b"TM"),
    "RTPlanLabel": (0x300A0002, b"SH"),
    "RTPlanDate": (0x300A0006, b"DA"),
    "RTPlanTime": (0x300A0007, b"TM"),
}
_OWN: Final = ("SOPClassUID", "SOPInstanceUID", "TransferSyntaxUID")
# Keys of each record (PS3.3 F.5), those that may be empty with a question mark.
_PATIENT: Final = ("PatientName?", "PatientID")
_STUDY: Final = ("StudyDate", "StudyTime", "AccessionNumber?", "StudyDescription?")
_STUDY_IDS: Final = ("StudyInstanceUID", "StudyID")
_SERIES: Final = ("Modality", "SeriesInstanceUID", "SeriesNumber")
_CONTENT: Final = ("ContentLabel", "ContentDescription?", "ContentCreatorName?")
_MADE: Final = ("ContentDate", "ContentTime")
_KEYS: Final[Mapping[str, tuple[str, ...]]] = {
    "IMAGE": ("InstanceNumber",),
    "RT DOSE": ("InstanceNumber", "DoseSummationType"),
    "RT STRUCTURE SET": (
        *("InstanceNumber", "StructureSetLabel", "StructureSetDate?", "StructureSetTime?"),
    ),
    "RT PLAN": ("InstanceNumber", "RTPlanLabel", "RTPlanDate?", "RTPlanTime?"),
    "RT TREAT RECORD": ("InstanceNumber", "TreatmentDate?", "TreatmentTime?"),
    "PRESENTATION": (
        *("InstanceNumber", "PresentationCreationDate", "PresentationCreationTime"),
        *_CONTENT,
    ),
    "WAVEFORM": ("InstanceNumber", *_MADE),
    "SR DOCUMENT": (
        *("InstanceNumber", "CompletionFlag", "VerificationFlag", *_MADE),
        "ConceptNameCodeSequence",
    ),
    "KEY OBJECT DOC": ("InstanceNumber", *_MADE, "ConceptNameCodeSequence"),
    "SPECTROSCOPY": ("InstanceNumber", *_MADE),
    "RAW DATA": ("InstanceNumber", *_MADE),
    "REGISTRATION": ("InstanceNumber", *_MADE, *_CONTENT),
    "FIDUCIAL": ("InstanceNumber", *_MADE, *_CONTENT),
    "VALUE MAP": ("InstanceNumber", *_MADE, *_CONTENT),
    "STEREOMETRIC": ("InstanceNumber",),
    "MEASUREMENT": ("InstanceNumber", *_MADE),
    "SURFACE": ("InstanceNumber", *_MADE, *_CONTENT),
    "SURFACE SCAN": ("InstanceNumber", *_MADE),
    "TRACT": ("InstanceNumber", *_MADE, *_CONTENT),
    "ASSESSMENT": ("InstanceNumber", *_MADE),
    "ENCAP DOC": (
        *("InstanceNumber", "ContentDate?", "ContentTime?", "DocumentTitle?"),
        *("ConceptNameCodeSequence?", "MIMETypeOfEncapsulatedDocument"),
    ),
}
# Record types by the end of the SOP class after 1.2.840.10008.5.1.4.1.1. (PS3.3 Table F.4-1); the
# longest match counts, and what is not listed is an image.
_ROOT: Final = "1.2.840.10008.5.1.4.1.1."
_TYPES: Final = {
    "4.2": "SPECTROSCOPY",
    "9.": "WAVEFORM",
    "11.": "PRESENTATION",
    "66": "RAW DATA",
    "66.1": "REGISTRATION",
    "66.2": "FIDUCIAL",
    "66.3": "REGISTRATION",
    "66.4": "IMAGE",
    "66.5": "SURFACE",
    "66.6": "TRACT",
    "67": "VALUE MAP",
    "68.": "SURFACE SCAN",
    "77.1.5.3": "STEREOMETRIC",
    "78.": "MEASUREMENT",
    "78.6": "SR DOCUMENT",
    "79.1": "SR DOCUMENT",
    "80.1": "MEASUREMENT",
    "88.": "SR DOCUMENT",
    "88.59": "KEY OBJECT DOC",
    "90.1": "ASSESSMENT",
    "104.": "ENCAP DOC",
    "131": "PRESENTATION",
    "481.2": "RT DOSE",
    "481.3": "RT STRUCTURE SET",
    "481.4": "RT TREAT RECORD",
    "481.5": "RT PLAN",
    "481.6": "RT TREAT RECORD",
    "481.7": "RT TREAT RECORD",
    "481.8": "RT PLAN",
    "481.9": "RT TREAT RECORD",
}
# What stands where a record must have a value and the output has none.
_DUMMY: Final = {b"DA": "19000101", b"TM": "000000", b"IS": "0", b"CS": "OT"}


def conforms(relative: str) -> bool:
    """Tell whether a path is a File ID as PS3.10 8.2 wants it."""
    parts = relative.split("/")
    return len(parts) <= _MOST_COMPONENTS and all(map(_COMPONENT.fullmatch, parts))


def read_fields(path: str) -> dict[str, Any]:
    """Return what ``build`` needs of one output, read from its header alone.

    Args:
        path: A DICOM file that this run wrote.
    """
    from pydicom import dcmread  # noqa: PLC0415 - start-up cost

    keywords = [*_ELEMENTS, *_OWN[:2]]
    ds = dcmread(path, stop_before_pixels=True, specific_tags=keywords)
    fields = _plain(ds)
    fields["TransferSyntaxUID"] = str(ds.file_meta.TransferSyntaxUID)
    return fields


def _plain(ds: Any) -> dict[str, Any]:
    out: dict[str, Any] = {}
    for element in ds:
        if element.VR == "SQ":
            out[element.keyword] = [_plain(item) for item in element.value]
        elif element.value is not None and element.keyword != "SpecificCharacterSet":
            value = element.value
            out[element.keyword] = "\\".join(map(str, value)) if element.VM > 1 else str(value)
    return out


@dataclass(slots=True)
class _Record:
    """One encoded record and the records below it. The first 24 bytes hold its two offsets."""

    data: bytes
    below: dict[str, "_Record"] = field(default_factory=dict)


def build(outputs: Iterable[tuple[str, Fields]], *, version: str = "SAFELIGHT") -> bytes:
    """Return a DICOMDIR that lists these outputs: the same outputs give the same bytes.

    Records are encoded one by one as the outputs come, so that memory is about twice the size of
    the result (some 500 bytes an output), however many there are.

    Args:
        outputs: Path relative to the DICOMDIR's folder, with ``/``, and header values: SOP class,
            SOP instance and transfer syntax UID, and the keys of PS3.3 F.5 as far as known.
        version: Implementation Version Name to write.
    """
    root = _Record(b"")
    for relative, values in outputs:
        patient = _below(root, "PATIENT", _PATIENT, "PatientID", values)
        study = _below(patient, "STUDY", (*_STUDY, *_STUDY_IDS), "StudyInstanceUID", values)
        series = _below(study, "SERIES", _SERIES, "SeriesInstanceUID", values)
        kind = _kind(str(values.get("SOPClassUID", "")))
        file = (
            (0x00041500, b"CS", relative.replace("/", "\\")),
            (0x00041510, b"UI", str(values.get("SOPClassUID", ""))),
            (0x00041511, b"UI", str(values.get("SOPInstanceUID", ""))),
            (0x00041512, b"UI", str(values.get("TransferSyntaxUID", ""))),
        )
        head = b"".join(_element(tag, vr, value.encode("utf-8")) for tag, vr, value in file)
        series.below[relative] = _Record(_record(kind, head, _KEYS[kind], values))
    return _written(root, version)


def _kind(sop_class: str) -> str:
    end = sop_class.removeprefix(_ROOT)
    found = [n for n in _TYPES if end == n or (n.endswith(".") and end.startswith(n))]
    return _TYPES[max(found, key=len)] if found and end != sop_class else "IMAGE"


def _below(above: _Record, kind: str, keys: Sequence[str], name: str, values: Fields) -> _Record:
    """Return the record of this patient, study or series; made when it is the first of it."""
    key = str(values.get(name, ""))
    found = above.below.get(key)
    if found is None:
        found = above.below[key] = _Record(_record(kind, b"", keys, values))
    return found


# --- Encoding: explicit VR little endian ----------------------------------------------------------


def _record(kind: str, file: bytes, keys: Sequence[str], values: Fields) -> bytes:
    body = b"".join(_field(key, values) for key in sorted(keys, key=_tag))
    if not body.isascii():
        body = _element(0x00080005, b"CS", b"ISO_IR 192") + body
    head = _number(0x00041400, b"UL", 0) + _number(0x00041410, b"US", 0xFFFF)
    head += _number(0x00041420, b"UL", 0) + _element(0x00041430, b"CS", kind.encode("ascii"))
    data = head + file + body
    return _HEAD_ITEM + struct.pack("<I", len(data)) + data


def _tag(key: str) -> int:
    return _ELEMENTS[key.rstrip("?")][0]


def _field(key: str, values: Fields) -> bytes:
    name = key.rstrip("?")
    tag, vr = _ELEMENTS[name]
    value = values.get(name, "")
    if vr == b"SQ":
        items = b"".join(_item(item) for item in value if isinstance(item, Mapping))
        return struct.pack("<HH2sHI", tag >> 16, tag & 0xFFFF, vr, 0, len(items)) + items
    text = str(value)[:_LONGEST] or ("" if key.endswith("?") else _DUMMY.get(vr, "0"))
    return _element(tag, vr, text.encode("utf-8"))


def _item(values: Fields) -> bytes:
    known = sorted((key for key in values if key in _ELEMENTS), key=_tag)
    data = b"".join(_field(f"{key}?", values) for key in known)
    return _HEAD_ITEM + struct.pack("<I", len(data)) + data


def _element(tag: int, vr: bytes, value: bytes) -> bytes:
    if len(value) % 2:
        value += b"\0" if vr == b"UI" else b" "
    return struct.pack("<HH2sH", tag >> 16, tag & 0xFFFF, vr, len(value)) + value


def _number(tag: int, vr: bytes, value: int) -> bytes:
    return _element(tag, vr, struct.pack("<I" if vr == b"UL" else "<H", value))


def _written(root: _Record, version: str) -> bytes:
    """Lay the records out and write each one's place into those that point to it (PS3.3 F.3)."""
    body = _element(0x00041130, b"CS", b"") + _number(0x00041200, b"UL", 0)
    body += _number(0x00041202, b"UL", 0) + _number(0x00041212, b"US", 0)
    digest = hashlib.sha256()
    size = _measure(root, digest)
    body += struct.pack("<HH2sHI", 0x0004, 0x1220, b"SQ", 0, size)
    head = write_meta(
        syntax=_EXPLICIT_LITTLE,
        sop_class=DICOMDIR_CLASS,
        sop_uid=_uid(digest.digest()),
        version=version,
    )
    out = bytearray(head + body)
    first, last = _place(root, out)
    offsets = len(head) + 8
    struct.pack_into("<I", out, offsets + 8, first)
    struct.pack_into("<I", out, offsets + 20, last)
    return bytes(out)


def _uid(digest: bytes) -> str:
    """Return a UID made from the records: 2.25 and a version 8 UUID (PS3.5 B.2, RFC 9562)."""
    number = int.from_bytes(digest[:16], "big")
    number = number & ~(0xF << 76) | 8 << 76
    return f"2.25.{number & ~(3 << 62) | 2 << 62}"


def _measure(above: _Record, digest: Any) -> int:
    size = 0
    for record in above.below.values():
        digest.update(record.data)
        size += len(record.data) + _measure(record, digest)
    return size


def _place(above: _Record, out: bytearray) -> tuple[int, int]:
    """Append the records below one; return where the first and the last of them begin."""
    first = last = 0
    while above.below:
        record = above.below.pop(next(iter(above.below)))  # given back as it is written
        start = len(out)
        if last:
            struct.pack_into("<I", out, last + 16, start)
        first, last = first or start, start
        out += record.data
        lower, _ = _place(record, out)
        struct.pack_into("<I", out, start + 38, lower)
    return first, last
