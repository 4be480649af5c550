"""Worker processes that may die without taking the run along.

Workers are forked before any thread starts and inherit everything they need, so only small
messages pass: the number of a task one way, its result the other. A worker marks the input it is
at in shared memory. When it dies (a decoder's segmentation fault, the system out of memory) or
stays too long at one input, that input is given up, the rest of its task is done again by a fresh
worker, and the run goes on.

With one worker the tasks run in this process: fastest, but a crash ends the run, to be resumed.
"""

import mmap
import os
import pickle
import select
import signal
import struct
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Final

__all__ = ["Mark", "Task", "can_fork", "run_tasks"]

_STOP: Final = 0  # place in the shared memory, in words of 8 bytes: asked to stop
_WORDS: Final = 3  # for each worker after it: input at work, when it began, inputs begun
_HEAD: Final = struct.Struct("=Q")
_TICK_SECONDS: Final = 0.5
NOTHING: Final = -1

# A worker that held the pipe of another would keep it open: that one would wait for its end for
# ever. Runs in several threads know of each other's pipes by these.
_FORKING: Final = threading.Lock()
_ENDS: Final[set[int]] = set()  # the parent's ends of the pipes to all workers of this process


class Mark:
    """Where a worker is: written by the worker, read by the parent, no system call."""

    __slots__ = ("_asked", "_at", "_begun", "_parent", "_words", "number")

    def __init__(
        self,
        words: "memoryview[int]",
        number: int,
        asked: Callable[[int], bool] | None = None,
    ) -> None:
        self._words = words
        self._at = 1 + number * _WORDS
        self._begun = 0
        self._parent = 0
        self._asked = asked
        self.number = number

    @staticmethod
    def size(workers: int) -> int:
        """Return the bytes of shared memory for so many workers."""
        return 8 * (1 + workers * _WORDS)

    def bind(self, parent: int) -> None:
        """Stop when the process ``parent`` is no longer the parent of this one."""
        self._parent = parent

    def at(self, index: int) -> None:
        """Say which input is at work now."""
        self._begun += index != NOTHING
        words, at = self._words, self._at  # whole aligned words: the parent never reads half of one
        words[at + 1] = time.monotonic_ns()
        words[at] = index
        words[at + 2] = self._begun

    def look(self, index: int) -> None:
        """Say which input is looked at ahead of its turn."""
        words, at = self._words, self._at
        words[at + 1] = time.monotonic_ns()
        words[at] = index

    def read(self) -> tuple[int, int, int]:
        """Return the input at work, since when (monotonic ns), and how many were begun."""
        at = self._at
        return self._words[at], self._words[at + 1], self._words[at + 2]

    def stopping(self) -> bool:
        """Tell whether to end now: asked to, or the parent is gone."""
        if self._asked is not None:
            return self._asked(self._begun)
        return self._words[_STOP] != 0 or (self._parent != 0 and os.getppid() != self._parent)


@dataclass(slots=True)
class Task:
    """Inputs that one worker does in one go.

    Attributes:
        number: Position in the list of tasks.
        inputs: Positions of the inputs.
        skip: Inputs that ended a worker before.
    """

    number: int
    inputs: "range | list[int]"
    skip: set[int] = field(default_factory=set)


@dataclass(slots=True)
class _Worker:
    pid: int
    to_child: int
    from_child: int
    mark: Mark
    task: Task | None = None


def can_fork() -> bool:
    """Tell whether this system can run more than one worker."""
    return hasattr(os, "fork") and hasattr(select, "poll")


def run_tasks(
    tasks: Iterable[Task],
    work: Callable[[Task, Mark], Any],
    *,
    workers: int,
    done: Callable[[Task, Any], None],
    lost: Callable[[int, str], None],
    tick: Callable[[int], bool],
    seconds: float = 0.0,
) -> None:
    """Run every task and hand each result to ``done``.

    Args:
        tasks: The tasks, in order.
        work: Called in the worker with a task and the worker's mark, which has its number.
        workers: Number of processes; 1 works in this one.
        done: Called here with a finished task and what ``work`` returned.
        lost: Called here with an input that ended a worker, and a word for how.
        tick: Called here now and then with the number of inputs begun; true asks to stop.
        seconds: Longest time at one input; 0 for no bound.
    """
    queue = list(tasks)
    if workers <= 1 or len(queue) <= 1 or not can_fork():
        mark = Mark(memoryview(bytearray(Mark.size(1))).cast("q"), 0, tick)
        for task in queue:
            if mark.stopping():
                return
            done(task, work(task, mark))
        return
    _Pool(queue, work, min(workers, len(queue)), done, lost, tick, seconds).run()


