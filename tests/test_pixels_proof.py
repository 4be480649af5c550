"""A masked JPEG is decoded again before it goes out: what failed is held, what worked is not."""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

import safelight
from mask_fixtures import fragments, header_of, jpeg, opened, smooth
from run_fixtures import sample as planted
from safelight.deid.boxes import Box, Region, Verdict
from safelight.deid.pixels import mask as objects
from safelight.deid.pixels import photojpeg, phototiff, tiffpack
from safelight.deid.pixels.jpegmask import mask_jpeg
from safelight.deid.pixels.jpegproof import compare, prove
from safelight.deid.pixels.photos import mask_photo
from safelight.dicomio.codecs import PixelFormat
from safelight.dicomio.walker import Walker
from safelight.errors import NeedsReviewError
from safelight.types import Kind
from strategies_pixels import regions

ROWS, COLUMNS = 50, 70
HERE = np.zeros((ROWS, COLUMNS), np.bool_)
HERE[8:24, 16:40] = True
REGION = Region(boxes=(Box(16, 8, 24, 16),), verdict=Verdict.MASK, rule="text")
KINDS: list[tuple[int, dict[str, Any]]] = [
    (1, {}),
    (1, {"progressive": True}),
    *((3, {"subsampling": kind}) for kind in (0, 1, 2)),
    (3, {"keep_rgb": True}),
]


def tiff(packing: str) -> bytes:
    out = io.BytesIO()
    Image.fromarray(smooth(ROWS, COLUMNS, 3)).save(out, "TIFF", compression=packing)
    return out.getvalue()


def nothing(data: bytes, *_args: object, **_options: object) -> bytes:
    """Stand in for a masker that masks nothing."""
    return data


@pytest.mark.parametrize(("samples", "options"), KINDS)
@settings(max_examples=25)
@given(data=st.data())
def test_what_was_masked_as_it_should_is_never_held(
    samples: int, options: dict[str, Any], data: st.DataObject
) -> None:
    rows, columns = data.draw(st.integers(1, 60)), data.draw(st.integers(1, 60))
    seed, quality = data.draw(st.integers(0, 99)), data.draw(st.integers(20, 98))
    photo = jpeg(smooth(rows, columns, samples, seed), quality=quality, **options)
    drawn = data.draw(regions(rows, columns, 1))
    mask_photo(Kind.JPEG, photo, drawn)


@pytest.mark.parametrize(("samples", "options"), KINDS)
def test_a_stream_that_still_shows_what_was_to_go_is_held(
    samples: int, options: dict[str, Any]
) -> None:
    photo = jpeg(smooth(ROWS, COLUMNS, samples), **options)
    prove(photo, mask_jpeg(photo, HERE), HERE)
    with pytest.raises(NeedsReviewError, match="left something"):
        prove(photo, photo, HERE)


def test_a_stream_that_changed_elsewhere_is_held() -> None:
    photo = jpeg(smooth(ROWS, COLUMNS, 3))
    more = HERE.copy()
    more[40:, 60:] = True
    with pytest.raises(NeedsReviewError, match="outside the mask"):
        prove(photo, mask_jpeg(photo, more), HERE)


def test_a_stream_that_cannot_be_decoded_is_held() -> None:
    photo = jpeg(smooth(ROWS, COLUMNS))
    done = mask_jpeg(photo, HERE)
    with pytest.raises(NeedsReviewError, match="decoded again"):
        prove(photo, done[: len(done) // 2], HERE)


def test_levels_of_twelve_bits_may_be_rounded_by_more() -> None:
    old = smooth(ROWS, COLUMNS).astype(np.uint16) * 16
    new = old.copy()
    new[HERE] = np.arange(HERE.sum()) % 60
    compare(old, new, HERE, HERE, bits=12)
    with pytest.raises(NeedsReviewError, match="left something"):
        compare(old, new, HERE, HERE, bits=8)
    compare(old, new, HERE, HERE, bits=8, flat=False)


@pytest.mark.parametrize(
    ("module", "name", "broken", "kind", "photo"),
    [
        (photojpeg, "mask_jpeg", nothing, Kind.JPEG, lambda: jpeg(smooth(ROWS, COLUMNS, 3))),
        (phototiff, "mask_jpeg", nothing, Kind.TIFF, lambda: tiff("jpeg")),
        (tiffpack, "pack", lambda pixels, page: PACK(pixels ^ 1, page), Kind.TIFF,
         lambda: tiff("tiff_lzw")),
    ],
)  # fmt: skip
def test_a_photo_whose_mask_did_not_come_out_goes_to_review(
    module: Any,
    name: str,
    broken: Callable[..., bytes],
    kind: Kind,
    photo: Callable[[], bytes],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert mask_photo(kind, photo(), [REGION])
    monkeypatch.setattr(module, name, broken)
    with pytest.raises(NeedsReviewError):
        mask_photo(kind, photo(), [REGION])


PACK = tiffpack.pack


def test_a_frame_whose_mask_did_not_come_out_goes_to_review(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    form = PixelFormat(
        rows=ROWS,
        columns=COLUMNS,
        frames=1,
        samples=1,
        bits_allocated=8,
        bits_stored=8,
        photometric="MONOCHROME2",
        syntax="1.2.840.10008.1.2.4.50",
    )
    coded = fragments([jpeg(smooth(ROWS, COLUMNS))])
    sample = opened(coded, header_of(form), Walker(implicit=False, big=False))
    assert sample.mask([REGION]).frames == (0,)
    monkeypatch.setattr(objects, "mask_jpeg", nothing)
    with pytest.raises(NeedsReviewError, match="left something"):
        sample.mask([REGION])


@pytest.mark.parametrize("syntax", ["1.2.840.10008.1.2.1", "1.2.840.10008.1.2.5"])
@pytest.mark.parametrize(
    ("broken", "why"),
    [
        (lambda frame, *_more, **_told: frame.copy(), "left something"),
        (lambda frame, *_more, **_told: np.zeros_like(frame), "outside"),
    ],
)
def test_an_object_is_decoded_again_and_compared(
    syntax: str,
    broken: Callable[..., Any],
    why: str,
    key_file: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    data = planted()
    if syntax.endswith(".5"):
        data.compress(syntax)
    box: dict[str, Any] = {"pixels": False, "mask": ["16,8,24,16"]}
    assert safelight.deidentify(data, key=key_file, **box)
    monkeypatch.setattr(objects, "blanked", broken)
    with pytest.raises(NeedsReviewError, match=why):
        safelight.deidentify(data, key=key_file, **box)
