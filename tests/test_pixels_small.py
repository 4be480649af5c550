"""Masks by hand: boxes and templates."""

import pytest

from mask_fixtures import header_of
from safelight.deid.boxes import Box, Region, Verdict
from safelight.deid.pixels.handmade import parse_box, read_templates, regions_for
from safelight.dicomio.codecs import PixelFormat
from safelight.errors import SettingsError

FORM = PixelFormat(rows=480, columns=640, samples=3, photometric="RGB")


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
