"""Bad inputs that lie about sizes or cost too much: bombs, nesting, counts, truncation."""

import struct
import zlib
from collections.abc import Iterator

from corpus.bad_base import HEAD, body, el, end, file, meta, pixels, start
from corpus.encode import item

__all__ = ["cases"]

_OPEN_SQ = struct.pack("<HH2s2xL", 0x0008, 0x1111, b"SQ", 0xFFFFFFFF)
_OPEN_ITEM = struct.pack("<HHL", 0xFFFE, 0xE000, 0xFFFFFFFF)
_CLOSE = struct.pack("<HHLHHL", 0xFFFE, 0xE00D, 0, 0xFFFE, 0xE0DD, 0)
_RLE, _DEFLATED = "1.2.840.10008.1.2.5", "1.2.840.10008.1.2.1.99"
_J2K, _JPEG = "1.2.840.10008.1.2.4.90", "1.2.840.10008.1.2.4.50"


def _nested(depth: int) -> bytes:
    return (_OPEN_SQ + _OPEN_ITEM) * depth + _CLOSE * depth


def _nested_defined(depth: int) -> bytes:
    data = el(0x00080060, "CS", "CT")
    for _ in range(depth):
        data = el(0x00081111, "SQ", item(data))
    return data


def _nested_un(depth: int) -> bytes:
    data = el(0x00080060, "CS", "CT", explicit=False)
    for _ in range(depth):
        data = el(0x00081111, "UN", item(data), explicit=False)
    return el(0x00091001, "UN", item(data))


def _deflated(data: bytes, zeros: int) -> bytes:
    packer = zlib.compressobj(9, wbits=-15)
    parts = [packer.compress(data.replace(b"@@NUM@@", b"0900001"))]
    block = bytes(1 << 20)
    parts += [packer.compress(block) for _ in range(zeros >> 20)]
    parts.append(packer.flush())
    return HEAD + meta(_DEFLATED) + b"".join(parts)


def _encapsulated(syntax: str, fragments: bytes) -> bytes:
    image = pixels(data=b"").rsplit(struct.pack("<HH", 0x7FE0, 0x0010), 1)[0]
    head = struct.pack("<HH2s2xL", 0x7FE0, 0x0010, b"OB", 0xFFFFFFFF)
    return HEAD + meta(syntax) + start() + image + head + fragments


def cases(*, small: bool) -> Iterator[tuple[str, bytes | str, str]]:
    """Yield (file name, bytes, expectation)."""
    yield from _nesting_and_counts(small=small)
    yield from _lying_lengths()
    yield from _fragments()
    yield from _pixels_and_deflate(small=small)
    yield from _cuts()


