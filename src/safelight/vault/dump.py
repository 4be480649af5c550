"""Rows as portable files: a table is a file of JSON lines that either database takes."""

import base64
import json
import os
from collections.abc import Iterator
from datetime import timedelta
from typing import Any, Final

from sqlalchemy import Connection, Integer, LargeBinary, Table, insert, select, text

from safelight.store.schema.base import EPOCH, Moment, to_micros

__all__ = ["dump", "load", "path_of", "rows_in"]

_ROWS_AT_ONCE: Final = 500


def path_of(table: Table, place: str) -> str:
    """Return the file of a table in the folder of a snapshot."""
    return os.path.join(place, f"{table.name}.jsonl")


def rows_in(table: Table, place: str) -> Iterator[dict[str, Any]]:
    """Yield the rows of a table in a snapshot, by the names of their columns."""
    for batch in _batches(path_of(table, place)):
        for row in batch:
            yield _named(table, row)


def dump(conn: Connection, table: Table, place: str) -> int:
    """Write a table as JSON lines; return how many rows it has."""
    path = path_of(table, place)
    count = 0
    ordered = select(table).order_by(*table.primary_key.columns)
    with open(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600), "w", encoding="ascii") as file:
        for row in conn.execution_options(yield_per=_ROWS_AT_ONCE).execute(ordered):
            values = [_told(value) for value in row]
            file.write(json.dumps(values, separators=(",", ":")) + "\n")
            count += 1
        file.flush()
        os.fsync(file.fileno())
    return count


def _told(value: Any) -> Any:
    if isinstance(value, bytes | memoryview):
        return {"b": base64.b64encode(value).decode()}
    if hasattr(value, "tzinfo"):
        return {"t": to_micros(value)}
    return value


def load(conn: Connection, table: Table, place: str) -> int:
    """Put the rows of a table back; return how many there were."""
    path = path_of(table, place)
    conn.execute(table.delete())
    count = 0
    for some in _batches(path):
        rows = [_named(table, row) for row in some]
        conn.execute(insert(table), rows)
        count += len(rows)
    _count_on(conn, table)
    return count


def _named(table: Table, row: list[Any]) -> dict[str, Any]:
    return {
        column.name: _back(column.type, value)
        for column, value in zip(table.columns, row, strict=True)
    }


def _count_on(conn: Connection, table: Table) -> None:
    """Let PostgreSQL's counters go on after the numbers that were put back."""
    column = table.autoincrement_column
    if conn.dialect.name != "postgresql" or column is None or not isinstance(column.type, Integer):
        return
    told = {"table": table.name, "column": column.name}
    found = text("SELECT pg_get_serial_sequence(:table, :column)")
    if conn.execute(found, told).scalar():
        high = f'SELECT coalesce(max("{column.name}"), 0) + 1 FROM "{table.name}"'  # noqa: S608  # names of the schema
        conn.execute(
            text(f"SELECT setval(pg_get_serial_sequence(:table, :column), ({high}), false)"), told
        )


def _batches(path: str) -> Iterator[list[list[Any]]]:
    batch: list[list[Any]] = []
    with open(path, encoding="ascii") as file:
        for line in file:
            batch.append(json.loads(line))
            if len(batch) >= _ROWS_AT_ONCE:
                yield batch
                batch = []
    if batch:
        yield batch


def _back(kind: Any, value: Any) -> Any:
    if isinstance(value, dict) and isinstance(kind, LargeBinary):
        return base64.b64decode(value["b"])
    if isinstance(value, dict) and isinstance(kind, Moment):
        return EPOCH + timedelta(microseconds=value["t"])
    return value