class _Pool:
    """The parent's side of the workers."""

    def __init__(
        self,
        queue: list[Task],
        work: Callable[[Task, Mark], Any],
        workers: int,
        done: Callable[[Task, Any], None],
        lost: Callable[[int, str], None],
        tick: Callable[[int], bool],
        seconds: float,
    ) -> None:
        # Neighbours are of one person: each worker has a stretch of its own, and helps others last.
        cuts = [len(queue) * n // workers for n in range(workers + 1)]
        self._queues = [deque(queue[a:b]) for a, b in pairwise(cuts)]
        self._work = work
        self._done = done
        self._lost = lost
        self._tick = tick
        self._seconds = seconds
        self._memory = mmap.mmap(-1, Mark.size(workers))
        self._words = memoryview(self._memory).cast("q")
        self._live: dict[int, _Worker] = {}
        self._poll = select.poll()
        self._numbers = list(range(workers))
        self._failure: BaseException | None = None
        self._ended = 0  # inputs that workers now gone had begun

    def run(self) -> None:
        """Run until the queue is empty and every worker has ended."""
        try:
            for number in self._numbers:
                self._start(number)
            while self._live:
                for descriptor, _ in self._poll.poll(_TICK_SECONDS * 1000):
                    self._receive(descriptor)
                if self._tick(self._begun()) or self._failure:
                    for queue in self._queues:
                        queue.clear()
                    self._words[_STOP] = 1
                if self._seconds:
                    self._end_late()
        finally:
            for worker in list(self._live.values()):
                os.kill(worker.pid, signal.SIGKILL)
                self._end(worker)
            self._words.release()
            self._memory.close()
        if self._failure:
            raise self._failure

    def _begun(self) -> int:
        return self._ended + sum(worker.mark.read()[2] for worker in self._live.values())

    def _start(self, number: int) -> None:
        """Fork a worker and give it its first task."""
        mark = Mark(self._words, number)
        mark.at(NOTHING)  # also clears what a worker before it left here
        parent = os.getpid()
        with _FORKING:
            task_read, task_write = os.pipe()
            result_read, result_write = os.pipe()
            pid = os.fork()
            if pid == 0:
                code = 1
                try:
                    signal.signal(signal.SIGINT, signal.SIG_IGN)
                    signal.signal(signal.SIGTERM, signal.SIG_DFL)
                    for other in (*_ENDS, task_write, result_read):
                        os.close(other)
                    mark.bind(parent)
                    _serve(task_read, result_write, self._work, mark)
                    code = 0
                finally:
                    os._exit(code)  # no clean-up of what belongs to the parent
            os.close(task_read)
            os.close(result_write)
            _ENDS.update((task_write, result_read))
        worker = _Worker(pid, task_write, result_read, mark)
        self._live[result_read] = worker
        self._poll.register(result_read, select.POLLIN | select.POLLHUP)
        self._give(worker)

    def _give(self, worker: _Worker) -> None:
        """Send the next task, or close the pipe so that the worker ends."""
        own = self._queues[worker.mark.number]
        longest = max(self._queues, key=len)
        worker.task = own.popleft() if own else longest.pop() if longest else None
        if worker.task is not None:
            try:
                _send(worker.to_child, worker.task)
            except BrokenPipeError:
                return  # it died meanwhile: the poll reports that next
        else:
            self._end(worker)

    def _end(self, worker: _Worker) -> int:
        """Forget a worker and return its exit status."""
        self._ended += worker.mark.read()[2]
        self._poll.unregister(worker.from_child)
        del self._live[worker.from_child]
        with _FORKING:
            for end in (worker.to_child, worker.from_child):
                os.close(end)
                _ENDS.discard(end)
        return os.waitpid(worker.pid, 0)[1]

    def _receive(self, descriptor: int) -> None:
        """Take one result, or see that the worker has died."""
        worker = self._live[descriptor]
        message = _read(descriptor)
        if message is None:
            self._bury(worker)
            return
        good, value = message
        if good and worker.task is not None:
            self._done(worker.task, value)
        elif not good:
            self._failure = self._failure or value
        self._give(worker)

    def _bury(self, worker: _Worker) -> None:
        """Give up the input that a worker died at and queue the rest of its task again."""
        index, _, _ = worker.mark.read()
        number = worker.mark.number
        task = worker.task
        status = self._end(worker)
        how = f"signal {os.WTERMSIG(status)}" if os.WIFSIGNALED(status) else "exit"
        if task is None or self._words[_STOP]:
            return
        if index == NOTHING and NOTHING in task.skip:  # twice at no input: nothing left to try
            for each in task.inputs:
                if each not in task.skip:
                    self._lost(each, how)
        else:
            task.skip.add(index)
            if index != NOTHING:
                self._lost(index, how)
            self._queues[number].appendleft(task)
        if any(self._queues):
            self._start(number)

    def _end_late(self) -> None:
        """Kill a worker that has been at one input for too long."""
        now = time.monotonic_ns()
        for worker in self._live.values():
            index, since, _ = worker.mark.read()
            if worker.task is not None and index != NOTHING and now - since > self._seconds * 1e9:
                os.kill(worker.pid, signal.SIGKILL)


def _serve(tasks: int, results: int, work: Callable[[Task, Mark], Any], mark: Mark) -> None:
    """Do tasks until the parent closes the pipe (the worker's main loop)."""
    while (task := _read(tasks)) is not None:
        try:
            message = (True, work(task, mark))
        except Exception as error:  # noqa: BLE001  # passed on whole; raised again in the parent
            message = (False, error)
        mark.at(NOTHING)
        try:
            _send(results, message)
        except BrokenPipeError:
            return


def _send(descriptor: int, value: object) -> None:
    data = pickle.dumps(value, protocol=pickle.HIGHEST_PROTOCOL)
    view = memoryview(_HEAD.pack(len(data)) + data)
    while view:
        view = view[os.write(descriptor, view) :]


def _read(descriptor: int) -> Any:
    """Return the next message, or None when the other side is gone."""
    head = _read_exactly(descriptor, _HEAD.size)
    if head is None:
        return None
    data = _read_exactly(descriptor, _HEAD.unpack(head)[0])
    if data is None:
        return None
    return pickle.loads(data)  # noqa: S301  # from our own child over an unnamed pipe


def _read_exactly(descriptor: int, size: int) -> bytes | None:
    data = bytearray()
    while len(data) < size:
        block = os.read(descriptor, min(size - len(data), 1 << 20))
        if not block:
            return None
        data += block
    return bytes(data)
