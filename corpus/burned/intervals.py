"""Intervals of shares: Wilson, Clopper-Pearson, and a bootstrap over images."""

import math
from collections.abc import Sequence

import numpy as np

__all__ = ["Interval", "bootstrap", "clopper_pearson", "wilson"]

Interval = tuple[float, float]
_Z = 1.959963984540054


def wilson(count: int, total: int) -> Interval:
    """Return the 95 % score interval of a share (Wilson 1927); (0, 1) of nothing."""
    if not total:
        return 0.0, 1.0
    share, z2 = count / total, _Z * _Z
    centre = (share + z2 / (2 * total)) / (1 + z2 / total)
    half = _Z * math.sqrt(share * (1 - share) / total + z2 / (4 * total**2)) / (1 + z2 / total)
    return max(0.0, centre - half), min(1.0, centre + half)


def clopper_pearson(count: int, total: int) -> Interval:
    """Return the exact 95 % interval of a share (Clopper and Pearson 1934)."""
    from scipy.stats import beta  # noqa: PLC0415 - a second to import, wanted at the end alone

    if not total:
        return 0.0, 1.0
    low = 0.0 if not count else float(beta.ppf(0.025, count, total - count + 1))
    high = 1.0 if count == total else float(beta.ppf(0.975, count + 1, total - count))
    return low, high


def bootstrap(pairs: Sequence[tuple[int, int]], *, draws: int = 2000, seed: int = 1) -> Interval:
    """Return the 95 % percentile interval of a share when whole images are drawn again.

    Args:
        pairs: (count, total) of each image; images without a total are left out.
        draws: How many sets are drawn.
        seed: The same seed gives the same interval.
    """
    kept = np.array([pair for pair in pairs if pair[1]], np.float64).reshape(-1, 2)
    if not len(kept):
        return 0.0, 1.0
    rng = np.random.default_rng(seed)
    shares = np.empty(draws)
    for at in range(draws):
        drawn = kept[rng.integers(0, len(kept), len(kept))].sum(0)
        shares[at] = drawn[0] / drawn[1]
    low, high = np.percentile(shares, (2.5, 97.5))
    return float(low), float(high)
