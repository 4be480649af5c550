"""Kinds are told from bytes; names and claims do not count."""

import bz2
import gzip
import io
import json
import lzma
import struct
import tarfile
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from safelight.intake.kinds import HEAD_BYTES, explain, sniff
from safelight.types import Kind


def picture(form: str, mode: str = "RGB") -> bytes:
    out = io.BytesIO()
    Image.new(mode, (9, 7), 90).save(out, form)
    return out.getvalue()


def nifti1(order: str = "<", magic: bytes = b"n+1\x00") -> bytes:
    return struct.pack(order + "i", 348) + bytes(340) + magic + bytes(8)


def nifti2(order: str = "<", magic: bytes = b"n+2\x00") -> bytes:
    return struct.pack(order + "i", 540) + magic + b"\r\n\x1a\n" + bytes(540)


def meta(sop: bytes, preamble: bytes = bytes(128)) -> bytes:
    value = sop + b"\x00" * (len(sop) % 2)
    element = b"\x02\x00\x02\x00UI" + struct.pack("<H", len(value)) + value
    return preamble + b"DICM" + b"\x02\x00\x00\x00UL\x04\x00" + bytes(4) + element


def tar(form: int = tarfile.USTAR_FORMAT) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=form) as archive:
        archive.addfile(tarfile.TarInfo("a.dcm"), io.BytesIO())
    return out.getvalue()


def zipped() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("a.dcm", b"x")
    return out.getvalue()


CT = b"1.2.840.10008.5.1.4.1.1.2"
EXPLICIT = b"\x08\x00\x05\x00CS\x0a\x00ISO_IR 100\x08\x00\x08\x00CS\x08\x00ORIGINAL"
IMPLICIT = b"\x08\x00\x05\x00\x0a\x00\x00\x00ISO_IR 100\x08\x00\x08\x00\x08\x00\x00\x00ORIGINAL"
BIG = b"\x00\x08\x00\x05CS\x00\x0aISO_IR 100\x00\x08\x00\x08CS\x00\x08ORIGINAL"
CDA = '<?xml version="1.0"?><!-- x --><ClinicalDocument xmlns="urn:hl7-org:v3"/>'
SIDECAR = json.dumps({"Modality": "MR", "EchoTime": 0.03}, indent=2).encode()

