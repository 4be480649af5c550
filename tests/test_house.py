"""House rules that a machine can hold: sizes, seams, forbidden words, assets, true documents."""

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from importlib import metadata
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
CODE_DIRS = ("src", "corpus", "bench", "scripts", "demo", "training", "tests")
MAX_MODULE_LINES = 400
MAX_FUNCTION_LINES = 60
MAX_FILE_BYTES = 3_000_000
# Weights that cannot be smaller, and the card that tells of them.
LARGE_WEIGHTS = {"src/safelight/readers/kind/data/body-lite2.onnx.gz": "docs/models/kind.md"}
TEXT_SUFFIXES = {
    ".cff",
    ".css",
    ".html",
    ".j2",
    ".lock",
    ".md",
    ".py",
    ".toml",
    ".tsv",
    ".typed",
    ".yml",
}
PLAIN_NAMES = {
    *("LICENSE", "NOTICE", "Makefile", ".gitignore", ".gitattributes", "run"),
    *("Containerfile", "safelight.service"),
}

# Assembled here so that this file does not trip over itself.
MARKERS = tuple("".join(parts) for parts in (("TO", "DO"), ("FIX", "ME"), ("X" * 3,)))
GATES_HELD_OPEN = (
    "pragma: " + "no cover",
    "mark." + "skip",
    "mark." + "xfail",
    "pytest." + "skip(",
)
GATES_HELD_OPEN += ("pytest." + "xfail(", "import" + "orskip", "unittest." + "skip")
COPYLEFT = {"fitz", "fpdf", "libjpeg", "pymerkle", "pymupdf", "unidecode", "pylibjpeg_libjpeg"}
NETWORK = {
    *("aiohttp", "ftplib", "http.client", "http.server", "httpx", "httpx2", "imaplib", "poplib"),
    *("requests", "smtplib", "socket", "socketserver", "ssl", "telnetlib", "urllib.request"),
    *("urllib3", "webbrowser", "websockets", "xmlrpc"),
}


@cache
def tracked() -> tuple[Path, ...]:
    """Return every file of the tree: what git knows, or would add."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        listed = subprocess.run(command, cwd=ROOT, capture_output=True, check=True).stdout
        names = listed.decode().split("\0")
    except (OSError, subprocess.CalledProcessError):  # an unpacked archive has no git
        hidden = {".venv", "build", "dist"}
        found = (path.relative_to(ROOT) for path in ROOT.rglob("*"))
        names = [str(p) for p in found if not hidden & set(p.parts) and "cache" not in str(p)]
    return tuple(ROOT / name for name in sorted(set(names)) if name and (ROOT / name).is_file())


def python_files(*folders: str) -> list[Path]:
    """Return the tracked Python files under these folders."""
    return [
        path
        for path in tracked()
        if path.suffix == ".py" and path.relative_to(ROOT).parts[0] in folders
    ]


def name(path: Path) -> str:
    """Return a path as it is written in a failure message."""
    return path.relative_to(ROOT).as_posix()


@cache
def tree(path: Path) -> ast.Module:
    """Return the parsed module, parsed once."""
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def calls(path: Path) -> Iterator[tuple[ast.Call, str]]:
    """Yield each call with the last part of what is called."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Call):
            target = node.func
            if isinstance(target, ast.Attribute):
                yield node, target.attr
            elif isinstance(target, ast.Name):
                yield node, target.id


