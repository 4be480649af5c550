"""Encoding of data sets element by element, so that hostile bytes can be spliced between them."""

import io
import struct
import zlib
from collections.abc import Sequence

from pydicom.charset import convert_encodings
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_data_element, write_dataset, write_file_meta_info

__all__ = ["assemble", "dataset_bytes", "element", "item", "meta_bytes"]

_LONG = {"OB", "OD", "OF", "OL", "OV", "OW", "SQ", "SV", "UC", "UN", "UR", "UT", "UV"}
DEFLATED = "1.2.840.10008.1.2.1.99"


def _buffer(*, explicit: bool, little: bool) -> DicomBytesIO:
    out = DicomBytesIO()
    out.is_implicit_VR = not explicit
    out.is_little_endian = little
    return out


def element(
    tag: int,
    vr: str,
    value: bytes,
    *,
    explicit: bool,
    little: bool = True,
    length: int | None = None,
) -> bytes:
    """Return one encoded element; ``length`` overrides the true length on purpose."""
    order = "<" if little else ">"
    size = len(value) if length is None else length
    head = struct.pack(order + "HH", tag >> 16, tag & 0xFFFF)
    if not explicit:
        return head + struct.pack(order + "L", size) + value
    if vr in _LONG:
        return head + vr.encode() + b"\0\0" + struct.pack(order + "L", size) + value
    return head + vr.encode() + struct.pack(order + "H", size & 0xFFFF) + value


def item(value: bytes, *, little: bool = True, length: int | None = None) -> bytes:
    """Return one item of a sequence or of encapsulated pixel data."""
    order = "<" if little else ">"
    size = len(value) if length is None else length
    return struct.pack(order + "HHL", 0xFFFE, 0xE000, size) + value


def dataset_bytes(ds: Dataset, *, explicit: bool, little: bool = True) -> bytes:
    """Return the encoded data set, without preamble or meta."""
    out = _buffer(explicit=explicit, little=little)
    write_dataset(out, ds)
    return bytes(out.getvalue())


def meta_bytes(meta: FileMetaDataset) -> bytes:
    """Return the file meta group with its group length."""
    out = io.BytesIO()
    buffer = DicomBytesIO()
    buffer.is_implicit_VR = False
    buffer.is_little_endian = True
    write_file_meta_info(buffer, meta, enforce_standard=False)
    out.write(buffer.getvalue())
    return out.getvalue()


def assemble(
    ds: Dataset,
    *,
    explicit: bool,
    little: bool,
    raw: Sequence[tuple[int, bytes]] = (),
) -> bytes:
    """Return the encoded data set with ``raw`` encoded elements spliced in at their tags."""
    charset = ds.get("SpecificCharacterSet", "ISO_IR 6")
    encodings = convert_encodings(charset)
    pieces: list[tuple[int, int, bytes]] = []
    for tag in sorted(ds.keys()):
        out = _buffer(explicit=explicit, little=little)
        write_data_element(out, ds[tag], encodings)
        pieces.append((int(tag), 1, bytes(out.getvalue())))
    pieces.extend((tag, 0, data) for tag, data in raw)
    pieces.sort(key=lambda piece: piece[:2])
    return b"".join(data for _, _, data in pieces)


def deflate(data: bytes) -> bytes:
    """Return ``data`` as a raw deflate stream of even length (PS3.5 A.5)."""
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    packed = packer.compress(data) + packer.flush()
    return packed + b"\0" * (len(packed) % 2)
