"""Where writing is in a picture: a small network's probability for each pixel.

The weights are made by ``training/burned``; ``docs/models/text-segmenter.md`` tells from what, and
what was measured.
"""

from importlib import resources
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

from safelight.errors import SettingsError

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

__all__ = ["Segmenter", "planes"]

WINDOW = 25  # pixels over which local contrast is taken
CLIP = 3.0  # local deviations
STRIDE = 16  # the network halves four times
TILE = 1024  # a larger picture is looked at in pieces, so that memory stays bounded
MOST_SCALE = 8.0
_PLANE = 2  # rows and columns
OVERLAP = 48  # what a piece sees of its neighbours


def planes(grey: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return what the network is shown: the tone, and the tone against its surroundings.

    Args:
        grey: Shape (rows, columns), as displayed, 0 to 255.

    Returns:
        Shape (2, rows, columns): about -1 to 1 each.
    """
    window = (WINDOW, WINDOW)
    mean = cv2.boxFilter(grey, cv2.CV_32F, window, borderType=cv2.BORDER_REFLECT_101)
    spread = cv2.sqrBoxFilter(grey, cv2.CV_32F, window, borderType=cv2.BORDER_REFLECT_101)
    both = np.empty((2, *grey.shape), np.float32)
    tone, local = both
    np.subtract(grey, mean, out=local)
    np.multiply(mean, mean, out=mean)
    np.subtract(spread, mean, out=spread)
    # One grey level as the floor: an even field stays quiet, a step of one level is still seen.
    np.add(spread, 1.0, out=spread)
    np.maximum(spread, 1.0, out=spread)
    cv2.sqrt(spread, spread)
    np.divide(local, spread, out=local)
    np.multiply(local, 1.0 / CLIP, out=local)
    np.clip(local, -1.0, 1.0, out=local)
    np.multiply(grey, np.float32(1.0 / 127.5), out=tone, casting="unsafe")
    np.subtract(tone, 1.0, out=tone)
    return both


class Segmenter:
    """The text-pixel network, on one thread; the same picture always gives the same answer.

    Args:
        session: An open session over the weights; use ``load``.
    """

    def __init__(self, session: "InferenceSession") -> None:
        self._session = session

    @classmethod
    def load(cls, model: bytes | None = None, name: str = "text.onnx") -> "Segmenter":
        """Return the segmenter with weights of the package, or with others.

        Args:
            model: An ONNX model with one input as ``planes`` gives it; None takes the package's.
            name: Which of the package's: ``text.onnx``, or ``text-again.onnx``, which was trained
                longer and otherwise and errs elsewhere.
        """
        import onnxruntime  # noqa: PLC0415  # start-up cost

        if model is None:
            package = resources.files("safelight.deid.burned")
            model = package.joinpath("data", name).read_bytes()
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
        options.log_severity_level = 3
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        return cls(onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"]))

    def probability(self, grey: NDArray[np.uint8], scale: float = 1.0) -> NDArray[np.float32]:
        """Return how likely each pixel belongs to writing, 0 to 1.

        Args:
            grey: Shape (rows, columns), at least 1 x 1, as displayed, 0 to 255.
            scale: At which size to look: ½ finds letters of twice the height, 2 of half.

        Returns:
            Shape (rows, columns), in the pixels of ``grey`` whatever the scale.

        Raises:
            SettingsError: The picture is not a plane of bytes with a pixel, or the scale is not
                above 0.
        """
        if grey.ndim != _PLANE or grey.size == 0 or grey.dtype != np.uint8:
            raise SettingsError("the segmenter looks at a plane of bytes with at least one pixel")
        if not 0 < scale <= MOST_SCALE:
            raise SettingsError("the scale of the segmenter is above 0 and at most 8")
        rows, columns = grey.shape
        if scale == 1.0:
            return self._whole(np.ascontiguousarray(grey))
        size = (max(1, round(columns * scale)), max(1, round(rows * scale)))
        how = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
        found = self._whole(cv2.resize(grey, size, interpolation=how).astype(np.uint8, copy=False))
        back = cv2.resize(found, (columns, rows), interpolation=cv2.INTER_LINEAR)
        return np.asarray(back, np.float32)

    def _whole(self, grey: NDArray[np.uint8]) -> NDArray[np.float32]:
        rows, columns = grey.shape
        both = planes(grey)
        out = np.zeros((rows, columns), np.float32)
        for top, bottom, above, below in _pieces(rows):
            for left, right, before, behind in _pieces(columns):
                if np.ptp(grey[above:below, before:behind]) == 0:
                    continue  # an even field holds no writing
                found = self._piece(both[:, above:below, before:behind])
                y, x = top - above, left - before
                out[top:bottom, left:right] = found[y : y + bottom - top, x : x + right - left]
        return out

    def _piece(self, both: NDArray[np.float32]) -> NDArray[np.float32]:
        rows, columns = both.shape[1:]
        pad = ((0, 0), (0, -rows % STRIDE), (0, -columns % STRIDE))
        # Mirrored: a last row of noise drawn out would be a row of strokes.
        fed = np.pad(both, pad, mode="symmetric") if pad[1][1] or pad[2][1] else both
        logits = self._session.run(None, {"planes": np.ascontiguousarray(fed)[None]})[0]
        with np.errstate(over="ignore"):  # a very sure no is a plain 0
            return np.asarray(1.0 / (1.0 + np.exp(-logits[0, 0, :rows, :columns])), np.float32)


def _pieces(length: int) -> list[tuple[int, int, int, int]]:
    """Return (start, stop, first seen, last seen) of the pieces of a side, of about equal length.

    What is seen starts at a multiple of the stride, so that a piece falls on the network's grid as
    the whole picture would.
    """
    count = max(1, -(-length // TILE))
    step = -(-length // count)
    step += -step % STRIDE
    starts = range(0, length, step)
    return [
        (at, min(at + step, length), max(at - OVERLAP, 0), min(at + step + OVERLAP, length))
        for at in starts
    ]
