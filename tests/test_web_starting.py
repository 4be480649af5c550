"""What a server refuses before it listens, and what it says when its workers cannot work."""

import json
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from fastapi.testclient import TestClient

from safelight.cli import main
from safelight.errors import OutputError
from safelight.settings import Settings
from safelight.web.binding import Binding
from safelight.web.crew import Crew
from safelight.web.worker import Chores
from web_fixtures import Site


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    made = Site(tmp_path_factory.mktemp("starting"))
    yield made
    made.close()


def serve(home: Path, *words: str, **env: str) -> Result:
    """Give the command; each of these ends before it listens."""
    return CliRunner(env={"XDG_DATA_HOME": str(home), **env}).invoke(main, ["serve", *words])


@pytest.mark.parametrize(
    ("words", "env", "code", "told"),
    [
        (("--preset", "nope"), {}, 2, "there is no preset"),
        (("--key", "empty"), {}, 4, "key"),
        (("--tls-cert", "nosuch", "--tls-key", "nosuch"), {}, 2, "certificate cannot be read"),
        (("--tls-cert", "empty", "--tls-key", "nosuch"), {}, 2, "TLS key cannot be read"),
        (("--tls-cert", "empty", "--tls-key", "empty"), {}, 2, "cannot be used"),
        (("--oidc", "https://x", "--oidc-client", "a", "--oidc-secret", "nosuch"), {}, 2, "nosuch"),
        (("--oidc", "https://x", "--oidc-client", "a", "--oidc-secret", "empty"), {}, 2, "empty"),
        ((), {"SAFELIGHT_PUBLIC_URL": ":::"}, 2, "--public-url"),
        ((), {"SAFELIGHT_LIMITS": "nope=3"}, 2, "no limit"),
    ],
)
def test_what_cannot_work_is_refused_before_it_listens(  # one for each column
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    words: tuple[str, ...],
    env: dict[str, str],
    code: int,
    told: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").touch(0o600)
    done = serve(tmp_path / "home", *words, **env)
    assert done.exit_code == code, done.output
    assert told in done.output
    assert "unexpected" not in done.output
    assert "kept: nothing was" in done.output or "untouched" in done.output
    assert "to do:" in done.output


@pytest.mark.enable_socket
def test_a_port_in_use_is_said_in_words() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(OutputError, match=f"port {port} of 127.0.0.1") as error:
            Binding(port=port).listen()
    assert "--port" in error.value.todo
    for taken in Binding(port=port).listen():
        taken.close()


def ready(site: Site) -> tuple[int, Any]:
    answer = TestClient(site.app).get("/readyz")
    return answer.status_code, json.loads(answer.text)


def test_workers_that_cannot_start_make_the_server_not_ready(site: Site) -> None:
    crew = Crew(site.desk, Settings(preset="nope"), 1)
    site.rooms.workers_stuck = crew.stuck
    assert ready(site)[0] == 200
    crew.start()
    try:
        until = time.monotonic() + 60
        while not crew.stuck() and time.monotonic() < until:
            time.sleep(0.1)
        status, told = ready(site)
    finally:
        crew.stop()
        site.rooms.workers_stuck = lambda: False
    assert status == 503
    assert [one["name"] for one in told["checks"] if not one["ok"]] == ["workers"]


def test_a_worker_that_cannot_clean_goes_on_with_the_rest(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[bool] = []
    chores = Chores(site.desk, Settings(preset="nope"), said.append)
    tidied: list[bool] = []
    monkeypatch.setattr(chores, "tidy", lambda: tidied.append(True))
    chores.round()
    chores.round()
    assert said == [False]
    assert tidied == [True]
