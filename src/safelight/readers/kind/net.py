"""The kind reader's small net, in whole numbers: the same bits on every machine.

Weights are int8 and activations 0 to 127, so that every sum is a whole number below 2**24: a
matrix product in floating point gives it exactly, in whatever order it adds. Between layers a
fixed-point factor scales back (64-bit integers).
"""

from dataclasses import dataclass
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray

__all__ = ["SHIFT", "TOP", "Layer", "Net"]

Array = NDArray[Any]

TOP: Final = 127  # highest activation
SHIFT: Final = 24  # of the fixed-point factors
_HALF: Final = 1 << (SHIFT - 1)
_KERNEL: Final = 3


@dataclass(frozen=True, slots=True, eq=False)
class Layer:
    """One layer.

    Attributes:
        weight: int8, shape (out, in, 3, 3) of a convolution, (out, in) of a whole connection.
        bias: int64, shape (out,), in units of the sums.
        factor: int64, shape (out,): sums times this, shifted right by ``SHIFT``, are activations.
        stride: Of a convolution; 0 for a whole connection.
    """

    weight: Array
    bias: Array
    factor: Array
    stride: int

    def run(self, given: Array) -> Array:
        """Return activations, 0 to TOP, of (n, in, rows, columns) or (n, in)."""
        if self.stride:
            sums = _convolved(given, self.weight, self.stride)
            shape: tuple[int, ...] = (1, -1, 1, 1)
        else:
            sums = given.astype(np.float64) @ self.weight.T.astype(np.float64)
            shape = (1, -1)
        whole = sums.astype(np.int64) + self.bias.reshape(shape)
        scaled = (whole * self.factor.reshape(shape) + _HALF) >> SHIFT
        return np.asarray(np.clip(scaled, 0, TOP))


def _convolved(given: Array, weight: Array, stride: int) -> Array:
    """Return sums of a 3 x 3 convolution with a margin of one: (n, out, rows, columns)."""
    padded = np.pad(given.astype(np.float32), ((0, 0), (0, 0), (1, 1), (1, 1)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (_KERNEL, _KERNEL), (2, 3))
    windows = windows[:, :, ::stride, ::stride]
    n, channels, rows, columns = windows.shape[:4]
    flat = windows.transpose(0, 2, 3, 1, 4, 5).reshape(n * rows * columns, channels * _KERNEL**2)
    found = flat @ weight.reshape(len(weight), -1).T.astype(np.float32)
    return found.reshape(n, rows, columns, -1).transpose(0, 3, 1, 2)


@dataclass(frozen=True, slots=True, eq=False)
class Net:
    """All layers.

    Attributes:
        body: The convolutions.
        place: From the pooled picture to where it lies among pictures.
        head: int8, shape (kinds + 1, place): weights of the kinds' scores; "none of them" is last.
        head_bias: int64, shape (kinds + 1,).
        unit: What one step of a score is worth, for a softmax.
    """

    body: tuple[Layer, ...]
    place: Layer
    head: Array
    head_bias: Array
    unit: float

    def embed(self, planes: Array) -> NDArray[np.int64]:
        """Return where pictures lie, shape (n, place), 0 to TOP.

        Args:
            planes: Whole numbers from -128 to 127, shape (n, 3, 64, 64).
        """
        found = planes
        for layer in self.body:
            found = layer.run(found)
        n, channels, rows, columns = found.shape
        pooled = found.reshape(n, channels, rows // 2, 2, columns // 2, 2).sum((3, 5))
        return np.asarray(self.place.run(pooled.reshape(n, -1)), np.int64)

    def scores(self, places: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the kinds' scores, shape (n, kinds + 1), in steps of ``unit``."""
        sums = places.astype(np.float64) @ self.head.T.astype(np.float64)
        return np.asarray(sums.astype(np.int64) + self.head_bias, np.int64)

    def to_arrays(self) -> dict[str, Array]:
        """Return all of it as arrays with names."""
        found: dict[str, Array] = {
            "head": self.head, "head_bias": self.head_bias, "unit": np.array(self.unit),
            "strides": np.array([layer.stride for layer in self.body], np.int8),
        }  # fmt: skip
        for n, layer in enumerate((*self.body, self.place)):
            found[f"w{n}"] = layer.weight
            found[f"b{n}"], found[f"f{n}"] = layer.bias, layer.factor
        return found

    @classmethod
    def of_arrays(cls, arrays: Any) -> Self:
        """Return the net that ``to_arrays`` gave."""
        strides = [*(int(each) for each in arrays["strides"]), 0]
        layers = [
            Layer(arrays[f"w{n}"], arrays[f"b{n}"].astype(np.int64),
                  arrays[f"f{n}"].astype(np.int64), stride)
            for n, stride in enumerate(strides)
        ]  # fmt: skip
        return cls(
            tuple(layers[:-1]), layers[-1], arrays["head"],
            arrays["head_bias"].astype(np.int64), float(arrays["unit"]),
        )  # fmt: skip
