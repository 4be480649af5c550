"""The commands as a person meets them: exit codes, what is said where, and what is never said."""

import json
import os
import pty
import signal
import subprocess
import time
from pathlib import Path

import pytest

from run_fixtures import COMMAND, NEEDLES, command, outputs, planted, sample
from safelight import __version__


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return planted(tmp_path / "in", 3)


@pytest.fixture
def done(tmp_path: Path, source: Path, key_file: Path) -> Path:
    out = tmp_path / "out"
    told = command("deidentify", source, "-o", out, "--key", key_file)
    assert told.returncode == 0, told.stderr
    return out


def test_version_and_help() -> None:
    assert command("--version").stdout == f"safelight {__version__}\n"
    told = command("deidentify", "--help").stdout
    assert "Exit codes" in told
    assert "--preset" in told


def test_all_done_is_0(tmp_path: Path, source: Path, key_file: Path) -> None:
    told = command("deidentify", source, "-o", tmp_path / "out", "--key", key_file)
    assert told.returncode == 0
    assert told.stdout == ""
    assert "3 inputs" in told.stderr
    assert "report.html" in told.stderr
    assert key_file.stat().st_mode & 0o077 == 0


def test_review_is_1_and_quarantine_beats_it(tmp_path: Path, source: Path, key_file: Path) -> None:
    data = sample()
    data.NumberOfFrames = 9  # promises more pixels than there are
    data.save_as(source / "short.dcm")
    told = command("deidentify", source, "-o", tmp_path / "out", "--key", key_file)
    assert told.returncode == 1
    assert "review" in told.stderr
    (source / "empty.dcm").touch()
    told = command("deidentify", source, "-o", tmp_path / "out", "--key", key_file)
    assert told.returncode == 3
    assert "the file is empty" in told.stderr


@pytest.mark.parametrize(
    "extra",
    [
        ["--preset", "no-such"],
        ["--limit", "no_such=1"],
        ["--limit", "depth_read"],
        ["--workers", "-1"],
        ["--no-such"],
    ],
)
def test_wrong_usage_is_2(tmp_path: Path, source: Path, key_file: Path, extra: list[str]) -> None:
    told = command("deidentify", source, "-o", tmp_path / "out", "--key", key_file, *extra)
    assert told.returncode == 2, told.stderr
    assert "Traceback" not in told.stderr
    assert not (tmp_path / "out").exists()


def test_what_cannot_start_is_4(tmp_path: Path, source: Path, key_file: Path) -> None:
    inside = command("deidentify", source, "-o", source / "out", "--key", key_file)
    assert inside.returncode == 4
    assert "lie in each other" in inside.stderr
    key_file.parent.mkdir(parents=True, exist_ok=True)
    key_file.write_text("not a key")
    key_file.chmod(0o600)
    wrong = command("deidentify", source, "-o", tmp_path / "out", "--key", key_file)
    assert wrong.returncode == 4
    assert "not a Safelight project key" in wrong.stderr


def test_json_is_one_document_without_a_value(tmp_path: Path, source: Path, key_file: Path) -> None:
    (source / "WEXFORDIAN.txt").write_text("JANETTE")
    out = tmp_path / "out"
    told = command("deidentify", source, "-o", out, "--key", key_file, "--json")
    document = json.loads(told.stdout)
    assert document["exit_code"] == told.returncode == 3
    assert (document["done"], document["quarantine"]) == (3, 1)
    assert not [needle for needle in NEEDLES if needle in told.stdout.upper()]
    checked = json.loads(command("verify", out, "--key", key_file, "--json").stdout)
    assert checked["holds"]
    assert checked["outputs"] == 3
    listed = json.loads(command("presets", "--json").stdout)
    assert "share" in listed


