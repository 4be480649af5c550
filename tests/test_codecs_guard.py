"""The process that decodes: it may die, hang or fill memory, and nothing else does."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from pixel_fixtures import JPEG, encapsulated
from safelight.dicomio.codecs import PixelFormat, encode
from safelight.dicomio.codecs import guard as guards
from safelight.dicomio.codecs.guard import Guard, guard
from safelight.errors import LimitExceededError, SafelightError, UnreadableInputError

FORM = PixelFormat(rows=8, columns=9, syntax=JPEG + "80")
FRAME = np.arange(72, dtype=np.uint8).reshape(8, 9)
JOB = {"codec": "jpegls", "shape": [8, 9], "dtype": "<u1", "samples": 1}


def child_of(one: Guard) -> int:
    """Return the process id of a guard's child."""
    assert one._process is not None
    return one._process.pid


def gone(pid: int) -> bool:
    """Wait until a process is no more; tell if it went."""
    for _ in range(500):
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
        except (FileNotFoundError, ProcessLookupError):
            return True
        if state == "Z":  # dead, and nobody has asked yet
            return True
        time.sleep(0.02)
    return False


@pytest.fixture
def mine() -> Iterator[Guard]:
    """Give a guard of its own, closed at the end."""
    one = Guard()
    yield one
    one.close()


@pytest.fixture(scope="module")
def coded() -> bytes:
    """Give a codestream of the frame above."""
    return encode(FRAME, FORM)


def test_one_child_serves_many_frames(mine: Guard, coded: bytes) -> None:
    for _ in range(5):
        assert mine.decode(coded, JOB, size=72) == FRAME.tobytes()
    assert mine.started == 1


def test_a_child_that_died_is_replaced(mine: Guard, coded: bytes) -> None:
    mine.decode(coded, JOB, size=72)
    os.kill(child_of(mine), signal.SIGKILL)
    time.sleep(0.1)
    assert mine.decode(coded, JOB, size=72) == FRAME.tobytes()
    assert mine.started == 2


def stopped(mine: Guard, coded: bytes) -> int:
    """Stop the child, so that the next job waits for it."""
    mine.decode(coded, JOB, size=72)
    os.kill(child_of(mine), signal.SIGSTOP)
    return child_of(mine)


def test_a_frame_that_kills_its_decoder_is_refused(mine: Guard, coded: bytes) -> None:
    pid = stopped(mine, coded)
    killer = threading.Timer(0.3, os.kill, (pid, signal.SIGSEGV))
    waker = threading.Timer(0.4, os.kill, (pid, signal.SIGCONT))
    killer.start()
    waker.start()
    with pytest.raises(UnreadableInputError, match=f"broke its decoder .exit -{signal.SIGSEGV}"):
        mine.decode(coded, JOB, size=72)
    waker.join()
    assert mine.decode(coded, JOB, size=72) == FRAME.tobytes()


def test_a_decoder_that_hangs_is_ended(
    mine: Guard, coded: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    pid = stopped(mine, coded)
    monkeypatch.setattr(guards, "_WALL", 0.05)
    with pytest.raises(LimitExceededError, match="too long"):
        mine.decode(coded, JOB, size=72)
    assert gone(pid)
    monkeypatch.undo()
    assert mine.decode(coded, JOB, size=72) == FRAME.tobytes()


def test_a_decoder_that_spins_is_ended_by_its_own_clock(mine: Guard, coded: bytes) -> None:
    """An orphan in an endless loop would have nobody to kill it."""
    mine.decode(coded, JOB, size=72)
    limits = Path(f"/proc/{child_of(mine)}/limits").read_text()
    line = next(one for one in limits.splitlines() if one.startswith("Max cpu time"))
    assert 10 <= int(line.split()[3]) <= 30


def test_memory_is_bounded(mine: Guard) -> None:
    bomb = b"\1\0\0\0\x40" + bytes(59) + b"\x81\7" * (8 << 20)  # unpacks to a gigabyte
    job = {
        "codec": "rle",
        "shape": [8, 9],
        "dtype": "<u1",
        "plane": 72,
        "segments": [1, 1],
    }
    with pytest.raises(LimitExceededError, match="memory"):
        mine.decode(bomb, job, size=72)
    assert mine.started == 1


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"shape": [9, 8]}, "size or depth"),
        ({"dtype": "<u2"}, "size or depth"),
        ({"dtype": "<i1"}, "size or depth"),
        ({"codec": "j2k"}, "gave up"),
        ({"codec": "no such codec"}, "gave up"),
    ],
)
def test_another_result_than_promised_is_refused(
    mine: Guard, coded: bytes, changes: dict[str, object], reason: str
) -> None:
    with pytest.raises(UnreadableInputError, match=reason):
        mine.decode(coded, {**JOB, **changes}, size=72)
    assert mine.decode(coded, JOB, size=72) == FRAME.tobytes()


