"""TIFF and BigTIFF: written anew from image tags; texts, pointers and gaps are left behind."""

import io
import struct
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, TiffImagePlugin

from photo_fixtures import (
    NEEDLE,
    PASSENGERS,
    RAW,
    WIDE,
    check_matrix,
    cleaned_bytes,
    context,
    frames,
    holds_needle,
    icc_profile,
    jpeg_segments,
    noise,
    saved,
)
from safelight.errors import (
    LimitExceededError,
    NeedsReviewError,
    SafelightError,
    UnreadableInputError,
)
from safelight.types import Kind

PLAIN = saved("TIFF")
TEXTS = (269, 270, 271, 272, 285, 305, 306, 315, 316, 333, 337, 33432, 65000)
BLOBS = (700, 33723, 34377, 37500, 37510, 40092, 50341, 65001)


def loaded(image: Image.Image | None = None, **options: object) -> bytes:
    """Return a TIFF that names someone in text, private, XMP, IPTC, EXIF and GPS tags."""
    info = TiffImagePlugin.ImageFileDirectory_v2()
    packed = "compression" in options  # libtiff then writes, and takes fewer tags than Pillow
    for tag in (270, 271, 272, 305, 315, 33432) if packed else TEXTS:
        info[tag] = NEEDLE
        info.tagtype[tag] = 2
    for tag in (700,) if packed else BLOBS:
        info[tag] = RAW + WIDE
        info.tagtype[tag] = 7
    folders = () if packed else ((0x8769, {0x9286: RAW, 0xA430: NEEDLE}), (0x8825, {0x1B: RAW}))
    for tag, folder in folders:
        info.tagtype[tag] = 4
        info._tags_v2[tag] = folder
    return saved("TIFF", image, tiffinfo=info, **options)


Tag = tuple[int, int, Sequence[int] | bytes]


def tiff(tags: Sequence[Tag], *, sign: str = "<", big: bool = False, tail: bytes = b"") -> bytes:
    """Lay out one folder by hand; ``tail`` follows the header, at byte 16."""
    codes = {1: "B", 3: "H", 4: "I", 13: "I", 16: "Q", 18: "Q"}
    word, code = (8, "Q") if big else (4, "I")
    values = bytearray()
    entries = b""
    at = 16 + len(tail)
    for tag, kind, value in sorted(tags, key=lambda one: one[0]):
        raw = value if isinstance(value, bytes) else b""
        if not isinstance(value, bytes):
            raw = struct.pack(f"{sign}{len(value)}{codes[kind]}", *value)
        count = len(value)
        place = raw.ljust(word, b"\x00")
        if len(raw) > word:
            place = struct.pack(sign + code, at + len(values))
            values += raw
        entries += struct.pack(f"{sign}HH{code}", tag, kind, count) + place
    first = at + len(values)
    mark = b"II" if sign == "<" else b"MM"
    head = mark + struct.pack(sign + "HI", 42, first) + bytes(8)
    if big:
        head = mark + struct.pack(sign + "HHHQ", 43, 8, 0, first)
    folder = struct.pack(sign + ("Q" if big else "H"), len(tags)) + entries
    return head + tail + bytes(values) + folder + bytes(word)


PIXELS = bytes(range(48))
BASE: list[Tag] = [
    (256, 3, [8]),
    (257, 3, [6]),
    (258, 3, [8]),
    (259, 3, [1]),
    (262, 3, [1]),
    (273, 4, [16]),
    (277, 3, [1]),
    (278, 3, [6]),
    (279, 4, [48]),
]


def changed(*tags: Tag) -> list[Tag]:
    gone = {tag for tag, _, _ in tags}
    return [one for one in BASE if one[0] not in gone] + [one for one in tags if one[2] != b""]


@pytest.mark.parametrize("place", ["ImageDescription", "XMP", "IPTC", "EXIF", "EXIF.GPS", "0xFDE8"])
def test_nothing_is_left_in(place: str) -> None:
    check_matrix(loaded, Kind.TIFF, PLAIN, place=place)


@pytest.mark.parametrize("what", PASSENGERS)
def test_a_passenger_after_the_end_is_left_behind(what: str) -> None:
    check_matrix(lambda: PLAIN + PASSENGERS[what], Kind.TIFF, PLAIN, place="between the parts")


@pytest.mark.parametrize(
    "packing", ["raw", "tiff_lzw", "tiff_adobe_deflate", "packbits", "jpeg", "zstd", "lzma"]
)
@pytest.mark.parametrize("big", [False, True])
def test_packings_keep_their_pixels(packing: str, big: bool) -> None:  # noqa: FBT001 - a parameter of the test
    image = noise((300, 200))
    plain = saved("TIFF", image, compression=packing, big_tiff=big)
    check_matrix(
        lambda: loaded(image, compression=packing, big_tiff=big), Kind.TIFF, plain, place="Artist"
    )


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGBA", "CMYK", "I;16", "F", "LAB"])
def test_kinds_of_pixels_are_kept(mode: str) -> None:
    image = noise(mode="L").convert("I").convert("I;16") if mode == "I;16" else None
    image = image or (Image.new("LAB", (9, 9), (1, 2, 3)) if mode == "LAB" else noise(mode=mode))
    plain = saved("TIFF", image)
    check_matrix(lambda: loaded(image), Kind.TIFF, plain, place="Artist")


