"""Grow the trees of the last word (``safelight.deid.burned.last``) on generated sets.

``note`` writes down every line that the last word would be had on in the first frames of a set of
``corpus burned make``, with its facts and the truth: it is writing where it covers ink. ``grow``
grows the trees on such notes; with more than one set it first tells what trees grown on the others
keep and drop of each.
"""

import argparse
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.progress import track
from sklearn.ensemble import HistGradientBoostingClassifier

from corpus.burned import truth
from safelight.deid.burned import verify
from safelight.deid.burned.find import Grey
from safelight.deid.burned.look import Eyes
from safelight.deid.burned.sight import Shown
from safelight.deid.burned.strip import Strip
from safelight.deid.burned.trees import Trees
from safelight.deid.burned.verify import Opinion
from safelight.deid.load import load
from safelight.deid.objects import cut, new_book
from safelight.deid.pixels.photos import picture
from safelight.deid.pixels.render import render
from safelight.dicomio.limits import Limits
from safelight.types import Kind

__all__ = ["Case", "arrays", "grow", "notes", "views"]

Floats = NDArray[np.float64]
LEAST_INK = 0.3  # of a character that must be inside for a line to be its
# The facts of which more never speaks against writing: what both networks see, what the reader
# reads and how sure it is, and the scores made of these.
SPEAKING = frozenset({*range(7), 13, 15, 16, 18, 19})
BOUNDS = (-3.0, -2.5, -2.0, -1.5, -1.0, -0.5, 0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One line: its facts, what it is, and where it stands.

    Attributes:
        facts: As ``last.facts`` gives them.
        sharpened: Whether it was seen on the sharpened picture.
        letters: Characters that it covers.
        names: Those of them that identify.
        clean: Whether nothing is written on the picture.
        area: Its share of the picture.
        picture: Which one.
    """

    facts: tuple[float, ...]
    sharpened: bool
    letters: int
    names: int
    clean: bool
    area: float
    picture: str


class _Noting(Eyes):
    """Eyes that note what the last word is had on, and take the reader's for it meanwhile."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[tuple[Strip, tuple[float, ...], bool]] = []

    def _word(
        self, grey: Grey, opinion: Opinion, clear: Sequence[Strip], before: Grey | None
    ) -> float:
        facts = self._facts(grey, opinion, clear, before)
        self.asked.append((opinion.line.strip, tuple(facts), before is not None))
        return verify.read(opinion)


def views(path: Path) -> list[Shown]:
    """Return the first frame of a file as the finder looks at it, with and without its window."""
    if path.suffix != ".dcm":
        kind = {".png": Kind.PNG}.get(path.suffix, Kind.JPEG)
        return [picture(kind, path.read_bytes(), Limits())[0].upright()]
    data, _ = load(str(path))
    books: Any = _Books()
    work = cut(data, "", books, Limits()).opened(Limits())
    if work is None:
        return []
    stored, colours = work.source.frame(0), work.source.colour(0)
    whole = render(stored, work.header, colours, index=0, full=True)
    windowed = render(stored, work.header, colours, index=0)
    same = bool((whole.grey == windowed.grey).all())
    return [whole] if same else [whole, windowed]


class _Books(dict[Any, Any]):
    def __missing__(self, key: Any) -> Any:
        self[key] = new_book()
        return self[key]


def notes(folder: Path, part: int = 0, parts: int = 1) -> Iterator[Case]:
    """Yield the cases of a set.

    Args:
        folder: The set.
        part: Which of the parts of it, from 0.
        parts: How many there are.
    """
    eyes = _Noting()
    images = [one for one in truth.read(folder) if one.index % parts == part]
    for image in track(images, description=folder.name):
        shown = views(folder / image.path)
        if not shown:
            continue
        view = shown[image.index // 16 % len(shown)]  # one is enough: they have much in common
        eyes.asked.clear()
        eyes.look(view)
        for strip, facts, sharpened in eyes.asked:
            letters, names, area = _covered(strip, image, view.grey.shape)
            yield Case(
                facts=facts,
                sharpened=sharpened,
                letters=letters,
                names=names,
                clean=not image.strings,
                area=area,
                picture=f"{folder.name}/{image.path}",
            )


def _covered(strip: Strip, image: truth.Image, shape: tuple[int, ...]) -> tuple[int, int, float]:
    """Return how many characters a line covers, how many of them identify, and its share."""
    left, top, right, bottom = (max(int(side), 0) for side in strip.bounds())
    letters = names = 0
    for string in image.strings:
        for char in string.chars if not string.frames or 0 in string.frames else ():
            rows = slice(max(top - char.y, 0), max(bottom + 1 - char.y, 0))
            inside = char.ink[rows, max(left - char.x, 0) : max(right + 1 - char.x, 0)]
            if inside.sum() > LEAST_INK * char.ink.sum():
                letters += 1
                names += string.identifying
    area = (min(bottom + 1, shape[0]) - top) * (min(right + 1, shape[1]) - left)
    return letters, names, area / (shape[0] * shape[1])


def grow(some: Sequence[Case]) -> HistGradientBoostingClassifier:
    """Return trees grown on cases; names, and what is none on clean pictures, count twice."""
    weights = [2.0 if case.names or (case.clean and not case.letters) else 1.0 for case in some]
    grown = HistGradientBoostingClassifier(
        max_iter=300,
        learning_rate=0.05,
        max_leaf_nodes=16,
        min_samples_leaf=10,
        l2_regularization=3,
        max_features=0.4,
        monotonic_cst=[int(place in SPEAKING) for place in range(len(some[0].facts))],
        early_stopping=False,
        random_state=0,
    )
    values = [case.facts for case in some]
    return grown.fit(values, [case.letters > 0 for case in some], sample_weight=weights)


def arrays(grown: HistGradientBoostingClassifier) -> dict[str, NDArray[Any]]:
    """Return grown trees as ``safelight.deid.burned.trees`` takes them."""
    trees = [tree.nodes for (tree,) in grown._predictors]  # noqa: SLF001 - shown nowhere else
    roots = np.cumsum([0] + [len(nodes) for nodes in trees])
    starts = np.repeat(roots[:-1], np.diff(roots))
    nodes, here = np.concatenate(trees), np.arange(roots[-1])
    leaf = nodes["is_leaf"].astype(bool)
    return {
        "start": np.array(float(grown._baseline_prediction.ravel()[0])),  # noqa: SLF001 - as above
        "roots": roots[:-1].astype(np.int32),
        "fact": np.where(leaf, 0, nodes["feature_idx"]).astype(np.int16),
        "most": np.where(leaf, 0.0, nodes["num_threshold"]),
        "value": np.where(leaf, nodes["value"], 0.0).astype(np.float32),
        "left": np.where(leaf, here, nodes["left"] + starts).astype(np.int32),
        "right": np.where(leaf, here, nodes["right"] + starts).astype(np.int32),
    }


def _table(some: Sequence[Case], words: Floats) -> None:
    for sharpened in (False, True):
        known = [
            (case, float(word))
            for case, word in zip(some, words, strict=True)
            if case.sharpened is sharpened
        ]
        names = [word for case, word in known if case.names]
        none = [(case, word) for case, word in known if not case.letters]
        print("on the sharpened picture:" if sharpened else "on the picture:")
        for least in BOUNDS:
            taken = [case for case, word in none if word >= least]
            print(
                f"  from {least:4.1f}: lost {sum(word < least for word in names)}",
                f"of {len(names)} names; none, yet taken: {len(taken)} of {len(none)}, on",
                f"{len({case.picture for case in taken if case.clean})} clean pictures,",
                f"{100 * sum(case.area for case in taken if case.clean):.0f} % of one in all",
            )


def _note(args: argparse.Namespace) -> None:
    with args.out.open("x", encoding="utf-8") as out:
        for case in notes(args.set, args.part, args.parts):
            out.write(json.dumps(asdict(case)) + "\n")
            out.flush()


def _grow(args: argparse.Namespace) -> None:
    found = [
        (path.name.split(".")[0], Case(**{**told, "facts": tuple(told["facts"])}))
        for path in args.notes
        for told in map(json.loads, path.read_text(encoding="utf-8").splitlines())
    ]
    everything = [case for _, case in found]
    print(f"{len(everything)} lines of {len({case.picture for case in everything})} pictures")
    sets = sorted({name for name, _ in found})
    words = np.zeros(len(found))
    for name in track(sets if len(sets) > 1 else [], description="each by the others"):
        own = np.array([where == name for where, _ in found])
        rest = grow([case for (_, case), mine in zip(found, own, strict=True) if not mine])
        values = np.array([case.facts for (_, case), mine in zip(found, own, strict=True) if mine])
        words[own] = rest.decision_function(values)
    if len(sets) > 1:
        _table(everything, words)
    grown = grow(everything)
    held = arrays(grown)
    some = [case.facts for case in everything[:500]]
    flat = np.array([Trees(held).score(each) for each in some])
    print(f"as flat arrays: differ by {np.abs(flat - grown.decision_function(some)).max():.2g}")
    np.savez_compressed(args.out, allow_pickle=False, **held)


def main() -> None:
    """Note the cases of a set, or grow trees on notes."""
    parser = argparse.ArgumentParser(description=__doc__)
    commands = parser.add_subparsers(required=True)
    note = commands.add_parser("note", help="write the cases of a set down, one line each")
    note.add_argument("set", type=Path, help="a folder of corpus burned make")
    note.add_argument("out", type=Path, help="SET.PART.jsonl: what stands before a point names it")
    note.add_argument("--part", type=int, default=0, help="which part, from 0")
    note.add_argument("--parts", type=int, default=1)
    note.set_defaults(do=_note)
    plant = commands.add_parser("grow", help="grow the trees, and tell how they do")
    plant.add_argument("notes", type=Path, nargs="+")
    plant.add_argument("--out", type=Path, required=True, help="an npz file")
    plant.set_defaults(do=_grow)
    args = parser.parse_args()
    args.do(args)


if __name__ == "__main__":
    main()
