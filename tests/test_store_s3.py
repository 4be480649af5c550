"""Objects in an S3-compatible store: the same vault, over the real protocol.

The server (moto's) is a process of its own on the loopback device, and the client is obstore's,
outside of Python; no test opens a socket.
"""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from safelight.errors import CorruptedError, ErasedError, SettingsError, StoreError
from safelight.pipeline.submit import submit
from safelight.pipeline.work import DEIDENTIFIED, Worker
from safelight.store import Objects, Store
from safelight.vault import MasterKey, Vault
from safelight.vault.backup import back_up, restore
from submit_fixtures import QuickCleaner, contents, folder_of

Maker = Callable[..., Store]


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    """Start a server with one empty bucket."""
    server = os.path.join(os.path.dirname(__file__), "s3_server.py")
    with subprocess.Popen(
        [sys.executable, "-W", "ignore", server, "safelight"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as running:
        assert running.stdout is not None
        assert running.stdin is not None
        port = running.stdout.readline().strip()
        yield f"http://127.0.0.1:{port}"
        running.stdin.close()


@pytest.fixture
def address(endpoint: str, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> str:
    """Return a place of this test's own in the bucket."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    name = request.node.name.replace("[", "-").replace("]", "")
    return f"s3://safelight/{name}?endpoint={endpoint}&region=eu-west-1"


def test_objects_come_back_and_go(address: str) -> None:
    objects = Objects(address)
    assert objects.put("p/one/a", [b"x", b"y"]) == 2
    assert objects.put("p/one/b", (b"z" * (1 << 20) for _ in range(19))) == 19 << 20
    assert b"".join(objects.get("p/one/a")) == b"xy"
    assert sum(map(len, objects.get("p/one/b"))) == 19 << 20
    assert sorted(objects.list("p/one")) == [("p/one/a", 2), ("p/one/b", 19 << 20)]
    assert objects.exists("p/one/a")
    assert list(objects.stale("p", timedelta(hours=1))) == []
    objects.delete("p/one/a")
    objects.delete("p/one/a")
    assert not objects.exists("p/one/a")
    with pytest.raises(StoreError, match="not there"):
        list(objects.get("p/one/a"))


def test_a_put_that_fails_leaves_nothing(address: str) -> None:
    objects = Objects(address)

    def broken() -> Iterator[bytes]:
        for _ in range(12):
            yield b"x" * (1 << 20)
        raise KeyError("gone")

    with pytest.raises(KeyError):
        objects.put("p/half", broken())
    assert not objects.exists("p/half")


def test_a_person_comes_in_and_goes(make_store: Maker, address: str, tmp_path: Path) -> None:
    vault = Vault(make_store(objects=address), MasterKey.generate())
    told = submit(vault, [str(folder_of(tmp_path / "in", (b"JANE DOE", b"CANNOT say")))])
    Worker(vault, QuickCleaner()).run()
    assert [name.partition("/")[0] for name in contents(vault)] == ["deidentified", "original"]
    name = f"{told.submission}-0"
    assert b"".join(vault.get(told.person, DEIDENTIFIED, name)) == b"JANE QQQ"
    for key, _ in vault.store.objects.list():
        assert b"DOE" not in b"".join(vault.store.objects.get(key))
    assert vault.destroy_key(told.person) == []
    assert {key for key, _ in vault.store.objects.list()} == {f"erased/{told.person}", "vault/id"}
    with pytest.raises(ErasedError):
        list(vault.get(told.person, DEIDENTIFIED, name))


def test_backups_come_from_there_and_go_back(address: str, tmp_path: Path) -> None:
    master = MasterKey.generate()
    home = str(tmp_path / "d")
    with Store.open(f"sqlite:///{home}/a.db", objects=address, home=home) as store:
        vault = Vault(store, master)
        person = vault.create_person()
        vault.put(person, DEIDENTIFIED, "one", [b"data"])
        back_up(vault, str(tmp_path / "b"))
    with Store.at(tmp_path / "e") as store:
        restore(str(tmp_path / "b"), store)
        assert list(Vault(store, master).get(person, DEIDENTIFIED, "one")) == [b"data"]


def test_a_corrupted_object_is_noticed(address: str, tmp_path: Path) -> None:
    home = str(tmp_path / "d")
    with Store.open(f"sqlite:///{home}/a.db", objects=address, home=home) as store:
        vault = Vault(store, MasterKey.generate())
        stored = vault.put(vault.create_person(), DEIDENTIFIED, "one", [b"data"])
        store.objects.put(stored.key, [b"SLv1" + bytes(100)])
        with pytest.raises(CorruptedError):
            list(vault.get(*stored.name))


@pytest.mark.parametrize(
    "address", ["s3://", "s3://b?what=1", "ftp://a/b", "gs://bucket/a", "s3:///x"]
)
def test_a_wrong_address_is_told(address: str) -> None:
    with pytest.raises(SettingsError):
        Objects(address)