def test_an_answer_of_another_length_is_refused(mine: Guard, coded: bytes) -> None:
    with pytest.raises(UnreadableInputError, match="broke its decoder"):
        mine.decode(coded, JOB, size=71)
    assert mine.decode(coded, JOB, size=72) == FRAME.tobytes()
    assert mine.started == 2


def test_the_child_holds_nothing_of_the_parent(
    mine: Guard, coded: bytes, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("A_SECRET", "of the parent")
    with (tmp_path / "held").open("wb"):
        mine.decode(coded, JOB, size=72)
        process = Path("/proc") / str(child_of(mine))
        held = {os.readlink(one) for one in (process / "fd").iterdir()}
    assert all(one == os.devnull or one.startswith("pipe:") for one in held)
    names = {one.split(b"=")[0] for one in (process / "environ").read_bytes().split(b"\0")}
    assert names <= {b"OMP_NUM_THREADS", b"OPENBLAS_NUM_THREADS", b"MKL_NUM_THREADS", b""}
    assert os.readlink(process / "cwd") == "/"
    limits = (process / "limits").read_text()
    for name in ("Max core file size", "Max file size"):
        line = next(one for one in limits.splitlines() if one.startswith(name))
        assert line.removeprefix(name).split()[:2] == ["0", "0"]


def test_several_threads_share_one_child(mine: Guard, coded: bytes) -> None:
    found: list[bytes] = []

    def work() -> None:
        found.extend(bytes(mine.decode(coded, JOB, size=72)) for _ in range(20))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [FRAME.tobytes()] * 80
    assert mine.started == 1


SCRIPT = """
import os, sys, signal
sys.path[:0] = {paths!r}
from safelight.dicomio.codecs.guard import guard
job, coded, end = {job!r}, {coded!r}, sys.argv[1]
assert len(guard().decode(coded, job, size=72)) == 72
print(guard()._process.pid, flush=True)
if end == "killed":
    os.kill(os.getpid(), signal.SIGKILL)
if end == "forked":
    first = guard()._process.pid
    pid = os.fork()
    if not pid:
        assert guard()._process is None
        assert len(guard().decode(coded, job, size=72)) == 72
        assert guard()._process.pid != first
        guard().close()
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    assert len(guard().decode(coded, job, size=72)) == 72
    assert guard()._process.pid == first
"""


@pytest.mark.parametrize("end", ["returned", "killed", "forked"])
def test_the_child_ends_with_its_parent(end: str, coded: bytes) -> None:
    script = SCRIPT.format(paths=sys.path, job=JOB, coded=coded)
    run = subprocess.run(
        [sys.executable, "-c", script, end], capture_output=True, text=True, check=False
    )
    assert run.returncode == (-signal.SIGKILL if end == "killed" else 0), run.stderr
    assert gone(int(run.stdout))


def test_a_child_that_cannot_start_is_told(monkeypatch: pytest.MonkeyPatch, coded: bytes) -> None:
    for executable in ("/nowhere/python", "/bin/true"):
        monkeypatch.setattr(sys, "executable", executable)
        one = Guard()
        with pytest.raises(SafelightError, match="could not be started") as caught:
            one.decode(coded, JOB, size=72)
        assert not isinstance(caught.value, UnreadableInputError)


def test_a_header_run_loads_no_arrays() -> None:
    script = "import safelight.dicomio.codecs as c, sys; c.PixelFormat(rows=1, columns=1)"
    script += "; sys.exit('numpy' in sys.modules)"
    subprocess.run([sys.executable, "-c", script], check=True)


def test_decoding_goes_through_the_guard_of_the_process(coded: bytes) -> None:
    assert np.array_equal(encapsulated(FORM, coded).frame(0), FRAME)
    assert guard().started >= 1
