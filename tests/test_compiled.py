"""The compiled wheel: what it compiles is written so that it behaves alike, and it does."""

import ast
import os
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pydicom
import pytest

from compiler import CAN_COMPILE
from corpus.hostile import write as write_hostile
from corpus.make import make
from run_fixtures import outputs

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "safelight"
HOOK = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["hatch"]["build"][
    "targets"
]["wheel"]["hooks"]["custom"]
MUTANTS = 3000
PURE = {"min", "max", "len", "start", "end", "index", "_length_of"}
RUN = (
    "import sys; from safelight.deid import walk; print(walk.__file__); "
    "from safelight.cli import main; main()"
)


def compiled() -> list[Path]:
    return [SOURCE / name for name in HOOK["modules"]]


def called(node: ast.AST) -> Iterator[str]:
    for each in ast.walk(node):
        if isinstance(each, ast.Call):
            yield ast.unparse(each.func).split(".")[-1]
        elif isinstance(each, ast.NamedExpr | ast.Await | ast.Yield):
            yield ast.unparse(each)


def impure_slices(path: Path) -> list[str]:
    """Return the slices whose bounds do something: of memory views mypyc evaluates them twice."""
    nodes = ast.walk(ast.parse(path.read_text("utf-8")))
    slices = [node for node in nodes if isinstance(node, ast.Slice)]
    return [ast.unparse(each) for each in slices if not PURE.issuperset(called(each))]


def held_over_yields(path: Path) -> list[str]:
    """Return what a generator holds open while it yields: dropped, mypyc's does not close it."""
    nodes = ast.walk(ast.parse(path.read_text("utf-8")))
    return [
        ast.unparse(node.items[0])
        for node in nodes
        if isinstance(node, ast.With)
        if any(isinstance(each, ast.Yield | ast.YieldFrom) for each in ast.walk(node))
    ]


def test_the_rules_for_compiled_modules_can_fail(tmp_path: Path) -> None:
    path = tmp_path / "wrong.py"
    path.write_text(
        "def f(g, b):\n  with open(b) as h:\n    yield h[g() :]\n    yield h[len(b) : b.start()]\n"
    )
    assert impure_slices(path) == ["g():"]
    assert held_over_yields(path) == ["open(b) as h"]


@pytest.mark.parametrize("path", compiled(), ids=HOOK["modules"])
def test_a_compiled_module_has_nothing_that_the_compiler_gets_wrong(path: Path) -> None:
    assert impure_slices(path) == []
    assert held_over_yields(path) == []


def built(folder: Path) -> Path:
    """Return the files of the compiled wheel, or of the plain one where there is no compiler."""
    environment = {**os.environ, "HATCH_BUILD_HOOK_ENABLE_CUSTOM": str(CAN_COMPILE).lower()}
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)],
        cwd=ROOT,
        env=environment,
        check=True,
        capture_output=True,
    )
    with zipfile.ZipFile(next(folder.glob("*.whl"))) as wheel:
        wheel.extractall(folder / "files")
    return folder / "files"


def cleaned(package: Path, sources: list[Path], out: Path, key: Path, workers: int) -> str:
    """Run the command of a package; return where its walk was loaded from."""
    done = subprocess.run(
        [sys.executable, "-c", RUN, "deidentify", *map(str, sources), "-o", str(out)]
        + ["--key", str(key), "--no-pixels", "--workers", str(workers), "--no-progress"],
        env={**os.environ, "PYTHONPATH": str(package), "PYTHONWARNINGS": "ignore"},
        check=False,
        text=True,
        capture_output=True,
        timeout=300,
    )
    assert done.returncode in {1, 2, 3}, done.stderr  # some inputs are meant to be refused
    return done.stdout.splitlines()[0]


def mutants(package: Path) -> list[str]:
    """Return how mutants of pydicom's files end, cleaned by a package in a process of its own."""
    done = subprocess.run(
        [sys.executable, str(Path(__file__).parent / "mutants_child.py"), str(MUTANTS)],
        env={**os.environ, "PYTHONPATH": str(package), "PYTHONWARNINGS": "ignore"},
        check=True,  # a signal would show here
        text=True,
        capture_output=True,
    )
    where, *ends = done.stdout.splitlines()
    assert where.startswith(str(package))
    return ends


def test_the_compiled_wheel_gives_the_same_bytes(tmp_path: Path, key_file: Path) -> None:
    made, hostile = tmp_path / "made", tmp_path / "hostile"
    make(made, seed=11, people=4, files=60)
    write_hostile(hostile, small=True)
    sources = [made, hostile, Path(pydicom.__file__).parent / "data" / "test_files"]
    package = built(tmp_path / "wheel")
    where = cleaned(package, sources, tmp_path / "one", key_file, workers=1)
    assert where.startswith(str(package))
    assert where.endswith(".so") is CAN_COMPILE
    assert cleaned(ROOT / "src", sources, tmp_path / "plain", key_file, workers=1).endswith(".py")
    cleaned(package, sources, tmp_path / "two", key_file, workers=2)
    plain = outputs(tmp_path / "plain")
    assert len(plain) > len(list(made.rglob("*")))
    assert outputs(tmp_path / "one") == plain
    assert outputs(tmp_path / "two") == plain
    ends = mutants(ROOT / "src")
    assert len(ends) == MUTANTS
    assert mutants(package) == ends
