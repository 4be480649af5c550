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
    held = bytearray(b"\r\n")  # so that the first boundary looks like the others
    reader = source.__aiter__()
    now: Part | None = None
    seen = 0
    while True:
        at = held.find(mark)
        if at < 0:
            keep = len(mark) - 1
            if now is not None and len(held) > keep:
                yield _piece(now, bytes(held[:-keep]))
            if now is not None or len(held) > _MOST_HEAD:
                if now is None:
                    raise BadRequestError("the form does not begin as one")
                del held[:-keep]
            held += await _more(reader)
            continue
        if now is not None:
            if at:
                yield _piece(now, bytes(held[:at]))
            yield Part(name=now.name, filename=now.filename, last=True)
        del held[: at + len(mark)]
        while len(held) < 2:  # noqa: PLR2004 - "--" or a line end
            held += await _more(reader)
        if held.startswith(b"--"):
            return
        seen += 1
        if seen > _MOST_PARTS:
            raise BadRequestError("the form has too many parts")
        while (end := held.find(b"\r\n\r\n")) < 0:
            if len(held) > _MOST_HEAD:
                raise BadRequestError("the head of a part is too long")
            held += await _more(reader)
        now = _head(bytes(held[:end]))
        del held[: end + 2]  # the line end before the content may belong to the next boundary
        yield now
        while len(held) < len(mark) + 2:
            chunk = await _more(reader)
            held += chunk
        if held.startswith(mark):
            continue
        del held[:2]


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
