"""Would the pretrained body tell findings? ``python -m training.kind.findings --data DIR``.

Its whole numbers at 192 x 192 (quarters of block 10 and means of block 14, a picture and its mirror
image added) go to the readers' own ridge heads, in five folds by near-duplicates. Nothing of this
is shipped; it says what a second version of the features could reach. Needs what
``training.kind.backbone`` needs; some minutes on one core.
"""

import argparse
import csv
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
import onnx
import onnxruntime
import torch
from numpy.typing import NDArray
from onnx import TensorProto, helper

from safelight.readers import scoring
from training.kind import backbone

Array = NDArray[Any]

SIDE: Final = 192
TASKS: Final = (("busi", "malignant", 0.91), ("head_ct", "hemorrhage", 0.94))
LAST: Final = "p14"
QUARTERED: Final = "p10"
_SCALED: Final = 100  # pictures of open terms that scales are found with
_STEP: Final = 256  # of the integers: so many are one standard deviation
_TOP: Final = 2047


def picture(path: Path) -> NDArray[np.float32]:
    """Return a grey picture as the body is shown it, shape (3, SIDE, SIDE)."""
    grey = np.asarray(cv2.imread(str(path), cv2.IMREAD_GRAYSCALE))
    way = cv2.INTER_AREA if min(grey.shape) >= SIDE else cv2.INTER_LINEAR
    squeezed = cv2.resize(grey, (SIDE, SIDE), interpolation=way)
    return np.repeat(np.asarray(squeezed, np.float32)[None] - 127, 3, axis=0)


def session(scaled_on: Array) -> Any:
    """Return the body, told for blocks 10 and 14."""
    net = list(backbone.parts())
    net = net[: [part.name for part in net].index(LAST) + 1]
    model = backbone.in_whole_numbers(net, backbone.units(net, scaled_on))
    graph = model.graph
    kept = [node for node in graph.node if node.output[0] not in ("mean", "sums", "places")]
    del graph.node[:], graph.output[:]
    graph.node.extend(kept)
    for side in graph.input[0].type.tensor_type.shape.dim[2:]:
        side.dim_value = SIDE
    for name in (QUARTERED, LAST):
        graph.output.append(
            helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", "c", "h", "w"])
        )
    onnx.checker.check_model(model)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.log_severity_level = 1, 3
    return onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )


def features(body: Any, shown: Array) -> Array:
    """Return whole numbers of a picture and its mirror image, shape (640,)."""
    found = np.zeros(0)
    for each in (shown, shown[:, :, ::-1]):
        quartered, last = body.run(None, {"planes": np.ascontiguousarray(each)[None]})
        channels, side = quartered.shape[1], quartered.shape[2] // 2
        quarters = quartered.reshape(channels, 2, side, 2, side).sum((2, 4)).ravel()
        row = np.concatenate((quarters, last.sum((2, 3)).ravel()))
        found = row if not found.size else found + row
    return found


def main() -> None:
    """Print an AUC with its interval for each task."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with images/labels.csv")
    given = parser.parse_args()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    images = given.data / "images"
    with (images / "labels.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    scaled = [row["image"] for row in rows if row["tier"] == "A"][::7][:_SCALED]
    body = session(np.stack([picture(images / path) for path in scaled]))
    for source, label, goal in TASKS:
        mine = [row for row in rows if row["dataset"] == source]
        raw = np.stack([features(body, picture(images / row["image"])) for row in mine])
        spread = (raw - raw.mean(0)) / (raw.std(0) + 1e-9)
        whole = np.rint(spread * _STEP).clip(-_TOP, _TOP).astype(np.int16)
        has = np.array([row["label"] == label for row in mine])
        people = [row["group"] for row in mine]
        found = scoring.interval(scoring.cross(whole, has, people), has, people)
        told = f"{found.value:.3f} [{found.low:.3f} to {found.high:.3f}], goal {goal}"
        print(f"{source}, {label}: AUC {told}")  # a command's output


if __name__ == "__main__":
    main()
