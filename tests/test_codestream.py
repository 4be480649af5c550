"""Compressed frames: every corner is emptied, every pixel stays, nothing crashes the walk."""

import io
import struct
import warnings
import zlib
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from pydicom import dcmread
from pydicom.data import get_testdata_file
from pydicom.encaps import encapsulate, generate_frames

from safelight.dicomio.codestream import DEFLATED_FRAME, RLE_LOSSLESS, find_edits, scrub
from safelight.dicomio.limits import Limits

LIMITS = Limits()
NEEDLE = b"ROE^JANE 1961-02-03"
COMPRESSED = (
    "693_J2KI.dcm",
    "GDCMJ2K_TextGBR.dcm",
    "J2K_pixelrep_mismatch.dcm",
    "JPEG2000.dcm",
    "JPEGLSNearLossless_08.dcm",
    "JPEGLSNearLossless_16.dcm",
    "JPGExtended.dcm",
    "MR_small_RLE.dcm",
    "MR_small_jp2klossless.dcm",
    "MR_small_jpeg_ls_lossless.dcm",
    "SC_jpeg_no_color_transform.dcm",
    "SC_rgb_dcmtk_+eb+cr.dcm",
    "SC_rgb_gdcm_KY.dcm",
    "SC_rgb_jpeg_app14_dcmd.dcm",
    "SC_rgb_jpeg_dcmtk.dcm",
    "SC_rgb_jpeg_gdcm.dcm",
    "SC_rgb_rle_16bit_2frame.dcm",
    "SC_rgb_rle_32bit.dcm",
    "examples_jpeg2k.dcm",
    "examples_ybr_color.dcm",
    "rtdose_rle.dcm",
)
# Pillow decodes neither 12-bit nor lossless JPEG nor this JPX; no other decoder is a dependency.
NOT_DECODED_HERE = {"JPGExtended.dcm", "SC_rgb_jpeg_gdcm.dcm", "GDCMJ2K_TextGBR.dcm"}


def bundled(name: str) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # some of these files are wrong on purpose
        return dcmread(str(get_testdata_file(name, download=False)))


def frames_of(name: str) -> tuple[Any, list[bytes]]:
    ds = bundled(name)
    count = int(ds.get("NumberOfFrames", 1) or 1)
    return ds, list(generate_frames(ds.PixelData, number_of_frames=count))


@pytest.mark.parametrize("name", COMPRESSED)
def test_pixels_of_real_files_stay_the_same(name: str) -> None:
    ds, frames = frames_of(name)
    syntax = str(ds.file_meta.TransferSyntaxUID)
    results = [scrub(f, limits=LIMITS, syntax=syntax, pixels=ds.Rows * ds.Columns) for f in frames]
    assert [r.fault for r in results] == [""] * len(frames)
    scrubbed = [r.data or f for r, f in zip(results, frames, strict=True)]
    assert [len(f) for f in scrubbed] == [len(f) for f in frames]
    if name in NOT_DECODED_HERE:
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        before = ds.pixel_array.copy()
        after_ds = bundled(name)
        after_ds.PixelData = encapsulate(scrubbed)
        after = after_ds.pixel_array
    assert (before == after).all()


def test_a_second_scrub_finds_nothing_more() -> None:
    for name in COMPRESSED:
        ds, frames = frames_of(name)
        syntax = str(ds.file_meta.TransferSyntaxUID)
        once = scrub(frames[0], limits=LIMITS, syntax=syntax, pixels=ds.Rows * ds.Columns)
        again = scrub(once.data or frames[0], limits=LIMITS, syntax=syntax)
        assert again.data is None


def segment(marker: int, payload: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(payload) + 2) + payload


def jpeg(*, progressive: bool = False) -> bytes:
    out = io.BytesIO()
    Image.linear_gradient("L").save(out, "JPEG", progressive=progressive, quality=80)
    return out.getvalue()


def decoded(data: bytes) -> bytes:
    return Image.open(io.BytesIO(data)).tobytes()


def first_marker_after_scan(data: bytes) -> int:
    at = data.index(b"\xff\xda") + 2
    while True:
        at = data.index(b"\xff", at)
        if data[at + 1] not in {0, *range(0xD0, 0xD8)}:
            return at
        at += 2


