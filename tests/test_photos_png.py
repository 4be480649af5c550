"""PNG and APNG: chunks that name someone go, pixels and frames stay."""

import io
import struct
import zlib

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

PLAIN = saved("PNG")
ANIMATION = saved(
    "PNG", noise(), save_all=True, append_images=[noise().rotate(90), noise().rotate(180)]
)


def chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def before_pixels(*chunks: bytes, data: bytes = PLAIN) -> bytes:
    return data[:33] + b"".join(chunks) + data[33:]


def before_end(*chunks: bytes) -> bytes:
    return PLAIN[:-12] + b"".join(chunks) + PLAIN[-12:]


def repacked(data: bytes, extra_inside: bytes, extra_behind: bytes, *, pieces: int = 1) -> bytes:
    """Pack the pixels anew with a text behind the rows, or behind the packed stream."""
    at = data.index(b"IDAT") - 4
    length = struct.unpack_from(">I", data, at)[0]
    rows = zlib.decompress(data[at + 8 : at + 8 + length])
    body = zlib.compress(rows + extra_inside) + extra_behind
    step = -(-len(body) // pieces)
    chunks = [chunk(b"IDAT", body[one : one + step]) for one in range(0, len(body), step)]
    return data[:at] + b"".join(chunks) + data[at + 12 + length :]


PROFILE = b"x" + RAW + b"\x00\x00" + zlib.compress(icc_profile())
PLACES = {
    "tEXt": before_pixels(chunk(b"tEXt", b"Author\x00" + RAW)),
    "zTXt": before_pixels(chunk(b"zTXt", b"Comment\x00\x00" + zlib.compress(RAW))),
    "iTXt": before_end(chunk(b"iTXt", b"XML:com.adobe.xmp\x00\x00\x00\x00\x00" + RAW)),
    "eXIf": before_pixels(chunk(b"eXIf", exif_block(1)[6:])),
    "eXIf.GPS": before_pixels(chunk(b"eXIf", exif_block(1)[6:])),
    "tIME": before_pixels(chunk(b"tIME", b"\x07\xe8\x01\x02\x03\x04\x05")),
    "iCCP": before_pixels(chunk(b"iCCP", PROFILE)),
    "sPLT": before_pixels(chunk(b"sPLT", RAW + b"\x00\x08")),
    "unknown chunk": before_pixels(chunk(b"prVt", RAW), chunk(b"zqXd", b"")),
    "unknown chunk behind": before_end(chunk(b"caBX", RAW)),
    "IDAT after the pixels": repacked(PLAIN, RAW, b""),
    "IDAT behind the stream": repacked(PLAIN, b"", RAW, pieces=3),
    "IDAT in both": repacked(PLAIN, RAW * 400_000, RAW, pieces=9),
}


@pytest.mark.parametrize("place", PLACES)
def test_nothing_is_left_in(place: str) -> None:
    told = "unknown chunk" if "unknown" in place else place
    told = "IDAT after the pixels" if "IDAT" in place else told
    check_matrix(lambda: PLACES[place], Kind.PNG, PLAIN, place=told)


@pytest.mark.parametrize("what", PASSENGERS)
def test_a_passenger_after_the_end_is_left_behind(what: str) -> None:
    check_matrix(lambda: PLAIN + PASSENGERS[what], Kind.PNG, PLAIN, place="after the end")


def interlaced() -> bytes:
    """Return an Adam7 picture, written by hand: Pillow reads but does not write it."""
    width, height = 13, 9
    rows = bytearray()
    passes = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2))
    for left, top, across, down in (*passes, (0, 1, 1, 2)):
        for y in range(top, height, down):
            line = bytes((x * 19 + y * 7) % 256 for x in range(left, width, across))
            rows += b"\x00" + line if line else b""
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 1)
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(rows)))
    return b"\x89PNG\r\n\x1a\n" + body + chunk(b"IEND", b"")


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"])
def test_kinds_of_png_keep_their_pixels(mode: str) -> None:
    image = noise(mode="L") if mode == "I;16" else noise(mode=mode)
    plain = saved("PNG", image.convert("I").convert("I;16") if mode == "I;16" else image)
    loaded = before_pixels(chunk(b"tEXt", b"a\x00" + RAW), data=plain)
    check_matrix(lambda: loaded, Kind.PNG, plain, place="tEXt")


def test_interlaced_pixels_are_counted_right() -> None:
    plain = interlaced()
    check_matrix(lambda: repacked(plain, RAW, b""), Kind.PNG, plain, place="IDAT")


def test_animations_keep_their_frames() -> None:
    loaded = before_pixels(chunk(b"tEXt", b"a\x00" + RAW), data=ANIMATION)
    check_matrix(lambda: loaded, Kind.PNG, ANIMATION, place="tEXt")
    assert len(frames(ANIMATION)) == 3


