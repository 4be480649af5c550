"""Many uploads at once: is all of it there, how much memory did it take, did pages still answer?

    python bench/uploads.py --uploads 50 --mb 100

starts a server of its own in a temporary folder, sends the files at the same time over loopback,
and asks for a page all the while. Exits with 1 when a bar is missed.
"""

import argparse
import http.client
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

MEMORY_BAR = 1 << 30
ANSWER_BAR = 0.5
_CHUNK = 1 << 18


def ask(port: int, cookie: str, method: str, path: str, body: Any = None, **headers: str) -> Any:
    """Send one request; return the answer's status, headers and body."""
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=600)
    more = {"Accept": "application/json", "Cookie": cookie, **headers}
    line.request(method, path, body=body, headers=more)
    answer = line.getresponse()
    told = answer.status, answer.headers, answer.read()
    line.close()
    return told


def started(folder: Path, port: int) -> tuple[subprocess.Popen[str], str]:
    """Start a server; return it and the cookie of its one person."""
    (folder / "keys").mkdir(mode=0o700)
    command = [sys.executable, "-c", "from safelight.cli import main; main()", "serve", "--open"]
    command += ["--port", str(port), "--data", str(folder / "data")]
    command += ["--master-key", str(folder / "keys" / "m"), "--key", str(folder / "keys" / "p")]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    for line in server.stderr or ():
        if "/open/" in line:
            _, headers, _ = ask(port, "", "GET", "/open/" + line.rpartition("/")[2].strip())
            return server, headers["set-cookie"].partition(";")[0]
    raise SystemExit("the server did not start")


def peak(pid: int) -> int:
    """Return the most memory that a process held, in bytes (VmHWM)."""
    for line in Path(f"/proc/{pid}/status").read_text("utf-8").splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) << 10
    return 0


def content(number: int, size: int) -> Iterator[bytes]:
    """Yield a file that is like no other one."""
    piece = number.to_bytes(4, "big") * (_CHUNK // 4)
    for start in range(0, size, _CHUNK):
        yield piece[: min(_CHUNK, size - start)]


def main() -> int:
    """Run it and print a table."""
    given = argparse.ArgumentParser(description=__doc__)
    given.add_argument("--uploads", type=int, default=50)
    given.add_argument("--mb", type=int, default=100)
    given.add_argument("--port", type=int, default=18_765)
    chosen = given.parse_args()
    size = chosen.mb * 1_000_000
    with tempfile.TemporaryDirectory() as name:
        server, cookie = started(Path(name), chosen.port)
        try:
            return measured(server, cookie, chosen.port, chosen.uploads, size)
        finally:
            server.terminate()
            server.wait(60)


def measured(server: subprocess.Popen[str], cookie: str, port: int, uploads: int, size: int) -> int:
    """Send the files and watch; return the exit code."""
    page = json.loads(ask(port, cookie, "GET", "/")[2])
    opened = json.dumps({"policy": page["policy"]["hash"], "agree": ["care"]})
    kind = {"Content-Type": "application/json"}
    parcel = json.loads(ask(port, cookie, "POST", "/parcels", opened, **kind)[2])["id"]
    statuses: list[int] = []

    def send(number: int) -> None:
        headers = {"Upload-Length": str(size), "Content-Length": str(size)}
        path = f"/uploads?parcel={parcel}"
        statuses.append(ask(port, cookie, "POST", path, content(number, size), **headers)[0])

    threads = [threading.Thread(target=send, args=(number,)) for number in range(uploads)]
    begun = time.monotonic()
    for thread in threads:
        thread.start()
    answers: list[float] = []
    while any(thread.is_alive() for thread in threads):
        at = time.monotonic()
        ask(port, cookie, "GET", "/account" if len(answers) % 2 else "/healthz")
        ask(port, cookie, "GET", "/submissions")
        answers.append((time.monotonic() - at) / 2)
        time.sleep(0.2)
    spent = time.monotonic() - begun
    told = json.loads(ask(port, cookie, "GET", f"/parcels/{parcel}")[2])
    whole = sum(one["whole"] and one["offset"] == size for one in told["uploads"])
    memory = peak(server.pid)
    slow = statistics.quantiles(answers, n=20)[-1] if len(answers) > 1 else answers[0]
    print(f"{uploads} uploads of {size / 1e6:.0f} MB in {spent:.1f} s:", end=" ")
    print(f"{uploads * size / 1e6 / spent:.0f} MB/s on {os.cpu_count()} cores")
    print(f"whole       {whole} of {uploads}; statuses {sorted(set(statuses))}")
    print(f"memory      {memory / 1e6:.0f} MB at most (bar {MEMORY_BAR / 1e6:.0f})")
    print(f"pages       median {statistics.median(answers) * 1e3:.0f} ms,", end=" ")
    print(f"95 % within {slow * 1e3:.0f} ms, worst {max(answers) * 1e3:.0f} ms (bar 500)")
    good = whole == uploads and memory < MEMORY_BAR and slow < ANSWER_BAR
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
