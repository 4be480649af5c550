"""Done-when 4: outside a mask decoded pixels are bit-identical, inside they are one value."""

import io
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom import dcmread
from pydicom.pixels import pixel_array

from mask_fixtures import bundled, fragments, grown, header_of, joined, jpeg, opened, sample, smooth
from safelight.deid.boxes import Box, Region, Verdict
from safelight.deid.pixels.jpegmask import covered
from safelight.deid.pixels.masks import Fill, Masks
from safelight.deid.pixels.tables import Table
from safelight.dicomio.codecs import PixelFormat
from safelight.dicomio.walker import Walker
from safelight.errors import NeedsReviewError, UnreadableInputError
from safelight.types import FileSlice
from strategies_pixels import NATIVE, SYNTAXES, forms, frames_of, regions, shapes

J = "1.2.840.10008.1.2.4."
EXPLICIT = "1.2.840.10008.1.2.1"


def box(x: int, y: int, w: int, h: int, *frames: int) -> Region:
    return Region(boxes=(Box(x, y, w, h),), verdict=Verdict.MASK, rule="text", frames=frames)


def paired(mask: Any, form: PixelFormat) -> Any:
    """Return the mask as it falls on pixels that share their colour."""
    if not form.photometric.endswith("_422"):
        return mask
    pairs = mask.reshape(mask.shape[0], -1, 2).any(axis=2)
    return np.repeat(pairs, 2, axis=1)


@pytest.mark.parametrize("syntax", SYNTAXES)
@settings(max_examples=12)
@given(data=st.data())
def test_only_what_is_masked_changes(syntax: str, data: st.DataObject) -> None:
    form = data.draw(forms(syntax))
    frames = frames_of(form, data.draw(st.integers(0, 1 << 30)))
    before = sample(frames, form)
    drawn = data.draw(regions(form.rows, form.columns, form.frames))
    loose = data.draw(shapes(form.rows, form.columns, form.frames))
    masked = before.mask(drawn, loose)
    after = before.after(masked)
    masks = Masks(
        rows=form.rows, columns=form.columns, frames=form.frames, regions=drawn, shapes=loose
    )
    assert masked.syntax == syntax
    assert list(masked.frames) == masks.numbers()
    for number, old in enumerate(frames):
        new, mask = after.source.frame(number), paired(masks.of(number), form)
        assert np.array_equal(new[~mask], old[~mask])
        inside = new[mask].reshape(int(mask.sum()), form.samples)
        assert not len(inside) or (inside == inside[0]).all()
        assert before.source.colour(number) == after.source.colour(number)


@pytest.mark.parametrize(
    ("mode", "options"),
    [
        ("grey", {}),
        ("grey", {"progressive": True}),
        ("colour", {"subsampling": 0}),
        ("colour", {"subsampling": 1, "restart_marker_blocks": 3}),
        ("colour", {"subsampling": 2, "optimize": True}),
    ],
)
@settings(max_examples=10)
@given(data=st.data())
def test_lossy_frames_keep_their_untouched_units(
    mode: str, options: dict[str, Any], data: st.DataObject
) -> None:
    samples = 1 if mode == "grey" else 3
    rows, columns = data.draw(st.integers(1, 60)), data.draw(st.integers(1, 60))
    count, seed = data.draw(st.integers(1, 3)), data.draw(st.integers(0, 99))
    coded = [jpeg(smooth(rows, columns, samples, seed + n), **options) for n in range(count)]
    form = PixelFormat(
        rows=rows,
        columns=columns,
        samples=samples,
        photometric="MONOCHROME2" if samples == 1 else "YBR_FULL_422",
        frames=count,
        syntax=J + ("55" if "progressive" in options else "50"),
        vr=b"OB",
    )
    walker = Walker(implicit=False, big=False)
    before = opened(fragments(coded, pieces=3), header_of(form), walker)
    drawn = data.draw(regions(rows, columns, count))
    masked = before.mask(drawn)
    after = before.after(masked)
    masks = Masks(rows=rows, columns=columns, frames=count, regions=drawn)
    for number in range(count):
        old, new = before.source.frame(number), after.source.frame(number)
        units = covered(coded[number], masks.of(number))
        if samples == 1:  # a kept mark keeps what of its MCUs no mask covers
            flat = masks.of(number) if masks.kept(number).any() else units
            assert new[flat].max(initial=0) <= (flat is not units)
        units = grown(units) if samples == 3 else units
        assert np.array_equal(new[~units], old[~units])
    if number in masked.frames or "progressive" in options:
        expected = J + "50" if masked.frames else form.syntax
        assert masked.syntax == expected


