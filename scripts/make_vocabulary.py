"""Make ``src/safelight/deid/text/data/vocabulary.gz``: the words that free text may keep.

Run it where SCOWL's word lists lie and two packages of person names can be had for the run alone:

    apt-get download scowl && dpkg -x scowl_*.deb scowl
    uv run --with faker --with names python scripts/make_vocabulary.py \
        --scowl scowl/usr/share/dict/scowl [--private-names CSV]

Sources, in this order: the hand-written lists in ``scripts/vocabulary/``; DICOM's dictionary,
context groups and code meanings as pydicom carries them; names of private elements that are known
safe; SCOWL's lower-case lists of sizes 10 to 50. Words that are also a given or a family name (the
faker package, about 100 locales; the names package, United States census of 1990) are taken out,
unless a hand-written list holds them.
"""

import argparse
import csv
import gzip
import importlib
import pkgutil
import re
from collections.abc import Iterable, Iterator
from importlib import resources
from pathlib import Path

from safelight.deid.text import vocabulary
from safelight.deid.text.fold import fold_text

HERE = Path(__file__).parent / "vocabulary"
OUT = Path(__file__).parent.parent / "src/safelight/deid/text/data/vocabulary.gz"
WORD = re.compile(r"[^\W\d_]+")
CJK = re.compile("[\u3005\u3040-\u30ff\u3400-\u9fff]")
SIZES = (10, 20, 35, 40, 50)
SPELLINGS = ("english", "american", "british")
COMMON_SIZE = 20
CENSUS_RANK = 15_000
MIN_INFLECTED = 4
MIN_PLAIN = 2
MIN_SHORTENED = 7
MAX_SHORTENED = 7  # longer beginnings are no one's short form, and look like names
HEAD = 2
UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue"})
SECTIONS = ("strong", "plain", "ambiguous", "terms", "cjk", "eponyms", "joinable", "refused")


def words_of(text: str) -> Iterator[str]:
    """Yield the folded words of a text."""
    for match in WORD.finditer(fold_text(text)):
        yield match.group()


def hand(*names: str) -> list[str]:
    """Return the lines of hand-written lists, comments taken out."""
    lines: list[str] = []
    for name in names:
        for line in (HERE / name).read_text(encoding="utf-8").splitlines():
            bare = line.partition(" #")[0].strip()
            if bare and not bare.startswith("#"):
                lines.append(bare)
    return lines


def faker_names() -> set[str]:
    """Return every word of every person name list of the faker package, folded."""
    import faker.providers.person as providers  # type: ignore[import-not-found]  # noqa: PLC0415 - only here

    found: set[str] = set()
    for module in pkgutil.iter_modules(providers.__path__):
        provider = importlib.import_module(f"faker.providers.person.{module.name}").Provider
        for attribute in dir(provider):
            value = getattr(provider, attribute)
            listed = (
                re.search(r"name|last|first|given|middle", attribute) and "format" not in attribute
            )
            if not listed or attribute.startswith("_") or callable(value):
                continue
            for entry in value if isinstance(value, Iterable) else ():
                text = " ".join(map(str, entry)) if isinstance(entry, tuple) else str(entry)
                found.update(words_of(text) if "{" not in text else ())
    return found


def census_names() -> tuple[set[str], set[str]]:
    """Return (given names and the most common family names, all family names)."""
    common: set[str] = set()
    every: set[str] = set()
    for part in ("dist.female.first", "dist.male.first", "dist.all.last"):
        lines = resources.files("names").joinpath(part).read_text().splitlines()
        for rank, line in enumerate(lines):
            word = line.split()[0].lower()
            every.add(word)
            if rank < CENSUS_RANK:
                common.add(word)
    return common, every


def scowl(folder: Path) -> dict[str, int]:
    """Return SCOWL's lower-case words with the smallest list that holds each."""
    found: dict[str, int] = {}
    for size in SIZES:
        for spelling in SPELLINGS:
            path = folder / f"{spelling}-words.{size}"
            for line in path.read_text(encoding="latin-1").splitlines():
                word = fold_text(line.strip())
                if line[:1].islower() and word.isascii() and word.isalpha() and len(word) > 1:
                    found.setdefault(word, size)
    return found


def phrases_of_dicom(private: Path | None) -> list[str]:
    """Return the names and meanings that DICOM and the safe private lists give."""
    from pydicom._dicom_dict import DicomDictionary  # noqa: PLC0415 - generator only
    from pydicom._uid_dict import UID_dictionary  # noqa: PLC0415 - generator only
    from pydicom.sr._concepts_dict import concepts  # noqa: PLC0415 - generator only

    found = [entry[2] for entry in DicomDictionary.values()]
    found += [entry[0] for entry in UID_dictionary.values()]
    for scheme in concepts.values():
        found += [meaning for codes in scheme.values() for meaning, _cids in codes.values()]
    if private:
        with private.open(encoding="utf-8-sig", newline="") as handle:
            found += [
                row.get("Meaning") or row.get("tag_name") or "" for row in csv.DictReader(handle)
            ]
    return found