def imported(path: Path) -> Iterator[str]:
    """Yield the dotted names a module imports, wherever in it the import stands."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def test_the_listing_sees_the_tree() -> None:
    assert ROOT / "pyproject.toml" in tracked()
    assert len(python_files("src")) > 5


def test_modules_fit_on_a_few_screens() -> None:
    sizes = {name(p): len(p.read_text("utf-8").splitlines()) for p in python_files(*CODE_DIRS)}
    assert {path: size for path, size in sizes.items() if size > MAX_MODULE_LINES} == {}


def test_functions_fit_on_a_screen() -> None:
    long = [
        f"{name(path)}:{node.lineno} {node.name} {(node.end_lineno or 0) - node.lineno + 1}"
        for path in python_files(*CODE_DIRS)
        for node in ast.walk(tree(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (node.end_lineno or 0) - node.lineno + 1 > MAX_FUNCTION_LINES
    ]
    assert long == []


def test_only_intake_and_deid_open_an_original() -> None:
    allowed = ("src/safelight/intake/", "src/safelight/deid/")
    callers = [
        f"{name(path)}:{call.lineno}"
        for path in python_files("src")
        for call, called in calls(path)
        if called == "reveal" and not name(path).startswith(allowed)
    ]
    assert callers == []


def test_a_deidentified_is_built_in_one_place() -> None:
    builders = {
        name(path)
        for path in python_files("src")
        for _call, called in calls(path)
        if called == "Deidentified"
    }
    assert builders <= {"src/safelight/deid/residual.py"}
    seal_readers = {
        name(path)
        for path in python_files("src", "corpus", "bench", "scripts", "demo")
        if re.search(r"\b_SEAL\b", path.read_text("utf-8"))
    }
    assert seal_readers <= {"src/safelight/types.py", "src/safelight/deid/residual.py"}


def test_libraries_neither_print_nor_exit() -> None:
    loud = [
        f"{name(path)}:{call.lineno} {called}"
        for path in python_files("src")
        if not name(path).startswith("src/safelight/cli/")
        for call, called in calls(path)
        if (called == "print" and isinstance(call.func, ast.Name))
        or (called == "exit" and isinstance(call.func, ast.Attribute))
    ]
    assert loud == []


def test_nothing_is_left_for_later() -> None:
    marker = re.compile(rf"\b(?:{'|'.join(MARKERS)})\b")
    found = [
        f"{name(path)}:{number}"
        for path in python_files(*CODE_DIRS)
        for number, line in enumerate(path.read_text("utf-8").splitlines(), start=1)
        if marker.search(line)
    ]
    unfinished = [
        f"{name(path)}:{node.lineno}"
        for path in python_files(*CODE_DIRS)
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Name) and node.id == "NotImplementedError"
    ]
    assert found + unfinished == []


def test_no_gate_is_held_open() -> None:
    found = [
        f"{name(path)}: {gate}"
        for path in python_files(*CODE_DIRS)
        for gate in GATES_HELD_OPEN
        if gate in path.read_text("utf-8")
    ]
    assert found == []


def test_every_suppression_gives_its_reason() -> None:
    bare = re.compile(
        r"#\s*(?:noqa(?::\s*[A-Z]+\d+(?:,\s*[A-Z]+\d+)*)?|type:\s*ignore(?:\[[^\]]*\])?)\s*$"
    )
    found = [
        f"{name(path)}:{number}"
        for path in python_files(*CODE_DIRS)
        for number, line in enumerate(path.read_text("utf-8").splitlines(), start=1)
        if bare.search(line) and path != Path(__file__)
    ]
    assert found == []


def test_no_copyleft_import_anywhere() -> None:
    found = [
        f"{name(path)}: {module}"
        for path in python_files(*CODE_DIRS)
        for module in imported(path)
        if module.split(".")[0] in COPYLEFT
    ]
    assert found == []


# The only two that talk to somebody, and only to the address that they are given.
TALKING = {
    "src/safelight/learning/federated/wire.py": {"http.client", "ssl"},
    "src/safelight/web/binding.py": {"socket", "ssl"},  # it listens, and calls nobody
    "src/safelight/web/signin.py": {"httpx2"},
}


def test_the_package_imports_no_network() -> None:
    found = [
        f"{name(path)}: {module}"
        for path in python_files("src", "corpus", "demo", "scripts")
        for module in set(imported(path)) - TALKING.get(name(path), set())
        if module in NETWORK or module.split(".")[0] in NETWORK
    ]
    assert found == []


def test_no_locked_package_is_copyleft() -> None:
    locked = tomllib.loads((ROOT / "uv.lock").read_text("utf-8"))["package"]
    names = {package["name"].replace("-", "_") for package in locked}
    assert names & COPYLEFT == set()
    assert len(names) > 10


def test_committed_files_are_small() -> None:
    big = {name(p): p.stat().st_size for p in tracked() if p.stat().st_size >= MAX_FILE_BYTES}
    assert big.keys() == LARGE_WEIGHTS.keys()
    for weights, card in LARGE_WEIGHTS.items():
        assert Path(weights).name in (ROOT / card).read_text("utf-8")


def test_every_asset_is_listed_with_its_origin() -> None:
    listed = (ROOT / "docs" / "assets.md").read_text("utf-8")
    assets = [
        name(path)
        for path in tracked()
        if path.suffix not in TEXT_SUFFIXES and path.name not in PLAIN_NAMES
    ]
    assert [asset for asset in assets if f"`{asset}`" not in listed] == []


def test_every_listed_asset_exists() -> None:
    listed = re.findall(
        r"^\| `([^`]+)` \|", (ROOT / "docs" / "assets.md").read_text("utf-8"), re.MULTILINE
    )
    assert [asset for asset in listed if not (ROOT / asset).is_file()] == []


def test_every_dependency_is_explained() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    wanted = project["project"]["dependencies"] + project["dependency-groups"]["dev"]
    wanted += [
        one for extra in project["project"]["optional-dependencies"].values() for one in extra
    ]
    names = [re.split(r"[<>=; \[]", one)[0] for one in wanted]
    page = (ROOT / "docs" / "adr" / "0002-dependencies.md").read_text("utf-8")
    assert [one for one in names if f"| {one} |" not in page] == []


# Taken by path or by name, not by an import: models inside a wheel, a database driver.
NOT_IMPORTED = {"pg8000", "rapidocr"}


def test_the_package_imports_what_it_declares_and_nothing_else() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    given = [project["dependencies"], *project["optional-dependencies"].values()]
    declared = {re.split(r"[<>=; \[]", one)[0] for part in given for one in part}
    modules = {module.split(".")[0] for path in python_files("src") for module in imported(path)}
    by_module = metadata.packages_distributions()
    used = {
        re.sub(r"[._]", "-", dist.lower())
        for module in modules - sys.stdlib_module_names - {"safelight"}
        for dist in by_module.get(module, [module])
    }
    assert used == declared - NOT_IMPORTED


def test_changelog_fragments_are_well_formed() -> None:
    folder = ROOT / "changelog.d"
    pattern = re.compile(r"[a-z0-9][a-z0-9-]*\.(?:added|changed|fixed|removed|security)\.md")
    problems = []
    for path in sorted(folder.iterdir()):
        if path.name == "README.md":
            continue
        body = path.read_text("utf-8").strip()
        if not pattern.fullmatch(path.name):
            problems.append(f"{path.name}: the name is <topic>.<added|changed|fixed|…>.md")
        if not body or not body.endswith((".", "`", ")")) or body.startswith(("#", "-", "*")):
            problems.append(f"{path.name}: one or two plain sentences")
    assert problems == []


def test_links_in_documents_resolve() -> None:
    dead = []
    for page in (path for path in tracked() if path.suffix == ".md"):
        text = re.sub(r"```.*?```", "", page.read_text("utf-8"), flags=re.DOTALL)
        for link in re.findall(r"\]\(([^)\s]+)\)|<img[^>]*src=\"([^\"]+)\"", text):
            target = (link[0] or link[1]).split("#")[0]
            if not target or target.startswith(("http://", "https://", "mailto:")):
                continue
            if not (page.parent / target).exists():
                dead.append(f"{name(page)}: {target}")
    assert dead == []


def test_every_environment_variable_is_documented() -> None:
    used = {
        match
        for path in python_files("src")
        for match in re.findall(r"\b(?:SAFELIGHT|XDG)_[A-Z_]+[A-Z]\b", path.read_text("utf-8"))
    }
    pages = "".join(p.read_text("utf-8") for p in tracked() if p.suffix == ".md")
    assert sorted(variable for variable in used if variable not in pages) == []


def test_architecture_draws_every_room() -> None:
    page = (ROOT / "ARCHITECTURE.md").read_text("utf-8")
    package = ROOT / "src" / "safelight"
    rooms = {p.stem for p in package.glob("*.py")} | {
        p.parent.name for p in package.glob("*/__init__.py")
    }
    assert (
        sorted(room for room in rooms if not room.startswith("__") and f"`{room}" not in page) == []
    )
