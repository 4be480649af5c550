"""What a tool covered: by its boxes, or by comparing decoded pixels before and after."""

import json
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

import cv2
import numpy as np
import pydicom
from numpy.typing import NDArray
from PIL import Image as Picture

from corpus.burned import forms
from corpus.burned.truth import Image

__all__ = ["Boxes", "Cover", "Outputs", "Source", "changed", "covers"]

Mask = NDArray[np.bool_]
_SAMPLE = 3000


class Cover:
    """What is covered in one image: a mask by frame, of one frame where all are alike."""

    def __init__(self, masks: list[Mask], areas: list[float] | None = None) -> None:
        self._masks = masks
        self.areas = areas or [float(mask.mean()) for mask in masks]

    def frames(self, wanted: list[int]) -> list[Mask]:
        """Return the masks of these frames; of all when the list is empty."""
        if not wanted or len(self._masks) == 1:
            return self._masks
        return [self._masks[number] for number in wanted]

    @property
    def area(self) -> float:
        """Return the masked share of the image, the mean over its frames."""
        return float(np.mean(self.areas))


class Source(Protocol):
    """Whatever tells what was covered."""

    def of(self, image: Image) -> Cover | None:
        """Return what is covered; None when the image was not released."""


class Boxes:
    """Boxes from JSON: ``{path: [region, ...]}``; a path that is missing or null was withheld.

    A region is ``[x, y, w, h]``, or an object with ``boxes`` and, where needed, ``frames`` (empty
    for all) and ``verdict`` (``mask`` unless said; others cover nothing).
    """

    def __init__(self, table: dict[str, list[Any] | None]) -> None:
        self._table = table

    @classmethod
    def load(cls, path: Path) -> "Boxes":
        """Read the JSON file."""
        return cls(json.loads(path.read_text()))

    def of(self, image: Image) -> Cover | None:
        """Return what the boxes of the image cover."""
        regions = self._table.get(image.path)
        if regions is None:
            return None
        masks = [np.zeros((image.rows, image.columns), np.bool_) for _ in range(image.frames)]
        for region in regions:
            one: dict[str, Any] = {"boxes": [region]} if isinstance(region, list) else region
            if one.get("verdict", "mask") != "mask":
                continue
            for number in one.get("frames") or range(image.frames):
                for x, y, w, h in one["boxes"]:
                    masks[number][max(y, 0) : max(y + h, 0), max(x, 0) : max(x + w, 0)] = True
        return Cover(masks)


def frames_of(path: Path) -> Iterator[NDArray[Any]]:
    """Yield the frames of a DICOM object (stored values, colour as RGB) or a photograph.

    Raises:
        ValueError: It can't be decoded.
    """
    with path.open("rb") as file:
        is_dicom = file.read(132)[128:] == b"DICM"
    if is_dicom:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield from forms.decode(pydicom.dcmread(path))
        return
    with Picture.open(path) as picture:
        yield np.asarray(picture.convert("RGB"))


def _lossy(image: Image) -> bool:
    name = image.form.split(" ", 2)[-1]
    return name in {"jpg", "jpeg", "jpeg 12 bit", "jpeg-ls near", "j2k"}


def changed(before: NDArray[Any], after: NDArray[Any], *, tolerance: float) -> tuple[Mask, float]:
    """Return which pixels are hidden under a flat fill, and the share of the picture masked.

    A pixel is hidden when its value changed to one of the fill's constants (values that hold at
    least 1 % of all changed pixels), or when it has such a value already and lies between pixels
    that changed to it (writing of the fill's own colour). The share is that of the rectangles
    around what changed, so that a black box on black counts in full.
    """
    old, new = (np.atleast_3d(a).astype(np.float32) for a in (before, after))
    differs = np.abs(old - new).max(-1) > tolerance
    if not differs.any():
        return differs, 0.0
    values = np.rint(new[differs]).astype(np.int64)
    found, counts = np.unique(values, axis=0, return_counts=True)
    order = np.argsort(-counts)[:8]
    flat = np.zeros_like(differs)
    for at in order[counts[order] >= 0.01 * counts.sum()]:
        flat |= np.abs(new - found[at]).max(-1) <= tolerance
    hidden = (differs & flat).astype(np.uint8)
    closed = cv2.morphologyEx(hidden, cv2.MORPH_CLOSE, np.ones((15, 15), np.uint8))
    covered: Mask = (hidden > 0) | ((closed > 0) & flat)
    return covered, _area(differs)


