"""A decoder in a process of its own: kept alive between frames, replaced when it dies.

One child for each process, started at the first compressed frame. It gets bytes by a pipe and
gives bytes back; the parent knows beforehand how many those must be. Death, silence and nonsense
of the child each become an error with a reason.
"""

import atexit
import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping
from typing import IO, Any, Final, Self

from safelight.dicomio.codecs import child
from safelight.errors import LimitExceededError, SafelightError, UnreadableInputError

__all__ = ["Guard", "guard"]

_FLOOR: Final = 10.0  # seconds for the smallest frame
_PACE: Final = 2e6  # bytes of a frame each second: a quarter of what the slowest codec does
_WALL: Final = 6.0  # wall time over processor time, on a busy machine
_PATIENCE: Final = 2.0  # seconds for a dying child to say of what
_START: Final = 120.0  # seconds until the child must have loaded its libraries
_MOST_ANSWER: Final = 64  # an encoded frame is at most this much longer than a raw one, in KiB
_PLACE: Final = "(7FE0,0010)"
_REASONS: Final = {
    child.BROKEN: "a compressed frame is damaged: the decoder gave up",
    child.SHAPE: "a compressed frame is not of the size or depth that its header says",
    child.SHORT: "a compressed frame is truncated",
    child.UNFIT: "a frame did not survive its encoding",
}


class Guard:
    """One child process, and the pipe to it. Safe to use from several threads, one at a time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self.started = 0

    def decode(self, payload: bytes, job: Mapping[str, Any], *, size: int) -> bytearray:
        """Return the decoded bytes of one frame, exactly ``size`` of them.

        Raises:
            UnreadableInputError: The codestream is damaged, truncated or of another size; or the
                decoder died of it.
            LimitExceededError: It took too long or too much memory.
        """
        return self._ask(payload, job, size=size, encode=False)

    def encode(self, payload: bytes, job: Mapping[str, Any]) -> bytes:
        """Return the encoded bytes of one frame, which decode to the payload again.

        Raises:
            UnreadableInputError: The encoder failed, died, or did not give the same pixels back.
            LimitExceededError: It took too long or too much memory.
        """
        return bytes(self._ask(payload, job, size=-1, encode=True))

    def close(self) -> None:
        """End the child; the next frame starts another."""
        with self._lock:
            self._stop()

    def _ask(self, payload: bytes, job: Mapping[str, Any], *, size: int, encode: bool) -> bytearray:
        volume = size if size >= 0 else len(payload)
        seconds = _FLOOR + volume / _PACE
        text = json.dumps({**job, "encode": encode, "bytes": volume, "seconds": seconds}).encode()
        most = 2 * volume + (_MOST_ANSWER << 10)
        with self._lock:
            process = self._running()
            with _Deadline(process, seconds * _WALL) as deadline:
                try:
                    sink, source = _pipes(process)
                    _all(sink, child.JOB.pack(len(text), len(payload)) + text)
                    _all(sink, payload)
                    status, length = _head(source)
                    wanted = size if status == child.OK else 0
                    found = _exactly(source, _agreed(length, wanted, most))
                except (OSError, EOFError, ValueError):
                    code = self._stop(_PATIENCE)
                    raise _death(code, late=deadline.struck) from None
        if status == child.OK:
            return found
        if status == child.MEMORY:
            raise LimitExceededError("a compressed frame took too much memory", place=_PLACE)
        raise UnreadableInputError(_REASONS.get(status, _REASONS[child.BROKEN]), place=_PLACE)

    def _running(self) -> subprocess.Popen[bytes]:
        """Return the child, a new one if there is none or it is dead."""
        if self._process is not None and self._process.poll() is None:
            return self._process
        self._stop()
        keep = {name: os.environ[name] for name in ("SYSTEMROOT",) if name in os.environ}
        threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
        paths = json.dumps([os.path.abspath(entry) for entry in sys.path])
        try:
            process = subprocess.Popen(  # noqa: S603 - our own interpreter and our own file
                [sys.executable, "-I", "-S", "-B", child.__file__, paths],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                bufsize=0,
                env={**keep, **threads},
                cwd=os.path.abspath(os.sep),
            )
        except OSError as error:
            raise _no_start() from error
        self._process = process
        self.started += 1
        with _Deadline(process, _START):
            try:
                status, _ = _head(_pipes(process)[1])
            except (OSError, EOFError):
                status = b""
        if status != child.READY:
            self._stop()
            raise _no_start()
        return process

    def _stop(self, patience: float = 0.0) -> int:
        """End the child and return how it ended: by itself if it does so within some seconds."""
        process, self._process = self._process, None
        if process is None:
            return 0
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            return process.wait(patience)
        process.kill()
        return process.wait()

    def forget(self) -> None:
        """Drop the child after a fork: it belongs to the process that forked."""
        process, self._process, self._lock = self._process, None, threading.Lock()
        if process is not None:
            process.returncode = 0  # not ours to wait for
            for pipe in (process.stdin, process.stdout):
                if pipe is not None:
                    pipe.close()


class _Deadline:
    """Kills a process when time is up, which the reader of its pipe then sees as an end."""

    def __init__(self, process: subprocess.Popen[bytes], seconds: float) -> None:
        self.struck = False
        self._process = process
        self._timer = threading.Timer(seconds, self._strike)
        self._timer.daemon = True

    def _strike(self) -> None:
        self.struck = True
        self._process.kill()

    def __enter__(self) -> Self:
        self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()


def _pipes(process: subprocess.Popen[bytes]) -> tuple[IO[bytes], IO[bytes]]:
    if process.stdin is None or process.stdout is None:
        raise EOFError
    return process.stdin, process.stdout


def _head(source: IO[bytes]) -> tuple[bytes, int]:
    status, length = child.ANSWER.unpack(_exactly(source, child.ANSWER.size))
    return status, length


def _exactly(source: IO[bytes], size: int) -> bytearray:
    """Read this many bytes. Raises EOFError when the other end closes before."""
    found = bytearray(size)
    view, at = memoryview(found), 0
    while at < size:
        got = source.readinto(view[at:])  # type: ignore[attr-defined]  # a FileIO
        if not got:
            raise EOFError
        at += got
    return found


def _agreed(length: int, wanted: int, most: int) -> int:
    """Return the length of an answer if it is the one wanted, or any up to the most for -1."""
    if length > most or wanted not in (-1, length):
        raise EOFError
    return length


def _all(sink: IO[bytes], data: bytes) -> None:
    """Write everything; a pipe takes a part at a time."""
    view, at = memoryview(data), 0
    while at < len(view):
        at += sink.write(view[at:])


def _death(code: int, *, late: bool) -> SafelightError:
    if late or code == -getattr(signal, "SIGXCPU", 0):
        return LimitExceededError("a compressed frame took too long to decode", place=_PLACE)
    return UnreadableInputError(f"a compressed frame broke its decoder (exit {code})", place=_PLACE)


def _no_start() -> SafelightError:
    return SafelightError(
        "the process that decodes images could not be started",
        todo="check that imagecodecs and numpy are installed for this Python",
    )


_GUARD: Final = Guard()
atexit.register(_GUARD.close)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_GUARD.forget)


def guard() -> Guard:
    """Return the guard of this process."""
    return _GUARD
