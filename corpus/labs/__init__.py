"""Lab reports with known truth: made up, printed in seven formats, damaged, and scored.

Written apart from the reader: it shares no table, no conversion and no code with it. What is true
is decided before anything is printed: the true number against the true range, as decimals.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from corpus.labs import draw, printed
from corpus.labs.draw import FAULTS, UNSEEN, Line

__all__ = ["FAULTS", "FORMATS", "UNSEEN", "Case", "cases"]

FORMATS = tuple(printed.PRINTERS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One report: its bytes, of whom, and its lines."""

    number: int
    form: str
    data: bytes
    sex: str
    age: int
    fault: str
    lines: tuple[Line, ...]


def cases(count: int, seed: int, faults: Sequence[str] = FAULTS) -> Iterator[Case]:
    """Yield reports; formats and faults take turns, so that each pair is met."""
    for number in range(count):
        rng = random.Random(f"{seed} {number}")  # noqa: S311  # made-up numbers, no secret
        form = FORMATS[number % len(FORMATS)]
        fault = faults[(number // len(FORMATS)) % len(faults)]
        sex, age = rng.choice("FM"), rng.randint(20, 80)
        people = draw.drawn(rng)
        panels = rng.sample(draw.PANELS, rng.randint(1, 3))
        lines = [
            draw.line_of(key, people[key], sex, rng, mixed=rng.random() < 0.5)
            for panel in panels
            for key in panel
        ]
        if fault:
            lines = draw.damaged(lines, fault, sex, rng)
        yield Case(
            number=number,
            form=form,
            data=printed.PRINTERS[form](lines, sex, age),
            sex=sex,
            age=age,
            fault=fault,
            lines=tuple(lines),
        )
