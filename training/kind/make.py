"""Make the kind reader's files: ``python -m training.kind.make --data DIR --more DIR``.

    python -m training.kind.backbone --data DIR    its bodies, from the pretrained weights
    python -m training.kind.more --mirror DIR --data DIR --out DIR    pictures of further sources
    python -m training.kind.make --data DIR --more DIR    the reader, and those of folds A, B and C
    python -m training.kind.choose --data DIR --more DIR --kept DIR    thresholds for ``heads``

The bodies need torch and the packages in ``requirements.txt``; the others need neither. One thread
and one seed: the same versions give the same files.
"""

import argparse
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from safelight.readers.kind.net import PLACE, embed
from safelight.readers.kind.shrink import reduced
from safelight.readers.reading import ViewKind
from training.kind.heads import Learned, reader_of
from training.kind.images import Item, read, read_more, squeezed
from training.kind.pool import Pool, seen_as
from training.kind.split import FOLDS, SHIPPED, Fold
from training.kind.varied import altered, strange, varied

HERE = Path(__file__).parent
PACKAGE = HERE.parents[1] / "src" / "safelight" / "readers" / "kind" / "data"
MOST = 300  # pictures of a source and kind
MORE = 150  # of a further source
VARIED = 2  # variations of each
DRAWN = 200  # pictures of each kind that nobody collected
STRANGE = 800  # pictures of nothing known
ALTERED = {ViewKind.HEAD_CT: 150}  # pictures of a kind, altered until they are none

Picture = NDArray[np.uint8]


def main() -> None:
    """Look at every picture once, then learn for each fold, and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with images/labels.csv")
    parser.add_argument("--more", type=Path, required=True, help="folder of further sources")
    parser.add_argument("--folds", default="ABCZ")
    parser.add_argument("--keep", type=Path, help="folder to keep places in")
    parser.add_argument("--kept", type=Path, help="folder of kept places: only heads are made")
    given = parser.parse_args()
    cv2.setNumThreads(1)
    folds = [fold for fold in (*FOLDS, SHIPPED) if fold.name in given.folds]
    if given.kept:
        for fold in folds:
            _write(fold, load(given.kept / f"{fold.name}.npz"))
        return
    items = [*read(given.data), *read_more(given.more)]
    pictures = squeezed(given.data, items)
    seen = places(pictures, items, sample(items))
    for fold in folds:
        found = learned(fold, pictures, items, seen)
        if given.keep:
            _save(given.keep / f"{fold.name}.npz", found)
        _write(fold, found)
    if SHIPPED in folds:
        (PACKAGE / "chest.bin").write_bytes(_chest_pattern(pictures, items))


def _write(fold: Fold, found: Learned) -> None:
    out = PACKAGE / "kinds.npz" if fold is SHIPPED else HERE / "folds" / f"{fold.name}.npz"
    np.savez_compressed(out, allow_pickle=False, **reader_of(found).to_arrays())
    print(f"{out.name}: {out.stat().st_size} bytes", flush=True)  # a command's output


def _save(path: Path, found: Learned) -> None:
    names = np.array([kind.name if kind else "" for kind in found.kinds])
    sources = np.array(found.sources)
    np.savez(
        path, allow_pickle=False, places=found.places.astype(np.int16), kinds=names,
        sources=sources, altered=found.altered.astype(np.int16),
        unlike=np.array([kind.name for kind in found.unlike])
    )  # fmt: skip


def load(path: Path) -> Learned:
    """Return the places that ``--keep`` wrote."""
    with np.load(path, allow_pickle=False) as held:
        kinds = [ViewKind[str(name)] if name else None for name in held["kinds"]]
        sources = [str(each) for each in held["sources"]]
        return Learned(
            places=held["places"].astype(np.int64), kinds=kinds, sources=sources,
            altered=held["altered"].astype(np.int64),
            unlike=[ViewKind[str(name)] for name in held["unlike"]],
        )  # fmt: skip


def sample(items: list[Item]) -> list[int]:
    """Return numbers of pictures to learn from: one of a group, at most ``MOST`` of a source."""
    rng = np.random.default_rng(11)
    rows: dict[tuple[str, ViewKind | None], dict[str, list[int]]] = {}
    for n, item in enumerate(items):
        if item.part:
            rows.setdefault((item.source, item.kind), {}).setdefault(item.group, []).append(n)
    found = []
    for groups in rows.values():
        names = sorted(groups)
        rng.shuffle(names)
        most = MOST if items[next(iter(groups.values()))[0]].shared else MORE
        found += [int(rng.choice(groups[name])) for name in names[:most]]
    return sorted(found)


def places(pictures: Picture, items: list[Item], chosen: list[int]) -> dict[int, Any]:
    """Return where each picture and its variations lie, shape (1 + VARIED, PLACE), by number."""
    found = {}
    for n in chosen:
        rng = np.random.default_rng((3, n))
        several = [reduced(pictures[n])]
        several += [varied(rng, pictures[n], items[n].kind) for _ in range(VARIED)]
        found[n] = embed(np.stack([seen_as(each) for each in several]))
    return found


def learned(fold: Fold, pictures: Picture, items: list[Item], seen: dict[int, Any]) -> Learned:
    """Return what a fold may learn from; what is drawn or strange is made of that alone."""
    chosen = [n for n in seen if fold.learns(items[n])]
    pool = Pool.of(pictures, items, chosen)
    rng = np.random.default_rng(2)
    pool.draw(rng, DRAWN)
    rows = [seen[n] for n in chosen]
    kinds = [items[n].kind for n in chosen for _ in range(1 + VARIED)]
    sources = [items[n].source for n in chosen for _ in range(1 + VARIED)]
    for kind, drawn in pool.drawn.items():
        rows += [embed(np.stack([seen_as(reduced(each))])) for each in drawn]
        kinds += [kind] * len(drawn)
        sources += ["drawn"] * len(drawn)
    for _ in range(STRANGE):
        picture = strange(rng, pool.any(rng), pool.any(rng))
        rows.append(embed(seen_as(picture)[None]))
        kinds.append(None)
        sources.append("strange")
    false, unlike = _altered(pool)
    return Learned(places=np.concatenate(rows), kinds=kinds, sources=sources,
                   altered=false, unlike=unlike)  # fmt: skip


def _altered(pool: Pool) -> tuple[NDArray[np.int64], list[ViewKind]]:
    """Return places of pictures that resemble a kind and are none, and the kind of each."""
    rng = np.random.default_rng(9)
    unlike = [kind for kind, count in ALTERED.items() if kind in pool.kinds for _ in range(count)]
    found = [seen_as(altered(rng, pool.one(rng, kind), kind)) for kind in unlike]
    return embed(np.stack(found)) if found else np.zeros((0, PLACE), np.int64), unlike


def _chest_pattern(pictures: Picture, items: list[Item]) -> bytes:
    """Return the mean of upright chest films, mirrored onto itself, int8, shape (32, 32)."""
    rng = np.random.default_rng(0)
    total = np.zeros((32, 32))
    for source in ("nih_cxr", "mednist CXR", "tbx11k_tb"):
        numbers = [n for n, item in enumerate(items) if item.source == source]
        for n in rng.choice(numbers, 150, replace=False):
            small = reduced(pictures[n][:, :, :1], 32)[:, :, 0].astype(np.float64)
            total += (small - small.mean()) / small.std()
    total += total[:, ::-1].copy()
    return bytes(np.rint(total / np.abs(total).max() * 127).astype(np.int8).tobytes())


if __name__ == "__main__":
    main()
