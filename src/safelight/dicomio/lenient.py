"""What the walker cannot be sure of is read by pydicom and written again in plain form."""

import io
import warnings
from typing import Any, Final

from safelight.dicomio.limits import Limits
from safelight.dicomio.syntax import EXPLICIT_LITTLE
from safelight.dicomio.walker import Buffer
from safelight.errors import LimitExceededError, UnreadableInputError

__all__ = ["normalise"]

_LARGEST: Final = 64 << 20
_FEWEST: Final = 3
_PADDING: Final = 8


def normalise(data: Buffer, limits: Limits) -> bytes:
    """Return a DICOM file as pydicom reads it, in explicit VR little endian or as encapsulated.

    Args:
        data: The whole file.
        limits: ``depth_read`` bounds the nesting, ``elements`` their number.

    Raises:
        UnreadableInputError: pydicom cannot read it either, or finds nothing in it.
        LimitExceededError: It is too large for this way, or nested too deep.
    """
    if len(data) > min(_LARGEST, limits.header_bytes):
        raise LimitExceededError("an odd encoding in a file too large to be rewritten")
    from pydicom import config, dcmread  # noqa: PLC0415 - start-up cost
    from pydicom.uid import UID  # noqa: PLC0415 - as above

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what pydicom doubts is checked again by the walk
        try:
            with config.disable_value_validation():
                file = io.BytesIO(data[:])
                found = dcmread(file, force=True)
                _check(found, limits, len(data) - file.tell())
                syntax = UID(str(found.file_meta.get("TransferSyntaxUID", "")))
                known = syntax.is_transfer_syntax and not syntax.is_private if syntax else False
                if not (known and syntax.is_encapsulated):
                    syntax = UID(EXPLICIT_LITTLE)
                found.file_meta.TransferSyntaxUID = syntax
                out = io.BytesIO()
                found.save_as(out, enforce_file_format=False)
        except (LimitExceededError, UnreadableInputError):
            raise
        except RecursionError as error:
            raise LimitExceededError("sequences nested too deep (limit depth_read)") from error
        except Exception as error:
            raise UnreadableInputError(
                f"it cannot be read as DICOM ({type(error).__name__})"
            ) from error
    return out.getvalue()


def _check(found: Any, limits: Limits, unread: int) -> None:
    if unread > _PADDING:
        raise UnreadableInputError("the reader stopped before the end")
    if len(found) < _FEWEST:
        raise UnreadableInputError("it holds next to nothing that can be read as DICOM")
    if not hasattr(found, "file_meta") or found.file_meta is None:
        raise UnreadableInputError("it has no file meta information and cannot be guessed")
    count = 0
    level = [found]
    for _depth in range(limits.depth_read):
        deeper = []
        for items in level:
            for element in items:
                count += 1
                if element.VR == "SQ":
                    deeper += list(element.value)
        if count > limits.elements:
            raise LimitExceededError(f"more than {limits.elements} elements (limit elements)")
        if not deeper:
            return
        level = deeper
    raise LimitExceededError(f"nested deeper than {limits.depth_read} (limit depth_read)")
