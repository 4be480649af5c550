"""The manifest on disk: one signed JSON line for every input, and what a re-run may skip.

While a run lasts, each worker appends whole batches of lines to a shard of its own; at the end the
shards and the lines of earlier runs become one ``manifest.jsonl`` in the order of the inputs, so
that an interrupted and an undisturbed run end with the same bytes. A line starts with the fields
that resume and the report need, in a fixed order: they are read without parsing the rest.
"""

import os
import re
from array import array
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from safelight.pipeline.problem import Problem
from safelight.pipeline.store import failed
from safelight.types import Deidentified, Kind, Status

if TYPE_CHECKING:
    from safelight.deid.pseudonyms import ProjectKey

__all__ = [
    "HEAD",
    "MANIFEST",
    "NO_STATE",
    "SHARD",
    "Head",
    "Ledger",
    "Shard",
    "check_mac",
    "done_line",
    "own_line",
    "read_head",
    "refused_line",
]

MANIFEST: Final = "manifest.jsonl"
SHARD: Final = ".shard-"
HEAD: Final = re.compile(
    rb'\{"input":"([0-9a-f]{16})","state":"([0-9a-f]{16})","status":"(done|review|quarantine)",'
    rb'"kind":"([a-z-]+)","output":"((?:[^"\\]|\\.)*)","bytes":(\d+),"blake3":"([0-9a-f]*)",'
    rb'"reason":"([a-z-]*)"'
)
INPUT, STATE, STATUS, KIND, OUTPUT, SIZE, DIGEST, REASON = range(1, 9)  # groups of HEAD
_HEAD_BYTES: Final = 8192  # of a line: more than its leading fields can take
_MAC: Final = b',"mac":"'
NO_STATE: Final = "0" * 16


@dataclass(frozen=True, slots=True)
class Head:
    """The leading fields of a manifest line.

    Attributes:
        input: Code of the input: a keyed digest of its path below the source.
        state: Keyed digest of all that decides the output; an equal state means nothing to redo.
        status: How the input ended.
        kind: What the input is.
        output: Path of the output below OUT; empty when there is none.
        size: Bytes of the output.
        digest: BLAKE3 of the output, hex.
        reason: Code of the error for review and quarantine; empty when done.
    """

    input: str
    state: str
    status: Status
    kind: Kind
    output: str
    size: int
    digest: str
    reason: str


def done_line(key: "ProjectKey", code: str, output: str, state: str, clean: Deidentified) -> bytes:
    """Return the signed line of an input whose output was written."""
    if not output.isascii() or '"' in output or "\\" in output:
        import json  # noqa: PLC0415  # start-up cost; few names are not plain

        output = json.dumps(output)[1:-1]
    body = (
        f'{{"input":"{code}","state":"{state}","status":"done","kind":"{clean.kind}",'
        f'"output":"{output}","bytes":{clean.size},"blake3":"{clean.digest}","reason":"",'
        f'"object":'
    ).encode("ascii") + clean.manifest
    return body + _MAC + key.mac(body).encode() + b'"}\n'


def own_line(key: "ProjectKey", head: Head, more: Mapping[str, object]) -> bytes:
    """Return a line that no ``Deidentified`` stands behind.

    Such are inputs that did not come out, archives that were opened, directories rebuilt.
    """
    import json  # noqa: PLC0415  # start-up cost

    members = {
        "input": head.input,
        "state": head.state,
        "status": head.status.value,
        "kind": head.kind.value,
        "output": head.output,
        "bytes": head.size,
        "blake3": head.digest,
        "reason": head.reason,
        **more,
    }
    body = json.dumps(members, separators=(",", ":")).encode("ascii")[:-1]
    return body + _MAC + key.mac(body).encode() + b'"}\n'


