"""Any de-identified input becomes a view, or says why it cannot."""

import gzip
import io
from typing import Any

import numpy as np
import pytest
from PIL import Image

from safelight.dicomio.limits import Limits
from safelight.errors import LimitExceededError, UnreadableInputError
from safelight.readers import tags
from safelight.readers.frames import unzipped
from safelight.readers.view import View, content
from safelight.types import Deidentified, FileSlice, Kind
from view_fixtures import bundled, clean, dicom, nifti, photo, view

RAMP = np.arange(64 * 48, dtype=np.uint16).reshape(64, 48)


def test_a_ct_slice_is_seen_with_what_its_header_says() -> None:
    seen = view(bundled("CT_small.dcm", PatientAge="045Y", BodyPartExamined="CHEST"))
    assert (seen.modality, seen.body_part, seen.frames) == ("CT", "CHEST", 1)
    assert (seen.age, seen.sex, seen.manufacturer) == (45, "O", "GE MEDICAL SYSTEMS")
    assert seen.picture().shape == (128, 128)
    assert seen.picture().dtype == np.uint8
    assert seen.rgb() is None
    assert seen.stored().dtype == np.int16
    assert seen.dataset is not None
    assert "PixelData" not in seen.dataset
    assert str(seen.dataset.PatientName) != "CompressedSamples^CT1"
    assert "Compressed" not in repr(seen)


def test_every_frame_of_a_multiframe_object_is_reached() -> None:
    seen = view(bundled("examples_ybr_color.dcm"))
    assert seen.frames == 30
    first, last = seen.rgb(0), seen.rgb(29)
    assert first is not None
    assert last is not None
    assert (first != last).any()
    with pytest.raises(UnreadableInputError, match="no such frame: it has 30"):
        seen.picture(30)
    with pytest.raises(UnreadableInputError, match="no such frame"):
        seen.picture(-1)


def test_a_film_that_stores_white_as_zero_is_shown_as_others_are() -> None:
    dark_first = view(dicom(RAMP, PhotometricInterpretation="MONOCHROME1")).picture()
    light_first = view(dicom(RAMP)).picture()
    assert np.array_equal(dark_first, 255 - light_first)


def test_signed_values_keep_their_sign() -> None:
    seen = view(dicom(RAMP.astype(np.int16) - 1000))
    assert seen.stored().min() == -1000
    assert seen.picture()[0, 0] == 0


