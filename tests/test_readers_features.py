"""Features: whole numbers, the same bits everywhere, for pictures of any size."""

import os
import subprocess
import sys

import numpy as np
import pytest
from numpy.typing import NDArray

from safelight.errors import SettingsError, UnreadableInputError
from safelight.readers import explain, features, filters
from safelight.readers.head import SCALE_BITS, Recipe, solve
from safelight.readers.statistics import Statistics

SAME = """
import hashlib, numpy as np
from safelight.readers import features
from safelight.readers.linear import fixed_version
from safelight.readers.registry import registry
rng = np.random.default_rng(3)
whole = hashlib.sha256()
for shape in ((28, 28), (256, 210), (301, 64)):
    smooth = rng.normal(0, 1, shape).cumsum(axis=0).cumsum(axis=1)
    picture = np.uint8(np.clip(128 + smooth * 40 / smooth.std(), 0, 255))
    z = features.features(picture)
    whole.update(z.tobytes())
    mine = [one for one in registry().readers if one.card.features == fixed_version()]
    assert len(mine) > 2
    for reader in mine:
        whole.update(reader.packed.head.score(z).tobytes())
print(whole.hexdigest())
"""


def picture(seed: int, shape: tuple[int, int] = (90, 70)) -> NDArray[np.uint8]:
    rng = np.random.default_rng(seed)
    smooth = rng.normal(0, 1, shape).cumsum(axis=0).cumsum(axis=1)
    return np.asarray(np.clip(128 + smooth * 40 / (smooth.std() + 1), 0, 255), np.uint8)


def test_threads_and_matrix_kernels_change_no_bit() -> None:
    found = set()
    for threads, kernel in (("1", "Haswell"), ("2", "Prescott"), ("2", "")):
        env = {**os.environ, "OMP_NUM_THREADS": threads, "OPENBLAS_NUM_THREADS": threads}
        if kernel:
            env["OPENBLAS_CORETYPE"] = kernel
        done = subprocess.run(
            [sys.executable, "-c", SAME], env=env, capture_output=True, text=True, check=True
        )
        found.add(done.stdout)
    assert len(found) == 1
    assert len(found.pop().strip()) == 64


@pytest.mark.parametrize("shape", [(1, 1), (1, 700), (700, 1), (2, 3), (128, 128), (1500, 1100)])
def test_pictures_of_any_size_give_features_within_bounds(shape: tuple[int, int]) -> None:
    z = features.features(picture(1, shape))
    assert z.dtype == np.int16
    assert z.shape == (features.matrix().weights.shape[1],)
    assert z.shape[0] <= 1024
    assert int(np.abs(z).max()) <= features.LIMIT


@pytest.mark.parametrize("level", [0, 7, 255])
def test_an_even_picture_has_features_too(level: int) -> None:
    even = np.full((40, 50), level, np.uint8)
    assert (features.features(even) == features.features(even.copy())).all()


def test_what_is_no_picture_is_refused() -> None:
    with pytest.raises(UnreadableInputError):
        features.features(np.zeros((0, 5), np.uint8))
    for wrong in (np.zeros((4, 4)), np.zeros((4, 4, 3), np.uint8), np.zeros(4, np.uint8)):
        with pytest.raises(SettingsError):
            features.features(wrong)  # type: ignore[arg-type]  # wrong on purpose


def test_a_mirrored_picture_gives_the_same_gradients_and_answers() -> None:
    one = picture(4)
    straight, turned = features.raw(one), features.raw(np.ascontiguousarray(one[:, ::-1]))
    kinds = features.kinds()[features.layout().first]
    # Cells of patterns differ in width by a pixel, so those are near, not the same.
    patterns = np.isin(kinds, [1, 2, 4, 5, 7, 8])
    assert (straight[~patterns] == turned[~patterns]).all()
    assert np.abs(straight[patterns].astype(int) - turned[patterns]).mean() < 60


def test_brightness_and_contrast_hardly_matter() -> None:
    one = (picture(6) // 2 + 20).astype(np.uint8)
    brighter = np.clip(one.astype(int) * 3 // 2 + 15, 0, 255).astype(np.uint8)
    straight, changed = features.features(one), features.features(brighter)
    other = features.features(picture(7))
    near = np.abs(straight.astype(int) - changed).mean()
    assert near < 0.4 * np.abs(straight.astype(int) - other).mean()


def test_the_canvas_keeps_means_and_lines() -> None:
    rng = np.random.default_rng(8)
    small = rng.integers(0, 256, (28, 28)).astype(np.uint8)
    assert (filters.canvas(small, 28) == small).all()
    large = rng.integers(0, 256, (512, 256)).astype(np.uint8)
    direct = large.reshape(128, 4, 128, 2).sum(axis=(1, 3))
    assert (filters.canvas(large, 128) == (2 * direct + 8) // 16).all()
    slope = np.tile(np.arange(0, 200, 8, dtype=np.uint8), (25, 1))
    drawn = filters.canvas(slope, 125)
    assert (np.diff(drawn[:, 3:-3], axis=1) >= 1).all()


def test_contributions_add_up_to_the_score() -> None:
    z = np.stack([features.features(picture(seed)) for seed in range(12)])
    names = ["yes" if seed % 2 else "no" for seed in range(12)]
    pile = Statistics.empty(features.VERSION, ("no", "yes"), z.shape[1]).add(z, names)
    head = solve(pile, Recipe(ridge=1.0))
    pulled = explain.pulls(head)
    for seed in (1, 2, 30):
        numbers = features.parts(picture(seed))
        score = float(head.score(features.project(features.folded(numbers)))[0])
        cells, bias = explain.contributions(score, pulled, numbers)
        assert cells.shape == (features.CELLS, features.CELLS)
        assert cells.sum() + bias == pytest.approx(score, abs=1e-9)
        # The rest is the head's bias and rounding alone: the same but for rounding everywhere.
        average = float(head.exact(features.project(features.matrix().centre))[0, 0])
        assert bias == pytest.approx(average / (1 << SCALE_BITS), abs=0.15 * (1 + abs(score)))


def test_painting_over_what_matters_lowers_the_score() -> None:
    rng = np.random.default_rng(9)
    rows, names = [], []
    for number in range(24):
        made = rng.integers(90, 110, (64, 64)).astype(np.uint8)
        if number % 2:
            made[4:14, 4:60:3] = 200  # a comb at the top left and right
        rows.append(made)
        names.append("yes" if number % 2 else "no")
    z = np.stack([features.features(one) for one in rows])
    pile = Statistics.empty(features.VERSION, ("no", "yes"), z.shape[1]).add(z, names)
    fall = explain.reread(solve(pile, Recipe(ridge=1.0)), rows[1])
    assert fall[0].mean() > fall[1:].mean()
    assert fall[0].mean() > 0
