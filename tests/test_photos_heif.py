"""HEIC and AVIF: metadata is emptied in place, every offset stays valid, pixels stay."""

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
from safelight.deid.photos import heifcodes
from safelight.errors import (
    LimitExceededError,
    NeedsReviewError,
    SafelightError,
    UnreadableInputError,
)
from safelight.types import Kind

XMP = b"<x:xmpmeta>" + RAW + b"</x:xmpmeta>"
PLAIN = saved("AVIF", noise((64, 48)))
LOADED = saved("AVIF", noise((64, 48)), exif=exif_block(1), xmp=XMP, icc_profile=icc_profile())


def box(kind: bytes, *bodies: bytes) -> bytes:
    body = b"".join(bodies)
    return struct.pack(">I4s", len(body) + 8, kind) + body


def full(kind: bytes, *bodies: bytes, version: int = 0) -> bytes:
    return box(kind, struct.pack(">I", version << 24), *bodies)


def infe(number: int, kind: bytes, name: bytes, *texts: bytes) -> bytes:
    body = struct.pack(">HH4s", number, 0, kind) + b"\x00".join((name, *texts, b""))
    return full(b"infe", body, version=2)


def unit(kind: int, body: bytes) -> bytes:
    return struct.pack(">IBB", len(body) + 2, kind << 1, 1) + body


SLICE = unit(19, bytes(range(40)))
HVCC = bytes(21) + b"\x03\x02" + b"\xa0\x00\x01\x00\x05\x40\x01abc"
SEI = b"\xa7\x00\x01" + struct.pack(">H", len(RAW) + 2) + b"\x4e\x01" + RAW


def heic(  # noqa: PLR0913 - one argument a corner
    *,
    code: bytes = SLICE,
    kind: bytes = b"hvc1",
    properties: bytes = b"",
    hvcc: bytes = HVCC + SEI,
    extra: bytes = b"",
    children: bytes = b"",
    name: bytes = RAW,
    gap: bytes = RAW,
    handler: bytes = b"pict",
    places: tuple[int, int] | None = None,
    method: int = 0,
    reference: int = 0,
) -> bytes:
    """Return a HEIC file by hand: one picture, one EXIF, one XMP and one URI item."""
    ftyp = box(b"ftyp", b"heic", b"ZQXD", b"mif1heicZQXD")
    exif = struct.pack(">I", 6) + exif_block(1)
    payloads = [code, exif, XMP, RAW]
    kinds = [(kind, ()), (b"Exif", ()), (b"mime", (b"application/rdf+xml",)), (b"uri ", (RAW,))]
    infos = [infe(at, one, name, *texts) for at, (one, texts) in enumerate(kinds, 1)]

    def meta(start: int) -> bytes:
        entries = b""
        at = start
        for number, payload in enumerate(payloads, 1):
            where = places if places and number == 2 else (at, len(payload))
            entries += struct.pack(">HHHHII", number, method, reference, 1, *where)
            at += len(payload) + len(gap)
        return full(
            b"meta",
            full(b"hdlr", bytes(4), handler, bytes(12), RAW, b"\x00"),
            full(b"pitm", struct.pack(">H", 1)),
            full(b"iinf", struct.pack(">H", len(infos)), *infos),
            full(b"iloc", b"\x44\x00", struct.pack(">H", 4), entries, version=1),
            full(b"iref", box(b"cdsc", struct.pack(">HHH", 2, 1, 1))),
            box(
                b"iprp",
                box(b"ipco", box(b"hvcC", hvcc), full(b"ispe", bytes(8)), properties),
                full(b"ipma", struct.pack(">IHBBB", 1, 1, 2, 1, 2)),
            ),
            children,
        )

    head = len(ftyp) + len(meta(0)) + len(extra) + 8
    media = b"".join(payload + gap for payload in payloads)
    return ftyp + meta(head) + extra + box(b"mdat", media)


CORNERS = {
    "EXIF": {},
    "EXIF.GPS": {},
    "XMP": {},
    "URI item": {},
    "between the pictures": {},
    "hdlr name": {},
    "item name": {},
    "brands": {},
    "user data in the picture's code": {},
    "free space": {"extra": box(b"free", RAW)},
    "unknown box": {"extra": box(b"uuid", bytes(16), RAW) + box(b"ZQXD", RAW)},
    "user description": {"properties": full(b"udes", b"en\x00", RAW, b"\x00\x00\x00")},
    "alternative text": {"properties": full(b"altt", RAW, b"\x00en\x00")},
    "unknown property": {"properties": full(b"ZQXD", RAW)},
    "auxC": {"properties": full(b"auxC", b"urn:" + RAW + b"\x00")},
    "colr ICC": {"properties": box(b"colr", b"prof", icc_profile())},
    "unknown group": {"children": box(b"grpl", full(b"ZQXD", bytes(8), RAW))},
    "slack of a box": {"children": full(b"iref", box(b"cdsc", bytes((0, 2, 0, 1, 0, 1)), RAW))},
    "url": {"children": box(b"dinf", full(b"dref", bytes(4), full(b"url ", RAW)))},
}


@pytest.mark.parametrize("place", CORNERS)
def test_nothing_is_left_in(place: str) -> None:
    data = heic(**CORNERS[place])
    assert holds_needle(data)
    out, result = cleaned_bytes(data, Kind.HEIF)
    assert not holds_needle(out)
    assert len(out) == len(data)
    assert out.index(SLICE) == data.index(SLICE)
    assert place in {action.place for action in result.actions}
    assert NEEDLE not in repr(result)
    assert cleaned_bytes(out, Kind.HEIF)[0] == out


