"""Pixel data on its way through: no pixel touched, every corner emptied."""

import io
from pathlib import Path

import numpy as np
import pydicom
import pytest

import made
from made import Made, fragments, rle_frame
from safelight.deid.parts import chunks
from safelight.deid.pixelcopy import Geometry, PixelCopier
from safelight.dicomio.limits import Limits
from safelight.dicomio.walker import Budget, Walker
from safelight.errors import LimitExceededError, NeedsReviewError, UnreadableInputError

LITTLE = Walker(implicit=False, big=False)
BIG = Walker(implicit=False, big=True)
IMPLICIT = Walker(implicit=True, big=False)
GREY = {"rows": 2, "columns": 3, "samples": 1, "bits": 8, "frames": 1, "photometric": "MONOCHROME2"}
FRAME = rle_frame(b"123456")
TABLE = b"\0\0\0\0"


def copied(
    made_pixels: Made,
    *,
    walker: Walker = LITTLE,
    syntax: str = made.EXPLICIT_LITTLE,
    limits: Limits | None = None,
    path: str = "",
    **geometry: object,
) -> tuple[bytes, list[str]]:
    """Return the element as copied, and what was emptied."""
    data = made.encode((made_pixels,), implicit=walker.implicit, big=walker.big)
    limits = limits or Limits()
    [element] = walker.elements(data, 0, len(data), Budget(Limits()))
    if path:
        Path(path).write_bytes(data)
    shape = Geometry(**(GREY | geometry))
    parts, entries = PixelCopier(data, path, walker, syntax, shape, limits).copy(element)
    return b"".join(bytes(c) for p in parts for c in chunks(p)), [each[1] for each in entries]


def native(value: bytes, vr: str = "OW") -> Made:
    return Made(0x7FE00010, vr, value)


def encapsulated(*values: bytes) -> Made:
    return Made(0x7FE00010, "OB", fragments(*values), undefined=True)


@pytest.mark.parametrize("walker", [LITTLE, BIG, IMPLICIT])
@pytest.mark.parametrize("streamed", [True, False])
def test_native_pixels_are_untouched(tmp_path: Path, walker: Walker, *, streamed: bool) -> None:
    path = str(tmp_path / "input") if streamed else ""
    out, emptied = copied(native(b"123456"), walker=walker, path=path)
    assert out == made.encode((native(b"123456"),), implicit=walker.implicit, big=walker.big)
    assert emptied == []


@pytest.mark.parametrize("excess", [b"\0\0", b"ROE^RICHARD.", bytes(4000)])
def test_bytes_after_the_last_pixel_go(excess: bytes) -> None:
    out, emptied = copied(native(b"123456" + excess))
    assert out == made.encode((native(b"123456"),))
    assert emptied == ["bytes after the last pixel"] * any(excess)


def test_the_padding_byte_is_zero() -> None:
    assert copied(native(b"12345X"), rows=1, columns=5)[0][-6:] == b"12345\0"
    swapped = copied(native(b"1234X5"), walker=BIG, rows=1, columns=5)[0]
    assert swapped[-1:] == b"5"  # in big endian words the padding stands before the last byte


def test_less_than_promised_goes_to_review() -> None:
    with pytest.raises(NeedsReviewError, match="less pixel data"):
        copied(native(b"1234"))
    with pytest.raises(NeedsReviewError):
        copied(native(b"123456"), frames=10**12)


@pytest.mark.parametrize(
    ("length", "geometry"),
    [
        (12, {"bits": 16}), (18, {"samples": 3, "photometric": "RGB"}), (1, {"bits": 1}),
        (12, {"samples": 3, "photometric": "YBR_FULL_422"}), (60, {"frames": 10}),
    ],
)  # fmt: skip
def test_the_length_that_a_header_promises(length: int, geometry: dict[str, object]) -> None:
    shape = Geometry(**(GREY | geometry))
    assert shape.native_bytes() == length
    even = bytes(range(1, length + 1)) + b"\0" * (length % 2)
    out, emptied = copied(native(even + b"ROE "), **geometry)
    assert out == made.encode((native(even),))
    assert emptied == ["bytes after the last pixel"]


