"""Open the networks: our own beside this file, the reader's by path inside its installed wheel."""

import importlib.util
import os
from typing import Any, Final

import onnxruntime

from safelight.errors import SettingsError

__all__ = ["open_model", "reader_model"]

_QUIET: Final = 3


def open_model(path: str) -> Any:
    """Return an inference session on one CPU thread; the same input gives the same output."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = _QUIET
    # The arena would keep the memory of the largest image ever seen.
    options.enable_cpu_mem_arena = False
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def reader_model() -> str:
    """Return the path of the recogniser in the rapidocr wheel, which is never imported.

    Raises:
        SettingsError: When the wheel or the model in it is missing.
    """
    spec = importlib.util.find_spec("rapidocr")
    if spec is not None and spec.origin:
        folder = os.path.join(os.path.dirname(spec.origin), "models")
        names = sorted(os.listdir(folder)) if os.path.isdir(folder) else []
        fitting = [name for name in names if "_rec_" in name and name.endswith(".onnx")]
        if fitting:
            return os.path.join(folder, fitting[-1])
    raise SettingsError(
        "the models for reading text in pixels are missing",
        todo="install the package rapidocr 3.10 or later, whose wheel brings them",
    )