def test_a_real_file_keeps_its_pixels() -> None:
    result = check_matrix(lambda: LOADED, Kind.HEIF, PLAIN, place="EXIF.GPS")
    assert {"XMP", "EXIF", "colr ICC"} <= {action.place for action in result.actions}


@pytest.mark.parametrize("what", PASSENGERS)
def test_a_passenger_after_the_end_is_left_behind(what: str) -> None:
    check_matrix(lambda: PLAIN + PASSENGERS[what], Kind.HEIF, PLAIN, place="after the last box")


def test_the_right_way_up_is_kept() -> None:
    out, _ = cleaned_bytes(saved("AVIF", noise((64, 48)), exif=exif_block(6)), Kind.HEIF)
    with Image.open(io.BytesIO(out)) as image:
        assert image.getexif().get(0x0112) == 6


def test_a_picture_with_transparency_keeps_it_and_is_told() -> None:
    image = noise((64, 48))
    image.putalpha(Image.linear_gradient("L").resize((64, 48)))
    plain = saved("AVIF", image)
    out, result = cleaned_bytes(plain, Kind.HEIF)
    assert frames(out) == frames(plain)
    assert any("2 coded pictures" in note for note in result.notes)


def test_user_data_in_a_slice_stream_becomes_filler() -> None:
    code = unit(39, b"\x05\x20" + RAW) + SLICE + unit(55, RAW)
    out, _ = cleaned_bytes(heic(code=code), Kind.HEIF)
    assert not holds_needle(out)
    assert SLICE in out


def obu(kind: int, body: bytes) -> bytes:
    return bytes((kind << 3 | 2, len(body))) + body


def test_user_data_in_av1_becomes_padding() -> None:
    light = obu(5, b"\x01\x00\x64\x00\x32\x80")
    frame = obu(6, bytes(range(30)))
    code = obu(2, b"") + light + obu(5, b"\x04" + RAW) + obu(15, RAW) + frame
    new, found = heifcodes.av1(code)
    assert found
    assert len(new) == len(code)
    assert not holds_needle(new)
    assert light in new
    assert frame in new
    assert heifcodes.av1(new) == (new, False)


def test_a_damaged_profile_is_removed_and_told() -> None:
    out, result = cleaned_bytes(heic(properties=box(b"colr", b"prof", RAW * 20)), Kind.HEIF)
    assert not holds_needle(out)
    assert any("profile" in note for note in result.notes)


SHARED = heic().index(SLICE)


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (PLAIN + box(b"moov", RAW), NeedsReviewError),
        (heic(handler=b"vide"), NeedsReviewError),
        (heic(kind=b"jpeg"), NeedsReviewError),
        (heic(kind=b"grid", code=RAW), NeedsReviewError),
        (heic(method=2), NeedsReviewError),
        (heic(children=box(b"ipro", RAW)), NeedsReviewError),
        (heic(reference=1), UnreadableInputError),
        (heic(places=(SHARED + 5, 20)), UnreadableInputError),
        (heic(places=(8, 12)), UnreadableInputError),
        (heic(places=(1 << 30, 12)), UnreadableInputError),
        (heic(code=b"\x00\x00\x00\xff\x26\x01"), UnreadableInputError),
        (heic()[:-1], UnreadableInputError),
        (heic()[:200], UnreadableInputError),
        (heic()[:28], UnreadableInputError),
        (PLAIN + PLAIN, UnreadableInputError),
    ],
)
def test_what_cannot_be_proven_is_not_passed(data: bytes, error: type[SafelightError]) -> None:
    with pytest.raises(error):
        cleaned_bytes(data, Kind.HEIF)


def test_boxes_and_media_without_end_reach_the_limit() -> None:
    with pytest.raises(LimitExceededError):
        cleaned_bytes(heic(extra=box(b"free") * 300), Kind.HEIF, context(items=200))
    with pytest.raises(LimitExceededError):
        cleaned_bytes(heic(extra=box(b"mdat") * 65), Kind.HEIF)


def test_items_that_share_bytes_are_not_read_without_end() -> None:
    start = SHARED
    item = struct.pack(">HHHH", 9, 0, 0, 900) + struct.pack(">II", start, 400) * 900
    data = heic(children=full(b"iloc", b"\x44\x00\x00\x01", item, version=1))
    with pytest.raises(UnreadableInputError, match="overlap"):
        cleaned_bytes(data, Kind.HEIF)


BY_HAND = heic()


@given(
    st.sampled_from([LOADED, BY_HAND]),
    st.lists(st.tuples(st.floats(0, 1), st.binary(min_size=1, max_size=4)), max_size=3),
    st.floats(0, 1),
)
def test_a_bent_picture_raises_nothing_but_safelight_errors(
    data: bytes, patches: list[tuple[float, bytes]], cut: float
) -> None:
    for part, patch in patches:
        at = int(part * len(data))
        data = data[:at] + patch + data[at + len(patch) :]
    for form in (data, data[: int(cut * len(data))]):
        try:
            out, result = cleaned_bytes(form, Kind.HEIF)
        except SafelightError:
            continue
        assert len(out) <= len(form)
        assert NEEDLE not in repr(result.actions)
