"""A plain writer of DICOM for tests: elements as they are given, in any encoding.

As simple as the tables of PS3.5 section 7, so that it can also write what a decent library refuses:
odd lengths, tags out of order or twice, wrong value representations.
"""

import zlib
from dataclasses import dataclass

from safelight.dicomio.envelope import write_meta

EXPLICIT_LITTLE = "1.2.840.10008.1.2.1"
IMPLICIT_LITTLE = "1.2.840.10008.1.2"
EXPLICIT_BIG = "1.2.840.10008.1.2.2"
DEFLATED = "1.2.840.10008.1.2.1.99"
RLE = "1.2.840.10008.1.2.5"
SYNTAXES = (EXPLICIT_LITTLE, IMPLICIT_LITTLE, EXPLICIT_BIG, DEFLATED, RLE)
CT = "1.2.840.10008.5.1.4.1.1.2"
MR = "1.2.840.10008.5.1.4.1.1.4"
SECONDARY = "1.2.840.10008.5.1.4.1.1.7"
REPORT = "1.2.840.10008.5.1.4.1.1.88.33"
PLAN = "1.2.840.10008.5.1.4.1.1.481.5"
ECG = "1.2.840.10008.5.1.4.1.1.9.1.1"
IMAGES = (CT, MR, SECONDARY)
OTHERS = (REPORT, PLAN, ECG)

LONG = frozenset(("OB", "OD", "OF", "OL", "OV", "OW", "SQ", "SV", "UC", "UN", "UR", "UT", "UV"))
Items = tuple[tuple["Made", ...], ...]


@dataclass(frozen=True, slots=True)
class Made:
    """One element to be written.

    Attributes:
        tag: Group in the upper 16 bits.
        vr: What is written in explicit VR.
        value: Encoded bytes, or items.
        undefined: A sequence, and its items, of undefined length.
    """

    tag: int
    vr: str
    value: bytes | Items
    undefined: bool = False


def encode(elements: tuple[Made, ...], *, implicit: bool = False, big: bool = False) -> bytes:
    """Return a data set in the order given, without correcting anything."""
    return b"".join(_element(each, implicit, big) for each in elements)


def _element(made: Made, implicit: bool, big: bool) -> bytes:  # noqa: FBT001 - two axes of PS3.5
    order = "big" if big else "little"
    head = (made.tag >> 16).to_bytes(2, order) + (made.tag & 0xFFFF).to_bytes(2, order)
    unknown = made.vr == "UN"
    if isinstance(made.value, bytes):
        value = made.value
    else:
        inside = (True, False) if unknown else (implicit, big)
        value = b"".join(_item(each, made.undefined, *inside) for each in made.value)
    length = len(value).to_bytes(4, order)
    if made.undefined:
        length = b"\xff\xff\xff\xff"
        value += _mark(0xE0DD, 0, big=big and not unknown)
    if implicit:
        return head + length + value
    if made.vr in LONG:
        return head + made.vr.encode() + b"\0\0" + length + value
    return head + made.vr.encode() + len(value).to_bytes(2, order) + value


def _item(content: tuple[Made, ...], undefined: bool, implicit: bool, big: bool) -> bytes:  # noqa: FBT001 - as above
    body = encode(content, implicit=implicit, big=big)
    if undefined:
        return _mark(0xE000, 0xFFFFFFFF, big=big) + body + _mark(0xE00D, 0, big=big)
    return _mark(0xE000, len(body), big=big) + body


def _mark(element: int, length: int, *, big: bool) -> bytes:
    order = "big" if big else "little"
    return b"".join(
        (
            (0xFFFE).to_bytes(2, order),
            element.to_bytes(2, order),
            length.to_bytes(4, order),
        )
    )


@dataclass(frozen=True, slots=True)
class File:
    """A whole object to be written.

    Attributes:
        elements: In file order, pixel data among them.
        syntax: Transfer Syntax UID.
    """

    elements: tuple[Made, ...]
    syntax: str

    def data(self) -> bytes:
        """Return the file."""
        body = encode(
            self.elements,
            implicit=self.syntax == IMPLICIT_LITTLE,
            big=self.syntax == EXPLICIT_BIG,
        )
        if self.syntax == DEFLATED:
            packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
            body = packer.compress(body) + packer.flush()
            body += b"\0" * (len(body) % 2)
        meta = write_meta(
            syntax=self.syntax, sop_class=self.text(0x00080016), sop_uid="1.2.3", version="ROE 1"
        )
        return meta + body

    def text(self, tag: int) -> str:
        """Return a top-level value as ASCII."""
        found = next((e.value for e in self.elements if e.tag == tag), b"")
        return found.decode("ascii", "replace").strip(" \0") if isinstance(found, bytes) else ""


def even(text: str, codec: str = "ascii") -> bytes:
    """Return encoded text, padded by a space."""
    raw = text.encode(codec, "replace")
    return raw + b" " * (len(raw) % 2)


def uid(text: str) -> bytes:
    """Return an encoded UID, padded by a zero byte."""
    return text.encode() + b"\0" * (len(text) % 2)


def charset(term: str) -> Made:
    """Return Specific Character Set."""
    return Made(0x00080005, "CS", even(term))


def rle_frame(pixels: bytes) -> bytes:
    """Return one frame in RLE (PS3.5 Annex G): a single segment of literal runs."""
    packed = b"".join(
        bytes((len(run) - 1,)) + run
        for run in (pixels[at : at + 128] for at in range(0, len(pixels), 128))
    )
    packed += b"\x80" if len(packed) % 2 else b""
    return (1).to_bytes(4, "little") + (64).to_bytes(4, "little") + bytes(56) + packed


def fragments(*values: bytes) -> bytes:
    """Return encapsulated fragments, the offset table first, without the delimiter."""
    return b"".join(b"\xfe\xff\x00\xe0" + len(v).to_bytes(4, "little") + v for v in values)
