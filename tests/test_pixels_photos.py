"""Photos masked in their own format: all frames and pages, and nothing else in them."""

import importlib
import io
import tracemalloc
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from mask_fixtures import jpeg, shown, smooth
from safelight.deid.boxes import Box, Region, Verdict
from safelight.deid.pixels.masks import Fill, Masks
from safelight.deid.pixels.photos import mask_photo, picture
from safelight.dicomio.limits import Limits
from safelight.errors import LimitExceededError, NeedsReviewError, UnreadableInputError
from safelight.types import Kind
from strategies_pixels import regions

LOOSE = {Kind.GIF, Kind.PNG, Kind.WEBP}  # animations are masked alike on all frames
CASES: list[tuple[Kind, str, dict[str, Any]]] = [
    *((Kind.PNG, mode, {}) for mode in ("1", "L", "LA", "P", "RGB", "RGBA", "I;16")),
    *((Kind.BMP, mode, {}) for mode in ("1", "L", "P", "RGB", "RGBA")),
    *((Kind.GIF, mode, {}) for mode in ("1", "L", "P", "RGB")),
    *((Kind.WEBP, mode, {"lossless": lossless}) for mode in ("RGB", "RGBA") for lossless in (0, 1)),
    *((Kind.TIFF, mode, {}) for mode in ("1", "L", "LA", "P", "RGB", "RGBA", "I;16", "F", "CMYK")),
    *(
        (Kind.TIFF, "RGB", {"compression": packing, "tiffinfo": {278: 5}})
        for packing in ("tiff_lzw", "tiff_adobe_deflate", "packbits", "zstd", "lzma")
    ),
    (Kind.TIFF, "RGB", {"compression": "tiff_lzw", "tiffinfo": {317: 2}}),
    (Kind.TIFF, "I;16", {"compression": "tiff_adobe_deflate", "tiffinfo": {317: 2}}),
    *((Kind.TIFF, "1", {"compression": packing}) for packing in ("group3", "group4")),
]


def made(mode: str, rows: int, columns: int, seed: int) -> Image.Image:
    random = np.random.default_rng(seed)
    if mode == "1":
        return Image.fromarray(random.random((rows, columns)) > 0.5)
    if mode == "I;16":
        return Image.fromarray(random.integers(0, 65536, (rows, columns)).astype(np.uint16))
    if mode == "F":
        return Image.fromarray(random.normal(size=(rows, columns)).astype(np.float32))
    bands = len(Image.new(mode, (1, 1)).getbands())
    pixels = smooth(rows, columns, max(bands, 1), seed)
    if mode == "P":
        found = Image.frombytes("P", (columns, rows), (pixels % 19).tobytes())
        found.putpalette(random.integers(0, 256, 768).astype(np.uint8).tobytes())
        return found
    return Image.frombytes(mode, (columns, rows), pixels.tobytes())


def frames(data: bytes) -> list[np.ndarray]:
    found = []
    with Image.open(io.BytesIO(data)) as image:
        for number in range(getattr(image, "n_frames", 1)):
            image.seek(number)
            image.load()
            wanted = image.mode == "P" or image.format == "WEBP"
            plain = image.convert("RGBA") if wanted else image
            found.append(np.array(plain))
    return found


@pytest.mark.parametrize(("kind", "mode", "options"), CASES)
@settings(max_examples=8)
@given(data=st.data())
def test_only_what_is_masked_changes(
    kind: Kind, mode: str, options: dict[str, Any], data: st.DataObject
) -> None:
    rows, columns = data.draw(st.integers(1, 50)), data.draw(st.integers(1, 50))
    count = 1 if kind is Kind.BMP else data.draw(st.integers(1, 3))
    images = [made(mode, rows, columns, data.draw(st.integers(0, 99))) for _ in range(count)]
    out = io.BytesIO()
    more = {} if kind is Kind.BMP else {"save_all": True, "append_images": images[1:]}
    images[0].save(out, kind.value.upper(), **more, **options)
    before = frames(out.getvalue())
    drawn = data.draw(regions(rows, columns, len(before)))
    after = frames(mask_photo(kind, out.getvalue(), drawn))
    assert len(before) == len(after)
    whole = Masks(rows=rows, columns=columns, frames=len(before), regions=drawn)
    together = whole.sized(rows, columns, 1, together=True)
    for number, (old, new) in enumerate(zip(before, after, strict=True)):
        mask = together.of(0) if kind in LOOSE else whole.of(number)
        assert np.array_equal(old[~mask], new[~mask])
        inside = new[mask]
        assert not len(inside) or (inside == inside[0]).all()


@pytest.mark.parametrize("bits", [1, 2, 4])
def test_png_of_few_bits(bits: int) -> None:
    picture_in = Image.frombytes("P", (11, 9), bytes(n % (1 << bits) for n in range(99)))
    picture_in.putpalette([200, 200, 200, 9, 9, 9, 90, 0, 0, 255, 255, 255])
    out = io.BytesIO()
    picture_in.save(out, "PNG", bits=bits)
    done = mask_photo(Kind.PNG, out.getvalue(), [masked(2, 2, 5, 5)])
    new = shown(done)
    assert (new[2:7, 2:7] == 1).all()
    assert np.array_equal(new[7:], shown(out.getvalue())[7:])


