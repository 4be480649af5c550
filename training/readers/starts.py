"""Write the public starts of the bundled readers; the same images give the same files.

``python -m training.readers.starts --data DIR [--cache FILE]``.
"""

import argparse
from pathlib import Path

import numpy as np

from safelight.readers import gate_check, recipes
from safelight.readers.datasets import load
from safelight.readers.starts import FILES, planes
from training.readers.build import DATA, Cache, training


def main() -> None:
    """Write them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--cache", type=Path)
    given = parser.parse_args()
    cases, cache = training(load(given.data)), Cache(given.cache)
    done: set[tuple[str, ...]] = set()
    for recipe in recipes.bundled():
        files = FILES.get(recipe.name, ())
        if not files or files in done:
            continue
        done.add(files)
        learnt = gate_check.learnt_from(gate_check.rows_of(recipe.of(cases), cache.of))
        told = [f"{case.dataset}/{case.label}" for case in learnt.cases]
        names = sorted(set(told))
        labels = np.array([names.index(one) for one in told], np.uint8)
        for name, some in zip(files, np.array_split(np.arange(len(told)), len(files)), strict=True):
            path = DATA / f"{name}.npz"
            rows = planes(learnt.z[some])
            np.savez_compressed(path, names=np.array(names), rows=rows, labels=labels[some])
            print(path.name, len(some), path.stat().st_size)


if __name__ == "__main__":
    main()
