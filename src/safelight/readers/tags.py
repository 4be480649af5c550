"""Values of a data set, read safely: what cannot be read is as if it were absent.

pydicom turns raw values into Python's when they are first asked for, and may raise or warn then.
"""

import math
import re
import warnings
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

__all__ = ["age_years", "code_of", "items", "lossy", "number", "numbers", "raw", "text", "texts"]

_AGE: Final = re.compile(r"(\d{1,3})([DWMY])")
_DAYS: Final = {"D": 1.0, "W": 7.0, "M": 30.4375, "Y": 365.25}
_OLDEST: Final = 150
# Transfer syntaxes that lose, or may lose, and their Lossy Image Compression Method (0028,2114)
# (PS3.5 A.4, PS3.6 A, PS3.3 C.7.6.1.1.5.1)
_JPEG: Final = "1.2.840.10008.1.2.4."
_LOSSY: Final = {
    **{f"{_JPEG}{n}": "ISO_10918_1" for n in range(50, 57)},
    f"{_JPEG}81": "ISO_14495_1",
    **{f"{_JPEG}{n}": "ISO_15444_1" for n in (91, 93)},
    **{f"{_JPEG}{n}{part}": "ISO_13818_2" for n in (100, 101) for part in ("", ".1")},
    **{f"{_JPEG}{n}{part}": "ISO_14496_10" for n in range(102, 107) for part in ("", ".1")},
    **{f"{_JPEG}{n}": "ISO_23008_2" for n in (107, 108)},
    **{f"{_JPEG}{n}": "ISO_18181_1" for n in (111, 112)},
    f"{_JPEG}203": "ISO_15444_15",
}


def _value(dataset: "Dataset | None", tag: str | int) -> Any:
    if dataset is None:
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a doubtful value is checked by whoever uses it
        try:
            found = dataset.get(tag)
            # a keyword gives the value, a tag the element
            return found if isinstance(tag, str) or found is None else found.value
        except (ValueError, TypeError, KeyError, AttributeError, OverflowError, RuntimeError,
                IndexError, UnicodeError):  # fmt: skip
            return None


def raw(dataset: "Dataset | None", tag: str | int) -> Any:
    """Return a value as pydicom gives it; None when absent or unreadable."""
    return _value(dataset, tag)


def texts(dataset: "Dataset | None", tag: str | int) -> tuple[str, ...]:
    """Return all values of an element as text, without padding; empty ones are left out."""
    value = _value(dataset, tag)
    if value is None or isinstance(value, bytes):
        return ()
    several = (
        value
        if isinstance(value, list | tuple) or type(value).__name__ == "MultiValue"
        else (value,)
    )
    return tuple(one for one in (str(each).strip(" \0") for each in several) if one)


def text(dataset: "Dataset | None", tag: str | int) -> str:
    """Return the first value as text; empty when absent."""
    found = texts(dataset, tag)
    return found[0] if found else ""


def numbers(dataset: "Dataset | None", tag: str | int) -> tuple[float, ...]:
    """Return all values as finite numbers; nothing when one of them is none."""
    found = []
    for each in texts(dataset, tag):
        try:
            value = float(each)
        except ValueError:
            return ()
        if not math.isfinite(value):
            return ()
        found.append(value)
    return tuple(found)


def number(dataset: "Dataset | None", tag: str | int) -> float | None:
    """Return the first value as a finite number; None when there is none."""
    found = numbers(dataset, tag)
    return found[0] if found else None


def items(dataset: "Dataset | None", tag: str | int) -> tuple["Dataset", ...]:
    """Return the items of a sequence; none when it is absent or no sequence."""
    from pydicom.sequence import Sequence  # noqa: PLC0415  # start-up cost

    value = _value(dataset, tag)
    return tuple(value) if isinstance(value, Sequence) else ()


def code_of(item: "Dataset") -> tuple[str, str, str]:
    """Return scheme, value and meaning of a coded concept (PS3.3 8.8)."""
    value = text(item, "CodeValue") or text(item, "LongCodeValue")
    return text(item, "CodingSchemeDesignator"), value, text(item, "CodeMeaning")


def lossy(dataset: "Dataset | None") -> str:
    """Return the method of a transfer syntax that loses, or may lose; empty for another."""
    return _LOSSY.get(text(getattr(dataset, "file_meta", None), "TransferSyntaxUID"), "")


def age_years(written: str) -> float | None:
    """Return the years of an Age String such as ``045Y`` or ``003M`` (PS3.5 6.2); None if none."""
    match = _AGE.fullmatch(written.strip(" \0").upper())
    if match is None:
        return None
    years = int(match[1]) * _DAYS[match[2]] / _DAYS["Y"]
    return years if years <= _OLDEST else None
