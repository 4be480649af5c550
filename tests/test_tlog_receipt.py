"""Receipts: they hold, by command and in a browser; after any change they do not."""

import base64
import html
import json
import random
import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
import segno
import zxingcpp
from hypothesis import given
from hypothesis import strategies as st

from browser import CHROMIUM, dom
from safelight.errors import LogError, ReceiptError
from safelight.store import Store
from safelight.tlog import Leaf, Log, Signer, page, receipt, verifier
from safelight.tlog.commitment import document, salt_of
from safelight.tlog.jcs import canonical, parse
from safelight.tlog.note import COSIGNATURE, Note, VerifierKey
from safelight.tlog.tree import leaf_hash
from safelight.tlog.witness import Witness, request
from scripts.seal_verifier import PAGE, sealed
from test_tlog_tree import entries

SIGNER = Signer("log.example.org/test", bytes(range(32)))
WITNESS = Signer("witness.example.org/one", bytes(range(1, 33)), use=COSIGNATURE)
EVENT = {
    "person": "7k2m9q4d",
    "policy": "sha256:" + "ab" * 32,
    "purposes": ["DUO:0000042"],
    "key_destroyed": True,
    "artefacts": [{"kind": "object", "before": "sha256:" + "cd" * 32, "after": "", "action": "x"}],
    "told": [{"recipient": "Hospital <&>", "disclosed_at": "2026-01-02T03:04:05+00:00"}],
    "not_recalled": [{"recipient": "Model", "what": "1 request", "else": None, "count": 1}],
    "record": {"schema_version": "ISO/IEC TS 27560:2023", "events": [{"event_state": "withdrawn"}]},
    "note": "Nothing is used from now on. \N{BLACK HEART SUIT} \u2028 \U0001f512 </pre> \x7f",
}


@pytest.fixture
def made(store: Store, tmp_path: Path) -> tuple[Log, bytes]:
    """Return a log and a receipt of its entry 20 of 90, cosigned."""
    log = Log(store, SIGNER, witnesses=[WITNESS.vkey])
    with store.begin() as conn:
        log.append(conn, entries(20))
        leaf = log.commit_to(conn, "withdrawal.done", EVENT, bytes(32))
        log.append(conn, entries(69))
    line = Witness(WITNESS, SIGNER.vkey, tmp_path / "w").cosign(request(log, 0), 1_795_305_600)
    log.add_cosignature(line)
    return log, receipt.build(log, leaf)


def test_a_receipt_holds_and_says_what_happened(made: tuple[Log, bytes]) -> None:
    log, data = made
    found = receipt.verify(data, log.key.fingerprint)
    assert (found.kind, found.index, found.size) == ("withdrawal.done", 20, 90)
    assert found.fields == EVENT
    assert found.witnesses == ("witness.example.org/one",)
    assert found.data + b"\n" == data
    assert receipt.verify(data, str(log.key)) == receipt.verify(data, log.key) == found
    spaced = " ".join(re.findall("....", log.key.fingerprint.upper()))
    assert receipt.verify(data, spaced) == found
    assert log.verify([found.checkpoint]).holds


def test_a_receipt_of_another_log_is_refused(made: tuple[Log, bytes]) -> None:
    for other in ("00" * 32, Signer.generate().vkey, "x"):
        with pytest.raises(ReceiptError, match="unknown key"):
            receipt.verify(made[1], other)


