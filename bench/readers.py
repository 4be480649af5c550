"""How long kind and readers take for one image on one core: ``python bench/readers.py``.

Pictures are made here, of the sizes of exports and of plain X-rays; goal: 150 ms an image for kind
and all readers that apply, 60 ms for either version of the features. Processor time counts, of all
threads together: set ``OMP_NUM_THREADS=1``, or matrix threads that wait are counted, too.
"""

import argparse
import time

import cv2
import numpy as np

from safelight.deid import profile
from safelight.deid.engine import Engine
from safelight.deid.pseudonyms import ProjectKey
from safelight.readers import body, features
from safelight.readers.kind import what
from safelight.readers.reading import KindAnswer
from safelight.readers.registry import registry
from safelight.readers.view import View
from safelight.types import Deidentified, Kind, Original

GOAL, FEATURES = 150.0, 60.0
SHAPES = ((256, 256), (512, 512), (1024, 1024), (2500, 2048))


def clean(data: bytes) -> Deidentified:
    """Return a picture as it comes to readers."""
    engine = Engine(key=ProjectKey(b"b" * 32), profile=profile.load("share"))
    original = Original(data, kind=Kind.PNG)
    return engine.deidentify(original, engine.subject([engine.survey(original)]), header_only=True)


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=10)
    times = parser.parse_args().times
    cv2.setNumThreads(1)
    held = registry()
    kinds = sorted({reader.kind for reader in held.readers})
    print(f"{len(held.readers)} readers; processor time, median of {times}")
    print("size          grid-1  body-1   kind   readers (most of a kind)   kind and readers")
    for shape in SHAPES:
        rng = np.random.default_rng(1)
        small = rng.integers(0, 255, (12, 12)).astype(np.uint8)
        picture = cv2.resize(small, shape[::-1], interpolation=cv2.INTER_CUBIC)
        item = clean(cv2.imencode(".png", picture)[1].tobytes())
        made: dict[str, list[float]] = {"grid": [], "body": [], "kind": [], "readers": []}
        for _ in range(times):
            view = View.of(item)
            grey = view.picture(0)
            start = time.process_time()
            features.features(grey)
            made["grid"].append(time.process_time() - start)
            start = time.process_time()
            body.features(grey)
            made["body"].append(time.process_time() - start)
            start = time.process_time()
            what(view)
            made["kind"].append(time.process_time() - start)
            worst = 0.0
            for kind in kinds:
                told = KindAnswer(
                    kind=kind, by_header=None, by_pixels=kind, distance=0.5, why="told"
                )
                start = time.process_time()
                names = [one.name for one in held.readers if one.kind is kind]
                held.read(view, told, names=names)
                worst = max(worst, time.process_time() - start)
            made["readers"].append(worst)
        told_ms = {key: 1000 * float(np.median(values)) for key, values in made.items()}
        both = told_ms["kind"] + told_ms["readers"]
        most = max(told_ms["grid"], told_ms["body"])
        fits = "met" if both <= GOAL and most <= FEATURES else "not met"
        print(
            f"{shape[0]:>5} x {shape[1]:<5} {told_ms['grid']:>7.0f} {told_ms['body']:>7.0f} "
            f"{told_ms['kind']:>6.0f} "
            f"{told_ms['readers']:>12.0f} {both:>24.0f} ms, {fits}"
        )


if __name__ == "__main__":
    main()
