"""What every table is made of: the one ``MetaData``, the types of ids and of moments.

House rule of the schema: ids are opaque, and no column holds an identifying value in clear.
"""

from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sqlalchemy import BigInteger, Column, MetaData, SmallInteger, String, Table
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

__all__ = ["EPOCH", "Id", "Moment", "clock", "metadata", "to_micros"]

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICRO: Final = timedelta(microseconds=1)

# Names are fixed by rule, so that a migration can name a constraint on either database.
metadata: Final = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

Id: Final = String(32)  # a UUID version 7 (RFC 9562) as 32 hex digits, or a keyed code


def to_micros(moment: datetime) -> int:
    """Return whole microseconds since 1970 in UTC.

    Raises:
        ValueError: The moment has no time zone.
    """
    if moment.tzinfo is None:
        raise ValueError("a moment needs a time zone")
    return (moment - EPOCH) // _MICRO


class Moment(TypeDecorator[datetime]):
    """A point in time, UTC, stored as whole microseconds since 1970: equal on every database."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:  # noqa: ARG002 - given by the base
        """Return the microseconds of a moment."""
        return None if value is None else to_micros(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:  # noqa: ARG002 - given by the base
        """Return the moment of stored microseconds."""
        return None if value is None else EPOCH + int(value) * _MICRO


clock: Final = Table(
    "clock",
    metadata,
    Column("id", SmallInteger, primary_key=True, autoincrement=False),
    Column("high", BigInteger, nullable=False),
    comment="One row: the latest moment that a committed transaction saw, in microseconds.",
)
