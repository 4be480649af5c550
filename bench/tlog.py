"""The transparency log: durable appends, cold proofs, verification, at a million entries.

Exit code 1 when a bar is missed: 20,000 durable appends a second in batches, 2,000 cold inclusion
proofs a second, proofs under 1 KB. ``--url`` takes a PostgreSQL database, for which there is no
bar: its name is made anew by whoever runs this.
"""

import argparse
import os
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

from safelight.store import Store
from safelight.tlog import Log, Signer, receipt, tree, verifier
from safelight.tlog.group import Sequencer

APPENDS, PROOFS, PROOF_BYTES = 20_000, 2_000, 1024


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--entries", type=int, default=1_000_000)
    parser.add_argument("--batch", type=int, default=1000)
    parser.add_argument("--proofs", type=int, default=4000)
    parser.add_argument("--url", default="", help="database; else SQLite in a new folder")
    parser.add_argument("--folder", default=None, help="where the new folder is made")
    parser.add_argument("--cold", metavar="SEED", type=int, default=None, help=argparse.SUPPRESS)
    return parser.parse_args()


def _store(arguments: argparse.Namespace, folder: str) -> Store:
    if arguments.url:
        return Store.open(arguments.url, objects=f"{folder}/objects", home=folder)
    return Store.at(folder)


def _rate(count: int, work: Callable[[], object]) -> tuple[float, float]:
    """Return how many a second of the clock and a second of this process's own work."""
    start, own = time.perf_counter(), time.process_time()
    work()
    return count / (time.perf_counter() - start), count / (time.process_time() - own)


def _append(log: Log, entries: list[bytes], batch: int) -> None:
    for start in range(0, len(entries), batch):
        with log.store.begin() as conn:
            log.append(conn, entries[start : start + batch])


def _threads(log: Log, each: int, threads: int) -> None:
    sequencer = Sequencer(log)

    def work() -> None:
        for _ in range(each):
            sequencer.append([os.urandom(32)])

    made = [threading.Thread(target=work) for _ in range(threads)]
    for one in made:
        one.start()
    for one in made:
        one.join()


def _cold(log: Log, count: int, seed: int) -> None:
    """Print proofs a second of a process that has read nothing yet: in one read, and each alone."""
    chance, size = random.Random(seed), log.size()  # noqa: S311  # reproducible, not secret
    indices = [chance.randrange(size) for _ in range(count)]
    with log.store.read() as conn:
        together = _rate(count, lambda: [log.inclusion(one, size, conn) for one in indices])
    alone = _rate(count, lambda: [log.inclusion(one, size) for one in indices])
    print(*together, *alone)


def _fresh(arguments: argparse.Namespace, folder: str) -> list[tuple[float, float]]:
    """Return the medians of three fresh processes: in one read, and each alone."""
    command = [sys.executable, __file__, "--folder", folder, "--url", arguments.url]
    command += ["--proofs", str(arguments.proofs)]
    rates = []
    for seed in range(3):
        done = subprocess.run([*command, "--cold", str(seed)], capture_output=True, check=True)
        rates.append([float(one) for one in done.stdout.split()])
    middle = [sorted(column)[1] for column in zip(*rates, strict=True)]
    return [(middle[0], middle[1]), (middle[2], middle[3])]


def main() -> int:
    """Run the bench; print a table; return 1 when a bar is missed."""
    arguments = _arguments()
    signer = Signer("log.example.org/bench", bytes(32))
    if arguments.cold is not None:
        with _store(arguments, arguments.folder) as store:
            _cold(Log(store, signer.vkey, recover=False), arguments.proofs, arguments.cold)
        return 0
    with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
        with _store(arguments, folder) as store:
            log, size = Log(store, signer), arguments.entries
            entries = [os.urandom(32) for _ in range(size - 1)]
            appends = _rate(len(entries), lambda: _append(log, entries, arguments.batch))
            with store.begin() as conn:
                leaf = log.commit_to(conn, "bench", {"n": 1}, bytes(32))
            signing = _rate(size, log.checkpoint)
            data = receipt.build(log, leaf)
            cold = _fresh(arguments, folder)
            proof = log.inclusion(size // 3, size)
            hashed = tree.leaf_hash(entries[size // 3])
            made = log.latest()
            root = made.root if made else b""
            checks = _rate(
                2000,
                lambda: [
                    tree.verify_inclusion(hashed, size // 3, size, proof, root) for _ in range(2000)
                ],
            )
            receipts = _rate(200, lambda: [verifier.verify(data) for _ in range(200)])
            rehash = _rate(size, log.verify)
            single = _rate(300, lambda: _append(log, entries[:300], 1))
            grouped = _rate(64 * 30, lambda: _threads(log, 30, 64))
            text = len(log.proof(size // 3).split("\n\n")[0])
        files = [one for one in Path(folder).rglob("*") if one.is_file()]
        on_disk = sum(one.stat().st_size for one in files) / size
    rows = [
        (f"durable appends, batches of {arguments.batch}", appends, APPENDS),
        ("durable appends, one by one", single, 0),
        ("durable appends, 64 threads through the sequencer", grouped, 0),
        (f"cold inclusion proofs at {size:,} entries, one read", cold[0], PROOFS),
        ("cold inclusion proofs, a transaction each", cold[1], 0),
        ("inclusion proofs checked", checks, 0),
        ("receipts checked", receipts, 0),
        ("entries signed for and copied outside", signing, 0),
        ("entries hashed again by log verify", rehash, 0),
    ]
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    print(f"{'a second':>12} {'a CPU second':>14}")
    for name, (wall, own), bar in rows:
        told = f"  (bar {bar:,}{', MISSED' if wall < bar else ''})" if bar else ""
        print(f"{wall:12,.0f} {own:14,.0f}  {name}{told}")
    print(f"{text} bytes of a proof as text (bar {PROOF_BYTES}), {len(data)} of a small receipt,")
    print(f"{on_disk:.0f} on disk for an entry, the copy outside included")
    missed = any(wall < bar for _, (wall, _), bar in rows) or text >= PROOF_BYTES
    return int(missed and not arguments.url)


if __name__ == "__main__":
    sys.exit(main())
