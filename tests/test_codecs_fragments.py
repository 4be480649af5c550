"""Which fragments make which frame, and what is refused because it cannot be told."""

import struct
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pixel_fixtures import ITEM, JPEG, LIMITS, encapsulated, items
from safelight.dicomio.codecs import PixelFormat, PixelSource, encode, open_pixels
from safelight.dicomio.limits import Limits
from safelight.errors import LimitExceededError, UnreadableInputError

RLE = "1.2.840.10008.1.2.5"
MARKED = [JPEG + "70", JPEG + "80", JPEG + "90"]


def movie(syntax: str, frames: int = 3) -> tuple[PixelFormat, list[np.ndarray], list[bytes]]:
    """Return a header, frames that all differ, and their codestreams of even length."""
    form = PixelFormat(rows=6, columns=7, frames=frames, syntax=syntax)
    pictures = [np.full(form.shape, 20 * index + 5, np.uint8) for index in range(frames)]
    for index, picture in enumerate(pictures):
        picture[index, 3] = 200
    return form, pictures, [encode(one, replace(form, frames=1)) for one in pictures]


def same(source: PixelSource, pictures: Sequence[np.ndarray]) -> bool:
    """Tell whether every frame is the picture it should be."""
    return len(source) == len(pictures) and all(
        np.array_equal(source.frame(index), picture) for index, picture in enumerate(pictures)
    )


def halves(coded: bytes) -> tuple[bytes, bytes]:
    """Cut a codestream at an even place."""
    at = len(coded) // 4 * 2
    return coded[:at], coded[at:]


@pytest.mark.parametrize("syntax", [*MARKED, RLE, JPEG + "110"])
def test_one_fragment_for_each_frame(syntax: str) -> None:
    form, pictures, coded = movie(syntax)
    assert same(encapsulated(form, *coded), pictures)
    assert same(encapsulated(form, *coded, b""), pictures)


@pytest.mark.parametrize("syntax", [*MARKED, JPEG + "110"])
def test_one_frame_in_several_fragments(syntax: str) -> None:
    form, pictures, coded = movie(syntax, frames=1)
    source = encapsulated(form, *halves(coded[0]))
    assert same(source, pictures)
    assert len(source.encoded(0)) == 2


@pytest.mark.parametrize("syntax", MARKED)
def test_frames_in_several_fragments_without_a_table(syntax: str) -> None:
    form, pictures, coded = movie(syntax)
    source = encapsulated(form, *halves(coded[0]), coded[1], *halves(coded[2]))
    assert same(source, pictures)
    assert [len(source.encoded(index)) for index in range(3)] == [2, 1, 2]


@pytest.mark.parametrize("syntax", [*MARKED, RLE, JPEG + "110"])
def test_tables_tell_where_frames_begin(syntax: str) -> None:
    form, pictures, coded = movie(syntax)
    parts = [*halves(coded[0]), coded[1], *halves(coded[2])]
    starts = [0]
    for part in parts:
        starts.append(starts[-1] + 8 + len(part))
    offsets = [starts[0], starts[2], starts[3]]
    basic = struct.pack("<3L", *offsets)
    assert same(encapsulated(form, *parts, table=basic), pictures)
    assert same(encapsulated(form, *parts, offsets=offsets), pictures)


@pytest.mark.parametrize("offsets", [[0, 1, 2], [0, 0, 0], [8, 9, 10], [0, 1 << 31, 1 << 30]])
def test_a_table_that_points_nowhere_is_passed_over(offsets: list[int]) -> None:
    form, pictures, coded = movie(JPEG + "80")
    table = struct.pack("<3L", *offsets)
    assert same(encapsulated(form, *coded, table=table, offsets=offsets), pictures)


@pytest.mark.parametrize("syntax", MARKED)
def test_all_frames_in_one_fragment(syntax: str) -> None:
    form, pictures, coded = movie(syntax)
    assert same(encapsulated(form, b"".join(coded)), pictures)


@pytest.mark.parametrize("syntax", [*MARKED, RLE])
@pytest.mark.parametrize("claimed", [2, 4, 100_000])
def test_a_false_count_of_frames_is_refused(syntax: str, claimed: int) -> None:
    form, _, coded = movie(syntax)
    with pytest.raises(UnreadableInputError, match="more or fewer frames"):
        encapsulated(replace(form, frames=claimed), *coded)


@pytest.mark.parametrize("syntax", MARKED)
def test_frames_hidden_behind_the_only_one_are_told(syntax: str) -> None:
    form, _, coded = movie(syntax)
    source = encapsulated(replace(form, frames=1), b"".join(coded))
    with pytest.raises(UnreadableInputError, match="more frames"):
        source.frame(0)


def opened(value: bytes, limits: Limits = LIMITS) -> PixelSource:
    """Open a hand-made value."""
    form, _, _ = movie(JPEG + "80", frames=1)
    return open_pixels(value, value=0, stop=len(value), encapsulated=True, form=form, limits=limits)


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (b"", "without a fragment"),
        (items(), "without a fragment"),
        (ITEM + b"\0\0\0\0" + ITEM + b"\xff\xff\xff\x7fabcd", "runs past the end"),
        (ITEM + b"\0\0\0\0" + ITEM + b"\xff\xff\xff\xffabcd", "runs past the end"),
        (ITEM + b"\0\0\0\0" + b"abcdefghijkl", "is damaged"),
        (items(b""), "more or fewer frames"),
    ],
)
def test_damaged_fragments_are_refused(value: bytes, reason: str) -> None:
    with pytest.raises(UnreadableInputError, match=reason):
        opened(value)


def test_fragments_are_counted() -> None:
    value = items(*[b"ab"] * 20)
    with pytest.raises(LimitExceededError, match="items"):
        opened(value, Limits(items=10))


@pytest.mark.parametrize("syntax", ["1.2.840.10008.1.2.4.102", "1.2.840.10008.1.2.4.94", ""])
def test_video_and_unknown_syntaxes_are_refused(syntax: str) -> None:
    form, _, coded = movie(JPEG + "80")
    with pytest.raises(UnreadableInputError, match="no decoder for this transfer syntax"):
        encapsulated(replace(form, syntax=syntax), *coded)


@given(st.binary(max_size=200), st.integers(1, 4))
def test_garbage_is_refused_or_decoded_never_worse(value: bytes, frames: int) -> None:
    form = PixelFormat(rows=2, columns=2, frames=frames, syntax=RLE)
    try:
        source = open_pixels(
            ITEM + bytes(4) + value,
            value=0,
            stop=8 + len(value),
            encapsulated=True,
            form=form,
            limits=LIMITS,
        )
        shapes = {frame.shape for frame in source}
    except UnreadableInputError:
        return
    assert shapes == {(2, 2)}
