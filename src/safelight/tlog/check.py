"""Everything of the log hashed again, and the first place that is not what was signed."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Final

from sqlalchemy import Connection, func, select

from safelight.errors import LogError
from safelight.store.schema.tlog import checkpoints, leaves
from safelight.store.schema.tlog import nodes as nodes_table
from safelight.tlog import nodes
from safelight.tlog.checkpoint import Checkpoint
from safelight.tlog.outside import Outside
from safelight.tlog.tree import HASH_BYTES, Grower, leaf_hash

__all__ = ["Problem", "Verified", "check"]

_BATCH: Final = 4096
_PROBLEMS_MOST: Final = 100
_Parse = Callable[[bytes], Checkpoint]


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Problem:
    """One place that is not what it should be.

    Attributes:
        entry: The first entry that it touches; what problems are sorted by.
        place: Such as ``entry 7`` or ``checkpoint 100 (outside)``.
        what: In words.
    """

    entry: int
    place: str
    what: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """What ``Log.verify`` found.

    Attributes:
        size: Entries.
        root: Of the entries as they stand, 32 bytes.
        checkpoints: How many were checked, all places together.
        problems: By place; at most 100.
    """

    size: int
    root: bytes
    checkpoints: int
    problems: tuple[Problem, ...]

    @property
    def holds(self) -> bool:
        """Say whether nothing is wrong."""
        return not self.problems

    @property
    def first(self) -> Problem | None:
        """Return the first bad place."""
        return self.problems[0] if self.problems else None


@dataclass(slots=True, kw_only=True)
class _Work:
    conn: Connection
    outside: Outside
    size: int
    grower: Grower = field(default_factory=Grower)
    tiles: dict[int, bytearray] = field(default_factory=dict)
    compared: int = 0
    problems: list[Problem] = field(default_factory=list)
    told: set[str] = field(default_factory=set)

    def say(self, entry: int, place: str, what: str) -> None:
        if place not in self.told and len(self.problems) < _PROBLEMS_MOST:
            self.told.add(place)
            self.problems.append(Problem(entry=entry, place=place, what=what))


def check(
    conn: Connection, outside: Outside, parse: _Parse, seen: Sequence[str | bytes]
) -> Verified:
    """Hash the log again.

    Args:
        conn: Sees one moment of the database.
        outside: The files beside it.
        parse: Reads a checkpoint note and checks its signatures.
        seen: Checkpoint notes that others hold.
    """
    work = _Work(conn=conn, outside=outside, size=nodes.size_of(conn))
    signed = _signed(work, parse, seen)
    _count_rows(work)
    stops = sorted({one.size for one, _ in signed if one.size <= work.size} | {work.size})
    roots = {0: work.grower.root()}
    entries = _both(work, max((one.size for one, _ in signed), default=0))
    for stop in stops:
        while work.grower.size < stop:
            some = list(islice(entries, min(_BATCH, stop - work.grower.size)))
            if not some:
                break
            _grow(work, some)
        roots[work.grower.size] = work.grower.root()
    next(entries, None)  # what comes after the last entry
    _compare(work, done=True)
    before = 0
    for one, where in sorted(signed, key=lambda pair: (pair[0].size, pair[1])):
        place = f"checkpoint {one.size} ({where})"
        if one.size > work.size:
            work.say(work.size, place, "signed, but the log is shorter now")
        elif one.size in roots and roots[one.size] != one.root:
            work.say(one.size, place, f"the log is not what was signed, from entry {before} on")
        elif one.size in roots:
            before = one.size
    return Verified(
        size=work.size,
        root=work.grower.root(),
        checkpoints=len(signed),
        problems=tuple(sorted(work.problems)),
    )


def _signed(
    work: _Work, parse: _Parse, seen: Sequence[str | bytes]
) -> list[tuple[Checkpoint, str]]:
    """Return every checkpoint that can be read, with where it was."""
    found: list[tuple[Checkpoint, str]] = []
    rows = work.conn.execute(select(checkpoints.c.size, checkpoints.c.note)).all()
    files, rest = work.outside.notes()
    if rest:
        work.say(
            work.size, "checkpoints (outside)", "the file does not end with a whole checkpoint"
        )
    kept = [(f"row {size}", int(size), bytes(note), "database") for size, note in rows]
    kept += [(f"note {at}", -1, note, "outside") for at, note in enumerate(files, start=1)]
    given = [one.encode() if isinstance(one, str) else one for one in seen]
    kept += [(f"note {at}", -1, note, "given") for at, note in enumerate(given, start=1)]
    for name, size, note, where in kept:
        try:
            one = parse(note)
        except LogError as error:
            work.say(max(size, 0), f"checkpoint, {name} ({where})", error.what)
            continue
        if size not in (-1, one.size):
            work.say(
                min(size, one.size), f"checkpoint, {name} ({where})", "stands under another size"
            )
        found.append((one, where))
    outside = {one.size for one, where in found if where == "outside"}
    for one, where in found:
        if where == "database" and one.size not in outside:
            place = f"checkpoint {one.size} (outside)"
            work.say(one.size, place, "is in the database and not in the file outside")
    sizes = [one.size for one, where in found if where == "outside"]
    if sizes != sorted(sizes):
        work.say(0, "checkpoints (outside)", "are not in the order they were made in")
    return found


def _count_rows(work: _Work) -> None:
    count = select(func.count(), func.min(leaves.c.position)).select_from(leaves)
    rows, first = work.conn.execute(count).one()
    if rows != work.size or (rows and first != 0):
        work.say(max(work.size, 0), "entries", "there are more or fewer rows than entries")


def _both(work: _Work, signed: int) -> Iterator[bytes]:
    """Yield the entries of the database, comparing each with the copy outside."""
    copies = work.outside.entries()
    for expected, (index, entry) in enumerate(nodes.read_entries(work.conn, 0, work.size)):
        if index != expected:
            work.say(expected, f"entry {expected}", "is missing")
            return
        copy = next(copies, None)
        if copy is None and index < signed:
            work.say(index, "entries (outside)", "the copy outside ends before what was signed")
        elif copy is not None and copy != entry:
            work.say(index, f"entry {index}", "differs from the copy outside")
        yield entry
    if work.outside.spare() or next(copies, None) is not None:
        work.say(work.size, "entries (outside)", "the copy outside holds more than the log")


def _grow(work: _Work, some: list[bytes]) -> None:
    for first, hashes in work.grower.grow([leaf_hash(one) for one in some]):
        nodes.spread(work.tiles, first, hashes)
    _compare(work, done=False)


def _compare(work: _Work, *, done: bool) -> None:
    """Compare the tiles that are full, or all at the end, with those in the database."""

    def full(key: int) -> bool:
        level, number = nodes.layer_of(key)
        return number + 1 << level + nodes.TILE_LEVELS <= work.grower.size

    ready = sorted(key for key in work.tiles if done or full(key))
    stored = nodes.tiles(work.conn, ready)
    for key in ready:
        wanted, found = bytes(work.tiles.pop(key)), stored.get(key)
        work.compared += found is not None
        if wanted != found:
            _name(work, key, wanted, found)
    if done and work.grower.size == work.size:
        rows = work.conn.execute(select(func.count()).select_from(nodes_table)).scalar_one()
        if rows != work.compared:
            work.say(work.size, "tiles", "there are tiles that no entry made")


def _name(work: _Work, key: int, wanted: bytes, found: bytes | None) -> None:
    """Name the first node of a tile that is wrong, and an entry rather than a node above it."""
    level, number = nodes.layer_of(key)
    place = nodes.place_name(key)
    pairs = enumerate(zip(wanted, found or b"", strict=False))
    same = next((at for at, pair in pairs if pair[0] != pair[1]), 0)
    at = same // HASH_BYTES
    low = next(low for low in reversed(range(nodes.TILE_LEVELS)) if nodes.STARTS[low] <= at)
    index = number * (nodes.TILE_WIDTH >> low) + at - nodes.STARTS[low]
    stop = index + 1 << level + low
    if found is None:
        work.say(stop, place, "is missing")
    elif level == low == 0:
        work.say(index, f"entry {index}", "does not have the hash that is stored for it")
    else:
        work.say(stop, place, "holds a hash that its entries do not have")
