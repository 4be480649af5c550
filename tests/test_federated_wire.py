"""Two sites and a coordinator over real TLS on this machine, and lines that do not hold."""

import json
import time
from pathlib import Path

import pytest

from consent_fixtures import open_custody
from federated_fixtures import Round, papers_in
from safelight.errors import FederationError
from safelight.learning.federated.app import application
from safelight.learning.federated.serving import logged, served
from safelight.learning.federated.wire import Wire
from safelight.store import Store

# A coordinator listens on this machine's own address, and the sites reach it: real sockets.
pytestmark = pytest.mark.enable_socket


@pytest.fixture(scope="module")
def papers(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """Return files of a certificate for 127.0.0.1 and of its key."""
    return papers_in(str(tmp_path_factory.mktemp("tls")))


def test_two_sites_over_tls_give_the_central_sum_in_three_seconds_of_work(
    papers: tuple[str, str],
) -> None:
    made = Round(2, width=512)
    begun = time.process_time()  # of this process; bench/federated.py has the clock on the wall
    with served(
        made.coordinator, host="127.0.0.1", port=0, certificate=papers[0], key=papers[1]
    ) as port:
        address = f"https://127.0.0.1:{port}"
        made.run({name: Wire(address, authorities=papers[0]) for name in made.keys})
    took = time.process_time() - begun
    assert made.errors == {}
    assert made.coordinator.result().to_bytes() == made.central().to_bytes()
    assert took < 3


def test_whoever_is_not_the_coordinator_is_not_spoken_to(
    papers: tuple[str, str], tmp_path: Path
) -> None:
    made = Round(2)
    with served(
        made.coordinator, host="127.0.0.1", port=0, certificate=papers[0], key=papers[1]
    ) as port:
        with pytest.raises(FederationError, match="certificate does not hold"):
            Wire(f"https://127.0.0.1:{port}").state()
        wire = Wire(f"https://127.0.0.1:{port}", authorities=papers[0])
        assert wire.state()["step"] == "join"
        with pytest.raises(FederationError, match="refused: a message was not signed"):
            wire.join("site-00", 1, "00" * 32, "00" * 64)
        with pytest.raises(FederationError, match="not of this round's form"):
            wire._ask("POST", "/join", b"[1, 2")
        with pytest.raises(FederationError, match="nothing here"):
            wire._ask("GET", "/etc/passwd", None)
        with pytest.raises(FederationError, match=r"too long|cannot be reached"):
            wire._ask("POST", "/share", bytes(1 << 20))
    with pytest.raises(FederationError, match="cannot be reached"):
        wire.state()
    with (
        pytest.raises(FederationError, match="certificate or key"),
        served(
            made.coordinator,
            host="127.0.0.1",
            port=0,
            certificate=str(tmp_path / "none"),
            key=papers[1],
        ),
    ):
        pass


@pytest.mark.parametrize(
    "address",
    [
        "http://127.0.0.1",
        "https://",
        "https://a b",
        "https://host/path",
        "https://user:secret@host",
        "ftp://host",
        "https://host:999999",
    ],
)
def test_an_address_that_is_not_https_to_a_host_is_refused(address: str) -> None:
    with pytest.raises(FederationError, match="https://host:port"):
        Wire(address)


def test_both_logs_hold_the_round(tmp_path: Path) -> None:
    with Store.at(tmp_path / "store") as store:
        custody = open_custody(store)
        made = Round(2)
        note = logged(custody)
        note("federated.sent", {"digest": "0" * 64, "sites": sorted(made.plan.sites)})
        assert custody.log.size() == 1
        custody.log.checkpoint()
        assert custody.log.verify().size == 1
    assert json.loads(made.plan.to_bytes())["format"] == "safelight-federated/v1"
    assert callable(application(made.coordinator))
