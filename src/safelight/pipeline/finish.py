"""The end of a run: one manifest out of the shards, the lists, the report, the signed run."""

import json
import os
import re
from typing import TYPE_CHECKING, Any, BinaryIO, Final

from safelight import __version__, log
from safelight.errors import KeyFileError, OutputError, QuarantineError, SafelightError
from safelight.pipeline.job import ARCHIVES, Job, Written, input_code, refusals
from safelight.pipeline.ledger import (
    HEAD,
    MANIFEST,
    NO_STATE,
    OUTPUT,
    STATUS,
    Head,
    Shard,
    output_name,
    own_line,
)
from safelight.pipeline.media import rebuild
from safelight.pipeline.place import sign_run
from safelight.pipeline.problem import Problem
from safelight.pipeline.store import failed
from safelight.pipeline.tally import Tally
from safelight.types import Kind, Status

if TYPE_CHECKING:
    from safelight.deid.pseudonyms import ProjectKey
    from safelight.pipeline.place import Place
    from safelight.pipeline.request import Request, Summary

__all__ = ["Collected", "check_list", "finish"]

_WAITING_SHOWN: Final = 20  # inputs the terminal names
_LISTED: Final = 200  # inputs of each list that the report shows; the .jsonl has all
_CSV_HEAD: Final = b"input,status,kind,output,bytes,blake3,reason\n"
_BUFFER: Final = 1 << 20


class Collected:
    """What came back from the workers, in the parent: a few microseconds an input."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self.codes: dict[int, str] = {}
        self.problems: list[tuple[int, Problem]] = []
        self.tally = Tally()
        self.failed: OutputError | None = None

    def take(self, written: Written) -> None:
        """Take the result of one task of pass 2."""
        self.tally.add(written.tally)
        self.failed = self.failed or written.failed
        ledger = self._job.place.ledger
        for index, code, offset, length in written.lines:
            self.codes[index] = code
            if offset >= 0:
                ledger.add(code, written.shard, offset, length)

    def lose(self, index: int, how: str) -> None:
        """Put an input that ended a worker into quarantine."""
        sight = self._job.sights.get(index)
        error = QuarantineError(
            f"the process that worked on it ended ({how})",
            todo="the file may be built to crash software, or needs more memory than there is",
        )
        self.problems.append((index, Problem.of(sight.kind if sight else Kind.UNKNOWN, error)))
        log.event("worker-ended", reason=how)


def finish(job: Job, request: "Request", summary: "Summary", done: Collected) -> None:
    """Write everything that tells of the run; also of one that stopped early.

    What cannot be written is said in ``summary.failed``; the shards stay then, for the next run.
    """
    from safelight.pipeline.report import write_report  # noqa: PLC0415  # start-up cost

    place = job.place
    try:
        done.take(refusals(job, done.problems, request.settings.processes))
        done.take(_own_lines(job, request.settings.processes + 1))
        if summary.failed is None:
            done.take(rebuild(job, done.codes, request.settings.processes + 2))
        summary.inputs = len(job.items)
        summary.tally = done.tally
        summary.finished = summary.failed is None and len(done.codes) == len(job.items)
        lists = Lists(job, request.settings.key_path)
        try:
            lists.write(done)
        finally:
            lists.close()
        summary.waiting = [(job.items[at].shown, line) for at, line in lists.waiting]
        summary.report = write_report(job, request, summary, lists)
        place.put("run.json", sign_run(_run(job, summary, lists), job.key))
        place.ledger.remove_shards()
        if summary.finished:
            place.finished()
    except SafelightError as error:
        summary.failed = summary.failed or error
        summary.finished = False
    except OSError as error:
        summary.failed = summary.failed or failed(error)
        summary.finished = False


def _private_list(key: "ProjectKey", place: "Place", key_path: str) -> str:
    """Return where the list of the inputs' paths lies: beside the key."""
    name = key.digest(b"out\0" + os.fsencode(place.out))
    return os.path.join(os.path.dirname(os.path.abspath(key_path)), f"sources-{name}.csv")


def check_list(key: "ProjectKey", place: "Place", key_path: str) -> None:
    """Refuse a key beside which the list of the inputs' paths cannot be written.

    Raises:
        KeyFileError: The system refused.
    """
    path = f"{_private_list(key, place, key_path)}.new"
    try:
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600))
        os.unlink(path)
    except OSError as error:
        raise KeyFileError(
            "the list of the inputs' paths cannot be written beside the project key "
            f"({error.strerror})",
            todo="name with --key a copy of the key in a private folder that you may write to",
        ) from error


def _own_lines(job: Job, number: int) -> Written:
    """Write the lines of archives, whose members have lines of their own."""
    result = Written(number)
    opened = [index for index, sight in job.sights.items() if sight.kind in ARCHIVES]
    if opened:
        shard = Shard(job.place.house, number)
        codes = []
        for index in opened:
            kind = job.sights[index].kind
            code = input_code(job.key, job.items[index].relative)
            head = Head(code, NO_STATE, Status.DONE, kind, "", 0, "", "opened")
            shard.add(own_line(job.key, head, {}))
            result.tally.ends[kind.value, Status.DONE.value] += 1
            codes.append((index, code))
        result.lines = [(*who, *at) for who, at in zip(codes, shard.flush(), strict=True)]
        shard.close()
    return result