def test_verify_finds_what_was_changed(done: Path, key_file: Path) -> None:
    def verified() -> dict[str, object]:
        told = command("verify", done, "--key", key_file, "--json")
        document = json.loads(told.stdout)
        assert document["exit_code"] == told.returncode
        return {finding["rule"]: finding for finding in document["found"]}

    assert verified() == {}
    first, second = sorted(done.rglob("*.dcm"))[:2]
    first.write_bytes(first.read_bytes()[:-2] + b"\x01\x02")
    second.unlink()
    (done / "added.dcm").write_bytes(b"WEXFORDIAN")
    assert set(verified()) == {"digest", "missing", "unlisted"}
    manifest = done / "_safelight" / "manifest.jsonl"
    text = manifest.read_text("ascii")
    manifest.write_text(text.replace('"action', '"Action').replace('"bytes":3', '"bytes":4'))
    assert {"mac", "signature"} <= set(verified())


def test_verify_looks_into_the_outputs_again(done: Path, key_file: Path) -> None:
    """An output that was swapped together with its line (by a holder of the key) is looked into."""
    import blake3  # noqa: PLC0415  # beside its one use

    from safelight.deid.pseudonyms import ProjectKey  # noqa: PLC0415  # as above

    path = next(iter(sorted(done.rglob("*.dcm"))))
    before = path.read_bytes()
    data = sample()
    data.save_as(path)
    after = path.read_bytes()
    manifest = done / "_safelight" / "manifest.jsonl"
    key = ProjectKey.load(key_file)
    lines = []
    for line in manifest.read_text("ascii").splitlines():
        swapped = line.replace(blake3.blake3(before).hexdigest(), blake3.blake3(after).hexdigest())
        body = swapped.rpartition(',"mac":"')[0].encode()
        lines.append(body.decode() + f',"mac":"{key.mac(body)}"}}\n')
    manifest.write_text("".join(lines))
    found = json.loads(command("verify", done, "--key", key_file, "--json").stdout)["found"]
    assert "residual" in {finding["rule"] for finding in found}


def test_verify_without_the_key_says_so(done: Path, tmp_path: Path) -> None:
    told = command("verify", done)
    assert told.returncode == 0
    assert "not at hand" in told.stderr
    assert command("verify", tmp_path / "in").returncode in {2, 4}


def test_verify_with_another_key_accuses_no_file(done: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.key"
    assert command("key", "new", other).returncode == 0
    told = command("verify", done, "--key", other)
    assert told.returncode == 3
    assert "another project key" in told.stderr
    assert "was changed" not in told.stderr
    assert "1 findings" in told.stderr
    assert "not at hand" in told.stderr


def test_a_key_that_was_named_is_not_made_in_silence(tmp_path: Path, source: Path) -> None:
    path = next(source.rglob("*.dcm"))
    typo, key = tmp_path / "typo.key", tmp_path / "project.key"
    told = command("inspect", path, "--key", typo)
    assert told.returncode == 0
    assert f"no project key at {typo}" in told.stderr
    assert not typo.exists()
    for words in (("deidentify", source, "-o", tmp_path / "out"), ("read", path)):
        assert f"no project key at {key}" in command(*words, "--key", key).stderr
        assert "no project key" not in command(*words, "--key", key).stderr
        key.unlink()


def test_inspect_shows_shapes_and_writes_nothing(source: Path, key_file: Path) -> None:
    path = next(source.rglob("IM0000.dcm"))
    before = outputs(source)
    told = command("inspect", path, "--key", key_file)
    assert told.returncode == 0, told.stderr
    row = next(line for line in told.stdout.splitlines() if "(0010,0010)" in line)
    assert row.startswith("~")
    assert "XXXXXXXXXX^XXXXXXX (18)" in row
    assert not [needle for needle in NEEDLES if needle in told.stdout.upper()]
    assert outputs(source) == before
    document = json.loads(command("inspect", path, "--key", key_file, "--json", "--all").stdout)
    assert document["counts"]["stays"] > 50
    assert {row["sign"] for row in document["rows"]} == {"-", "~", "+", " "}
    hidden = [row for row in document["rows"] if row["sign"] in "-~"]
    assert not [n for n in NEEDLES if any(n in row["before"].upper() for row in hidden)]


def test_values_are_shown_on_a_terminal_only(source: Path, key_file: Path) -> None:
    path = next(source.rglob("IM0000.dcm"))
    assert command("inspect", path, "--show-values", "--key", key_file).returncode == 2
    main, side = pty.openpty()
    shown = subprocess.Popen(
        [*COMMAND, "inspect", str(path), "--show-values", "--key", str(key_file)],
        stdout=side,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "COLUMNS": "200", "TERM": "xterm"},
    )
    os.close(side)
    text = b""
    while True:
        try:
            block = os.read(main, 65536)
        except OSError:  # how a pty says that the other end is closed
            break
        if not block:
            break
        text += block
    os.close(main)
    assert shown.wait() == 0
    assert b"WEXFORDIAN" in text
    assert b"\x1b[" in text  # in colour as well


