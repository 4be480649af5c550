"""What is asked of a PDF before a parser may touch it: bounds, encryption, active content."""

import base64
import binascii
import io
import logging
import re
import zlib
from typing import TYPE_CHECKING, Any, Final

from safelight.dicomio.limits import Limits
from safelight.errors import (
    LimitExceededError,
    NeedsReviewError,
    QuarantineError,
    SafelightError,
    UnreadableInputError,
)

if TYPE_CHECKING:
    from pypdf import PdfReader

__all__ = ["check_bounds", "check_structure"]

_STREAM: Final = re.compile(rb"(?<!end)stream\r?\n")
_ENCRYPTED: Final = re.compile(rb"/Encrypt\b(?!Metadata)")
_FILTERS: Final = re.compile(rb"/(?:Filter|F)\s*(\[[^\]]{0,200}\]|/\w{1,30})")
_NAME: Final = re.compile(rb"/(\w+)")
_DICTIONARY: Final = 2048  # bytes before a stream in which its filters are looked for
_PIECE: Final = 1 << 20
_FREE: Final = 64 << 20  # bytes that may unpack whatever the ratio: blank tables pack very well
_PACKED: Final = frozenset({b"FlateDecode", b"Fl", b"LZWDecode", b"LZW", b"RunLengthDecode", b"RL"})
_PICTURE: Final = frozenset(
    {b"DCTDecode", b"DCT", b"JPXDecode", b"JBIG2Decode", b"CCITTFaxDecode", b"CCF"}
)
_EXTRA: Final = frozenset({"/AA", "/OpenAction"})
_ACTIVE: Final = frozenset(
    {"/JavaScript", "/Launch", "/ImportData", "/SubmitForm", "/Rendition", "/RichMediaExecute"}
)


def check_bounds(data: bytes, limits: Limits) -> None:
    """Unpack every stream in pieces, keep none, and stop at the limit.

    Raises:
        UnreadableInputError: These bytes are no PDF.
        QuarantineError: It is encrypted, so that nothing can be counted before it is opened.
        LimitExceededError: The file is too big, or unpacks to too much.
        NeedsReviewError: Streams are packed several times over, which no report needs.
    """
    if b"%PDF-" not in data[:1024]:
        raise UnreadableInputError("it does not begin as a PDF does")
    if len(data) > limits.header_bytes:
        raise LimitExceededError("the document is larger than the limit header_bytes")
    if _ENCRYPTED.search(data):
        raise QuarantineError("it is encrypted", todo="save it without a password and run again")
    most = min(limits.decoded_bytes, max(_FREE, len(data) * limits.ratio))
    total = 0
    for found in _STREAM.finditer(data):
        names = _filters(data[max(0, found.start() - _DICTIONARY) : found.start()])
        total += _unpacked(data, found.end(), names, most - total)
        if total > most:
            raise LimitExceededError("the document unpacks to more than the limit allows")


def _filters(before: bytes) -> list[bytes]:
    """Return the filters of the stream whose dictionary ends here."""
    found = _FILTERS.findall(before[before.rfind(b" obj") :])
    return _NAME.findall(found[-1]) if found else []


def _unpacked(data: bytes, start: int, names: list[bytes], room: int) -> int:
    packed = [name for name in names if name in _PACKED]
    if not packed or any(name in _PICTURE for name in names):
        return 0  # pictures are never decoded here
    if len(packed) > 1 or packed[0] not in (b"FlateDecode", b"Fl"):
        # Old filters have no place in a report of today and can hide what a sum does not see.
        raise NeedsReviewError("its streams are packed in an unusual way")
    if names[0] == packed[0]:
        return _inflated(memoryview(data)[start:], room)
    stop = data.find(b"endstream", start)
    return _inflated(memoryview(_plain(names[0], data[start : stop if stop > 0 else None])), room)


def _plain(name: bytes, text: bytes) -> bytes:
    """Decode the ASCII wrapping around a packed stream."""
    text = re.sub(rb"\s", b"", text)
    try:
        if name in (b"ASCII85Decode", b"A85"):
            return base64.a85decode(text.removeprefix(b"<~").removesuffix(b"~>"))
        return binascii.unhexlify(text.removesuffix(b">"))
    except ValueError as error:
        raise NeedsReviewError("a stream is not packed as it says") from error


