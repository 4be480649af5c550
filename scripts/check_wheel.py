"""Tell what a built wheel lacks of the package: pages, words, models, tables, migrations.

Usage: python scripts/check_wheel.py WHEEL

Ends with 1 if a file below ``src/safelight`` is not in it.
"""

import sys
import zipfile
from pathlib import Path
from typing import Final

SOURCE: Final = Path(__file__).resolve().parents[1] / "src"
_MADE: Final = {".pyc", ".pyo", ".so"}


def wanted() -> set[str]:
    """Return the files of the package as they stand in a wheel."""
    found = (SOURCE / "safelight").rglob("*")
    return {
        path.relative_to(SOURCE).as_posix()
        for path in found
        if path.is_file() and path.suffix not in _MADE
    }


def missing(wheel: Path) -> set[str]:
    """Return the files of the package that a wheel lacks."""
    with zipfile.ZipFile(wheel) as opened:
        return wanted() - set(opened.namelist())


def main() -> int:
    """Check one wheel."""
    lacking = sorted(missing(Path(sys.argv[1])))
    for name in lacking:
        print(f"missing: {name}")
    print(f"{len(wanted()) - len(lacking)} of {len(wanted())} files are in it")
    return 1 if lacking else 0


if __name__ == "__main__":
    sys.exit(main())
