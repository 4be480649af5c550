"""Kept marks beside masked writing in a JPEG: they stay legible, nothing of the writing does."""

import io
from typing import Any

import cv2
import imagecodecs
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageDraw, ImageFont

from mask_fixtures import fragments, grown, header_of, jpeg, luma, opened, shown, smooth
from safelight.deid.boxes import Box, Region, Verdict
from safelight.deid.pixels import jpegcoder
from safelight.deid.pixels.jpegmask import covered, mask_jpeg
from safelight.deid.pixels.jpegspared import drawn
from safelight.deid.pixels.masks import Fill
from safelight.deid.pixels.photos import mask_photo
from safelight.dicomio.codecs import PixelFormat
from safelight.dicomio.walker import Walker
from safelight.types import Kind

ROWS, COLUMNS = 76, 93
MARK, WRITING = Box(21, 18, 16, 20), Box(18, 38, 43, 18)
REGIONS = (
    Region(boxes=(MARK,), verdict=Verdict.KEEP, rule="text: a mark of laterality"),
    Region(boxes=(WRITING,), verdict=Verdict.MASK, rule="text"),
)
KINDS: list[tuple[int, dict[str, Any]]] = [
    (1, {}),
    (1, {"progressive": True}),
    (3, {"subsampling": 0}),
    (3, {"subsampling": 1, "restart_marker_blocks": 3}),
    (3, {"subsampling": 2}),
    (3, {"subsampling": 2, "progressive": True}),
    (3, {"keep_rgb": True}),
]


def cut_of(box: Box) -> np.ndarray:
    found = np.zeros((ROWS, COLUMNS), np.bool_)
    found[box.y : box.y + box.h, box.x : box.x + box.w] = True
    return found


def marked(samples: int) -> tuple[np.ndarray, np.ndarray]:
    """Return a picture with a mark right above initials, and where the mark's ink is."""
    plain = smooth(ROWS, COLUMNS, samples, 5) // 3
    image, ink = Image.fromarray(plain), Image.new("L", (COLUMNS, ROWS))
    font = ImageFont.load_default(size=26)
    for canvas, colour in ((image, 235 if samples == 1 else (235, 235, 215)), (ink, 255)):
        ImageDraw.Draw(canvas).text((20, 12), "R", fill=colour, font=font)
    ImageDraw.Draw(image).text((20, 40), "QXV", fill=200 if samples == 1 else (200, 190, 255))
    return np.asarray(image), np.asarray(ink) > 128


def lost(before: np.ndarray, after: np.ndarray, ink: np.ndarray) -> float:
    """Return the share of the ink that turned dark."""
    light = [np.atleast_3d(one)[ink].max(-1).astype(float) for one in (before, after)]
    return float((light[1] < light[0] / 2).mean())


def within(mask: np.ndarray, data: bytes) -> np.ndarray:
    """Return the part of a mask whose colour no untouched MCU is mixed into."""
    return mask & ~grown(~covered(data, mask))


@pytest.mark.parametrize(("samples", "options"), KINDS)
@pytest.mark.parametrize("quality", [40, 75, 95])
def test_a_mark_stays_right_above_what_is_masked(
    samples: int, options: dict[str, Any], quality: int
) -> None:
    pixels, ink = marked(samples)
    data, mask = jpeg(pixels, quality=quality, **options), cut_of(WRITING)
    assert not (ink & mask).any()
    before = shown(data)
    assert lost(before, shown(mask_jpeg(data, mask)), ink) > 0.1  # in whole MCUs
    done = mask_jpeg(data, mask, keep=cut_of(MARK))
    assert lost(before, shown(done), ink) == 0
    stays = cut_of(MARK) & ~mask
    assert np.abs(luma(done).astype(int) - luma(data))[stays].mean() < (9 if quality < 75 else 5)
    assert luma(done)[mask].max() <= 1
    assert shown(done)[within(mask, data)].max() <= 4


