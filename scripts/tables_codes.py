"""Coded terms of the context groups (PS3.16), their meanings, and body parts (PS3.16 Annex L)."""

import json
from collections import defaultdict
from pathlib import Path

import highdicom
import pydicom
from pydicom._version import __concepts_version__
from pydicom.sr._concepts_dict import concepts
from pydicom.sr._snomed_dict import mapping

from safelight.deid.defined import normal

HEAD = (
    "# Codes and meanings of PS3.16 context groups and templates (edition {edition}, through",
    "# pydicom {pydicom}), SNOMED-RT codes of Annex O, body parts of Annex L (through",
    "# highdicom {highdicom}). Made by scripts/make_tables.py.",
    "# C scheme codes...; M meanings...; B body parts...: fields are parted by tabs",
)


def _codes() -> dict[str, set[str]]:
    """Code values by scheme; what is in SCT is also known by its older SNOMED-RT code."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    for scheme, keywords in concepts.items():
        for entries in keywords.values():
            found[scheme] |= set(entries)
    found["SRT"] |= {mapping["SCT"][code] for code in found["SCT"] if code in mapping["SCT"]}
    return found


def _meanings() -> set[str]:
    """Meanings, normalised as look-ups are."""
    return {
        normal(meaning)
        for keywords in concepts.values()
        for entries in keywords.values()
        for meaning, _ in entries.values()
    } - {""}


def _body_parts() -> set[str]:
    path = Path(highdicom.__file__).parent / "_standard" / "anatomic_regions.json"
    return set(json.loads(path.read_text(encoding="utf-8")))


def terms() -> str:
    """The lines of the file; see its heading."""
    lines = [
        line.format(
            edition=__concepts_version__,
            pydicom=pydicom.__version__,
            highdicom=highdicom.__version__,
        )
        for line in HEAD
    ]
    for scheme, codes in sorted(_codes().items()):
        lines.append("\t".join(["C", scheme, *sorted(codes)]))
    lines.append("\t".join(["M", *sorted(_meanings())]))
    lines.append("\t".join(["B", *sorted(_body_parts())]))
    return "\n".join(lines) + "\n"
