"""``safelight log`` and ``safelight receipt``, as a person types them; and group commit."""

import json
import threading
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import select

from safelight.cli import proofs
from safelight.errors import LogError, OutputError, ReceiptError, SettingsError
from safelight.store import Store, faults
from safelight.store.schema.tlog import leaves
from safelight.tlog import Log, Signer
from safelight.tlog.group import Sequencer
from safelight.tlog.receipt import build, verify
from test_tlog_tree import entries


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Return a folder with a data folder, a log key and a receipt in it."""
    signer = Signer.load_or_create(tmp_path / "log.key", "log.example.org/cli")
    with Store.at(tmp_path / "data") as store:
        log = Log(store, signer)
        with store.begin() as conn:
            log.append(conn, entries(9))
            leaf = log.commit_to(conn, "withdrawal.done", {"person": "7k2m9q4d"}, bytes(32))
        (tmp_path / "receipt.json").write_bytes(build(log, leaf))
    return tmp_path


def run(home: Path, *words: str, data: bool = True) -> Result:
    """Run one command."""
    group = proofs.log if words[0] == "log" else proofs.receipt
    more = ["--data", str(home / "data"), "--log-key", str(home / "log.key")] if data else []
    return CliRunner().invoke(group, [*words[1:], *more], catch_exceptions=False)


def test_the_log_is_verified_with_an_old_receipt(home: Path) -> None:
    done = run(home, "log", "verify", "--receipt", str(home / "receipt.json"), "--json")
    assert done.exit_code == 0
    told = json.loads(done.stdout)
    assert (told["holds"], told["entries"], told["checkpoints"]) == (True, 10, 3)
    assert "The log holds" in run(home, "log", "verify").stdout


def test_a_changed_entry_is_named_and_the_exit_code_says_so(home: Path) -> None:
    with Store.at(home / "data") as store, store.begin() as conn:
        conn.execute(leaves.update().where(leaves.c.position == 4).values(entry=b"changed"))
    done = run(home, "log", "verify")
    assert done.exit_code == 3
    assert "entry 4: " in done.stdout.splitlines()[1]
    assert json.loads(run(home, "log", "verify", "--json").stdout)["holds"] is False


def test_checkpoint_proof_and_key_are_printed_or_written(home: Path) -> None:
    note = run(home, "log", "checkpoint").stdout
    assert note.startswith("log.example.org/cli\n10\n")
    assert run(home, "log", "proof", "3").stdout.startswith("c2sp.org/tlog-proof@v1\nindex 3\n")
    run(home, "log", "checkpoint", "-o", str(home / "note"))
    assert (home / "note").read_text("utf-8") == note
    key = json.loads(run(home, "log", "key", "--json").stdout)
    assert key["fingerprint"] in run(home, "log", "key").stdout
    more = ["--data", str(home / "data"), "--log-key", key["key"]]
    assert run(home, "log", "verify", *more, data=False).exit_code == 0
    with pytest.raises(LogError, match="no such entry"):
        run(home, "log", "proof", "10")
    missing = run(home, "log", "verify", "--data", str(home / "none"), data=False)
    assert missing.exit_code == 2
    assert not (home / "none").exists()


def test_a_public_key_alone_cannot_sign(home: Path) -> None:
    key = Signer.load(home / "log.key").vkey
    with Store.at(home / "data") as store:
        log = Log(store, key)
        assert log.checkpoint() == log.latest()
        with store.begin() as conn:
            log.append(conn, [b"more"])
        with pytest.raises(LogError, match="no key"):
            log.checkpoint()


def test_a_receipt_is_verified_and_its_page_made(home: Path) -> None:
    file = str(home / "receipt.json")
    done = run(home, "receipt", "verify", file, "--json", data=False)
    told = json.loads(done.stdout)
    assert (done.exit_code, told["holds"], told["fields"]) == (0, True, {"person": "7k2m9q4d"})
    assert "compare the log's key" in run(home, "receipt", "verify", file, data=False).stdout
    known = run(home, "receipt", "verify", file, "--key", told["fingerprint"], data=False)
    assert (known.exit_code, "compare" in known.stdout) == (0, False)
    for bad in ("0" * 64, "a+b+c"):
        other = run(home, "receipt", "verify", file, "--key", bad, "--json", data=False)
        assert (other.exit_code, json.loads(other.stdout)["holds"]) == (3, False)
    made = home / "page.html"
    run(home, "receipt", "page", file, "-o", str(made), data=False)
    done = run(home, "receipt", "verify", str(made), "--json", data=False)
    assert json.loads(done.stdout)["page_is_as_made"] is True
    made.write_text(made.read_text("utf-8").replace("The withdrawal is", "Nothing is"), "utf-8")
    done = run(home, "receipt", "verify", str(made), data=False)
    assert (done.exit_code, "believe what" in done.stdout) == (0, True)


def test_a_receipt_with_one_changed_character_fails(home: Path) -> None:
    path = home / "receipt.json"
    path.write_bytes(path.read_bytes().replace(b"7k2m9q4d", b"7k2m9q4e"))
    done = run(home, "receipt", "verify", str(path), data=False)
    assert done.exit_code == 3
    assert "DOES NOT HOLD" in done.stdout


def test_the_browsers_page_is_written(home: Path) -> None:
    run(home, "receipt", "verifier", "-o", str(home / "verify.html"), data=False)
    assert "Check a receipt" in (home / "verify.html").read_text("utf-8")


def test_threads_share_a_transaction_and_each_gets_its_own(store: Store) -> None:
    log = Log(store, Signer.generate())
    sequencer, began = Sequencer(log), []
    got: dict[int, bytes] = {}

    def work(number: int) -> None:
        for step in range(8):
            own = [b"%d %d %d" % (number, step, part) for part in range(step % 3)]
            got.update(zip(sequencer.append(own), own, strict=True))
            leaf = sequencer.commit_to("a", {"n": number}, bytes(32))
            got[leaf.index] = leaf.entry

    def count(name: str) -> None:
        began.append(name)

    with faults.planned(count):
        threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
        for one in threads:
            one.start()
        for one in threads:
            one.join()
    assert sorted(got) == list(range(log.size()))
    with store.read() as conn:
        rows = conn.execute(select(leaves.c.position, leaves.c.entry)).all()
    assert {at: bytes(one) for at, one in rows} == got
    assert began.count("tlog.appended") <= 6 * 8 * 2
    log.checkpoint()
    assert log.verify().holds


def test_what_one_thread_asks_wrongly_or_the_store_refuses_is_told(store: Store) -> None:
    sequencer = Sequencer(Log(store, Signer.generate()))
    with pytest.raises(LogError):
        sequencer.append([bytes(70_000)])
    with pytest.raises(ReceiptError):
        sequencer.commit_to("a", {"n": 1.5}, bytes(32))
    with pytest.raises(ReceiptError):
        sequencer.commit_to("a", {}, b"short")

    def fail(name: str) -> None:
        raise LogError(f"the disk is full at {name}")

    with faults.planned(fail), pytest.raises(LogError, match="disk is full"):
        sequencer.append([b"x"])
    assert sequencer.append([b"y"]) == [0]


def test_a_stop_between_copy_signature_and_row_is_gone_over_again(store: Store) -> None:
    signer = Signer.generate()
    log = Log(store, signer)
    for place in ("tlog.copied", "tlog.signed", "tlog.kept"):
        with store.begin() as conn:
            indices = log.append(conn, [b"x"] * 40)

        def stop(name: str, place: str = place) -> None:
            if name == place:
                raise RuntimeError(name)

        with faults.planned(stop), pytest.raises(RuntimeError):
            log.checkpoint()
        again = Log(store, signer)
        assert again.checkpoint().size == indices[-1] + 1
        assert again.verify().holds
        leaf = Sequencer(again).commit_to("a", {}, bytes(32))
        assert verify(build(again, leaf)).index == leaf.index


@pytest.mark.parametrize(
    "words",
    [
        ("log", "checkpoint"),
        ("log", "proof", "0"),
        ("receipt", "page", "receipt.json"),
        ("receipt", "verifier"),
    ],
)
def test_what_is_written_writes_over_nothing(
    home: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    monkeypatch.chdir(home)
    there = home / "precious"
    there.write_bytes(b"precious")
    data = words[0] == "log"
    with pytest.raises(OutputError, match="already"):
        run(home, *words, "-o", "precious", data=data)
    assert there.read_bytes() == b"precious"
    assert run(home, *words, "-o", "precious", "--force", data=data).exit_code == 0
    assert there.read_bytes() == run(home, *words, data=data).stdout_bytes


def test_an_entry_that_is_not_there_is_said_with_those_that_are(home: Path) -> None:
    with pytest.raises(LogError, match="no such entry") as error:
        run(home, "log", "proof", "99")
    assert error.value.todo == "the entries of this tree are numbered from 0 to 9"


def test_a_page_is_never_written_over_its_receipt(home: Path) -> None:
    file = str(home / "receipt.json")
    before = (home / "receipt.json").read_bytes()
    with pytest.raises(SettingsError, match="what is read"):
        run(home, "receipt", "page", file, "-o", file, "--force", data=False)
    assert (home / "receipt.json").read_bytes() == before
