"""Has something changed? Sites against each other, now against before, p-values against truth."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from safelight.feedback.board import NOT_GIVEN, Scored
from safelight.readers.reading import Answer

__all__ = ["Alarm", "alarms"]

LEAST: Final = 20  # images on each side, for a test at all
LEVEL: Final = 0.01  # of all tests of one look at one reader together
LEAST_EFFECT: Final = 0.2  # of the largest distance between two distributions, from 0 to 1
RECENT: Final = timedelta(days=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """A test that says that something has changed.

    Attributes:
        kind: ``drift`` or ``calibration``.
        who: The site; empty for now against before and for calibration.
        what: Which test, in words.
        images: On the side it is about.
        others: On the other side; 0 for calibration.
        distance: Largest distance between the distributions (Kolmogorov-Smirnov), 0 to 1.
        p: Its p-value, before it is compared with ``LEVEL`` over the number of tests.
    """

    kind: str
    who: str
    what: str
    images: int
    others: int
    distance: float
    p: float


def alarms(rows: Sequence[Scored], now: datetime) -> list[Alarm]:
    """Return what is alarming about one version of one reader.

    Args:
        rows: Its answers.
        now: The moment; the last 30 days are compared with all before.
    """
    tests = [*_sites(rows), *_times(rows, now), *_calibration(rows)]
    return [one for one in tests if one.p < LEVEL / len(tests) and one.distance >= LEAST_EFFECT]


def _sites(rows: Sequence[Scored]) -> list[Alarm]:
    """Compare the scores of each site with those of all others."""
    sites = sorted({row.site for row in rows} - {NOT_GIVEN})
    found = []
    for site in sites:
        mine = _scores([row for row in rows if row.site == site])
        rest = _scores([row for row in rows if row.site not in (site, NOT_GIVEN)])
        if min(len(mine), len(rest)) >= LEAST:
            found.append(_compared("site against the others", site, mine, rest))
    return found


def _times(rows: Sequence[Scored], now: datetime) -> list[Alarm]:
    recent = _scores([row for row in rows if row.at > now - RECENT])
    before = _scores([row for row in rows if row.at <= now - RECENT])
    if min(len(recent), len(before)) < LEAST:
        return []
    return [_compared("the last 30 days against before", "", recent, before)]


def _scores(rows: Sequence[Scored]) -> list[float]:
    return [row.told.score for row in rows if row.told.score is not None]


def _compared(what: str, who: str, mine: list[float], rest: list[float]) -> Alarm:
    from scipy.stats import ks_2samp  # noqa: PLC0415  # start-up cost

    told = ks_2samp(mine, rest, method="asymp")
    return Alarm(
        kind="drift",
        who=who,
        what=what,
        images=len(mine),
        others=len(rest),
        distance=float(told.statistic),
        p=float(told.pvalue),
    )


def _calibration(rows: Sequence[Scored]) -> list[Alarm]:
    """Test each class's conformal p-values: of those that have it they must not be too small."""
    from scipy.stats import kstest  # noqa: PLC0415  # start-up cost

    found = []
    for truth, name in ((Answer.SEEN, "p_seen"), (Answer.NOT_SEEN, "p_not_seen")):
        given = [getattr(row.told, name) for row in rows if row.truth == truth]
        values = [one for one in given if one is not None]
        if len(values) >= LEAST:
            told = kstest(values, "uniform", alternative="greater", method="asymp")
            found.append(
                Alarm(
                    kind="calibration",
                    who="",
                    what=f"p-values of images confirmed {truth!s}",
                    images=len(values),
                    others=0,
                    distance=float(told.statistic),
                    p=float(told.pvalue),
                )
            )
    return found
