"""Tar archives that end early, go on behind their end, or are read more than once."""

import bz2
import gzip
import io
import lzma
import os
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from safelight.intake import archives, tars
from test_intake_archives import items, make_tar, outcome

PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "tar": bytes,
    "tar.gz": gzip.compress,
    "tar.bz2": bz2.compress,
    "tar.xz": lzma.compress,
}


@pytest.mark.parametrize("form", PACKERS)
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(part=st.floats(0, 1))
def test_no_cut_is_silent(form: str, part: float, tmp_path: Path) -> None:
    tar = make_tar({"a": os.urandom(700), "b": os.urandom(1200), "c": os.urandom(300)})
    tar = tar[: 512 * 10 + 1024]  # up to its end mark; no padding that a cut may take
    assert not any(item.error for item in items(tmp_path, PACKERS[form](tar)))
    whole = PACKERS[form](tar)
    cut = whole[: min(len(whole) - 1, 6 + int(part * len(whole)))]
    if form == "tar":
        cut = cut[: len(tar) - 1024]  # half of the end mark is one still
    assert any(isinstance(value, str) for value in outcome(items(tmp_path, cut)).values())


def test_a_cut_behind_an_extension_header_is_told(tmp_path: Path) -> None:
    with io.BytesIO() as out:
        with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as archive:
            info = tarfile.TarInfo("a")
            info.pax_headers = {"comment": "x"}
            archive.addfile(info)
        tar = out.getvalue()
    (item,) = items(tmp_path, tar[:1024])
    assert "truncated" in str(item.error)
    (item,) = items(tmp_path, tar[:1024] + bytes(1024))
    assert "truncated" in str(item.error)


@pytest.mark.parametrize("form", PACKERS)
def test_what_stands_behind_the_end_mark_is_told(form: str, tmp_path: Path) -> None:
    first, second = (make_tar({name: name.encode()}) for name in "ab")
    result = outcome(items(tmp_path, PACKERS[form](first + second)))
    assert result["a"] == b"a"
    assert "end mark" in str(result["damaged-000001"])


@pytest.mark.parametrize("form", ["tar.gz", "tar.bz2", "tar.xz"])
def test_a_packed_archive_is_unpacked_in_one_go(
    form: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = []
    start = tars._Stream.__init__
    monkeypatch.setattr(
        tars._Stream, "__init__", lambda self, *more: opened.append(1) or start(self, *more)
    )
    members = {str(number): os.urandom(900) for number in range(20)}
    for item in items(tmp_path, PACKERS[form](make_tar(members))):
        assert [item.open().reveal() for _ in range(3)] == [members[item.name]] * 3
    assert len(opened) == 2  # listed, then read


def test_few_bytes_are_kept_of_what_was_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tars, "_KEPT_BYTES", 1000)
    found = items(tmp_path, gzip.compress(make_tar({"a": bytes(600), "b": b"b" * 600})))
    assert [found[at].open().reveal()[:1] for at in (0, 1, 0, 1)] == [b"\0", b"b", b"\0", b"b"]
    (_key, reader, _file) = archives._cached[0]
    assert sum(map(len, reader._kept.values())) <= 1000