def test_a_strange_vr() -> None:
    with pytest.raises(UnreadableInputError, match="strange VR"):
        copied(native(b"123456", "LO"))


@pytest.mark.parametrize("table", [b"", TABLE])
def test_fragments_are_untouched(table: bytes) -> None:
    pixels = encapsulated(table, FRAME)
    out, emptied = copied(pixels, syntax=made.RLE)
    assert out == made.encode((pixels,))
    assert emptied == []


def test_an_offset_table_that_points_into_frames() -> None:
    table = b"".join(at.to_bytes(4, "little") for at in (0, len(FRAME) + 8))
    pixels = encapsulated(table, FRAME, FRAME)
    assert copied(pixels, syntax=made.RLE, frames=2) == (made.encode((pixels,)), [])


@pytest.mark.parametrize("table", [b"DOE^", b"DOE^JANE", b"\1\0\0\0", TABLE + b"ROE ", b"ab"])
def test_an_offset_table_that_points_nowhere(table: bytes) -> None:
    out, emptied = copied(encapsulated(table, FRAME), syntax=made.RLE)
    assert out == made.encode((encapsulated(b"", FRAME),))
    assert emptied == ["an offset table that points nowhere"]


def test_the_delimiters_value_goes() -> None:
    whole = made.encode((encapsulated(b"", FRAME),))
    smuggled = whole[:-4] + (8).to_bytes(4, "little") + b"DOE^JANE"
    [element] = LITTLE.elements(smuggled, 0, len(smuggled), Budget(Limits()))
    shape = Geometry(**GREY)
    parts, _entries = PixelCopier(smuggled, "", LITTLE, made.RLE, shape, Limits()).copy(element)
    assert b"".join(bytes(c) for p in parts for c in chunks(p)) == whole


def test_no_fragment() -> None:
    for values in ((), (b"",)):
        with pytest.raises(UnreadableInputError, match="without a fragment"):
            copied(encapsulated(*values), syntax=made.RLE)


def test_too_many_fragments() -> None:
    with pytest.raises(LimitExceededError, match="items"):
        copied(encapsulated(b"", *[FRAME] * 30), syntax=made.RLE, limits=Limits(items=10))


def test_a_frame_that_cannot_be_followed() -> None:
    for junk in (b"", b"DOE^JANE", FRAME[:20]):
        with pytest.raises(NeedsReviewError, match="cannot be followed"):
            copied(encapsulated(b"", junk), syntax="1.2.840.10008.1.2.4.50")


def test_comments_in_a_jpeg_go_and_its_pixels_stay() -> None:
    from PIL import Image  # noqa: PLC0415 - used once

    file = io.BytesIO()
    picture = Image.fromarray(np.arange(256, dtype="u1").reshape(16, 16))
    picture.save(file, "JPEG", comment=b"WINTERBOTTOM^JANE")
    plain = file.getvalue()
    frame = plain + b"\0" * (len(plain) % 2)
    syntax = "1.2.840.10008.1.2.4.50"
    for values in ((frame,), (frame[:300], frame[300:])):  # the comment may cross fragments
        out, emptied = copied(encapsulated(b"", *values), syntax=syntax, rows=16, columns=16)
        assert len(out) == len(made.encode((encapsulated(b"", *values),)))
        assert b"WINTERBOTTOM" not in out
        assert emptied
        joined = b"".join(pydicom.encaps.generate_fragments(out[12:]))
        decoded = np.asarray(Image.open(io.BytesIO(joined)))
        assert (decoded == np.asarray(Image.open(io.BytesIO(plain)))).all()


def test_encapsulated_uncompressed_frames_end_with_their_last_pixel() -> None:
    frame = bytes(range(1, 17))
    shape = {"syntax": "1.2.840.10008.1.2.1.98", "rows": 4, "columns": 4, "bits": 8}
    out, emptied = copied(encapsulated(b"", frame + b"\0\0"), **shape)
    assert frame in out
    assert not emptied
    out, emptied = copied(encapsulated(b"", frame + b"WEXFORD!"), **shape)
    assert b"WEXF" not in out
    assert frame in out
    assert emptied
    with pytest.raises(NeedsReviewError):
        copied(encapsulated(b"", frame[:-2]), **shape)