def masked(x: int, y: int, w: int, h: int, *numbers: int) -> Region:
    return Region(boxes=(Box(x, y, w, h),), verdict=Verdict.MASK, rule="text", frames=numbers)


def test_png_interlaced_and_sixteen_bits() -> None:
    import imagecodecs  # noqa: PLC0415  # writes what Pillow cannot

    pixels = np.arange(20 * 30 * 3, dtype=np.uint16).reshape(20, 30, 3) * 31
    data = bytes(imagecodecs.png_encode(pixels))
    done = imagecodecs.png_decode(mask_photo(Kind.PNG, data, [masked(3, 4, 9, 5)]))
    assert not done[4:9, 3:12].any()
    done[4:9, 3:12] = pixels[4:9, 3:12]
    assert np.array_equal(done, pixels)


def test_old_bytes_of_a_tiff_are_not_left_in_it() -> None:
    pixels = np.full((40, 64), 255, np.uint8)
    pixels[10:20, :] = np.frombuffer(b"NAMEOFSOMEONE---" * 4, np.uint8)
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "TIFF")
    assert b"NAMEOFSOMEONE" in out.getvalue()
    done = mask_photo(Kind.TIFF, out.getvalue(), [masked(0, 8, 64, 14)])
    assert b"NAMEOFSOMEONE" not in done


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", [Kind.JPEG, Kind.TIFF, Kind.PNG])
def test_a_box_on_the_upright_picture_leads_back(kind: Kind, orientation: int) -> None:
    pixels = np.zeros((48, 32), np.uint8)
    pixels[8:16, 16:32] = 255
    exif = Image.Exif()
    exif[0x0112] = orientation
    out = io.BytesIO()
    options = {"quality": 100} if kind is Kind.JPEG else {}
    Image.fromarray(pixels).save(out, kind.value.upper(), exif=exif, **options)
    (found,) = picture(kind, out.getvalue())
    assert found.grey.shape == pixels.shape
    upright = found.upright()
    assert upright.grey.shape == (pixels.shape if orientation < 5 else pixels.shape[::-1])
    rows, columns = np.nonzero(upright.grey > 128)
    box = Box(int(columns.min()), int(rows.min()), int(np.ptp(columns)) + 1, int(np.ptp(rows)) + 1)
    assert upright.stored(box) == Box(16, 8, 16, 8)
    done = mask_photo(kind, out.getvalue(), [masked(16, 8, 16, 8)])
    assert not picture(kind, done)[0].grey.any()


def test_text_in_an_alpha_channel_is_a_picture_of_its_own() -> None:
    pixels = np.zeros((9, 9, 4), np.uint8)
    pixels[2:4, 2:4, 3] = 255
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "PNG")
    assert [one.source for one in picture(Kind.PNG, out.getvalue())] == ["pixels", "alpha"]
    done = mask_photo(Kind.PNG, out.getvalue(), [masked(0, 0, 9, 9)])
    assert [one.source for one in picture(Kind.PNG, done)] == ["pixels"]


def test_pages_are_masked_apart() -> None:
    pages = [made("L", 20, 20, seed) for seed in (1, 2, 3)]
    out = io.BytesIO()
    pages[0].save(out, "TIFF", save_all=True, append_images=pages[1:])
    after = frames(mask_photo(Kind.TIFF, out.getvalue(), [masked(0, 0, 9, 9, 1)]))
    assert [bool((one[:9, :9] == 0).all()) for one in after] == [False, True, False]


def test_a_box_has_an_edge() -> None:
    out = io.BytesIO()
    made("RGB", 20, 20, 1).save(out, "PNG")
    done = shown(mask_photo(Kind.PNG, out.getvalue(), [masked(2, 2, 9, 9)], fill=Fill.BOX))
    assert (done[2, 2:11] == 128).all()
    assert not done[3:10, 3:10].any()


def test_run_length_bitmaps_are_written_plain() -> None:
    palette = bytes((0, 0, 0, 0, 255, 255, 255, 0, 9, 200, 9, 0))
    runs = b"\x04\x01\x00\x00" + b"\x00\x03\x01\x00\x01\x00\x01\x01\x00\x00" + b"\x04\x01\x00\x01"
    header = b"BM" + (66 + len(runs)).to_bytes(4, "little") + bytes(4) + (66).to_bytes(4, "little")
    header += (40).to_bytes(4, "little") + (4).to_bytes(4, "little") + (3).to_bytes(4, "little")
    header += b"\x01\0\x08\0" + (1).to_bytes(4, "little") + len(runs).to_bytes(4, "little")
    header += bytes(8) + (3).to_bytes(4, "little") + bytes(4)
    data = header + palette + runs
    (done,) = frames(mask_photo(Kind.BMP, data, [masked(0, 0, 2, 1)]))
    (old,) = frames(data)
    assert old[0, 0].any()
    old[0, :2] = old[1, 1]
    assert np.array_equal(done, old)


