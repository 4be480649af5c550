"""What an ONNX model is made of, read from its bytes before anything runs it.

The protocol buffer is walked by hand (field numbers are those of onnx.proto, IR version 10): the
package that would parse it is not needed at run time, and parsing is where trouble begins.
"""

from collections.abc import Iterator
from typing import Final

from safelight.errors import LimitExceededError, UnreadableInputError

__all__ = ["OPERATORS", "inspect"]

MOST_NODES: Final = 5000
MOST_ELEMENTS: Final = 64_000_000

# Arithmetic on tensors of fixed kinds: nothing that loops, branches, reads files or draws numbers.
_NAMES: Final = (
    "Abs Add And ArgMax AveragePool BatchNormalization Cast Ceil Clip Concat Constant "
    "ConstantOfShape Conv ConvTranspose DepthToSpace DequantizeLinear Div Dropout Elu Equal Erf "
    "Exp Expand Flatten Floor Gather Gelu Gemm GlobalAveragePool GlobalMaxPool Greater HardSigmoid "
    "HardSwish Identity InstanceNormalization LayerNormalization LeakyRelu Less Log LogSoftmax "
    "MatMul MatMulInteger Max MaxPool Mean Min Mish Mul Neg Not Or PRelu Pad Pow QLinearConv "
    "QLinearMatMul QuantizeLinear Reciprocal ReduceMax ReduceMean ReduceMin ReduceSum Relu Reshape "
    "Resize Shape Sigmoid Sign Slice Softmax Softplus SpaceToDepth Split Sqrt Squeeze Sub Sum Tanh "
    "Transpose Unsqueeze Where"
)
OPERATORS: Final = frozenset(_NAMES.split())

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_MOST_SHIFT: Final = 63
# onnx.proto: ModelProto, GraphProto, NodeProto, AttributeProto, TensorProto.
_MODEL_GRAPH, _MODEL_OPSET, _MODEL_FUNCTIONS = 7, 8, 25
_GRAPH_NODE, _GRAPH_INITIALIZER, _GRAPH_SPARSE = 1, 5, 15
_NODE_OPERATOR, _NODE_ATTRIBUTE, _NODE_DOMAIN = 4, 5, 7
_ATTRIBUTE_TENSOR, _ATTRIBUTE_GRAPH, _ATTRIBUTE_GRAPHS = 5, 6, 11
_ATTRIBUTE_TENSORS, _ATTRIBUTE_SPARSE, _ATTRIBUTE_SPARSES = 10, 22, 23
_TENSOR_DIMS, _TENSOR_EXTERNAL, _TENSOR_PLACE = 1, 13, 14
_OPSET_DOMAIN = 1
_OWN_DOMAINS: Final = frozenset({b"", b"ai.onnx"})


def _number(data: memoryview, place: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[place]
        place += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:  # noqa: PLR2004  # the bit that says more follows
            return value, place
        shift += 7
        if shift > _MOST_SHIFT:
            raise ValueError("a number of more than 64 bits")


def _fields(data: memoryview) -> Iterator[tuple[int, int | memoryview]]:
    place = 0
    while place < len(data):
        key, place = _number(data, place)
        kind = key & 7
        value: int | memoryview
        if kind == _VARINT:
            value, place = _number(data, place)
        elif kind == _BYTES:
            size, place = _number(data, place)
            value, place = data[place : place + size], place + size
        elif kind in {_FIXED32, _FIXED64}:
            size = 4 if kind == _FIXED32 else 8
            value, place = data[place : place + size], place + size
        else:
            raise ValueError("a field of an unknown kind")
        if place > len(data):
            raise ValueError("cut short")
        yield key >> 3, value


def inspect(model: bytes) -> int:
    """Return how many operators a model has, when it is allowed.

    Raises:
        UnreadableInputError: When it is no model, or uses what is not allowed.
        LimitExceededError: When it is too large.
    """
    nodes = 0
    graphs = 0
    try:
        for field, value in _fields(memoryview(model)):
            if field == _MODEL_GRAPH and isinstance(value, memoryview):
                graphs += 1
                nodes += _graph(value)
            elif field == _MODEL_FUNCTIONS:
                raise UnreadableInputError("the model brings functions of its own")
            elif field == _MODEL_OPSET and isinstance(value, memoryview):
                _opset(value)
    except (ValueError, IndexError) as error:
        raise UnreadableInputError("this is not an ONNX model") from error
    if graphs != 1 or not nodes:
        raise UnreadableInputError("this is not an ONNX model")
    return nodes


def _opset(data: memoryview) -> None:
    for field, value in _fields(data):
        if field == _OPSET_DOMAIN and bytes(_held(value)) not in _OWN_DOMAINS:
            raise UnreadableInputError("the model uses operators of another maker")


def _held(value: int | memoryview) -> memoryview:
    if isinstance(value, int):
        raise ValueError("a number where bytes are due")  # noqa: TRY004  # as every malformed part
    return value


def _graph(data: memoryview) -> int:
    nodes = elements = 0
    for field, value in _fields(data):
        if field == _GRAPH_NODE:
            nodes += 1
            elements += _node(_held(value))
        elif field == _GRAPH_INITIALIZER:
            elements += _tensor(_held(value))
        elif field == _GRAPH_SPARSE:
            raise UnreadableInputError("the model holds sparse tensors")
        if nodes > MOST_NODES or elements > MOST_ELEMENTS:
            raise LimitExceededError("the model is too large")
    return nodes


def _node(data: memoryview) -> int:
    """Return how many numbers a node holds itself, when it is allowed."""
    elements = 0
    for field, value in _fields(data):
        if field == _NODE_OPERATOR:
            name = bytes(_held(value)).decode("ascii", "replace")
            if name not in OPERATORS:
                raise UnreadableInputError("the model uses an operator that is not allowed")
        elif field == _NODE_DOMAIN and bytes(_held(value)) not in _OWN_DOMAINS:
            raise UnreadableInputError("the model uses operators of another maker")
        elif field == _NODE_ATTRIBUTE:
            for inner, held in _fields(_held(value)):
                if inner in {_ATTRIBUTE_GRAPH, _ATTRIBUTE_GRAPHS}:
                    raise UnreadableInputError("the model branches or loops")
                if inner in {_ATTRIBUTE_SPARSE, _ATTRIBUTE_SPARSES}:
                    raise UnreadableInputError("the model holds sparse tensors")
                if inner in {_ATTRIBUTE_TENSOR, _ATTRIBUTE_TENSORS}:
                    elements += _tensor(_held(held))
    return elements


def _tensor(data: memoryview) -> int:
    elements = 1
    for field, value in _fields(data):
        if field == _TENSOR_DIMS:
            for one in _dims(value):
                elements *= one
        elif field == _TENSOR_EXTERNAL or (field == _TENSOR_PLACE and value):
            raise UnreadableInputError("the model keeps numbers in other files")
    return elements


def _dims(value: int | memoryview) -> Iterator[int]:
    if isinstance(value, int):
        yield value
        return
    place = 0
    while place < len(value):
        one, place = _number(value, place)
        yield one
