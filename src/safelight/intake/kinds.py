"""What an input is, told from its first bytes.

A name is a claim; bytes decide. The one use of a name is to read a bzip2 archive, whose first
block is longer than any head. Nothing here allocates more than a few kilobytes, whatever a file
says of itself.
"""

import bz2
import lzma
import re
import struct
import zlib
from typing import Final

from safelight.types import Kind

__all__ = ["HEAD_BYTES", "explain", "sniff"]

HEAD_BYTES: Final = 4096  # enough for every rule below; a shorter file is sniffed whole

_INFLATED: Final = 1024  # bytes of a compressed head that are looked at
_MEDIA_STORAGE_DIRECTORY: Final = b"1.2.840.10008.1.3.10"
_VRS: Final = frozenset(
    b"AE AS AT CS DA DS DT FD FL IS LO LT OB OD OF OL OV OW PN SH SL SQ SS ST SV TM UC UI UL UN"
    b" UR US UT UV".split()
)
_FIRST_GROUPS: Final = (0x0002, 0x0008)
_LONG_SET: Final = frozenset(b"OB OD OF OL OV OW SQ SV UC UN UR UT UV".split())
_HEIF_BRANDS: Final = frozenset(
    b"heic heix heim heis hevc hevx hevm hevs mif1 mif2 msf1 miaf avif avis avio MA1A MA1B".split()
)
_SIGNATURES: Final = (
    (0, b"\xff\xd8\xff", Kind.JPEG),
    (0, b"\x89PNG\r\n\x1a\n", Kind.PNG),
    (0, b"GIF87a", Kind.GIF),
    (0, b"GIF89a", Kind.GIF),
    (0, b"II*\x00", Kind.TIFF),
    (0, b"MM\x00*", Kind.TIFF),
    (0, b"II+\x00", Kind.TIFF),
    (0, b"MM\x00+", Kind.TIFF),
    (0, b"PK\x03\x04", Kind.ZIP),
    (0, b"PK\x05\x06", Kind.ZIP),
    (0, b"PK\x07\x08", Kind.ZIP),
    (0, b"%PDF-", Kind.PDF),
    (4, b"ftyp", Kind.HEIF),
    (8, b"WEBP", Kind.WEBP),
)
_TAR_NAMES: Final = (".tar.bz2", ".tbz", ".tbz2")
_SIDECAR_KEYS: Final = re.compile(
    rb'"(?:Modality|MagneticFieldStrength|ImagingFrequency|Manufacturer|ManufacturersModelName|'
    rb"EchoTime|RepetitionTime|FlipAngle|SliceThickness|SliceTiming|ImageType|SeriesDescription|"
    rb"ProtocolName|SeriesInstanceUID|StudyInstanceUID|PatientName|PatientID|PatientPosition|"
    rb"AcquisitionTime|AcquisitionDateTime|ConversionSoftware|ConversionSoftwareVersion|BidsGuess|"
    rb"TaskName|PhaseEncodingDirection|TotalReadoutTime|EffectiveEchoSpacing|BIDSVersion|"
    rb'BodyPartExamined|InstitutionName|TracerName|Radiopharmaceutical)"\s*:'
)
_ROOT: Final = re.compile(
    r"\s*(?:<\?.*?\?>\s*|<!--.*?-->\s*|<!DOCTYPE[^\[>]*(?:\[.*?\]\s*)?>\s*)*<(?:[\w.-]+:)?(\w+)",
    re.DOTALL,
)


def sniff(head: bytes, *, name: str = "", size: int = -1) -> Kind:
    """Tell what an input is from its first bytes.

    Args:
        head: The first ``HEAD_BYTES`` bytes, or the whole input when that is shorter or at hand.
        name: The file's name; read for bzip2 archives alone.
        size: The whole input's length in bytes; -1 when unknown.

    Source: PS3.10 7.1 (preamble, file meta), RFC 1952, RFC 2083, TIFF 6.0, ISO/IEC 14496-12 (ftyp),
    NIfTI-1 and NIfTI-2 headers, POSIX ustar, HL7 CDA R2.
    """
    if head[128:132] == b"DICM":
        return _dicom_kind(head)
    for test in (_by_signature, _by_structure):
        kind = test(head, size)
        if kind is not Kind.UNKNOWN:
            return kind
    return _by_text(head, name)


