"""Running the application: uvicorn, TLS or a trusted proxy, workers, a stop that loses nothing."""

import secrets
import signal
from collections.abc import Callable
from typing import Final

import uvicorn

from safelight import log
from safelight.settings import Settings
from safelight.web.app import create
from safelight.web.binding import Binding, Sockets
from safelight.web.crew import Crew
from safelight.web.desk import Desk, Options
from safelight.web.rooms import Rooms

__all__ = ["options_for", "run"]

_GRACE: Final = 10


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
    sockets: Sockets,
    *,
    workers: int,
    started: Callable[[Rooms], None],
) -> None:
    """Serve until told to stop.

    Args:
        desk: The house.
        where: Where it listens.
        chosen: Settings of de-identification.
        sockets: What ``Binding.listen`` returned; they are closed at the end.
        workers: Processes that de-identify.
        started: Is called when requests are answered.
    """
    rooms = Rooms(desk)
    crew = Crew(desk, chosen, workers)
    rooms.workers_alive = crew.alive
    rooms.workers_stuck = crew.stuck
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
        server.run(sockets)
    finally:
        rooms.stopping = True
        crew.stop()
        log.event("server-stopped")


class _Server(uvicorn.Server):
    """uvicorn, saying when it listens."""

    def __init__(self, config: uvicorn.Config, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: Sockets | None = None) -> None:
        """Listen, then say so."""
        await super().startup(sockets)
        if self.started:
            self._ready()
