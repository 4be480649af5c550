"""JPEG: every corner that can name someone is emptied, and no pixel changes."""

import io
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from photo_fixtures import (
    CONTEXT,
    NEEDLE,
    PASSENGERS,
    RAW,
    WIDE,
    check_matrix,
    cleaned_bytes,
    context,
    exif_block,
    frames,
    holds_needle,
    icc_profile,
    jpeg_segments,
    noise,
    saved,
)
from safelight.deid.photos import clean
from safelight.errors import (
    LimitExceededError,
    QuarantineError,
    SafelightError,
    UnreadableInputError,
)
from safelight.types import Kind, Original

PLAIN = saved("JPEG")
ICC = icc_profile()
MPF = b"MPF\x00II*\x00\x08\x00\x00\x00" + RAW


def slack(marker: int) -> bytes:
    """Lengthen the first segment of a kind by a text that its own fields do not count."""
    at = PLAIN.index(bytes((0xFF, marker)))
    length = struct.unpack_from(">H", PLAIN, at + 2)[0]
    head = PLAIN[: at + 2] + struct.pack(">H", length + len(RAW))
    return head + PLAIN[at + 4 : at + 2 + length] + RAW + PLAIN[at + 2 + length :]


def jfif_thumbnail() -> bytes:
    pixels = RAW.ljust(15, b"!")
    body = b"JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x05\x01" + pixels
    return b"\xff\xd8\xff\xe0" + struct.pack(">H", len(body) + 2) + body + PLAIN[20:]


PLACES = {
    "COM": jpeg_segments(PLAIN, (0xFE, RAW), (0xFE, WIDE)),
    "APP1 EXIF.GPS": jpeg_segments(PLAIN, (0xE1, exif_block())),
    "APP1 EXIF.thumbnail": jpeg_segments(PLAIN, (0xE1, exif_block())),
    "APP1 EXIF.XPComment": jpeg_segments(PLAIN, (0xE1, exif_block())),
    "APP1 EXIF.MakerNote": jpeg_segments(PLAIN, (0xE1, exif_block())),
    "APP1 XMP": jpeg_segments(PLAIN, (0xE1, b"http://ns.adobe.com/xap/1.0/\x00<x>" + RAW)),
    "APP1 XMP extension": jpeg_segments(
        PLAIN, (0xE1, b"http://ns.adobe.com/xmp/extension/\x00" + RAW)
    ),
    "APP13 IPTC": jpeg_segments(PLAIN, (0xED, b"Photoshop 3.0\x008BIM\x04\x04\x00\x00" + RAW)),
    "APP2 MPF": jpeg_segments(PLAIN, (0xE2, MPF)) + jpeg_segments(PLAIN, (0xFE, RAW)),
    "APP2 ICC": saved("JPEG", icc_profile=ICC),
    "APP0 thumbnail": jpeg_segments(PLAIN, (0xE0, b"JFXX\x00\x10" + RAW)),
    "JFIF thumbnail": jfif_thumbnail(),
    "between segments": PLAIN[:20] + RAW + PLAIN[20:],
    "slack of segment DB": slack(0xDB),
    "slack of segment C0": slack(0xC0),
    "slack of segment DA": slack(0xDA),
    "empty APP9": jpeg_segments(PLAIN, (0xE9, b"")),
} | {f"APP{n}": jpeg_segments(PLAIN, (0xE0 + n, RAW)) for n in range(3, 16) if n != 13}


@pytest.mark.parametrize("place", PLACES)
def test_nothing_is_left_in(place: str) -> None:
    told = {"JFIF thumbnail": "APP0 thumbnail", "empty APP9": "APP9"}.get(place, place)
    check_matrix(lambda: PLACES[place], Kind.JPEG, PLAIN, place=told)


@pytest.mark.parametrize("what", PASSENGERS)
def test_a_passenger_after_the_end_is_left_behind(what: str) -> None:
    check_matrix(lambda: PLAIN + PASSENGERS[what], Kind.JPEG, PLAIN, place="after the end")


@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK", "YCbCr"])
@pytest.mark.parametrize("progressive", [False, True])
def test_kinds_of_jpeg_keep_their_pixels(mode: str, progressive: bool) -> None:  # noqa: FBT001 - a parameter of the test
    plain = saved("JPEG", noise(mode=mode), progressive=progressive, restart_marker_rows=1)
    loaded = jpeg_segments(plain, (0xFE, RAW), (0xE1, exif_block(1)))
    check_matrix(lambda: loaded, Kind.JPEG, plain, place="COM")


@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_right_way_up_is_kept(orientation: int) -> None:
    loaded = jpeg_segments(PLAIN, (0xE1, exif_block(orientation)))
    out, _ = cleaned_bytes(loaded, Kind.JPEG)
    with Image.open(io.BytesIO(out)) as image:
        exif = image.getexif()
        assert exif.get(0x0112, 1) == orientation
        assert set(exif) <= {0x0112}
        assert not exif.get_ifd(0x8825)


