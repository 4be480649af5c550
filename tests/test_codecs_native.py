"""Native frames against a slow model that knows nothing but bits; and writing them back."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from pixel_fixtures import LIMITS, native
from safelight.dicomio.codecs import PixelFormat, open_pixels, write_frame
from safelight.dicomio.limits import Limits
from safelight.errors import LimitExceededError, NeedsReviewError, UnreadableInputError

LITTLE, BIG = "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.2"


@st.composite
def forms(draw: st.DrawFn) -> PixelFormat:
    """Return headers of small images, every depth, order and sign."""
    allocated = draw(st.sampled_from([1, 8, 16, 32, 64]))
    stored = draw(st.integers(1, allocated))
    high = draw(st.integers(stored - 1, allocated - 1))
    big = draw(st.booleans())
    return PixelFormat(
        rows=draw(st.integers(1, 5)),
        columns=draw(st.integers(1, 5)),
        samples=draw(st.sampled_from([1, 3])),
        bits_allocated=allocated,
        bits_stored=stored,
        high_bit=high,
        signed=draw(st.booleans()) and allocated > 1,
        planar=draw(st.integers(0, 1)) if allocated > 1 else 0,
        photometric=draw(st.sampled_from(["MONOCHROME2", "RGB"])),
        frames=draw(st.integers(1, 3)),
        syntax=BIG if big else LITTLE,
        big_endian=big,
        vr=draw(st.sampled_from([b"OB", b"OW"])) if allocated <= 8 else b"OW",
    )


def lay_out(words: list[int], form: PixelFormat) -> bytes:
    """Return words as the standard says they lie in a file, one bit at a time."""
    bits = [word >> place & 1 for word in words for place in range(form.bits_allocated)]
    bits += [0] * (-len(bits) % 16)
    data = bytes(
        sum(bit << place for place, bit in enumerate(bits[at : at + 8]))
        for at in range(0, len(bits), 8)
    )
    width = 2 if form.bits_allocated <= 8 else form.bits_allocated // 8
    if form.big_endian and (form.bits_allocated > 8 or form.vr == b"OW"):
        data = b"".join(data[at : at + width][::-1] for at in range(0, len(data), width))
    return data


def value_in(word: int, form: PixelFormat) -> int:
    """Return the stored value of one word."""
    low = form.high_bit + 1 - form.bits_stored
    value = word >> low & (1 << form.bits_stored) - 1
    return (
        value - (1 << form.bits_stored) if form.signed and value >> form.bits_stored - 1 else value
    )


def words_of(form: PixelFormat, draw: Any) -> list[int]:
    """Return random words for every sample of every frame."""
    count = form.pixels * form.samples * form.frames
    most = (1 << form.bits_allocated) - 1
    return list(draw(st.lists(st.integers(0, most), min_size=count, max_size=count)))


def place(index: int, pixel: int, sample: int, form: PixelFormat) -> int:
    """Return where one sample's word stands among all."""
    start = index * form.pixels * form.samples
    if form.planar:
        return start + sample * form.pixels + pixel
    return start + pixel * form.samples + sample


@given(forms(), st.data())
def test_values_are_those_of_the_bits(form: PixelFormat, data: st.DataObject) -> None:
    words = words_of(form, data.draw)
    source = native(form, lay_out(words, form))
    mask = ((1 << form.bits_stored) - 1) << form.high_bit + 1 - form.bits_stored
    for index in range(form.frames):
        frame, rest = source.frame(index), source.overlay_bits(index)
        assert frame.shape == form.shape
        assert frame.dtype == form.dtype
        flat = frame.reshape(form.pixels, form.samples)
        bits = rest.reshape(form.pixels, form.samples)
        for pixel in range(form.pixels):
            for sample in range(form.samples):
                word = words[place(index, pixel, sample, form)]
                assert int(flat[pixel, sample]) == value_in(word, form)
                assert int(bits[pixel, sample]) == word & ~mask


@given(forms(), st.data())
def test_writing_changes_what_is_changed_and_no_other_bit(
    form: PixelFormat, data: st.DataObject
) -> None:
    words = words_of(form, data.draw)
    value = bytearray(lay_out(words, form))
    before = bytes(value)
    source = native(form, before)
    index = data.draw(st.integers(0, form.frames - 1))
    frame = source.frame(index).copy()
    write_frame(value, index, frame, form)
    assert value == before
    low = -(1 << form.bits_stored - 1) if form.signed else 0
    fill = data.draw(st.integers(low, low + (1 << form.bits_stored) - 1))
    mask = np.array(
        data.draw(st.lists(st.booleans(), min_size=form.pixels, max_size=form.pixels))
    ).reshape(form.rows, form.columns)
    wanted = frame.copy()
    wanted[mask] = fill
    bits = source.overlay_bits(index).copy()
    bits[mask] = 0
    write_frame(value, index, wanted, form, bits)
    after = native(form, bytes(value))
    assert np.array_equal(after.frame(index), wanted)
    assert np.array_equal(after.overlay_bits(index), bits)
    for other in set(range(form.frames)) - {index}:
        assert np.array_equal(after.frame(other), source.frame(other))
        assert np.array_equal(after.overlay_bits(other), source.overlay_bits(other))