def explain(head: bytes, *, name: str = "", size: int = -1) -> str:
    """Return one sentence on why ``sniff`` said ``UNKNOWN``, for the quarantine list."""
    if not head or size == 0:
        return "the file is empty"
    claims_dicom = name.lower().endswith((".dcm", ".dic", ".dicom", ".ima"))
    reasons = (
        (_nifti(head) == "pair", "a NIfTI header whose image is in another file (.hdr/.img pair)"),
        (_nifti(head) == "analyze", "an ANALYZE 7.5 header, a format that is not handled"),
        (head[:3] == b"\x1f\x8b\x08", "a gzip file that holds neither NIfTI nor tar"),
        (head[:3] == b"BZh" or head[:6] == b"\xfd7zXZ\x00", "compressed, but not a tar archive"),
        (head[4:8] == b"ftyp", "a movie or another ISO media file that is not a still image"),
        (head[:2] == b"MZ" or head[:4] == b"\x7fELF", "a program, not an image"),
        (head[:6] == b"7z\xbc\xaf\x27\x1c" or head[:4] == b"Rar!", "an archive that is not read"),
        (head[:8] == b"\x00\x00\x00\x0cjP  ", "a bare JPEG 2000 file, which is not handled"),
        (head[:4] == b"\xff\x4f\xff\x51", "a bare JPEG 2000 codestream, which is not handled"),
        (
            head[:2] == b"\xff\x0a" or head[:8] == b"\x00\x00\x00\x0cJXL ",
            "a bare JPEG XL file, which is not handled",
        ),
        (not head.strip(b"\x00"), "nothing but zeros at the start"),
        (_is_text(head) and claims_dicom, "text under a DICOM file's name"),
        (_is_text(head), "text that is neither a CDA document nor an image sidecar"),
        (claims_dicom, "a DICOM name on bytes that are not DICOM"),
    )
    return next((reason for is_so, reason in reasons if is_so), "a kind of file that is not known")


def _dicom_kind(head: bytes) -> Kind:
    at = head.find(b"\x02\x00\x02\x00UI", 132)
    if at >= 0 and len(head) >= at + 8:
        stop = at + 8 + int.from_bytes(head[at + 6 : at + 8], "little")
        if head[at + 8 : stop].rstrip(b"\x00 ") == _MEDIA_STORAGE_DIRECTORY:
            return Kind.DICOMDIR
    return Kind.DICOM


def _by_signature(head: bytes, _size: int) -> Kind:
    matches = (kind for at, magic, kind in _SIGNATURES if head.startswith(magic, at))
    kind = next(matches, Kind.UNKNOWN)
    if kind is Kind.HEIF:
        return kind if _heif_brands(head) & _HEIF_BRANDS else Kind.UNKNOWN
    return kind if kind is not Kind.WEBP or head[:4] == b"RIFF" else Kind.UNKNOWN


def _by_structure(head: bytes, size: int) -> Kind:
    if _nifti(head) == "single":
        return Kind.NIFTI
    if _is_bmp(head):
        return Kind.BMP
    if _is_bare_dicom(head, size):
        return Kind.DICOM
    if _is_tar(head):
        return Kind.TAR
    inner = _inflate(head)
    if inner and _nifti(inner) == "single" and head[:2] == b"\x1f\x8b":
        return Kind.NIFTI_GZ
    return Kind.TAR if inner and _is_tar(inner) else Kind.UNKNOWN


def _by_text(head: bytes, name: str) -> Kind:
    if head[:3] == b"BZh" and name.lower().endswith(_TAR_NAMES):
        return Kind.TAR
    if head[:1024].find(b"%PDF-") >= 0:  # ISO 32000-1 annex H.3.4.1: readers look this far
        return Kind.PDF
    text = _decode(head)
    if text.startswith("<") and (root := _ROOT.match(text)):
        return Kind.CDA if root.group(1) == "ClinicalDocument" else Kind.UNKNOWN
    if text.startswith("{") and _SIDECAR_KEYS.search(text.encode("utf-8", "replace")):
        return Kind.SIDECAR
    return Kind.UNKNOWN


