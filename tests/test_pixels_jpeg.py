"""JPEG masked without being decoded: untouched MCUs give the same pixels, touched ones are flat."""

from itertools import pairwise

import imagecodecs
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mask_fixtures import grown, jpeg, luma, shown, smooth
from safelight.deid.pixels.huffman import Table, extended, made_for
from safelight.deid.pixels.jpegcoder import write_anew
from safelight.deid.pixels.jpegmask import covered, mask_jpeg
from safelight.deid.pixels.jpegparts import parse
from safelight.errors import NeedsReviewError, UnreadableInputError


@st.composite
def options(draw: st.DrawFn) -> dict[str, object]:
    found: dict[str, object] = {"quality": draw(st.sampled_from((4, 30, 75, 95, 100)))}
    found["optimize"] = draw(st.booleans())
    found["progressive"] = draw(st.booleans())
    found["restart_marker_blocks"] = draw(st.sampled_from((0, 1, 5)))
    return found


def some_mask(rows: int, columns: int, seed: int) -> np.ndarray:
    random = np.random.default_rng(seed)
    mask = np.zeros((rows, columns), np.bool_)
    for _ in range(int(random.integers(1, 4))):
        y, x = random.integers(0, rows), random.integers(0, columns)
        mask[y : y + random.integers(1, 30), x : x + random.integers(1, 50)] = True
    return mask


@given(
    rows=st.integers(1, 90),
    columns=st.integers(1, 90),
    seed=st.integers(0, 999),
    kind=options(),
    bright=st.booleans(),
)
def test_grey_is_exact(
    rows: int, columns: int, seed: int, kind: dict[str, object], *, bright: bool
) -> None:
    data, mask = jpeg(smooth(rows, columns, 1, seed), **kind), some_mask(rows, columns, seed)
    done = mask_jpeg(data, mask, bright=bright)
    units = covered(data, mask)
    assert (units >= mask).all()
    assert np.array_equal(shown(done)[~units], shown(data)[~units])
    assert (shown(done)[units] == (255 if bright else 0)).all()


@given(
    rows=st.integers(1, 90),
    columns=st.integers(1, 90),
    seed=st.integers(0, 999),
    kind=options(),
    subsampling=st.sampled_from((0, 1, 2)),
)
def test_colour_is_exact_but_for_the_hue_next_to_a_mask(
    rows: int, columns: int, seed: int, kind: dict[str, object], subsampling: int
) -> None:
    data = jpeg(smooth(rows, columns, 3, seed), subsampling=subsampling, **kind)
    mask = some_mask(rows, columns, seed)
    done, units = mask_jpeg(data, mask), covered(data, mask)
    assert np.array_equal(luma(done)[~units], luma(data)[~units])
    assert (luma(done)[units] == 0).all()
    # decoders smooth subsampled colour over one pixel more
    near = grown(units) if subsampling else units
    assert np.array_equal(shown(done)[~near], shown(data)[~near])


def test_twelve_bits() -> None:
    frame = smooth(70, 50).astype(np.uint16) * 16 + 7
    data = imagecodecs.jpeg8_encode(frame, bitspersample=12, level=90)
    assert parse(bytes(data)).precision == 12
    mask = some_mask(70, 50, 3)
    done, units = mask_jpeg(bytes(data), mask), covered(bytes(data), mask)
    old, new = imagecodecs.jpeg8_decode(data), imagecodecs.jpeg8_decode(done)
    assert np.array_equal(old[~units], new[~units])
    assert (new[units] == 0).all()


@pytest.mark.parametrize("subsampling", [0, 1, 2])
@pytest.mark.parametrize("progressive", [False, True])
def test_a_stream_written_anew_decodes_to_the_same(subsampling: int, *, progressive: bool) -> None:
    # what is done when a table has no room for a code that a mask needs
    data = jpeg(smooth(50, 70, 3), subsampling=subsampling, progressive=progressive)
    parts = parse(data)
    units = np.zeros(parts.units, np.bool_)
    done = write_anew(parts, units, [np.zeros(parts.units, np.int64)] * 3)
    assert np.array_equal(shown(done), shown(data))


def test_codes_are_added_without_changing_the_others() -> None:
    table = Table((0, 2, 1, *([0] * 13)), bytes((5, 6, 7)))
    more = extended(table, {5, 9, 11})
    assert more is not None
    codes = more.codes()
    assert {symbol: codes[symbol] for symbol in (5, 6, 7)} == table.codes()
    assert len(codes[9]) == len(codes[11]) == 16
    assert "1" * 16 not in codes.values()
    assert (
        extended(Table((1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1), bytes(16)), {99}) is None
    )


@given(st.dictionaries(st.integers(0, 255), st.integers(1, 1 << 30), min_size=1))
def test_a_made_table_is_a_prefix_code(counts: dict[int, int]) -> None:
    codes = made_for(counts).codes()
    assert set(codes) == set(counts)
    assert max(len(code) for code in codes.values()) <= 16
    ordered = sorted(codes.values())
    assert not any(after.startswith(before) for before, after in pairwise(ordered))
    assert not any(set(code) == {"1"} and len(code) == 16 for code in codes.values())


@given(cut=st.integers(0, 3000), at=st.integers(0, 3000), byte=st.integers(0, 255), kind=options())
def test_damage_is_an_error_and_never_a_crash(
    cut: int, at: int, byte: int, kind: dict[str, object]
) -> None:
    whole = bytearray(jpeg(smooth(40, 40, 3), **kind))
    whole[at % len(whole)] = byte
    data = bytes(whole[: len(whole) - cut % len(whole)])
    mask = np.zeros((40, 40), np.bool_)
    mask[10:30, 5:20] = True
    try:
        done = mask_jpeg(data, mask, keep=np.roll(mask, 20, 0) if cut % 2 else None)
    except (UnreadableInputError, NeedsReviewError):
        return
    assert done.startswith(b"\xff\xd8")


def test_what_follows_the_end_is_left_out() -> None:
    data = jpeg(smooth(20, 20)) + jpeg(smooth(30, 30))
    assert mask_jpeg(data, np.ones((20, 20), np.bool_)).count(b"\xff\xd8\xff") == 1


def test_lossless_processes_are_not_masked_here() -> None:
    data = imagecodecs.ljpeg_encode(smooth(20, 20), bitspersample=8)
    with pytest.raises(NeedsReviewError):
        mask_jpeg(bytes(data), np.ones((20, 20), np.bool_))


@pytest.mark.parametrize("same", [True, False])
def test_tables_that_change_between_scans(*, same: bool) -> None:
    data = jpeg(smooth(50, 50), progressive=True)
    at = data.index(b"\xff\xdb")
    table = data[at : at + 2 + int.from_bytes(data[at + 2 : at + 4], "big")]
    if not same:
        table = table[:-1] + bytes((table[-1] // 2 + 1,))
    second = data.index(b"\xff\xda", data.index(b"\xff\xda") + 2)
    second = data.rindex(b"\xff\xc4", 0, second)
    changed, mask = data[:second] + table + data[second:], some_mask(50, 50, 3)
    if same:
        assert shown(mask_jpeg(changed, mask))[mask].max() == 0
    else:
        with pytest.raises(NeedsReviewError):
            mask_jpeg(changed, mask)