@pytest.mark.parametrize(
    "marker", [0xFE, *range(0xE0, 0xF0), 0xF0, 0xF9, 0xC8], ids=lambda m: f"{m:02X}"
)
def test_segments_of_a_jpeg_are_emptied(marker: int) -> None:
    plain = jpeg()
    planted = plain[:2] + segment(marker, NEEDLE) + plain[2:]
    result = scrub(planted, limits=LIMITS)
    assert result.data is not None
    assert len(result.data) == len(planted)
    assert NEEDLE not in result.data
    assert result.fault == ""
    assert NEEDLE.decode() not in "".join(result.places)
    if marker < 0xF0 and marker != 0xC8:  # libjpeg refuses the reserved ones before and after
        assert decoded(result.data) == decoded(plain)


def test_a_comment_between_two_scans_is_found() -> None:
    plain = jpeg(progressive=True)
    at = first_marker_after_scan(plain)
    planted = plain[:at] + segment(0xFE, NEEDLE) + plain[at:]
    result = scrub(planted, limits=LIMITS)
    assert result.data is not None
    assert NEEDLE not in result.data
    assert decoded(result.data) == decoded(plain)


def test_what_decoders_read_stays_in_app0_app14_and_app8() -> None:
    jfif = b"JFIF\0\1\2\0\0\1\0\1" + bytes([2, 3]) + NEEDLE[:18]
    adobe = b"Adobe\0\x64\0\0\0\0\1" + NEEDLE
    transform = b"mrfx\1" + NEEDLE
    spiff = b"SPIFF\0" + bytes(range(1, 25)) + NEEDLE
    entry = b"\0\0\0\2" + NEEDLE
    last = b"\0\0\0\1\xff\xd8"
    parts = [(0xE0, jfif, 14), (0xEE, adobe, 12), (0xE8, transform, 5), (0xE8, spiff, 30)]
    parts += [(0xE8, entry, 4), (0xE8, last, 6)]
    plain = jpeg()
    planted = plain[:2] + b"".join(segment(m, p) for m, p, _ in parts) + plain[2:]
    result = scrub(planted, limits=LIMITS)
    assert result.data is not None
    assert NEEDLE[:18] not in result.data
    at = 2
    for _, payload, keep in parts:
        at += 4
        left = result.data[at : at + len(payload)]
        assert left == payload[:keep] + bytes(len(payload) - keep)
        at += len(payload)


def test_bytes_after_the_end_go_and_the_padding_byte_stays() -> None:
    for frame in (jpeg(), frames_of("JPEGLSNearLossless_16.dcm")[1][0], j2k()):
        padded = frame + bytes(len(frame) % 2)
        assert scrub(padded, limits=LIMITS).data is None
        result = scrub(padded + NEEDLE, limits=LIMITS)
        assert result.data == padded + bytes(len(NEEDLE))
        assert result.places == ("bytes after the end",)


def j2k() -> bytes:
    """Return a lossless codestream of several tiles, without boxes, comments blank."""
    out = io.BytesIO()
    image = Image.linear_gradient("L").resize((64, 64))
    image.save(out, "JPEG2000", tile_size=(32, 32), irreversible=False, no_jp2=True)
    return out.getvalue()


def jp2() -> bytes:
    out = io.BytesIO()
    Image.linear_gradient("L").save(out, "JPEG2000")
    return out.getvalue()


def test_comments_in_the_main_header_of_j2k_go_but_the_encoders_name_stays() -> None:
    plain = j2k()
    own = plain.index(b"\xff\x64")
    planted = plain[:own] + segment(0x64, b"\0\1" + NEEDLE) + plain[own:]
    result = scrub(planted, limits=LIMITS)
    assert result.data is not None
    assert NEEDLE not in result.data
    assert b"OpenJPEG" in result.data
    assert result.places == ("J2K COM",)
    assert decoded(result.data) == decoded(plain)