KNOWN = {
    "dicom": (meta(CT), Kind.DICOM),
    "dicom with a TIFF in its preamble": (meta(CT, b"II*\x00".ljust(128, b"\x01")), Kind.DICOM),
    "dicom with a program in its preamble": (meta(CT, b"MZ".ljust(128, b"\x01")), Kind.DICOM),
    "bare explicit dicom": (EXPLICIT, Kind.DICOM),
    "bare implicit dicom": (IMPLICIT, Kind.DICOM),
    "bare big endian dicom": (BIG, Kind.DICOM),
    "bare meta": (meta(CT)[132:], Kind.DICOM),
    "dicomdir": (meta(b"1.2.840.10008.1.3.10"), Kind.DICOMDIR),
    "jpeg": (picture("JPEG"), Kind.JPEG),
    "png": (picture("PNG"), Kind.PNG),
    "gif": (picture("GIF"), Kind.GIF),
    "tiff": (picture("TIFF"), Kind.TIFF),
    "big tiff": (b"MM\x00+\x00\x08\x00\x00" + bytes(8), Kind.TIFF),
    "webp": (picture("WEBP"), Kind.WEBP),
    "bmp": (picture("BMP"), Kind.BMP),
    "avif": (picture("AVIF"), Kind.HEIF),
    "heic": (b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic" + bytes(40), Kind.HEIF),
    "heic by its second brand": (b"\x00\x00\x00\x18ftypXXXX\x00\x00\x00\x00mif1heic", Kind.HEIF),
    "nifti-1": (nifti1(), Kind.NIFTI),
    "nifti-1 big endian": (nifti1(">"), Kind.NIFTI),
    "nifti-2": (nifti2(), Kind.NIFTI),
    "nifti-2 big endian": (nifti2(">"), Kind.NIFTI),
    "nifti gz": (gzip.compress(nifti1()), Kind.NIFTI_GZ),
    "pdf": (b"%PDF-1.7\n", Kind.PDF),
    "pdf after a mail header": (b"X-Mail: 1\n\n%PDF-1.4\n", Kind.PDF),
    "cda": (CDA.encode(), Kind.CDA),
    "cda in UTF-16": (CDA.encode("utf-16"), Kind.CDA),
    "cda with a doctype": (
        b"<!DOCTYPE x [<!ENTITY a 'b'>]><v3:ClinicalDocument/>",
        Kind.CDA,
    ),
    "zip": (zipped(), Kind.ZIP),
    "tar": (tar(), Kind.TAR),
    "old tar without a mark": (tar().replace(b"ustar\x0000", bytes(8)), Kind.UNKNOWN),
    "gnu tar": (tar(tarfile.GNU_FORMAT), Kind.TAR),
    "tar.gz": (gzip.compress(tar()), Kind.TAR),
    "tar.xz": (lzma.compress(tar()), Kind.TAR),
    "tar.bz2": (bz2.compress(tar()), Kind.TAR),
    "sidecar": (SIDECAR, Kind.SIDECAR),
    "sidecar with a byte order mark": (b"\xef\xbb\xbf" + SIDECAR, Kind.SIDECAR),
}

UNKNOWN = {
    "": (b"", "empty"),
    "text.dcm": (b"just a note about DOE^JANE", "text under a DICOM"),
    "notes.txt": (b"just a note", "text that is neither"),
    "other.json": (b'{"a": 1}', "text that is neither"),
    "pair.hdr": (nifti1(magic=b"ni1\x00"), "another file"),
    "pair2.hdr": (nifti2(magic=b"ni2\x00"), "another file"),
    "analyze.hdr": (nifti1(magic=bytes(4)), "ANALYZE"),
    "video.mp4": (b"\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom", "movie"),
    "still.jp2": (
        b"\x00\x00\x00\x0cjP  \r\n\x87\n\x00\x00\x00\x14ftypjp2 ",
        "a bare JPEG 2000 file",
    ),
    "still.j2k": (b"\xff\x4f\xff\x51\x00\x2f", "JPEG 2000 codestream"),
    "still.jxl": (b"\x00\x00\x00\x0cJXL \r\n\x87\n", "JPEG XL"),
    "setup.exe": (b"MZ\x90\x00", "program"),
    "dicom.gz": (gzip.compress(meta(CT)), "gzip"),
    "zeros.dcm": (bytes(4096), "zeros"),
    "noise.dcm": (b"\xfe\x01\x13\x99" * 40, "DICOM name"),
}


@pytest.mark.parametrize("what", KNOWN)
def test_kind_is_told_from_the_bytes(what: str) -> None:
    data, kind = KNOWN[what]
    assert sniff(data[:HEAD_BYTES], name="holiday.txt", size=len(data)) is kind


@pytest.mark.parametrize("name", UNKNOWN)
def test_what_is_not_known_is_explained(name: str) -> None:
    data, reason = UNKNOWN[name]
    assert sniff(data, name=name, size=len(data)) is Kind.UNKNOWN
    assert reason in explain(data, name=name, size=len(data))


def test_a_name_alone_makes_nothing_dicom() -> None:
    assert sniff(b"hello there", name="image.dcm", size=11) is Kind.UNKNOWN


def test_a_bomb_in_the_head_costs_a_kilobyte() -> None:
    bomb = gzip.compress(bytes(1 << 24))
    assert sniff(bomb[:HEAD_BYTES], size=len(bomb)) is Kind.UNKNOWN


@given(st.binary(max_size=600), st.sampled_from(["", "a.dcm", "b.tar.bz2"]))
def test_any_bytes_get_an_answer(data: bytes, name: str) -> None:
    assert isinstance(sniff(data, name=name, size=len(data)), Kind)
    assert explain(data, name=name)


@given(st.sampled_from(sorted(KNOWN)), st.integers(0, 300), st.binary(min_size=1, max_size=8))
def test_a_bent_head_gets_an_answer(what: str, at: int, patch: bytes) -> None:
    data = KNOWN[what][0]
    bent = data[:at] + patch + data[at + len(patch) :]
    assert isinstance(sniff(bent[:HEAD_BYTES]), Kind)
