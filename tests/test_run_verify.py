"""What ``verify`` finds in an output folder that somebody has changed."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from run_fixtures import do, planted
from safelight.deid.pseudonyms import ProjectKey
from safelight.errors import OutputError
from safelight.pipeline.place import sign_run
from safelight.pipeline.verify import verify_with
from safelight.settings import Settings


@pytest.fixture
def done(tmp_path: Path, key_file: Path) -> Path:
    do(planted(tmp_path / "in", 2), tmp_path / "out", key_file)
    return tmp_path / "out"


def found(out: Path, key_file: Path) -> list[tuple[str, str]]:
    told = verify_with(str(out), Settings(key_file=str(key_file)))
    return [(finding.rule, finding.output) for finding in told.found]


def changed(out: Path, change: Callable[[dict[str, object]], object]) -> dict[str, object]:
    run: dict[str, object] = json.loads((out / "_safelight" / "run.json").read_bytes())
    change(run)
    (out / "_safelight" / "run.json").write_text(json.dumps(run))
    return run


def test_a_run_signed_by_somebody_else_is_found(done: Path, key_file: Path) -> None:
    run = changed(done, lambda run: run.update(quarantine=0, done=99))
    assert found(done, key_file) == [("signature", "")]
    (done / "_safelight" / "run.json").write_bytes(sign_run(run, ProjectKey.generate()))
    assert found(done, key_file) == [("signature", "")]
    (done / "_safelight" / "run.json").write_bytes(sign_run(run, ProjectKey.load(key_file)))
    assert found(done, key_file) == []


def test_what_no_run_writes_is_found_in_every_folder(done: Path, key_file: Path) -> None:
    for name in ("_safelight/IM1.dcm", "_safelight/below/report.html", "a/_safelight/run.json"):
        (done / name).parent.mkdir(parents=True, exist_ok=True)
        (done / name).write_bytes(b"x")
    (done / "linked").symlink_to(done.parent / "in")
    assert found(done, key_file) == [("unlisted", "")] * 4


def test_a_link_is_no_output(done: Path, key_file: Path) -> None:
    first = min(done.rglob("*.dcm"))
    first.rename(done.parent / "elsewhere")
    first.symlink_to(done.parent / "elsewhere")
    assert found(done, key_file) == [("digest", first.relative_to(done).as_posix())]


@pytest.mark.parametrize(
    "change",
    [
        {"manifest": 5},
        {"sources": "x"},
        {"key": None},
        {"profile": {}},
        {"profile": {"name": "a", "options": ["b"], "overrides": {}}},
        {"profile": {"name": "a", "options": [], "overrides": {"00100010": "pass"}}},
        {"profile": {"name": "a", "options": [], "overrides": {"x": "keep"}}},
        {"profile": {"name": "a", "options": 1, "overrides": []}},
    ],
)
def test_a_run_of_another_shape_is_damaged(
    done: Path, key_file: Path, change: dict[str, object]
) -> None:
    changed(done, lambda run: run.update(change))
    with pytest.raises(OutputError, match="damaged"):
        verify_with(str(done), Settings(key_file=str(key_file)))
