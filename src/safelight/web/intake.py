"""From a stream of chunks to stored pieces, with few bytes held and few pieces written at once."""

from typing import TYPE_CHECKING, Final

import anyio
from fastapi.concurrency import run_in_threadpool

if TYPE_CHECKING:
    from safelight.web.rooms import Rooms

__all__ = ["Taker"]

_AT_ONCE: Final = 4  # pieces that are encrypted and written at the same time
_turns: dict[int, anyio.CapacityLimiter] = {}


def _limiter(rooms: "Rooms") -> anyio.CapacityLimiter:
    return _turns.setdefault(id(rooms), anyio.CapacityLimiter(_AT_ONCE))


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
        with anyio.CancelScope(shield=True):
            data, self._held = bytes(self._held), bytearray()
            if data:
                await self._store(data, last=False)

    async def _store(self, data: bytes, *, last: bool) -> None:
        add = self._rooms.parcels.add_piece
        async with _limiter(self._rooms):
            self.offset = await run_in_threadpool(add, self._upload, self.offset, data, last=last)
        self._rooms.metrics.bytes.inc(len(data))
