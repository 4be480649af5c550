"""Examples and thresholds of each kind, from a net in whole numbers; one seed, one result."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from safelight.readers.kind.net import Net
from safelight.readers.kind.pixels import NEIGHBOURS, WHITE_SHIFT, PixelReader
from safelight.readers.kind.shrink import reduced
from safelight.readers.reading import ViewKind
from training.kind.fit import Pool, seen_as
from training.kind.varied import varied

__all__ = ["MARGIN", "QUANTILE", "reader_of"]

Rng = np.random.Generator
Array = NDArray[Any]

# Chosen on fold A, and then left as they are.
QUANTILE = 0.97  # of each kind's calibration pictures that its own thresholds accept
MARGIN = 0.8  # of the distance that would accept so many: what lies further out is not certain
LEAD = 1.5  # of the lead that would
LEADS = {  # drawings are less varied than what is out there; heads look alike in CT and MR
    ViewKind.SCREENSHOT: 6.0,
    ViewKind.FILM_PHOTO: 6.0,
    ViewKind.HEAD_CT: 3.0,
    ViewKind.HEAD_MR: 3.0,
}

_EXAMPLES = 160  # of a kind
_CALIBRATED = 240
_UNIT = 48  # of the whitened space: so many steps are one standard deviation
_SHRINK = 0.1


def reader_of(net: Net, pool: Pool, *, seed: int) -> PixelReader:
    """Return the reader that a net and its training pictures give."""
    rng = np.random.default_rng(seed)
    pool.draw(rng, _EXAMPLES + _CALIBRATED)
    kinds = tuple(pool.kinds)
    near = [_places(net, rng, pool, kind) for kind in kinds]
    white = _whitening([places for places, _owners, _scores in near])
    draft = PixelReader(net, kinds, white, np.zeros((0, 0)), np.zeros(0), np.zeros(0), np.zeros(0))
    examples, owner, far, clear = [], [], [], []
    for number, (places, owners, scores) in enumerate(near):
        spread = draft.whitened(places)
        plain = np.flatnonzero(owners >= 0)  # as they are, not varied
        chosen = plain if len(plain) <= _EXAMPLES else rng.choice(plain, _EXAMPLES, replace=False)
        chosen.sort()
        examples.append(spread[chosen])
        owner += [number] * len(chosen)
        rest = np.setdiff1d(np.arange(len(places)), chosen)
        apart = _apart(spread[rest], np.abs(owners[rest]), spread[chosen], np.abs(owners[chosen]))
        right = scores[rest].argmax(1) == number
        lead = _lead(scores[rest], number)
        far.append(int(np.quantile(apart[right], QUANTILE) * MARGIN**2))
        least = LEADS.get(kinds[number], LEAD)
        clear.append(max(1, int(np.quantile(lead[right], 1 - QUANTILE) * least)))
    return PixelReader(
        net, kinds, white, np.concatenate(examples), np.array(owner),
        np.array(far), np.array(clear),
    )  # fmt: skip


def _places(net: Net, rng: Rng, pool: Pool, kind: ViewKind) -> tuple[Array, Array, Array]:
    """Return places, numbers of the pictures (below 0 for varied ones) and scores of a kind."""
    if kind in pool.drawn:
        found = [(n, picture) for n, picture in enumerate(pool.drawn[kind], 1)]
    else:
        numbers = [
            int(n)
            for each in pool.by_kind[kind].values()
            for n in rng.choice(each, min(len(each), _EXAMPLES + _CALIBRATED), replace=False)
        ]
        found = [(n + 1, pool.pictures[n]) for n in numbers]
    some = [found[int(n)] for n in rng.integers(0, len(found), _CALIBRATED)]
    pictures = [seen_as(reduced(picture)) for _n, picture in found]
    pictures += [seen_as(varied(rng, picture, kind)) for _n, picture in some]
    planes = np.stack(pictures)
    places = np.concatenate([net.embed(planes[n : n + 64]) for n in range(0, len(planes), 64)])
    owners = np.array([n for n, _picture in found] + [-n for n, _picture in some])
    return places, owners, net.scores(places)


def _whitening(places: list[Array]) -> Array:
    """Return what makes the spread within kinds the same in all directions, in whole numbers."""
    size = places[0].shape[1]
    within = np.zeros((size, size))
    for each in places:
        centred = each - each.mean(0)
        within += centred.T @ centred / len(each)
    within /= len(places)
    within += np.eye(size) * np.trace(within) / size * _SHRINK
    values, vectors = np.linalg.eigh(within)
    white = (vectors / np.sqrt(values)) @ vectors.T
    return np.asarray(np.rint(white * _UNIT * (1 << WHITE_SHIFT)), np.int64)


def _apart(places: Array, own: Array, examples: Array, theirs: Array) -> Array:
    """Return squared distances to the third nearest example that is not of the same picture."""
    apart = ((places[:, None, :] - examples[None]) ** 2).sum(2).astype(np.float64)
    apart[own[:, None] == theirs[None]] = np.inf
    return np.asarray(np.partition(apart, NEIGHBOURS - 1, axis=1)[:, NEIGHBOURS - 1])


def _lead(scores: Array, number: int) -> Array:
    return np.asarray(scores[:, number] - np.delete(scores, number, axis=1).max(1))
