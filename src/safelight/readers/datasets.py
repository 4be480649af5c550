"""Labelled images in a folder: what a reader is trained on and checked with.

A folder holds ``labels.csv`` (or ``images/labels.csv``) with the columns image, dataset, label and
group (a patient, or near-duplicates: what must not stand on both sides of a split), and if known
patient, source, licence, tier, note, age, sex, view. ``pneumoniamnist/pneumoniamnist.npz`` beside
it is read as the data set ``pneumoniamnist``.
"""

import csv
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from safelight.deid.pixels.photos import MASKED
from safelight.dicomio.limits import Limits
from safelight.errors import LimitExceededError, SettingsError, UnreadableInputError
from safelight.intake.kinds import HEAD_BYTES, sniff
from safelight.readers.frames import PhotoFrames

__all__ = ["Case", "load"]

_NEEDED: Final = frozenset({"image", "dataset", "label", "group"})
_FACTS: Final = ("sex", "view", "site", "device")
_PAIR: Final = re.compile(r"\b(\w+)=([\w.-]+)")
_LIMITS: Final = Limits(decoded_bytes=1 << 30)


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One labelled image.

    Attributes:
        key: Name for caches and messages.
        dataset: It belongs to.
        label: Its label there.
        group: Patient or near-duplicates.
        split: ``train``, ``val`` or ``test`` where the publisher says so.
        licence: In words.
        open: Its terms allow more than research.
        facts: What is known about it that is not in its pixels.
        path: Of its file; None when ``pixels`` holds it.
        pixels: Shape (rows, columns), or None.
    """

    key: str
    dataset: str
    label: str
    group: str
    split: str = ""
    licence: str = ""
    open: bool = False
    facts: Mapping[str, str] = field(default_factory=dict)
    path: Path | None = None
    pixels: NDArray[np.uint8] | None = None

    def picture(self) -> NDArray[np.uint8]:
        """Return its grey levels as readers see them, shape (rows, columns).

        Raises:
            UnreadableInputError: When its file is missing, too large or no picture.
        """
        if self.pixels is not None:
            return self.pixels
        try:
            return _shown(Path(str(self.path)).read_bytes())
        except LimitExceededError as error:
            raise UnreadableInputError("a training image is too large", place=self.key) from error
        except OSError as error:
            raise UnreadableInputError("a training image cannot be read", place=self.key) from error
        except UnreadableInputError as error:
            why = f"a training image cannot be read: {error.what}"
            raise UnreadableInputError(why, place=self.key) from error


def _shown(data: bytes) -> NDArray[np.uint8]:
    """Return the picture of a photo that readers look at: the only one, or the middle one."""
    kind = sniff(data[:HEAD_BYTES], size=len(data))
    if kind not in MASKED:
        raise UnreadableInputError("it is no PNG, JPEG, TIFF, GIF, BMP or WebP")
    pages = PhotoFrames(kind, data, _LIMITS)
    return pages.picture(pages.count // 2).grey


def load(folder: Path) -> list[Case]:
    """Return all labelled images of a folder.

    Args:
        folder: See the module.

    Raises:
        SettingsError: When there is no table, or it lacks a column.
    """
    made: list[Case] = []
    place = next((at for at in (folder, folder / "images") if (at / "labels.csv").is_file()), None)
    if place is not None:
        made += _table(place)
    small = folder / "pneumoniamnist" / "pneumoniamnist.npz"
    if small.is_file():
        made += _small(small)
    if not made:
        none = "there is no labels.csv in this folder"
        raise SettingsError(none if place is None else "labels.csv names no image")
    return made


def _table(place: Path) -> list[Case]:
    try:
        with (place / "labels.csv").open(newline="", encoding="utf-8-sig") as file:
            rows: list[dict[str, Any]] = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise SettingsError("labels.csv cannot be read") from error
    if rows and not set(rows[0]) >= _NEEDED:
        missing = ", ".join(sorted(_NEEDED - set(rows[0])))
        raise SettingsError(f"labels.csv lacks the columns {missing}")
    return [_case(place, row) for row in rows]


def _case(place: Path, row: Mapping[str, Any]) -> Case:
    given = {name: value or "" for name, value in row.items() if isinstance(name, str)}
    try:
        path = (place / given["image"]).resolve()
    except (OSError, ValueError) as error:
        raise SettingsError("labels.csv names an image by what is no path") from error
    if not path.is_relative_to(place.resolve()):
        raise SettingsError("labels.csv names an image outside its folder")
    facts = {name: given.get(name, "") for name in _FACTS}
    facts |= dict(_PAIR.findall(given.get("note", "")))
    facts["dataset"] = given["dataset"]
    age = given.get("age", "")
    if re.fullmatch(r"\d{1,3}(\.\d+)?", age):
        facts["age"] = f"{int(float(age)) // 20 * 20} to {int(float(age)) // 20 * 20 + 19}"
    return Case(
        key=given["image"],
        dataset=given["dataset"],
        label=given["label"],
        group=given.get("patient") or given["group"] or given["image"],
        split=given.get("split", ""),
        licence=given.get("licence", ""),
        open=given.get("tier", "") in {"A", "A-SA"},
        facts={name: value for name, value in facts.items() if value},
        path=path,
    )


def _small(path: Path) -> list[Case]:
    """Return PneumoniaMNIST; images that occur twice share a group."""
    made = []
    with np.load(path, allow_pickle=False) as held:
        for split in ("train", "val", "test"):
            labels = held[f"{split}_labels"].ravel()
            for number, picture in enumerate(held[f"{split}_images"]):
                same = hashlib.sha256(np.ascontiguousarray(picture).tobytes()).hexdigest()[:16]
                made.append(
                    Case(
                        key=f"pneumoniamnist/{split}/{number}",
                        dataset="pneumoniamnist",
                        label="pneumonia" if labels[number] else "normal",
                        group=f"pneumoniamnist-{same}",
                        split=split,
                        licence="CC BY 4.0 (MedMNIST v2; Kermany 2018)",
                        open=True,
                        facts={"dataset": "pneumoniamnist"},
                        pixels=np.asarray(picture, dtype=np.uint8),
                    )
                )
    return made
