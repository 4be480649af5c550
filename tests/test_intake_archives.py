"""Archives: honest ones are read whole; a hostile one costs a member or itself, never the run."""

import bz2
import contextlib
import gzip
import io
import lzma
import os
import struct
import tarfile
import tracemalloc
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from safelight.dicomio.limits import Limits
from safelight.errors import QuarantineError, SafelightError
from safelight.intake import archives
from safelight.intake.sources import Item, expand, walk
from safelight.types import Kind

HONEST = {"IMAGES/IM1": b"one" * 50, "IMAGES/IM2": os.urandom(9000), "empty": b"", "ä/ü.dcm": b"u"}


def make_zip(members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return out.getvalue()


def make_tar(members: dict[str, bytes], form: int = tarfile.PAX_FORMAT) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=form) as archive:
        folder = tarfile.TarInfo("IMAGES")
        folder.type = tarfile.DIRTYPE
        archive.addfile(folder)
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return out.getvalue()


def special_tar(kind: bytes, name: str = "x", link: str = "/etc/passwd") -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        info = tarfile.TarInfo(name)
        info.type = kind
        info.linkname = link
        archive.addfile(info)
        good = tarfile.TarInfo("good")
        good.size = 4
        archive.addfile(good, io.BytesIO(b"good"))
    return out.getvalue()


def items(tmp_path: Path, data: bytes, **limits: int) -> list[Item]:
    path = tmp_path / "archive.bin"
    path.write_bytes(data)
    (item,) = walk([path])
    return list(expand(item, limits=Limits(**limits)))


def outcome(found: list[Item], limits: Limits | None = None) -> dict[str, bytes | str]:
    result: dict[str, bytes | str] = {}
    for item in found:
        try:
            result[item.relative.partition("!/")[2]] = item.open(limits).reveal()
        except QuarantineError as error:
            result[item.relative.partition("!/")[2]] = str(error)
    return result


ARCHIVES: dict[str, Callable[[dict[str, bytes]], bytes]] = {
    "stored zip": lambda members: make_zip(members, zipfile.ZIP_STORED),
    "deflated zip": make_zip,
    "bzip2 zip": lambda members: make_zip(members, zipfile.ZIP_BZIP2),
    "pax tar": make_tar,
    "gnu tar": lambda members: make_tar(members, tarfile.GNU_FORMAT),
    "ustar": lambda members: make_tar(members, tarfile.USTAR_FORMAT),
    "tar.gz": lambda members: gzip.compress(make_tar(members)),
    "tar.gz in two parts": lambda members: (
        gzip.compress(make_tar(members)[:700]) + gzip.compress(make_tar(members)[700:])
    ),
    "tar.bz2": lambda members: bz2.compress(make_tar(members)),
    "tar.xz": lambda members: lzma.compress(make_tar(members)),
}


@pytest.mark.parametrize("form", ARCHIVES)
def test_honest_archives_are_read_whole(form: str, tmp_path: Path) -> None:
    found = items(tmp_path, ARCHIVES[form](HONEST))
    assert outcome(found) == HONEST
    assert [item.relative for item in found] == [f"archive.bin!/{name}" for name in HONEST]
    backwards = [item.open().reveal() for item in reversed(found)]
    assert backwards == list(reversed(HONEST.values()))


@pytest.mark.parametrize("form", ["pax tar", "gnu tar", "tar.gz", "deflated zip"])
def test_long_names_are_read(form: str, tmp_path: Path) -> None:
    long = {"a/" * 90 + "image.dcm": b"x", "next": b"y"}
    assert outcome(items(tmp_path, ARCHIVES[form](long))) == long


UNSAFE_NAMES = ["../up", "a/../../up", "/etc/passwd", "C:/x", "c:x", "..\\up", "\\\\host\\x"]


@pytest.mark.parametrize("name", UNSAFE_NAMES)
@pytest.mark.parametrize("form", ["deflated zip", "pax tar"])
def test_traversal_costs_the_member_alone(name: str, form: str, tmp_path: Path) -> None:
    result = outcome(items(tmp_path, ARCHIVES[form]({name: b"evil", "good": b"good"})))
    assert result == {"unsafe-000000": "the member's path leaves the archive", "good": b"good"}


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        (tarfile.SYMTYPE, "link"),
        (tarfile.LNKTYPE, "link"),
        (tarfile.CHRTYPE, "device"),
        (tarfile.FIFOTYPE, "special"),
        (tarfile.GNUTYPE_SPARSE, "sparse"),
        (b"Z", "unknown type"),
    ],
)
def test_special_tar_members_are_refused(kind: bytes, reason: str, tmp_path: Path) -> None:
    if kind == tarfile.GNUTYPE_SPARSE:
        data = bytearray(special_tar(b"0"))
        data[156:157] = b"S"
        data[148:156] = b" " * 8
        data[148:156] = b"%06o\0 " % sum(data[:512])
        result = outcome(items(tmp_path, bytes(data)))
    else:
        result = outcome(items(tmp_path, special_tar(kind)))
    assert reason in str(result["x"])
    assert result["good"] == b"good"


