"""Print what the readers' features and heads reach on public sets, with intervals.

``python scripts/measure_readers.py --data DIR [--cache FILE]``

PneumoniaMNIST, official split: learnt from ``train`` (images that are also in ``test`` left out),
threshold from ``val``: the score that 5 % of its people with pneumonia lie below, the reader's own
alpha. Nothing is chosen on ``test``. Breast ultrasound and head CT: five folds by near-duplicates,
over the features of the pretrained body, whose blocks were chosen on these folds.
Coverage: the test people are halved 200 times, one half calibrates, the other is answered.
"""

import argparse
import sys
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from safelight.readers import body, gate_check, scoring
from safelight.readers.card import Interval
from safelight.readers.conformal import Calibration
from safelight.readers.datasets import Case, load
from safelight.readers.head import Recipe, solve
from training.readers.build import Cache

ALPHA = 0.05
SPLITS = 200
FOLDED = (
    ("breast ultrasound, malignant against all others", "busi", "malignant", 0.91),
    ("head CT, bleed against none", "head_ct", "hemorrhage", 0.94),
)

Array = NDArray[Any]


def told(name: str, found: Interval, goal: float) -> str:
    """Return one line of the table."""
    met = "met" if found.value >= goal else "not met"
    return f"{name}: {found.value:.3f} [{found.low:.3f} to {found.high:.3f}], goal {goal}: {met}"


def share(right: Array, seed: int = 1) -> Interval:
    """Return a share with its interval from drawing people again."""
    rng = np.random.default_rng(seed)
    drawn = [right[rng.integers(0, len(right), len(right))].mean() for _ in range(2000)]
    low, high = np.percentile(drawn, [2.5, 97.5])
    return Interval(value=float(right.mean()), low=float(low), high=float(high))


def pneumonia(cases: list[Case], cache: Cache) -> None:
    """Print the official split of PneumoniaMNIST."""
    mine = [case for case in cases if case.dataset == "pneumoniamnist"]
    tested = {case.group for case in mine if case.split == "test"}
    learnt = {case.group for case in mine if case.split == "train"} - tested
    parts = {}
    for split in ("train", "val", "test"):
        known = {"train": tested, "val": learnt | tested, "test": frozenset[str]()}[split]
        chosen = [
            (case, case.label == "pneumonia")
            for case in mine
            if case.split == split and case.group not in known
        ]
        parts[split] = gate_check.rows_of(chosen, cache.of)
        print(f"  {split}: {len(chosen)} images, {int(parts[split].has.sum())} with pneumonia")
    train, val, test = (parts[name] for name in ("train", "val", "test"))
    head = solve(scoring.pile(train.z, train.has, "measured"), Recipe())
    checked = head.score(val.z)
    threshold = float(np.quantile(checked[val.has], ALPHA))
    print(f"  val: AUC {scoring.auc(checked, val.has):.4f}; threshold {threshold:.3f}")
    scores = head.score(test.z)
    print(told("PneumoniaMNIST, AUC", scoring.interval(scores, test.has, test.people), 0.975))
    print(told("PneumoniaMNIST, accuracy", share((scores > threshold) == test.has), 0.91))
    covered(scores, test.has)


def covered(scores: Array, has: Array) -> None:
    """Print coverage by class and the share decided, over halves of people."""
    rng = np.random.default_rng(11)
    rows = []
    for _ in range(SPLITS):
        first = np.zeros(len(scores), bool)
        for side in (True, False):
            places = rng.permutation(np.flatnonzero(has == side))
            first[places[: len(places) // 2]] = True
        known = Calibration.of(scores[first], has[first])
        seen = known.p_seen(scores[~first]) > ALPHA
        not_seen = known.p_not_seen(scores[~first]) > ALPHA
        truth = has[~first]
        rows.append((seen[truth].mean(), not_seen[~truth].mean(), (seen != not_seen).mean()))
    with_it, without, decided = np.mean(rows, axis=0)
    fits = all(0.94 <= one <= 0.97 for one in (with_it, without)) and decided >= 0.85
    print(
        f"coverage at {1 - ALPHA:.0%} over {SPLITS} splits: {with_it:.3f} with, {without:.3f} "
        f"without, {decided:.3f} decided: {'met' if fits else 'not met'}"
    )


def main() -> None:
    """Print all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--cache", type=Path)
    given = parser.parse_args()
    cases, cache = load(given.data), Cache(given.cache)
    other = Cache(given.cache, body.VERSION)
    for name, dataset, label, goal in FOLDED:
        chosen = [(case, case.label == label) for case in cases if case.dataset == dataset]
        rows = gate_check.rows_of(chosen, other.of)
        scores = scoring.cross(rows.z, rows.has, rows.people)
        print(told(f"{name}, AUC", scoring.interval(scores, rows.has, rows.people), goal))
    pneumonia(cases, cache)
    cache.save()
    other.save()


if __name__ == "__main__":
    main()
