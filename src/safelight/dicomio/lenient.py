"""What the walker cannot be sure of is read by pydicom and written again in plain form."""

import io
import logging
import warnings
from typing import Any, Final

from safelight.dicomio.dictionary import lookup
from safelight.dicomio.limits import Limits
from safelight.dicomio.syntax import DEFLATED, EXPLICIT_LITTLE
from safelight.dicomio.walker import Buffer, place
from safelight.errors import LimitExceededError, UnreadableInputError

__all__ = ["normalise"]

_LARGEST: Final = 64 << 20
_FEWEST: Final = 3
_PADDING: Final = 8
_UNDEFINED: Final = 0xFFFFFFFF
_SEQUENCE_ENDS: Final = (b"\xfe\xff\xdd\xe0\0\0\0\0", b"\xff\xfe\xe0\xdd\0\0\0\0")
_ITEM: Final = b"\xfe\xff\x00\xe0"
_ITEM_BIG: Final = b"\xff\xfe\xe0\x00"


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

    if max(data[:].count(_ITEM), data[:].count(_ITEM_BIG)) > limits.items:
        raise LimitExceededError(f"more than {limits.items} items (limit items)")
    logger = logging.getLogger("pydicom")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what pydicom doubts is checked again by the walk
        was = logger.disabled
        logger.disabled = True  # it would tell values
        try:
            with config.disable_value_validation():
                file = io.BytesIO(data[:])
                found = dcmread(file, force=True)
                _check_whole(found, data, file.tell())
                _check(found, limits)
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
        finally:
            logger.disabled = was
    return out.getvalue()


def _check_whole(found: Any, data: Buffer, read: int) -> None:
    """Refuse what was read only in part: the reader passes over a broken end without a word."""
    if len(data) - read > _PADDING:
        raise UnreadableInputError("the reader stopped before the end")
    if len(found) < _FEWEST:
        raise UnreadableInputError("it holds next to nothing that can be read as DICOM")
    if getattr(found, "file_meta", None) is None:
        raise UnreadableInputError("it has no file meta information and cannot be guessed")
    if found.file_meta.get("TransferSyntaxUID") == DEFLATED:
        raise UnreadableInputError("an odd encoding inside a deflated data set")
    end = 0
    for tag in found.keys():  # noqa: SIM118 - values would be decoded
        raw = found.get_item(tag)
        length = getattr(raw, "length", _UNDEFINED)
        if length == _UNDEFINED:
            continue
        if length != len(raw.value or b""):
            raise UnreadableInputError("a length leads past the end", place=place(tag))
        end = max(end, raw.value_tell + length)
    for delimiter in _SEQUENCE_ENDS:  # an undefined length ends with one
        end = max(end, data.rfind(delimiter) + len(delimiter))
    if any(data[end:]):
        raise UnreadableInputError("it breaks off after its last element")


def _check(found: Any, limits: Limits) -> None:
    """Hold what was read against the limits and the dictionary; sequences are decoded on the way.

    A reader that lost its place makes up tags that nobody knows.
    """
    count = 0
    level = [found]
    for _depth in range(limits.depth_read):
        deeper: list[Any] = []
        for items in level:
            count += len(items)
            if count > limits.elements:
                raise LimitExceededError(f"more than {limits.elements} elements (limit elements)")
            for tag in items.keys():  # noqa: SIM118 - values would be decoded
                deeper += _inside(items, int(tag), limits)
        if not deeper:
            return
        level = deeper
    raise LimitExceededError(f"nested deeper than {limits.depth_read} (limit depth_read)")


def _inside(items: Any, tag: int, limits: Limits) -> list[Any]:
    """Return the items of an element, after a look at what it says it is."""
    entry = lookup(tag)
    if entry is None and not tag & 0x10000 and tag & 0xFFFF:
        raise UnreadableInputError("the reader lost its place", place=place(tag))
    raw = items.get_item(tag)
    value = raw.value
    numbers = raw.VR in ("DS", "IS") or (entry is not None and entry.vr in ("DS", "IS"))
    if numbers and isinstance(value, bytes) and value.count(b"\\") >= limits.values:
        raise LimitExceededError(f"more than {limits.values} values (limit values)")
    return list(items[tag].value or ()) if items[tag].VR == "SQ" else []
