"""Frames coded without loss in every syntax that allows it, and decoded again."""

import zlib
from dataclasses import replace

import imagecodecs
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pixel_fixtures import JPEG, bundled, encapsulated, native, read
from safelight.dicomio.codecs import (
    PixelFormat,
    encode,
    lossless_photometric,
    lossless_target,
    write_frame,
)
from safelight.errors import NeedsReviewError

RLE = "1.2.840.10008.1.2.5"
DEFLATED_FRAME = "1.2.840.10008.1.2.8.1"
UNCOMPRESSED = "1.2.840.10008.1.2.1.98"
LITTLE, BIG = "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.2"
J2K = [JPEG + last for last in ("90", "91", "92", "93", "201", "202", "203")]
SYNTAXES = [
    *(JPEG + last for last in ("57", "70", "80", "81", "110", "112")),
    *J2K,
    *(RLE, UNCOMPRESSED, DEFLATED_FRAME),
]


@st.composite
def forms(draw: st.DrawFn) -> PixelFormat:
    """Return headers of small images that a compressed syntax may hold."""
    allocated = draw(st.sampled_from([8, 16]))
    stored = draw(st.integers(1, allocated))
    samples = draw(st.sampled_from([1, 1, 3]))
    return PixelFormat(
        rows=draw(st.integers(1, 40)),
        columns=draw(st.integers(1, 40)),
        samples=samples,
        bits_allocated=allocated,
        bits_stored=stored,
        high_bit=draw(st.sampled_from([stored - 1, allocated - 1])),
        signed=draw(st.booleans()),
        photometric=draw(st.sampled_from(["RGB", "YBR_FULL"])) if samples == 3 else "MONOCHROME2",
        syntax=draw(st.sampled_from(SYNTAXES)),
    )


def pixels(form: PixelFormat, seed: int, *, noise: bool) -> np.ndarray:
    """Return stored values over the whole range: noise, or a ramp that compresses."""
    low = -(1 << form.bits_stored - 1) if form.signed else 0
    dice = np.random.default_rng(seed)
    if noise:
        values = dice.integers(low, low + (1 << form.bits_stored), form.shape)
    else:
        values = low + np.arange(form.pixels * form.samples).reshape(form.shape) % (
            1 << form.bits_stored
        )
    return values.astype(form.dtype)


def framed(coded: bytes, syntax: str) -> bytes:
    """Return what stands in a fragment: a deflated frame is deflated by who writes it."""
    if syntax != DEFLATED_FRAME:
        return coded
    stream = zlib.compressobj(wbits=-15)
    return stream.compress(coded) + stream.flush()


@given(forms(), st.integers(0, 1 << 30), st.booleans())
def test_what_is_coded_comes_back_the_same(form: PixelFormat, seed: int, noise: bool) -> None:  # noqa: FBT001 - drawn
    frame = pixels(form, seed, noise=noise)
    coded = encode(frame, form)
    source = encapsulated(form, framed(coded, form.syntax))
    again = source.frame(0)
    assert again.dtype == frame.dtype
    assert np.array_equal(again, frame)
    assert source.colour(0) == form.photometric


@given(forms(), st.integers(0, 1 << 30))
def test_bits_beside_the_values_survive(form: PixelFormat, seed: int) -> None:
    frame = pixels(form, seed, noise=True)
    kind = f"u{form.sample_bytes}"
    bits = np.random.default_rng(seed).integers(0, 1 << form.bits_allocated, form.shape)
    bits = bits.astype(kind) & ~np.dtype(kind).type(((1 << form.bits_stored) - 1) << form.shift)
    coded = encode(frame, form, bits=bits)
    source = encapsulated(form, framed(coded, form.syntax))
    assert np.array_equal(source.frame(0), frame)
    assert np.array_equal(source.overlay_bits(0), bits)