class Lists:
    """Streams every line once: into the manifest, the lists, the table and the private list."""

    def __init__(self, job: Job, key_path: str) -> None:
        import blake3  # noqa: PLC0415  # start-up cost

        self._job = job
        self._house = job.place.house
        self._hash = blake3.blake3()
        self._files: dict[str, BinaryIO] = {}
        self.lines = 0
        self.carried = 0
        self.waiting: list[tuple[int, dict[str, Any]]] = []
        self.listed: dict[Status, list[dict[str, Any]]] = {Status.REVIEW: [], Status.QUARANTINE: []}
        self.sources = _private_list(job.key, job.place, key_path)

    @property
    def digest(self) -> str:
        """Return the BLAKE3 of the manifest, hex."""
        return str(self._hash.hexdigest())

    def _open(self, name: str, head: bytes = b"", *, mode: int = 0o666) -> BinaryIO:
        path = name if os.path.isabs(name) else os.path.join(self._house, name)
        descriptor = os.open(f"{path}.new", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
        file = self._files[path] = os.fdopen(descriptor, "wb", buffering=_BUFFER)
        file.write(head)
        return file

    def write(self, done: Collected) -> None:
        """Write the files; each appears under its name when all are whole."""
        job, ledger = self._job, self._job.place.ledger
        manifest = self._open(MANIFEST)
        table = self._open("report.csv", _CSV_HEAD)
        lists = {
            b"review": self._open("review.jsonl"),
            b"quarantine": self._open("quarantine.jsonl"),
        }
        private = self._open(self.sources, b"code,path\n", mode=0o600)
        outputs: set[bytes] = set()
        order = sorted(done.codes)
        lines = ledger.lines(map(done.codes.__getitem__, order))
        for index, line in zip(order, lines, strict=True):
            row = self._row(line, manifest, table)
            if row[STATUS] == b"done":
                outputs.add(row[OUTPUT])
            else:
                lists[row[STATUS]].write(line)
                self._show(index, Status(row[STATUS].decode()), line)
        for index in order:
            item = job.items[index]
            quoted = item.shown.replace('"', '""').encode("utf-8", "surrogateescape")
            private.write(b'%b,"%b"\n' % (done.codes[index].encode(), quoted))
        self._carry(set(done.codes.values()), outputs, manifest, table)
        ledger.remove_outputs(job.place.out, keep=outputs)
        for path, file in self._files.items():
            file.close()
            os.replace(f"{path}.new", path)
        self._files = {}

    def _show(self, index: int, status: Status, line: bytes) -> None:
        """Keep the first lines of each list for the report and the terminal."""
        shown = self.listed[status]
        if len(shown) < _LISTED:
            shown.append(json.loads(line))
            if len(shown) <= _WAITING_SHOWN:
                self.waiting.append((index, shown[-1]))

    def _row(self, line: bytes, manifest: BinaryIO, table: BinaryIO) -> re.Match[bytes]:
        match = HEAD.match(line)
        if match is None:
            raise OutputError("a line of the manifest is damaged", todo="run again with --force")
        manifest.write(line)
        self._hash.update(line)
        self.lines += 1
        code, _state, status, kind, output, size, digest, reason = match.groups()
        table.write(
            b'%b,%b,%b,"%b",%b,%b,%b\n' % (code, status, kind, output, size, digest, reason)
        )
        return match

    def _carry(
        self, now: set[str], outputs: set[bytes], manifest: BinaryIO, table: BinaryIO
    ) -> None:
        """Keep the lines of inputs that this run did not meet, as long as their output is there."""
        ledger = self._job.place.ledger
        for line in ledger.lines(sorted(code for code in ledger.codes() if code not in now)):
            match = HEAD.match(line)
            if match is None or match[STATUS] != b"done" or match[OUTPUT] in outputs:
                continue
            name = output_name(match[OUTPUT])
            if name and os.path.lexists(os.path.join(self._job.place.out, name)):
                self._row(line, manifest, table)
                outputs.add(match[OUTPUT])
                self.carried += 1

    def close(self) -> None:
        """Drop what was not finished."""
        for path, file in self._files.items():
            try:
                file.close()
            finally:
                os.unlink(f"{path}.new")
        self._files = {}


def _run(job: Job, summary: "Summary", lists: Lists) -> dict[str, object]:
    tally = summary.tally
    profile = job.engine.profile
    return {
        "safelight": __version__,
        "key": job.key.fingerprint,
        "sources": job.place.origin,
        "profile": {
            "name": profile.name,
            "options": sorted(profile.options),
            "overrides": {f"{tag:08x}": act for tag, act in sorted(profile.overrides.items())},
        },
        "finished": summary.finished,
        "manifest": {"lines": lists.lines, "blake3": lists.digest},
        "done": tally.count(Status.DONE),
        "review": tally.count(Status.REVIEW),
        "quarantine": tally.count(Status.QUARANTINE),
    }
