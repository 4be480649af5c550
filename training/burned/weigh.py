"""Fit the last word (``safelight.deid.burned.last``) on sets that ``corpus burned make`` made.

Every line that cannot be read plainly and that the engines before took for writing, or dismissed
beside text, is a case; it is writing where it covers ink. Prints the weights, and what they keep
and drop on each set when fitted on the others.
"""

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from rich.progress import track
from scipy.optimize import minimize

from corpus.burned import truth
from corpus.burned.show import display
from safelight.deid.burned import last
from safelight.deid.burned.find import Grey
from safelight.deid.burned.look import Eyes
from safelight.deid.burned.sight import Candidate
from safelight.deid.burned.strip import Strip
from safelight.deid.burned.verify import Opinion

__all__ = ["Case", "cases", "fit"]

Floats = NDArray[np.float64]
LEAST_INK = 20  # pixels of identifying ink that make a line count as a string's
RIDGE = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One line: its facts, whether it is writing, whether it identifies, and where it stands."""

    facts: tuple[float, ...]
    writing: bool
    identifying: bool
    clean: bool
    weak: bool
    picture: str


@dataclass(frozen=True, slots=True)
class _Plane:
    grey: Grey
    rgb: Grey | None = None


class _Noting(Eyes):
    """Eyes that note what the last word is asked about; the words themselves change nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[tuple[Strip, tuple[float, ...], bool]] = []

    def _settled(
        self, grey: Grey, opinions: Sequence[Opinion], beside: Sequence[Candidate], least: float
    ) -> list[Candidate]:
        if least == last.LONE:  # not on the sharpened picture
            first = [self._weighed(grey, opinion) for opinion in opinions]
            for place, company in self._open(opinions, first, beside).items():
                one = first[place]
                seen = self._again(grey, one.strip)
                facts = last.facts(opinions[place], seen, company=company)
                self.asked.append((one.strip, tuple(facts), one.weak))
        return super()._settled(grey, opinions, beside, least)


def cases(folder: Path) -> Iterator[Case]:
    """Yield the cases of a set, from the first frame of each file."""
    eyes = _Noting()
    for image in track(list(truth.read(folder)), description=folder.name):
        frame = next(display(folder / image.path), None)
        if frame is None:
            continue
        plane = _Plane(frame)
        if frame.ndim == 3:
            plane = _Plane(cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY).astype(np.uint8), frame)
        ink, names = (np.zeros(plane.grey.shape, np.uint8) for _ in range(2))
        for string in image.strings:
            for char in string.chars if not string.frames or 0 in string.frames else ():
                rows, columns = char.ink.shape
                place = np.s_[char.y : char.y + rows, char.x : char.x + columns]
                ink[place] |= char.ink
                names[place] |= char.ink & string.identifying
        eyes.asked.clear()
        eyes.look(plane)
        for strip, facts, weak in eyes.asked:
            left, top, right, bottom = (max(int(side), 0) for side in strip.bounds())
            inside = np.s_[top : bottom + 1, left : right + 1]
            yield Case(
                facts=facts,
                writing=bool(ink[inside].any()),
                identifying=int(names[inside].sum()) > LEAST_INK,
                clean=not image.strings,
                weak=weak,
                picture=f"{folder.name}/{image.path}",
            )


def fit(some: Sequence[Case]) -> Floats:
    """Return the constant and the weights, ridge-penalised on the scale of each fact's spread."""
    values = np.array([case.facts for case in some])
    truths = np.array([case.writing for case in some], float)
    weights = np.array([_importance(case) for case in some])
    mean, spread = values.mean(axis=0), values.std(axis=0) + 1e-6
    design = np.c_[np.ones(len(values)), (values - mean) / spread]

    def loss(chosen: Floats) -> tuple[float, Floats]:
        logits = design @ chosen
        error = 1 / (1 + np.exp(-logits)) - truths
        slope = design.T @ (weights * error) + 2 * RIDGE * np.r_[0, chosen[1:]]
        cost = (weights * (np.logaddexp(0, logits) - truths * logits)).sum()
        return float(cost + RIDGE * (chosen[1:] ** 2).sum()), slope

    chosen = minimize(loss, np.zeros(design.shape[1]), jac=True, method="L-BFGS-B").x
    plain = chosen[1:] / spread
    return np.asarray(np.r_[chosen[0] - (mean * plain).sum(), plain], np.float64)


def _importance(case: Case) -> float:
    """Return how much a case counts: a name missed and a clean picture touched cost most."""
    if case.weak and case.writing:
        return 0.5
    return (3.0 if case.identifying else 1.0) * (3.0 if case.clean else 1.0)


def _table(some: Sequence[Case], words: Floats) -> None:
    known = [(case, float(value)) for case, value in zip(some, words, strict=True)]
    strong = [(case, value) for case, value in known if not case.weak]
    names = [value for case, value in strong if case.identifying]
    clean = [(case.picture, value) for case, value in strong if case.clean and not case.writing]
    weak = [(case.writing, value) for case, value in known if case.weak]
    for least in (-4.0, -3.0, -2.0, -1.0, 0.0):
        print(
            f"from {least:4.1f}: lost {sum(v < least for v in names)} of {len(names)} names;",
            f"clean pictures touched {len({p for p, v in clean if v >= least})}",
            f"of {len({p for p, _ in clean})};",
            f"taken back {sum(w and v >= least for w, v in weak)} of {sum(w for w, _ in weak)},",
            f"with {sum(not w and v >= least for w, v in weak)} that are none",
        )


def main() -> None:
    """Fit on the sets named."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sets", type=Path, nargs="+", help="folders of corpus burned make")
    named = parser.parse_args().sets
    found = [(folder, case) for folder in named for case in cases(folder)]
    words = np.zeros(len(found))
    for folder in named if len(named) > 1 else ():
        rest = fit([case for where, case in found if where != folder])
        for place, (where, case) in enumerate(found):
            if where == folder:
                words[place] = rest[0] + rest[1:] @ np.array(case.facts)
    everything = [case for _, case in found]
    print(f"{len(everything)} lines of {len({case.picture for case in everything})} pictures")
    if len(named) > 1:
        print("each set by weights of the others:")
        _table(everything, words)
    print("weights:", ", ".join(f"{weight:.2f}" for weight in fit(everything)))


if __name__ == "__main__":
    main()