def _heif_brands(head: bytes) -> set[bytes]:
    stop = min(int.from_bytes(head[:4], "big"), len(head), 512)
    return {head[8:12]} | {head[at : at + 4] for at in range(16, stop - 3, 4)}


def _nifti(head: bytes) -> str:
    """Return ``single``, ``pair``, ``analyze`` or nothing (NIfTI-1 and NIfTI-2 headers)."""
    for order in ("little", "big"):
        length = int.from_bytes(head[:4], "big" if order == "big" else "little")
        if length == 348 and len(head) >= 348:  # noqa: PLR2004 - sizeof_hdr of NIfTI-1
            return {b"n+1\x00": "single", b"ni1\x00": "pair"}.get(head[344:348], "analyze")
        if length == 540 and head[8:12] == b"\r\n\x1a\n":  # noqa: PLR2004 - sizeof_hdr of NIfTI-2
            return {b"n+2\x00": "single", b"ni2\x00": "pair"}.get(head[4:8], "")
    return ""


def _is_bmp(head: bytes) -> bool:
    if head[:2] != b"BM" or len(head) < 26:  # noqa: PLR2004 - the smallest file and core header
        return False
    return int.from_bytes(head[14:18], "little") in (12, 16, 40, 52, 56, 64, 108, 124)


def _is_tar(head: bytes) -> bool:
    """Tell by the header's own checksum, which covers old tars without the ustar mark too."""
    if len(head) < 512 or not head[0]:  # noqa: PLR2004 - a tar block
        return False
    field = head[148:156].strip(b" \x00")
    try:
        claimed = int(field, 8)
    except ValueError:
        return False
    return claimed == sum(head[:148]) + 8 * 0x20 + sum(head[156:512])


def _inflate(head: bytes) -> bytes:
    """Return up to a kilobyte of what a compressed head holds; nothing when it can't be read."""
    try:
        if head[:3] == b"\x1f\x8b\x08":
            return zlib.decompressobj(31).decompress(head, _INFLATED)
        if head[:3] == b"BZh":
            return bz2.BZ2Decompressor().decompress(head, _INFLATED)
        if head[:6] == b"\xfd7zXZ\x00":
            # a dictionary as large as the header claims would be allocated: hence the bound
            return lzma.LZMADecompressor(memlimit=1 << 28).decompress(head, _INFLATED)
    except (zlib.error, OSError, EOFError, lzma.LZMAError):
        pass
    return b""


def _is_bare_dicom(head: bytes, size: int) -> bool:
    """Tell a data set that stands without preamble and ``DICM`` (PS3.10 7.1 is not kept there).

    The first element must be of group 0002 or 0008, and what follows it must be a later element.
    """
    if len(head) < 12:  # noqa: PLR2004 - tag, VR, reserved, length
        return False
    total = size if size >= 0 else len(head)
    return any(_plausible(head, total, order) for order in "<>")


def _plausible(head: bytes, total: int, order: str) -> bool:
    group, element = struct.unpack_from(order + "HH", head)
    if group not in _FIRST_GROUPS or element > 0x2FFF:  # noqa: PLR2004 - above all known elements
        return False
    stop = _element_stop(head, order)
    if stop < 0 or stop > total:
        return False
    if stop + 4 > len(head):
        return stop == total or head[4:6] in _VRS
    after = struct.unpack_from(order + "HH", head, stop)
    return (group, element) < after and after[0] <= 0x7FE0  # noqa: PLR2004 - pixel data's group


def _element_stop(head: bytes, order: str) -> int:
    """Return where the first element ends; -1 when neither explicit nor implicit VR fits."""
    if head[4:6] in _VRS:
        if head[4:6] in _LONG_SET:
            return 12 + int(struct.unpack_from(order + "I", head, 8)[0])
        return 8 + int(struct.unpack_from(order + "H", head, 6)[0])
    length = int(struct.unpack_from(order + "I", head, 4)[0])
    return 8 + length if length < 1 << 20 else -1


def _decode(head: bytes) -> str:
    encoding = "utf-16" if head[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    return head.decode(encoding, "replace").lstrip()


def _is_text(head: bytes) -> bool:
    return not head.translate(None, bytes([9, 10, 12, 13, *range(32, 256)]))
