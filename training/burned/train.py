"""Train the segmenter on made crops and export it as ONNX; one thread, one seed, one result."""

import argparse
import copy
import math
import time
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from safelight.deid.burned.segment import planes
from training.burned.net import TextNet

__all__ = ["Crops", "export", "loss_of", "train"]

Rng = np.random.Generator


@dataclass(frozen=True, slots=True, kw_only=True)
class Crops:
    """A folder that ``crops.make`` fills, and the share of each batch drawn from it."""

    folder: Path
    share: float
    grey: NDArray[np.uint8]
    target: NDArray[np.uint8]

    @classmethod
    def open(cls, given: str) -> "Crops":
        """Return the crops of ``FOLDER`` or ``FOLDER:SHARE``."""
        name, _, share = given.partition(":")
        folder = Path(name)
        grey, target = (np.load(folder / f"{n}.npy", mmap_mode="r") for n in ("grey", "target"))
        return cls(folder=folder, share=float(share or 1), grey=grey, target=target)

    def ready(self) -> int:
        """Return how many crops are made so far."""
        return int((self.folder / "made.txt").read_text())


def _varied(
    rng: Rng, grey: NDArray[np.uint8], target: NDArray[np.uint8]
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Return a crop as it might also have been: turned, mirrored, inverted, another tone."""
    quarter = int(rng.integers(4)) if rng.random() < 0.5 else 0
    grey, target = np.rot90(grey, quarter), np.rot90(target, quarter)
    if rng.random() < 0.3:
        grey, target = grey[:, ::-1], target[:, ::-1]
    if rng.random() < 0.35:
        grey = 255 - grey
    kind = rng.random()
    if kind < 0.35:
        tone = np.arange(256) / 255.0
        tone = tone ** np.exp(rng.uniform(-0.7, 0.7))
        tone = tone * rng.uniform(0.5, 1.25) + rng.uniform(-0.1, 0.2)
        grey = (tone * 255).clip(0, 255).round().astype(np.uint8)[grey]
    elif kind < 0.5:
        noise = rng.normal(0, rng.uniform(0.5, 5), grey.shape)
        grey = (grey + noise).clip(0, 255).astype(np.uint8)
    return np.ascontiguousarray(grey), np.ascontiguousarray(target)


def batch(rng: Rng, sources: list[Crops], count: int) -> tuple[Tensor, Tensor]:
    """Return planes (n, 2, s, s) and targets (n, s, s) of varied crops."""
    shares = np.array([source.share for source in sources])
    fed, wanted = [], []
    for _ in range(count):
        source = sources[rng.choice(len(sources), p=shares / shares.sum())]
        i = int(rng.integers(source.ready()))
        grey, target = _varied(rng, source.grey[i], source.target[i])
        fed.append(planes(grey))
        wanted.append(target)
    return torch.from_numpy(np.stack(fed)), torch.from_numpy(np.stack(wanted))


def loss_of(logits: Tensor, target: Tensor) -> Tensor:
    """Return weighted cross entropy and half a Dice term, outside what is ignored.

    No focal weight: the hardest pixels of made crops are letters that no one could see, and a
    weight on them is a weight on noise.
    """
    wanted, counts = (target == 1).float(), (target != 255).float()
    entropy = functional.binary_cross_entropy_with_logits(logits, wanted, reduction="none")
    weight = counts * torch.where(wanted > 0, 2.0, 1.0)
    # Most pixels are even ground; they hardly count in the mean.
    worth = (weight * entropy).sum() / (counts * (wanted + 0.1)).sum()
    chance = torch.sigmoid(logits)
    both = (chance * wanted * counts).sum()
    dice = 1 - (2 * both + 1) / ((chance * counts).sum() + (wanted * counts).sum() + 1)
    return worth + 0.5 * dice


def _rate(step: int, steps: int, peak: float) -> float:
    """Return one cycle's learning rate: up over a tenth, down by a cosine."""
    warm = max(1, steps // 10)
    if step < warm:
        return peak * (0.05 + 0.95 * step / warm)
    fall = 0.5 * (1 + math.cos(math.pi * (step - warm) / (steps - warm)))
    return peak * (0.002 + 0.998 * fall)


def train(
    sources: list[Crops], *, steps: int, seed: int, start: Path | None, out: Path, peak: float
) -> TextNet:
    """Return the averaged weights after ``steps`` batches of 8; saves them on the way."""
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    net = TextNet()
    if start is not None:
        net.load_state_dict(torch.load(start, weights_only=True))
    net = net.to(memory_format=torch.channels_last)
    mean: TextNet = copy.deepcopy(net)
    by = torch.optim.AdamW(net.parameters(), lr=peak, weight_decay=0.01)
    began, sofar = time.monotonic(), 0.0
    for step in range(steps):
        for group in by.param_groups:
            group["lr"] = _rate(step, steps, peak)
        fed, wanted = batch(rng, sources, 8)
        net.train()
        by.zero_grad(set_to_none=True)
        logits = net(fed.contiguous(memory_format=torch.channels_last))
        loss = loss_of(logits[:, 0], wanted)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 5.0)
        by.step()
        keep = min(0.998, (1 + step) / (10 + step))
        with torch.no_grad():
            for slow, fast in zip(
                mean.state_dict().values(), net.state_dict().values(), strict=True
            ):
                slow.copy_(fast if not slow.is_floating_point() else torch.lerp(fast, slow, keep))
        sofar = 0.98 * sofar + 0.02 * loss.item() if step else loss.item()
        if step % 100 == 99 or step == steps - 1:
            print(f"{step + 1}/{steps} {sofar:.4f} {time.monotonic() - began:.0f} s", flush=True)
        if step % 500 == 499 or step == steps - 1:
            torch.save(mean.state_dict(), out.with_suffix(".pt"))
    return mean


def export(net: TextNet, out: Path) -> None:
    """Write the network as ONNX: ``planes`` (1, 2, rows, columns) to ``logits``."""
    net = net.eval().to(memory_format=torch.contiguous_format)
    free = {2: "rows", 3: "columns"}
    torch.onnx.export(
        net,
        (torch.zeros(1, 2, 64, 64),),
        str(out),
        input_names=["planes"],
        output_names=["logits"],
        dynamic_axes={"planes": free, "logits": free},
        opset_version=17,
        dynamo=False,
    )


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path, help="the ONNX file; weights stand beside it as .pt")
    parser.add_argument("crops", nargs="*", help="FOLDER or FOLDER:SHARE")
    parser.add_argument("--steps", type=int, default=14000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--start", type=Path, help="weights to go on from")
    parser.add_argument("--peak", type=float, default=3e-3)
    given = parser.parse_args()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    if given.steps:
        net = train(
            [Crops.open(one) for one in given.crops],
            steps=given.steps,
            seed=given.seed,
            start=given.start,
            out=given.out,
            peak=given.peak,
        )
    else:
        net = TextNet()
        net.load_state_dict(torch.load(given.start, weights_only=True))
    export(net, given.out)


if __name__ == "__main__":
    main()
