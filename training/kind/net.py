"""The small net that is trained, and how it becomes whole numbers."""

from collections.abc import Iterator

import torch
from torch import Tensor, nn

__all__ = ["LAYOUT", "KindNet"]

# channels out, stride; 3 x 3 all of them
LAYOUT = ((16, 2), (32, 2), (32, 1), (64, 2), (64, 1), (96, 2))
EMBEDDING = 96


class KindNet(nn.Module):  # type: ignore[misc]  # torch is not in the project's environment
    """64 x 64 numbers in, a place among pictures and a score for each kind out."""

    def __init__(self, kinds: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        before = 3
        for channels, stride in LAYOUT:
            layers += [
                nn.Conv2d(before, channels, 3, stride, 1, bias=False),
                nn.BatchNorm2d(channels),
                nn.ReLU(),
            ]
            before = channels
        self.body = nn.Sequential(*layers)
        self.place = nn.Linear(before * 4, EMBEDDING)
        self.head = nn.Linear(EMBEDDING, kinds)
        self.drop = nn.Dropout(0.2)

    def embed(self, planes: Tensor) -> Tensor:
        """Return where pictures lie, shape (n, EMBEDDING), none below 0.

        Args:
            planes: Shape (n, 3, 64, 64), -1 to 1.
        """
        found = self.body(planes)
        pooled = nn.functional.avg_pool2d(found, 2).flatten(1)
        return torch.relu(self.place(pooled))

    def forward(self, planes: Tensor) -> Tensor:
        """Return scores, shape (n, kinds)."""
        return self.head(self.drop(self.embed(planes)))

    def folded(self) -> Iterator[tuple[Tensor, Tensor, int]]:
        """Yield weight, bias and stride of each convolution, its normalisation worked in."""
        parts = list(self.body)
        for at in range(0, len(parts), 3):
            conv, norm = parts[at], parts[at + 1]
            scale = norm.weight / torch.sqrt(norm.running_var + norm.eps)
            yield (
                (conv.weight * scale[:, None, None, None]).detach(),
                (norm.bias - norm.running_mean * scale).detach(),
                conv.stride[0],
            )