@given(
    kind=st.sampled_from(KINDS),
    quality=st.sampled_from((4, 30, 75, 95, 100)),
    boxes=st.tuples(*(st.tuples(*(st.integers(0, 60),) * 2, *(st.integers(1, 40),) * 2),) * 2),
    bright=st.booleans(),
    seed=st.integers(0, 99),
)
def test_nothing_else_changes_and_all_of_the_mask_is_filled(
    kind: tuple[int, dict[str, Any]],
    quality: int,
    boxes: tuple[tuple[int, int, int, int], tuple[int, int, int, int]],
    *,
    bright: bool,
    seed: int,
) -> None:
    samples, options = kind
    data = jpeg(smooth(ROWS, COLUMNS, samples, seed), quality=quality, **options)
    mask, keep = (cut_of(Box(*one)) for one in boxes)
    done, units = mask_jpeg(data, mask, keep=keep, bright=bright), covered(data, mask)
    near = grown(units) if options.get("subsampling") else units
    assert np.array_equal(shown(done)[~near], shown(data)[~near])
    if "keep_rgb" not in options:
        assert np.array_equal(luma(done)[~units], luma(data)[~units])
    filled = shown(done)[within(mask, data)].astype(int)
    assert np.abs(filled - (255 if bright else 0)).max(initial=0) <= 4
    # an MCU away from any mark is flat throughout
    far = units & ~grown_by(keep, 24)
    assert np.abs(luma(done)[far].astype(int) - (255 if bright else 0)).max(initial=0) <= 1


def grown_by(mask: np.ndarray, by: int) -> np.ndarray:
    for _ in range(by):
        mask = grown(mask)
    return mask


def diagonal(place: int) -> tuple[int, int]:
    """Return where a coefficient comes in zigzag order (T.81 figure A.6)."""
    row, column = divmod(place, 8)
    return row + column, row if (row + column) % 2 else column


ORDER = sorted(range(64), key=diagonal)


def coefficients(samples: np.ndarray, table: np.ndarray) -> np.ndarray:
    """Return blocks of 8 x 8 samples as OpenCV transforms them, in zigzag order."""
    plain = np.stack([cv2.dct(one.astype(np.float64)).reshape(64)[ORDER] for one in samples])
    return np.rint(plain / table).astype(np.int16)


def decoded(blocks: np.ndarray, table: np.ndarray) -> np.ndarray:
    plain = np.zeros((len(blocks), 64))
    plain[:, ORDER] = blocks * table
    return np.stack([cv2.idct(one.reshape(8, 8)) for one in plain])


def test_what_is_hidden_has_no_influence() -> None:
    table, found = np.ones(64), 0
    cut = np.zeros((1, 8, 8), np.bool_)
    cut[0, 1:, :] = True
    cut[0, 0, 5:] = True
    whole = np.ones_like(cut)
    for seed in range(300):
        random = np.random.default_rng(seed)
        samples = random.integers(-90, 90, (1, 8, 8))
        other = np.where(cut, random.integers(-90, 90, cut.shape), samples)
        pair = [coefficients(one, table) for one in (samples, other)]
        looks = [np.rint(decoded(one, table)) for one in pair]
        if not np.array_equal(looks[0][~cut], looks[1][~cut]):  # rounded differently
            continue
        assert not np.array_equal(pair[0], pair[1])
        (one, stands), (two, _) = (drawn(each, cut, whole, table, (8, -1)) for each in pair)
        assert stands.all()
        assert np.array_equal(one, two)  # not a bit tells them apart
        assert np.abs(decoded(one, table) - looks[0])[~cut].max() < 4
        assert decoded(one, table)[cut].max() < -127
        found += 1
    assert found > 20


def test_a_block_that_nothing_cuts_is_as_it_was() -> None:
    table = np.arange(3.0, 67.0)
    blocks = coefficients(np.random.default_rng(1).integers(-90, 90, (3, 8, 8)), table)
    cut = np.zeros((3, 8, 8), np.bool_)
    cut[1, 4:] = True
    done, stands = drawn(blocks, cut, np.ones_like(cut), table, (8, 1))
    assert stands.all()
    assert np.array_equal(done[[0, 2]], blocks[[0, 2]])
    assert decoded(done, table)[1, 4:].min() > 126


def test_what_lies_past_the_picture_is_drawn_anew() -> None:
    # an encoder may have left anything there, a copy of what is masked too
    table, cut = np.ones(64), np.zeros((1, 8, 8), np.bool_)
    inside = np.zeros_like(cut)
    inside[:, :5, :6] = True
    cut[:, 3:5, :6] = True
    block = coefficients(np.random.default_rng(1).integers(-90, 90, (1, 8, 8)), table)
    done, stands = drawn(block, cut, inside, table, (8, -1))
    assert stands.all()
    assert decoded(done, table)[0, 5:].max() < -120
    right = decoded(done, table)[0, :3]
    assert np.abs(right[:, 6:] - right[:, 5:6]).max() < 3


