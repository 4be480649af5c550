"""Masks by hand, and what follows the boxes: overlay planes and icons."""

import numpy as np
import pytest

from mask_fixtures import LIMITS, header_of
from safelight.deid.boxes import Box, Region, Verdict
from safelight.deid.pixels.handmade import parse_box, read_templates, regions_for
from safelight.deid.pixels.headerparts import Overlay
from safelight.deid.pixels.icons import mask_icon, mask_overlays, scaled
from safelight.dicomio.codecs import PixelFormat
from safelight.dicomio.walker import Walker
from safelight.errors import SettingsError

FORM = PixelFormat(rows=480, columns=640, samples=3, photometric="RGB")
LITTLE = Walker(implicit=False, big=False)


def masked(*boxes: Box, frames: tuple[int, ...] = ()) -> Region:
    return Region(boxes=boxes, verdict=Verdict.MASK, rule="text", frames=frames)


def test_a_box_is_read() -> None:
    assert parse_box("1, 2,30,4") == Region(
        boxes=(Box(1, 2, 30, 4),), verdict=Verdict.MASK, rule="by hand"
    )
    assert parse_box("1,2,3,4@0-2,7").frames == (0, 1, 2, 7)


@pytest.mark.parametrize(
    "text", ["", "1,2,3", "1,2,3,0", "-1,2,3,4", "a,b,c,d", "1,2,3,4@", "1,2,3,4@9-2", "1,2,3,4@x"]
)
def test_another_text_is_no_box(text: str) -> None:
    with pytest.raises(SettingsError):
        parse_box(text)


TOML = b"""
[[mask]]
name = "banner of model 7"
boxes = [[0, 0, 640, 40], [500, 440, 140, 40]]
modality = "US"
manufacturer = "acme*"
rows = 480
columns = 640
"""


def test_templates_are_for_their_kind_of_image() -> None:
    templates = read_templates(TOML)
    header = header_of(FORM, modality="US", manufacturer="ACME Imaging")
    (region,) = regions_for(templates, header, (480, 640))
    assert region.rule == "template banner of model 7"
    assert region.boxes == (Box(0, 0, 640, 40), Box(500, 440, 140, 40))
    other = header_of(FORM, modality="US", manufacturer="Other")
    assert regions_for(templates, other, (480, 640)) == []
    assert regions_for(templates, header, (480, 641)) == []
    assert regions_for(templates, None, (480, 640)) == []


def test_a_bracket_in_a_template_is_a_bracket() -> None:
    (template,) = read_templates(
        b'[[mask]]\nname = "s"\nboxes = [[1, 2, 3, 4]]\nmodel = "sono [e9] *"\n'
    )
    assert template.means(header_of(FORM, model="Sono [E9] R2"), (9, 9))
    assert not template.means(header_of(FORM, model="Sono e R2"), (9, 9))


def test_templates_may_be_json_and_for_photos() -> None:
    templates = read_templates(b'{"mask": [{"name": "s", "boxes": [[1,2,3,4]], "rows": 9}]}')
    assert len(regions_for(templates, None, (9, 20))) == 1


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[",
        b"\xff",
        b'{"mask": []}',
        b'{"mask": [{"name": "DOE\\u0000", "boxes": [[1,2,3,4]]}]}',
        b'{"mask": [{"name": "a", "boxes": [[1,2,3]]}]}',
        b'{"mask": [{"name": "a", "boxes": [[1,2,3,true]]}]}',
        b'{"mask": [{"name": "a", "boxes": [[1,2,3,4]], "colour": "red"}]}',
        b'{"mask": [{"name": "a", "boxes": [[1,2,3,4]], "rows": "9"}]}',
        b'{"mask": [{"name": "a", "boxes": [[1,2,3,4]], "frames": [-1]}]}',
        b'{"mask": [{"name": "a", "boxes": [[1,2,3,4]], "model": 4}]}',
        b'{"mask": ["a"]}',
    ],
)
def test_a_mask_file_that_makes_no_sense_is_refused(data: bytes) -> None:
    with pytest.raises(SettingsError):
        read_templates(data)


@pytest.mark.parametrize("big", [False, True])
def test_overlays_follow_the_boxes(big: bool) -> None:  # noqa: FBT001 - a parameter of the test
    full = b"\xff" * 32
    plane = Overlay(group=0x6000, rows=16, columns=16, origin=(5, 5), data=full, big=big)
    header = header_of(FORM, overlays=(plane,))
    found = mask_overlays(header, [masked(Box(0, 0, 6, 6), frames=(2,))])
    raw = np.frombuffer(found[0x60003000], np.uint8)
    raw = raw.reshape(-1, 2)[:, ::-1].reshape(-1) if big else raw
    bits = np.unpackbits(raw, bitorder="little").reshape(16, 16)
    assert not bits[:2, :2].any()
    assert bits.sum() == 256 - 4
    assert mask_overlays(header, [masked(Box(300, 300, 6, 6))]) == {}


def test_overlays_of_frames_are_masked_apart_and_in_any_form() -> None:
    plane = Overlay(group=0x6002, rows=8, columns=8, frames=2, data=b"\xff" * 16)
    header = header_of(FORM, overlays=(plane,))
    shape = np.zeros((480, 640), np.bool_)
    shape[3, 4] = True
    found = mask_overlays(header, [masked(Box(0, 0, 8, 8), frames=(0,))], {1: shape})
    bits = np.unpackbits(np.frombuffer(found[0x60023000], np.uint8), bitorder="little")
    assert bits[:64].sum() == 0
    assert bits[64:].sum() == 63


def icon(pixels: np.ndarray) -> bytes:
    def us(tag: int, value: int) -> bytes:
        group, number = (tag >> 16).to_bytes(2, "little"), (tag & 0xFFFF).to_bytes(2, "little")
        return group + number + b"US\x02\0" + value.to_bytes(2, "little")

    rows, columns = pixels.shape
    photometric = b"\x28\0\x04\0CS\x0c\0MONOCHROME2 "
    head = us(0x00280002, 1) + photometric + us(0x00280010, rows) + us(0x00280011, columns)
    bits = us(0x00280100, 8) + us(0x00280101, 8) + us(0x00280102, 7) + us(0x00280103, 0)
    value = pixels.tobytes()
    return head + bits + b"\xe0\x7f\x10\0OB\0\0" + len(value).to_bytes(4, "little") + value


def test_an_icon_follows_the_boxes() -> None:
    pixels = np.arange(48 * 64, dtype=np.uint32).reshape(48, 64).astype(np.uint8)
    whole = icon(pixels)
    done = mask_icon(whole, LITTLE, [masked(Box(100, 100, 50, 30))], (480, 640), LIMITS)
    assert done is not None
    assert len(done) == len(whole)
    new = np.frombuffer(done[-48 * 64 :], np.uint8).reshape(48, 64)
    assert (new[10:13, 10:15] == 0).all()
    assert np.array_equal(new[20:], pixels[20:])


def test_an_icon_goes_where_it_cannot_follow() -> None:
    whole = icon(np.zeros((4, 4), np.uint8))
    shape = {0: np.ones((480, 640), np.bool_)}
    assert mask_icon(whole, LITTLE, [], (480, 640), LIMITS, shapes=shape) is None
    assert mask_icon(whole[:-28], LITTLE, [], (480, 640), LIMITS) is None


def test_scaled_boxes_cover_what_they_covered() -> None:
    (region,) = scaled([masked(Box(0, 0, 10, 10), frames=(3,))], (480, 640), (48, 64))
    assert region.boxes == [Box(-1, -1, 3, 3)]
    assert region.frames == ()
