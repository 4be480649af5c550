"""Masks given by hand: boxes on the command line, and files of boxes for kinds of images.

A file is TOML or JSON with a list ``mask``; each entry has ``name``, ``boxes`` (lists of x, y,
width and height in pixels) and what an image must have to be meant: ``sop_class``, ``modality``,
``manufacturer``, ``model`` (``*`` and ``?`` as in file names, case does not matter), ``rows``,
``columns``. ``frames`` limits the boxes to some frames. Pixels are those of the picture as it is
displayed: a photo is turned as its EXIF orientation says.
"""

import json
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, Final

from safelight.deid.boxes import Box, Region, Verdict
from safelight.deid.pixels.header import PixelHeader
from safelight.errors import SettingsError

__all__ = ["Template", "parse_box", "read_templates", "regions_for"]

_BOX: Final = re.compile(r"\s*(\d+)\s*,\s*(\d+)\s*,\s*(\d+)\s*,\s*(\d+)\s*(?:@\s*([\d,\s-]+))?")
_RANGE: Final = re.compile(r"\s*(\d+)\s*(?:-\s*(\d+)\s*)?")
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._-]{0,63}")
_TEXTS: Final = ("sop_class", "modality", "manufacturer", "model")
_NUMBERS: Final = ("rows", "columns")
_KEYS: Final = frozenset(("name", "boxes", "frames", *_TEXTS, *_NUMBERS))
_LARGEST: Final = 1 << 20
_MOST_FRAMES: Final = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """Boxes for one kind of image.

    Attributes:
        name: For the manifest: ``template NAME``.
        boxes: In pixels of the whole frame.
        texts: Patterns by field: ``sop_class``, ``modality``, ``manufacturer``, ``model``.
        numbers: ``rows`` and ``columns``, where they matter.
        frames: Frame numbers from 0; empty means every frame.
    """

    name: str
    boxes: tuple[Box, ...]
    texts: Mapping[str, str]
    numbers: Mapping[str, int]
    frames: tuple[int, ...] = ()

    def means(self, header: PixelHeader | None, size: tuple[int, int]) -> bool:
        """Tell whether an image is of the kind; a photo (no header) is known by its size alone."""
        if any(size[_NUMBERS.index(key)] != wanted for key, wanted in self.numbers.items()):
            return False
        if header is None:
            return not self.texts
        return all(
            fnmatchcase(getattr(header, key).casefold(), wanted.casefold().replace("[", "[[]"))
            for key, wanted in self.texts.items()
        )


def parse_box(text: str) -> Region:
    """Return the region that ``x,y,w,h`` stands for, or ``x,y,w,h@0-3,7`` for some frames.

    Raises:
        SettingsError: It is written otherwise.
    """
    found = _BOX.fullmatch(text)
    if found is None:
        raise SettingsError(
            "a mask is written x,y,width,height, in pixels, with @ and frame numbers if need be"
        )
    box = _box([int(found[number]) for number in range(1, 5)])
    frames = _frames(found[5]) if found[5] is not None else ()
    return Region(boxes=(box,), verdict=Verdict.MASK, rule="by hand", frames=frames)


def read_templates(data: bytes) -> tuple[Template, ...]:
    """Return the templates of a mask file, TOML or JSON.

    Raises:
        SettingsError: It is neither, or an entry says something that is not known.
    """
    try:
        text = data.decode("utf-8")
        whole = json.loads(text) if text.lstrip().startswith(("{", "[")) else tomllib.loads(text)
    except (ValueError, RecursionError):
        # a TOML file may begin with a table in brackets
        try:
            whole = tomllib.loads(data.decode("utf-8"))
        except (ValueError, RecursionError):
            raise SettingsError("the mask file is neither TOML nor JSON") from None
    entries = whole.get("mask") if isinstance(whole, dict) else whole
    if not isinstance(entries, list) or not entries:
        raise SettingsError("the mask file has no list named mask")
    return tuple(_template(entry, number) for number, entry in enumerate(entries, 1))


def regions_for(
    templates: Sequence[Template], header: PixelHeader | None, size: tuple[int, int]
) -> list[Region]:
    """Return the regions of all templates that an image is meant by.

    Args:
        templates: From ``read_templates``.
        header: Of the DICOM object; None for a photo.
        size: Rows and columns of the image.
    """
    return [
        Region(
            boxes=one.boxes, verdict=Verdict.MASK, rule=f"template {one.name}", frames=one.frames
        )
        for one in templates
        if one.means(header, size)
    ]


def _template(entry: Any, number: int) -> Template:
    where = f"mask {number} of the mask file"
    if not isinstance(entry, dict) or not entry.keys() <= _KEYS:
        raise SettingsError(f"{where} has a key that is not known")
    name, boxes, frames = entry.get("name"), entry.get("boxes"), entry.get("frames", [])
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise SettingsError(f"{where} needs a name of letters, digits, spaces and . _ -")
    if not isinstance(boxes, list) or not boxes:
        raise SettingsError(f"{where} has no boxes")
    texts = {key: entry[key] for key in _TEXTS if key in entry}
    numbers = {key: entry[key] for key in _NUMBERS if key in entry}
    if not all(isinstance(value, str) for value in texts.values()):
        raise SettingsError(f"{where}: {', '.join(_TEXTS)} are texts")
    if not all(_is_number(value) for value in numbers.values()):
        raise SettingsError(f"{where}: {' and '.join(_NUMBERS)} are whole numbers")
    if not isinstance(frames, list) or not all(_is_number(value) for value in frames):
        raise SettingsError(f"{where}: frames are whole numbers")
    return Template(
        name=name,
        boxes=tuple(_box(box) for box in boxes),
        texts=texts,
        numbers=numbers,
        frames=tuple(frames),
    )


def _is_number(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < _LARGEST


def _box(values: Any) -> Box:
    if not isinstance(values, list) or len(values) != 4 or not all(map(_is_number, values)):  # noqa: PLR2004 - x, y, width, height
        raise SettingsError("a box is four whole numbers: x, y, width, height")
    x, y, w, h = values
    if not w or not h:
        raise SettingsError("a box is at least one pixel wide and high")
    return Box(x, y, w, h)


def _frames(text: str) -> tuple[int, ...]:
    found: set[int] = set()
    for part in text.split(","):
        match = _RANGE.fullmatch(part)
        if match is None:
            raise SettingsError("frames are written as numbers and ranges: 0-3,7")
        first, last = int(match[1]), int(match[2] or match[1])
        if not first <= last < _MOST_FRAMES:
            raise SettingsError("frames are written as numbers and ranges: 0-3,7")
        found.update(range(first, last + 1))
    return tuple(sorted(found))
