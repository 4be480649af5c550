"""Pseudonyms: the same under the same key, nothing without it, dates never forward."""

import os
import pickle
import stat
import uuid
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safelight.deid.pseudonyms import ProjectKey
from safelight.errors import KeyFileError

ONE = ProjectKey(b"1" * 32)
KNOWN_UID = "2.25.258384021405949033982707193341036841356"
KNOWN_CODE = "CK5M7H7QRW"
KNOWN_SHIFT = -2727
TWO = ProjectKey(b"2" * 32)


def test_a_key_file_is_its_owners_alone(key_file: Path) -> None:
    made = ProjectKey.load_or_create(key_file)
    assert stat.S_IMODE(key_file.stat().st_mode) == 0o600
    assert stat.S_IMODE(key_file.parent.stat().st_mode) == 0o700
    assert ProjectKey.load_or_create(key_file).fingerprint == made.fingerprint


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o610, 0o601])
def test_a_key_file_that_others_reach_is_refused(key_file: Path, mode: int) -> None:
    ProjectKey.create(key_file)
    key_file.chmod(mode)
    with pytest.raises(KeyFileError, match="others") as caught:
        ProjectKey.load(key_file)
    assert "chmod 600" in caught.value.todo


def test_a_key_file_is_never_overwritten(key_file: Path) -> None:
    ProjectKey.create(key_file)
    before = key_file.read_bytes()
    with pytest.raises(KeyFileError):
        ProjectKey.create(key_file)
    assert key_file.read_bytes() == before


@pytest.mark.parametrize(
    "content",
    [b"", b"DOE^JANE", b"safelight-project-key-v1\n", b"safelight-project-key-v1\n!!\n"]
    + [b"safelight-project-key-v1\nQUJD\n"],
    ids=["empty", "another-file", "no-secret", "not-base64", "too-short"],
)
def test_a_damaged_key_file(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "project.key"
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(KeyFileError) as caught:
        ProjectKey.load(path)
    assert "DOE" not in str(caught.value)


def test_a_missing_key_file(tmp_path: Path) -> None:
    with pytest.raises(KeyFileError, match="cannot be opened"):
        ProjectKey.load(tmp_path / "none")
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(KeyFileError, match="cannot be made"):
        ProjectKey.create(tmp_path / "file" / "project.key")


def test_a_key_shows_and_gives_away_nothing() -> None:
    assert repr(ONE) == f"ProjectKey(<{ONE.fingerprint}>)"
    assert "111" not in repr(ONE)
    with pytest.raises(TypeError):
        pickle.dumps(ONE)
    with pytest.raises(KeyFileError):
        ProjectKey(b"short")
    assert ProjectKey.generate().fingerprint != ProjectKey.generate().fingerprint
    assert os.linesep not in ONE.fingerprint


@given(st.text(max_size=80))
def test_uids_are_valid_and_stable(value: str) -> None:
    out = ONE.uid(value)
    assert out == ProjectKey(b"1" * 32).uid(value)
    assert out != TWO.uid(value)
    assert len(out) <= 64
    number = int(out.removeprefix("2.25."))
    assert out == f"2.25.{number}"  # no leading zero
    made = uuid.UUID(int=number)
    assert (made.version, made.variant) == (8, uuid.RFC_4122)


def test_known_answers_stay_the_same() -> None:
    """A change here would give every old project new pseudonyms."""
    assert ONE.uid("1.2.3") == KNOWN_UID
    assert ONE.code("patient", "DOE") == KNOWN_CODE
    assert ONE.shift_days("DOE") == KNOWN_SHIFT
    assert ONE.code("patient", "DOE") != ONE.code("person", "DOE")
    assert ONE.code("patient", "DOE", 12).startswith(ONE.code("patient", "DOE", 10))
    assert ONE.code("patient", "DOE").isalnum()
    assert len(ONE.digest(b"DOE")) == 16
    assert len({ONE.digest(b"DOE"), TWO.digest(b"DOE"), ONE.mac(b"DOE")[:16]}) == 3
    assert len(ONE.mac(b"DOE")) == 64
    assert len(ONE.signing_seed()) == 32
    assert ONE.signing_seed() != TWO.signing_seed()


@given(st.text(max_size=40))
def test_shifts_are_fixed_and_never_forward(person: str) -> None:
    days = ONE.shift_days(person)
    assert days == ONE.shift_days(person)
    assert -3649 <= days <= -30


def test_persons_get_shifts_of_their_own() -> None:
    shifts = {ONE.shift_days(f"DOE {n}") for n in range(200)}
    assert len(shifts) > 150
    assert {ONE.shift_days(f"DOE {n}") for n in range(50)} != {
        TWO.shift_days(f"DOE {n}") for n in range(50)
    }