@pytest.mark.parametrize("open_length", [False, True])
def test_comments_in_tile_part_headers_of_j2k_go(*, open_length: bool) -> None:
    plain = bytearray(j2k())
    tiles, at = [], plain.index(b"\xff\x90")
    while plain[at : at + 2] == b"\xff\x90":
        tiles.append(at)
        at += int.from_bytes(plain[at + 6 : at + 10], "big")
    assert len(tiles) == 4
    comment = segment(0x64, b"\0\1" + NEEDLE)
    planted = bytes(plain[: tiles[0]])
    for start, stop in pairwise([*tiles, at]):
        part = bytearray(plain[start:stop])
        length = 0 if open_length and stop == at else len(part) + len(comment)
        part[6:10] = length.to_bytes(4, "big")
        planted += bytes(part[:12] + comment + part[12:])
    planted += bytes(plain[at:])
    result = scrub(planted, limits=LIMITS)
    assert result.fault == ""
    assert result.data is not None
    assert NEEDLE not in result.data
    assert decoded(result.data) == decoded(bytes(plain))


def test_boxes_of_jp2_that_decoders_ignore_become_free_boxes() -> None:
    plain = jp2()
    at = plain.index(b"jp2c") - 4
    extra = b"".join(
        struct.pack(">I4s", 8 + len(NEEDLE), kind) + NEEDLE for kind in (b"xml ", b"uuid", b"ROE^")
    )
    planted = plain[:at] + extra + plain[at:] + NEEDLE
    result = scrub(planted, limits=LIMITS)
    assert result.data is not None
    assert NEEDLE not in result.data
    assert b"ROE^" not in result.data
    assert "ROE" not in "".join(result.places)
    assert decoded(result.data) == decoded(plain)


def test_a_colour_profile_in_jp2_becomes_an_enumerated_colour_space() -> None:
    plain = jp2()
    at = plain.index(b"colr") - 4
    size = int.from_bytes(plain[at : at + 4], "big")
    colour = b"\2\0\0" + bytes(128) + NEEDLE
    body = struct.pack(">I4s", 8 + len(colour), b"colr") + colour
    head_at = plain.index(b"jp2h") - 4
    head = int.from_bytes(plain[head_at : head_at + 4], "big") + len(body) - size
    planted = bytearray(plain[:at] + body + plain[at + size :])
    planted[head_at : head_at + 4] = head.to_bytes(4, "big")
    result = scrub(bytes(planted), limits=LIMITS)
    assert result.data is not None
    assert NEEDLE not in result.data
    assert decoded(result.data) == decoded(plain)


def test_brands_of_jp2_spell_no_name() -> None:
    planted = jp2().replace(b"ftypjp2 \0\0\0\0jp2 ", b"ftypjp2 ROE^JANE")
    result = scrub(planted, limits=LIMITS)
    assert result.data == jp2()


def box(kind: bytes, payload: bytes) -> bytes:
    return struct.pack(">I4s", 8 + len(payload), kind) + payload


def test_metadata_boxes_of_jpeg_xl_go() -> None:
    coded = b"\xff\x0a" + bytes(range(64))
    file = box(b"JXL ", b"\r\n\x87\n") + box(b"ftyp", b"jxl \0\0\0\0jxl ")
    file += box(b"Exif", NEEDLE) + box(b"jbrd", NEEDLE) + box(b"jxlc", coded) + NEEDLE[:7]
    result = scrub(file, limits=LIMITS)
    assert result.data is not None
    assert NEEDLE[:7] not in result.data
    assert coded in result.data
    assert result.notes
    assert scrub(coded, limits=LIMITS).notes


def test_header_and_padding_of_rle_segments_are_emptied() -> None:
    ds, frames = frames_of("SC_rgb_rle_16bit.dcm")
    count, *offsets = struct.unpack("<16I", frames[0][:64])
    segments = [frames[0][a:b] for a, b in pairwise([*offsets[:count], len(frames[0])])]
    planted, starts = b"", []
    for part in segments:
        starts.append(64 + len(planted))
        planted += part + NEEDLE
    spare = (NEEDLE * 4)[: 60 - 4 * count]
    planted = struct.pack(f"<{1 + count}I", count, *starts) + spare + planted
    result = scrub(planted, limits=LIMITS, syntax=RLE_LOSSLESS, pixels=ds.Rows * ds.Columns)
    assert result.data is not None
    assert NEEDLE[:8] not in result.data
    assert len(result.data) == len(planted)
    before = ds.pixel_array.copy()
    ds.PixelData = encapsulate([result.data])
    assert (ds.pixel_array == before).all()
    assert scrub(planted, limits=LIMITS, syntax=RLE_LOSSLESS).notes


