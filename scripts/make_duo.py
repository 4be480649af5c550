"""Make the table of GA4GH DUO terms from the ontology's own list.

Usage: ``python scripts/make_duo.py DUO.CSV``, where DUO.CSV is ``duo.csv`` of
https://github.com/EBISPOT/DUO (CC BY 4.0). Identifiers, shorthands and labels are taken; the
descriptions are not. A term is a permission or a modifier by what its description says of itself.
"""

import csv
import sys
from pathlib import Path

OUT = Path(__file__).resolve().parents[1] / "src" / "safelight" / "consent" / "data" / "duo.tsv"


def rows(path: Path) -> list[str]:
    """Return the lines of the table, sorted by identifier; the two headings of DUO are left out."""
    made = []
    with path.open(encoding="utf-8", newline="") as file:
        for term in csv.DictReader(file):
            if term["shorthand"]:
                kind = "permission" if "data use permission" in term["description"] else "modifier"
                made.append("\t".join((term["id"], term["shorthand"], kind, term["label"])))
    return sorted(made)


def main() -> None:
    """Write the table."""
    lines = rows(Path(sys.argv[1]))
    OUT.write_text("\n".join(["id\tshorthand\tkind\tlabel", *lines]) + "\n", encoding="utf-8")
    print(f"{OUT.name}: {len(lines)} terms")


if __name__ == "__main__":
    main()
