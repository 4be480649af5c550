"""The kind reader's nets: two pretrained bodies in whole numbers, the same bits on every machine.

The bodies are EfficientNet-Lite0 and Lite2 (Tan and Le 2019, arXiv:1905.11946), trained on ImageNet
and turned into whole numbers by ``training.kind.backbone``: weights are int8 times powers of two,
activations whole numbers, and no sum leaves what 32-bit floating point holds exactly. So
onnxruntime gives the same bits whatever the machine, the threads, the batch or the order in which
it adds. Readers of findings look through blocks of the first alone.
"""

import functools
import gzip
import hashlib
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

__all__ = ["BLOCKS", "FILES", "INPUT", "PLACE", "TOP", "blocks", "data", "digest", "embed", "lit"]

Array = NDArray[Any]

INPUT: Final = 128  # side of what the bodies are shown
PLACE: Final = 4 * (320 + 352)  # numbers of a place: both bodies', of each quarter
TOP: Final = 4 * 511  # the highest of them, either sign
BLOCKS: Final = ("p10", "p14")  # of the first body: two that may be asked for alone
FILES: Final = ("body.onnx.gz", "body-lite2.onnx.gz")
_AT_ONCE: Final = 16  # pictures: memory stays bounded


def lit(planes: NDArray[np.int16]) -> NDArray[np.float32]:
    """Return what the body is shown: red, green and blue of twice the side, whole numbers.

    Args:
        planes: Brightness and two differences of colour, shape (n, 3, 64, 64), -128 to 127.
    """
    light, blues, reds = (planes[:, n].astype(np.int32) for n in range(3))
    green = light - reds - ((99 * blues) >> 8)  # ITU-R BT.601, solved for green
    colours = np.stack((light + 2 * reds, green, light + 2 * blues), 1).clip(-128, 127)
    for axis in (2, 3):
        colours = _doubled(colours, axis)
    return np.asarray((colours + 8) >> 4, np.float32)


def _doubled(values: Array, axis: int) -> Array:
    """Return four times the values, linear between the middles of the old ones."""
    size = values.shape[axis]
    before = np.take(values, np.maximum(np.arange(size) - 1, 0), axis)
    after = np.take(values, np.minimum(np.arange(size) + 1, size - 1), axis)
    shape = [*values.shape]
    shape[axis] = 2 * size
    return np.stack((3 * values + before, 3 * values + after), axis + 1).reshape(shape)


@functools.cache
def _bodies() -> "tuple[InferenceSession, ...]":
    """Return both bodies, loaded once, on one thread."""
    import onnxruntime  # noqa: PLC0415  # start-up cost

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return tuple(
        onnxruntime.InferenceSession(data(name), options, providers=["CPUExecutionProvider"])
        for name in FILES
    )


def data(name: str) -> bytes:
    """Return a body as ONNX: one of ``FILES``."""
    return gzip.decompress((files(__package__) / "data" / name).read_bytes())


@functools.cache
def digest() -> str:
    """Return the SHA-256 of the body that readers of findings look through, as ONNX, hex."""
    return hashlib.sha256(data(FILES[0])).hexdigest()


def blocks(planes: NDArray[np.float32]) -> tuple[NDArray[np.int64], ...]:
    """Return what two blocks of the first body answer, whole numbers of at most 511, either sign.

    Args:
        planes: Red, green and blue, whole numbers from -128 to 127, shape (n, 3, side, side); 32
            divides the side.

    Returns:
        For each of ``BLOCKS`` its answers: shapes (n, 112, side / 16, side / 16) and
        (n, 192, side / 32, side / 32).
    """
    import onnxruntime  # noqa: PLC0415  # start-up cost

    asked = onnxruntime.RunOptions()
    asked.only_execute_path_to_fetches = True  # what comes behind them is not worked out
    found = _bodies()[0].run(list(BLOCKS), {"planes": planes}, asked)
    return tuple(np.asarray(each, np.int64) for each in found)


def embed(planes: NDArray[np.int16]) -> NDArray[np.int64]:
    """Return where pictures lie, whole numbers of at most ``TOP``, shape (n, PLACE).

    Args:
        planes: Whole numbers from -128 to 127, shape (n, 3, 64, 64).
    """
    found = []
    for n in range(0, len(planes), _AT_ONCE):
        shown = {"planes": lit(planes[n : n + _AT_ONCE])}
        found.append(np.hstack([body.run(["places"], shown)[0] for body in _bodies()]))
    return np.concatenate(found).astype(np.int64)
