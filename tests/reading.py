"""A file as pydicom reads it, element by element: tag, VR, raw value or items."""

import io
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pydicom
from pydicom.dataelem import RawDataElement
from pydicom.filereader import data_element_generator

from safelight.dicomio.dictionary import lookup

DEFLATED = "1.2.840.10008.1.2.1.99"


@dataclass(frozen=True)
class Node:
    """One element as read: its value as bytes, or its items."""

    tag: int
    vr: str
    value: bytes | None
    items: tuple[tuple["Node", ...], ...] = ()


def read(data: bytes) -> tuple[Any, tuple[Node, ...]]:
    """Return the file meta information and the elements of a file, in file order."""
    meta = pydicom.dcmread(io.BytesIO(data), specific_tags=[]).file_meta
    start = 132 + 12 + int(meta.FileMetaInformationGroupLength)
    syntax = meta.TransferSyntaxUID
    body = data[start:]
    if syntax == DEFLATED:
        body = zlib.decompress(body, -zlib.MAX_WBITS)
    return meta, tuple(nodes(body, syntax.is_implicit_VR, syntax.is_little_endian))


def nodes(body: bytes, implicit: bool, little: bool) -> Iterator[Node]:  # noqa: FBT001 - as pydicom
    """Yield the elements of an encoded data set."""
    file = io.BytesIO(body)
    start = 0
    for raw in data_element_generator(file, implicit, little):
        yield _node(raw, body[start : file.tell()], implicit, little)
        start = file.tell()


def _node(raw: Any, encoded: bytes, implicit: bool, little: bool) -> Node:  # noqa: FBT001 - as pydicom
    tag = int(raw.tag)
    entry = lookup(tag)
    if not isinstance(raw, RawDataElement):  # a sequence of undefined length
        unknown = encoded[4:6] == b"UN" and not implicit
        content = encoded[8:] if implicit else encoded[12:]
        return Node(tag, "SQ", None, tuple(_items(content, implicit or unknown, little)))
    vr = raw.VR or ""
    value = raw.value or b""
    sequence = entry is not None and entry.vr == "SQ" and not tag & 0x10000
    if vr == "SQ" or (sequence and vr in ("", "UN")):
        inside = (True, True) if vr == "UN" else (implicit, little)
        return Node(tag, "SQ", None, tuple(_items(value, *inside)))
    return Node(tag, vr, value)


def _items(content: bytes, implicit: bool, little: bool) -> Iterator[tuple[Node, ...]]:  # noqa: FBT001 - as pydicom
    order = "little" if little else "big"
    file = io.BytesIO(content)
    while len(head := file.read(8)) == 8 and head[2:4] not in (b"\xdd\xe0", b"\xe0\xdd"):
        length = int.from_bytes(head[4:], order)
        start = file.tell()
        if length == 0xFFFFFFFF:
            for _ in data_element_generator(file, implicit, little):
                pass  # ends behind the item delimiter
            length = file.tell() - start - 8
        else:
            file.seek(length, io.SEEK_CUR)
        yield tuple(nodes(content[start : start + length], implicit, little))


def differences(found: tuple[Node, ...], wanted: tuple[Node, ...], at: str = "") -> list[str]:
    """Return what differs between two readings, one line an element; empty when nothing does."""
    a, b = ({node.tag: node for node in side} for side in (found, wanted))
    lines = []
    for tag in sorted(a.keys() | b.keys()):
        here = f"{at}({tag >> 16:04X},{tag & 0xFFFF:04X})"
        one, two = a.get(tag), b.get(tag)
        if one is None or two is None:
            lines.append(f"{here} {'missing' if one is None else 'left'}: {one or two}")
        elif (one.vr, one.value, len(one.items)) != (two.vr, two.value, len(two.items)):
            lines.append(f"{here} is {one}, should be {two}")
        for number, (x, y) in enumerate(
            zip(one.items, two.items, strict=False) if one and two else ()
        ):
            lines += differences(x, y, f"{here}[{number}].")
    return lines
