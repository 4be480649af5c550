"""Dates and times of a header as moments that can be subtracted (PS3.5 6.2: DA, TM, DT)."""

import re
from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Final

from safelight.readers import tags

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

__all__ = ["apart", "as_written", "moment", "of_day", "stamp"]

_DAY: Final = re.compile(r"(\d{4})\.?(\d{2})\.?(\d{2})")
_TIME: Final = re.compile(r"(\d{2}):?(\d{2})?:?(\d{2})?(?:\.(\d{1,6}))?")
_STAMP: Final = re.compile(r"(\d{8})(\d{2,6}(?:\.\d{1,6})?)([+-]\d{4})?")


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
    """Return the moment of a DT value on the scanner's own clock; None when that is not known.

    Args:
        dataset: Holds it.
        keyword: Of the element.
        zone: Timezone Offset From UTC (0008,0201) of the object, such as ``+0100``: a value with
            an offset of its own is brought to that clock, and is not known without.
    """
    found, shift = as_written(dataset, keyword)
    own = re.fullmatch(r"([+-])(\d{2})(\d{2})", zone.strip())
    if found is None or not shift:
        return found
    if own is None:
        return None
    try:
        theirs = _offset(shift[0], shift[1:3], shift[3:])
        return found.replace(tzinfo=theirs).astimezone(_offset(*own.groups())).replace(tzinfo=None)
    except (ValueError, OverflowError):
        return None


def as_written(dataset: "Dataset", keyword: str | int) -> tuple[datetime | None, str]:
    """Return the digits of a DT value as a moment, None when it is none, and its own offset."""
    match = _STAMP.fullmatch(tags.text(dataset, keyword).replace("&", ""))
    if match is None:
        return None, ""
    return moment(match[1], match[2]), match[3] or ""


def apart(one: datetime, other: timedelta, every: timedelta) -> timedelta:
    """Return how far a moment's time of day is from another, by a clock that goes round.

    Args:
        one: The moment.
        other: Time since midnight.
        every: What the clock goes round in: a day; 15 minutes if the zone is not known, as zones
            are whole quarters of an hour apart.
    """
    midnight = one.replace(hour=0, minute=0, second=0, microsecond=0)
    rest = (one - midnight - other) % every
    return min(rest, every - rest)


def _offset(sign: str, hours: str, minutes: str) -> timezone:
    shift = timedelta(hours=int(hours), minutes=int(minutes))
    return timezone(-shift if sign == "-" else shift) if shift else UTC