@pytest.mark.parametrize("bits", [8, 12])
@pytest.mark.parametrize("fill", list(Fill))
@pytest.mark.parametrize("inverted", [False, True])
def test_a_mark_stays_in_an_object(bits: int, fill: Fill, *, inverted: bool) -> None:
    pixels, ink = marked(1)
    pixels = 255 - pixels if inverted else pixels
    scale = 1 << bits - 8
    data = bytes(
        imagecodecs.jpeg8_encode(pixels.astype(np.uint16) * scale, bitspersample=12, level=85)
        if bits > 8
        else jpeg(pixels, quality=85)
    )
    form = PixelFormat(
        rows=ROWS,
        columns=COLUMNS,
        bits_allocated=8 if bits == 8 else 16,
        bits_stored=bits,
        high_bit=bits - 1,
        photometric="MONOCHROME1" if inverted else "MONOCHROME2",
        syntax="1.2.840.10008.1.2.4.5" + ("0" if bits == 8 else "1"),
        vr=b"OB" if bits == 8 else b"OW",
    )
    before = opened(fragments([data]), header_of(form), Walker(implicit=False, big=False))
    masked = before.mask(REGIONS, fill=fill)
    old, new = (one.source.frame(0).astype(int) for one in (before, before.after(masked)))
    dark = (256 * scale - 1) * inverted
    assert lost(np.abs(old - dark), np.abs(new - dark), ink) == 0
    assert np.abs(new[cut_of(WRITING) & grown_by(cut_of(MARK), 8)] - dark).max() <= 2 * scale
    flat = before.after(before.mask(REGIONS[1:])).source.frame(0).astype(int)
    assert lost(np.abs(old - dark), np.abs(flat - dark), ink) > 0.1


@pytest.mark.parametrize(("samples", "options"), KINDS)
def test_a_mark_stays_in_a_photo(samples: int, options: dict[str, Any]) -> None:
    pixels, ink = marked(samples)
    data = jpeg(pixels, quality=85, **options)
    done = mask_photo(Kind.JPEG, data, REGIONS)
    assert lost(shown(data), shown(done), ink) == 0
    assert lost(shown(data), shown(mask_photo(Kind.JPEG, data, REGIONS[1:])), ink) > 0.1
    assert luma(done)[cut_of(WRITING)].max() <= 1


@pytest.mark.parametrize("samples", [1, 3])
def test_a_mark_stays_in_a_tiff(samples: int) -> None:
    pixels, ink = marked(samples)
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "TIFF", compression="jpeg", tiffinfo={278: 48})
    before, after = shown(out.getvalue()), shown(mask_photo(Kind.TIFF, out.getvalue(), REGIONS))
    assert lost(before, after, ink) == 0
    flat = shown(mask_photo(Kind.TIFF, out.getvalue(), REGIONS[1:]))
    assert lost(before, flat, ink) > 0.1
    assert after[cut_of(WRITING) & ~grown(~cut_of(WRITING))].max() <= 4


def test_what_is_too_large_to_be_decoded_is_flat(monkeypatch: pytest.MonkeyPatch) -> None:
    data, mask = jpeg(marked(1)[0]), cut_of(WRITING)
    assert mask_jpeg(data, mask, keep=cut_of(MARK)) != mask_jpeg(data, mask)
    monkeypatch.setattr(jpegcoder, "_LARGEST", 1)
    assert mask_jpeg(data, mask, keep=cut_of(MARK)) == mask_jpeg(data, mask)


def parted(data: bytes, *wanted: int) -> bytes:
    """Return the segments of these markers that stand before the scan."""
    found, at = b"", 2
    while data[at + 1] != 0xDA:
        stop = at + 2 + int.from_bytes(data[at + 2 : at + 4], "big")
        found += data[at:stop] if data[at + 1] in wanted else b""
        at = stop
    return found


@pytest.mark.parametrize("optimize", [False, True])
@pytest.mark.parametrize("samples", [1, 3])
def test_tables_that_streams_share_stay_as_they_are(samples: int, *, optimize: bool) -> None:
    # strips of a TIFF: decoders load what they share once, and what one of them brings stays loaded
    whole = jpeg(marked(samples)[0], optimize=optimize, quality=90)
    tables, own = parted(whole, 0xDB, 0xC4), parted(whole, 0xC0)
    scan = whole[whole.index(b"\xff\xda") :]
    strip, mask = b"\xff\xd8" + own + scan, cut_of(WRITING)
    shared = b"\xff\xd8" + tables + b"\xff\xd9"
    done = mask_jpeg(strip, mask, photometric="", tables=shared, keep=cut_of(MARK))
    assert luma(b"\xff\xd8" + tables + done[2:])[mask].max() <= 1
    after = b"\xff\xd8" + tables + parted(done, 0xC4) + own + scan
    plain = b"\xff\xd8" + tables + own + scan
    assert np.array_equal(shown(after), shown(plain))
