"""The truth beside the images: one line an image, and the ink of each character as packed bits."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from corpus.burned.draw import Mark

__all__ = ["Char", "Image", "String", "Writer", "read"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Char:
    """One character's ink: ``ink`` (rows, columns) with its top left corner at ``y``, ``x``."""

    char: str
    y: int
    x: int
    ink: NDArray[np.bool_]


@dataclass(slots=True, kw_only=True)
class String:
    """One string: what it is, how it was drawn, and its characters that can be seen."""

    text: str
    kind: str
    identifying: bool
    script: str
    family: str
    trained: bool
    size: float
    contrast: float
    factors: list[str]
    frames: list[int]
    chars: list[Char] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class Image:
    """One file of the set; ``modality`` is ``PHOTO`` for photographs of films."""

    index: int
    path: str
    modality: str
    rows: int
    columns: int
    frames: int
    named: bool
    form: str
    host: str
    negatives: list[str]
    strings: list[String]

    @property
    def clean(self) -> bool:
        """Return whether nothing at all is written on it."""
        return not self.strings


def folder_of(images: Path) -> Path:
    """Return where the truth of a folder of images lies: beside it."""
    return images.with_name(f"{images.name}.truth")


class Writer:
    """Writes the truth an image at a time."""

    def __init__(self, images: Path, about: dict[str, Any]) -> None:
        self._folder = folder_of(images)
        self._folder.mkdir(parents=True)
        (self._folder / "about.json").write_text(json.dumps(about, indent=1) + "\n")
        self._lines = (self._folder / "images.jsonl").open("w", encoding="utf-8")

    def add(self, facts: dict[str, Any], marks: list[Mark]) -> None:
        """Write one image; strings without a visible character are left out."""
        marks = [mark for mark in marks if mark.ink]
        strings = [
            {
                "text": mark.text,
                "kind": mark.kind,
                "identifying": mark.identifying,
                "script": mark.script,
                "family": mark.style.face.family,
                "trained": mark.style.face.trained,
                "size": height(mark),
                "contrast": round(mark.contrast, 3),
                "factors": mark.factors,
                "frames": list(mark.frames),
                "chars": "".join(char for char, *_ in mark.ink),
            }
            for mark in marks
        ]
        self._lines.write(json.dumps({**facts, "strings": strings}, ensure_ascii=False) + "\n")
        inks = [one for mark in marks for one in mark.ink]
        if inks:
            np.savez_compressed(
                self._folder / f"{facts['index']:05d}.npz",
                places=np.array([[y, x, *ink.shape] for _, y, x, ink in inks], np.int32),
                bits=np.concatenate([np.packbits(ink) for *_, ink in inks]),
            )

    def close(self) -> None:
        """Close the list of images."""
        self._lines.close()


def height(mark: Mark) -> float:
    """Return the size in pixels that the strings are tagged with: the em, of bitmaps as drawn."""
    style = mark.style
    if not style.face.strike:
        return style.size
    return style.face.strike * max(1, round(style.size / style.face.strike))


def read(images: Path) -> Iterator[Image]:
    """Yield the images of a set with their truth, in order.

    Raises:
        FileNotFoundError: No truth lies beside the folder.
    """
    folder = folder_of(images)
    with (folder / "images.jsonl").open(encoding="utf-8") as lines:
        for line in lines:
            facts = json.loads(line)
            texts = [s.pop("chars") for s in facts["strings"]]
            strings = [String(**s) for s in facts.pop("strings")]
            image = Image(**facts, strings=strings)
            if strings:
                _inks(folder / f"{image.index:05d}.npz", strings, texts)
            yield image


def _inks(path: Path, strings: list[String], texts: list[str]) -> None:
    with np.load(path) as file:
        places, bits = file["places"], file["bits"]
    at = number = 0
    for string, text in zip(strings, texts, strict=True):
        for char in text:
            y, x, h, w = (int(v) for v in places[number])
            size = (h * w + 7) // 8
            ink = np.unpackbits(bits[at : at + size], count=h * w).reshape(h, w).astype(np.bool_)
            string.chars.append(Char(char=char, y=y, x=x, ink=ink))
            at, number = at + size, number + 1