def zip_with(change: Callable[[zipfile.ZipInfo], None]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        info = zipfile.ZipInfo("x")
        change(info)
        archive.writestr(info, b"target")
        archive.writestr("good", b"good")
    return out.getvalue()


def test_a_link_in_a_zip_is_refused(tmp_path: Path) -> None:
    def link(info: zipfile.ZipInfo) -> None:
        info.create_system = 3
        info.external_attr = 0o120777 << 16

    result = outcome(items(tmp_path, zip_with(link)))
    assert result == {"x": "the member is a link", "good": b"good"}


def patched(data: bytes, central: int, value: bytes, *, local: int = -1) -> bytes:
    """Change a field of the first entry: ``central`` and ``local`` are places in the headers."""
    out = bytearray(data)
    at = data.index(b"PK\x01\x02") + central
    out[at : at + len(value)] = value
    if local >= 0:
        out[local : local + len(value)] = value
    return bytes(out)


TWO = make_zip({"x": b"target" * 9, "good": b"good"})


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (patched(TWO, 8, b"\x01\x00", local=6), "encrypted"),
        (patched(TWO, 10, b"\x63\x00", local=8), "encrypted"),
        (patched(TWO, 10, b"\x0e\x00", local=8), "method"),
        (patched(TWO, 16, b"\x00\x00\x00\x00"), "checksum"),
        (patched(TWO, 24, b"\x05\x00\x00\x00"), "length"),
        (patched(TWO, 24, b"\xff\x00\x00\x00"), "length"),
        (patched(TWO, 10, b"\x00\x00"), "sizes contradict"),
        (patched(TWO, 46, b"y"), "contradicts"),
        (patched(TWO, 34, b"\x05\x00"), "split"),
    ],
)
def test_a_lying_zip_header_costs_the_member_alone(
    data: bytes, reason: str, tmp_path: Path
) -> None:
    result = outcome(items(tmp_path, data))
    assert result.pop("good") == b"good"
    assert reason in str(next(iter(result.values())))


def test_overlapping_members_refuse_the_archive(tmp_path: Path) -> None:
    second = TWO.index(b"PK\x01\x02", TWO.index(b"PK\x01\x02") + 4)
    bomb = bytearray(TWO)
    bomb[second + 42 : second + 46] = struct.pack("<I", 8)
    (item,) = items(tmp_path, bytes(bomb))
    assert "overlap" in str(item.error)


def test_two_entries_for_one_body_refuse_the_archive(tmp_path: Path) -> None:
    first = TWO.index(b"PK\x01\x02")
    end = TWO.index(b"PK\x05\x06")
    entry = TWO[first : first + 47]
    directory = entry + entry.replace(b"x", b"z")
    tail = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 2, 2, len(directory), first, 0)
    assert end > first
    (item,) = items(tmp_path, TWO[:first] + directory + tail)
    assert "overlap" in str(item.error)


def test_duplicate_names_keep_the_first(tmp_path: Path) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("a", b"first")
        archive.writestr("./a", b"second")
    result = outcome(items(tmp_path, out.getvalue()))
    assert result == {"a": b"first", "a.000001": "a second member of the same name"}


@pytest.mark.parametrize("form", ["deflated zip", "tar.gz", "tar.bz2", "tar.xz"])
def test_a_ratio_bomb_is_refused_in_bounded_memory(form: str, tmp_path: Path) -> None:
    data = ARCHIVES[form]({"zeros": bytes(1 << 26), "good": b"good"})
    tracemalloc.start()
    result = outcome(items(tmp_path, data))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert any("ratio" in str(value) for value in result.values())
    assert peak < 1 << 25


@pytest.mark.parametrize("form", ["stored zip", "deflated zip", "pax tar", "tar.gz"])
def test_too_many_members_refuse_the_archive(form: str, tmp_path: Path) -> None:
    data = ARCHIVES[form]({str(number): b"" for number in range(12)})
    (item,) = items(tmp_path, data, members=11)
    assert "members" in str(item.error)


