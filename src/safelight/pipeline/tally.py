"""Counts for the report: they add up over workers and stay small whatever the number of inputs."""

import functools
import json
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from typing import Final

from safelight.pipeline.problem import Problem
from safelight.types import Kind, Status

__all__ = ["Tally"]

_NOTES: Final = re.compile(rb'"notes":(\[.*?\]),"actions":')
_NO_NOTES: Final = b'"notes":[]'
_INDEX: Final = re.compile(rb"\[\d+\]")


@dataclass(slots=True)
class Tally:
    """What happened to some inputs, counted.

    Attributes:
        ends: Inputs by (kind, status).
        acts: Inputs by what was done at one place (``Deidentified.acts``).
        reasons: Inputs by (status, reason, what) for review and quarantine.
        notes: Inputs by note.
        written: Bytes of all outputs.
        skipped: Inputs that an earlier run had done.
    """

    ends: Counter[tuple[str, str]] = field(default_factory=Counter)
    acts: Counter[str] = field(default_factory=Counter)
    reasons: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    notes: Counter[str] = field(default_factory=Counter)
    written: int = 0
    skipped: int = 0

    def add(self, other: "Tally") -> None:
        """Add the counts of other inputs."""
        for item in fields(self):
            mine, theirs = getattr(self, item.name), getattr(other, item.name)
            if isinstance(mine, Counter):
                mine.update(theirs)
            else:
                setattr(self, item.name, mine + theirs)

    def done(self, kind: Kind, acts: Sequence[str], size: int, told: bytes = b"") -> None:
        """Count one input whose output was written; ``told`` is or holds its manifest object."""
        self.ends[kind.value, Status.DONE.value] += 1
        self.written += size
        self.acts.update(acts)
        if told and _NO_NOTES not in told and (notes := _NOTES.search(told)):
            self.notes.update(json.loads(notes.group(1)))

    def again(self, kind: Kind, line: bytes, size: int) -> None:
        """Count one input that an earlier run has done, from its line in the manifest."""
        told = _action().findall(_INDEX.sub(b"", line))
        self.done(kind, [b"\t".join(act).decode() for act in told], size, line)
        self.skipped += 1

    def by_place(self) -> Counter[tuple[str, str, str]]:
        """Return the acts one by one, counted by (place, rule, action)."""
        single: Counter[tuple[str, str, str]] = Counter()
        for act, count in self.acts.items():
            for told in filter(None, act.split("\n")):
                place, rule, action = told.split("\t")
                single[place, rule, action] += count
        return single

    def refused(self, problem: Problem) -> None:
        """Count one input that waits for review or lies in quarantine."""
        status = problem.status.value
        self.ends[problem.kind.value, status] += 1
        self.reasons[status, problem.reason, problem.what] += 1

    def count(self, status: Status) -> int:
        """Return how many inputs ended so."""
        return sum(n for (_, ended), n in self.ends.items() if ended == status.value)


@functools.cache
def _action() -> re.Pattern[bytes]:
    """Return what reads one action of a line of an earlier run."""
    return re.compile(rb'\["((?:[^"\\]|\\.)*)","((?:[^"\\]|\\.)*)","([a-z-]*)","[0-9a-f]*"\]')