def test_colours_are_kept_and_the_profile_names_nobody() -> None:
    out, _ = cleaned_bytes(saved("JPEG", icc_profile=ICC), Kind.JPEG)
    with Image.open(io.BytesIO(out)) as image:
        profile = image.info["icc_profile"]
    assert not holds_needle(profile)
    assert profile[12:24] == ICC[12:24]


def test_a_long_profile_in_many_segments_is_kept() -> None:
    big = saved("JPEG", icc_profile=ICC)
    out, _ = cleaned_bytes(big, Kind.JPEG)
    assert out.count(b"ICC_PROFILE\x00") == 1


def test_a_damaged_profile_is_removed_and_told() -> None:
    loaded = jpeg_segments(PLAIN, (0xE2, b"ICC_PROFILE\x00\x01\x01" + RAW * 20))
    result = check_matrix(lambda: loaded, Kind.JPEG, PLAIN, place="APP2 ICC")
    assert any("profile" in note for note in result.notes)


def test_the_note_says_that_pixels_were_not_looked_at() -> None:
    _, result = cleaned_bytes(PLAIN, Kind.JPEG)
    assert "has not been looked for here" in result.notes[-1]


def test_a_plain_photo_comes_out_as_it_went_in() -> None:
    out, result = cleaned_bytes(PLAIN, Kind.JPEG)
    assert out == PLAIN
    assert not result.actions


def test_digests_are_keyed_and_name_no_value() -> None:
    _, result = cleaned_bytes(PLACES["COM"], Kind.JPEG)
    assert result.actions[0].digest == CONTEXT.key.digest(RAW)
    assert result.actions[0].rule == "photo metadata"


@pytest.mark.parametrize("cut", [2, 10, 100, -200, -3, -2, -1])
def test_a_truncated_photo_is_unreadable_and_says_where(cut: int) -> None:
    with pytest.raises(UnreadableInputError, match="at byte"):
        cleaned_bytes(PLAIN[:cut], Kind.JPEG)


def test_a_picture_inside_a_picture_is_refused() -> None:
    with pytest.raises(UnreadableInputError, match="second picture"):
        cleaned_bytes(PLAIN[:20] + PLAIN, Kind.JPEG)


def test_segments_without_end_reach_the_limit() -> None:
    loaded = jpeg_segments(PLAIN, *[(0xFE, RAW)] * 30)
    with pytest.raises(LimitExceededError):
        clean(Original(loaded, kind=Kind.JPEG), context(items=20))


def test_what_is_no_picture_is_refused() -> None:
    with pytest.raises(QuarantineError):
        cleaned_bytes(b"%PDF", Kind.PDF)


ALL = b"".join([PLACES["APP1 EXIF.GPS"][:-2], b"\xff\xfe\x00\x0f", RAW, b"\xff\xd9", RAW])


@given(
    st.lists(st.tuples(st.integers(0, len(ALL)), st.binary(min_size=1, max_size=4)), max_size=4),
    st.integers(0, len(ALL)),
)
def test_a_bent_photo_raises_nothing_but_safelight_errors(
    patches: list[tuple[int, bytes]], cut: int
) -> None:
    data = ALL
    for at, patch in patches:
        data = data[:at] + patch + data[at + len(patch) :]
    for form in (data, data[:cut]):
        try:
            out, result = cleaned_bytes(form, Kind.JPEG)
        except SafelightError:
            continue
        assert NEEDLE not in repr(result.actions)
        assert out.endswith(b"\xff\xd9")


def test_the_fixture_is_loaded() -> None:
    assert holds_needle(ALL)
    assert frames(ALL) == frames(PLAIN)


def turned(block: bytes) -> int:
    out, _ = cleaned_bytes(block, Kind.JPEG)
    with Image.open(io.BytesIO(out)) as image:
        return int(image.getexif().get(0x0112, 1))


def test_the_first_of_several_exif_blocks_says_which_side_is_up() -> None:
    long = exif_block(6) + bytes(60_000)
    for second in (bytes(9000), exif_block(3)[6:], exif_block(1)[6:]):
        data = jpeg_segments(PLAIN, (0xE1, long), (0xE1, b"Exif\0\0" + second))
        assert turned(data) == 6


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize(("kind", "form"), [(1, "B3x"), (3, "H2x"), (4, "I")])
def test_an_orientation_of_another_type_is_kept(order: str, kind: int, form: str) -> None:
    mark = b"II*\0" if order == "<" else b"MM\0*"
    block = mark + struct.pack(f"{order}IHHHI", 8, 1, 0x0112, kind, 1)
    block += struct.pack(order + form, 8) + bytes(4)
    assert turned(jpeg_segments(PLAIN, (0xE1, b"Exif\0\0" + block))) == 8
