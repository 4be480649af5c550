"""Is a new site like the one a reader was calibrated on? Forty images tell; one image does not.

Scores of single images do not notice another source (1 % of them looked odd where the reader was
useless). A head that learns to tell the site's images from the reference images does: near 0.5 it
cannot, near 1 it can. A site counts as validated for a reader only when it is alike *and* labelled
local cases show that the reader works there.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from safelight.errors import SettingsError
from safelight.readers import scoring
from safelight.readers.card import Interval
from safelight.readers.gate import MARGIN
from safelight.readers.head import Recipe

__all__ = ["FEWEST", "LABELLED", "Comparison", "SiteStatus", "compare", "judge_site"]

FEWEST: Final = 40  # images of the new site
LABELLED: Final = 20  # local people with, and without, the finding
ALIKE: Final = 0.65  # the two-sample score's interval must reach below this
STRENGTH: Final = 1.0  # few rows, many features: a firm ridge, fixed

Array = NDArray[Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """How far a site's images can be told from the reference images.

    Attributes:
        auc: 0.5 when they cannot; by people.
        images: Of the site.
        alike: Whether they count as alike.
    """

    auc: Interval
    images: int
    alike: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteStatus:
    """For which readers a site is validated.

    Attributes:
        name: Of the site.
        validated: Names of readers.
        reasons: Why others are not: name of a reader → sentence.
    """

    name: str = ""
    validated: frozenset[str] = frozenset()
    reasons: dict[str, str] = field(default_factory=dict)

    def why_not(self, reader: str) -> str:
        """Return why a reader's answers are not for people at this site; empty when they are."""
        if reader in self.validated:
            return ""
        return self.reasons.get(
            reader, "this reader was not tested on images of this site with known answers"
        )


def compare(reference: Array, local: Array, people: Sequence[str]) -> Comparison:
    """Return how far a site's images can be told from the reference images.

    Args:
        reference: Features of reference images, one a person, shape (m, d).
        local: Features of the site's images, shape (n, d).
        people: Code of each local image's person.

    Raises:
        SettingsError: When there are fewer than forty people's images.
    """
    if len(set(people)) < FEWEST or len(people) != len(local):
        raise SettingsError(f"the site test needs images of {FEWEST} people")
    rows = np.concatenate([reference, local])
    there = np.arange(len(rows)) >= len(reference)
    named = [f"reference {number}" for number in range(len(reference))]
    named += [f"local {person}" for person in people]
    scores = scoring.cross(rows, there, named, Recipe(name="site", ridge=STRENGTH))
    found = scoring.interval(scores, there, named)
    return Comparison(auc=found, images=len(local), alike=found.low < ALIKE)


def judge_site(
    comparison: Comparison, scores: Array, has: Array, people: Sequence[str]
) -> tuple[bool, str]:
    """Return whether a site is validated for a reader, and else why not.

    Args:
        comparison: Of its images with the reference.
        scores: Of the reader on local cases with known answers.
        has: The answers.
        people: Code of each case's person.
    """
    truth = np.asarray(has, dtype=bool)
    with_it = len({p for p, one in zip(people, truth, strict=True) if one})
    without = len({p for p, one in zip(people, truth, strict=True) if not one})
    if not comparison.alike:
        return False, (
            "this site's images differ from those the reader was calibrated on "
            f"(they can be told apart with AUC {comparison.auc.value:.2f})"
        )
    if min(with_it, without) < LABELLED:
        return False, (
            f"{LABELLED} local people with and {LABELLED} without the finding are needed; there "
            f"are {with_it} and {without}"
        )
    found = scoring.interval(scores, truth, people)
    if found.low <= 0.5 + MARGIN:
        return False, (
            "on this site's own cases it comes near to chance: AUC "
            f"{found.value:.2f} [{found.low:.2f} to {found.high:.2f}]"
        )
    return True, ""
