"""Where the master key comes from: a file, the environment, the OS keyring, a command."""

import base64
import os
import pickle
import stat
import sys
from collections.abc import Iterator
from pathlib import Path

import keyring
import keyring.backend
import keyring.errors
import pytest

from safelight.errors import MasterKeyError
from safelight.vault import MasterKey

TEXT = base64.b64encode(bytes(range(32))).decode()


class Ring(keyring.backend.KeyringBackend):  # type: ignore[misc]  # untyped package
    """A keyring in memory; it can be locked."""

    priority = 1

    def __init__(self) -> None:
        super().__init__()
        self.held: dict[tuple[str, str], str] = {}
        self.locked = False

    def get_password(self, service: str, username: str) -> str | None:
        if self.locked:
            raise keyring.errors.KeyringLocked("locked")
        return self.held.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        if self.locked:
            raise keyring.errors.KeyringLocked("locked")
        self.held[service, username] = password


@pytest.fixture
def ring() -> Iterator[Ring]:
    before = keyring.get_keyring()
    made = Ring()
    keyring.set_keyring(made)
    yield made
    keyring.set_keyring(before)


def test_a_file_is_its_owners_alone(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "master.key"
    made = MasterKey.create(str(path))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert made.path == str(path)
    for source in (str(path), f"file:{path}"):
        assert MasterKey.open(source).fingerprint == made.fingerprint
    with pytest.raises(MasterKeyError, match="cannot be made"):
        MasterKey.create(str(path))
    path.chmod(0o640)
    with pytest.raises(MasterKeyError, match="by others"):
        MasterKey.open(str(path))


def test_the_default_place_is_in_the_home() -> None:
    made = MasterKey.create()
    assert made.path.startswith(os.environ["XDG_DATA_HOME"])
    assert MasterKey.open().fingerprint == made.fingerprint


@pytest.mark.parametrize("text", [b"", b"safelight-master-key-v1\nAAAA\n", TEXT.encode(), b"\xff"])
def test_a_file_that_is_none_is_told(tmp_path: Path, text: bytes) -> None:
    path = tmp_path / "master.key"
    path.write_bytes(text)
    path.chmod(0o600)
    with pytest.raises(MasterKeyError):
        MasterKey.open(str(path))


def test_a_file_that_is_missing_is_told(tmp_path: Path) -> None:
    with pytest.raises(MasterKeyError, match="cannot be opened"):
        MasterKey.open(str(tmp_path / "none"))


def test_the_environment_can_hold_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VAULT_KEY", TEXT)
    assert MasterKey.open("env:VAULT_KEY").fingerprint == MasterKey(bytes(range(32))).fingerprint
    monkeypatch.setenv("VAULT_KEY", TEXT[:-4])
    with pytest.raises(MasterKeyError) as told:
        MasterKey.open("env:VAULT_KEY")
    assert TEXT[:8] not in told.value.diagnostics()
    with pytest.raises(MasterKeyError):
        MasterKey.open("env:NOT_SET_AT_ALL")


def test_the_keyring_can_hold_it(ring: Ring) -> None:
    made = MasterKey.create_in_keyring("safelight/clinic")
    assert MasterKey.open("keyring:safelight/clinic").fingerprint == made.fingerprint
    with pytest.raises(MasterKeyError, match="already"):
        MasterKey.create_in_keyring("safelight/clinic")
    with pytest.raises(MasterKeyError, match="no such entry"):
        MasterKey.open("keyring:safelight/other")
    with pytest.raises(MasterKeyError, match="SERVICE/NAME"):
        MasterKey.open("keyring:safelight")
    ring.locked = True
    with pytest.raises(MasterKeyError, match="KeyringLocked"):
        MasterKey.open("keyring:safelight/clinic")


def test_a_command_can_print_it(tmp_path: Path) -> None:
    script = tmp_path / "kms.py"
    script.write_text(f"print({TEXT!r})\n")
    found = MasterKey.open(f"command:{sys.executable} '{script}'")
    assert found.fingerprint == MasterKey(bytes(range(32))).fingerprint
    script.write_text("raise SystemExit(3)\n")
    with pytest.raises(MasterKeyError, match="exit code 3"):
        MasterKey.open(f"command:{sys.executable} '{script}'")
    for wrong in ("command:/no/such/program", "command:", "command:'"):
        with pytest.raises(MasterKeyError, match="could not be run"):
            MasterKey.open(wrong)


def test_a_key_is_not_pickled_and_has_a_length() -> None:
    with pytest.raises(TypeError):
        pickle.dumps(MasterKey.generate())
    with pytest.raises(MasterKeyError, match="32 bytes"):
        MasterKey(b"short")
