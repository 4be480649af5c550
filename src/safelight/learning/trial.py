"""How well a version does on people it was not taught, beside the head's public start."""

from typing import Any

import numpy as np
from scipy import stats

from safelight.errors import SettingsError
from safelight.learning.derive import Served
from safelight.learning.examples import Examples
from safelight.learning.leakage import margins
from safelight.learning.ledgers import HeadOf
from safelight.readers.head import Head, solve
from safelight.readers.statistics import Statistics

__all__ = ["cost", "quality"]


def quality(head: HeadOf, served: Served, tested: Examples) -> dict[str, Any]:
    """Return counts and shares for a card; empty where nobody was tested on.

    Args:
        head: The head.
        served: The version.
        tested: Contributed rows that it was not taught.
    """
    base = head.base.examples
    features = np.concatenate([base.features, tested.features])
    labels = [*base.labels, *tested.labels]
    if not labels:
        return {"rows": 0}
    told: dict[str, Any] = {"rows": len(labels)} | _shares(served.head, features, labels)
    try:
        start = solve(head.base.statistics, head.recipe)
    except SettingsError:  # nothing public in one of the classes
        return told
    return told | {f"start_{name}": one for name, one in _shares(start, features, labels).items()}


def cost(
    head: HeadOf, exact: Statistics, noisy: Statistics, tested: Examples
) -> dict[str, dict[str, str]]:
    """Return how well a head does with the sums themselves, and with noise on them.

    It is for the steward who decides: what is measured on the sums themselves is covered by no
    promise, and goes on no card.

    Args:
        head: The head.
        exact: Sums of what people contributed.
        noisy: The same with noise.
        tested: Rows that neither was taught.
    """
    base = head.base.examples
    features = np.concatenate([base.features, tested.features])
    labels = [*base.labels, *tested.labels]
    if not labels:
        return {}
    told = {}
    for name, sums in (("without", exact), ("with", noisy)):
        made = solve(head.base.statistics + sums, head.recipe)
        told[name] = _shares(made, features, labels)
    return told


def _shares(head: Head, features: Any, labels: list[str]) -> dict[str, str]:
    """Return accuracy, and for two classes the area under the curve, as text."""
    told = {"right": f"{float((margins(head, features, labels) > 0).mean()):.4f}"}
    if len(head.classes) == 2:  # noqa: PLR2004  # an area under the curve is for two
        seen = np.array(labels) == head.classes[1]
        if seen.any() and not seen.all():
            ranks = stats.rankdata(head.score(features))[seen]
            few = int(seen.sum())
            area = (ranks.sum() - few * (few + 1) / 2) / (few * (len(labels) - few))
            told["auc"] = f"{float(area):.4f}"
    return told
