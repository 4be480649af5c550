"""Write the package's data files from the standard's tables. Run: make_tables.py [STANDARDS].

STANDARDS is the folder that holds the readings of PS3.15 Table E.1-1 and the lists of private
elements. The dictionary, the UID registry, the Types of the IODs
and the coded terms come from the installed pydicom and highdicom. Output is deterministic: the same
inputs give the same bytes, and tests compare what is committed with what this writes.
"""

import argparse
from pathlib import Path

import tables_codes
import tables_dictionary
import tables_e1_1
import tables_iod
import tables_private

ROOT = Path(__file__).resolve().parent.parent
DICOMIO = ROOT / "src" / "safelight" / "dicomio" / "data"
DEID = ROOT / "src" / "safelight" / "deid" / "data"
DOCS = ROOT / "docs"


def from_packages() -> dict[Path, str]:
    """Every file that needs only the installed pydicom and highdicom."""
    return {
        DICOMIO / "dictionary.tsv": tables_dictionary.elements(),
        DICOMIO / "uids.tsv": tables_dictionary.uids(),
        DEID / "iod_types.tsv": tables_iod.types(),
        DEID / "coded_terms.txt": tables_codes.terms(),
    }


def from_standards(folder: Path) -> dict[Path, str]:
    """Every file that needs the folder of standards."""
    return {
        DEID / "e1_1.tsv": tables_e1_1.table(folder),
        DOCS / "deidentification-table.md": tables_e1_1.document(folder),
        DEID / "safe_private.tsv": tables_private.safe(folder),
    }


def write(files: dict[Path, str]) -> None:
    """Write the files and say how large each is."""
    for path, text in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="\n")
        print(f"{path.relative_to(ROOT)}: {len(text.encode()):,} bytes")


def main() -> None:
    """Write all files whose inputs are there, and say which."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("standards", help="folder with the standards as data")
    folder = Path(parser.parse_args().standards)
    if folder.is_dir():
        write(from_standards(folder))  # first: the Types are asked for the tags of the table
    else:
        print(f"no folder {folder}: the files made from it are left as they are")
    write(from_packages())


if __name__ == "__main__":
    main()
