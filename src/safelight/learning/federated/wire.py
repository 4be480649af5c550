"""The one way out: HTTPS to the coordinator that the operator named, and to nobody else.

No redirect is followed, no proxy is asked, no name is looked up but the coordinator's, and a
certificate that does not fit ends it. This module alone may open a connection for learning; see
``docs/adr/0018-a-site-agent-sends-sums.md``.
"""

import http.client
import json
import re
import ssl
from typing import Any, Final

from safelight.errors import FederationError, OutOfReachError

__all__ = ["Wire"]

_ADDRESS: Final = re.compile(r"https://(\[[0-9a-fA-F:]+\]|[A-Za-z0-9.-]{1,253})(?::(\d{1,5}))?/?")
_MAX_ANSWER: Final = 1 << 20
_OK: Final = 200
_LAST_PORT: Final = 65535


class Wire:
    """Carries a site's words over TLS.

    Args:
        address: ``https://host:port`` of the coordinator.
        authorities: File of certificates that are trusted; empty for the system's.
        certificate: This site's own certificate and key in one PEM file, where one is asked for.
        seconds: To wait for an answer.

    Raises:
        FederationError: The address or a file cannot be used.
    """

    def __init__(
        self, address: str, *, authorities: str = "", certificate: str = "", seconds: float = 30
    ) -> None:
        match = _ADDRESS.fullmatch(address)
        if match is None or int(match[2] or 443) > _LAST_PORT:
            raise FederationError("the coordinator's address is https://host:port")
        self._host = match[1].strip("[]")
        self._port = int(match[2] or 443)
        self._seconds = seconds
        try:
            self._context = ssl.create_default_context(cafile=authorities or None)
            self._context.minimum_version = ssl.TLSVersion.TLSv1_3
            if certificate:
                self._context.load_cert_chain(certificate)
        except (OSError, ssl.SSLError) as error:
            raise FederationError(
                f"a certificate cannot be read ({type(error).__name__})"
            ) from error

    def join(self, site: str, attempt: int, key: str, signature: str) -> dict[str, Any]:
        """Hand in a key."""
        told = {"site": site, "attempt": attempt, "key": key, "signature": signature}
        return self._ask("POST", "/join", json.dumps(told).encode())

    def share(self, site: str, attempt: int, data: bytes, signature: str) -> dict[str, Any]:
        """Hand in masked numbers: a line of JSON, then the numbers."""
        told = {"site": site, "attempt": attempt, "signature": signature}
        return self._ask("POST", "/share", json.dumps(told).encode() + b"\n" + data)

    def state(self) -> dict[str, Any]:
        """Ask where the round is."""
        return self._ask("GET", "/state", None)

    def _ask(self, method: str, path: str, body: bytes | None) -> dict[str, Any]:
        link = http.client.HTTPSConnection(
            self._host, self._port, timeout=self._seconds, context=self._context
        )
        try:
            link.request(method, path, body, {"Accept": "application/json"})
            answer = link.getresponse()
            data = answer.read(_MAX_ANSWER + 1)
        except ssl.SSLError as error:
            raise FederationError(
                "the coordinator's certificate does not hold", todo="give the one you trust"
            ) from error
        except (OSError, http.client.HTTPException) as error:
            raise OutOfReachError(
                f"the coordinator cannot be reached ({type(error).__name__})"
            ) from error
        finally:
            link.close()
        try:
            told = json.loads(data) if len(data) <= _MAX_ANSWER else None
        except ValueError:
            told = None
        if not isinstance(told, dict):
            raise FederationError("the coordinator does not speak as one")
        if answer.status != _OK:
            raise FederationError(f"the coordinator refused: {str(told.get('error', ''))[:200]}")
        return told
