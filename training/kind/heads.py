"""Middles and thresholds of each kind, from places of pictures; one seed, one result."""

from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from safelight.readers.kind.pixels import WHITE_SHIFT, PixelReader
from safelight.readers.reading import ViewKind

__all__ = ["FAR", "FARS", "LEAD", "LEADS", "UNIT", "Learned", "reader_of"]

Array = NDArray[Any]

# Chosen by training.kind.choose, on fold A and on further sources and kinds left out in turn.
FAR = 1.25  # of the squared distance that accepts 95 % of a kind's pictures and variations
FARS = {ViewKind.HEAD_CT: 0.7, ViewKind.SPINE_MR: 1.0}
LEAD = 20.0  # how much nearer a kind must be than the next, in half squared standard deviations
LEADS = {
    ViewKind.LIMB_XRAY: 10.0,
    ViewKind.HEAD_CT: 16.0,
    ViewKind.BODY_CT: 18.0,
    ViewKind.HEAD_MR: 25.0,
    ViewKind.SPINE_MR: 18.0,
    ViewKind.PHOTO: 10.0,
}
TOLD = 8.0  # the same at most, where a header already names kinds
MIDDLES = 10  # of a kind at most: each holds pictures enough
FALSE = 4  # middles of what resembles a kind and is none
SIZE = 128  # dimensions that are kept
_SHRINK: Final = 0.2
_QUANTILE: Final = 0.95
_ROUNDS: Final = 12  # until pictures stay with their middle, nearly
_ENOUGH: Final = 40  # pictures and variations
UNIT: Final = 32  # of the whitened space: so many steps are one standard deviation


@dataclass(frozen=True, slots=True, kw_only=True)
class Learned:
    """Places to learn from.

    Attributes:
        places: int64, shape (n, PLACE).
        kinds: Of each; None is none of the kinds.
        sources: Of each.
        altered: int64, shape (m, PLACE): of pictures that resemble a kind and are none.
        unlike: The kind that each of those resembles.
    """

    places: Array
    kinds: list[ViewKind | None]
    sources: list[str]
    altered: Array
    unlike: list[ViewKind]


def reader_of(learned: Learned) -> PixelReader:
    """Return the reader that places give: linear discriminants with a shared, shrunk spread.

    Within a kind, a source counts as the root of its pictures, so that a large one does not speak
    for all; differences between sources of a kind count as spread. Each kind has some middles, and
    "none of them" one for each source of strangers; what resembles one kind alone has some as well.
    """
    order = list(ViewKind)
    kinds = sorted({kind for kind in learned.kinds if kind}, key=order.index)
    numbers = np.array([kinds.index(each) if each else len(kinds) for each in learned.kinds])
    weights = _weights(numbers, np.array(learned.sources))
    places = learned.places.astype(np.float64)
    white = _whitening(places, numbers, weights, len(kinds))
    none = np.zeros(0)
    draft = PixelReader(tuple(kinds), white, np.zeros((0, 0)), none, none, none, none)
    spread = draft.whitened(learned.places)
    middles, owners = _middles(spread, numbers, weights, np.array(learned.sources), len(kinds))
    for kind in dict.fromkeys(learned.unlike):
        mine = np.array([each is kind for each in learned.unlike])
        false = _false(draft.whitened(learned.altered[mine]))
        middles = np.concatenate((middles, false))
        owners = np.append(owners, [len(kinds) + 1 + kinds.index(kind)] * len(false))
    drawn = PixelReader(tuple(kinds), white, middles, owners, none, none, none)
    apart = drawn.apart(spread)
    far, clear = [], []
    for n, kind in enumerate(kinds):
        own = apart[numbers == n, n]
        ordered = np.argsort(own)
        share = np.cumsum(weights[numbers == n][ordered])
        edge = own[ordered][min(np.searchsorted(share, _QUANTILE), len(own) - 1)]
        far.append(int(edge * FARS.get(kind, FAR)))
        clear.append(int(2 * LEADS.get(kind, LEAD) * UNIT**2))
    told = np.minimum(clear, int(2 * TOLD * UNIT**2))
    return replace(drawn, far=np.array(far), clear=np.array(clear), told=told)


def _middles(
    spread: Array, numbers: Array, weights: Array, sources: Array, kinds: int
) -> tuple[Array, Array]:
    """Return middles and whose each is; within a kind by Lloyd's algorithm, from a fixed seed."""
    found, owners = [], []
    for n in range(kinds + 1):
        mine, weight = spread[numbers == n].astype(np.float64), weights[numbers == n]
        if n == kinds:
            homes = np.unique(sources[numbers == n], return_inverse=True)[1]
        else:
            homes = _homes(mine, weight, max(1, min(MIDDLES, len(mine) // _ENOUGH)))
        for home in np.unique(homes):
            inside = homes == home
            found.append((weight[inside, None] * mine[inside]).sum(0) / weight[inside].sum())
            owners.append(n)
    return np.rint(np.stack(found)).astype(np.int64), np.array(owners)


def _false(spread: Array) -> Array:
    """Return middles of what resembles a kind and is none."""
    alike = np.full(len(spread), 1 / len(spread))
    homes = _homes(spread.astype(np.float64), alike, FALSE)
    return np.stack([np.rint(spread[homes == home].mean(0)) for home in np.unique(homes)]).astype(
        np.int64
    )


def _homes(mine: Array, weight: Array, count: int) -> Array:
    """Return which of ``count`` middles each is nearest to, after some rounds."""
    rng = np.random.default_rng(4)
    middles = mine[rng.choice(len(mine), count, replace=False, p=weight / weight.sum())]
    homes = np.zeros(len(mine), np.int64)
    for _ in range(_ROUNDS):
        apart = (middles**2).sum(1) - 2 * mine @ middles.T
        homes = apart.argmin(1)
        for home in np.unique(homes):
            inside = homes == home
            middles[home] = (weight[inside, None] * mine[inside]).sum(0) / weight[inside].sum()
    return np.asarray(homes)


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
    return np.asarray(np.rint(turned * UNIT * (1 << WHITE_SHIFT)), np.int64)
