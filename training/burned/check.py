"""Measure the segmenter alone: letters found by factor, and ink claimed where there is none.

A letter is a connected piece of ink of at least 4 pixels; it is found when 95 % of its ink lies in
the map above the threshold, grown by ``--grow`` pixels, at scale 1 joined with ½. Nothing of the
finder (line completion, reading) is counted. Hosts are images that training never saw.
"""

import argparse
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from safelight.deid.burned.segment import Segmenter
from training.burned.compose import Crop, Line, compose
from training.burned.hosts import Host, Hosts, load_real

__all__ = ["clean", "letters", "seen"]

Mask = NDArray[np.uint8]
# Of the datasets kept from training, those that hold hardly any writing of their own.
QUIET = (
    *("brain_mri", "head_ct", "spine_mri", "dental", "limb_xray", "retina", "renal_scint", "ood"),
    *("tbx11k_tb", "busi", "mini_mias", "tb_qatar"),
)


def seen(model: Segmenter, grey: Mask, threshold: float, scales: Sequence[float]) -> Mask:
    """Return 1 where the map is above the threshold at any scale, in pieces that reach 0.6."""
    found = np.max([model.probability(grey, scale) for scale in scales], axis=0)
    low = (found > threshold).astype(np.uint8)
    count, marks, facts, _ = cv2.connectedComponentsWithStats(low, connectivity=8)
    peak = np.zeros(count, np.float32)
    np.maximum.at(peak, marks.ravel(), found.ravel())
    wanted = (peak > 0.6) & (facts[:, cv2.CC_STAT_AREA] >= 8)
    wanted[0] = False
    return np.asarray(wanted[marks], np.uint8)


def _factors(line: Line) -> list[str]:
    height = next(n for n, top in _HEIGHTS if line.height < top)
    contrast = next(n for n, top in _CONTRASTS if line.contrast < top)
    lean = min(line.angle % 90, 90 - line.angle % 90)
    turned = "angle 0" if line.angle == 0 else f"angle {'<15' if lean < 15 else '15-45 off axis'}"
    if lean == 0 and line.angle:
        turned = "angle 90s"
    return [
        "all",
        f"height {height}",
        f"contrast {contrast}",
        turned,
        f"style {line.style}",
        f"script {line.script}",
        f"extra {line.extra}",
        f"font {line.family}",
    ]


_HEIGHTS = (("5-7", 7.0), ("7-10", 10.0), ("10-20", 20.0), ("20-50", 50.0), ("50+", 999.0))
_CONTRASTS = (("<0.06", 0.06), ("0.06-0.12", 0.12), ("0.12-0.3", 0.3), ("0.3+", 2.0))


def letters(crop: Crop, mask: Mask) -> dict[str, list[bool]]:
    """Return by factor whether each letter is found."""
    out: dict[str, list[bool]] = defaultdict(list)
    for index, line in enumerate(crop.lines, start=1):
        ink = ((crop.owner == index) & (crop.target == 1)).astype(np.uint8)
        count, marks, facts, _ = cv2.connectedComponentsWithStats(ink, connectivity=8)
        inside = np.bincount(marks.ravel(), mask.ravel(), count)
        for one in range(1, count):
            area = int(facts[one, cv2.CC_STAT_AREA])
            if area < 4:
                continue
            for factor in _factors(line):
                out[factor].append(bool(inside[one] >= 0.95 * area))
    return out


def clean(
    model: Segmenter, hosts: Sequence[Host], threshold: float, grow: int, enlarge: float
) -> dict[str, list[float]]:
    """Return the masked share of each host by dataset."""
    out: dict[str, list[float]] = defaultdict(list)
    for host in hosts:
        grey = host.grey
        if enlarge != 1:
            grey = cv2.resize(grey, None, fx=enlarge, fy=enlarge, interpolation=cv2.INTER_CUBIC)
        mask = cv2.dilate(seen(model, grey, threshold, (1.0, 0.5)), _disc(grow))
        out[host.dataset].append(float(mask.mean()))
    return out


def _disc(grow: int) -> Mask:
    side = 2 * grow + 1
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side)), np.uint8)


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--model", type=Path, help="an ONNX file; without it the package's")
    parser.add_argument("--images", type=int, default=300)
    parser.add_argument("--hosts", type=int, default=40, help="of each dataset")
    parser.add_argument("--seed", type=int, default=90001)
    parser.add_argument("--threshold", type=float, default=0.35)
    parser.add_argument("--grow", type=int, default=2)
    parser.add_argument("--least", type=int, default=30, help="letters a factor needs to be shown")
    given = parser.parse_args()
    cv2.setNumThreads(1)
    model = Segmenter.load(given.model.read_bytes() if given.model else None)
    real = [h for h in load_real(given.data, tiers=("B",), most=given.hosts) if h.dataset in QUIET]
    dealt = Hosts(real)
    found: dict[str, list[bool]] = defaultdict(list)
    for i in range(given.images):
        crop = compose(np.random.default_rng((given.seed, i)), dealt, 320, written=1.0)
        mask = seen(model, crop.grey, given.threshold, (1.0, 0.5))
        for factor, hits in letters(crop, cv2.dilate(mask, _disc(given.grow))).items():
            found[factor] += hits
    print(f"letters of {given.images} crops, seed {given.seed}")
    for factor, hits in sorted(found.items()):
        if len(hits) >= given.least:
            print(f"  {factor:34} {100 * np.mean(hits):6.2f} %  of {len(hits)}")
    for enlarge in (1.0, 2.0):
        shares = clean(model, real, given.threshold, given.grow, enlarge)
        print(f"hosts without writing set, enlarged {enlarge:g} times")
        for dataset, area in sorted(shares.items()):
            touched = np.mean(np.array(area) > 0)
            print(
                f"  {dataset:14} area {100 * np.mean(area):5.2f} %  touched {100 * touched:4.0f} %"
            )


if __name__ == "__main__":
    main()