def _inflated(packed: memoryview, room: int) -> int:
    unpacker, total, at, waiting = zlib.decompressobj(), 0, 0, b""
    try:
        while total <= room and not unpacker.eof:
            if not waiting:
                waiting = bytes(packed[at : at + _PIECE])
                at += len(waiting)
                if not waiting:
                    break
            total += len(unpacker.decompress(waiting, _PIECE))
            waiting = unpacker.unconsumed_tail
    except zlib.error:
        pass  # damaged: readers take what came before, and so much was counted
    return total


def check_structure(data: bytes) -> tuple[str, ...]:
    """Return what the document carries beside its pages: none of it is carried over.

    Raises:
        QuarantineError: It runs scripts or starts programs.
        NeedsReviewError: It holds files, form fields, or a structure that cannot be followed.
    """
    from pypdf import PdfReader  # noqa: PLC0415 - start-up cost

    logging.getLogger("pypdf").setLevel(logging.CRITICAL + 1)  # its warnings quote the document
    try:
        return _beside_pages(PdfReader(io.BytesIO(data), strict=False))
    except SafelightError:
        raise
    except Exception as error:
        # A parser written for honest files may raise anything on others.
        raise NeedsReviewError("its structure cannot be followed") from error


def _beside_pages(reader: "PdfReader") -> tuple[str, ...]:
    root = _get(reader.trailer, "/Root")
    names = _get(root, "/Names")
    if _get(names, "/JavaScript") or _runs(_get(root, "/OpenAction")) or _runs(_get(root, "/AA")):
        raise QuarantineError("it runs a script when it is opened")
    if _get(names, "/EmbeddedFiles") or _get(root, "/AF") or _get(root, "/Collection"):
        raise NeedsReviewError("it holds other files")
    form = _get(root, "/AcroForm")
    if _get(form, "/XFA") or _get(form, "/Fields"):
        raise NeedsReviewError("it holds form fields, whose text is not on its pages")
    beside = {"outlines": "/Outlines", "XMP metadata": "/Metadata", "structure": "/StructTreeRoot"}
    found = [name for name, key in beside.items() if _get(root, key) is not None]
    if _get(reader.trailer, "/Info") is not None:
        found.append("document information")
    for page in reader.pages:
        if _runs(_get(page, "/AA")):
            raise QuarantineError("it runs a script when a page is opened")
        found += _annotations(_get(page, "/Annots"))
    return tuple(dict.fromkeys(found))


def _annotations(annotations: Any) -> list[str]:
    found = []
    for reference in annotations or ():
        note = reference.get_object()
        kind = _get(note, "/Subtype")
        if any(_runs(_get(note, key)) for key in ("/A", "/AA")):
            raise QuarantineError("a link on a page runs a script or starts a program")
        if kind in ("/FileAttachment", "/RichMedia", "/Movie", "/Sound", "/Screen", "/3D"):
            raise NeedsReviewError("it holds other files")
        if kind == "/Widget":
            raise NeedsReviewError("it holds form fields, whose text is not on its pages")
        found.append("links" if kind == "/Link" else "annotations")
    return found


def _runs(action: Any, depth: int = 0) -> bool:
    """Tell whether an action, or one that follows it, does more than show another place."""
    if not hasattr(action, "keys"):
        return isinstance(action, list) and any(_runs(one.get_object(), 9) for one in action)
    if _get(action, "/S") in _ACTIVE or "/JS" in action:
        return True
    if depth > 8:  # noqa: PLR2004 - a chain that long, or in a circle, is no honest one
        return True
    return any(
        _runs(_get(action, key), depth + 1) for key in action if key not in ("/D", "/SD", "/P")
    )


def _get(holder: Any, key: str) -> Any:
    """Return the value behind a key, references followed; None when it is not there."""
    if not hasattr(holder, "keys") or key not in holder:
        return None
    value = holder[key]
    return value.get_object() if hasattr(value, "get_object") else value
