"""What a header says of its pixels, and the levels a viewer shows."""

import struct
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from mask_fixtures import LIMITS, bundled, header_of
from safelight.deid.boxes import Box
from safelight.deid.pixels.header import PixelHeader
from safelight.deid.pixels.headerparts import Look
from safelight.deid.pixels.render import render, to_rgb
from safelight.deid.pixels.tables import Table
from safelight.dicomio.codecs import PixelFormat
from safelight.dicomio.walker import Walker
from safelight.errors import LimitExceededError, UnreadableInputError

LITTLE = Walker(implicit=False, big=False)
EXPLICIT = "1.2.840.10008.1.2.1"


def us(*values: int) -> bytes:
    return struct.pack(f"<{len(values)}H", *values)


def element(tag: int, vr: bytes, value: bytes) -> bytes:
    head = us(tag >> 16, tag & 0xFFFF) + vr
    if vr == b"SQ":
        return head + b"\0\0" + len(value).to_bytes(4, "little") + value
    return head + us(len(value)) + value


def item(*elements: bytes) -> bytes:
    body = b"".join(elements)
    return b"\xfe\xff\x00\xe0" + len(body).to_bytes(4, "little") + body


def values(**more: bytes) -> dict[int, bytes]:
    found = {
        0x00280002: us(1),
        0x00280004: b"MONOCHROME2 ",
        0x00280010: us(4),
        0x00280011: us(6),
        0x00280100: us(16),
        0x00280101: us(12),
        0x00280102: us(11),
        0x00280103: us(0),
    }
    return found | {int(tag[1:], 16): value for tag, value in more.items()}


def read(found: dict[int, bytes]) -> PixelHeader:
    return PixelHeader.read(found, LITTLE, EXPLICIT, LIMITS)


def test_the_shape_is_read() -> None:
    form = read(values()).form
    assert (form.rows, form.columns, form.bits_stored, form.high_bit) == (4, 6, 12, 11)


def test_windows_of_frames_come_from_functional_groups() -> None:
    def group(centre: bytes) -> bytes:
        window = element(0x00281050, b"DS", centre) + element(0x00281051, b"DS", b"100 ")
        return item(element(0x00289132, b"SQ", item(window)))

    rescale = element(0x00281052, b"DS", b"-5") + element(0x00281053, b"DS", b"2 ")
    shared = item(element(0x00289145, b"SQ", item(rescale)))
    found = values(t52009229=shared, t52009230=group(b"10") + group(b"20"), t00280008=b"2 ")
    header = read(found)
    assert header.look(0).windows == ((10.0, 100.0),)
    assert header.look(1).windows == ((20.0, 100.0),)
    assert {look.intercept for look in header.looks} == {-5.0}


def test_ultrasound_regions_are_read() -> None:
    body = element(0x00186012, b"US", us(1)) + element(0x00186014, b"US", us(2))
    for tag, value in zip(range(0x00186018, 0x00186020, 2), (3, 4, 9, 8), strict=True):
        body += element(tag, b"UL", value.to_bytes(4, "little"))
    (region,) = read(values(t00186011=item(body))).regions
    assert region.box == Box(3, 4, 7, 5)
    assert (region.spatial_format, region.data_type) == (1, 2)


def test_the_representation_shows_no_value() -> None:
    found = values(t0020000E=b"1.2.3.4711", t00080070=b"DOE")
    header = read(found)
    assert header.series == "1.2.3.4711"
    assert "4711" not in repr(header)
    assert "DOE" not in repr(header)


@pytest.mark.parametrize("tag", ["t00280010", "t00280011", "t00280100"])
def test_a_missing_size_is_an_error(tag: str) -> None:
    with pytest.raises(UnreadableInputError):
        read(values(**{tag: us(0)}))


def test_a_lying_number_of_frames_is_refused() -> None:
    with pytest.raises(LimitExceededError):
        read(values(t00280008=b"99999999"))


def test_garbage_in_optional_fields_is_passed_over() -> None:
    found = values(t00281050=b"nan\\x", t00281051=b"1e999", t00281101=us(1))
    header = read(found)
    assert header.look(0).windows == ()
    assert header.palettes is None


def grey(**more: Any) -> PixelHeader:
    form = PixelFormat(
        rows=16, columns=16, bits_allocated=16, bits_stored=16, high_bit=15, syntax=EXPLICIT
    )
    form = replace(form, **{key: more.pop(key) for key in list(more) if hasattr(form, key)})
    return replace(header_of(form), **more)


RAMP = np.arange(256, dtype=np.uint16).reshape(16, 16) * 16


