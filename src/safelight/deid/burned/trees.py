"""Boosted decision trees: many short questions, whose answers are added up."""

from collections.abc import Mapping, Sequence
from importlib import resources
from io import BytesIO
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Trees"]


class Trees:
    """Trees as flat arrays with one item a node, as ``training.burned.weigh`` writes them.

    Args:
        arrays: ``start``, the score before any tree; ``roots``, the first node of each tree; and of
            each node ``fact``, which fact it asks for; ``most``, up to which that fact goes
            ``left`` and else ``right`` (a leaf leads to itself); ``value``, what a leaf adds.
    """

    def __init__(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        self._start = float(arrays["start"])
        self._roots, self._fact = arrays["roots"], arrays["fact"]
        self._most, self._value = arrays["most"], arrays["value"]
        self._left, self._right = arrays["left"], arrays["right"]

    @classmethod
    def load(cls, name: str) -> "Trees":
        """Return trees of the package.

        Args:
            name: Which file of its data.
        """
        held = resources.files("safelight.deid.burned").joinpath("data", name).read_bytes()
        with np.load(BytesIO(held), allow_pickle=False) as arrays:
            return cls(dict(arrays))

    def score(self, facts: Sequence[float]) -> float:
        """Return the sum over all trees, a logit.

        Args:
            facts: In the order they were grown on.
        """
        values = np.asarray(facts, np.float64)
        at = self._roots
        while True:
            down = np.where(
                values[self._fact[at]] <= self._most[at], self._left[at], self._right[at]
            )
            if (down == at).all():
                return self._start + float(self._value[at].sum())
            at = down
