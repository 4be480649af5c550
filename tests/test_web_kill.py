"""kill -9 in the middle of uploads, readings and withdrawals: after a restart all continue.

The server is a real process with real workers, so these tests need sockets on this machine.
"""

import contextlib
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from web_fixtures import scans

pytestmark = pytest.mark.enable_socket  # a real server on loopback: that is what is killed
PATIENCE = 90.0


class Server:
    """``safelight serve --open`` in a process group of its own.

    Args:
        folder: Everything but the rows lies below it.
        database: Address of the database; empty for SQLite in the folder.
    """

    def __init__(self, folder: Path, database: str = "") -> None:
        self.folder = folder
        self.database = database
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.cookie = ""
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        """Start it and wait until it answers; sign in."""
        command = [sys.executable, "-c", "from safelight.cli import main; main()", "serve"]
        command += ["--open", "--port", str(self.port), "--data", str(self.folder / "data")]
        command += ["--master-key", str(self.folder / "keys" / "m.key")]
        command += ["--key", str(self.folder / "keys" / "p.key")]
        command += ["--database", self.database] if self.database else []
        (self.folder / "keys").mkdir(mode=0o700, exist_ok=True)
        self._process = subprocess.Popen(
            command,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            env={**os.environ, "SAFELIGHT_PIXELS": "0"},  # models take seconds to load
        )
        assert self._process.stderr is not None
        for line in self._process.stderr:
            if "/open/" in line:
                break
        else:
            raise AssertionError("the server did not start")
        path = "/open/" + line.rpartition("/")[2].strip()
        answer = self.ask("GET", path)
        self.cookie = answer.getheader("set-cookie", "").partition(";")[0]
        assert self.cookie

    def kill(self) -> None:
        """End it and its workers with SIGKILL."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            if self._process.stderr is not None:
                self._process.stderr.close()
            self._process = None

    def again(self) -> None:
        """Kill it and start it anew on the same data."""
        self.kill()
        self.start()

    def ask(
        self, method: str, path: str, body: Any = None, **headers: str
    ) -> http.client.HTTPResponse:
        """Send one request."""
        line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        more = {"Accept": "application/json", "Cookie": self.cookie, **headers}
        if isinstance(body, dict):
            body = json.dumps(body)
            more["Content-Type"] = "application/json"
        line.request(method, path, body=body, headers=more)
        answer = line.getresponse()
        answer.text = answer.read()  # type: ignore[attr-defined]  # kept beside
        line.close()
        return answer

    def told(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """Send one request and return its JSON."""
        answer = self.ask(method, path, body, **headers)
        assert answer.status < 400, answer.text  # type: ignore[attr-defined]  # as above
        return json.loads(answer.text)  # type: ignore[attr-defined]  # as above

    def wait(self, path: str, what: str, wanted: Any) -> Any:
        """Ask until a field has a value."""
        until = time.monotonic() + PATIENCE
        while True:
            page = self.told("GET", path)
            if page[what] == wanted:
                return page
            assert time.monotonic() < until, page
            time.sleep(0.1)


@pytest.fixture
def server(database: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Server]:
    """Serve over a new database: SQLite, or a real PostgreSQL."""
    url = ""
    if database != "sqlite":
        cluster = request.getfixturevalue("postgresql")
        url = cluster.fresh()
    made = Server(tmp_path, url)
    made.start()
    yield made
    made.kill()
    if url:
        cluster.drop(url)


def half_sent(server: Server, path: str, data: bytes, stop: int, **headers: str) -> None:
    """Send a request whose body breaks off."""
    line = socket.create_connection(("127.0.0.1", server.port))
    told = {"Host": f"127.0.0.1:{server.port}", "Cookie": server.cookie, **headers}
    told["Content-Length"] = str(len(data))
    head = "".join(f"{name}: {value}\r\n" for name, value in told.items())
    line.sendall(f"POST {path} HTTP/1.1\r\n{head}\r\n".encode() + data[:stop])
    time.sleep(0.5)
    server.kill()
    line.close()


def test_a_server_that_is_killed_in_the_middle_of_everything_loses_nothing(
    server: Server, tmp_path: Path
) -> None:
    assert (server.folder / "data" / "safelight.db").exists() is not bool(server.database)
    page = server.told("GET", "/")
    agree = {"policy": page["policy"]["hash"], "agree": ["care"]}
    parcel = server.told("POST", "/parcels", agree)["id"]
    first, second = scans(tmp_path / "in", 2)

    # In the middle of an upload: what was stored is there, and the sender goes on from it.
    data = first.read_bytes() + bytes(5 << 20)  # what follows the data set is cut off later
    half_sent(
        server, f"/uploads?parcel={parcel}", data, 5 << 20, **{"Upload-Length": str(len(data))}
    )
    server.start()
    upload = server.told("GET", f"/parcels/{parcel}")["uploads"][0]
    assert upload["whole"] is False
    assert 0 < upload["offset"] <= 5 << 20
    assert upload["offset"] % (2 << 20) == 0
    rest = data[upload["offset"] :]
    went_on = {"Upload-Offset": str(upload["offset"])}
    whole = server.told("PATCH", f"/uploads/{upload['id']}", rest, **went_on)
    assert (whole["whole"], whole["offset"]) == (True, len(data))
    answer = server.told(
        "POST", f"/uploads?parcel={parcel}", second.read_bytes(), **{"Upload-Complete": "?1"}
    )
    assert answer["whole"] is True

    # While a submission is made of it, de-identified and read.
    server.told("POST", f"/parcels/{parcel}/send")
    time.sleep(0.3)
    server.again()
    done = server.wait(f"/submissions/{parcel}", "state", "done")
    assert [item["state"] for item in done["items"]] == ["done", "done"]
    reading = server.told("GET", f"/submissions/{parcel}/reading")
    assert [item["state"] for item in reading["items"]] == ["done", "done"]

    # In the middle of a withdrawal.
    withdrawal = server.told("POST", "/mine/withdraw", {"purpose": "*", "sure": "yes"})["to"]
    server.again()
    end = server.wait(withdrawal, "done", wanted=True)
    assert (end["stage"], end["failed"]) == ("done", 0)
    assert server.told("GET", end["receipt"])["fields"]["key_destroyed"] is True


@pytest.mark.parametrize("database", ["sqlite"])  # it is about processes, not about rows
def test_a_worker_that_dies_is_replaced_and_a_stop_ends_them_all(server: Server) -> None:
    def workers() -> list[int]:
        assert server._process is not None
        tasks = Path(f"/proc/{server._process.pid}/task").iterdir()  # any thread may start one
        return [int(each) for one in tasks for each in (one / "children").read_text().split()]

    before = workers()
    assert before
    os.kill(before[0], signal.SIGKILL)
    until = time.monotonic() + PATIENCE
    while not set(workers()) - set(before):
        assert time.monotonic() < until
        time.sleep(0.1)
    assert server._process is not None
    left = workers()
    server._process.terminate()
    assert server._process.wait(30) == 0
    for each in left:
        with pytest.raises(ProcessLookupError):
            os.kill(each, 0)
