"""Compare what dciodvfy (dicom3tools) says of pydicom's bundled files before and after.

Usage: ``python scripts/validity.py [FILE...]``. Exit status 1 when an output has an error that its
input did not have, 2 when dciodvfy is not installed (Debian: ``apt-get install dicom3tools``).
"""

import re
import shutil
import subprocess
import sys
import tempfile
import warnings
from collections import Counter
from pathlib import Path

import pydicom

import safelight
from safelight.errors import SafelightError

PRESETS = ("share", "strict")
# What differs between two runs of the same complaint: values, positions, offsets.
VARIABLE = re.compile(r"<[^>]*>|0x[0-9a-fA-F]+|\b\d+\b|-\s+(?=[A-Z])")


def bundled() -> list[Path]:
    """Return pydicom's own test files."""
    folder = Path(pydicom.__file__).parent / "data"
    return sorted(path for path in folder.rglob("*") if path.suffix in {".dcm", ".dicom"})


def errors(path: Path) -> set[str] | None:
    """Return the errors of one file, without the values in them; None when it reads no further."""
    command = ["dciodvfy", "-new", str(path)]
    run = subprocess.run(command, capture_output=True, check=False, timeout=120)
    lines = (run.stdout + run.stderr).decode("latin-1").splitlines()
    if any("dataset read failed" in line for line in lines):
        return None  # a damaged file, or a deflated one
    return {VARIABLE.sub("", line) for line in lines if line.startswith("Error")}


def compare(path: Path, preset: str, folder: Path) -> tuple[str, set[str]]:
    """Return how one file fares, and the errors that only its output has."""
    before = errors(path)
    if before is None:
        return "not read by dciodvfy", set()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # some of these files are broken on purpose
            result = safelight.deidentify(path, preset=preset, key=folder / "key")
    except SafelightError:
        return "withheld", set()
    output = folder / "output.dcm"
    output.write_bytes(result.bytes)
    after = errors(output)
    new = {"Error: the output cannot be read"} if after is None else after - before
    return "with new errors" if new else "as valid as before", new


def main(arguments: list[str]) -> int:
    """Print new errors by file; give the exit status."""
    if shutil.which("dciodvfy") is None:
        print("dciodvfy is not installed; on Debian: apt-get install dicom3tools")
        return 2
    files = [Path(each) for each in arguments] or bundled()
    counts: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as name:
        for preset in PRESETS:
            for path in files:
                told, new = compare(path, preset, Path(name))
                counts[told] += 1
                for line in sorted(new):
                    print(f"{preset}: {path.name}: {line}")
    print(", ".join(f"{number} {told}" for told, number in sorted(counts.items())))
    return 1 if counts["with new errors"] else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
