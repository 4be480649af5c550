"""How commands end when they are stopped, find no room, or are given a file they cannot use."""

import json
import os
import subprocess
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from run_fixtures import COMMAND, command, planted
from safelight.cli import main
from safelight.errors import (
    LimitExceededError,
    NeedsReviewError,
    SettingsError,
    UnreadableInputError,
)


def given(*words: str | Path, **more: str) -> Result:
    return CliRunner().invoke(main, [str(word) for word in words], **more)  # type: ignore[arg-type]  # an input text


@pytest.mark.parametrize("fault", [KeyboardInterrupt, click.Abort])
def test_a_command_that_is_stopped_says_what_was_kept(
    monkeypatch: pytest.MonkeyPatch, fault: type[BaseException]
) -> None:
    def stop(**_: object) -> None:
        end = fault()
        if fault is click.Abort:
            end.__context__ = KeyboardInterrupt()  # as click does in the middle of a question
        raise end

    monkeypatch.setattr("safelight.cli.showing.presets", stop)
    done = given("presets")
    assert done.exit_code == 4
    assert "stopped as asked" in done.output
    assert "kept:" in done.output
    assert "Aborted" not in done.output


@pytest.mark.parametrize("answer", ["", "n\n"])
def test_a_question_without_a_yes_changes_nothing(answer: str) -> None:
    done = given("withdraw", "0" * 32, "--all", input=answer)
    assert done.exit_code == 4
    assert "nobody said yes" in done.output
    assert "Aborted" not in done.output


@pytest.mark.parametrize("words", [("--version",), ("presets",)])
def test_output_without_room_is_said_in_words(words: tuple[str, ...]) -> None:
    with open("/dev/full", "wb") as full:
        done = subprocess.run([*COMMAND, *words], stdout=full, stderr=subprocess.PIPE, check=False)
    assert done.returncode == 4
    assert b"finds no place" in done.stderr
    assert b"Traceback" not in done.stderr
    assert b"unexpected" not in done.stderr


def test_a_terminal_of_few_characters_is_no_error(tmp_path: Path, key_file: Path) -> None:
    path = next(planted(tmp_path / "in", 1).rglob("*.dcm"))
    words = ("inspect", str(path), "--all", "--key", str(key_file))
    env = {**os.environ, "PYTHONIOENCODING": "ascii"}
    done = subprocess.run([*COMMAND, *words], env=env, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    assert b"profile share" in done.stdout


def test_where_no_list_is_kept_none_is_named() -> None:
    for error in (UnreadableInputError("x", place="line 2"), NeedsReviewError("x")):
        told = error.unlisted("a.csv")
        assert type(told) is type(error)
        assert "listed" not in told.diagnostics()
        assert told.place.startswith("a.csv")
        assert error.unlisted().place == error.place
    said = LimitExceededError("x", kept="this", todo="that").unlisted()
    assert (said.kept, said.todo) == ("this", "that")


@pytest.mark.parametrize(
    "words",
    [
        ("labs", "bad"),
        ("labs", "good", "--before", "bad"),
        ("labs", "good", "--sites", "bad"),
        ("ask", "What is this?", "--reading", "bad"),
        ("ask", "What is this?", "--labs", "bad"),
        ("inspect", "bad"),
        ("federate", "import", "bad", "--head", "x", "--source", "y"),
    ],
)
def test_what_cannot_be_read_is_named_and_listed_nowhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    Path("good").write_text("Test;Result;Unit;Range\nSodium;140;mmol/L;135-145\n", "utf-8")
    Path("bad").write_bytes(b"\xff\xfe\x00nothing")
    done = given(*words)
    assert done.exit_code in (2, 3, 4), done.output
    assert "bad" in done.output
    assert "listed" not in done.output
    assert "unexpected" not in done.output


def test_an_empty_file_is_called_empty_by_inspect_too(tmp_path: Path, key_file: Path) -> None:
    path = tmp_path / "empty"
    path.touch()
    told = command("inspect", path, "--key", key_file)
    assert told.returncode == 3
    assert "the file is empty" in told.stderr
    document = json.loads(command("inspect", path, "--key", key_file, "--json").stdout)
    assert document["what"] == "the file is empty"


@pytest.mark.parametrize("content", [None, b""])
def test_a_mask_file_that_masks_nothing_is_refused(
    tmp_path: Path, key_file: Path, content: bytes | None
) -> None:
    path = tmp_path / "masks.toml"
    if content is not None:
        path.write_bytes(content)
    done = CliRunner(env={"SAFELIGHT_MASK_FILE": str(path)}).invoke(
        main,
        ["deidentify", str(planted(tmp_path / "in", 1)), "-o", str(tmp_path / "out"),
         "--key", str(key_file)],
    )  # fmt: skip
    assert done.exit_code == 2, done.output
    assert "mask file" in done.output
    assert "to do:" in done.output
    assert SettingsError("x").todo
