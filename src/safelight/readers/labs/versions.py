"""Results that a later one of the same test and order takes the place of, or takes back."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

from safelight.readers.labs import analytes
from safelight.readers.labs.model import RawRow, Reason

__all__ = ["current"]

_Key = tuple[int, str, str | None, datetime | str | None]
_ANY: Final = "any"


def current(rows: Sequence[RawRow], sent: Sequence[datetime | None]) -> list[RawRow]:
    """Return the rows, those refused of which a later row corrects or takes back the result.

    Same person, test, order and time; a number or a time that one of them does not have is no
    difference.

    Args:
        rows: In the order of the file.
        sent: When the message of each row was sent; where one is not known, the order
            of the file counts.
    """
    order = list(range(len(rows)))
    known = [each for each in sent if each is not None]
    if len(known) == len(rows):
        order.sort(key=known.__getitem__)  # stable: the file's order within a message
    later: set[_Key] = set()
    out = list(rows)
    for at in reversed(order):
        row = rows[at]
        if row.refused is None and not later.isdisjoint(_asked(row)):
            out[at] = replace(row, refused=Reason.RETRACTED)
        if row.corrects:
            later.update(_told(row))
    return out


def _test(row: RawRow) -> str:
    """Return the analyte, or else the row's own words."""
    key = analytes.by_code(row.codes) if row.codes else Reason.UNKNOWN_ANALYTE
    if isinstance(key, Reason):
        key = analytes.by_name(row.names, row.unit, row.shorts)
    return "|".join((*row.codes, *row.shorts, *row.names)) if isinstance(key, Reason) else key


def _told(row: RawRow) -> Iterator[_Key]:
    test = _test(row)
    for number in (*(row.order or (None,)), _ANY):
        for when in (row.when, _ANY):
            yield row.person, test, number, when


def _asked(row: RawRow) -> Iterator[_Key]:
    test = _test(row)
    for number in (*row.order, None) if row.order else (_ANY,):
        for when in (row.when, None) if row.when else (_ANY,):
            yield row.person, test, number, when
