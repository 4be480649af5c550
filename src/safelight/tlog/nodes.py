"""Entries and nodes of the tree in the database: added once, looked up by their place.

A row (a tile) holds five levels of the tree below one node: 32 hashes, 16 above them, then 8, 4
and 2; zeros where the tree has not grown yet. A proof at a million leaves reads about eight rows
by their keys, and a batch of a thousand entries writes about forty.
"""

from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from typing import Any, Final

from sqlalchemy import Connection, Table, bindparam, func, insert, select, update

from safelight.errors import LogError
from safelight.store.schema.tlog import leaves, nodes
from safelight.tlog.tree import HASH_BYTES, Grower, Node, Span, cover, fold, leaf_hash

__all__ = [
    "ENTRY_BYTES_MOST",
    "add",
    "check_entries",
    "entry",
    "hashes_of",
    "layer_of",
    "place",
    "place_name",
    "read_entries",
    "size_of",
    "spread",
    "tiles",
]

ENTRY_BYTES_MOST: Final = 65_535
TILE_LEVELS: Final = 5
TILE_WIDTH: Final = 1 << TILE_LEVELS
TILE_BYTES: Final = (2 * TILE_WIDTH - 2) * HASH_BYTES
STARTS: Final = tuple(2 * TILE_WIDTH - (2 * TILE_WIDTH >> low) for low in range(TILE_LEVELS))
LAYER_SHIFT: Final = 48
_NOTHING: Final = bytes(HASH_BYTES)  # where the tree has not grown yet
_READ: Final = 4096
_TILES_MOST: Final = 32

_SIZE: Final = select(func.coalesce(func.max(leaves.c.position) + 1, 0))
_ENTRY: Final = select(leaves.c.entry).where(leaves.c.position == bindparam("at"))
_ENTRIES: Final = (
    select(leaves.c.position, leaves.c.entry)
    .where(leaves.c.position >= bindparam("start"), leaves.c.position < bindparam("stop"))
    .order_by(leaves.c.position)
)
_PART: Final = (
    update(nodes)
    .where(nodes.c.place == bindparam("at"), nodes.c.hashes == bindparam("old"))
    .values(hashes=bindparam("new"))
)


def place(node: Node) -> tuple[int, int]:
    """Return the key of the tile that holds a node, and the node's first byte in it."""
    layer, low = divmod(node[0], TILE_LEVELS)
    bits = TILE_LEVELS - low
    return layer << LAYER_SHIFT | node[1] >> bits, (
        (STARTS[low] + (node[1] & (1 << bits) - 1)) * HASH_BYTES
    )


def layer_of(key: int) -> Node:
    """Return the level of a tile's lowest nodes, and its number among the tiles there."""
    return (key >> LAYER_SHIFT) * TILE_LEVELS, key & (1 << LAYER_SHIFT) - 1


def place_name(key: int) -> str:
    """Return a tile's key in words."""
    return f"tile {key & (1 << LAYER_SHIFT) - 1} of layer {key >> LAYER_SHIFT}"


def spread(tiles: dict[int, bytearray], first: Node, hashes: Sequence[bytes]) -> None:
    """Write neighbouring nodes of one level into their tiles, making tiles that are not there.

    Args:
        tiles: By their keys.
        first: The node of the first hash.
        hashes: Of it and its neighbours to the right.
    """
    layer, low = divmod(first[0], TILE_LEVELS)
    width = TILE_WIDTH >> low
    data, index = memoryview(b"".join(hashes)), first[1]
    while data:
        number, at = divmod(index, width)
        key = layer << LAYER_SHIFT | number
        tile = tiles.get(key)
        if tile is None:
            tile = tiles[key] = bytearray(TILE_BYTES)
        part = data[: (width - at) * HASH_BYTES]
        start = (STARTS[low] + at) * HASH_BYTES
        tile[start : start + len(part)] = part
        index, data = (number + 1) * width, data[len(part) :]


def size_of(conn: Connection) -> int:
    """Return the number of entries."""
    return int(conn.execute(_SIZE).scalar_one())


def entry(conn: Connection, index: int) -> bytes:
    """Return one entry.

    Raises:
        LogError: There is none of this index.
    """
    found = conn.execute(_ENTRY, {"at": index}).scalar()
    if found is None:
        raise LogError("the log has no such entry", place=f"entry {index}")
    return bytes(found)


