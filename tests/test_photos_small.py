"""GIF, BMP and WebP: comments, gaps, profiles and passengers go, pixels and timing stay."""

import io
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from photo_fixtures import (
    NEEDLE,
    PASSENGERS,
    RAW,
    check_matrix,
    cleaned_bytes,
    context,
    exif_block,
    frames,
    holds_needle,
    icc_profile,
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

STEPS = [noise().rotate(angle) for angle in (90, 180)]
GIF = saved("GIF", noise(mode="P"))
MOVING = saved("GIF", noise(), save_all=True, append_images=STEPS, loop=3, duration=70)
BMP = saved("BMP", noise((38, 23)))  # 38 * 3 is padded by two bytes
WEBP = saved("WEBP", noise(), lossless=True, exif=exif_block(1))
WEBP_PLAIN = saved("WEBP", noise(), lossless=True)


# --- GIF


def blocks(data: bytes) -> bytes:
    pieces = [data[at : at + 255] for at in range(0, len(data), 255)]
    return b"".join(bytes((len(piece),)) + piece for piece in pieces) + b"\x00"


def after_table(*parts: bytes, data: bytes = GIF) -> bytes:
    at = 13 + (3 << (data[10] & 7) + 1)
    return data[:at] + b"".join(parts) + data[at:]


def behind_last_code(data: bytes) -> bytes:
    """Put a text in the picture's own data, behind the code that ends it."""
    return data[:-2] + bytes((len(RAW),)) + RAW + b"\x00\x3b"


GIF_PLACES = {
    "comment": after_table(b"\x21\xfe" + blocks(RAW * 40)),
    "plain text": after_table(b"\x21\x01\x0c" + bytes(12) + blocks(RAW)),
    "application extension": after_table(b"\x21\xff\x0bXMP DataXMP" + blocks(RAW)),
    "unknown extension": after_table(b"\x21\x42" + blocks(RAW)),
    "slack of the loop count": after_table(
        b"\x21\xff\x0bNETSCAPE2.0\x03\x01\x00\x00" + blocks(RAW)
    ),
    "after a picture's last code": behind_last_code(GIF),
}


@pytest.mark.parametrize("place", GIF_PLACES)
def test_nothing_is_left_in_a_gif(place: str) -> None:
    check_matrix(lambda: GIF_PLACES[place], Kind.GIF, GIF, place=place)


@pytest.mark.parametrize("what", PASSENGERS)
@pytest.mark.parametrize(
    ("kind", "plain"), [(Kind.GIF, GIF), (Kind.BMP, BMP), (Kind.WEBP, WEBP_PLAIN)]
)
def test_a_passenger_after_the_end_is_left_behind(kind: Kind, plain: bytes, what: str) -> None:
    check_matrix(lambda: plain + PASSENGERS[what], kind, plain, place="after the")


def test_a_moving_gif_keeps_frames_timing_and_loops() -> None:
    out, _ = cleaned_bytes(after_table(b"\x21\xfe" + blocks(RAW), data=MOVING), Kind.GIF)
    assert frames(out) == frames(MOVING)
    with Image.open(io.BytesIO(out)) as image:
        assert image.info["loop"] == 3
        assert image.info["duration"] == 70
        assert image.n_frames == 3


@pytest.mark.parametrize("size", [(1, 1), (300, 200), (640, 480)])
def test_the_end_of_a_gifs_codes_is_found(size: tuple[int, int]) -> None:
    plain = saved("GIF", noise(size).convert("P"))
    assert cleaned_bytes(plain, Kind.GIF)[0] == plain
    check_matrix(lambda: behind_last_code(plain), Kind.GIF, plain, place="last code")


def test_a_gif_without_its_end_mark_gets_it() -> None:
    out, result = cleaned_bytes(GIF[:-1], Kind.GIF)
    assert out == GIF
    assert any("end mark" in note for note in result.notes)


@pytest.mark.parametrize("cut", [5, 12, 200, -5, -2])
def test_a_truncated_gif_is_unreadable(cut: int) -> None:
    with pytest.raises(UnreadableInputError):
        cleaned_bytes(GIF[:cut], Kind.GIF)


# --- BMP


def bmp(
    size: int, bits: int, packing: int, *, gap: bytes = b"", rows: bytes = b"", extra: bytes = b""
) -> bytes:
    width, height = 5, 3
    stride = (width * bits + 31) // 32 * 4
    rows = rows or bytes(at % 251 for at in range(stride * height))
    if size == 12:
        info = struct.pack("<I4H", 12, width, height, 1, bits)
    else:
        info = struct.pack("<IiiHHIIiiII", 40, width, height, 1, bits, packing, 0, 9, 9, 0, 0)
        info = struct.pack("<I", size) + info[4:] + extra.ljust(size - 40, b"\x00")
    masks = struct.pack("<3I", 0xF800, 0x7E0, 0x1F) if size == 40 and packing == 3 else b""
    entry = 3 if size == 12 else 4
    palette = bytes(at % 256 for at in range(entry << bits)) if bits <= 8 else b""
    start = 14 + size + len(masks) + len(palette) + len(gap)
    head = struct.pack("<2sIII", b"BM", start + len(rows), 0, start)
    return head + info + masks + palette + gap + rows


def dirty_padding() -> bytes:
    data = bytearray(BMP)
    at = 54 + 38 * 3
    for number, byte in enumerate(RAW):
        data[at + number * 116] = byte
    return bytes(data)


LINKED = bytes(16) + b"KNIL" + bytes(48) + struct.pack("<3I", 4, 124, len(RAW))


def test_padding_of_rows_is_emptied() -> None:
    out, result = cleaned_bytes(dirty_padding(), Kind.BMP)
    assert out == BMP
    assert [action.place for action in result.actions] == ["padding of the rows"]


def test_gaps_reserved_fields_and_profiles_are_left_behind() -> None:
    plain = bmp(40, 24, 0)
    check_matrix(lambda: bmp(40, 24, 0, gap=RAW), Kind.BMP, plain, place="between header")
    marked = plain[:6] + RAW[:4] + plain[10:]
    assert cleaned_bytes(marked, Kind.BMP)[0][6:10] == bytes(4)
    linked = bmp(124, 24, 0, extra=LINKED)
    linked = linked[:126] + struct.pack("<2I", len(linked) - 14, len(RAW)) + linked[134:] + RAW
    check_matrix(lambda: linked, Kind.BMP, bmp(124, 24, 0), place="colour profile")


OLD = [(12, bits) for bits in (1, 4, 8, 24)]  # the oldest header has no 16 or 32 bits
NEW = [(size, bits) for size in (40, 56, 64, 108, 124) for bits in (1, 4, 8, 16, 24, 32)]


@pytest.mark.parametrize(("size", "bits"), OLD + NEW)
def test_kinds_of_bmp_keep_their_pixels(size: int, bits: int) -> None:
    plain = bmp(size, bits, 0)
    check_matrix(lambda: bmp(size, bits, 0, gap=RAW), Kind.BMP, plain, place="between header")


def test_packed_rows_end_at_their_own_mark() -> None:
    rows = b"\x05\x07\x00\x00\x00\x03\x01\x02\x03\x00\x02\x09\x00\x00\x05\x01\x00\x01"
    plain = bmp(40, 8, 1, rows=rows)
    check_matrix(lambda: plain + RAW, Kind.BMP, plain, place="after the pixels")


def test_masks_are_kept() -> None:
    plain = bmp(40, 16, 3)
    check_matrix(lambda: plain + RAW, Kind.BMP, plain, place="after the pixels")


@pytest.mark.parametrize("cut", [10, 20, 53, -1, -40])
def test_a_truncated_bmp_is_unreadable(cut: int) -> None:
    with pytest.raises(UnreadableInputError):
        cleaned_bytes(BMP[:cut], Kind.BMP)


def test_a_jpeg_in_a_bmp_waits_for_a_person() -> None:
    with pytest.raises(NeedsReviewError):
        cleaned_bytes(bmp(40, 24, 4, rows=saved("JPEG")), Kind.BMP)


# --- WebP


def chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack("<4sI", name, len(body)) + body + b"\x00" * (len(body) % 2)


def riff(*chunks: bytes) -> bytes:
    body = b"".join(chunks)
    return struct.pack("<4sI4s", b"RIFF", len(body) + 4, b"WEBP") + body


def picture() -> bytes:
    return WEBP_PLAIN[12:]


EXTENDED = chunk(b"VP8X", struct.pack("<I", 0xFF2C) + b"\x24\x00\x00\x16\x00\x00")
WEBP_PLACES = {
    "EXIF": WEBP,
    "EXIF.GPS": WEBP,
    "XMP": riff(EXTENDED, picture(), chunk(b"XMP ", RAW)),
    "ICCP": saved("WEBP", noise(), lossless=True, icc_profile=icc_profile()),
    "unknown chunk": riff(EXTENDED, picture(), chunk(b"PrVt", RAW), chunk(b"ZQXD", b"")),
    "slack of VP8X": riff(chunk(b"VP8X", EXTENDED[8:] + RAW), picture()),
    "after the last chunk": riff(EXTENDED, picture(), b"ZQXDO"),
}


@pytest.mark.parametrize("place", WEBP_PLACES)
def test_nothing_is_left_in_a_webp(place: str) -> None:
    check_matrix(lambda: WEBP_PLACES[place], Kind.WEBP, WEBP_PLAIN, place=place)


def test_the_flags_tell_what_is_still_there() -> None:
    out, _ = cleaned_bytes(WEBP_PLACES["XMP"], Kind.WEBP)
    assert out[20:24] == bytes(4)
    out, _ = cleaned_bytes(WEBP_PLACES["ICCP"], Kind.WEBP)
    assert out[20] == 0x20
    turned, _ = cleaned_bytes(saved("WEBP", noise(), exif=exif_block(6)), Kind.WEBP)
    assert turned[20] == 0x08
    with Image.open(io.BytesIO(turned)) as image:
        assert dict(image.getexif()) == {0x0112: 6}


def test_a_moving_webp_keeps_its_frames_and_loses_their_passengers() -> None:
    plain = saved("WEBP", noise(), save_all=True, append_images=STEPS, lossless=True, duration=40)
    at = plain.index(b"ANMF")
    size = struct.unpack_from("<I", plain, at + 4)[0]
    frame = plain[at + 8 : at + 8 + size] + chunk(b"PrVt", RAW)
    chunks = plain[12:at] + chunk(b"ANMF", frame) + plain[at + 8 + size + size % 2 :]
    check_matrix(lambda: riff(chunks), Kind.WEBP, plain, place="unknown chunk of a frame")


@pytest.mark.parametrize("cut", [8, 15, 30, -1, -20])
def test_a_truncated_webp_is_unreadable(cut: int) -> None:
    with pytest.raises(UnreadableInputError):
        cleaned_bytes(WEBP[:cut], Kind.WEBP)


def test_chunks_without_end_reach_the_limit() -> None:
    many = riff(EXTENDED, picture(), chunk(b"PrVt", b"") * 60)
    with pytest.raises(LimitExceededError):
        cleaned_bytes(many, Kind.WEBP, context(items=50))
    with pytest.raises(LimitExceededError):
        cleaned_bytes(after_table(b"\x21\xfe\x01x\x00" * 60), Kind.GIF, context(items=50))


LOADED = {
    Kind.GIF: after_table(b"\x21\xfe" + blocks(RAW), data=MOVING) + RAW,
    Kind.BMP: bmp(124, 24, 0, gap=RAW, extra=LINKED) + RAW,
    Kind.WEBP: WEBP + RAW,
}


@given(
    st.sampled_from(sorted(LOADED)),
    st.lists(st.tuples(st.floats(0, 1), st.binary(min_size=1, max_size=4)), max_size=3),
    st.floats(0, 1),
)
def test_a_bent_picture_raises_nothing_but_safelight_errors(
    kind: Kind, patches: list[tuple[float, bytes]], cut: float
) -> None:
    data = LOADED[kind]
    assert holds_needle(data)
    for part, patch in patches:
        at = int(part * len(data))
        data = data[:at] + patch + data[at + len(patch) :]
    for form in (data, data[: int(cut * len(data))]):
        try:
            out, result = cleaned_bytes(form, kind)
        except SafelightError:
            continue
        assert len(out) <= len(form) + 16
        assert NEEDLE not in repr(result.actions)
