"""Read a line of pixels: PP-OCR's recogniser, with how sure it is of every character."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import cv2
import numpy as np
import numpy.typing as npt

from safelight.deid.burned.memory import Memory
from safelight.deid.burned.models import open_model, reader_model
from safelight.deid.burned.strip import Floats, Strip

__all__ = ["MARGIN", "Reader", "Reading"]

_ROWS: Final = 48
_LEAST: Final = 48
_MOST: Final = 1600
_STEP: Final = 32
_BATCH: Final = 8
#: Of a line's height, and one pixel: what is cut out with it on every side.
MARGIN: Final = 0.12
_GOOD: Final = 0.9
_POOR: Final = 0.5
_FLAT: Final = 3
_SQUARE: Final = 1.4

Grey = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What a line says, as far as the recogniser can tell. Held in memory only.

    Attributes:
        text: The characters.
        sure: Mean confidence over the characters, 0 to 1; 0 for no text.
        least: Confidence of the least certain character.
        turn: By how many degrees the line was turned before it was read.
        start: Where along the line, as it was turned, the first character stands, 0 to 1.
        stop: Where the last one does.
    """

    text: str
    sure: float
    least: float
    turn: int = 0
    start: float = 0.0
    stop: float = 1.0

    def __repr__(self) -> str:
        return f"Reading(<{len(self.text)} characters>, sure={self.sure:.2f})"


class Reader:
    """The recogniser, loaded when the first line is read.

    What stands still from frame to frame is read once.
    """

    def __init__(self) -> None:
        self._known: dict[bool, Memory[Reading]] = {True: Memory(), False: Memory()}

    @cached_property
    def _session(self) -> Any:
        return open_model(reader_model())

    @cached_property
    def _characters(self) -> list[str]:
        named = self._session.get_modelmeta().custom_metadata_map["character"]
        return ["", *named.split("\n"), " "]

    def read(self, grey: Grey, strips: Sequence[Strip], *, thorough: bool = True) -> list[Reading]:
        """Return the best reading of each strip.

        Args:
            grey: The picture, (rows, columns).
            strips: The lines, without padding.
            thorough: Whether a poor reading is tried again turned and with light and dark swapped.
        """
        known = self._known[thorough]
        found = [known.find(grey, strip) for strip in strips]
        fresh = [strip for strip, one in zip(strips, found, strict=True) if one is None]
        readings = iter(self._fresh(grey, fresh, thorough=thorough))
        out = [next(readings) if one is None else one for one in found]
        for strip, one, reading in zip(strips, found, out, strict=True):
            if one is None:
                known.keep(grey, strip, reading)
        return out

    def _fresh(self, grey: Grey, strips: Sequence[Strip], *, thorough: bool) -> list[Reading]:
        """Read strips that were not met before."""
        crops = [straight(grey, strip) for strip in strips]
        best = self._many(crops, 0)
        for place, strip in enumerate(strips):
            if strip.vertical:
                crops[place] = cv2.rotate(crops[place], cv2.ROTATE_180)
        upside = [place for place, strip in enumerate(strips) if strip.vertical]
        self._improve(best, upside, [crops[place] for place in upside], 180)
        if not thorough:
            return best
        poor = [p for p, reading in enumerate(best) if reading.sure < _GOOD]
        self._improve(best, poor, [255 - straight(grey, strips[p]) for p in poor], 0)
        poor = [p for p in poor if best[p].sure < _POOR and not strips[p].vertical]
        turned = [cv2.rotate(straight(grey, strips[p]), cv2.ROTATE_180) for p in poor]
        self._improve(best, poor, turned, 180)
        square = [p for p in poor if strips[p].length < _SQUARE * strips[p].height]
        for turn in (90, -90):
            crops = [_quarter(straight(grey, strips[p]), turn) for p in square]
            self._improve(best, square, crops, turn)
        return best

    def _improve(
        self, best: list[Reading], places: Sequence[int], crops: Sequence[Grey], turn: int
    ) -> None:
        """Put readings that are surer in the place of those that are there."""
        for place, reading in zip(places, self._many(crops, turn), strict=True):
            if reading.text and reading.sure > best[place].sure + 0.02:
                best[place] = reading

    def _many(self, crops: Sequence[Grey], turn: int) -> list[Reading]:
        """Read crops of 48 rows, those of alike width together."""
        order = sorted(range(len(crops)), key=lambda place: crops[place].shape[1])
        out: dict[int, Reading] = {}
        batch: list[int] = []
        for number, place in enumerate(order):
            batch.append(place)
            width = _width(crops[place])
            last = number + 1 == len(order)
            if last or len(batch) == _BATCH or _width(crops[order[number + 1]]) != width:
                out.update(
                    zip(batch, self._run([crops[p] for p in batch], width, turn), strict=True)
                )
                batch = []
        return [out[place] for place in range(len(crops))]

    def _run(self, crops: Sequence[Grey], width: int, turn: int) -> list[Reading]:
        block = np.zeros((len(crops), 3, _ROWS, width), np.float32)
        for place, crop in enumerate(crops):
            block[place, :, :, : crop.shape[1]] = crop.astype(np.float32) / 127.5 - 1
        scores: Floats = self._session.run(None, {"x": block})[0]
        return [
            self._decode(one, turn, width / crop.shape[1])
            for one, crop in zip(scores, crops, strict=True)
        ]

    def _decode(self, scores: Floats, turn: int, room: float) -> Reading:
        """Decode one line of shape (steps, classes): best class a step, repeats and blanks out.

        Args:
            scores: Of each class at each step.
            turn: By how many degrees the line was turned.
            room: How many times its own width the steps span: it is padded at its end.
        """
        best = scores.argmax(axis=1)
        sure = scores[np.arange(len(best)), best]
        starts = np.ones(len(best), bool)
        starts[1:] = best[1:] != best[:-1]
        chosen = np.flatnonzero(starts & (best > 0))
        text = "".join(self._characters[best[step]] for step in chosen)
        inked = [step for step in chosen if self._characters[best[step]] != " "]
        kept = [float(sure[step]) for step in inked]
        if not text.strip() or not kept:
            return Reading(text="", sure=0.0, least=0.0, turn=turn)
        start, stop = (min((step + 0.5) * room / len(best), 1.0) for step in (inked[0], inked[-1]))
        return Reading(
            text=text.strip(),
            sure=sum(kept) / len(kept),
            least=min(kept),
            turn=turn,
            start=start,
            stop=stop,
        )