def test_all_pages_are_kept_and_told() -> None:
    pages = [noise().rotate(90), noise((50, 40))]
    plain = saved("TIFF", noise(), save_all=True, append_images=pages)
    full = loaded(noise(), save_all=True, append_images=pages)
    result = check_matrix(lambda: full, Kind.TIFF, plain, place="Artist")
    assert len(frames(plain)) == 3
    assert any("3 pictures" in note for note in result.notes)


@pytest.mark.parametrize("sign", ["<", ">"])
@pytest.mark.parametrize("big", [False, True])
def test_byte_orders_and_sizes(sign: str, big: bool) -> None:  # noqa: FBT001 - a parameter of the test
    plain = tiff(BASE, sign=sign, big=big, tail=PIXELS)
    full = tiff([*BASE, (270, 2, RAW), (65000, 1, RAW)], sign=sign, big=big, tail=PIXELS + RAW)
    if big and sign == ">":  # Pillow warns of these whatever they hold: compare the bytes
        out, _ = cleaned_bytes(full, Kind.TIFF)
        assert not holds_needle(out)
        assert out.count(PIXELS) == 1
        assert cleaned_bytes(out, Kind.TIFF)[0] == out
    else:
        check_matrix(lambda: full, Kind.TIFF, plain, place="ImageDescription")


def test_tiles_are_kept() -> None:
    tiles: list[Tag] = [(322, 3, [16]), (323, 3, [16]), (324, 4, [16]), (325, 4, [256])]
    base = [one for one in BASE if one[0] not in (273, 278, 279)] + tiles
    pixels = bytes(range(256))
    plain = tiff(base, tail=pixels)
    full = tiff([*base, (315, 2, RAW)], tail=pixels)
    check_matrix(lambda: full, Kind.TIFF, plain, place="Artist")


def test_sub_folders_are_cleaned_too() -> None:
    inner = tiff([*BASE, (270, 2, RAW), (254, 4, [1])], tail=PIXELS)
    inner_at = struct.unpack_from("<I", inner, 4)[0]
    # the inner file's bytes stand where its own offsets expect them
    outer = tiff([*BASE, (330, 13, [inner_at])], tail=inner[16:])
    result = check_matrix(lambda: outer, Kind.TIFF, tiff(BASE, tail=PIXELS), place="Image")
    assert any("2 pictures" in note for note in result.notes)
    out, _ = cleaned_bytes(outer, Kind.TIFF)
    with Image.open(io.BytesIO(out)) as image:
        (child,) = image.tag_v2[330] if isinstance(image.tag_v2[330], tuple) else [330]
        assert child


def test_the_slack_of_a_strip_is_cut() -> None:
    full = tiff(changed((279, 4, [48 + len(RAW)])), tail=PIXELS + RAW)
    check_matrix(lambda: full, Kind.TIFF, tiff(BASE, tail=PIXELS), place="slack of a strip")


@pytest.mark.parametrize(
    "tag", [(280, 1, RAW), (282, 1, RAW), (277, 2, RAW), (297, 3, b"ZQXD" * 5)]
)
def test_a_text_in_a_numbers_place_goes(tag: Tag) -> None:
    number, kind, value = tag
    assert isinstance(value, bytes)
    packed = struct.unpack(f"<{len(value) // 2}H", value) if kind == 3 else value
    full = tiff([one for one in BASE if one[0] != number] + [(number, kind, packed)], tail=PIXELS)
    plain = tiff([one for one in BASE if one[0] != number], tail=PIXELS)
    out, _ = cleaned_bytes(full, Kind.TIFF)
    assert not holds_needle(out)
    assert frames(out) == frames(plain)


def test_jpeg_strips_lose_their_own_comments() -> None:
    picture = saved("JPEG", noise((16, 16), "L"))
    base = changed((256, 3, [16]), (257, 3, [16]), (259, 3, [7]), (278, 3, [16]))
    base = [one for one in base if one[0] != 279]
    full = jpeg_segments(picture, (0xFE, RAW)) + RAW
    plain = tiff([*base, (279, 4, [len(picture)])], tail=picture)
    tables = b"\xff\xd8\xff\xfe" + struct.pack(">H", len(RAW) + 2) + RAW + b"\xff\xd9"
    check_matrix(
        lambda: tiff([*base, (279, 4, [len(full)]), (347, 7, tables)], tail=full),
        Kind.TIFF,
        plain,
        place="strip COM",
    )