def refused_line(key: "ProjectKey", code: str, state: str, problem: Problem) -> bytes:
    """Return the line of an input that waits for review or lies in quarantine."""
    head = Head(code, state, problem.status, problem.kind, "", 0, "", problem.reason)
    why = {"what": problem.what, "place": problem.place}
    return own_line(key, head, {**why, "kept": problem.kept, "todo": problem.todo})


def read_head(line: bytes) -> Head | None:
    """Return the leading fields of a line; None if it is damaged."""
    match = HEAD.match(line)
    if match is None:
        return None
    code, state, status, kind, output, size, digest, reason = match.groups()
    return Head(
        code.decode(),
        state.decode(),
        Status(status.decode()),
        Kind(kind.decode()),
        output_name(output),
        int(size),
        digest.decode(),
        reason.decode(),
    )


def output_name(quoted: bytes) -> str:
    """Return the path that stands between the quotes of a line."""
    if b"\\" not in quoted:
        return quoted.decode()
    import json  # noqa: PLC0415  # start-up cost; only names that are not plain ASCII come here

    return str(json.loads(b'"%b"' % quoted))


class Shard:
    """Lines of one worker, appended a batch at a time so that no line is ever torn in two."""

    __slots__ = ("_descriptor", "_lines", "number", "size")

    def __init__(self, house: str, number: int) -> None:
        self.number = number
        path = os.path.join(house, f"{SHARD}{number}")
        try:
            self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o666)
            self.size = os.fstat(self._descriptor).st_size
            if self.size and os.pread(self._descriptor, 1, self.size - 1) != b"\n":
                self.size += os.write(self._descriptor, b"\n")  # ends a line torn by a kill
        except OSError as error:
            raise failed(error) from error
        self._lines: list[bytes] = []

    def add(self, line: bytes) -> None:
        """Keep one line for the next flush."""
        self._lines.append(line)

    def flush(self) -> list[tuple[int, int]]:
        """Append the batch; return (offset, length) of each line, in order.

        Raises:
            OutputError: The disk is full; the batch is cut off again, so it will be redone.
        """
        if not self._lines:
            return []
        lines, self._lines = self._lines, []
        batch = b"".join(lines)
        start = self.size
        try:
            view = memoryview(batch)
            while view:
                done = os.write(self._descriptor, view)
                view = view[done:]
        except OSError as error:
            os.ftruncate(self._descriptor, start)
            raise failed(error) from error
        places = []
        for line in lines:
            places.append((start, len(line)))
            start += len(line)
        self.size = start
        return places

    def close(self) -> None:
        """Close the file; lines that were not flushed are dropped."""
        os.close(self._descriptor)


