"""The shared images by kind and source, squeezed once and kept in memory."""

import csv
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from safelight.readers.kind.shrink import content
from safelight.readers.reading import ViewKind

__all__ = ["WORK", "Item", "picture", "read", "read_more", "squeezed"]

WORK = 96  # side that pictures are kept at: training crops from it
_KINDS = {
    ("CR", "CHEST"): ViewKind.CHEST_XRAY_FRONTAL,
    ("CR", "HAND"): ViewKind.LIMB_XRAY,
    ("CR", "EXTREMITY"): ViewKind.LIMB_XRAY,
    ("PX", "JAW"): ViewKind.DENTAL_PANORAMIC,
    ("MG", "BREAST"): ViewKind.MAMMOGRAM,
    ("US", "BREAST"): ViewKind.BREAST_ULTRASOUND,
    ("CT", "HEAD"): ViewKind.HEAD_CT,
    ("CT", "BODY"): ViewKind.BODY_CT,
    ("CT", "ABDOMEN"): ViewKind.BODY_CT,
    ("CT", "CHEST"): ViewKind.BODY_CT,
    ("MR", "HEAD"): ViewKind.HEAD_MR,
    ("MR", "LSPINE"): ViewKind.SPINE_MR,
    ("MR", "BREAST"): ViewKind.BREAST_MR,
    ("NM", "KIDNEY"): ViewKind.SCINTIGRAPHY,
    ("OP", "EYE"): ViewKind.FUNDUS,
}
# files of scikit-image that show no scene: medical, textures and drawings
_FUNDUS = ("skimage:retina",)
_NEITHER = ("skimage:ihc", "skimage:microaneurysms", "skimage:phantom", "skimage:cell")
_OWN = {
    "nih_cxr": {"muhammedtalo": "nih_cxr", "rsummers11": "nih_turned"},
    "ood": {"EliSchwartz": "imagenet", "BIDS": "bsds", "MohamedBakrAli": "kodak",
            "scikit-image wheel": "skimage"},
}  # fmt: skip

# films of the NIH Clinical Center, in part or whole: MedNIST's, and the healthy ones of tb_qatar
_NIH = frozenset(("nih_cxr", "nih_turned", "mednist CXR", "tb_qatar"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One image.

    Attributes:
        path: Below the folder of images, or from the root.
        kind: What it is; None when it is none of the kinds.
        source: Where it comes from, e.g. ``tb_qatar``, ``mednist Hand``, ``retina DRIVE``.
        group: Patient or cluster of near-duplicates.
        tier: Of its terms: ``A``, ``A-SA`` or ``B``.
        kin: Sources of the same origin, in part or whole.
        shared: Whether it may be measured on; what is not is only learned from.
    """

    path: str
    kind: ViewKind | None
    source: str
    group: str
    tier: str
    kin: frozenset[str] = frozenset()
    shared: bool = True

    @property
    def part(self) -> int:
        """A number from 0 to 9 that all images of a group share; 0 is kept for measuring."""
        if not self.shared:
            return 1
        return zlib.crc32(f"{self.source}|{self.group}".encode()) % 10


def read(data: Path) -> Iterator[Item]:
    """Yield all images of the folder that holds ``images/labels.csv``."""
    with (data / "images" / "labels.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            yield _item(row)


def read_more(folder: Path) -> Iterator[Item]:
    """Yield the images of further sources, as ``training.kind.more`` left them; only to learn."""
    with (folder / "labels.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            kind = ViewKind[row["kind"]] if row["kind"] else None
            kin = frozenset(filter(None, row["kin"].split("|")))
            yield Item(path=row["path"], kind=kind, source=row["source"], group=row["group"],
                       tier="B", kin=kin, shared=False)  # fmt: skip


def _item(row: dict[str, str]) -> Item:
    kind = _KINDS.get((row["modality"], row["body_part"]))
    label, source = row["label"], row["dataset"]
    if source == "ood":
        kind = ViewKind.PHOTO
        if label in _FUNDUS:
            kind = ViewKind.FUNDUS
        elif label in _NEITHER:
            kind = None
    for start, name in _OWN.get(source, {}).items():
        if row["source"].startswith(start):
            source = name
    if source == "mednist":
        source = f"mednist {label}"
    if source == "retina":
        source = f"retina {row['source'].rpartition('(')[2].rstrip(')')}"
    return Item(
        path=row["image"], kind=kind, source=source, group=row["group"], tier=row["tier"],
        kin=_NIH - {source} if source in _NIH else frozenset(),
    )  # fmt: skip


def squeezed(data: Path, items: list[Item], side: int = WORK) -> NDArray[np.uint8]:
    """Return all pictures without margins, shape (n, side, side, 3); grey has equal samples."""
    found = np.empty((len(items), side, side, 3), np.uint8)
    for n, item in enumerate(items):
        picture = np.asarray(cv2.imread(str(data / "images" / item.path)))[:, :, ::-1]
        coarse = cv2.resize(picture, (side, side), interpolation=cv2.INTER_AREA)
        left, top, right, bottom = content(np.asarray(coarse, np.uint8))
        rows, columns = picture.shape[:2]
        cut = picture[
            top * rows // side : bottom * rows // side,
            left * columns // side : right * columns // side,
        ]
        way = cv2.INTER_AREA if min(cut.shape[:2]) >= side else cv2.INTER_LINEAR
        found[n] = cv2.resize(cut, (side, side), interpolation=way)
    return found


def picture(data: Path, item: Item) -> NDArray[Any]:
    """Return a shared image as the view would give it."""
    with Image.open(data / "images" / item.path) as image:
        return np.asarray(image.convert("L") if image.mode == "L" else image.convert("RGB"))
