"""Random histories of joining and leaving: is what is left as if the leavers had never been?

Each history has heads of two and three classes, of different widths and recipes. People join with
images of any label and weight, leave, and come back. The ledger that lived through it is compared
with one made from those who stayed alone, in another order and other batches: sums, weights,
standardisation, the line of the unusual, calibration, samples of tested and nearest cases, all to
the bit. Exit code 1 when one history differs.

``--digest`` prints one hash over all ledgers and samples: it is the same for any number of threads,
batch size and BLAS kernel (``OPENBLAS_NUM_THREADS``, ``--batch``, ``OPENBLAS_CORETYPE``).
"""

import argparse
import hashlib
import random
import sys
import time
from dataclasses import dataclass, field

import numpy as np

from safelight.learning.contributions import Contribution, examples_of, sums_of
from safelight.learning.derive import Served, derive
from safelight.learning.examples import Base, Examples, role_of
from safelight.readers.head import Recipe
from safelight.readers.statistics import Statistics

SAMPLE = 5  # small, so that samples are refilled when somebody leaves
HEADS = (
    ("two", ("no", "yes"), 6, Recipe(ridge=1.0)),
    ("chosen", ("no", "yes"), 9, Recipe()),
    ("three", ("a", "b", "c"), 7, Recipe(ridge=0.1, equal=False)),
)


@dataclass
class Living:
    """A head as it lives: sums are added and subtracted, samples lose rows and are refilled."""

    name: str
    base: Base
    recipe: Recipe
    sums: Statistics
    tested: Examples
    known: Examples
    there: dict[str, list[Contribution]] = field(default_factory=dict)

    @classmethod
    def new(cls, name: str, classes: tuple[str, ...], width: int, recipe: Recipe) -> "Living":
        """Return a head with a public start."""
        chance = np.random.default_rng(width)
        rows = chance.integers(-2047, 2048, (4 * len(classes), width), dtype=np.int16)
        labels = [classes[one % len(classes)] for one in range(len(rows))]
        nothing = Statistics.empty("histories-1", classes, width)
        ids = [f"public-{one}" for one in range(len(rows))]
        base = Base(
            statistics=nothing.of(rows, labels), examples=Examples.of(ids, ids, labels, rows)
        )
        return cls(name, base, recipe, nothing, Examples.none(width), Examples.none(width))

    def join(self, person: str, some: list[Contribution]) -> None:
        """Take somebody in."""
        self.there[person] = some
        self.sums += sums_of(self.sums, some)
        self._refill(some)

    def leave(self, person: str) -> None:
        """Take somebody off: subtract, drop, and fill samples up from who is left."""
        some = self.there.pop(person)
        self.sums -= sums_of(self.sums, some)
        gone = {one.id for one in some}
        self.tested, self.known = self.tested.without(gone), self.known.without(gone)
        self._refill([one for rest in self.there.values() for one in rest])

    def _refill(self, some: list[Contribution]) -> None:
        width = self.sums.width
        tested = examples_of([one for one in some if one.role == "calibrate"], width)
        known = examples_of([one for one in some if one.role == "learn"], width)
        self.tested = self.tested.with_(tested, SAMPLE)
        self.known = self.known.with_(known, SAMPLE)

    def served(self) -> Served:
        """Return what follows now."""
        return derive(self.base, self.sums, self.tested, self.known, self.recipe)

    def fresh(self, chance: random.Random, batch: int) -> "Living":
        """Return the head as if those who left had never been: made anew, in another order."""
        made = Living(
            self.name,
            self.base,
            self.recipe,
            self.sums - self.sums,
            Examples.none(self.sums.width),
            Examples.none(self.sums.width),
        )
        made.sums = Statistics.empty(self.sums.features, self.sums.classes, self.sums.width)
        everyone = [one for some in self.there.values() for one in some]
        chance.shuffle(everyone)
        for start in range(0, len(everyone), batch):
            some = everyone[start : start + batch]
            made.sums += sums_of(made.sums, some)
            made._refill(some)  # own class
        return made


def images(head: Living, person: str, chance: random.Random) -> list[Contribution]:
    """Return what a person gives to a head."""
    rows = np.random.default_rng(chance.getrandbits(64))
    return [
        Contribution(
            id=f"{chance.getrandbits(128):032x}",
            person=person,
            part="pending",
            role=role_of(head.name, person),
            accounts=("doctor",),
            label=chance.choice(head.sums.classes),
            weight=chance.choice((1, 1, 3, 1024)),
            case="",
            features=rows.integers(-2047, 2048, head.sums.width, dtype=np.int16),
        )
        for _ in range(chance.randint(1, 5))
    ]


def history(seed: int, batch: int) -> tuple[bool, str]:
    """Live through one history; return whether all is as if, and a hash of ledgers and samples."""
    chance = random.Random(seed)  # noqa: S311  # reproducible, not secret
    living = [Living.new(*one) for one in HEADS]
    for step in range(chance.randint(4, 24)):
        for head in living:
            if head.there and chance.random() < 0.45:
                head.leave(chance.choice(sorted(head.there)))
            else:
                person = f"person-{seed}-{step}"
                head.join(person, images(head, person, chance))
    told = hashlib.sha256()
    same = True
    for head in living:
        fresh = head.fresh(chance, batch)
        same &= head.sums.digest() == fresh.sums.digest()
        same &= head.served().to_bytes() == fresh.served().to_bytes()
        for one in (head.sums, head.tested, head.known):
            told.update(one.digest().encode())
    return same, told.hexdigest()


def main() -> int:
    """Run; print how many histories differed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--histories", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--batch", type=int, default=7)
    parser.add_argument("--digest", action="store_true")
    given = parser.parse_args()
    start, different, told = time.perf_counter(), 0, hashlib.sha256()
    for number in range(given.histories):
        same, digest = history(given.seed * 1_000_003 + number, given.batch)
        different += not same
        told.update(digest.encode())
    if given.digest:
        print(told.hexdigest())
    else:
        seconds = time.perf_counter() - start
        heads = given.histories * len(HEADS)
        print(
            f"{given.histories:,} histories of {heads:,} heads, {different} differ; {seconds:.0f} s"
        )
    return int(different > 0)


if __name__ == "__main__":
    sys.exit(main())