def test_any_flipped_bit_of_a_receipt_is_found(made: tuple[Log, bytes]) -> None:
    data = made[1]
    chance = random.Random(4)  # noqa: S311  # reproducible, not secret
    for bit in chance.sample(range(len(data) * 8), 1000):
        bad = bytearray(data)
        bad[bit // 8] ^= 1 << bit % 8
        with pytest.raises(ReceiptError):
            receipt.verify(bytes(bad))


def test_any_one_character_changed_added_or_lost_is_found(made: tuple[Log, bytes]) -> None:
    text = made[1].decode().removesuffix("\n")
    chance = random.Random(5)  # noqa: S311  # as above
    for at in chance.sample(range(len(text)), 400):
        letter = chance.choice('0aA" ,\\+=n')
        changes = {text[:at] + text[at + 1 :], text[:at] + letter + text[at:]}
        changes |= {text[:at] + letter + text[at + 1 :]} - {text}
        for bad in changes:
            with pytest.raises(ReceiptError):
                receipt.verify(bad.encode())


HOSTILE = [
    b"", b"{}", b"[]", b"null", b"\xff", b"[" * 100_000, b'{"a":NaN}', b"1e999", b'{"format":1}',
    b'<pre id="receipt">{}</pre>', b'"\\ud800"', b'{"a":1.0}', b'{"a":1,"a":1}', bytes(9),
]  # fmt: skip


@pytest.mark.parametrize("data", HOSTILE)
def test_what_is_no_receipt_is_refused(data: bytes) -> None:
    with pytest.raises(ReceiptError):
        receipt.verify(data)
    with pytest.raises(verifier.RefusedError):
        verifier.verify(data)


@given(st.data())
def test_a_receipt_with_another_value_anywhere_is_refused(data: st.DataObject) -> None:
    whole = json.loads(_plain())
    spot, name = whole, ""
    while isinstance(spot, dict):
        above, name = spot, data.draw(st.sampled_from(sorted(spot)))
        spot = spot[name]
    values = st.none() | st.booleans() | st.integers() | st.text() | st.just([]) | st.just({})
    above[name] = data.draw(
        values.filter(lambda value: value != spot or type(value) is not type(spot))
    )
    bad = json.dumps(whole, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    with pytest.raises(verifier.RefusedError):
        verifier.verify(bad.encode("utf-8", "replace"))


def _plain(kind: str = "a", index: int = 0) -> bytes:
    """Return a receipt of a log of one entry, made without a database."""
    told = document(kind, datetime(2026, 11, 22, tzinfo=UTC), {"n": 1})
    leaf = Leaf(index=index, document=told, salt=salt_of(bytes(32), 0))
    root = base64.b64encode(leaf_hash(leaf.entry)).decode()
    note = str(SIGNER.sign(f"{SIGNER.vkey.name}\n1\n{root}\n"))
    value = {
        "format": receipt.FORMAT,
        "leaf": json.loads(told),
        "log": {"fingerprint": SIGNER.vkey.fingerprint, "key": str(SIGNER.vkey)},
        "proof": f"c2sp.org/tlog-proof@v1\nindex {index}\n\n{note}",
        "salt": leaf.salt.hex(),
        "witnesses": [],
    }
    return canonical(value)


def test_a_log_of_one_entry_has_receipts_too() -> None:
    assert receipt.verify(_plain()).size == 1
    with pytest.raises(ReceiptError):
        receipt.verify(_plain(index=1))


def test_a_leaf_that_was_never_logged_gets_no_receipt(made: tuple[Log, bytes]) -> None:
    told = document("withdrawal.done", datetime.now(UTC), {})
    with pytest.raises(ReceiptError, match="does not hold"):
        receipt.build(made[0], Leaf(index=3, document=told, salt=bytes(32)))
    with pytest.raises(LogError):
        receipt.build(made[0], Leaf(index=300, document=told, salt=bytes(32)))


def test_the_page_holds_the_receipt_and_escapes_what_it_shows(made: tuple[Log, bytes]) -> None:
    found = receipt.verify(made[1])
    told = page.page(found)
    assert receipt.verify(told.encode()) == found
    assert page.page(receipt.verify(told.encode())) == told
    assert "Hospital &lt;&amp;&gt;" in told
    assert "<script" not in told
    assert told.count("</pre>") == 1
    assert "default-src 'none'" in told
    changed = told.replace(html.escape('"person":"7k2m9q4d"'), html.escape('"person":"7k2m9q4e"'))
    assert changed != told
    with pytest.raises(ReceiptError):
        receipt.verify(changed.encode())


def test_the_qr_code_reads_back(made: tuple[Log, bytes]) -> None:
    text = page.qr_text(receipt.verify(made[1]))
    rows = [list(row) for row in segno.make(text, error="m", micro=False).matrix_iter(4, 4)]
    grey = np.where(np.array(rows) > 0, 0, 255).astype(np.uint8)
    assert [one.text for one in zxingcpp.read_barcodes(grey)] == [text]
    assert "entry 20 of 90" in text


def test_the_verifier_runs_alone_and_is_short(made: tuple[Log, bytes], tmp_path: Path) -> None:
    source = Path(verifier.__file__).read_text("utf-8")
    assert sum(bool(line.strip()) for line in source.splitlines()) < 100
    assert "safelight." not in source.replace("safelight-", "")
    alone, given_ = tmp_path / "verifier.py", tmp_path / "receipt.json"
    alone.write_text(source, "utf-8")
    for data, code in ((made[1], 0), (made[1].replace(b"7k2m9q4d", b"7k2m9q4e"), 1)):
        given_.write_bytes(data)
        command = [sys.executable, "-I", str(alone), str(given_), SIGNER.vkey.fingerprint]
        done = subprocess.run(command, capture_output=True, check=False, timeout=120)
        assert done.returncode == code, done.stderr
        assert done.stdout.startswith(b"holds: withdrawal.done") == (code == 0)


def test_canonical_json_is_rfc_8785s() -> None:
    # RFC 8785 section 3.2.3, its own example of the order of names
    names = ["\u20ac", "\r", "\ufb33", "1", "\U0001f600", "\u0080", "\u00f6"]
    wanted = ["\r", "1", "\u0080", "\u00f6", "\u20ac", "\U0001f600", "\ufb33"]
    assert list(json.loads(canonical(dict.fromkeys(names, 1)))) == wanted
    assert canonical({"b": [None, True, -1], "a": '\x00\b\t"\\/\x1f\x7f'}) == (
        b'{"a":"\\u0000\\b\\t\\"\\\\/\\u001f\x7f","b":[null,true,-1]}'
    )
    for bad in (1.5, 2**53, {1: 2}, b"x", "\ud800", {"a": object()}, _deep(50)):
        with pytest.raises(ReceiptError):
            canonical(bad)
    for text in (b'{"a": 1}', b'{"b":1,"a":1}', b"[1", b'"\xff"', b'"\\/"'):
        with pytest.raises(ReceiptError):
            parse(text)


def _deep(levels: int) -> list[object]:
    value: list[object] = []
    for _ in range(levels):
        value = [value]
    return value


def test_notes_are_c2sps() -> None:
    # the examples of C2SP signed-note v1.0.0 and tlog-cosignature
    key = VerifierKey.parse("example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k")
    note = (
        "This is an example message.\n\n\u2014 example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6Tf"
        "Xppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n"
    )
    assert key.holds(Note.parse(note))
    assert str(Note.parse(note)) == note
    assert not key.holds(Note.parse(note.replace("example message", "example massage")))
    for bad in ("", "a\n", "a\n\nb\n", note[:-1], note.replace("Uw2Q", "Uw2\x01"), "x" * 200_000):
        with pytest.raises(LogError):
            Note.parse(bad)
    for bad in ("", "a+b", "a b+530d903a+AQ==", str(key).replace("530d", "530e"), str(key)[:-4]):
        with pytest.raises(LogError):
            VerifierKey.parse(bad)


def test_a_witness_signs_growth_and_nothing_else(made: tuple[Log, bytes], tmp_path: Path) -> None:
    log, _ = made
    witness = Witness(WITNESS, log.key, tmp_path / "other")
    first = request(log, 0)
    assert witness.cosign(first, 1) == witness.cosign(request(log, 90), 1)
    with pytest.raises(LogError, match="does not start"):
        witness.cosign(first, 1)
    with log.store.begin() as conn:
        log.append(conn, entries(40))
    good = request(log, 90)
    lines = good.split("\n")
    for bad in (good.replace(lines[1], lines[2]), good.replace("\n130\n", "\n131\n"), "old 90"):
        with pytest.raises(LogError):
            witness.cosign(bad, 2)
    witness.cosign(good, 2)
    assert witness.last[0] == 130
    (tmp_path / "other").write_text("{}")
    with pytest.raises(LogError, match="memory"):
        witness.cosign(good, 3)
    with pytest.raises(LogError):
        log.add_cosignature(str(SIGNER.sign("else\n").signatures[0]))
    with pytest.raises(LogError):
        Witness(SIGNER, log.key, tmp_path / "third")


def test_the_browsers_page_has_a_strict_policy() -> None:
    told = PAGE.read_text("utf-8")
    assert told.encode() == page.verifier_page()
    assert sealed(told) == told, "run scripts/seal_verifier.py"
    policy = re.findall(r'Content-Security-Policy" content="([^"]+)"', told)
    assert len(policy) == 1
    assert policy[0].startswith("default-src 'none'; script-src 'sha256-")
    assert "unsafe" not in policy[0]
    for word in ("http://", "https://", "fetch(", "XMLHttpRequest", "innerHTML", "import(", "src="):
        assert word not in told.replace("-src=", ""), word


if CHROMIUM:  # the head of the report says when there is none

    def _verdict(data: bytes, more: str = "") -> tuple[str, str]:
        given_ = base64.urlsafe_b64encode(data).decode()
        told = dom(Path(page.VERIFIER), f"{more}receipt={given_}")
        found = re.search(r'<html[^>]* data-verdict="(\w+)" data-crypto="(\w+)"', told)
        assert found, "the page gave no verdict"
        return found[1], found[2]

    @pytest.mark.parametrize("kind", ["browser", "own"])
    def test_chromium_accepts_a_receipt_and_refuses_a_changed_one(
        kind: str, store: Store, tmp_path: Path
    ) -> None:
        log = Log(store, SIGNER, witnesses=[WITNESS.vkey])
        with store.begin() as conn:
            log.append(conn, entries(50))
            leaf = log.commit_to(conn, "withdrawal.done", EVENT, bytes(32))
            log.append(conn, entries(30))
        line = Witness(WITNESS, SIGNER.vkey, tmp_path / "w").cosign(request(log, 0), 1_795_305_600)
        log.add_cosignature(line)
        data = receipt.build(log, leaf)
        more = f"crypto={kind}&"
        assert _verdict(data, more) == ("holds", kind)
        known = f"{more}key={log.key.fingerprint}&"
        assert _verdict(page.page(receipt.verify(data)).encode(), known) == ("holds", kind)
        assert _verdict(data, f"{more}key={'0' * 64}&") == ("refused", kind)
        proof = json.loads(data)["proof"]
        root, ours, theirs = proof.split("\n")[-6], *proof.split("\n")[-3:-1]
        for spot in ("7k2m9q4d", json.loads(data)["salt"], root, ours[-20:], theirs[-20:]):
            at = data.index(spot.encode()) + 5
            bad = data[:at] + (b"a" if data[at : at + 1] != b"a" else b"b") + data[at + 1 :]
            assert _verdict(bad, more) == ("refused", kind), spot
