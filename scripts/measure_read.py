"""Read films of which the story is told: chest films with tuberculosis, and mammograms.

    python scripts/measure_read.py --data DIR [--each 40] [--seed 7]

``DIR`` holds ``images`` (folders by data set). Each image goes through ``read`` as a person would
have it read. Ends with 1 if a chest film or a mammogram is taken for something else, or if any
reader answers on a picture of another kind.
"""

import argparse
import random
import sys
import tempfile
from collections import Counter
from pathlib import Path

from safelight.pipeline.readrun import Wanted, run
from safelight.readers.reading import ViewKind
from safelight.readers.registry import registry
from safelight.settings import Settings

FRONTAL, LATERAL = ViewKind.CHEST_XRAY_FRONTAL, ViewKind.CHEST_XRAY_LATERAL
ALLOWED = {
    "tb_qatar": {FRONTAL, LATERAL},
    "tbx11k_tb": {FRONTAL, LATERAL},
    "nih_cxr": {FRONTAL, LATERAL},
    "hannover_cxr": {FRONTAL, LATERAL},
    "mini_mias": {ViewKind.MAMMOGRAM},
}


def main() -> int:
    """Read, count, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--each", type=int, default=40)
    parser.add_argument("--seed", type=int, default=7)
    given = parser.parse_args()
    chance = random.Random(given.seed)  # noqa: S311  # a sample, no secret
    bad = 0
    print(f"{'data set':<14}{'read':>6}{'right':>7}{'not sure':>10}{'wrong':>7}{'answers':>9}")
    for name, allowed in ALLOWED.items():
        folder = given.data / "images" / name
        found = sorted(path for path in folder.iterdir() if path.is_file())
        sample = [str(path) for path in chance.sample(found, min(given.each, len(found)))]
        with tempfile.TemporaryDirectory() as keys:
            settings = Settings(key_file=f"{keys}/key", pixels=False)
            done = run(sample, settings, Wanted(clinician=True))
        counts: Counter[str] = Counter()
        for each in done.outcomes:
            if each.reading is None:
                continue
            kind = each.reading.kind.kind
            counts["read"] += 1
            counts["not sure" if kind is None else "right" if kind in allowed else "wrong"] += 1
            for finding in each.reading.findings:
                counts["answers"] += 1
                bad += registry().named(finding.reader).kind is not kind
        bad += counts["wrong"]
        line = f"{counts['right']:>7}{counts['not sure']:>10}{counts['wrong']:>7}"
        print(f"{name:<14}{counts['read']:>6}{line}{counts['answers']:>9}")
    return int(bool(bad))


if __name__ == "__main__":
    sys.exit(main())
