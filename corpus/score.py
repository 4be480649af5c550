"""The scorer: what is left, what survived, and whether people, references and time hold."""

import datetime as dt
import json
import re
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from corpus.match import Matched, match
from corpus.pixels import same_pixels
from corpus.read import View, resolve, view
from corpus.relations import intervals, people, references
from corpus.search import Finder
from corpus.useful import collect, expected, flat

__all__ = ["Score", "load", "score"]

_MAY_WITHHOLD = {"pdf", "cda"}


@dataclass(slots=True)
class Score:
    """All numbers of one run; ``problems`` holds one line for each thing that is wrong."""

    files: int = 0
    written: int = 0
    missing: list[str] = field(default_factory=list)
    withheld: int = 0
    planted: Counter[str] = field(default_factory=Counter)
    left: Counter[str] = field(default_factory=Counter)
    leaks: list[dict[str, str]] = field(default_factory=list)
    side_leaks: list[dict[str, str]] = field(default_factory=list)
    useful_total: int = 0
    useful_kept: int = 0
    useful_lost: Counter[str] = field(default_factory=Counter)
    lost_examples: list[dict[str, str]] = field(default_factory=list)
    descriptors_total: int = 0
    descriptors_kept: int = 0
    descriptors_lost: list[dict[str, str]] = field(default_factory=list)
    relations: dict[str, Any] = field(default_factory=dict)


def load(path: Path) -> tuple[dict[str, Any], Path]:
    """Return the answer key and the input folder, from either's path."""
    file = path if path.suffix == ".json" else Path(f"{path}.key.json")
    return json.loads(file.read_text()), Path(str(file).removesuffix(".key.json"))


def score(key: dict[str, Any], source: Path, output: Path) -> Score:
    """Compare ``output`` with the answer key of ``source``."""
    found, finder, result = match(key, output), Finder(key), Score(files=len(key["files"]))
    for index, file in enumerate(key["files"]):
        seen = found.views.get(index)
        if seen is None:
            _missing(result, file)
            continue
        result.written += 1
        for needle in file["needles"]:
            result.planted[needle["kind"]] += 1
        _leaks(result, finder, file, seen, found.names[index])
        _useful(result, file, seen, source)
        _descriptors(result, file, seen)
    _side(result, finder, found)
    result.relations = {
        **references(key, found),
        **people(key, found),
        **intervals(key, found),
        "written_twice": found.twice,
    }
    return result


def _missing(result: Score, file: dict[str, Any]) -> None:
    if file["odd"] or file["base"] in _MAY_WITHHOLD:
        result.withheld += 1
        return
    result.missing.append(file["path"])
    result.useful_total += len(file["useful"])
    result.useful_lost["(file missing)"] += len(file["useful"])
    result.descriptors_total += len(file["descriptors"])


def _leaks(result: Score, finder: Finder, file: dict[str, Any], seen: View, name: str) -> None:
    places: dict[str, set[str]] = defaultdict(set)
    for text, place in finder.in_texts(seen.texts):
        places[text].add(place)
    for text in finder.in_bytes(seen.data):
        places[text].add("raw")
    for where, data in seen.streams:
        for text in finder.in_bytes(data):
            places[text].add(where)
    for text in finder.in_bytes(name.encode()):
        places[text].add("path")
    mine = defaultdict(list)
    for needle in file["needles"]:
        mine[needle["text"]].append(needle)
    for text, spots in places.items():
        own = [n for n in mine.get(text, []) if n["how"] in {"text", "uid"}]
        exact = [n for n in own if any(p.startswith(n["place"]) for p in spots)]
        if own and not exact and spots.isdisjoint({"raw", "path"}):
            own = []  # only another reading (joined, decoded) of some other plant shows it
        kinds = [n["kind"] for n in exact or own] or ["(needle planted elsewhere, or re-read)"]
        for kind in kinds:
            _leak(result, kind, file, text, spots)
    blobs = [("raw", seen.data), *seen.streams]
    plain = [(where, data.replace(b"\0", b"").decode("latin-1")) for where, data in blobs]
    for place in finder.ordinary([*seen.texts, *plain]):
        _leak(result, "(ordinary name in full)", file, "name", {place})
    for needle in file["needles"]:
        if needle["how"] in {"local", "exact", "date"} and _local(seen, needle):
            _leak(result, needle["kind"], file, needle["text"], {needle["place"]})