def test_inspect_says_why_a_file_would_not_pass(tmp_path: Path, key_file: Path) -> None:
    (tmp_path / "empty.dcm").touch()
    told = command("inspect", tmp_path / "empty.dcm", "--key", key_file, "--json")
    assert told.returncode == 3
    assert json.loads(told.stdout)["status"] == "quarantine"


def test_a_key_is_made_once_and_never_shown(tmp_path: Path) -> None:
    made = command("key", "new", tmp_path / "a.key", "--json")
    fingerprint = json.loads(made.stdout)["fingerprint"]
    shown = command("key", "show", "--key", tmp_path / "a.key")
    assert fingerprint in shown.stdout
    secret = (tmp_path / "a.key").read_text().split("\n")[1]
    assert secret not in made.stdout + shown.stdout
    assert command("key", "new", tmp_path / "a.key").returncode == 4


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_says_how_to_go_on(
    tmp_path: Path, key_file: Path, sent: signal.Signals
) -> None:
    source = planted(tmp_path / "many", 300)
    out = tmp_path / "out"
    arguments = ["deidentify", str(source), "-o", str(out), "--key", str(key_file)]
    process = subprocess.Popen([*COMMAND, *arguments], stderr=subprocess.PIPE, text=True)
    while process.poll() is None and len(list(out.rglob("*.dcm"))) < 20:
        time.sleep(0.002)
    process.send_signal(sent)
    told = process.communicate()[1]
    assert process.returncode == 4
    assert "the same command goes on" in told
    html = (out / "_safelight" / "report.html").read_text()
    assert "did not finish" in html
    assert command(*arguments).returncode == 0
    assert len(list(out.rglob("*.dcm"))) == 300


def test_a_bar_is_drawn_on_a_terminal_only(tmp_path: Path, source: Path, key_file: Path) -> None:
    main, side = pty.openpty()
    run = subprocess.Popen(
        [*COMMAND, "deidentify", str(source), "-o", str(tmp_path / "out"), "--key", str(key_file)],
        stdout=subprocess.DEVNULL,
        stderr=side,
    )
    os.close(side)
    text = b""
    try:
        while block := os.read(main, 65536):
            text += block
    except OSError:
        pass  # how a pty says that the other end is closed
    os.close(main)
    assert run.wait() == 0
    assert b"De-identifying" in text
    plain = command("deidentify", source, "-o", tmp_path / "other", "--key", key_file)
    assert "De-identifying" not in plain.stderr


def test_a_name_tells_the_terminal_nothing(tmp_path: Path, source: Path, key_file: Path) -> None:
    (source / "\x1b[2Jgone\n.txt").write_text("x")
    told = command("deidentify", source, "-o", tmp_path / "out", "--key", key_file)
    assert told.returncode == 3
    assert "\x1b" not in told.stderr
    assert "\\x1b[2Jgone\\n.txt: " in told.stderr