def _nesting_and_counts(*, small: bool) -> Iterator[tuple[str, bytes, str]]:
    yield "nesting-60-undefined.dcm", file(_nested(60)), "withheld"
    yield "nesting-30-undefined.dcm", file(_nested(30)), "output"
    yield "nesting-250-undefined.dcm", file(_nested(250)), "withheld"
    yield "nesting-250-defined.dcm", file(_nested_defined(250)), "withheld"
    yield "nesting-250-un.dcm", file(_nested_un(250)), "either"
    yield "nesting-100000.dcm", file(_nested(100_000)), "withheld"
    yield "nesting-100000-unclosed.dcm", file((_OPEN_SQ + _OPEN_ITEM) * 100_000), "withheld"
    count = 20_000 if small else 1_000_000
    wanted = "either" if small else "withheld"
    yield "million-empty-items.dcm", file(_OPEN_SQ + item(b"") * count + end()), wanted
    many = b"".join(el(0x00091000 + i % 256 + (i // 256 << 16 << 1), "LO", "x") for i in range(200))
    yield "many-private-elements.dcm", file(many * (10 if small else 600)), "either"
    yield "four-million-values.dcm", file(el(0x0018A003, "UT", "1\\" * (count * 4))), "either"
    yield "ds-many-values.dcm", file(el(0x00181100, "UN", b"1\\" * (count * 4))), "either"


def _lying_lengths() -> Iterator[tuple[str, bytes, str]]:
    for vr in ("OB", "UT", "UN", "SQ", "OW"):
        lie = el(0x00091001, vr, b"abcd", length=0xFFFFFFF0)
        yield f"claims-4-gib-{vr}.dcm", HEAD + meta() + start() + lie, "withheld"
    lie = el(0x7FE00010, "OW", bytes(64), length=0xFFFFFFFE)
    yield "claims-4-gib-pixels.dcm", HEAD + meta() + start() + lie, "withheld"
    yield (
        "short-vr-past-end.dcm",
        HEAD + meta() + start() + el(0x00104000, "LT", b"ab", length=60000),
        "withheld",
    )
    yield (
        "meta-length-huge.dcm",
        HEAD + el(0x00020000, "UL", struct.pack("<L", 0x7FFFFFFF)) + meta()[12:] + body(),
        "either",
    )
    yield (
        "meta-length-zero.dcm",
        HEAD + el(0x00020000, "UL", bytes(4)) + meta()[12:] + body(),
        "either",
    )
    yield (
        "sequence-longer-than-file.dcm",
        HEAD + meta() + start() + el(0x00081111, "SQ", item(b""), length=5000),
        "withheld",
    )
    yield (
        "item-longer-than-sequence.dcm",
        file(el(0x00209111, "SQ", item(b"", length=400))),
        "either",
    )
    yield "sequence-never-closed.dcm", HEAD + meta() + start() + _OPEN_SQ + _OPEN_ITEM, "withheld"


def _fragments() -> Iterator[tuple[str, bytes, str]]:
    frame = item(b"") + item(b"\xff\xd8\xff\xd9")
    yield (
        "fragment-past-end.dcm",
        _encapsulated(_JPEG, item(b"") + item(b"\xff\xd8", length=1 << 20)),
        "withheld",
    )
    yield "fragments-never-closed.dcm", _encapsulated(_JPEG, frame), "either"
    yield (
        "fragment-claims-4-gib.dcm",
        _encapsulated(_JPEG, item(b"") + item(b"\xff\xd8", length=0xFFFFFFF0)),
        "withheld",
    )
    yield (
        "fragments-with-other-tags.dcm",
        _encapsulated(_JPEG, frame + el(0x00104000, "LT", "abcd") + end()),
        "either",
    )
    yield (
        "offset-table-past-end.dcm",
        _encapsulated(_JPEG, item(b"\xff\xff\xff\x7f") + frame[8:] + end()),
        "either",
    )
    yield (
        "rle-segments-past-end.dcm",
        _encapsulated(_RLE, item(b"") + item(b"\xff" * 64) + end()),
        "either",
    )
    yield (
        "jpeg-2000-cut.dcm",
        _encapsulated(_J2K, item(b"") + item(b"\xff\x4f\xff\x51\xff\xff") + end()),
        "either",
    )


def _pixels_and_deflate(*, small: bool) -> Iterator[tuple[str, bytes, str]]:
    huge = pixels(rows=65500, columns=65500)
    yield "rows-65500-squared.dcm", HEAD + meta() + start() + huge, "either"
    yield "frames-2-billion.dcm", file(el(0x00280008, "IS", "2147483647")), "either"
    yield "frames-negative.dcm", file(el(0x00280008, "IS", "-5")), "either"
    size = (8 if small else 1024) << 20
    yield (
        "deflate-bomb.dcm",
        _deflated(body(el(0x00271001, "OB", b"", length=size)), size),
        "withheld",
    )
    yield "deflate-cut.dcm", _deflated(body(), 1 << 20)[:-200], "withheld"
    yield "deflate-nonsense.dcm", HEAD + meta(_DEFLATED) + b"\xff" * 500, "withheld"


def _cuts() -> Iterator[tuple[str, bytes, str]]:
    whole = file(el(0x00204000, "LT", "No acute abnormality. " * 30))
    for at in (0, 1, 4, 100, 128, 131, 132, 136, 150, 200, 290, 340, 420, 600, 700, 1000, 1300):
        yield f"cut-at-{at}.dcm", whole[:at], "withheld"
    for back in (1, 2, 33, 63, 66):
        yield f"cut-before-end-{back}.dcm", whole[:-back], "withheld"