@pytest.mark.parametrize("stored", [8, 10, 12, 16])
@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize("syntax", [one for one in SYNTAXES if one.startswith(JPEG)])
def test_a_codestream_is_as_deep_as_its_header(syntax: str, stored: int, *, signed: bool) -> None:
    form = PixelFormat(
        rows=50,
        columns=60,
        bits_allocated=16,
        bits_stored=stored,
        high_bit=stored - 1,
        signed=signed,
        syntax=syntax,
    )
    header = encapsulated(form, encode(pixels(form, 1, noise=False), form)).header(0)
    assert header.precision == stored
    assert header.lossless
    assert header.signed == (signed and syntax in J2K)
    assert header.high_throughput == (syntax in J2K[4:])


@pytest.mark.parametrize("syntax", J2K[4:])
@pytest.mark.parametrize("signed", [False, True])
def test_both_decoders_of_htj2k_agree(syntax: str, *, signed: bool) -> None:
    form = PixelFormat(
        rows=70,
        columns=90,
        bits_allocated=16,
        bits_stored=12,
        high_bit=11,
        signed=signed,
        syntax=syntax,
    )
    frame = pixels(form, 2, noise=True)
    assert np.array_equal(imagecodecs.htj2k_decode(encode(frame, form)), frame)


def test_a_colour_transform_is_used_where_the_header_says_so() -> None:
    for stated, turned in (("YBR_RCT", True), ("YBR_ICT", True), ("RGB", False)):
        for syntax in J2K:
            form = PixelFormat(rows=30, columns=30, samples=3, photometric=stated, syntax=syntax)
            frame = pixels(form, 3, noise=True)
            source = encapsulated(form, encode(frame, form))
            assert source.header(0).transform == turned
            assert source.colour(0) == "RGB"
            assert np.array_equal(source.frame(0), frame)


@pytest.mark.parametrize(("rows", "columns"), [(1, 1), (1, 9), (9, 1), (3, 5), (33, 64)])
@pytest.mark.parametrize("bits", [1, 8, 16, 32])
def test_rle_holds_every_depth(rows: int, columns: int, bits: int) -> None:
    form = PixelFormat(
        rows=rows,
        columns=columns,
        samples=1 if bits == 1 else 3,
        bits_allocated=bits,
        bits_stored=bits,
        high_bit=bits - 1,
        photometric="MONOCHROME2" if bits == 1 else "RGB",
        syntax=RLE,
    )
    frame = pixels(form, rows * columns, noise=columns % 2 == 1)
    assert np.array_equal(encapsulated(form, encode(frame, form)).frame(0), frame)


def test_rows_of_rle_are_packed_apart() -> None:
    form = PixelFormat(rows=3, columns=4, syntax=RLE)
    coded = encode(np.full((3, 4), 7, np.uint8), form)
    assert coded[64:] == bytes([0xFD, 7] * 3)  # PS3.5 G.3.1: three runs, none over a row's end


@given(st.integers(1, 9), st.integers(1, 9), st.sampled_from([LITTLE, BIG]), st.booleans())
def test_native_frames_are_coded_as_they_are_written(
    rows: int,
    columns: int,
    syntax: str,
    signed: bool,  # noqa: FBT001 - drawn
) -> None:
    form = PixelFormat(
        rows=rows,
        columns=columns,
        bits_allocated=16,
        bits_stored=11,
        high_bit=10,
        signed=signed,
        syntax=syntax,
        big_endian=syntax == BIG,
    )
    frame = pixels(form, rows, noise=True)
    value = bytearray(form.frame_bytes)
    write_frame(value, 0, frame, form)
    assert encode(frame, form) == value
    assert np.array_equal(native(form, bytes(value)).frame(0), frame)


