"""``multipart/form-data`` as a stream (RFC 7578, RFC 2046 5.1): parts come out as they come in.

Frameworks write files above a size to a temporary folder, in clear; nothing is written here, and no
more is held than one chunk and one boundary.
"""

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from email.message import Message
from typing import Final

from safelight.web.forms import BadRequestError

__all__ = ["Part", "boundary_of", "parts"]

_MOST_HEAD: Final = 16_384
_MOST_PARTS: Final = 100_000
_LONGEST_BOUNDARY: Final = 70  # RFC 2046 5.1.1
_NAME: Final = re.compile(r'name="((?:[^"\\]|\\.)*)"')
_FILE: Final = re.compile(r'filename="((?:[^"\\]|\\.)*)"')


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """The start of a part, a piece of it, or its end.

    Attributes:
        name: Of the field.
        filename: As the browser names the file; None for a field that is none.
        data: A piece; empty at the start and at the end.
        first: The part begins.
        last: The part ends.
    """

    name: str
    filename: str | None
    data: bytes = b""
    first: bool = False
    last: bool = False


def boundary_of(content_type: str) -> bytes:
    """Return the boundary that a Content-Type names.

    Raises:
        BadRequestError: It names none.
    """
    message = Message()
    message["content-type"] = content_type
    found = message.get_param("boundary")
    if not isinstance(found, str) or not 1 <= len(found) <= _LONGEST_BOUNDARY:
        raise BadRequestError("the form has no boundary")
    return found.encode("latin-1", "replace")


async def parts(source: AsyncIterator[bytes], boundary: bytes) -> AsyncIterator[Part]:
    """Yield the parts of a body, piece by piece.

    Args:
        source: The body.
        boundary: From ``boundary_of``.

    Raises:
        BadRequestError: It is not such a body, or ends too early.
    """
    mark = b"\r\n--" + boundary
    body = _Body(source)
    body.held += b"\r\n"  # so that the first boundary looks like the others
    now: Part | None = None
    for _ in range(_MOST_PARTS):
        async for data in body.until(mark, discard=now is None):
            if now is not None:
                yield _piece(now, data)
        if now is not None:
            yield Part(name=now.name, filename=now.filename, last=True)
        if await body.starts(b"--"):
            return
        now = _head(await body.head())
        yield now
    raise BadRequestError("the form has too many parts")


class _Body:
    """A body, and what of it was read and not yet used."""

    def __init__(self, source: AsyncIterator[bytes]) -> None:
        self._reader = source.__aiter__()
        self.held = bytearray()

    async def until(self, mark: bytes, *, discard: bool) -> AsyncIterator[bytes]:
        """Yield what comes before a mark, and pass over the mark.

        Raises:
            BadRequestError: It does not come, or not soon, where nothing may come before it.
        """
        skip = 2  # the line end after the head, which may begin the next boundary
        keep = len(mark) - 1
        while (at := self.held.find(mark)) < 0:
            if discard and len(self.held) > _MOST_HEAD:
                raise BadRequestError("the form does not begin as one")
            if not discard and len(self.held) > keep + skip:
                yield bytes(self.held[skip:-keep])
                del self.held[:-keep]
                skip = 0
            self.held += await _more(self._reader)
        if at > skip and not discard:
            yield bytes(self.held[skip:at])
        del self.held[: at + len(mark)]

    async def starts(self, text: bytes) -> bool:
        """Tell whether this comes next."""
        while len(self.held) < len(text):
            self.held += await _more(self._reader)
        return self.held.startswith(text)

    async def head(self) -> bytes:
        """Return the head of a part; the line end before its content stays.

        Raises:
            BadRequestError: It is too long.
        """
        while (end := self.held.find(b"\r\n\r\n")) < 0:
            if len(self.held) > _MOST_HEAD:
                raise BadRequestError("the head of a part is too long")
            self.held += await _more(self._reader)
        head = bytes(self.held[:end])
        del self.held[: end + 2]
        return head


def _piece(of: Part, data: bytes) -> Part:
    return Part(name=of.name, filename=of.filename, data=data)


async def _more(reader: AsyncIterator[bytes]) -> bytes:
    """Return the next bytes of the body.

    Raises:
        BadRequestError: There are none.
    """
    while True:
        try:
            chunk = await reader.__anext__()
        except StopAsyncIteration:
            raise BadRequestError("the form ends too early") from None
        if chunk:
            return chunk


def _head(head: bytes) -> Part:
    text = head.decode("utf-8", "replace")
    line = next(
        (each for each in text.split("\r\n") if each.lower().startswith("content-disposition:")), ""
    )
    name, file = _NAME.search(line), _FILE.search(line)
    if name is None or "form-data" not in line.lower():
        raise BadRequestError("a part of the form has no name")
    filename = _plain(file[1]) if file else None
    return Part(name=_plain(name[1]), filename=filename, first=True)


def _plain(text: str) -> str:
    """Return a name as it was before the browser escaped it (HTML, 4.10.21.8)."""
    return text.replace("%22", '"').replace("%0D", "").replace("%0A", "").replace('\\"', '"')