def inflect(words: Iterable[str]) -> set[str]:
    """Return the plain English inflections of words: plural and possessive forms."""
    out: set[str] = set()
    for word in words:
        if len(word) < MIN_INFLECTED or not word.isascii() or not word.isalpha():
            continue
        if word.endswith(("s", "x", "ch", "sh")):
            out.add(word + "es")
        elif word.endswith("y") and word[-2] not in "aeiou":
            out.add(word[:-1] + "ies")
        else:
            out.add(word + "s")
        if word.endswith("is"):
            out.add(word[:-2] + "es")
        if word.endswith("a"):
            out.add(word + "e")
        if word.endswith("us"):
            out.add(word[:-2] + "i")
    return out


def shortened(lines: Iterable[str]) -> set[str]:
    """Return the beginnings of long hand-written words (``Thor``, ``Extr``, ``Struct``)."""
    words = {word for line in lines for word in fold_text(line).split()}
    return {
        word[:size]
        for word in words
        if len(word) >= MIN_SHORTENED and word.isalpha() and word.isascii()
        for size in range(MIN_INFLECTED, min(len(word) - 1, MAX_SHORTENED + 1))
    }


def eponyms() -> set[str]:
    """Return one line an eponym: ``name context context ...``; contexts of equal names joined."""
    found: dict[str, set[str]] = {}
    for line in hand("eponyms.txt"):
        names, _bar, contexts = line.partition("|")
        for name in fold_text(names).split():
            found.setdefault(name, set()).update(fold_text(contexts).split())
    return {" ".join([name, *sorted(contexts - {name})]) for name, contexts in found.items()}


def build(arguments: argparse.Namespace) -> list[list[str]]:
    """Return the eight sections, each sorted."""
    common_census, every_census = census_names()
    names = faker_names() | common_census
    kept = set(" ".join(hand("names_kept.txt")).split())
    dropped = set(" ".join(hand("dropped.txt")).split())
    lines = hand("radiology.txt", "narrative.txt", "vendors.txt", "languages.txt")
    cjk = {line for chunk in lines for line in chunk.split() if CJK.search(line)}
    strong = {word for chunk in lines if not CJK.search(chunk) for word in fold_text(chunk).split()}
    strong |= inflect(strong) - names - every_census
    for line in hand("clinical.txt"):  # inflected by hand
        strong |= set(fold_text(line).split()) | set(fold_text(line.translate(UMLAUTS)).split())
    english = scowl(Path(arguments.scowl))
    plain = set()
    for word, size in english.items():
        rare_name = word in every_census and size > COMMON_SIZE
        if word not in names and not rare_name:
            plain.add(word)
    meanings = phrases_of_dicom(arguments.private_names)
    for meaning in meanings:
        for word in words_of(meaning):
            if len(word) > MIN_PLAIN and word not in names and word not in every_census:
                plain.add(word)
    plain |= shortened(hand("radiology.txt")) - names - every_census
    plain |= (
        inflect(plain & set().union(*(set(words_of(m)) for m in meanings))) - names - every_census
    )
    ambiguous = (
        (kept - strong) | (strong & set(" ".join(hand("ambiguous.txt")).split()))
    ) - dropped
    strong -= ambiguous | dropped
    plain -= strong | ambiguous | dropped
    every = strong | plain | ambiguous
    meanings += hand("phrases.txt")
    terms = {
        " ".join(meaning.lower().split())
        for meaning in meanings
        if " " in meaning.strip() and any(w not in every and len(w) > 1 for w in words_of(meaning))
    }
    joinable = set(" ".join(hand("joinable.txt")).split())
    sections = (strong, plain, ambiguous, terms, cjk, eponyms(), joinable, {"-"})
    write(sections)
    return [*map(sorted, (*sections[:-1], refused(names | every_census)))]


def refused(names: set[str]) -> set[str]:
    """Return the names that the rules for unseen words would let pass with the lists written."""
    return {name for name in names if not vocabulary.listed(name) and vocabulary.kind(name)}


def write(sections: Iterable[Iterable[str]]) -> None:
    """Write the sections, the same bytes for the same words; the words by their first letters."""
    strong, plain, ambiguous, *others = sections
    heads: dict[str, list[list[str]]] = {}
    for place, words in enumerate((strong, plain, ambiguous)):
        for word in sorted(words):
            heads.setdefault(word[:HEAD], [[], [], []])[place].append(word)
    lines = ["\t".join([head, *map(" ".join, heads[head])]) for head in sorted(heads)]
    data = "\n\n".join("\n".join(section) for section in (lines, *map(sorted, others))).encode()
    OUT.parent.mkdir(exist_ok=True)
    OUT.write_bytes(gzip.compress(data, 9, mtime=0))


def main() -> None:
    """Write the vocabulary and print how many words each section holds."""
    parser = argparse.ArgumentParser(description="make the vocabulary of free text")
    parser.add_argument("--scowl", required=True, help="folder of SCOWL's final lists")
    parser.add_argument("--private-names", type=Path, help="CSV of safe private elements' names")
    sections = build(parser.parse_args())
    write(sections)
    counts = dict(zip(SECTIONS, map(len, sections), strict=True))
    print(f"{OUT}: {counts}, {OUT.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
