"""What is shipped: the build takes the whole package, and nothing that runs needs is left out."""

import sys
import tomllib
import zipfile
from pathlib import Path

import pathspec
import pytest

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "scripts"))
from check_wheel import missing, wanted  # noqa: E402  # a script, not a package

sys.path.pop(0)

# What pages, readers and the store open by path when they run: a pattern, and how many at least.
NEEDED = {
    "safelight/web/static/*": 5,
    "safelight/web/templates/*.html": 30,
    "safelight/web/locale/*/LC_MESSAGES/safelight.mo": 3,
    "safelight/readers/data/*.npz": 10,
    "safelight/readers/data/readers.toml": 1,
    "safelight/readers/labs/data/*.toml": 4,
    "safelight/reports/ask/data/questions.toml": 1,
    "safelight/store/migrations/versions/r*.py": 6,
    "safelight/store/migrations/env.py": 1,
    "safelight/deid/data/*.tsv": 4,
    "safelight/deid/burned/data/*.onnx": 1,
    "safelight/dicomio/data/*.tsv": 2,
    "safelight/consent/data/duo.tsv": 1,
    "safelight/tlog/pages/*.html": 2,
    "safelight/pipeline/templates/*.css": 1,
    "safelight/reports/templates/*": 2,
    "safelight/py.typed": 1,
}


def test_the_build_takes_the_package_as_it_is() -> None:
    told = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    assert told["build-system"]["build-backend"] == "hatchling.build"
    wheel = told["tool"]["hatch"]["build"]["targets"]["wheel"]
    assert wheel["packages"] == ["src/safelight"]
    assert wheel["hooks"]["custom"]["enable-by-default"] is False


def test_no_file_of_the_package_is_one_that_the_build_ignores() -> None:
    lines = (ROOT / ".gitignore").read_text("utf-8").splitlines()
    ignored = pathspec.GitIgnoreSpec.from_lines(lines)
    assert ignored.match_file("src/safelight/__pycache__/x.pyc")  # so that it can fail
    assert [one for one in sorted(wanted()) if ignored.match_file(f"src/{one}")] == []


@pytest.mark.parametrize("pattern", NEEDED)
def test_what_is_opened_by_path_is_there(pattern: str) -> None:
    there = [one for one in wanted() if Path(one).match(pattern)]
    assert len(there) >= NEEDED[pattern]


def test_a_wheel_that_lacks_a_file_is_noticed(tmp_path: Path) -> None:
    lacking = {"safelight/web/locale/de/LC_MESSAGES/safelight.mo", "safelight/py.typed"}
    wheel = tmp_path / "safelight-0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as made:
        for one in wanted() - lacking:
            made.writestr(one, b"")
    assert missing(wheel) == lacking