SAME_SYNTAX = (
    *("CT_small.dcm", "MR_small_bigendian.dcm", "MR_small_RLE.dcm", "MR_small_jp2klossless.dcm"),
    *("MR_small_jpeg_ls_lossless.dcm", "SC_rgb_rle_2frame.dcm", "SC_rgb_small_odd_big_endian.dcm"),
    *("examples_palette.dcm", "examples_jpeg2k.dcm", "SC_ybr_full_422_uncompressed.dcm"),
    *("rtdose_1frame.dcm", "SC_rgb_rle_16bit_2frame.dcm", "JPEG2000.dcm"),
)


@pytest.mark.parametrize("name", SAME_SYNTAX)
def test_another_reader_sees_the_same(name: str) -> None:
    before = bundled(name)
    form = before.header.form
    masked = before.mask([box(form.columns // 4, form.rows // 4, form.columns // 2, 3)])
    start, stop = before.element[2], before.element[5]
    written = before.data[:start] + joined(masked) + before.data[stop:]
    old, new = (
        pixel_array(dcmread(io.BytesIO(data), force=True), raw=True, index=0)
        for data in (before.data, written)
    )
    mask = np.zeros((form.rows, form.columns), np.bool_)
    mask[form.rows // 4 : form.rows // 4 + 3, form.columns // 4 :][:, : form.columns // 2] = True
    mask = paired(mask, form)
    assert np.array_equal(old[~mask], new[~mask])
    assert len(np.unique(new[mask].reshape(int(mask.sum()), -1), axis=0)) == 1
    assert not np.array_equal(old[mask], new[mask])


def test_frames_without_a_mask_are_not_copied_into_memory() -> None:
    before = bundled("SC_rgb_rle_2frame.dcm")
    copier = replace(before.copier, path="somewhere")
    masked = replace_copier(before, copier, [box(2, 2, 20, 9, 1)])
    slices = [part for part in masked.parts if isinstance(part, FileSlice)]
    assert [(part.start, part.stop) for part in slices] == before.source.encoded(0)


def replace_copier(before: Any, copier: Any, drawn: list[Region]) -> Any:
    from safelight.deid.pixels.mask import mask_object  # noqa: PLC0415  # this helper alone

    return mask_object(before.source, before.header, drawn, copier=copier, element=before.element)


def test_native_pixels_are_patched_row_by_row() -> None:
    before = bundled("CT_small.dcm")
    copier = replace(before.copier, path="somewhere")
    masked = replace_copier(before, copier, [box(10, 20, 30, 4)])
    held = sum(len(part) for part in masked.parts if not isinstance(part, FileSlice))
    assert held < 12 + 5 * 128 * 2


def test_offsets_stay_true() -> None:
    before = bundled("SC_rgb_rle_2frame.dcm")
    masked = before.mask([box(2, 2, 20, 9, 0)])
    data = joined(masked)
    table = data[20 : 20 + int.from_bytes(data[16:20], "little")]
    first = 20 + len(table)
    size = int.from_bytes(data[first + 4 : first + 8], "little")
    assert table == bytes(4) + (8 + size).to_bytes(4, "little")
    assert masked.changed[0x7FE00001] is None
    assert masked.changed[0x7FE00002] is None


def grey(**more: Any) -> PixelFormat:
    return replace(PixelFormat(rows=8, columns=8, syntax=EXPLICIT), **more)


def test_monochrome1_is_filled_with_what_displays_dark() -> None:
    frame = np.arange(64, dtype=np.uint8).reshape(8, 8)
    before = sample([frame], grey(photometric="MONOCHROME1"))
    new = before.after(before.mask([box(0, 0, 2, 2)])).source.frame(0)
    assert (new[:2, :2] == 63).all()


def test_padding_is_no_fill() -> None:
    frame = np.arange(64, dtype=np.uint8).reshape(8, 8)
    before = sample([frame], grey(), padding=(0, 9))
    new = before.after(before.mask([box(4, 4, 2, 2)])).source.frame(0)
    assert (new[4:6, 4:6] == 10).all()


def test_palette_is_filled_with_its_darkest_colour() -> None:
    light = bytes((200, 90, 10, 30)) * 1
    tables = (Table(entries=4, first=0, bits=8, data=light),) * 3
    frame = np.zeros((8, 8), np.uint8)
    before = sample([frame], grey(photometric="PALETTE COLOR"), palettes=tables)
    new = before.after(before.mask([box(0, 0, 3, 3)])).source.frame(0)
    assert (new[:3, :3] == 2).all()


def test_colour_is_filled_with_black_in_its_own_space() -> None:
    frame = np.full((8, 8, 3), 77, np.uint8)
    form = grey(photometric="YBR_FULL", samples=3)
    before = sample([frame], form)
    new = before.after(before.mask([box(0, 0, 3, 3)])).source.frame(0)
    assert (new[:3, :3] == (0, 128, 128)).all()


def test_a_box_has_an_edge() -> None:
    frame = np.arange(64, dtype=np.uint8).reshape(8, 8)
    before = sample([frame], grey())
    new = before.after(before.mask([box(1, 1, 4, 4)], fill=Fill.BOX)).source.frame(0)
    assert (new[2:4, 2:4] == 0).all()
    assert (new[1, 1:5] == 31).all()


def test_bits_beside_the_value_go_too() -> None:
    form = grey(bits_allocated=16, bits_stored=12, high_bit=11)
    before = sample([np.full((8, 8), 5, np.uint16)], form)
    data = bytearray(before.data)
    data[13:-1:2] = b"\xf0" * len(data[13:-1:2])
    before = opened(bytes(data), before.header, before.walker)
    after = before.after(before.mask([box(0, 0, 3, 3)]))
    bits = after.source.overlay_bits(0)
    assert not bits[:3, :3].any()
    assert bits[4:, 4:-1].all()


def test_smallest_and_largest_stay_true() -> None:
    frame = np.arange(10, 74, dtype=np.int16).reshape(8, 8) - 40
    form = grey(bits_allocated=16, bits_stored=16, high_bit=15, signed=True)
    present = frozenset((0x00280106, 0x00280107, 0x00280109, 0x00603000))
    before = sample([frame], form, smallest=-30, largest=33, present=present)
    masked = before.mask([box(7, 7, 1, 1)])
    assert masked.changed == {
        0x00280107: (32).to_bytes(2, "little"),
        0x00280109: None,
        0x00603000: None,
    }


def test_nothing_to_mask_changes_nothing() -> None:
    before = bundled("CT_small.dcm")
    kept = Region(boxes=(Box(0, 0, 9, 9),), verdict=Verdict.KEEP, rule="text: a laterality mark")
    masked = before.mask([kept, box(500, 500, 9, 9)])
    assert masked.frames == ()
    assert masked.changed == {}
    assert joined(masked) == before.data[before.element[2] : before.element[5]]


def test_a_mask_of_another_size_is_refused() -> None:
    before = bundled("CT_small.dcm")
    with pytest.raises(UnreadableInputError):
        before.mask(shapes={0: np.ones((3, 3), np.bool_)})


def test_what_is_masked_is_told() -> None:
    before = bundled("CT_small.dcm")
    masked = before.mask([box(1, 1, 9, 9), box(20, 20, 4, 4)])
    assert ("(7FE0,0010)", "text", "mask", "") in masked.entries


def test_samples_that_a_syntax_cannot_hold_go_to_review() -> None:
    before = bundled("SC_rgb_rle_32bit.dcm")
    form = replace(before.header.form, syntax=J + "80")
    other = replace(before.header, form=form)
    assert before.mask([box(1, 1, 9, 9)]).syntax.endswith(".5")
    with pytest.raises((NeedsReviewError, UnreadableInputError)):
        opened(before.data[before.element[2] : before.element[5]], other, before.walker).mask(
            [box(1, 1, 9, 9)]
        )


def test_native_syntaxes_are_the_known_ones() -> None:
    assert set(NATIVE) < set(SYNTAXES)


@pytest.mark.parametrize("untouched", [0, 1])
def test_frames_that_share_a_fragment_get_their_own(untouched: int) -> None:
    pictures = [smooth(16, 24, seed=seed) for seed in (1, 2)]
    coded = [jpeg(picture) for picture in pictures]
    both = b"".join(one + bytes(len(one) % 2) for one in coded)
    form = PixelFormat(rows=16, columns=24, syntax="1.2.840.10008.1.2.4.50", frames=2)
    for pieces in ([both, b""], [b"", both]):
        data = fragments(pieces)
        head, rest = data[:12], data[12:]
        table = 8 + int.from_bytes(rest[4:8], "little")
        data = head + b"\xfe\xff\x00\xe0\0\0\0\0" + rest[table:]
        before = opened(data, header_of(form), Walker(implicit=False, big=False))
        after = before.after(before.mask([box(0, 0, 8, 8, 1 - untouched)]))
        assert np.array_equal(after.source.frame(untouched), before.source.frame(untouched))
        assert len(np.unique(after.source.frame(1 - untouched)[:8, :8])) == 1
