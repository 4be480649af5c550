"""Colour profiles: the same colours before and after, and not a word of text."""

import io
import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageCms
from pydicom.data import get_testdata_file

from safelight.deid.icc import scrub_profile

NEEDLE = b"ROE^JANE"


def srgb() -> bytes:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def crayons() -> bytes:
    """Return a real version 2 profile, made to give a picture a wild look."""
    path = get_testdata_file("crayons.icc", download=False)
    return Path(str(path)).read_bytes()


PROFILES = {"sRGB": srgb(), "crayons": crayons()}


def tags_of(icc: bytes) -> dict[bytes, bytes]:
    (count,) = struct.unpack_from(">I", icc, 128)
    rows = [struct.unpack_from(">4sII", icc, 132 + 12 * i) for i in range(count)]
    return {name: icc[start : start + size] for name, start, size in rows}


def with_tag(icc: bytes, name: bytes, data: bytes) -> bytes:
    """Return the profile with one more tag at its end."""
    (count,) = struct.unpack_from(">I", icc, 128)
    table, body = bytearray(icc[132 : 132 + 12 * count]), icc[132 + 12 * count :]
    for i in range(count):
        (start,) = struct.unpack_from(">I", table, 12 * i + 4)
        struct.pack_into(">I", table, 12 * i + 4, start + 12)
    table += struct.pack(">4sII", name, len(icc) + 12, len(data))
    out = bytearray(icc[:128] + struct.pack(">I", count + 1) + table + body + data)
    struct.pack_into(">I", out, 0, len(out))
    return bytes(out)


@pytest.mark.parametrize("name", PROFILES)
def test_a_picture_looks_the_same(name: str) -> None:
    ramp = Image.merge("RGB", [Image.linear_gradient("L").rotate(a) for a in (0, 90, 180)])
    target = ImageCms.createProfile("LAB")
    looks = [
        ImageCms.profileToProfile(
            ramp, ImageCms.ImageCmsProfile(io.BytesIO(icc)), target, outputMode="LAB"
        )
        for icc in (PROFILES[name], scrub_profile(PROFILES[name]))
    ]
    assert looks[0] is not None
    assert looks[1] is not None
    assert looks[0].tobytes() == looks[1].tobytes()


@pytest.mark.parametrize("name", PROFILES)
def test_text_dates_and_makers_are_gone(name: str) -> None:
    planted = bytearray(PROFILES[name])
    planted[4:8] = planted[40:44] = planted[48:52] = planted[52:56] = planted[80:84] = b"ROE^"
    planted[84:100] = NEEDLE * 2
    planted[100:128] = NEEDLE * 3 + b"ROE^"
    full = bytes(planted)
    for tag in (b"dmnd", b"dmdd", b"meta", b"vued", b"tech", b"targ", b"Roe "):
        full = with_tag(full, tag, b"text\0\0\0\0" + NEEDLE)
    out = scrub_profile(full)
    assert out == scrub_profile(PROFILES[name])
    assert b"ROE" not in out
    assert b"ROE".decode().encode("utf-16-be") not in out
    profile = ImageCms.ImageCmsProfile(io.BytesIO(out)).profile
    assert profile.profile_description == "colour profile"
    assert profile.copyright == "-"
    assert tags_of(out).keys() <= tags_of(PROFILES[name]).keys() | {b"desc", b"cprt"}


def test_room_behind_a_curve_and_between_tags_is_not_carried_over() -> None:
    bigger = with_tag(
        srgb(), b"kTRC", struct.pack(">4s4sI2s", b"curv", b"ROE^", 1, b"\1\0") + NEEDLE
    )
    out = scrub_profile(bigger + NEEDLE)
    assert tags_of(out)[b"kTRC"] == b"curv\0\0\0\0\0\0\0\1\1\0"
    assert b"ROE" not in out


def pipeline(extra: bytes = b"") -> bytes:
    """Return an A-to-B element: three identity curves, a 2-point table, three more curves."""
    curve = b"curv" + bytes(8)
    table = bytes([2, 2, 2]) + bytes(13) + bytes([1, 0, 0, 0]) + bytes(range(24))
    head = struct.pack(">4s4xBB2x5I", b"mAB ", 3, 3, 32, 0, 0, 68, 68 + len(table))
    return head + curve * 3 + table + curve * 3 + extra


def test_gaps_of_a_pipeline_are_emptied() -> None:
    icc = with_tag(srgb(), b"A2B0", pipeline())
    out = tags_of(scrub_profile(icc))[b"A2B0"]
    assert out == pipeline()
    gap = tags_of(scrub_profile(with_tag(srgb(), b"A2B0", pipeline(NEEDLE))))[b"A2B0"]
    assert gap == pipeline(bytes(len(NEEDLE)))


@pytest.mark.parametrize("name", PROFILES)
def test_a_second_scrub_changes_nothing(name: str) -> None:
    out = scrub_profile(PROFILES[name])
    assert out
    assert scrub_profile(out) == out


@pytest.mark.parametrize(
    "icc",
    [
        b"",
        bytes(200),
        srgb()[:131],
        srgb()[:200],
        srgb()[:12] + b"nmcl" + srgb()[16:],
        srgb()[:128] + b"\xff\xff\xff\xff" + srgb()[132:],
        with_tag(srgb(), b"A2B0", b"mft2" + bytes(4) + b"\x0f\x0f\xff" + bytes(60)),
        with_tag(srgb(), b"A2B0", b"text" + bytes(4) + NEEDLE),
    ],
)
def test_a_malformed_profile_gives_nothing(icc: bytes) -> None:
    assert scrub_profile(icc) == b""


@given(
    st.sampled_from([*PROFILES.values(), with_tag(srgb(), b"A2B0", pipeline())]),
    st.lists(st.tuples(st.integers(0, 4000), st.binary(min_size=1, max_size=8)), max_size=5),
    st.integers(0, 5000),
)
def test_no_mutant_raises(icc: bytes, changes: list[tuple[int, bytes]], cut: int) -> None:
    mutant = bytearray(icc[: cut or None])
    for at, data in changes:
        mutant[at : at + len(data)] = data
    out = scrub_profile(bytes(mutant))
    assert scrub_profile(out) == out
