"""Gather the fragments of ``changelog.d`` into ``CHANGELOG.md``.

Usage: ``python scripts/changelog.py`` prints the section; with a version it is written and the
fragments are removed.
"""

import datetime as dt
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FRAGMENTS = ROOT / "changelog.d"
CHANGELOG = ROOT / "CHANGELOG.md"
KINDS = ("security", "added", "changed", "fixed", "removed")
TITLE = "# Changelog\n"


def fragments() -> list[Path]:
    """Return the fragments in the order of their names."""
    return sorted(path for path in FRAGMENTS.glob("*.md") if path.name != "README.md")


def section(version: str, date: str) -> str:
    """Return one version's section: a heading a kind, a list item a fragment."""
    lines = [f"## {version} ({date})"]
    for kind in KINDS:
        found = [path for path in fragments() if path.suffixes[-2:-1] == [f".{kind}"]]
        if found:
            lines.append(f"\n### {kind.capitalize()}\n")
            lines += ["- " + " ".join(path.read_text("utf-8").split()) for path in found]
    return "\n".join(lines) + "\n"


def main(arguments: list[str]) -> int:
    """Print or write the section; give the exit status."""
    today = dt.datetime.now(tz=dt.UTC).date().isoformat()
    if not arguments:
        print(section("Unreleased", today), end="")
        return 0
    old = CHANGELOG.read_text("utf-8").removeprefix(TITLE) if CHANGELOG.exists() else ""
    CHANGELOG.write_text(f"{TITLE}\n{section(arguments[0], today)}{old}", "utf-8")
    for path in fragments():
        path.unlink()
    print(f"wrote {CHANGELOG.name}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
