"""Running the application: uvicorn, TLS or a trusted proxy, workers, a stop that loses nothing."""

import ipaddress
import secrets
import signal
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import uvicorn

from safelight import log
from safelight.errors import SettingsError
from safelight.settings import Settings
from safelight.web.app import create
from safelight.web.crew import Crew
from safelight.web.desk import Desk, Options
from safelight.web.rooms import Rooms

__all__ = ["Binding", "options_for", "run"]

_NAMES: Final = ("localhost",)
_GRACE: Final = 10
_ANY: Final = ("0.0.0.0", "::")  # noqa: S104  # what is told apart


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
        if self.proxy and not self.public_url.startswith("https://"):
            raise SettingsError("the proxy must be reached over TLS", todo="use https:// in it")


def options_for(where: Binding, *, desktop: bool, chosen: Settings) -> Options:
    """Return the options of a server that listens there.

    Raises:
        SettingsError: It would send people's data over a network in clear.
    """
    where.check()
    shown = f"[{where.host}]" if ":" in where.host else where.host
    scheme = "https" if where.certificate else "http"
    url = where.public_url.rstrip("/") or f"{scheme}://{shown}:{where.port}"
    made = Options(public_url=url)
    hosts = {made.domain, "127.0.0.1", "[::1]", "localhost"} if where.loopback else {made.domain}
    return Options(
        public_url=url,
        hosts=frozenset(hosts),
        desktop=desktop,
        token=secrets.token_urlsafe(32),
        settings=chosen,
    )


def run(
    desk: Desk,
    where: Binding,
    chosen: Settings,
    *,
    workers: int,
    started: Callable[[Rooms], None],
) -> None:
    """Serve until told to stop.

    Args:
        desk: The house.
        where: Where to listen.
        chosen: Settings of de-identification.
        workers: Processes that de-identify.
        started: Is called when requests are answered.
    """
    rooms = Rooms(desk)
    crew = Crew(desk, chosen, workers)
    rooms.workers_alive = crew.alive
    config = uvicorn.Config(
        create(desk, rooms=rooms),
        host=where.host,
        port=where.port,
        ssl_certfile=where.certificate or None,
        ssl_keyfile=where.key or None,
        proxy_headers=bool(where.proxy),
        forwarded_allow_ips=where.proxy or None,
        log_config=None,  # its lines hold addresses
        access_log=False,
        server_header=False,
        date_header=True,
        timeout_graceful_shutdown=_GRACE,
        limit_concurrency=1000,
        ws="none",
    )
    server = _Server(config, lambda: started(rooms))
    log.event("server-started", workers=workers)
    crew.start()
    for number in (signal.SIGINT, signal.SIGTERM):
        # uvicorn stops at these, and raises them again once it has: there is more to end after it.
        signal.signal(number, lambda *_: None)
    try:
        server.run()
    finally:
        rooms.stopping = True
        crew.stop()
        log.event("server-stopped")


class _Server(uvicorn.Server):
    """uvicorn, saying when it listens."""

    def __init__(self, config: uvicorn.Config, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list | None = None) -> None:  # type: ignore[type-arg]  # sockets are none of ours
        """Listen, then say so."""
        await super().startup(sockets)
        if self.started:
            self._ready()
