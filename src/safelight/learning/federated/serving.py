"""The coordinator behind TLS, for as long as one round takes."""

import os
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

from safelight.consent.custody import Custody
from safelight.consent.journal import PUBLIC_SALT
from safelight.errors import FederationError
from safelight.learning.federated.app import application
from safelight.learning.federated.coordinator import Coordinator, Note

__all__ = ["logged", "served"]

_START_SECONDS: Final = 10.0
_GRACE_SECONDS: Final = 5.0


@contextmanager
def served(
    coordinator: Coordinator, *, host: str, port: int, certificate: str, key: str
) -> Iterator[int]:
    """Serve a round while the block runs; give the port.

    Args:
        coordinator: The round.
        host: Address to listen on.
        port: 0 for any that is free.
        certificate: PEM file of the chain.
        key: PEM file of its key.

    Raises:
        FederationError: The port or a file cannot be used.
    """
    import uvicorn  # noqa: PLC0415  # start-up cost

    for path in (certificate, key):
        if not os.path.isfile(path):
            raise FederationError("the coordinator's certificate or key is not there")
    try:
        config = uvicorn.Config(
            application(coordinator),
            host=host,
            port=port,
            ssl_certfile=certificate,
            ssl_keyfile=key,
            log_config=None,
            access_log=False,
            lifespan="off",
            http="h11",
            ws="none",
        )
        config.load()
    except OSError as error:  # ssl.SSLError is one
        raise FederationError("the coordinator's certificate or key cannot be used") from error
    server = uvicorn.Server(config)
    thread = threading.Thread(target=_run, args=(server,), daemon=True)
    thread.start()
    try:
        until = time.monotonic() + _START_SECONDS
        while not server.started:
            if not thread.is_alive() or time.monotonic() > until:
                raise FederationError("the coordinator cannot listen there")
            time.sleep(0.01)
        yield int(server.servers[0].sockets[0].getsockname()[1])
    finally:
        server.should_exit = True
        thread.join(_GRACE_SECONDS)


def _run(server: Any) -> None:
    """Run a server in a thread; one that cannot listen ends with ``SystemExit``, not the process.

    The caller sees that it never started.
    """
    try:
        server.run()
    except SystemExit:
        return


def logged(custody: Custody) -> Note:
    """Return a note that commits each event to the transparency log of a store.

    The entries hold names of sites and digests; anyone who has the note can make them again.
    """

    def note(kind: str, fields: Mapping[str, Any]) -> None:
        with custody.store.begin() as conn:
            custody.log.commit_to(conn, kind, fields, PUBLIC_SALT)

    return note
