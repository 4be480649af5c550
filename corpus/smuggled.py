"""A marker in every corner of an otherwise good file: it comes out without, or not at all."""

import struct
import zlib
from collections.abc import Iterator

from corpus.bad_base import HEAD, body, el, end, file, meta, pixels, start
from corpus.encode import item
from corpus.hostile import MARKER

__all__ = ["cases"]

_M = MARKER.encode()
_DEFLATED, _JPEG = "1.2.840.10008.1.2.1.99", "1.2.840.10008.1.2.4.50"


def _sequence(inner: bytes, *, undefined: bool = True) -> bytes:
    if undefined:
        return el(0x00209111, "SQ", inner + end(), length=0xFFFFFFFF)
    return el(0x00209111, "SQ", inner)


def _encapsulated(fragments: bytes) -> bytes:
    image = pixels(data=b"").rsplit(struct.pack("<HH", 0x7FE0, 0x0010), 1)[0]
    head = struct.pack("<HH2s2xL", 0x7FE0, 0x0010, b"OB", 0xFFFFFFFF)
    return HEAD + meta(_JPEG) + start() + image + head + fragments


def _delimiter(tag: int) -> bytes:
    return struct.pack("<HHL", 0xFFFE, tag, len(_M)) + _M


def _structure() -> Iterator[tuple[str, bytes, str]]:
    """Yield what hides between and behind elements."""
    good, inner = file(), el(0x00080060, "CS", "CT")
    yield "preamble", file(preamble=_M), "output"
    yield "padding-element", file(tail=el(0xFFFCFFFC, "OB", _M)), "output"
    yield "after-the-end", file(tail=_M), "either"
    yield "after-the-end-zeros", file(tail=bytes(64) + _M), "either"
    yield "second-file-behind", good + file(el(0x00204000, "LT", _M)), "either"
    yield "group-length", file(el(0x00280000, "UL", _M)), "either"
    yield (
        "item-delimiter",
        file(_sequence(item(inner, length=0xFFFFFFFF) + _delimiter(0xE00D))),
        "either",
    )
    yield (
        "sequence-delimiter",
        file(el(0x00209111, "SQ", item(inner) + _delimiter(0xE0DD), length=0xFFFFFFFF)),
        "either",
    )
    yield (
        "between-items",
        file(_sequence(item(inner) + _M + item(inner), undefined=False)),
        "either",
    )
    yield "behind-items", file(_sequence(item(inner) + _M, undefined=False)), "either"
    yield "delimiter-at-top", HEAD + meta() + start() + _delimiter(0xE00D) + pixels(), "either"
    yield "item-at-top", HEAD + meta() + start() + item(_M) + pixels(), "either"
    yield "command-group", HEAD + meta() + el(0x00000110, "LO", _M) + body(), "either"
    yield "group-0001", HEAD + meta() + el(0x00010010, "LO", _M) + body(), "either"
    yield "group-0003", HEAD + meta() + el(0x00030010, "LO", _M) + body(), "either"
    yield "group-0007-private", HEAD + meta() + el(0x00070010, "LO", _M) + body(), "either"
    yield "group-ffff", file(tail=el(0xFFFF0010, "LO", _M)), "either"
    yield "deflate-trailing", _deflate_tail(), "either"
    yield (
        "element-twice",
        file(el(0x00204000, "LT", "No change") + el(0x00204000, "LT", _M)),
        "either",
    )
    yield "element-zero", file(el(0x00180000 + 0xFFFF, "LO", _M)), "output"


def _deflate_tail() -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return (
        HEAD
        + meta(_DEFLATED)
        + packer.compress(body().replace(b"@@NUM@@", b"0900002"))
        + packer.flush()
        + _M
    )


def _values() -> Iterator[tuple[str, bytes, str]]:
    """Yield what hides in values and in the meta group."""
    yield "private", file(el(0x00290010, "LO", "ACME") + el(0x00291001, "OB", _M)), "output"
    yield "private-creator", file(el(0x00290010, "LO", _M)), "output"
    yield "private-utf-16", file(el(0x00291001, "UN", MARKER.encode("utf-16-le"))), "output"
    yield (
        "meta-private",
        HEAD + meta(extra=el(0x00020100, "UI", "1.2.3") + el(0x00020102, "OB", _M)) + body(),
        "output",
    )
    yield "meta-ae", HEAD + meta(extra=el(0x00020016, "AE", MARKER)) + body(), "output"
    yield "meta-unknown", HEAD + meta(extra=el(0x00020777, "LO", MARKER)) + body(), "either"
    yield "meta-beyond-its-length", HEAD + meta() + el(0x00020102, "OB", _M) + body(), "either"
    yield "meta-syntax-after-nul", HEAD + meta("1.2.840.10008.1.2.1\0" + MARKER) + body(), "either"
    yield "unknown-public-un", file(el(0x00209F99, "UN", _M)), "output"
    yield "unknown-public-ob", file(el(0x00209F99, "OB", _M)), "output"
    yield "known-as-un", file(el(0x00204000, "UN", _M)), "output"
    yield from _odd_values()