@pytest.mark.parametrize("wbits", [-15, 15])
def test_bytes_after_a_deflated_frame_go(wbits: int) -> None:
    packer = zlib.compressobj(9, zlib.DEFLATED, wbits)
    coded = packer.compress(bytes(range(256)) * 9000) + packer.flush()
    result = scrub(coded + NEEDLE, limits=LIMITS, syntax=DEFLATED_FRAME)
    assert result.data == coded + bytes(len(NEEDLE))
    assert scrub(coded, limits=LIMITS, syntax=DEFLATED_FRAME).fault == ""


def test_a_deflated_bomb_is_told_before_it_is_unpacked() -> None:
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    coded = packer.compress(bytes(64 << 20)) + packer.flush()
    result = scrub(coded, limits=LIMITS, syntax=DEFLATED_FRAME)
    assert "limit" in result.fault


def test_an_endless_row_of_segments_meets_the_limit() -> None:
    frame = b"\xff\xd8" + segment(0xFE, b"") * 1000 + b"\xff\xd9"
    assert scrub(frame, limits=LIMITS).fault == ""
    assert "limit" in scrub(frame, limits=Limits(items=999)).fault


@pytest.mark.parametrize(
    "frame",
    [
        b"",
        b"\xff\xd8\xff",
        jpeg()[:300],
        jpeg()[:-2],
        j2k()[:-2],
        j2k()[:90],
        jp2()[:50],
        b"no codestream at all",
        jpeg()[:2] + b"\xff\x02" + jpeg()[2:],
        jpeg()[:2] + b"stray" + jpeg()[2:],
    ],
)
def test_a_broken_frame_is_told_and_not_raised(frame: bytes) -> None:
    assert scrub(frame, limits=LIMITS).fault


def test_an_unknown_codestream_of_a_known_syntax_is_not_taken_for_rle() -> None:
    video = b"\x02\0\0\0" + bytes(200)
    assert scrub(video, limits=LIMITS, syntax="1.2.840.10008.1.2.4.102").fault


def test_edits_are_found_in_a_view_without_a_copy() -> None:
    planted = jpeg() + NEEDLE
    edits, places, fault, _ = find_edits(memoryview(planted), limits=LIMITS)
    assert fault == ""
    assert places == ("bytes after the end",)
    assert [(e.start, e.stop) for e in edits] == [(len(jpeg()), len(planted))]


SEEDS = (
    jpeg(),
    jpeg(progressive=True),
    j2k(),
    jp2(),
    frames_of("MR_small_RLE.dcm")[1][0],
    frames_of("JPEGLSNearLossless_16.dcm")[1][0],
    zlib.compress(bytes(3000)),
)
SYNTAXES = ("", RLE_LOSSLESS, DEFLATED_FRAME, "1.2.840.10008.1.2.4.90")


@given(
    st.sampled_from(SEEDS),
    st.lists(st.tuples(st.integers(0, 1 << 16), st.binary(min_size=1, max_size=8)), max_size=6),
    st.integers(0, 1 << 16),
    st.sampled_from(SYNTAXES),
)
def test_no_mutant_raises_or_changes_length(
    seed: bytes, changes: list[tuple[int, bytes]], cut: int, syntax: str
) -> None:
    frame = bytearray(seed[: cut or None])
    for at, data in changes:
        frame[at % (len(frame) or 1) : at % (len(frame) or 1) + len(data)] = data
    result = scrub(bytes(frame), limits=LIMITS, syntax=syntax, pixels=4096)
    assert result.data is None or len(result.data) == len(frame)


@given(st.binary(max_size=400), st.sampled_from(SYNTAXES))
def test_no_garbage_raises(data: bytes, syntax: str) -> None:
    result = scrub(data, limits=LIMITS, syntax=syntax, pixels=7)
    assert result.data is None or len(result.data) == len(data)


def test_the_modules_stay_off_the_decoders() -> None:
    source = Path(scrub.__code__.co_filename).read_text(encoding="utf-8")
    assert "import PIL" not in source
    assert "import pydicom" not in source
