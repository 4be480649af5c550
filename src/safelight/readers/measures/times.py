"""Dates and times of a header as moments that can be subtracted (PS3.5 6.2: DA, TM, DT)."""

import re
from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Final

from safelight.readers import tags

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

__all__ = ["moment", "of_day", "stamp"]

_DAY: Final = re.compile(r"(\d{4})\.?(\d{2})\.?(\d{2})")
_TIME: Final = re.compile(r"(\d{2}):?(\d{2})?:?(\d{2})?(?:\.(\d{1,6}))?")
_STAMP: Final = re.compile(r"(\d{8})(\d{2,6}(?:\.\d{1,6})?)(?:([+-])(\d{2})(\d{2}))?")


def of_day(written: str) -> timedelta | None:
    """Return the time since midnight of a TM value; None when it is none."""
    match = _TIME.fullmatch(written.strip())
    if match is None:
        return None
    hours, minutes, seconds = (int(match[n] or 0) for n in (1, 2, 3))
    if hours > 23 or minutes > 59 or seconds > 60:  # noqa: PLR2004 - a day, and leap seconds
        return None
    micro = int((match[4] or "").ljust(6, "0"))
    return timedelta(hours=hours, minutes=minutes, seconds=seconds, microseconds=micro)


def moment(day: str, time: str) -> datetime | None:
    """Return the moment of a DA and a TM value, without a zone; None when either is none."""
    match, since = _DAY.fullmatch(day.strip()), of_day(time)
    if match is None or since is None:
        return None
    try:
        return datetime(int(match[1]), int(match[2]), int(match[3])) + since  # noqa: DTZ001  # the scanner's own clock
    except ValueError:
        return None


def stamp(dataset: "Dataset", keyword: str | int, zone: str = "") -> datetime | None:
    """Return the moment of a DT value on the scanner's own clock; None when it is none.

    Args:
        dataset: Holds it.
        keyword: Of the element.
        zone: Timezone Offset From UTC (0008,0201) of the object, such as ``+0100``: a value with
            an offset of its own is brought to that clock; without one its digits are taken.
    """
    match = _STAMP.fullmatch(tags.text(dataset, keyword).replace("&", ""))
    if match is None:
        return None
    found = moment(match[1], match[2])
    own = re.fullmatch(r"([+-])(\d{2})(\d{2})", zone.strip())
    if found is None or match[3] is None or own is None:
        return found
    try:
        theirs = _offset(match[3], match[4], match[5])
        return found.replace(tzinfo=theirs).astimezone(_offset(*own.groups())).replace(tzinfo=None)
    except (ValueError, OverflowError):
        return None


def _offset(sign: str, hours: str, minutes: str) -> timezone:
    shift = timedelta(hours=int(hours), minutes=int(minutes))
    return timezone(-shift if sign == "-" else shift) if shift else UTC