def _odd_values() -> Iterator[tuple[str, bytes, str]]:
    """Yield text in values that should hold none, and in odd parts of others."""
    yield "us-of-text", file(el(0x00280106, "US", _M)), "either"
    yield "at-of-text", file(el(0x00280009, "AT", _M + b"  ")), "either"
    yield "fd-of-text", file(el(0x00189087, "FD", _M + b"  ")), "either"
    yield "ow-of-text", file(el(0x00281201, "OW", _M)), "either"
    yield "of-of-text", file(el(0x00660016, "OF", _M + b"  ")), "either"
    yield "ui-of-text", file(el(0x00200052, "UI", _M)), "output"
    yield "da-of-text", file(el(0x00200012 + 0x00080000, "DA", _M)), "output"
    yield "ds-whitespace", file(el(0x00201041, "DS", b"1.5" + b" " * 50 + _M + b" ")), "output"
    yield "lo-after-nul", file(el(0x00181030, "LO", b"HEAD\0\0" + _M)), "output"
    yield "lo-backspaces", file(el(0x00181030, "LO", b"HEAD" + _M + b"\b" * 14)), "output"
    yield "pn-four-groups", file(el(0x00321032, "PN", f"A^B=C^D=E^F={MARKER}^X")), "output"
    yield (
        "uid-root-text",
        file(el(0x00081155 + 0x00180000 - 0x1155 + 0x1002, "UI", f"1.2.{MARKER}")),
        "output",
    )
    yield "overlay-bits", file(tail=b"").replace(pixels(), _overlay() + pixels()), "output"
    yield "icon", file(el(0x00880200, "SQ", item(el(0x7FE00010, "OB", _M)))), "output"
    yield (
        "curve",
        file().replace(pixels(), pixels()[:-76] + el(0x50000022, "LO", MARKER) + pixels()[-76:]),
        "output",
    )
    yield "encrypted", file(el(0x04000500, "SQ", item(el(0x04000520, "OB", _M)))), "either"
    yield "signature", file(tail=el(0xFFFAFFFA, "SQ", item(el(0x04000120, "OB", _M)))), "output"
    yield (
        "un-sequence",
        file(el(0x00209111, "UN", item(el(0x00104000, "LT", MARKER, explicit=False)))),
        "output",
    )
    yield (
        "un-in-un",
        file(
            el(
                0x00209111,
                "UN",
                item(
                    el(
                        0x00091001,
                        "UN",
                        item(el(0x00104000, "LT", MARKER, explicit=False)),
                        explicit=False,
                    )
                ),
            )
        ),
        "output",
    )


def _overlay() -> bytes:
    return el(0x60003000, "OW", _M + bytes(2))


def _pixels() -> Iterator[tuple[str, bytes, str]]:
    """Yield what hides in and around pixel data."""
    frame = b"\xff\xd8\xff\xfe" + struct.pack(">H", len(_M) + 2) + _M + b"\xff\xd9"
    empty = item(b"")
    yield "pixels-unused-bytes", HEAD + meta() + start() + pixels(data=bytes(64) + _M), "either"
    yield "jpeg-comment", _encapsulated(empty + item(frame) + end()), "either"
    yield "jpeg-after-end", _encapsulated(empty + item(b"\xff\xd8\xff\xd9" + _M) + end()), "either"
    yield (
        "offset-table",
        _encapsulated(item(_M + b"  ") + item(b"\xff\xd8\xff\xd9") + end()),
        "either",
    )
    yield (
        "extra-fragment",
        _encapsulated(empty + item(b"\xff\xd8\xff\xd9") + item(_M) + end()),
        "either",
    )
    yield (
        "fragment-delimiter",
        _encapsulated(empty + item(b"\xff\xd8\xff\xd9") + _delimiter(0xE0DD)),
        "either",
    )
    yield "float-pixels", file(el(0x7FE00008, "OF", _M + b"  ")), "either"
    yield "pixels-in-item", file(el(0x00209111, "SQ", item(el(0x7FE00010, "OW", _M)))), "either"


def cases() -> Iterator[tuple[str, bytes | str, str]]:
    """Yield (file name, bytes, expectation)."""
    for group in (_structure(), _values(), _pixels()):
        for name, data, expect in group:
            yield f"smuggled-{name}.dcm", data, expect
