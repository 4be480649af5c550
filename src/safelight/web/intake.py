"""From a stream of chunks to stored pieces, with few bytes held and few pieces written at once."""

import asyncio
from typing import TYPE_CHECKING, Final
from weakref import WeakKeyDictionary

from fastapi.concurrency import run_in_threadpool

if TYPE_CHECKING:
    from safelight.web.rooms import Rooms

__all__ = ["Taker"]

_AT_ONCE: Final = 4  # pieces that are encrypted and written at the same time
_turns: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Semaphore] = WeakKeyDictionary()


def _turn() -> asyncio.Semaphore:
    """Return what a piece waits for, in the loop that runs."""
    return _turns.setdefault(asyncio.get_running_loop(), asyncio.Semaphore(_AT_ONCE))


class Taker:
    """Takes one file in.

    Args:
        rooms: Of the server.
        upload: Id of the upload.
        offset: How far the file is.
    """

    def __init__(self, rooms: "Rooms", upload: str, offset: int) -> None:
        self._rooms = rooms
        self._upload = upload
        self._held = bytearray()
        self.offset = offset

    async def add(self, chunk: bytes) -> None:
        """Take a chunk; full pieces are stored."""
        piece = self._rooms.options.piece
        self._held += chunk
        while len(self._held) >= piece:
            data = bytes(self._held[:piece])
            del self._held[:piece]
            await self._store(data, last=False)

    async def finish(self, *, ends: bool) -> None:
        """Store what is left; ``ends``: the file ends with it."""
        data, self._held = bytes(self._held), bytearray()
        if data or ends:
            await self._store(data, last=ends)

    async def keep(self) -> None:
        """Store what is left of a stream that broke off, as far as it came."""
        data, self._held = bytes(self._held), bytearray()
        if data:
            await asyncio.shield(self._store(data, last=False))

    async def _store(self, data: bytes, *, last: bool) -> None:
        add = self._rooms.parcels.add_piece
        async with _turn():
            self.offset = await run_in_threadpool(add, self._upload, self.offset, data, last=last)
        self._rooms.metrics.bytes.inc(len(data))