@pytest.mark.parametrize(
    "name",
    [
        "MR_small_RLE.dcm",
        "MR_small_jp2klossless.dcm",
        "MR_small_jpeg_ls_lossless.dcm",
        "JPEGLSNearLossless_16.dcm",
        "J2K_pixelrep_mismatch.dcm",
        "GDCMJ2K_TextGBR.dcm",
        "693_J2KI.dcm",
        "examples_jpeg2k.dcm",
        "SC_rgb_jpeg_gdcm.dcm",
        "SC_rgb_rle_32bit.dcm",
        "rtdose_rle.dcm",
    ],
)
def test_real_frames_are_coded_again_in_their_own_syntax(name: str) -> None:
    source = read(bundled()[name])
    syntax = lossless_target(source.form.syntax)
    form = replace(source.form, frames=1, syntax=syntax)
    coded = encode(source.frame(0), form)
    again = encapsulated(form, coded)
    assert syntax == source.form.syntax
    assert np.array_equal(again.frame(0), source.frame(0))
    assert again.colour(0) == source.colour(0)


@pytest.mark.parametrize(
    ("syntax", "target"),
    [
        *((one, one) for one in (*SYNTAXES, LITTLE, BIG)),
        *((JPEG + last, JPEG + "80") for last in ("50", "51", "53", "55")),
        (JPEG + "111", JPEG + "110"),
    ],
)
def test_the_syntax_of_the_output(syntax: str, target: str) -> None:
    assert lossless_target(syntax) == target


@pytest.mark.parametrize("syntax", [JPEG + "102", JPEG + "94", "1.2.3"])
def test_no_output_in_what_is_not_known(syntax: str) -> None:
    with pytest.raises(NeedsReviewError, match="no encoder"):
        lossless_target(syntax)
    with pytest.raises(NeedsReviewError):
        encode(np.zeros((2, 2), np.uint8), PixelFormat(rows=2, columns=2), syntax=syntax)


def test_the_label_of_the_output() -> None:
    assert lossless_photometric("RGB", "YBR_ICT", JPEG + "91") == "YBR_RCT"
    assert lossless_photometric("RGB", "RGB", JPEG + "91") == "RGB"
    assert lossless_photometric("YBR_FULL", "YBR_FULL_422", JPEG + "80") == "YBR_FULL"
    assert lossless_photometric("YBR_FULL", "YBR_FULL_422", LITTLE) == "YBR_FULL_422"


def test_what_a_syntax_cannot_hold_is_said() -> None:
    deep = PixelFormat(rows=4, columns=4, bits_allocated=32, bits_stored=32, high_bit=31)
    for last in ("57", "80", "90", "110", "201"):
        with pytest.raises(NeedsReviewError, match="no place"):
            encode(np.zeros((4, 4), np.uint32), deep, syntax=JPEG + last)
    four = PixelFormat(rows=4, columns=4, samples=4, photometric="CMYK")
    with pytest.raises(NeedsReviewError, match="no place"):
        encode(np.zeros((4, 4, 4), np.uint8), four, syntax=JPEG + "70")
    floats = PixelFormat(
        rows=4, columns=4, bits_allocated=32, bits_stored=32, high_bit=31, vr=b"OF"
    )
    with pytest.raises(NeedsReviewError):
        encode(np.zeros((4, 4), np.float32), floats, syntax=RLE)
    lossy = PixelFormat(rows=4, columns=4)
    with pytest.raises(NeedsReviewError):
        encode(np.zeros((4, 4), np.uint8), lossy, syntax=JPEG + "50")
    with pytest.raises(NeedsReviewError, match="another size"):
        encode(np.zeros((4, 5), np.uint8), lossy, syntax=RLE)


def test_twenty_bits_fit_in_jpeg_2000() -> None:
    form = PixelFormat(
        rows=20, columns=30, bits_allocated=32, bits_stored=20, high_bit=19, syntax=JPEG + "90"
    )
    frame = pixels(form, 5, noise=True)
    assert np.array_equal(encapsulated(form, encode(frame, form)).frame(0), frame)


@pytest.mark.parametrize("syntax", [LITTLE, RLE, JPEG + "80", JPEG + "90"])
def test_values_that_do_not_fit_are_refused(syntax: str) -> None:
    form = PixelFormat(rows=2, columns=2, bits_allocated=16, bits_stored=12, high_bit=11)
    with pytest.raises(NeedsReviewError, match="do not fit"):
        encode(np.full((2, 2), 5000, np.uint16), form, syntax=syntax)
