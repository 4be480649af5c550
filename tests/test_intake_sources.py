"""The walk lists everything once, in order, follows nothing, and leaves no root."""

import os
import pickle
import shutil
import socket
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from safelight.dicomio.limits import Limits
from safelight.errors import LimitExceededError, UnreadableInputError
from safelight.intake.sources import Item, expand, walk
from safelight.types import Kind


def relatives(found: list[Item]) -> list[str]:
    return [item.relative for item in found]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "scans"
    for name in ("b/2.dcm", "b/1.dcm", "a/x/3.dcm", "z.dcm", "A.dcm"):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode())
    return root


def test_order_depends_on_names_alone(folder: Path) -> None:
    expected = ["A.dcm", "z.dcm", "a/x/3.dcm", "b/1.dcm", "b/2.dcm"]
    assert relatives(list(walk([folder]))) == expected


def test_a_file_is_its_own_root(folder: Path) -> None:
    (item,) = walk([folder / "z.dcm"])
    assert item.relative == item.name == "z.dcm"
    assert item.open().reveal() == b"z.dcm"
    assert item.size == 5
    assert item.mtime_ns == (folder / "z.dcm").stat().st_mtime_ns


def test_several_roots_never_share_a_name(folder: Path, tmp_path: Path) -> None:
    other = tmp_path / "more" / "scans"
    other.mkdir(parents=True)
    (other / "z.dcm").write_bytes(b"other")
    found = list(walk([folder, other, folder / "b"]))
    assert len(set(relatives(found))) == len(found) == 6
    assert "scans-2/z.dcm" in relatives(found)


def test_a_root_named_twice_or_within_another_is_walked_once(folder: Path) -> None:
    assert len(list(walk([folder, folder, folder / "b", folder / "b" / "1.dcm"]))) == 5


def test_excluded_places_are_not_entered(folder: Path) -> None:
    assert relatives(list(walk([folder], exclude=[folder / "b"]))) == [
        "A.dcm",
        "z.dcm",
        "a/x/3.dcm",
    ]


