"""Documents tell what is: generated pages are fresh, and every command shown exists."""

import re
import shlex
import shutil
from pathlib import Path
from typing import Any

import click
import pytest
from pydicom.data import get_testdata_file

from safelight import cli
from safelight.deid.profile import PRESETS, Option
from scripts import make_docs

ROOT = Path(__file__).resolve().parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])


@pytest.fixture(scope="module")
def pages() -> dict[str, str]:
    """Return what the generator gives now."""
    return make_docs.pages()


@pytest.mark.parametrize("path", ["docs/settings.md", "docs/attributes.md", "docs/cli.md"])
def test_generated_pages_are_fresh(pages: dict[str, str], path: str) -> None:
    assert (ROOT / path).read_text("utf-8") == pages[path], "run: make docs"


def test_every_preset_and_option_is_explained() -> None:
    page = (ROOT / "docs" / "profiles.md").read_text("utf-8")
    lines = [f"| `{one.name}` | {one.description} |" for one in PRESETS.values()]
    lines += [f"| `{one.label}` | {one.value} | {one.meaning} |" for one in Option]
    assert [line for line in lines if line not in page] == []


def shell_lines(page: Path) -> list[str]:
    """Return the lines of a page's code blocks that a reader would type."""
    fenced = re.findall(r"```([a-z]*)\n(.*?)```", page.read_text("utf-8"), re.DOTALL)
    blocks = [body for kind, body in fenced if kind in {"", "sh", "bash", "console"}]
    lines = "\n".join(blocks).replace("\\\n", " ").splitlines()
    return [line.removeprefix("$ ").split("  #")[0].strip() for line in lines]


def complaint(line: str) -> str:
    """Return what is wrong with one ``safelight`` command as written; empty when nothing is."""
    words = shlex.split(line)[1:]
    command: click.Command = cli.main
    while words and isinstance(command, click.Group) and not words[0].startswith("-"):
        known = command.get_command(click.Context(command), words[0])
        if known is None:
            return f"no command {words[0]}"
        command = known
        words = words[1:]
    options = {text for one in command.params for text in (*one.opts, *one.secondary_opts)}
    options |= {"--help"}
    unknown = [word for word in words if word.startswith("-") and word.split("=")[0] not in options]
    return f"no option {unknown[0]}" if unknown else ""


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_in_documents_exist(page: Path) -> None:
    wrong = {
        line: complaint(line)
        for line in shell_lines(page)
        if line.startswith("safelight ") and complaint(line)
    }
    assert wrong == {}


def test_the_readme_example_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    example = re.search(r"```python\n(.*?)```", (ROOT / "README.md").read_text("utf-8"), re.DOTALL)
    assert example
    source = get_testdata_file("CT_small.dcm", download=False)
    shutil.copy(str(source), tmp_path / "IM0001.dcm")
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    exec(example.group(1), names)  # noqa: S102 - our own README, typed as a reader would
    assert "CompressedSamples" not in str(names["result"].dataset.PatientName)
    assert names["result"].actions


def test_the_readme_shows_the_main_commands() -> None:
    shown = {
        line.split()[1] for line in shell_lines(ROOT / "README.md") if line.startswith("safelight ")
    }
    assert {"deidentify", "inspect", "verify"} <= shown


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_make_targets_in_documents_exist(page: Path) -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    shown = {m for line in shell_lines(page) for m in re.findall(r"(?:^|\s)make ([a-z]+)\b", line)}
    assert shown <= targets


def test_every_page_is_reachable_from_the_readme() -> None:
    seen: set[Path] = set()
    queue = [ROOT / "README.md"]
    while queue:
        page = queue.pop()
        if page in seen or page.suffix != ".md" or not page.is_file():
            continue
        seen.add(page)
        links = re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text("utf-8"))
        queue += [(page.parent / link).resolve() for link in links if "://" not in link]
    assert sorted(set(PAGES) - seen) == []
