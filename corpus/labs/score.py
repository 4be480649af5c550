"""Score a lab reader's flags against the truth: right, silent, or wrong."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from corpus.labs import Case

__all__ = ["Score", "score"]

# What a flag says about the true place of a result.
_SAYS = {
    "low": {"low"},
    "critical-low": {"low"},
    "high": {"high"},
    "critical-high": {"high"},
    "within": {"within"},
    "not-low": {"within", "high"},
    "not-high": {"within", "low"},
}


@dataclass(slots=True)
class Score:
    """Counts of lines by fault and outcome, and each wrong one."""

    counts: Counter[tuple[str, str]] = field(default_factory=Counter)
    wrong: list[tuple[int, str, str, str, str, str]] = field(default_factory=list)
    reasons: Counter[tuple[str, str]] = field(default_factory=Counter)


def score(
    every: Iterable[Case],
    read: Callable[[Case], list[tuple[str, str, tuple[str, ...]]]],
) -> Score:
    """Return the score of a reader.

    Args:
        every: Reports with their truth.
        read: Gives (test, flag, reasons) for each line that it read; lines it refused are left out.
    """
    out = Score()
    for case in every:
        said = {key: (flag, reasons) for key, flag, reasons in read(case)}
        for line in case.lines:
            flag, reasons = said.get(line.key, ("refused", ()))
            if flag not in _SAYS:
                outcome = "silent"
                for reason in reasons or (flag,):
                    out.reasons[line.fault, reason] += 1
            elif line.flag in _SAYS[flag]:
                outcome = "right"
            else:
                outcome = "wrong"
                out.wrong.append(
                    (
                        case.number,
                        case.form,
                        line.fault,
                        line.key,
                        line.value,
                        f"{line.flag}/{flag}",
                    )
                )
            out.counts[line.fault, outcome] += 1
    return out
