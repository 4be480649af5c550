"""A trained net in whole numbers: scales from pictures, weights rounded to eight bits."""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from safelight.readers.kind.net import SHIFT, TOP, Layer, Net
from training.kind.net import KindNet

__all__ = ["in_whole_numbers"]

_INPUT = 1 / 128  # what one step of the input is worth
_SHARE = 0.9995  # of activations that are not cut

Array = NDArray[Any]


def in_whole_numbers(net: KindNet, planes: NDArray[np.int16]) -> Net:
    """Return the net in whole numbers.

    Args:
        net: The trained net, ready to be used.
        planes: Pictures to find scales with, shape (n, 3, 64, 64).
    """
    unit = _INPUT
    layers = []
    with torch.no_grad():
        real = torch.from_numpy(planes).float() * _INPUT
        for weight, bias, stride in net.folded():
            real = torch.relu(torch.nn.functional.conv2d(real, weight, bias, stride, 1))
            layer, unit = _layer(weight, bias, unit, real, stride)
            layers.append(layer)
        pooled = torch.nn.functional.avg_pool2d(real, 2).flatten(1)
        placed = torch.relu(net.place(pooled))
        # four activations are added, not averaged: each is worth a quarter
        place, unit = _layer(net.place.weight, net.place.bias, unit / 4, placed, 0)
        weight, bias = net.head.weight.numpy(), net.head.bias.numpy()
    step = float(np.abs(weight).max()) / TOP
    return Net(
        tuple(layers),
        place,
        np.rint(weight / step).astype(np.int8),
        np.rint(bias / (step * unit)).astype(np.int64),
        step * unit,
    )


def _layer(
    weight: torch.Tensor, bias: torch.Tensor, given: float, real: torch.Tensor, stride: int
) -> tuple[Layer, float]:
    """Return a layer, and what one step of its activations is worth."""
    flat = real.flatten().numpy()
    some = flat[:: max(1, len(flat) // 2_000_000)]
    unit = float(np.quantile(some[some > 0], _SHARE)) / TOP
    weights, biases = weight.detach().numpy(), bias.detach().numpy()
    steps = np.abs(weights.reshape(len(weights), -1)).max(1) / TOP + 1e-12
    shape = (-1, *[1] * (weights.ndim - 1))
    layer = Layer(
        np.rint(weights / steps.reshape(shape)).astype(np.int8),
        np.rint(biases / (steps * given)).astype(np.int64),
        np.rint(steps * given / unit * (1 << SHIFT)).astype(np.int64),
        stride,
    )
    return layer, unit
