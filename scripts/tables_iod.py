"""Types of attributes per IOD (PS3.3 Annex A and C), for the tags that the decision table asks."""

import json
from collections import defaultdict
from pathlib import Path
from typing import Any

import highdicom
from pydicom.datadict import dictionary_VR, tag_for_keyword

import tables_dictionary

ROOT = Path(__file__).resolve().parent.parent
DATA = ROOT / "src" / "safelight" / "deid" / "data"
# VRs for which the table has a default when the tag is in no row: their Type decides empty or dummy
DEFAULTED_VRS = frozenset({"AE", "AS", "DA", "DT", "PN", "TM"})
RANK = {"1": 1, "1C": 2, "2": 3, "2C": 4, "3": 5}  # strictest first; as iod.Type
# Retired or superseded SOP Classes, read as the IOD that took their place
ALIASES = {
    "1.2.840.10008.5.1.4.1.1.3": "ultrasound-multi-frame-image",
    "1.2.840.10008.5.1.4.1.1.5": "nuclear-medicine-image",
    "1.2.840.10008.5.1.4.1.1.6": "ultrasound-image",
    "1.2.840.10008.5.1.4.1.1.12.3": "x-ray-angiographic-image",
    "1.2.840.10008.5.1.4.1.1.77.1": "vl-photographic-image",
    "1.2.840.10008.5.1.4.1.1.77.2": "vl-photographic-image",
    "1.2.840.10008.5.1.4.1.1.88.1": "basic-text-sr",
    "1.2.840.10008.5.1.4.1.1.88.3": "comprehensive-sr",
    "1.2.840.10008.5.1.4.1.1.88.4": "comprehensive-sr",
}
Types = dict[tuple[int, int], int]


def _load(name: str) -> Any:
    path = Path(highdicom.__file__).parent / "_standard" / name
    return json.loads(path.read_text(encoding="utf-8"))


def asked_tags() -> set[int]:
    """The tags of Table E.1-1 and of the supplement, as they lie in the package."""
    texts = [(DATA / name).read_text(encoding="utf-8") for name in ("e1_1.tsv", "extra.tsv")]
    rows = "".join(texts).splitlines()
    ids = [row.split("\t")[0] for row in rows if not row.startswith("#")]
    return {int(tag, 16) for tag in ids if "x" not in tag and tag != "private"}


def _module(attributes: list[dict[str, Any]], asked: set[int]) -> Types:
    """Strictest Type per (parent tag, tag) in one module."""
    found: Types = {}
    for attribute in attributes:
        tag = tag_for_keyword(attribute["keyword"])
        if tag is None or (tag not in asked and dictionary_VR(tag) not in DEFAULTED_VRS):
            continue
        path = attribute["path"]
        parent = (tag_for_keyword(path[-1]) or 0) if path else 0
        rank = RANK.get(
            attribute["type"], RANK["3"]
        )  # a few rows of the parsed standard have no Type
        found[parent, tag] = min(rank, found.get((parent, tag), rank))
    return found


def _format(types: Types) -> str:
    """Type 3 is what absence means, except at the top of a module: it is left out."""
    return " ".join(
        f"{parent:08x}{tag:08x}{rank}" if parent else f"{tag:08x}{rank}"
        for (parent, tag), rank in sorted(types.items())
        if rank < RANK["3"]
    )


def types() -> str:
    """Three kinds of lines: ``M`` module, ``I`` IOD with its modules, ``C`` SOP Class and IOD.

    An entry of a module is ``[parent]tag`` in hex and a digit for the Type (1: 1, 2: 1C, 3: 2,
    4: 2C). ``M *`` holds the strictest Type of each attribute in any module, for SOP classes that
    are unknown and items met outside their IOD.
    """
    asked = asked_tags()
    modules = {
        key: _module(rows, asked) for key, rows in _load("module_attribute_map.json").items()
    }
    anywhere: defaultdict[tuple[int, int], int] = defaultdict(lambda: RANK["3"])
    for found in modules.values():
        for place, rank in found.items():
            anywhere[place] = min(rank, anywhere[place])
    lines = [
        "# Types of attributes per IOD, PS3.3 Annexes A and C, restricted to the tags of PS3.15",
        "# Table E.1-1 and to VRs AE, AS, DA, DT, PN, TM.",
        "# A Type is one digit: 1 for 1, 2 for 1C, 3 for 2, 4 for 2C; 3 is left out.",
        f"# PS3.3 as parsed by highdicom {highdicom.__version__};",
        f"# tags of {tables_dictionary.edition()}",
        "# made by scripts/make_tables.py; M module entries; I IOD modules; C SOP-class IOD",
        f"M\t*\t{_format(dict(anywhere))}",
    ]
    written = {key: text for key, found in sorted(modules.items()) if (text := _format(found))}
    lines += [f"M\t{key}\t{text}" for key, text in written.items()]
    for iod, members in sorted(_load("iod_module_map.json").items()):
        keys = sorted({member["key"] for member in members} & written.keys())
        lines.append(f"I\t{iod}\t{' '.join(keys)}")
    classes = _load("sop_class_iod_map.json") | ALIASES
    lines += [f"C\t{uid}\t{iod}" for uid, iod in sorted(classes.items())]
    return "\n".join(lines) + "\n"