def _area(differs: Mask) -> float:
    near = cv2.morphologyEx(differs.astype(np.uint8), cv2.MORPH_CLOSE, np.ones((9, 9), np.uint8))
    _, _, stats, _ = cv2.connectedComponentsWithStats(near)
    filled = np.zeros(differs.shape, np.bool_)
    for x, y, w, h, _ in stats[1:]:
        filled[y : y + h, x : x + w] = True
    return float(filled.mean())


class Outputs:
    """A folder that a tool wrote; files are found by name, else by their pixels."""

    def __init__(self, images: Path, output: Path, listed: list[Image]) -> None:
        self._images, self._found = images, _matched(images, output, listed)
        self.problems: list[str] = []

    def of(self, image: Image) -> Cover | None:
        """Return what is hidden in the output of the image; None when there is none."""
        path = self._found.get(image.index)
        if path is None:
            return None
        try:
            return _compared(self._images / image.path, path, lossy=_lossy(image))
        except ValueError as error:
            self.problems.append(f"{image.path}: the output can't be compared: {error}")
            empty = np.zeros((image.rows, image.columns), np.bool_)
            return Cover([empty])  # counted as exposed: nothing shows that it is not


def _compared(before: Path, after: Path, *, lossy: bool) -> Cover:
    masks, areas = [], []
    for old, new in zip(frames_of(before), frames_of(after), strict=True):
        if old.shape != new.shape:
            raise ValueError(f"{old.shape} became {new.shape}")
        span = float(old.max()) - float(old.min())
        slack = max(2.0, span * 6 / 255) if lossy else 0.0
        mask, area = changed(old, new, tolerance=slack)
        masks.append(mask)
        areas.append(area)
    return Cover(masks, areas)


def _vector(path: Path) -> tuple[tuple[int, ...], NDArray[Any]] | None:
    try:
        frame = next(iter(frames_of(path)))
    except (ValueError, OSError, KeyError, AttributeError):
        return None
    rng = np.random.default_rng(7)
    rows, columns = frame.shape[:2]
    y, x = rng.integers(0, rows, _SAMPLE), rng.integers(0, columns, _SAMPLE)
    return frame.shape, np.atleast_3d(frame)[y, x].astype(np.int32)


def _matched(images: Path, output: Path, listed: list[Image]) -> dict[int, Path]:
    """Return the output of each image: by its name where it was kept, else by equal pixels."""
    names = {image.path: image.index for image in listed}
    found: dict[int, Path] = {}
    rest = []
    for path in sorted(p for p in output.rglob("*") if p.is_file()):
        name = str(path.relative_to(output))
        if "_safelight" in path.relative_to(output).parts:
            continue
        if name in names:
            found[names[name]] = path
        else:
            rest.append(path)
    missing = [image for image in listed if image.index not in found]
    if not rest or not missing:
        return found
    prints = {image.index: _vector(images / image.path) for image in missing}
    for path in rest:
        own = _vector(path)
        if own is None:
            continue
        best = max(
            (
                (float((np.abs(one[1] - own[1]).max(-1) <= 3).mean()), index)
                for index, one in prints.items()
                if one is not None and one[0] == own[0] and index not in found
            ),
            default=(0.0, -1),
        )
        if best[0] >= 0.5:
            found[best[1]] = path
    return found


def covers(images: Path, output: Path, listed: list[Image]) -> Boxes | Outputs:
    """Return the source for a JSON file of boxes or a folder of outputs."""
    return Boxes.load(output) if output.is_file() else Outputs(images, output, listed)