def _leak(result: Score, kind: str, file: dict[str, Any], text: str, where: set[str]) -> None:
    result.left[kind] += 1
    result.leaks.append(
        {
            "kind": kind,
            "file": file["path"],
            "base": file["base"],
            "text": text,
            "where": ", ".join(sorted(where)[:4]),
        }
    )


def _local(seen: View, needle: dict[str, str]) -> bool:
    text = needle["text"]
    if needle["how"] == "date":
        form = re.compile(rf"(?<!\d){re.escape(text)}(?!\d)")
        return any(form.search(value) for _, value in seen.texts)
    here = [value for place, value in seen.texts if place.startswith(needle["place"])]
    if needle["how"] == "exact":
        return text in here
    form = re.compile(rf"(?<![a-z]){re.escape(text.lower())}(?![a-z])")
    return any(form.search(value.lower()) for value in here)


def _useful(result: Score, file: dict[str, Any], seen: View, source: Path) -> None:
    now = collect(seen.ds) if seen.ds is not None else {}
    for one in file["useful"]:
        place, value = one["place"], expected(one["place"], one["value"])
        result.useful_total += 1
        kept = now.get(place) == value
        if not kept and place == "7FE00010":
            kept = same_pixels((source / file["path"]).read_bytes(), seen.data)
        if kept:
            result.useful_kept += 1
            continue
        result.useful_lost[place.split("/")[-1]] += 1
        if len(result.lost_examples) < 2000:
            result.lost_examples.append(
                {
                    "file": file["path"],
                    "base": file["base"],
                    "place": place,
                    "was": value,
                    "is": str(now.get(place)),
                }
            )
    if file.get("encapsulated"):
        result.useful_total += 1
        if same_pixels((source / file["path"]).read_bytes(), seen.data):
            result.useful_kept += 1
        else:
            result.useful_lost["7FE00010 (decoded)"] += 1


def _descriptors(result: Score, file: dict[str, Any], seen: View) -> None:
    for one in file["descriptors"]:
        result.descriptors_total += 1
        value = resolve(seen.ds, one["place"]) if seen.ds is not None else None
        words = set(re.findall(r"\w+", flat(value or "").lower()))
        if all(word.lower() in words for word in one["words"]):
            result.descriptors_kept += 1
        else:
            result.descriptors_lost.append(
                {
                    "file": file["path"],
                    "place": one["place"],
                    "words": " ".join(one["words"]),
                    "is": str(value),
                }
            )


def _side(result: Score, finder: Finder, found: Matched) -> None:
    for name, seen in found.extra:
        hits = finder.in_bytes(seen.data) | finder.in_bytes(name.encode())
        hits |= {text for text, _ in finder.in_texts(seen.texts)}
        for _, data in seen.streams:
            hits |= finder.in_bytes(data)
        result.side_leaks.extend({"file": name, "text": text} for text in sorted(hits))


def today() -> dt.date:
    """Return today's date; shifted dates may not lie after it."""
    return dt.datetime.now(tz=dt.UTC).date()


def search_folder(key: dict[str, Any], folder: Path) -> list[dict[str, str]]:
    """Return every needle found anywhere under ``folder``, without matching files."""
    result, finder = Score(), Finder(key)
    extra = [
        (str(p.relative_to(folder)), view(p.read_bytes())) for p in folder.rglob("*") if p.is_file()
    ]
    _side(result, finder, Matched(extra=extra))
    return result.side_leaks
