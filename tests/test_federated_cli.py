"""A round as it is typed: two vaults, a coordinator, and a total that equals the central one."""

import json
import socket
import threading
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from federated_fixtures import papers_in
from learning_fixtures import HEAD, Room
from safelight.cli import main
from safelight.learning.ledger import PARTS, Ledger
from safelight.pipeline.house import House, Places
from safelight.readers.statistics import Statistics

# The commands meet over this machine's own address: real sockets.
pytestmark = pytest.mark.enable_socket


def places(folder: Path) -> list[str]:
    return ["--data", str(folder / "data"), "--master-key", str(folder / "keys" / "m.key")]


def vault(folder: Path, people: int) -> Statistics:
    """Make a vault whose people contributed; return what they taught the head."""
    where = Places(data=str(folder / "data"), master_key=str(folder / "keys" / "m.key"))
    with House.create(where) as house:
        room = Room(house.custody)
        room.filled(people)
        with house.store.read() as conn:
            ledger = Ledger(house.vault, conn, room.head)
            first, second = (ledger.read(part) for part in PARTS)
            return first + second


def typed(*words: str, code: int = 0) -> Any:
    done = CliRunner().invoke(main, [*words, "--json"])
    assert done.exit_code == code, done.output
    return json.loads(done.output) if code == 0 else done.output


def test_a_key_is_never_written_over(tmp_path: Path) -> None:
    there = tmp_path / "site.key"
    typed("federate", "key", str(there))
    before = there.read_bytes()
    told = CliRunner().invoke(main, ["federate", "key", str(there)])
    assert told.exit_code != 0
    assert str(there) in told.output
    assert "to do: give the name of a file that is not there yet" in told.output
    assert there.read_bytes() == before


def test_a_round_as_it_is_typed(tmp_path: Path) -> None:
    sites = {"north": 6, "south": 9}
    sums = {name: vault(tmp_path / name, people) for name, people in sites.items()}
    keys = {name: str(tmp_path / f"{name}.key") for name in sites}
    public = {name: typed("federate", "key", path)["public_key"] for name, path in keys.items()}
    assert all(Path(path).stat().st_mode & 0o777 == 0o600 for path in keys.values())
    plan, out = str(tmp_path / "round.json"), str(tmp_path / "total.bin")
    named = [word for name, key in public.items() for word in ("--site", f"{name}={key}")]
    typed("federate", "plan", plan, "--head", HEAD, *named, *places(tmp_path / "north"))
    certificate, secret = papers_in(str(tmp_path))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    paper = ["--certificate", certificate, "--certificate-key", secret, "--host", "127.0.0.1"]
    lines = [["coordinate", plan, out, *paper, "--port", str(port), *places(tmp_path / "north")]]
    to = ["--to", f"https://127.0.0.1:{port}", "--authorities", certificate]
    lines += [
        ["send", plan, name, *to, "--site-key", keys[name], *places(tmp_path / name)]
        for name in sites
    ]
    errors: list[BaseException] = []

    def run(line: list[str]) -> None:
        try:
            main.main(["federate", *line, "--json"], standalone_mode=False)
        except BaseException as error:  # noqa: BLE001  # told by the assertion below
            errors.append(error)

    threads = [threading.Thread(target=run, args=(line,)) for line in lines]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(90)
    assert errors == []
    total = Statistics.from_bytes(Path(out).read_bytes())
    assert total.digest() == (sums["north"] + sums["south"]).digest()
    assert "not a site's key" in typed(
        *["federate", "send", plan, "north", *to, "--site-key", plan],
        *places(tmp_path / "north"),
        code=4,
    )