def test_a_window_is_applied() -> None:
    header = grey(looks=(Look(windows=((2048, 1024),), slope=1.0),))
    shown = render(RAMP, header, "MONOCHROME2").grey
    assert shown[RAMP <= 2048 - 512].max() == 0
    assert shown[RAMP >= 2048 + 512].min() == 255
    assert abs(int(shown[8, 0]) - 128) <= 1


def test_a_window_that_shows_nothing_is_not_used() -> None:
    header = grey(looks=(Look(windows=((60000, 10),)),))
    assert np.ptp(render(RAMP, header, "MONOCHROME2").grey) == 255


def test_a_window_can_be_passed_over() -> None:
    header = grey(looks=(Look(windows=((2048, 64),)),))
    assert len(np.unique(render(RAMP, header, "MONOCHROME2").grey)) < 10
    assert len(np.unique(render(RAMP, header, "MONOCHROME2", full=True).grey)) > 200


def test_monochrome1_is_turned() -> None:
    one = render(RAMP, grey(photometric="MONOCHROME1"), "MONOCHROME1").grey
    two = render(RAMP, grey(), "MONOCHROME2").grey
    assert np.array_equal(one, 255 - two)


def test_padding_is_dark_and_takes_no_part_in_the_range() -> None:
    frame = RAMP.copy()
    frame[0] = 60000
    shown = render(frame, grey(padding=(60000, 60000)), "MONOCHROME2").grey
    assert not shown[0].any()
    assert shown[1:].max() == 255


@pytest.mark.parametrize("kind", [np.float32, np.float64, np.int32, np.uint32])
def test_wide_values_are_stretched(kind: type) -> None:
    frame = RAMP.astype(kind)
    if frame.dtype.kind == "f":
        frame[0, 0] = np.nan
    shown = render(frame, grey(), "MONOCHROME2").grey
    assert (shown.min(), shown.max()) == (0, 255)
    assert shown[4, 0] < shown[8, 0] < shown[12, 0]


def test_a_flat_frame_is_a_picture_too() -> None:
    assert render(np.zeros((16, 16), np.uint16), grey(), "MONOCHROME2").grey.shape == (16, 16)


def test_palette_text_of_like_indices_is_seen() -> None:
    dark = bytes(range(256))
    light = bytearray(dark)
    light[231], light[244] = 255, 0
    table = Table(entries=256, first=0, bits=8, data=bytes(light))
    frame = np.full((16, 16), 244, np.uint8)
    frame[4:8, 4:8] = 231
    header = grey(photometric="PALETTE COLOR", palettes=(table,) * 3)
    shown = render(frame, header, "PALETTE COLOR")
    assert shown.rgb is not None
    assert int(shown.grey[5, 5]) - int(shown.grey[0, 0]) == 255


def test_segmented_palettes_are_expanded() -> None:
    # discrete 0 0; linear to 300 in 3 steps; the first segment once more
    words = [0, 2, 0, 0, 1, 3, 300, 2, 1, 0, 0]
    table = Table(entries=7, first=0, bits=16, data=us(*words), segmented=True)
    assert table.values().tolist() == [0, 0, 100, 200, 300, 0, 0]
    with pytest.raises(UnreadableInputError):
        replace(table, data=us(9, 9, 9)).values()
    with pytest.raises(UnreadableInputError):
        replace(table, entries=60).values()


@pytest.mark.parametrize(
    ("colour", "pixel", "wanted"),
    [
        ("RGB", (1, 2, 3), (1, 2, 3)),
        ("YBR_FULL", (0, 128, 128), (0, 0, 0)),
        ("YBR_FULL", (255, 128, 128), (255, 255, 255)),
        ("YBR_PARTIAL_422", (16, 128, 128), (0, 0, 0)),
        ("YBR_PARTIAL_422", (235, 128, 128), (255, 255, 255)),
        ("CMYK", (0, 0, 0, 255), (0, 0, 0)),
        ("ARGB", (9, 1, 2, 3), (1, 2, 3)),
    ],
)
def test_colours(colour: str, pixel: tuple[int, ...], wanted: tuple[int, ...]) -> None:
    frame = np.full((2, 2, len(pixel)), pixel, np.uint8)
    assert np.allclose(to_rgb(frame, colour, 8), wanted, atol=1)


@pytest.mark.parametrize(
    "name", ["CT_small.dcm", "examples_palette.dcm", "examples_overlay.dcm", "SC_rgb_small_odd.dcm"]
)
def test_real_files_are_shown(name: str) -> None:
    found = bundled(name)
    shown = render(found.source.frame(0), found.header, found.source.colour(0))
    assert shown.grey.shape == (found.header.rows, found.header.columns)
    assert np.ptp(shown.grey) > 50
