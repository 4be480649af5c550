"""The segmenter's network: writing or not, at each pixel."""

from typing import cast

import torch
from torch import Tensor, nn

__all__ = ["TextNet"]


def _conv(inner: int, outer: int, stride: int = 1, spread: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inner, outer, 3, stride, spread, dilation=spread, bias=False),
        nn.BatchNorm2d(outer),
        nn.ReLU(inplace=True),
    )


class TextNet(nn.Module):  # type: ignore[misc]  # torch is not in the project's environment
    """Four stages of 3 x 3 convolutions with top-down additions back to half resolution.

    Input: (n, 2, rows, columns) as ``segment.planes`` gives it, sides a multiple of 16.
    Output: logits of the same rows and columns, (n, 1, rows, columns).
    """

    def __init__(self, widths: tuple[int, int, int, int] = (16, 32, 64, 64)) -> None:
        super().__init__()
        a, b, c, d = widths
        self.first = nn.Sequential(
            nn.Conv2d(2, a, 6, 2, 2, bias=False), nn.BatchNorm2d(a), nn.ReLU(inplace=True)
        )
        self.quarter = nn.Sequential(_conv(a, b, 2), _conv(b, b))
        self.eighth = nn.Sequential(_conv(b, c, 2), _conv(c, c), _conv(c, c, 1, 2))
        self.sixteenth = nn.Sequential(_conv(c, d, 2), _conv(d, d), _conv(d, d, 1, 2))
        self.from_sixteenth = nn.Conv2d(d, c, 1)
        self.from_eighth = nn.Conv2d(c, b, 1)
        self.from_quarter = nn.Conv2d(b, a, 1)
        self.join_quarter = _conv(b, b)
        self.head = nn.Conv2d(a, 4, 3, padding=1)
        self.up = nn.Upsample(scale_factor=2, mode="nearest")
        self.unfold = nn.PixelShuffle(2)
        nn.init.constant_(cast("Tensor", self.head.bias), -3.0)

    def forward(self, planes: Tensor) -> Tensor:
        """Return the logits."""
        half = self.first(planes)
        quarter = self.quarter(half)
        eighth = self.eighth(quarter)
        sixteenth = self.sixteenth(eighth)
        eighth = torch.relu(eighth + self.up(self.from_sixteenth(sixteenth)))
        quarter = self.join_quarter(quarter + self.up(self.from_eighth(eighth)))
        half = torch.relu(half + self.up(self.from_quarter(quarter)))
        return cast("Tensor", self.unfold(self.head(half)))
