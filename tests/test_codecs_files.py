"""Every bundled DICOM file: decoded as pydicom's own decoders do, or refused for a known reason."""

import warnings
from pathlib import Path

import numpy as np
import pydicom
import pytest

from pixel_fixtures import bundled, encapsulated, read
from safelight.errors import SafelightError, UnreadableInputError

# What pydicom, with the decoders of the development environment, cannot decode and we do.
OURS_ALONE = {
    "GDCMJ2K_TextGBR.dcm",
    "JPEG-lossy.dcm",
    "JPGExtended.dcm",
    "SC_rgb_jpeg_gdcm.dcm",
}
REFUSED = {
    "JPEG2000-embedded-sequence-delimiter.dcm": "its size is not what the header says",
    "badVR.dcm": "the frame count is no number",
}


def with_pixels() -> dict[str, Path]:
    """Return the bundled files that have pixel data which the walker finds."""
    found = {}
    for name, path in bundled().items():
        try:
            read(path)
        except UnreadableInputError as error:
            if name in REFUSED and REFUSED[name] in error.what:
                found[name] = path
        except SafelightError:
            continue
        else:
            found[name] = path
    return found


FILES = with_pixels()


def test_the_bundled_files_are_many() -> None:
    assert len(FILES) > 80
    assert FILES.keys() >= OURS_ALONE | REFUSED.keys()


@pytest.mark.parametrize("name", sorted(FILES.keys() - REFUSED.keys()))
def test_frames_are_what_pydicom_decodes(name: str) -> None:
    source = read(FILES[name])
    last = len(source) - 1
    frames = {index: source.frame(index).copy() for index in {0, last}}
    for frame in frames.values():
        assert frame.shape == source.form.shape
        assert frame.dtype == source.form.dtype
    if name in OURS_ALONE:
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        data = pydicom.dcmread(FILES[name], force=True)
        for index, frame in frames.items():
            theirs = pydicom.pixels.pixel_array(data, raw=True, index=index)
            assert theirs.shape == frame.shape
            assert np.array_equal(theirs, frame)


@pytest.mark.parametrize("name", sorted(REFUSED))
def test_what_is_broken_is_refused_with_a_reason(name: str) -> None:
    with pytest.raises(UnreadableInputError, match=REFUSED[name]):
        read(FILES[name]).frame(0)


@pytest.mark.parametrize(
    ("name", "colour"),
    [
        ("SC_rgb_jpeg_gdcm.dcm", "RGB"),
        ("SC_jpeg_no_color_transform.dcm", "RGB"),
        ("SC_jpeg_no_color_transform_2.dcm", "RGB"),
        ("SC_rgb_dcmtk_+eb+cr.dcm", "RGB"),
        ("SC_rgb_dcmtk_+eb+cy+np.dcm", "YBR_FULL"),
        ("SC_rgb_rle.dcm", "RGB"),
        ("SC_rgb_jpeg_app14_dcmd.dcm", "RGB"),
        ("SC_rgb_jls_lossy_line.dcm", "RGB"),
        ("SC_ybr_full_422_uncompressed.dcm", "YBR_FULL"),
        ("GDCMJ2K_TextGBR.dcm", "RGB"),
        ("examples_palette.dcm", "PALETTE COLOR"),
        ("CT_small.dcm", "MONOCHROME2"),
    ],
)
def test_colour_is_told_as_it_comes_out(name: str, colour: str) -> None:
    assert read(FILES[name]).colour(0) == colour


@pytest.mark.parametrize("stated", ["RGB", "YBR_FULL", "YBR_FULL_422"])
@pytest.mark.parametrize(
    ("name", "colour"),
    [("SC_rgb_small_odd_jpeg.dcm", "YBR_FULL"), ("SC_rgb_dcmtk_+eb+cr.dcm", "RGB")],
)
def test_markers_of_a_codestream_outweigh_the_header(name: str, colour: str, stated: str) -> None:
    assert read(FILES[name], photometric=stated).colour(0) == colour


def test_without_markers_the_header_decides_unless_colour_is_thinned() -> None:
    plain = FILES["SC_jpeg_no_color_transform.dcm"]
    assert read(plain, photometric="YBR_FULL").colour(0) == "YBR_FULL"
    assert read(plain, photometric="RGB").colour(0) == "RGB"
    source = read(plain, photometric="RGB")
    coded = bytearray(source.codestream(0))
    at = coded.find(b"\xff\xc0") + 11  # the first component's sampling factors
    coded[at] = 0x22
    assert encapsulated(source.form, bytes(coded)).colour(0) == "YBR_FULL"