def read_entries(conn: Connection, start: int, stop: int) -> Iterator[tuple[int, bytes]]:
    """Yield entries with their indices, in order, holding a few thousand at a time."""
    for first in range(start, stop, _READ):
        span = {"start": first, "stop": min(first + _READ, stop)}
        for position, data in conn.execute(_ENTRIES, span):
            yield position, bytes(data)


@cache
def _look_up(count: int) -> tuple[Any, tuple[str, ...]]:
    """Return a query for so many tiles: a list of fixed length is compiled once, others never."""
    names = tuple(f"p{at}" for at in range(count))
    wanted = nodes.c.place.in_([bindparam(name) for name in names])
    return select(nodes.c.place, nodes.c.hashes).where(wanted), names


def tiles(conn: Connection, places: Iterable[int]) -> dict[int, bytes]:
    """Return the tiles that are there, by their keys."""
    keys = sorted(places)
    found: dict[int, bytes] = {}
    for start in range(0, len(keys), _TILES_MOST):
        some = keys[start : start + _TILES_MOST]
        query, names = _look_up(len(some))
        result = conn.execute(query, dict(zip(names, some, strict=True)))
        for key, data in result:
            found[int(key)] = bytes(data)
    return found


def _pick(rows: dict[int, bytes], key: int, start: int) -> bytes:
    found = rows.get(key, b"")[start : start + HASH_BYTES]
    if len(found) != HASH_BYTES or found == _NOTHING:
        raise LogError("the log is not as large, or a node is missing", place=place_name(key))
    return found


def hashes_of(conn: Connection, spans: Sequence[Span]) -> list[bytes]:
    """Return the Merkle tree hash of each span of leaves, with one look-up for all.

    Raises:
        LogError: A node is missing: the log is shorter, or damaged.
    """
    covers = [[place(node) for node in cover(span)] for span in spans]
    rows = tiles(conn, {key for places in covers for key, _ in places})
    return [fold([_pick(rows, *one) for one in places]) for places in covers]


def check_entries(entries: Iterable[bytes]) -> None:
    """Refuse entries that the log does not take.

    Raises:
        LogError: One is longer than 65,535 bytes.
    """
    if any(len(one) > ENTRY_BYTES_MOST for one in entries):
        raise LogError("an entry is too long for the log", todo="log a commitment to it instead")


def add(conn: Connection, entries: Sequence[bytes]) -> list[int]:
    """Add entries at the end and the nodes they complete; return their indices.

    Call inside a write transaction: there is one writer at a time.

    Raises:
        LogError: An entry is longer than 65,535 bytes, or the tree's nodes are damaged.
    """
    check_entries(entries)
    if not entries:
        return []
    size = size_of(conn)
    peaks = [place(node) for node in cover((0, size))]
    old = tiles(conn, {key for key, _ in peaks})  # the tiles that are not full yet
    grower = Grower(size, [_pick(old, *one) for one in peaks])
    made = {key: bytearray(tile) for key, tile in old.items()}
    for first, hashes in grower.grow([leaf_hash(one) for one in entries]):
        spread(made, first, hashes)
    positions = range(size, size + len(entries))
    found = zip(positions, entries, strict=True)
    _insert(conn, leaves, [{"position": at, "entry": one} for at, one in found])
    fresh = made.keys() - old.keys()
    _insert(conn, nodes, [{"place": key, "hashes": bytes(made[key])} for key in sorted(fresh)])
    for key, before in old.items():
        if made[key] != before:
            change = {"at": key, "old": before, "new": bytes(made[key])}
            if conn.execute(_PART, change).rowcount != 1:
                raise LogError("a tile of the tree changed meanwhile", place=place_name(key))
    return list(positions)


def _insert(conn: Connection, table: Table, rows: list[dict[str, Any]]) -> None:
    if not rows:
        return
    if conn.dialect.name == "sqlite":
        conn.execute(insert(table), rows)
    else:  # many rows a statement: its driver sends a statement a row otherwise
        key = next(iter(table.primary_key))
        conn.execute(insert(table).returning(key), rows)
