"""Measure the lab reader: flags against reports with known truth, ranges upside down, real bundles.

    python scripts/measure_labs.py [--data DIR] [--cases 630] [--seed 8]

``DIR`` holds ``us_core_examples`` (HL7's own) and ``synthea_r4``; without it only the made-up
reports are measured. Ends with 1 if a flag is wrong, a range upside down is missed, or a bundle
fails.
"""

import argparse
import sys
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from corpus.labs import FAULTS, UNSEEN, Case, cases
from corpus.labs.score import Score, score
from safelight.errors import SafelightError
from safelight.readers import labs

INVERTED = {"4544-3", "785-6", "787-2"}  # haematocrit, MCH, MCV in HL7's US Core examples


def read(case: Case) -> list[tuple[str, str, tuple[str, ...]]]:
    """Return what the reader says of each line of a made-up report."""
    report = labs.read(case.data, sex=case.sex, age=case.age)
    return [
        (each.row.analyte, each.flag.value, tuple(reason.value for reason in each.reasons))
        for each in report.results
    ]


def show(told: Score) -> None:
    """Print a table of faults and outcomes."""
    print(f"  {'fault':<26}{'lines':>7}{'right':>7}{'silent':>8}{'wrong':>7}")
    for fault in sorted({fault for fault, _ in told.counts}):
        right, silent, wrong = (told.counts[fault, o] for o in ("right", "silent", "wrong"))
        total = right + silent + wrong
        print(f"  {fault or 'none':<26}{total:>7}{right:>7}{silent:>8}{wrong:>7}")
    for each in told.wrong[:20]:
        print("  wrong:", *each)


def made_up(count: int, seed: int) -> int:
    """Measure made-up reports; return how many flags are wrong."""
    seen = score(cases(count, seed, FAULTS), read)
    lines = sum(seen.counts.values())
    print(f"{count} reports, {lines} lines, seed {seed}: {len(seen.wrong)} wrong flags")
    show(seen)
    unseen = score(cases(count // 3, seed, UNSEEN), read)
    print("faults that may leave no trace on the page, apart:")
    show(unseen)
    return len(seen.wrong)


def upside_down(folder: Path) -> int:
    """Read HL7's examples; return how many of the three inverted ranges were missed."""
    caught: set[str] = set()
    flags: Counter[str] = Counter()
    for path in sorted(folder.glob("observation-*.json")):
        for each in labs.read(path.read_bytes()).results:
            flags[each.flag.value] += 1
            if labs.Reason.RANGE_INVERTED in each.reasons:
                caught.add(each.row.loinc)
    print(f"US Core: {len(caught)} ranges upside down ({', '.join(sorted(caught))}); {dict(flags)}")
    return len(INVERTED ^ caught)


def bundles(folder: Path) -> int:
    """Read Synthea's bundles; return how many failed."""
    failed = 0
    flags: Counter[str] = Counter()
    refused: Counter[str] = Counter()
    paths = sorted(path for path in folder.iterdir() if path.is_file())
    for path in paths:
        try:
            report = labs.read(path.read_bytes())
        except SafelightError as error:
            print("  failed:", error.code)
            failed += 1
            continue
        flags.update(each.flag.value for each in report.results)
        refused.update(each.reason.value for each in report.refusals)
    print(
        f"Synthea: {len(paths) - failed} of {len(paths)} read, {sum(flags.values())} results "
        f"{dict(flags)}, refused {dict(refused)}"
    )
    return failed + (not paths)


def main() -> int:
    """Measure what is there."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--data", type=Path)
    parser.add_argument("--cases", type=int, default=630)
    parser.add_argument("--seed", type=int, default=8)
    told = parser.parse_args()
    problems = made_up(told.cases, told.seed)
    if told.data:
        problems += upside_down(told.data / "us_core_examples")
        problems += bundles(told.data / "synthea_r4")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
