"""Noise on the sums: as much as the guarantee needs, and refused where it would destroy a head."""

import math

import dp_accounting
import numpy as np
import pytest
from dp_accounting.pld import PLDAccountant

from learning_fixtures import CLASSES, images
from safelight.errors import NotOfferedError, SettingsError
from safelight.learning.dp import Guarantee, noise_of, noisy, ratio, shortened
from safelight.readers.head import Recipe, solve
from safelight.readers.statistics import Statistics


@pytest.mark.parametrize("epsilon", [0.3, 1.0, 3.0])
@pytest.mark.parametrize("delta", [1e-5, 1e-7])
def test_an_independent_accountant_agrees(epsilon: float, delta: float) -> None:
    accountant = PLDAccountant()
    accountant.compose(dp_accounting.GaussianDpEvent(noise_of(epsilon, delta)))
    found = accountant.get_epsilon(delta)
    assert found == pytest.approx(epsilon, rel=0.01)


def test_nobody_moves_the_scaled_sums_further_than_is_said() -> None:
    guarantee = Guarantee(epsilon=1.0, delta=1e-6, bound=700.0, rows=2)
    rows, _ = images(300, 4)
    short = shortened(rows, guarantee.bound).astype(np.float64)
    upper = np.triu_indices(short.shape[1])
    for one in short[:100]:
        products = np.outer(one, one)[upper] / guarantee.bound**2
        whole = np.concatenate([[1.0], one / guarantee.bound, products])
        assert guarantee.rows * math.sqrt(whole @ whole) <= guarantee.reach
    assert np.abs(short).max() > 0


def test_a_head_survives_where_it_is_offered_and_the_noise_is_there() -> None:
    rows, labels = images(20_000, 5)
    like = Statistics.empty("test-1", CLASSES, rows.shape[1])
    guarantee = Guarantee(epsilon=1.0, delta=1e-6, bound=1200.0)
    made = noisy(like, rows, labels, guarantee)
    again = noisy(like, rows, labels, guarantee)
    assert made.digest() != again.digest()
    held, truth = images(2_000, 6)
    seen = np.array(truth) == CLASSES[1]
    exact = solve(like.of(rows, labels), Recipe(ridge=1.0))
    plain = ((exact.score(held) > 0) == seen).mean()
    private = ((solve(made, Recipe(ridge=1.0)).score(held) > 0) == seen).mean()
    assert private > plain - 0.02


def test_it_is_refused_where_it_would_destroy_the_head() -> None:
    rows, labels = images(200, 5, width=64)
    like = Statistics.empty("test-1", CLASSES, 64)
    guarantee = Guarantee(epsilon=1.0, delta=1e-6, bound=1200.0)
    with pytest.raises(NotOfferedError, match="times what is learnt"):
        noisy(like, rows, labels, guarantee)
    assert ratio(900, 512, Guarantee(epsilon=8.0, delta=1e-6, bound=1.0)) > 1
    for bad in ({"epsilon": 0.0}, {"delta": 1.0}, {"bound": 0.0}, {"rows": 0}):
        with pytest.raises(SettingsError):
            Guarantee(**{"epsilon": 1.0, "delta": 1e-6, "bound": 1.0, "rows": 1} | bad)  # type: ignore[arg-type]  # on purpose
