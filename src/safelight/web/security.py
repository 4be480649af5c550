"""What stands before every route: which host, which origin, which headers; no token needed.

A request that changes something must come from a page of ours: browsers say so themselves, in
``Sec-Fetch-Site`` or in ``Origin``, and a page cannot forge either (Fetch Standard; Fetch Metadata,
W3C). A request with neither comes from no browser, and brings no cookie by itself.
"""

import time
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any, Final

from safelight import log
from safelight.web.desk import Options
from safelight.web.metrics import Metrics, method_of

__all__ = ["HEADERS", "Gate", "header"]

Scope = MutableMapping[str, Any]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Any, Send], Awaitable[None]]

_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self';"
    " font-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS: Final = (
    (b"content-security-policy", _POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-frame-options", b"DENY"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"cross-origin-embedder-policy", b"require-corp"),
    (b"permissions-policy", b"camera=(), microphone=(), geolocation=(), interest-cohort=()"),
)
_STRICT: Final = (b"strict-transport-security", b"max-age=31536000")
_NO_STORE: Final = (b"cache-control", b"no-store")
_CACHED: Final = (b"cache-control", b"public, max-age=3600")
_STATIC: Final = "/static/"
_READING: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_OWN: Final = frozenset({b"same-origin", b"none"})
_SUFFIX: Final = ".json"
_KEPT: Final = ("/openapi.json",)


def header(scope: Scope, name: bytes) -> bytes:
    """Return a header of a request; empty when it is not there."""
    return next((bytes(value) for key, value in scope["headers"] if key == name), b"")


class Gate:
    """The outermost layer: refuses strangers, adds the headers, and knows ``.json``.

    Args:
        app: What lies behind.
        options: How the server is run.
        metrics: Where requests are counted.
    """

    def __init__(self, app: App, options: Options, metrics: Metrics) -> None:
        self.app: Final = app
        self._options = options
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Any, send: Send) -> None:
        """Handle one connection."""
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self.app(scope, receive, send)
            return  # a web socket is not spoken here

        begun, status = time.monotonic(), 0

        async def sent(message: MutableMapping[str, Any]) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = self._headers(scope["path"], message.get("headers", ()))
            await send(message)

        refused = self._refusal(scope)
        if refused:
            await _refuse(sent, *refused)
            self._note(scope, status, begun)
            return
        inner = dict(scope)
        path = scope["path"]
        if path.endswith(_SUFFIX) and path not in _KEPT and not path.startswith(_STATIC):
            inner["path"] = path.removesuffix(_SUFFIX) or "/"
            inner["raw_path"] = inner["path"].encode()
            inner["safelight.json"] = True
        try:
            await self.app(inner, receive, sent)
        except Exception as error:  # noqa: BLE001  # its text may hold values; it was answered for
            log.event("request-failed", type=type(error).__name__)
            if not status:
                await _refuse(sent, 500, "something unexpected happened")
        finally:
            self._note(inner, status, begun)

    def _note(self, scope: Scope, status: int, begun: float) -> None:
        """Count a request by the pattern of its route, never by its address."""
        pattern = str(getattr(scope.get("route"), "path", ""))
        spent = time.monotonic() - begun
        self._metrics.note(pattern, scope["method"], status or 499, spent)
        log.event(
            "request",
            route=pattern.replace("{", "(").replace("}", ")"),
            method=method_of(scope["method"]),
            status=status,
            seconds=round(spent, 4),
        )

    def _headers(
        self, path: str, given: Iterable[tuple[bytes, bytes]]
    ) -> list[tuple[bytes, bytes]]:
        given = list(given)
        names = {name.lower() for name, _ in given}
        more = [*HEADERS, _CACHED if path.startswith(_STATIC) else _NO_STORE]
        if self._options.secure:
            more.append(_STRICT)
        return given + [each for each in more if each[0] not in names]

    def _refusal(self, scope: Scope) -> tuple[int, str] | None:
        host = header(scope, b"host").decode("latin-1").lower()
        name = host.partition("]")[0] + "]" if host.startswith("[") else host.partition(":")[0]
        if name not in self._options.hosts:
            return 421, "this server is not known by that name"
        if scope["method"] in _READING:
            return None
        site = header(scope, b"sec-fetch-site")
        if site:
            return None if site in _OWN else (403, "this request came from another site")
        origin = header(scope, b"origin").decode("latin-1").lower()
        ours = {f"http://{host}", f"https://{host}", self._options.public_url.lower()}
        if origin and origin not in ours:
            return 403, "this request came from another site"
        return None


async def _refuse(send: Send, status: int, what: str) -> None:
    body = (
        f'{{"status":{status},"problem":{{"code":"refused","what":"{what}","place":"",'
        '"kept":"nothing was changed","todo":""}}'
    ).encode()
    start = {
        "type": "http.response.start",
        "status": status,
        "headers": [
            (b"content-type", b"application/json"),
            (b"content-length", str(len(body)).encode()),
            (b"connection", b"close"),
        ],
    }
    await send(start)
    await send({"type": "http.response.body", "body": body})
