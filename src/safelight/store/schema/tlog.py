"""The transparency log's tables: entries, persisted nodes of the Merkle tree, checkpoints.

Nothing here names anyone: an entry is a salted commitment, a node a hash, a checkpoint public.
"""

from typing import Final

from sqlalchemy import BigInteger, Column, Integer, LargeBinary, Table

from safelight.store.schema.base import metadata

__all__ = ["checkpoints", "leaves", "nodes"]

# SQLite keeps a table by its key only when the key is called INTEGER
_Number: Final = BigInteger().with_variant(Integer(), "sqlite")

leaves: Final = Table(
    "tlog_leaves",
    metadata,
    Column("position", _Number, primary_key=True, autoincrement=False),
    Column("entry", LargeBinary, nullable=False),
    comment="Entries of the log by their index from 0, without gaps; only ever added to.",
)

nodes: Final = Table(
    "tlog_nodes",
    metadata,
    Column("place", _Number, primary_key=True, autoincrement=False),
    Column("hashes", LargeBinary, nullable=False),
    comment="Tiles: the hashes of five levels below one node; key: layer << 48 | number.",
)

checkpoints: Final = Table(
    "tlog_checkpoints",
    metadata,
    Column("size", _Number, primary_key=True, autoincrement=False),
    Column("note", LargeBinary, nullable=False),
    comment="Signed checkpoints (C2SP signed notes); UTF-8; each stands in a file outside.",
)
