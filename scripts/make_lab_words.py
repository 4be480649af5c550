"""Write the words of lab results that the text engine spares in documents.

    python scripts/make_lab_words.py [--check]

Reads the lab reader's tables (``readers/labs/data``): names of tests, units, headings of columns,
words for blood and other specimens. De-identification may not import readers, so it gets a list; a
test compares the list with the tables. With ``--check`` nothing is written; 1 if it would change.
"""

import sys
import tomllib
from pathlib import Path

from safelight.deid.documents.lablines import fold_name, fold_unit
from safelight.readers.labs import analytes, specimen

ROOT = Path(__file__).resolve().parent.parent / "src" / "safelight"
DATA = ROOT / "readers" / "labs" / "data"
TARGET = ROOT / "deid" / "documents" / "data" / "lab_words.tsv"
HEADS = ("name", "value", "unit", "range", "low", "high", "flag")  # not those of persons or dates
LONG = 5  # letters of a specimen that may stand alone on a line: shorter ones may be names
LETTERS = frozenset("ibps")  # of "Kreatinin i.S."
HEAD = "# From readers/labs/data, by scripts/make_lab_words.py; do not edit.\n"


def words() -> list[tuple[str, str]]:
    """Return (kind, folded word), sorted."""
    found: set[tuple[str, str]] = set()
    for each in analytes.table().values():
        for name in (each.name, *each.names):
            spelt = name.replace("ä", "ae").replace("ö", "oe").replace("ü", "ue")
            found |= {("name", fold_name(name)), ("name", fold_name(spelt))}
    for units in tomllib.loads((DATA / "units.toml").read_text("utf-8")).values():
        for code, entry in units.items():
            found |= {("unit", fold_unit(one)) for one in (code, *entry.get("also", ()))}
    heads = tomllib.loads((DATA / "headers.toml").read_text("utf-8"))
    found |= {("head", fold_name(word)) for kind in HEADS for word in heads[kind]}
    blood = specimen.BLOOD | analytes.JOINTS | LETTERS
    found |= {("blood", fold_name(word)) for word in blood}
    specimens = specimen.BLOOD | specimen.HEADINGS
    found |= {("specimen", fold_name(word)) for word in specimens if len(word) >= LONG}
    return sorted((kind, word) for kind, word in found if word)


def text() -> str:
    """Return the whole file."""
    return HEAD + "".join(f"{kind}\t{word}\n" for kind, word in words())


def main() -> int:
    """Write the file, or compare."""
    made = text()
    if "--check" in sys.argv[1:]:
        return int(TARGET.read_text("utf-8") != made)
    TARGET.write_text(made, "utf-8")
    print(f"{TARGET.name}: {made.count(chr(10)) - 1} words")
    return 0


if __name__ == "__main__":
    sys.exit(main())
