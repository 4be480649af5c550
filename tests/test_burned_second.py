"""The second network: what only the first takes for writing and nobody can read is left alone."""

import cv2
import numpy as np
import pytest

from safelight.deid.burned.look import Eyes
from safelight.deid.burned.strip import Strip


@pytest.fixture(scope="module")
def eyes() -> Eyes:
    return Eyes()


def test_the_second_network_is_another(eyes: Eyes) -> None:
    grey = np.full((96, 256), 40, np.uint8)
    cv2.putText(grey, "DOE^JANE", (20, 60), cv2.FONT_HERSHEY_SIMPLEX, 1.2, 200, 2)
    first, second = eyes.segments.probability(grey), eyes.second.probability(grey)
    assert not np.array_equal(first, second)
    assert min(float(first.max()), float(second.max())) > 0.9


def test_writing_is_not_denied_and_bare_ground_is(eyes: Eyes) -> None:
    grey = np.random.default_rng(2).normal(60, 3, (300, 400)).clip(0, 255).astype(np.uint8)
    cv2.putText(grey, "DOE^JANE 1961", (40, 80), cv2.FONT_HERSHEY_SIMPLEX, 1.0, 200, 2)
    written = Strip(x=150, y=70, length=230, height=28)
    assert not eyes.denied(grey, written)
    assert eyes.denied(grey, Strip(x=200, y=220, length=230, height=28))


@pytest.mark.parametrize("at", [(5, 5), (395, 295), (200, -4)])
def test_a_line_at_the_border_is_judged_too(eyes: Eyes, at: tuple[int, int]) -> None:
    grey = np.full((300, 400), 30, np.uint8)
    assert eyes.denied(grey, Strip(x=at[0], y=at[1], length=40, height=14))
