"""Measure the kind reader's pixels on sources and kinds it never saw.

    python -m scripts.measure_kind --data DIR [--json OUT]

Each fold's net (``training/kind/folds``) never saw the sources and kinds that it is asked about;
the shipped net is asked about the tenth of all groups that no net learned from. No torch, one
core, some minutes. Intervals are Wilson's, 95 %.
"""

import argparse
import json
import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import numpy as np

from safelight.readers.kind.pixels import Look, PixelReader, pixel_reader
from safelight.readers.reading import ViewKind
from training.kind.images import Item, picture, read
from training.kind.split import FOLDS, SHIPPED, some_of

FOLDER = Path(__file__).resolve().parents[1] / "training" / "kind" / "folds"


@dataclass(slots=True)
class Count:
    """Answers about one source or kind."""

    asked: int = 0
    answered: int = 0
    wrong: int = 0
    said: Counter[str] = field(default_factory=Counter)

    def add(self, item: Item, look: Look) -> None:
        """Count one answer."""
        self.asked += 1
        if look.kind is None:
            return
        self.answered += 1
        if look.kind is not item.kind:
            self.wrong += 1
            self.said[look.kind.name] += 1

    def __iadd__(self, other: "Count") -> Self:
        self.asked += other.asked
        self.answered += other.answered
        self.wrong += other.wrong
        self.said += other.said
        return self


def wilson(part: int, whole: int) -> str:
    """Return a share and its 95 % interval, in percent."""
    if not whole:
        return "none"
    z, share = 1.96, part / whole
    middle = (share + z * z / (2 * whole)) / (1 + z * z / whole)
    half = z * np.sqrt(share * (1 - share) / whole + z * z / (4 * whole**2)) / (1 + z * z / whole)
    return f"{share:.1%} [{max(0.0, middle - half):.1%} to {min(1.0, middle + half):.1%}]"


def reader_of(name: str) -> PixelReader:
    """Return a fold's reader."""
    if name == SHIPPED.name:
        return pixel_reader()
    with np.load(FOLDER / f"{name}.npz", allow_pickle=False) as arrays:
        return PixelReader.of_arrays({each: arrays[each] for each in arrays.files})


def main() -> None:
    """Ask every net about what it never saw, and print shares with intervals."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--folds", default="ABCZ")
    parser.add_argument("--most", type=int, default=100, help="pictures of one source and kind")
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    items = list(read(given.data))
    table: dict[str, dict[str, Count]] = {}
    for fold in (*FOLDS, SHIPPED):
        if fold.name in given.folds:
            reader = reader_of(fold.name)
            chosen = [each for each in items if fold.asks(each)]
            some = some_of(chosen, given.most)
            table[fold.name] = _ask(reader, given.data, some, fold.name)
    _tell(table)
    if given.json:
        found = {name: {k: [c.asked, c.answered, c.wrong] for k, c in rows.items()}
                 for name, rows in table.items()}  # fmt: skip
        given.json.write_text(json.dumps(found, indent=1))


def _ask(reader: PixelReader, data: Path, items: list[Item], name: str) -> dict[str, Count]:
    rows: dict[str, Count] = defaultdict(Count)
    start = time.process_time()
    for item in items:
        look = reader.look(picture(data, item))
        if item.kind is ViewKind.PHOTO:
            group = "photo"
        elif item.kind in reader.kinds:
            group = "known"
        else:
            group = "foreign"
        rows[f"{group}: {item.source}, {item.kind or 'none of the kinds'}"].add(item, look)
    spent = (time.process_time() - start) / max(1, len(items))
    print(
        f"fold {name}: {len(items)} pictures, {spent * 1000:.1f} ms of CPU each"
    )  # a command's output
    return dict(sorted(rows.items()))


def _tell(table: dict[str, dict[str, Count]]) -> None:
    say = print  # a command's output
    for title, names in (("held-out sources and kinds", "ABC"), ("unseen groups", "Z")):
        every, known, foreign, photos = Count(), Count(), Count(), Count()
        say(f"\n{title}")
        for name in names:
            for row, count in table.get(name, {}).items():
                say(f"  {name} {row}: {count.asked} asked, {count.answered} answered, "
                    f"{count.wrong} wrong {dict(count.said)}")  # fmt: skip
                every += count
                into = {"k": known, "f": foreign, "p": photos}[row[0]]
                into += count
        say(f"  known kinds: answered {wilson(known.answered, known.asked)}, right when it "
            f"answers {wilson(known.answered - known.wrong, known.answered)}")  # fmt: skip
        say(f"  wrong and accepted, of all {every.asked}: {wilson(every.wrong, every.asked)}")
        say(f"  foreign kinds refused: {wilson(foreign.asked - foreign.answered, foreign.asked)}")
        say(f"  photos not taken for anything else: "
            f"{wilson(photos.asked - photos.wrong, photos.asked)}")  # fmt: skip
        refused = foreign.asked - foreign.answered + photos.asked - photos.wrong
        say(f"  foreign kinds and photos together: "
            f"{wilson(refused, foreign.asked + photos.asked)}")  # fmt: skip


if __name__ == "__main__":
    main()