def straight(grey: Grey, strip: Strip) -> Grey:
    """Return the strip as an upright crop of 48 rows, its contrast stretched."""
    strip = strip.padded(MARGIN * strip.height + 1, MARGIN * strip.height + 1)
    if strip.angle == 0:
        left, top, right, bottom = (round(side) for side in strip.bounds())
        crop = grey[max(top, 0) : max(bottom, 1), max(left, 0) : max(right, 1)]
        crop = crop if crop.size else np.zeros((1, 1), np.uint8)
        width = min(max(round(crop.shape[1] * _ROWS / crop.shape[0]), 8), _MOST)
        shrink = crop.shape[0] > _ROWS
        crop = cv2.resize(
            crop, (width, _ROWS), interpolation=cv2.INTER_AREA if shrink else cv2.INTER_CUBIC
        )
    else:
        width = min(max(round(strip.length * _ROWS / strip.height), 8), _MOST)
        corners = strip.corners()[:3]
        target = np.array([[0, 0], [width, 0], [width, _ROWS]], np.float32)
        matrix = cv2.getAffineTransform(corners, target)
        crop = cv2.warpAffine(
            grey, matrix, (width, _ROWS), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
        )
    low, high = np.percentile(crop, (1, 99))
    if high - low < _FLAT:
        return np.zeros_like(crop)
    out: Grey = np.clip((crop - low) * (255 / (high - low)), 0, 255).astype(np.uint8)
    return out


def _quarter(crop: Grey, turn: int) -> Grey:
    turned = cv2.rotate(
        crop, cv2.ROTATE_90_CLOCKWISE if turn > 0 else cv2.ROTATE_90_COUNTERCLOCKWISE
    )
    width = min(max(round(turned.shape[1] * _ROWS / turned.shape[0]), 8), _MOST)
    return np.asarray(cv2.resize(turned, (width, _ROWS), interpolation=cv2.INTER_AREA))


def _width(crop: Grey) -> int:
    """Return the width that a crop is padded to, so that few shapes are ever run."""
    return max(_LEAST, -(-int(crop.shape[1]) // _STEP) * _STEP)
