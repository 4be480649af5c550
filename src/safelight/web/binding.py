"""Where a server listens: what is refused, the certificate, the port."""

import errno
import ipaddress
import os
import re
import socket
import ssl
from dataclasses import dataclass
from typing import Any, Final, TypeAlias
from urllib.parse import urlsplit

from safelight.errors import OutputError, SettingsError

__all__ = ["Binding", "Sockets"]

Sockets: TypeAlias = list[socket.socket]  # bound, and not listening yet

_NAMES: Final = ("localhost",)
_ANY: Final = ("0.0.0.0", "::")  # noqa: S104  # what is told apart
_ABSENT: Final = (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT)  # a name's other kind of address
_OPTION: Final = {"certificate": "cert", "key": "key"}
_HOST: Final = re.compile(r"[\w.:-]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Binding:
    """Where a server listens.

    Attributes:
        host: Address.
        port: Port.
        certificate: File of the TLS certificate; empty without TLS.
        key: File of its key.
        proxy: Address of the proxy whose ``X-Forwarded-*`` headers are believed; empty for none.
        public_url: How browsers reach it; empty: made from the above.
    """

    host: str = "127.0.0.1"
    port: int = 8000
    certificate: str = ""
    key: str = ""
    proxy: str = ""
    public_url: str = ""

    @property
    def loopback(self) -> bool:
        """Whether only this machine can reach it."""
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host in _NAMES

    def check(self) -> None:
        """Refuse what would send people's data over a network in clear.

        Raises:
            SettingsError: It listens to others without TLS, or contradicts itself.
        """
        if bool(self.certificate) != bool(self.key):
            raise SettingsError("a certificate goes with its key", todo="give both")
        if not (self.loopback or self.certificate or self.proxy):
            raise SettingsError(
                "others could reach this address without TLS",
                kept="nothing was started",
                todo="give --tls-cert and --tls-key, or --trusted-proxy, or stay on 127.0.0.1",
            )
        if self.proxy and not self.public_url:
            raise SettingsError(
                "behind a proxy the server does not know its own address",
                todo="give --public-url https://…",
            )
        if self.host in _ANY and not self.public_url:
            raise SettingsError(
                f"no browser calls a server {self.host}, and it answers to its own name alone",
                kept="nothing was started",
                todo="give --public-url https://…, the address that people type",
            )
        if self.public_url and not _is_address(self.public_url):
            raise SettingsError(
                "the public URL is no address of a server",
                kept="nothing was started",
                todo="give https://NAME or https://NAME:PORT to --public-url, or in "
                "SAFELIGHT_PUBLIC_URL, without a path",
            )
        if self.proxy and not self.public_url.startswith("https://"):
            raise SettingsError(
                "the proxy must be reached over TLS",
                kept="nothing was started",
                todo="use https:// in --public-url",
            )
        for proxy in self.proxy.split(",") if self.proxy else ():
            if proxy.strip() != "*" and not _is_network(proxy.strip()):
                raise SettingsError(
                    "the trusted proxy is no IP address",
                    kept="nothing was started",
                    todo="give the address that the proxy calls from, such as 127.0.0.1",
                )

    def prove(self) -> None:
        """Load the certificate and its key, as the server will.

        Raises:
            SettingsError: They cannot be read, are not PEM, or do not belong together.
        """
        if not self.certificate:
            return
        asked = False

        def password() -> str:
            nonlocal asked
            asked = True
            return ""

        for path, name in ((self.certificate, "certificate"), (self.key, "key")):
            try:
                with open(path, "rb"):
                    pass
            except OSError as error:
                raise SettingsError(
                    f"the TLS {name} cannot be read ({error.strerror})",
                    place=path,
                    kept="nothing was started",
                    todo=f"give a PEM file that this user can read to --tls-{_OPTION[name]}",
                ) from None
        try:
            ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(
                self.certificate, self.key, password
            )
        except (ssl.SSLError, ValueError) as error:
            if asked:
                return  # the key is locked: the server asks for its password
            raise SettingsError(
                "the TLS certificate and its key cannot be used"
                f" ({getattr(error, 'reason', None) or 'not PEM'})",
                place=self.certificate,
                kept="nothing was started",
                todo="give the certificate chain and the key that belongs to it, both in PEM",
            ) from None

    def listen(self) -> Sockets:
        """Take the address and port, before anything else is started.

        Raises:
            OutputError: The system does not give them.
        """
        taken: Sockets = []
        failure: OSError | None = None
        try:
            found = socket.getaddrinfo(
                self.host, self.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
            )
        except OSError as error:
            found, failure = [], error
        for family, kind, protocol, _, address in dict.fromkeys(found):
            try:
                taken.append(_bound(family, kind, protocol, address))
            except OSError as error:
                failure = error
                if error.errno not in _ABSENT:
                    break
        else:
            if taken:
                return taken
        for made in taken:
            made.close()
        raise OutputError(
            f"the server cannot listen on port {self.port} of {self.host} "
            f"({(failure and failure.strerror) or 'no such address'})",
            kept="nothing was started",
            todo="choose another one with --port or --host, or end what listens there",
        )


def _bound(family: int, kind: int, protocol: int, address: Any) -> socket.socket:
    made = socket.socket(family, kind, protocol)
    try:
        if os.name == "posix":
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        made.bind(address)
    except BaseException:
        made.close()
        raise
    return made


def _is_address(url: str) -> bool:
    """Return whether a text is scheme, host and perhaps port, and nothing else."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return False
    return bool(
        parts.scheme in ("http", "https")
        and parts.hostname
        and _HOST.fullmatch(parts.hostname)
        and port != 0
        and parts.path in ("", "/")
        and not (parts.query or parts.fragment or parts.username is not None)
    )


def _is_network(text: str) -> bool:
    try:
        ipaddress.ip_network(text, strict=False)
    except ValueError:
        return False
    return True