class Ledger:
    """Every line that lies in OUT: of earlier runs, of killed runs and of this one.

    Memory: about 150 bytes a line, whatever the line's length.

    Args:
        house: The folder ``_safelight`` of the output.
        workers: Number of shards this run may write.
    """

    def __init__(self, house: str) -> None:
        self._house = house
        self._files: list[int] = []
        self._by_code: dict[str, int] = {}
        self._file = array("H")
        self._offset = array("Q")
        self._length = array("L")
        self._shards: dict[int, int] = {}
        self._loaded = 0
        self.damaged = 0

    def load(self) -> None:
        """Read what earlier runs left; a torn last line of a killed run is passed over."""
        names = [MANIFEST, *sorted(n for n in os.listdir(self._house) if n.startswith(SHARD))]
        for name in names:
            path = os.path.join(self._house, name)
            try:
                descriptor = os.open(path, os.O_RDONLY)
            except FileNotFoundError:
                continue
            number = self._open(descriptor)
            if name != MANIFEST:
                self._shards[int(name.removeprefix(SHARD))] = number
            offset = 0
            with os.fdopen(os.dup(descriptor), "rb", buffering=1 << 20) as file:
                for line in file:
                    head = HEAD.match(line)
                    if head is None or not line.endswith(b'"}\n'):
                        self.damaged += 1
                    else:
                        self._place(head.group(INPUT).decode(), number, offset, len(line))
                    offset += len(line)
        self._loaded = len(self._file)

    def _open(self, descriptor: int) -> int:
        self._files.append(descriptor)
        return len(self._files) - 1

    def _place(self, code: str, file: int, offset: int, length: int) -> None:
        self._by_code[code] = len(self._file)
        self._file.append(file)
        self._offset.append(offset)
        self._length.append(length)

    def add(self, code: str, shard: int, offset: int, length: int) -> None:
        """Note a line that a worker of this run has appended to its shard."""
        number = self._shards.get(shard)
        if number is None:
            path = os.path.join(self._house, f"{SHARD}{shard}")
            number = self._shards[shard] = self._open(os.open(path, os.O_RDONLY))
        self._place(code, number, offset, length)

    def __contains__(self, code: str) -> bool:
        return code in self._by_code

    def __len__(self) -> int:
        return len(self._by_code)

    def codes(self) -> Iterable[str]:
        """Return the code of every input that has a line."""
        return self._by_code.keys()

    def line(self, code: str) -> bytes:
        """Return the latest line of an input."""
        row = self._by_code[code]
        return os.pread(self._files[self._file[row]], self._length[row], self._offset[row])

    def head(self, code: str) -> Head | None:
        """Return the leading fields of an input's latest line; None if it has none."""
        row = self._by_code.get(code)
        if row is None:
            return None
        size = min(self._length[row], _HEAD_BYTES)
        return read_head(os.pread(self._files[self._file[row]], size, self._offset[row]))

    def lines(self, codes: Iterable[str]) -> Iterator[bytes]:
        """Yield the latest lines of inputs; neighbours on disk are read together."""
        for file, start, lengths in self._runs(codes):
            data = memoryview(os.pread(self._files[file], sum(lengths), start))
            at = 0
            for length in lengths:
                yield bytes(data[at : at + length])
                at += length

    def _runs(self, codes: Iterable[str]) -> Iterator[tuple[int, int, list[int]]]:
        lengths: list[int] = []
        file = start = end = -1
        for code in codes:
            row = self._by_code[code]
            place, length = self._offset[row], self._length[row]
            if self._file[row] != file or place != end or end - start > 1 << 20:
                if lengths:
                    yield file, start, lengths
                file, start, end, lengths = self._file[row], place, place, []
            lengths.append(length)
            end += length
        if lengths:
            yield file, start, lengths

    def remove_outputs(self, out: str, *, keep: "set[bytes]") -> int:
        """Remove outputs of earlier runs that no line names any more; return how many.

        An input that was done once and now waits for review must not leave its old output behind.
        """
        gone = 0
        for row in range(self._loaded):
            size = min(self._length[row], _HEAD_BYTES)
            match = HEAD.match(os.pread(self._files[self._file[row]], size, self._offset[row]))
            if match is None or not match.group(OUTPUT) or match.group(OUTPUT) in keep:
                continue
            name = output_name(match.group(OUTPUT))
            if ".." in name.split("/") or os.path.isabs(name):
                continue  # no run of ours wrote that line
            try:
                os.unlink(os.path.join(out, name))
            except FileNotFoundError:
                continue
            except OSError as error:
                raise failed(error) from error
            gone += 1
        return gone

    def remove_shards(self) -> None:
        """Remove the shards, once the manifest holds all their lines."""
        for name in os.listdir(self._house):
            if name.startswith(SHARD):
                os.unlink(os.path.join(self._house, name))

    def close(self) -> None:
        """Close every file."""
        for descriptor in self._files:
            os.close(descriptor)
        self._files = []


def check_mac(line: bytes, key: "ProjectKey") -> bool:
    """Tell whether a line carries the MAC that the key gives it."""
    body, mark, rest = line.rstrip(b"\n").rpartition(_MAC)
    return bool(mark) and rest == key.mac(body).encode() + b'"}'
