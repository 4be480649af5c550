"""Reading of an output in every way a curious person would: decoded, inflated, unpacked."""

import base64
import binascii
import html
import io
import logging
import re
import urllib.parse
import warnings
import zlib
from dataclasses import dataclass, field
from typing import Any

import pydicom
from pydicom.dataset import Dataset

__all__ = ["View", "resolve", "view"]

_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{16,}={0,2}")
_LIMIT = 64 << 20


@dataclass(slots=True)
class View:
    """One file, as read.

    Attributes:
        ds: The data set, or None when it is no DICOM file.
        texts: (place, text) of every element at any depth.
        streams: (place, bytes) of what was unpacked: deflate, PDF streams.
    """

    data: bytes
    ds: Dataset | None = None
    texts: list[tuple[str, str]] = field(default_factory=list)
    streams: list[tuple[str, bytes]] = field(default_factory=list)


def view(data: bytes) -> View:
    """Return all readings of ``data``."""
    seen = View(data=data)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if data[128:132] == b"DICM":
            try:
                seen.ds = pydicom.dcmread(io.BytesIO(data), force=True)
            except Exception:  # noqa: BLE001 - unreadable outputs are still searched as bytes
                seen.ds = None
        if seen.ds is not None:
            _inflated(seen)
            for part in (seen.ds.file_meta, seen.ds):
                _texts(part, "", seen, 0)
            document = seen.ds.get(0x00420011)
            if document is not None and isinstance(document.value, bytes):
                _document(seen, document.value)
        elif data[:5] == b"%PDF-":
            _document(seen, data)
    for place, text in list(seen.texts):
        seen.texts.extend((place, other) for other in _readings(text))
    return seen


def _inflated(seen: View) -> None:
    meta = getattr(seen.ds, "file_meta", None)
    if meta is None or meta.get("TransferSyntaxUID") != "1.2.840.10008.1.2.1.99":
        return
    stop = 132 + 12 + int(meta.get("FileMetaInformationGroupLength", 0) or 0)
    try:
        packer = zlib.decompressobj(-zlib.MAX_WBITS)
        seen.streams.append(("inflated", packer.decompress(seen.data[stop:], _LIMIT)))
        seen.streams.append(("after-deflate", packer.unused_data))
    except zlib.error:
        seen.streams.append(("inflated", b""))


def _texts(ds: Dataset, prefix: str, seen: View, depth: int) -> None:
    if depth > 70:
        return
    for tag in list(ds.keys()):
        place = f"{prefix}{int(tag):08X}"
        try:
            elem = ds[tag]
            value = elem.value
        except Exception:  # noqa: BLE001 - a value that cannot be decoded is read as bytes
            value = getattr(ds.get_item(tag), "value", None)
            elem = None
        if elem is not None and elem.VR == "SQ":
            for i, item in enumerate(value or []):
                _texts(item, f"{place}/{i}/", seen, depth + 1)
        elif isinstance(value, bytes):
            if len(value) <= 65536:
                seen.texts.append((place, value.decode("latin-1")))
                seen.texts.append((place, value.replace(b"\0", b"").decode("utf-8", "ignore")))
            if value[:1] == b"\x78" or value[:2] == b"\x1f\x8b":
                _unpack(seen, place, value)
        elif value is not None:
            many = (
                value if isinstance(value, (list, tuple)) or hasattr(value, "append") else [value]
            )
            seen.texts.append((place, "\\".join(str(one) for one in many)))


def _unpack(seen: View, place: str, value: bytes) -> None:
    try:
        seen.streams.append((place, zlib.decompressobj(47).decompress(value, _LIMIT)))
    except zlib.error:
        return


def _document(seen: View, data: bytes) -> None:
    """Add text, metadata and streams of a PDF, or the text of XML."""
    place = "00420011"
    if data[:5] != b"%PDF-":
        seen.texts.append((place, data.decode("utf-8", "replace")))
        return
    from pypdf import PdfReader  # noqa: PLC0415 - few files hold one

    logging.getLogger("pypdf").setLevel(logging.CRITICAL)
    try:
        reader = PdfReader(io.BytesIO(data))
        seen.texts.extend((place, page.extract_text()) for page in reader.pages)
        seen.texts.append((place, str(dict(reader.metadata or {}))))
        for number in range(1, len(reader.xref.get(0, {})) + 2):
            one: Any = reader.get_object(number)
            seen.texts.append((place, str(one)))
            if hasattr(one, "get_data"):
                seen.streams.append((place, one.get_data()))
    except Exception:  # noqa: BLE001 - a broken PDF is still searched as bytes
        seen.texts.append((place, ""))


def _readings(text: str) -> list[str]:
    """Return what ``text`` says under base64, mistaken charsets, entities and percent-encoding."""
    found = []
    for match in _BASE64.finditer(text[:65536]):
        run = match.group().replace("-", "+").replace("_", "/").rstrip("=")
        try:
            found.append(base64.b64decode(run + "=" * (-len(run) % 4)).decode("latin-1"))
        except (binascii.Error, ValueError):
            continue
    if not text.isascii():
        for codec in ("latin-1", "iso8859-5", "iso8859-7", "gb18030", "euc_jp", "euc_kr"):
            try:  # UTF-8 that was read under another character set
                found.append(text.encode(codec).decode("utf-8"))
            except UnicodeError:
                continue
    if "&" in text:
        found.append(html.unescape(text))
    if "%" in text:
        found.append(urllib.parse.unquote(text))
    return found


def resolve(ds: Dataset, place: str) -> Any:
    """Return the value at ``place`` (``00081111/0/00081155``), or None."""
    at: Any = ds
    for part in place.split("/"):
        if len(part) == 8:
            elem = at.get(int(part, 16)) if isinstance(at, Dataset) else None
            if elem is None:
                return None
            at = elem.value
        else:
            if at is None or int(part) >= len(at):
                return None
            at = at[int(part)]
    return at
