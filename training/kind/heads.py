"""Middles and thresholds of each kind, from places of pictures; one seed, one result."""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from safelight.readers.kind.pixels import WHITE_SHIFT, PixelReader
from safelight.readers.reading import ViewKind

__all__ = ["FAR", "LEAD", "LEADS", "Learned", "reader_of"]

Array = NDArray[Any]

# Chosen on fold A, and then left as they are.
FAR = 1.5  # of the squared distance that accepts 95 % of a kind's pictures and variations
LEAD = 15.0  # how much nearer a kind must be than the next, in squared standard deviations
LEADS = {ViewKind.HEAD_CT: 50.0, ViewKind.HEAD_MR: 50.0}  # heads look alike in CT and MR
SIZE = 128  # dimensions that are kept
_SHRINK: Final = 0.2
_QUANTILE: Final = 0.95
_UNIT: Final = 32  # of the whitened space: so many steps are one standard deviation


@dataclass(frozen=True, slots=True, kw_only=True)
class Learned:
    """Places to learn from.

    Attributes:
        places: int64, shape (n, PLACE).
        kinds: Of each; None is none of the kinds.
        sources: Of each.
    """

    places: Array
    kinds: list[ViewKind | None]
    sources: list[str]


def reader_of(learned: Learned) -> PixelReader:
    """Return the reader that places give: linear discriminants with a shared, shrunk spread.

    Within a kind, a source counts as the root of its pictures, so that a large one does not speak
    for all; differences between sources of a kind count as spread.
    """
    order = list(ViewKind)
    kinds = sorted({kind for kind in learned.kinds if kind}, key=order.index)
    numbers = np.array([kinds.index(each) if each else len(kinds) for each in learned.kinds])
    weights = _weights(numbers, np.array(learned.sources))
    places = learned.places.astype(np.float64)
    white = _whitening(places, numbers, weights, len(kinds))
    none = np.zeros(0)
    draft = PixelReader(tuple(kinds), white, np.zeros((0, 0)), none, none, none)
    spread = draft.whitened(learned.places)
    middles = np.stack(
        [(weights[numbers == n, None] * spread[numbers == n]).sum(0) for n in range(len(kinds) + 1)]
    )
    middles = np.rint(middles).astype(np.int64)
    far, clear = [], []
    for n, kind in enumerate(kinds):
        own = ((spread[numbers == n] - middles[n]) ** 2).sum(1)
        ordered = np.argsort(own)
        share = np.cumsum(weights[numbers == n][ordered])
        far.append(int(own[ordered][min(np.searchsorted(share, _QUANTILE), len(own) - 1)] * FAR))
        clear.append(int(2 * LEADS.get(kind, LEAD) * _UNIT**2))
    told = np.full(len(kinds), int(2 * LEAD * _UNIT**2))
    return PixelReader(tuple(kinds), white, middles, np.array(far), np.array(clear), told)


def _weights(numbers: Array, sources: Array) -> Array:
    """Return what each place counts: one for each kind in all."""
    found = np.zeros(len(numbers))
    for kind in np.unique(numbers):
        mine = numbers == kind
        names, counts = np.unique(sources[mine], return_counts=True)
        total = np.sqrt(counts).sum()
        for name, count in zip(names, counts, strict=True):
            found[mine & (sources == name)] = np.sqrt(count) / total / count
    return found


def _whitening(places: Array, numbers: Array, weights: Array, kinds: int) -> Array:
    """Return what makes the spread within kinds the same in all directions, in whole numbers.

    Only the directions in which kinds and pictures differ most are kept.
    """
    within = np.zeros((places.shape[1],) * 2)
    means = []
    for n in range(kinds):
        mine, weight = places[numbers == n], weights[numbers == n]
        means.append((weight[:, None] * mine).sum(0))
        centred = (mine - means[-1]) * np.sqrt(weight[:, None])
        within += centred.T @ centred / kinds
    scale = np.sqrt(np.diag(within) + 1e-6 * np.trace(within) / len(within))
    shared = within / scale / scale[:, None]
    shared = (1 - _SHRINK) * shared + _SHRINK * np.eye(len(shared))
    values, vectors = np.linalg.eigh(shared)
    white = vectors / np.sqrt(values) / scale[:, None]
    return _kept(white, means)


def _kept(white: Array, means: list[Array]) -> Array:
    """Return the directions that hold the kinds' middles first, then those that vary most."""
    middles = np.stack(means) @ white
    middles -= middles.mean(0)
    between = np.linalg.svd(middles, full_matrices=False)[2][: len(means) - 1]
    rest = np.eye(white.shape[1])[:, ::-1]  # eigh: the widest directions come last
    basis = np.linalg.qr(np.hstack((between.T, rest[:, : SIZE - len(between)])))[0]
    turned = white @ basis
    return np.asarray(np.rint(turned * _UNIT * (1 << WHITE_SHIFT)), np.int64)