@pytest.mark.parametrize("form", ["stored zip", "pax tar", "tar.gz"])
def test_too_many_bytes_refuse_the_archive(form: str, tmp_path: Path) -> None:
    data = ARCHIVES[form]({str(number): os.urandom(9999) for number in range(9)})
    (item,) = items(tmp_path, data, decoded_bytes=50_000, members=5 if "tar" in form else 99)
    assert item.error is not None
    assert item.error.code == "limit"


def test_a_claimed_terabyte_is_refused_before_it_is_allocated(tmp_path: Path) -> None:
    info = tarfile.TarInfo("huge")
    info.size = 1 << 40
    (item,) = items(tmp_path, info.tobuf(tarfile.GNU_FORMAT) + bytes(1024))
    assert item.error is not None
    assert item.error.code == "limit"


def test_a_long_extension_header_is_refused(tmp_path: Path) -> None:
    info = tarfile.TarInfo("././@LongLink")
    info.type = tarfile.GNUTYPE_LONGNAME
    info.size = 1 << 20
    (item,) = items(tmp_path, info.tobuf(tarfile.GNU_FORMAT) + bytes(1 << 20))
    assert "extension header" in str(item.error)


def test_members_before_the_damage_are_still_read(tmp_path: Path) -> None:
    data = bytearray(make_tar({"a": b"first", "b": b"second"}, tarfile.USTAR_FORMAT))
    data[data.index(b"b\x00\x00\x00")] = 0x7A
    result = outcome(items(tmp_path, bytes(data)))
    assert result["a"] == b"first"
    assert "checksum" in str(result["damaged-000001"])


def test_an_archive_in_an_archive_is_not_opened(tmp_path: Path) -> None:
    (inner,) = items(tmp_path, make_zip({"inner.zip": make_zip({"deep": b"x"})}))
    assert inner.open().kind is Kind.ZIP
    (refused,) = expand(inner)
    assert "archive inside an archive" in str(refused.error)


def test_an_archive_that_changed_is_noticed(tmp_path: Path) -> None:
    found = items(tmp_path, make_zip(HONEST))
    (tmp_path / "archive.bin").write_bytes(make_zip({"other": b"x"}))
    with pytest.raises(SafelightError, match="changed"):
        found[2].open()


def test_a_vanished_archive_is_unreadable(tmp_path: Path) -> None:
    found = items(tmp_path, make_zip(HONEST))
    (tmp_path / "archive.bin").unlink()
    with pytest.raises(SafelightError, match="cannot be read"):
        found[0].open()


def test_zip64_fields_are_read(tmp_path: Path) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive, archive.open("big", "w", force_zip64=True) as member:
        member.write(b"large file support")
    body = out.getvalue()
    first = body.index(b"PK\x01\x02")
    full = struct.pack("<2L", 0xFFFFFFFF, 0xFFFFFFFF)
    entry = bytearray(body[first : body.index(b"PK\x05\x06")])
    entry[20:28] = full
    extra = struct.pack("<2H2Q", 1, 16, 18, 18)
    entry[30:32] = struct.pack("<H", len(extra))
    entry[46:] = b"big" + extra
    record = struct.pack("<4sQ2H2L4Q", b"PK\x06\x06", 44, 45, 45, 0, 0, 1, 1, len(entry), first)
    locator = struct.pack("<4sLQL", b"PK\x06\x07", 0, first + len(entry), 1)
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 0xFFFF, 0xFFFF, 0, 0xFFFFFFFF, 0)
    end = end[:12] + full + end[20:]
    found = items(tmp_path, body[:first] + bytes(entry) + record + locator + end)
    assert outcome(found) == {"big": b"large file support"}


@settings(
    max_examples=150, deadline=2000, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    form=st.sampled_from(sorted(ARCHIVES)),
    cut=st.integers(0, 400),
    at=st.integers(0, 1 << 14),
    patch=st.binary(min_size=1, max_size=6),
)
def test_bent_archives_raise_nothing_but_safelight_errors(
    tmp_path: Path, form: str, cut: int, at: int, patch: bytes
) -> None:
    data = ARCHIVES[form]({"a": b"first" * 40, "b/c": zlib.compress(b"x" * 999), "d": b""})
    at %= len(data)
    bent = data[:at] + patch + data[at + len(patch) : len(data) - cut % 3 * 100]
    archives.forget()
    for item in items(tmp_path, bent):
        assert item.relative.startswith("archive.bin")
        with contextlib.suppress(SafelightError):
            item.open()
