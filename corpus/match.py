"""Matching of outputs to inputs, whatever the tool called its files."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydicom.dataset import Dataset

from corpus.fingerprint import fingerprint_of
from corpus.read import View, view

__all__ = ["Matched", "match"]


@dataclass(slots=True)
class Matched:
    """Outputs by input index, and what else lies in the output folder."""

    views: dict[int, View] = field(default_factory=dict)
    names: dict[int, str] = field(default_factory=dict)
    extra: list[tuple[str, View]] = field(default_factory=list)
    twice: int = 0

    def data_set(self, index: int) -> Dataset:
        """Return the output's data set; what has none is never matched."""
        ds = self.views[index].ds
        if ds is None:
            raise ValueError(f"output {index} has no data set")
        return ds


def match(key: dict[str, Any], folder: Path) -> Matched:
    """Read every file under ``folder`` and find its input."""
    tables: list[dict[str, int]] = [{}, {}, {}, {}]
    for index, file in enumerate(key["files"]):
        prints = file["fingerprint"]
        number = prints.get("number", "")
        tables[0][number] = index
        tables[1][number.split("/")[0]] = index
        tables[2][prints.get("bulk", "")] = index
        tables[3][file["path"]] = index
    found = Matched()
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    # Names that were kept tell most, so they are matched before anything is guessed.
    paths.sort(key=lambda path: str(path.relative_to(folder)) not in tables[3])
    for path in paths:
        name = str(path.relative_to(folder))
        seen = view(path.read_bytes())
        at = _find(tables, seen, name, found)
        if at is None:
            found.extra.append((name, seen))
        elif at in found.views:
            found.twice += 1
            found.extra.append((name, seen))
        else:
            found.views[at], found.names[at] = seen, name
    return found


def _find(tables: list[dict[str, int]], seen: View, name: str, found: Matched) -> int | None:
    if seen.ds is None or "SOPInstanceUID" not in seen.ds:
        return None
    prints = fingerprint_of(seen.ds)
    number = prints.get("number", "-")
    if name in tables[3]:  # a name that was kept tells most
        return tables[3][name]
    values = (number, number.split("/")[0], prints.get("bulk", "-"))
    at = None
    for table, value in zip(tables, values, strict=False):
        if value and value in table:
            at = table[value]
            if at not in found.views:
                return at
    return at
