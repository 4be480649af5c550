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
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        name = str(path.relative_to(folder))
        seen = view(path.read_bytes())
        at = _find(tables, seen, name)
        if at is None:
            found.extra.append((name, seen))
        elif at in found.views:
            found.twice += 1
            found.extra.append((name, seen))
        else:
            found.views[at], found.names[at] = seen, name
    return found


def _find(tables: list[dict[str, int]], seen: View, name: str) -> int | None:
    if seen.ds is None or "SOPInstanceUID" not in seen.ds:
        return None
    prints = fingerprint_of(seen.ds)
    number = prints.get("number", "-")
    for table, value in zip(
        tables, (number, number.split("/")[0], prints.get("bulk", "-"), name), strict=True
    ):
        if value and value in table:
            return table[value]
    return None