def test_a_text_in_a_frame_of_an_animation_waits_for_a_person() -> None:
    at = ANIMATION.index(b"fdAT") - 4
    length = struct.unpack_from(">I", ANIMATION, at)[0]
    body = ANIMATION[at + 8 : at + 8 + length] + RAW
    with pytest.raises(NeedsReviewError):
        cleaned_bytes(
            ANIMATION[:at] + chunk(b"fdAT", body) + ANIMATION[at + 12 + length :], Kind.PNG
        )


def test_the_right_way_up_is_kept() -> None:
    out, _ = cleaned_bytes(before_pixels(chunk(b"eXIf", exif_block(8)[6:])), Kind.PNG)
    with Image.open(io.BytesIO(out)) as image:
        assert dict(image.getexif()) == {0x0112: 8}


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (PLAIN[:-30], "truncated"),
        (PLAIN[:-12], "truncated"),
        (PLAIN[:30] + b"\x00" + PLAIN[31:], "checksum"),
        (before_pixels(chunk(b"CgBI", b"\x50\x00\x20\x02")), "needed and not known"),
        (before_pixels(chunk(b"\xff\xfe\xfd\xfc", b"")), "name is malformed"),
        (PLAIN[:8] + PLAIN[33:], "does not come first"),
        (before_pixels(PLAIN[8:33]), "header chunk is malformed"),
        (PLAIN[:8] + chunk(b"IEND", b""), "no header"),
        (repacked(PLAIN, b"", b"").replace(b"IDAT", b"IDAT"), ""),
    ],
)
def test_malformed_pictures_are_unreadable(data: bytes, reason: str) -> None:
    if not reason:
        assert frames(cleaned_bytes(data, Kind.PNG)[0]) == frames(PLAIN)
        return
    with pytest.raises(UnreadableInputError, match=reason):
        cleaned_bytes(data, Kind.PNG)


def test_truncated_pixels_are_noticed() -> None:
    at = PLAIN.index(b"IDAT") - 4
    length = struct.unpack_from(">I", PLAIN, at)[0]
    rows = zlib.decompress(PLAIN[at + 8 : at + 8 + length])
    for body in (zlib.compress(rows[:-1]), zlib.compress(rows)[:-9], b"\x78\x9c" + RAW):
        with pytest.raises(UnreadableInputError):
            cleaned_bytes(PLAIN[:at] + chunk(b"IDAT", body) + PLAIN[-12:], Kind.PNG)


def test_a_bomb_is_refused_before_it_is_unpacked() -> None:
    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 6, 0, 0, 0)
    bomb = PLAIN[:8] + chunk(b"IHDR", header) + chunk(b"IDAT", b"\x78\x9c") + PLAIN[-12:]
    with pytest.raises(LimitExceededError):
        cleaned_bytes(bomb, Kind.PNG)


def test_chunks_without_end_reach_the_limit() -> None:
    loaded = before_pixels(*[chunk(b"tEXt", RAW)] * 30)
    with pytest.raises(LimitExceededError):
        cleaned_bytes(loaded, Kind.PNG, context(items=20))


ALL = before_pixels(chunk(b"eXIf", exif_block()[6:]), chunk(b"iCCP", PROFILE), data=ANIMATION) + RAW


@given(
    st.lists(st.tuples(st.integers(0, len(ALL)), st.binary(min_size=1, max_size=4)), max_size=3),
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
            out, result = cleaned_bytes(form, Kind.PNG)
        except SafelightError:
            continue
        assert NEEDLE not in repr(result.actions)
        assert out.endswith(PLAIN[-12:])


def raw_profile(*, packed: bool) -> bytes:
    text = b"\nexif\n%8d\n" % len(exif_block(6)) + exif_block(6).hex().encode() + b"\n"
    name = b"Raw profile type exif\0"
    return (
        chunk(b"zTXt", name + b"\0" + zlib.compress(text))
        if packed
        else chunk(b"tEXt", name + text)
    )


@pytest.mark.parametrize(
    "more",
    [
        chunk(b"eXIf", exif_block(6)[6:]),
        chunk(b"eXIf", exif_block(6)),  # with the name that it bears in JPEG
        raw_profile(packed=False),
        raw_profile(packed=True),
        raw_profile(packed=True) + chunk(b"eXIf", exif_block(6)[6:]),
    ],
)
def test_the_right_way_up_is_kept_wherever_it_is_said(more: bytes) -> None:
    plain = saved("PNG")
    out, _ = cleaned_bytes(plain[:33] + more + plain[33:], Kind.PNG)
    with Image.open(io.BytesIO(out)) as image:
        assert image.getexif().get(0x0112) == 6
    assert out.count(b"eXIf") == 1