def test_formats_without_a_writer_go_to_review() -> None:
    with pytest.raises(NeedsReviewError):
        mask_photo(Kind.HEIF, b"", [masked(0, 0, 1, 1)])
    with pytest.raises(NeedsReviewError):
        picture(Kind.HEIF, b"")


def test_a_picture_that_unpacks_to_too_much_is_refused() -> None:
    data = jpeg(smooth(64, 64))
    with pytest.raises(LimitExceededError):
        picture(Kind.JPEG, data, Limits(decoded_bytes=1000))
    with pytest.raises(LimitExceededError):
        mask_photo(Kind.JPEG, data, [masked(0, 0, 9, 9)], limits=Limits(decoded_bytes=1000))


@pytest.mark.parametrize("kind", [Kind.PNG, Kind.BMP, Kind.GIF, Kind.WEBP, Kind.TIFF, Kind.JPEG])
@settings(max_examples=40)
@given(cut=st.integers(0, 5000), at=st.integers(0, 5000), byte=st.integers(0, 255))
def test_damage_is_an_error_and_never_a_crash(kind: Kind, cut: int, at: int, byte: int) -> None:
    out = io.BytesIO()
    made("RGB", 20, 20, 1).save(out, kind.value.upper())
    whole = bytearray(out.getvalue())
    whole[at % len(whole)] = byte
    data = bytes(whole[: len(whole) - cut % len(whole)])
    for work in (lambda: mask_photo(kind, data, [masked(2, 2, 9, 9)]), lambda: picture(kind, data)):
        try:
            work()
        except (UnreadableInputError, NeedsReviewError, LimitExceededError):
            continue


def small_screen(columns: int, rows: int) -> bytes:
    """Return a GIF whose frame of 40 x 30 reaches over its screen."""
    out = io.BytesIO()
    made("L", 30, 40, 3).save(out, "GIF")
    data = bytearray(out.getvalue())
    data[6:10] = columns.to_bytes(2, "little") + rows.to_bytes(2, "little")
    return bytes(data)


def test_a_frame_beyond_its_screen_is_masked_where_it_is_shown() -> None:
    data = small_screen(40, 10)
    (old,) = frames(data)
    (new,) = frames(mask_photo(Kind.GIF, data, [masked(5, 15, 20, 9)]))
    assert old.shape == new.shape == (30, 40, 4)
    assert (new[15:24, 5:25] == new[15, 5]).all()
    new[15:24, 5:25] = old[15:24, 5:25]
    assert np.array_equal(old, new)


@pytest.mark.parametrize("kind", [Kind.BMP, Kind.GIF, Kind.PNG, Kind.TIFF, Kind.WEBP])
def test_what_a_mask_did_not_reach_is_found_out(
    kind: Kind, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = importlib.import_module(f"safelight.deid.pixels.photo{kind.value}")
    out = io.BytesIO()
    made("L", 20, 20, 1).convert("RGB").save(out, kind.value.upper(), lossless=True)
    honest = module.mask
    monkeypatch.setattr(  # as if the picture were smaller than readers show it
        module,
        "mask",
        lambda data, masks, *more: honest(
            data, replace(masks, regions=[masked(2, 2, 9, 4)]), *more
        ),
    )
    mask_photo(kind, out.getvalue(), [masked(2, 2, 9, 4)])
    with pytest.raises(NeedsReviewError, match="left something"):
        mask_photo(kind, out.getvalue(), [masked(2, 2, 9, 9)])


def test_a_border_is_proven_too() -> None:
    for kind in (Kind.PNG, Kind.TIFF, Kind.GIF):
        out = io.BytesIO()
        made("L", 20, 20, 1).save(out, kind.value.upper())
        assert mask_photo(kind, out.getvalue(), [masked(2, 2, 9, 9)], fill=Fill.BOX)


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA", "I;16", "F"])
def test_looking_takes_no_more_memory_than_the_limit(mode: str) -> None:
    out = io.BytesIO()
    made(mode, 1500, 1500, 1).save(out, "TIFF")
    data = out.getvalue()
    low, high = 1, 64
    while high - low > 1:  # the least that is enough, in MB
        middle = (low + high) // 2
        try:
            picture(Kind.TIFF, data, Limits(decoded_bytes=middle << 20))
        except LimitExceededError:
            low = middle
        else:
            high = middle
    tracemalloc.start()
    picture(Kind.TIFF, data, Limits(decoded_bytes=high << 20))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    decoded = 1500 * 1500 * (1 if mode == "L" else 4)  # by Pillow, which is not traced
    file = 2 * len(data)  # read, and as the decoder sees it
    assert peak + decoded < (high << 20) + file + (24 << 20)  # bands and what is imported
