"""The coordinator as an ASGI application of three addresses, for any server that does TLS."""

import json
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Final

from safelight.errors import FederationError
from safelight.learning.federated.coordinator import Coordinator

__all__ = ["application"]

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

_LINE: Final = 4096  # bytes, of the line of JSON before numbers
_OK: Final = 200
_REFUSED: Final = 409
_MALFORMED: Final = 400
_UNKNOWN: Final = 404
_TOO_LARGE: Final = 413


def application(coordinator: Coordinator) -> Callable[[Scope, Receive, Send], Awaitable[None]]:
    """Return the application: ``GET /state``, ``POST /join``, ``POST /share``.

    Args:
        coordinator: The round.
    """
    most = _LINE + 16 * len(coordinator.plan.empty().to_bytes())

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        body = bytearray()
        while True:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body") or len(body) > most:
                break
        if len(body) > most:
            await _answer(send, _TOO_LARGE, {"error": "the message is too long"})
            return
        status, told = _handled(coordinator, scope["method"], scope["path"], bytes(body))
        await _answer(send, status, told)

    return serve


def _handled(
    coordinator: Coordinator, method: str, path: str, body: bytes
) -> tuple[int, dict[str, Any]]:
    """Return the status and the words of an answer."""
    try:
        if (method, path) == ("GET", "/state"):
            return _OK, coordinator.state()
        if (method, path) == ("POST", "/join"):
            told = _read(body, {"site", "attempt", "key", "signature"})
            return _OK, coordinator.join(**told)
        if (method, path) == ("POST", "/share"):
            line, _, data = body.partition(b"\n")
            told = _read(line, {"site", "attempt", "signature"})
            return _OK, coordinator.share(**told, data=data)
    except FederationError as error:
        return _REFUSED, {"error": error.what}
    except ValueError:
        return _MALFORMED, {"error": "the message is not of this round's form"}
    return _UNKNOWN, {"error": "there is nothing here"}


def _read(line: bytes, names: set[str]) -> dict[str, Any]:
    """Return the fields of a message.

    Raises:
        ValueError: They are others, or of other kinds.
    """
    told = json.loads(line) if len(line) <= _LINE else None
    if not isinstance(told, dict) or set(told) != names:
        raise ValueError("other fields")
    attempt = told["attempt"]
    if type(attempt) is not int or not all(
        isinstance(told[name], str) for name in names - {"attempt"}
    ):
        raise ValueError("other kinds")
    return told


async def _answer(send: Send, status: int, told: dict[str, Any]) -> None:
    data = json.dumps(told).encode()
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(data)).encode()),
        (b"cache-control", b"no-store"),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": data})
