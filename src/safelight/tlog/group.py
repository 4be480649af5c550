"""Group commit: many threads' entries, one transaction, one wait for the disk."""

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from safelight.tlog import nodes
from safelight.tlog.commitment import Leaf, document, salt_of
from safelight.tlog.log import Log

__all__ = ["Sequencer"]


@dataclass(slots=True, eq=False)
class _Turn:
    """Entries of one caller, made when their first index is known."""

    make: Callable[[int], Sequence[bytes]]
    done: threading.Event = field(default_factory=threading.Event)
    first: int = -1
    count: int = 0
    error: BaseException | None = None


class Sequencer:
    """Adds entries of many threads, each durable when its call returns.

    Whoever comes first writes for all who wait meanwhile; there is no thread of its own. Use it
    for entries that stand alone; an entry that belongs to a step of the caller's goes through
    ``Log.append`` inside of that step's transaction.

    Args:
        log: The log.
        most: Callers that are written together at most.
    """

    def __init__(self, log: Log, *, most: int = 4096) -> None:
        self.log: Final = log
        self._most: Final = most
        self._waiting: list[_Turn] = []
        self._guard: Final = threading.Lock()
        self._writing: Final = threading.Lock()

    def append(self, entries: Sequence[bytes]) -> list[int]:
        """Add entries, together and in order; they are on the disk when this returns.

        Raises:
            LogError: An entry is too long, or the tree in the database is damaged.
            StoreError: The database cannot be written.
        """
        nodes.check_entries(entries)
        turn = self._wait(_Turn(lambda _: entries))
        return list(range(turn.first, turn.first + turn.count))

    def commit_to(self, kind: str, fields: Mapping[str, Any], salt: bytes) -> Leaf:
        """Add a commitment to an event, as ``Log.commit_to`` does, in a transaction of its own.

        Raises:
            LogError: The tree in the database is damaged.
            ReceiptError: The fields have no canonical form, or the salt is too short.
            StoreError: The database cannot be written.
        """
        told = document(kind, self.log.store.clock.now(), fields)
        salt_of(salt, 0)  # too short: said now, not in the others' transaction

        def leaf(index: int) -> Leaf:
            return Leaf(index=index, document=told, salt=salt_of(salt, index))

        turn = self._wait(_Turn(lambda index: [leaf(index).entry]))
        return leaf(turn.first)

    def _wait(self, turn: _Turn) -> _Turn:
        with self._guard:
            self._waiting.append(turn)
        while not turn.done.is_set():
            with self._writing:
                if not turn.done.is_set():
                    self._write()
        if turn.error is not None:
            raise turn.error
        return turn

    def _write(self) -> None:
        with self._guard:
            turns, self._waiting = self._waiting[: self._most], self._waiting[self._most :]
        try:
            with self.log.store.begin() as conn:
                at, entries = nodes.size_of(conn), list[bytes]()
                for turn in turns:
                    made = turn.make(at)
                    turn.first, turn.count = at, len(made)
                    at += len(made)
                    entries += made
                self.log.append(conn, entries)
        except BaseException as error:
            for turn in turns:
                turn.error = error
            if not isinstance(error, Exception):
                raise  # this thread is to end
        finally:
            for turn in turns:
                turn.done.set()