def test_colours_are_kept_and_the_profile_names_nobody() -> None:
    out, result = cleaned_bytes(saved("TIFF", noise(), icc_profile=icc_profile()), Kind.TIFF)
    assert not holds_needle(out)
    with Image.open(io.BytesIO(out)) as image:
        assert image.info["icc_profile"][12:24] == icc_profile()[12:24]
    assert [action.action for action in result.actions if action.place == "ICC"] == ["rebuild"]


@pytest.mark.parametrize(
    "tags",
    [
        changed((50706, 1, [1, 4, 0, 0])),
        changed((262, 3, [32803])),
        changed((259, 3, [6])),
        changed((259, 3, [34712])),
        changed((270, 2, b"Aperio Image Library v1")),
    ],
)
def test_what_can_hold_more_than_pixels_waits_for_a_person(tags: list[Tag]) -> None:
    with pytest.raises(NeedsReviewError):
        cleaned_bytes(tiff(tags, tail=PIXELS), Kind.TIFF)


def looped() -> bytes:
    data = bytearray(tiff(BASE, tail=PIXELS))
    data[-4:] = data[4:8]
    return bytes(data)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (looped(), "loop"),
        (tiff(changed((273, 4, [9999])), tail=PIXELS), "truncated|outside"),
        (tiff(changed((279, 4, [1 << 30])), tail=PIXELS), "truncated"),
        (tiff(changed((273, 4, [16, 16])), tail=PIXELS), "do not match"),
        (tiff([one for one in BASE if one[0] != 273], tail=PIXELS), "no picture"),
        (PLAIN[:4] + b"\xff\xff\xff\x7f" + PLAIN[8:], "truncated"),
        (PLAIN[:4] + bytes(4) + PLAIN[8:], "no picture"),
        (PLAIN[:6], "truncated"),
        (PLAIN[:-20], "truncated"),
    ],
)
def test_malformed_pictures_are_unreadable(data: bytes, reason: str) -> None:
    with pytest.raises(UnreadableInputError, match=reason):
        cleaned_bytes(data, Kind.TIFF)


def test_strips_that_share_bytes_do_not_multiply() -> None:
    rows = 60_000
    base = changed((257, 4, [rows]), (278, 3, [1]), (259, 3, [5]))
    base = [one for one in base if one[0] not in (273, 279)]
    pixels = bytes(8000)
    starts = [16 + number % 4000 for number in range(rows)]
    full = [*base, (273, 4, starts), (279, 4, [4000 - number // 4000 for number in range(rows)])]
    with pytest.raises(LimitExceededError, match="overlap"):
        cleaned_bytes(tiff(full, tail=pixels), Kind.TIFF)


def test_jpeg_strips_that_share_bytes_are_not_read_without_end() -> None:
    picture = jpeg_segments(saved("JPEG", noise((16, 16), "L")), *[(0xFE, bytes(60_000))] * 20)
    base = changed((257, 4, [9000]), (278, 3, [1]), (259, 3, [7]))
    base = [one for one in base if one[0] not in (273, 279)]
    sizes = [len(picture) + number for number in range(9000)]
    full = [*base, (273, 4, [16] * 9000), (279, 4, sizes)]
    with pytest.raises(LimitExceededError, match="overlap"):
        cleaned_bytes(tiff(full, tail=picture + bytes(9000)), Kind.TIFF)


def test_a_tag_of_no_values_is_left_out() -> None:
    plain = tiff([one for one in BASE if one[0] != 277], tail=PIXELS)
    out, _ = cleaned_bytes(tiff([*BASE[:6], (277, 3, []), *BASE[7:]], tail=PIXELS), Kind.TIFF)
    assert frames(out) == frames(plain)
    with pytest.raises(UnreadableInputError):
        cleaned_bytes(tiff(changed((273, 4, [])), tail=PIXELS), Kind.TIFF)


def test_tags_without_end_reach_the_limit() -> None:
    tags: list[Tag] = [(40_000 + number, 3, [1]) for number in range(300)]
    with pytest.raises(LimitExceededError, match="elements"):
        cleaned_bytes(tiff([*BASE, *tags], tail=PIXELS), Kind.TIFF, context(elements=20))


def test_pages_without_end_reach_the_limit() -> None:
    pages = saved("TIFF", noise(), save_all=True, append_images=[noise()] * 9)
    with pytest.raises(LimitExceededError, match="pages"):
        cleaned_bytes(pages, Kind.TIFF, context(members=5))


ALL = loaded(noise(), save_all=True, append_images=[noise()], compression="jpeg") + RAW


@given(
    st.lists(st.tuples(st.integers(0, len(ALL)), st.binary(min_size=1, max_size=4)), max_size=4),
    st.integers(0, len(ALL)),
)
def test_a_bent_picture_raises_nothing_but_safelight_errors(
    patches: list[tuple[int, bytes]], cut: int
) -> None:
    data = ALL
    for at, patch in patches:
        data = data[:at] + patch + data[at + len(patch) :]
    for form in (data, data[:cut]):
        try:
            _, result = cleaned_bytes(form, Kind.TIFF)
        except SafelightError:
            continue
        assert NEEDLE not in repr(result.actions)