def test_palette_and_rgb_are_colours_as_well_as_grey() -> None:
    table = np.arange(256, dtype="<u2") * 257
    palette: dict[str, Any] = {}
    for colour, levels in (("Red", table), ("Green", table // 2), ("Blue", table * 0)):
        palette[f"{colour}PaletteColorLookupTableDescriptor"] = [256, 0, 16]
        palette[f"{colour}PaletteColorLookupTableData"] = levels.tobytes()
    for data in (
        dicom(
            np.arange(72, dtype=np.uint8).reshape(8, 9),
            PhotometricInterpretation="PALETTE COLOR",
            **palette,
        ),
        dicom(np.full((8, 9, 3), (200, 0, 0), np.uint8), Modality="US"),
    ):
        seen = view(data)
        colours = seen.rgb()
        assert colours is not None
        assert colours.shape == (*seen.picture().shape, 3)


def test_objects_without_pixels_say_so() -> None:
    seen = view(bundled("reportsi.dcm"))
    assert (seen.frames, seen.modality) == (0, "SR")
    with pytest.raises(UnreadableInputError, match="no pixel data"):
        seen.picture()


def test_pixel_data_that_are_too_short_are_told_when_looked_at() -> None:
    # the engine would hold it back: readers say so too
    item = clean(dicom(RAMP))
    whole = content(item, Limits())
    rows = whole.index(b"\x28\x00\x10\x00US\x02\x00") + 8
    seen = View.of(relabelled(item, Kind.DICOM, [whole[:rows], b"\x80\x02", whole[rows + 2 :]]))
    assert seen.frames == 0
    with pytest.raises(UnreadableInputError, match="less pixel data"):
        seen.stored()
    assert "less pixel data" in seen.why_no_picture


@pytest.mark.parametrize(
    ("written", "years"),
    [
        ("045Y", 45),
        ("018M", 1.5),
        ("052W", 1),
        ("010D", 10 / 365.25),
        ("045", None),
        ("999Y", None),
    ],
)
def test_ages_are_years(written: str, years: float | None) -> None:
    assert tags.age_years(written) == pytest.approx(years, abs=0.01)


def test_odd_header_values_are_as_if_absent() -> None:
    seen = view(dicom(RAMP, PatientSex="X", PatientAge=""))
    assert (seen.age, seen.sex, seen.laterality) == (None, "", "")


def test_pages_of_a_tiff_and_frames_of_a_gif_are_frames() -> None:
    pages = [Image.new("L", (20, 10), level) for level in (0, 90, 200)]
    for form, kind in (("TIFF", Kind.TIFF), ("GIF", Kind.GIF)):
        out = io.BytesIO()
        pages[0].save(out, form, save_all=True, append_images=pages[1:])
        seen = view(out.getvalue(), kind)
        assert seen.frames == 3
        assert [int(seen.picture(n)[5, 5]) for n in range(3)] == [0, 90, 200]
        assert (seen.dataset, seen.modality, seen.age) == (None, "", None)


def test_a_photo_is_seen_the_right_way_up() -> None:
    pixels = np.zeros((10, 30), np.uint8)
    pixels[:, 20:] = 255
    exif = Image.Exif()
    exif[0x0112] = 6
    seen = view(photo(pixels, "JPEG", exif=exif.tobytes(), quality=95), Kind.JPEG)
    assert seen.picture().shape == (30, 10)
    assert seen.picture()[25:].mean() > 250


def test_an_alpha_channel_is_no_page() -> None:
    pixels = np.zeros((6, 7, 4), np.uint8)
    pixels[:3, :, 3] = 255
    assert view(photo(pixels), Kind.PNG).frames == 1


def test_slices_of_a_volume_are_turned_as_they_are_read() -> None:
    voxels = np.zeros((4, 5, 6), np.int16)
    voxels[3, 4, 2] = 100  # right, front in RAS+ order
    to_ras = np.eye(4)
    for data, kind in (
        (nifti(voxels, affine=to_ras), Kind.NIFTI),
        (gzip.compress(nifti(voxels)), Kind.NIFTI_GZ),
    ):
        seen = view(data, kind)
        assert seen.frames == 6
        # the patient's right is on the left of the picture, the front on top
        assert np.argwhere(seen.picture(2) == 255).tolist() == [[0, 0]]
        assert seen.picture(2).shape == (5, 4)


def test_the_picture_that_is_read_is_in_the_middle_of_its_volume() -> None:
    voxels = np.zeros((4, 5, 6, 4), np.int16)
    voxels[:, :, 3, 2] = np.arange(20).reshape(4, 5)
    seen = view(nifti(voxels, affine=np.eye(4)), Kind.NIFTI)
    assert seen.frames == 24
    assert seen.middle == 2 * 6 + 3  # not 12, which is the first slice of the third volume
    assert seen.picture(seen.middle).max() == 255
    assert view(photo(np.zeros((4, 4), np.uint8)), Kind.PNG).middle == 0


def test_sagittal_volumes_have_the_head_on_top_and_the_face_to_the_left() -> None:
    voxels = np.zeros((7, 5, 4), np.int16)  # i runs to the back, j to the head, k to the left
    voxels[0, 4, 1] = 9
    to_ras = np.array([[0, 0, -1, 0], [-1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 0, 1]], float)
    seen = view(nifti(voxels, affine=to_ras), Kind.NIFTI)
    assert seen.picture(1).shape == (5, 7)
    assert np.argwhere(seen.picture(1) == 255).tolist() == [[0, 0]]


def test_documents_have_no_picture_and_heif_cannot_be_decoded() -> None:
    # the engine passes neither on without a person; readers meet them all the same
    for kind, why in ((Kind.PDF, "a document has no picture"), (Kind.HEIF, "decode")):
        seen = View.of(relabelled(clean(photo(np.zeros((4, 4), np.uint8)), Kind.PNG), kind))
        assert seen.frames == 0
        with pytest.raises(UnreadableInputError, match=why):
            seen.picture()
    with pytest.raises(UnreadableInputError, match="no reader"):
        View.of(relabelled(clean(photo(np.zeros((4, 4), np.uint8)), Kind.PNG), Kind.ZIP))


def test_bytes_that_are_not_what_they_are_called_are_refused() -> None:
    png = clean(photo(np.zeros((4, 4), np.uint8)), Kind.PNG)
    for kind in (Kind.DICOM, Kind.NIFTI, Kind.NIFTI_GZ):
        with pytest.raises(UnreadableInputError):
            View.of(relabelled(png, kind))


def test_what_is_larger_than_the_limits_is_refused() -> None:
    item = clean(dicom(RAMP))
    with pytest.raises(LimitExceededError, match="decoded_bytes"):
        View.of(item, limits=Limits(decoded_bytes=1000))
    packed = gzip.compress(bytes(1 << 20))
    with pytest.raises(LimitExceededError, match="unpacks"):
        unzipped(packed, Limits(decoded_bytes=1 << 16))
    with pytest.raises(UnreadableInputError, match="truncated"):
        unzipped(packed[:-20], Limits())


def test_slices_are_read_from_their_files_and_a_changed_file_is_noticed(tmp_path: object) -> None:
    item = clean(dicom(RAMP))
    whole = content(item, Limits())
    path = f"{tmp_path}/a.bin"
    with open(path, "wb") as file:  # as the engine names files
        file.write(b"head" + whole[100:])
    sliced = relabelled(item, Kind.DICOM, [whole[:100], FileSlice(path, 4, len(whole) - 96)])
    assert View.of(sliced).picture().shape == (64, 48)
    with open(path, "wb") as file:  # as above
        file.write(b"short")
    with pytest.raises(UnreadableInputError, match="changed"):
        View.of(sliced)


def relabelled(
    item: Deidentified, kind: Kind, parts: list[bytes | FileSlice] | None = None
) -> Deidentified:
    """Return the same input under another kind, as only a fault elsewhere could make it."""
    changed = object.__new__(Deidentified)
    for name in ("acts", "manifest", "digest", "size", "painted"):
        object.__setattr__(changed, name, getattr(item, name))
    object.__setattr__(changed, "kind", kind)
    object.__setattr__(changed, "parts", tuple(parts) if parts is not None else item.parts)
    return changed