def test_bits_above_the_value_go_where_the_value_changes() -> None:
    form = PixelFormat(rows=1, columns=3, bits_allocated=16, bits_stored=12, high_bit=11)
    value = bytearray(b"\x01\x10\x02\x20\x03\x30")
    frame = native(form, bytes(value)).frame(0).copy()
    frame[0, 1] = 7
    write_frame(value, 0, frame, form)
    assert value == b"\x01\x10\x07\x00\x03\x30"


def test_signs_fill_the_word_for_readers_that_do_not_mask() -> None:
    form = PixelFormat(
        rows=1, columns=2, bits_allocated=16, bits_stored=12, high_bit=11, signed=True
    )
    value = bytearray(4)
    write_frame(value, 0, np.array([[-1, 5]], np.int16), form)
    assert value == b"\xff\xff\x05\x00"


@pytest.mark.parametrize(("vr", "bits"), [(b"OF", 32), (b"OD", 64)])
@pytest.mark.parametrize("big", [False, True])
def test_floats_come_out_and_go_back(vr: bytes, bits: int, *, big: bool) -> None:
    form = PixelFormat(
        rows=2,
        columns=3,
        bits_allocated=bits,
        bits_stored=bits,
        high_bit=bits - 1,
        vr=vr,
        big_endian=big,
    )
    numbers = np.array([[1.5, -2.25, np.inf], [0.0, 1e-30, 3.0]])
    value = bytearray(numbers.astype(f"{'>' if big else '<'}f{bits // 8}").tobytes())
    source = native(form, bytes(value))
    assert np.array_equal(source.frame(0), numbers.astype(form.dtype))
    assert not source.overlay_bits(0).any()
    changed = source.frame(0).copy()
    changed[0, 0] = -7.0
    write_frame(value, 0, changed, form)
    assert np.array_equal(native(form, bytes(value)).frame(0), changed)


HALF = PixelFormat(rows=1, columns=4, samples=3, photometric="YBR_FULL_422", frames=2)
PAIRS = bytes([10, 11, 128, 64, 12, 13, 100, 90]) * 2


def test_halved_colour_is_given_to_both_pixels() -> None:
    source = native(HALF, PAIRS)
    assert source.colour(0) == "YBR_FULL"
    expected = [[[10, 128, 64], [11, 128, 64], [12, 100, 90], [13, 100, 90]]]
    assert source.frame(1).tolist() == expected
    value = bytearray(PAIRS)
    frame = source.frame(1).copy()
    frame[0, 2:] = (16, 128, 128)
    write_frame(value, 1, frame, HALF)
    assert value == PAIRS[:12] + bytes([16, 16, 128, 128])


def test_half_a_pair_cannot_be_written() -> None:
    frame = native(HALF, PAIRS).frame(0).copy()
    frame[0, 1] = (16, 128, 128)
    with pytest.raises(NeedsReviewError, match="share a colour"):
        write_frame(bytearray(PAIRS), 0, frame, HALF)


def test_colour_that_is_said_to_be_half_may_be_whole() -> None:
    source = native(HALF, bytes(range(24)))
    assert source.frame(1)[0, 3].tolist() == [21, 22, 23]


def test_single_bits_begin_inside_a_byte() -> None:
    form = PixelFormat(rows=1, columns=3, bits_allocated=1, bits_stored=1, high_bit=0, frames=5)
    source = native(form, bytes([0b01011101, 0b00101011]))
    bits = [1, 0, 1, 1, 1, 0, 1, 0, 1, 1, 0, 1, 0, 1, 0]
    assert [int(bit) for frame in source for bit in frame[0]] == bits
    assert [source.encoded(index) for index in (0, 2)] == [[(0, 1)], [(0, 2)]]


def test_less_than_the_header_promises_is_refused() -> None:
    form = PixelFormat(rows=4, columns=4, frames=2)
    with pytest.raises(UnreadableInputError, match="less pixel data"):
        native(form, bytes(31 - 1))
    assert len(native(form, bytes(33))) == 2


def test_a_frame_past_the_last_is_no_frame() -> None:
    source = native(PixelFormat(rows=2, columns=2), bytes(4))
    with pytest.raises(IndexError):
        source.frame(1)


@pytest.mark.parametrize(
    "changes",
    [
        {"rows": 0},
        {"columns": 70_000},
        {"samples": 2},
        {"frames": 0},
        {"bits_allocated": 12},
        {"bits_stored": 9},
        {"high_bit": 8},
        {"high_bit": 5},
        {"bits_stored": 0},
        {"photometric": "YBR_FULL_422"},
        {"vr": b"OF"},
    ],
)
def test_headers_that_contradict_themselves_are_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(UnreadableInputError):
        native(replace(PixelFormat(rows=2, columns=2), **changes), bytes(4))


def test_a_frame_larger_than_the_limit_is_refused_before_it_is_read() -> None:
    form = PixelFormat(rows=65_500, columns=65_500)
    with pytest.raises(LimitExceededError, match="decoded_bytes"):
        native(form, b"")
    small = Limits(decoded_bytes=3)
    with pytest.raises(LimitExceededError):
        open_pixels(
            bytes(4),
            value=0,
            stop=4,
            encapsulated=False,
            form=PixelFormat(rows=2, columns=2),
            limits=small,
        )
    assert LIMITS.decoded_bytes > 3


@given(forms())
def test_a_label_never_names_more_samples_than_there_are(form: PixelFormat) -> None:
    assume(form.samples == 3)
    bits = form.pixels * 3 * form.bits_allocated * form.frames
    colour = native(form, bytes((bits + 15) // 8)).colour(0)
    assert colour == "RGB"