def test_links_are_listed_and_not_followed(folder: Path, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.mkdir()
    (secret / "key").write_bytes(b"secret")
    (folder / "link-to-file").symlink_to(secret / "key")
    (folder / "link-to-folder").symlink_to(secret)
    (folder / "b" / "loop").symlink_to(folder)
    found = [item for item in walk([folder]) if item.error]
    assert relatives(found) == ["link-to-file", "link-to-folder", "b/loop"]
    for item in found:
        with pytest.raises(UnreadableInputError, match="link"):
            item.open()


def test_a_link_that_the_user_names_is_followed(folder: Path, tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(folder)
    assert len(list(walk([link]))) == 5


def test_a_file_swapped_for_a_link_is_not_read(folder: Path) -> None:
    (item,) = walk([folder / "z.dcm"])
    (folder / "z.dcm").unlink()
    (folder / "z.dcm").symlink_to(folder / "A.dcm")
    with pytest.raises(UnreadableInputError, match="cannot be read"):
        item.open()


def test_a_file_swapped_for_a_pipe_does_not_hang(folder: Path) -> None:
    (item,) = walk([folder / "z.dcm"])
    (folder / "z.dcm").unlink()
    os.mkfifo(folder / "z.dcm")
    with pytest.raises(UnreadableInputError, match="not a regular file"):
        item.sniff()


def test_it_is_shown_where_every_input_lies(folder: Path) -> None:
    (folder / "link").symlink_to("z.dcm")
    with zipfile.ZipFile(folder / "b.zip", "w") as archive:
        for name in ("one/1.dcm", "two/1.dcm"):
            archive.writestr(name, b"x")
        archive.writestr("../out", b"x")
    link, gone = (item for item in walk([folder, folder.parent / "gone"]) if item.error)
    (packed,) = [item for item in walk([folder]) if item.relative == "b.zip"]
    assert [link.shown, gone.shown] == [f"{folder}/link", f"{folder.parent}/gone"]
    shown = [item.shown.removeprefix(f"{folder}/") for item in expand(packed)]
    assert shown == ["b.zip!/one/1.dcm", "b.zip!/two/1.dcm", "b.zip!/unsafe-000002"]


def test_pipes_and_sockets_are_listed_with_a_reason(folder: Path) -> None:
    os.mkfifo(folder / "pipe")
    with socket.socket(socket.AF_UNIX) as server:
        here = os.getcwd()
        os.chdir(folder)  # a socket's path may not be long
        try:
            server.bind("socket")
        finally:
            os.chdir(here)
        found = [item for item in walk([folder]) if item.error]
    assert relatives(found) == ["pipe", "socket"]
    assert all("not a regular file" in str(item.error) for item in found)


def test_a_missing_path_is_listed(tmp_path: Path) -> None:
    (item,) = walk([tmp_path / "gone"])
    assert "No such file" in str(item.error)
    assert str(tmp_path) not in str(item.error)


@pytest.fixture
def nobody() -> Iterator[Path]:
    """Give a folder to someone who is not root: root may read everything."""
    folder = Path(tempfile.mkdtemp())  # pytest's own folders are closed to others
    folder.chmod(0o777)
    before = os.geteuid()
    if before == 0:
        os.seteuid(65534)
    yield folder
    os.seteuid(before)
    shutil.rmtree(folder)


def test_an_unreadable_file_and_folder_are_listed(nobody: Path) -> None:
    for name in ("closed/1.dcm", "open/2.dcm"):
        (nobody / name).parent.mkdir()
        (nobody / name).write_bytes(b"x")
    (nobody / "closed").chmod(0)
    (nobody / "open" / "2.dcm").chmod(0)
    closed, file = walk([nobody])
    (nobody / "closed").chmod(0o700)
    assert closed.relative == "closed"
    assert "Permission denied" in str(closed.error)
    with pytest.raises(UnreadableInputError, match="Permission denied"):
        file.open()


def test_folders_without_end_are_cut(tmp_path: Path) -> None:
    deep = tmp_path / "top"
    here = os.getcwd()
    deep.mkdir()
    os.chdir(deep)
    try:
        for _ in range(230):
            os.mkdir("d")
            os.chdir("d")
        Path("x").write_bytes(b"")
    finally:
        os.chdir(here)
    (item,) = walk([deep])
    assert isinstance(item.error, LimitExceededError)


def test_a_large_file_is_refused_before_it_is_read(folder: Path) -> None:
    with (folder / "z.dcm").open("wb") as file:
        file.truncate(1 << 34)
    (item,) = walk([folder / "z.dcm"])
    with pytest.raises(LimitExceededError):
        item.open()
    assert item.sniff() is Kind.UNKNOWN


def test_the_kind_comes_from_the_first_bytes(folder: Path) -> None:
    (folder / "z.dcm").write_bytes(b"\xff\xd8\xff\xe0")
    (item,) = walk([folder / "z.dcm"])
    assert item.sniff() is item.open(Limits()).kind is Kind.JPEG


def test_a_look_reads_the_head_once_and_a_members_not_at_all(folder: Path) -> None:
    (folder / "z.dcm").write_bytes(b"\xff\xd8\xff\xe0" + bytes(9000))
    (item,) = walk([folder / "z.dcm"])
    assert item.look(5000) == (Kind.JPEG, b"\xff\xd8\xff\xe0" + bytes(4996))
    with zipfile.ZipFile(folder / "a.zip", "w") as archive:
        archive.writestr("in.jpg", b"\xff\xd8\xff\xe0")
    (archived,) = walk([folder / "a.zip"])
    (member,) = expand(archived)
    assert member.look(5000) == (Kind.JPEG, b"")


def test_files_and_members_of_no_kind_are_explained(folder: Path) -> None:
    with zipfile.ZipFile(folder / "a.zip", "w") as archive:
        archive.writestr("in.dcm", b"a note")
    (archived,) = walk([folder / "a.zip"])
    (member,) = expand(archived)
    (file,) = walk([folder / "z.dcm"])
    assert member.explain() == file.explain() == "text under a DICOM file's name"


def test_items_travel_to_workers(folder: Path) -> None:
    (folder / "link").symlink_to(folder)
    found = list(walk([folder]))
    again = pickle.loads(pickle.dumps(found))  # noqa: S301 - our own bytes
    assert relatives(again) == relatives(found)
    assert [str(item.error) for item in again] == [str(item.error) for item in found]


def test_expanding_what_cannot_be_read_gives_the_reason(tmp_path: Path) -> None:
    (gone,) = walk([tmp_path / "gone.zip"])
    (item,) = expand(gone)
    assert item.error is gone.error
    (tmp_path / "noise.zip").write_bytes(b"PK\x03\x04 not really")
    (noise,) = walk([tmp_path / "noise.zip"])
    (item,) = expand(noise)
    assert "no end record" in str(item.error)


def test_names_that_are_not_unicode_are_walked(tmp_path: Path) -> None:
    with open(os.fsencode(tmp_path) + b"/\xff\xfe.dcm", "wb") as file:
        file.write(b"x")
    (item,) = walk([tmp_path])
    assert item.open().reveal() == b"x"
