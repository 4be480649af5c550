"""Directories of media: a DICOMDIR of the input is replaced by one that lists the outputs."""

import os
from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from safelight.errors import QuarantineError
from safelight.pipeline.job import Job, Written, input_code
from safelight.pipeline.ledger import NO_STATE, Head, Shard, own_line, refused_line
from safelight.pipeline.problem import Problem
from safelight.pipeline.store import Store
from safelight.types import Kind, Status

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["rebuild"]

_NAME: Final = "DICOMDIR"
_ACT: Final = "DICOMDIR\twritten anew from the outputs\trebuild"


def rebuild(job: Job, codes: "Mapping[int, str]", number: int) -> Written:
    """Write a DICOMDIR for each folder that had one; return the lines of the old ones.

    Args:
        job: The run, after pass 2.
        codes: Codes of the inputs that ended.
        number: Of the shard for the lines.

    Raises:
        OutputError: The output cannot be written.
    """
    result = Written(number)
    found = sorted(i for i, sight in job.sights.items() if sight.kind is Kind.DICOMDIR)
    if not found:
        return result
    shard = Shard(job.place.house, number)
    store = Store(job.place.out, worker=number)
    lines: list[tuple[int, str]] = []
    written: set[str] = set()
    for index in found:
        code = input_code(job.key, job.items[index].relative)
        folder = job.items[index].relative.rpartition("/")[0]
        head = _one(job, codes, folder, store, written)
        if head is None:
            told = Problem.of(
                Kind.DICOMDIR,
                QuarantineError(
                    "a directory of a medium that no output can be listed in, or a second one",
                    todo="nothing: a DICOMDIR repeats names and is never passed on",
                ),
            )
            result.tally.refused(told)
            shard.add(refused_line(job.key, code, NO_STATE, told))
        else:
            output, size, digest = head
            line = Head(code, NO_STATE, Status.DONE, Kind.DICOMDIR, output, size, digest, "rebuilt")
            shard.add(own_line(job.key, line, {}))
            result.tally.done(
                Kind.DICOMDIR, ["DICOMDIR\twritten anew from the outputs\trebuild"], size
            )
        lines.append((index, code))
    result.lines = [(*who, *at) for who, at in zip(lines, shard.flush(), strict=True)]
    shard.close()
    return result


def _one(
    job: Job, codes: "Mapping[int, str]", folder: str, store: Store, written: set[str]
) -> tuple[str, int, str] | None:
    """Write the directory of one folder; None if there is nothing to list or it has one."""
    import blake3  # noqa: PLC0415  # start-up cost

    from safelight.pipeline.dicomdir import build  # noqa: PLC0415  # as above

    outputs = list(_outputs(job, codes, folder))
    depth = folder.count("/") + 1 if folder else 0
    roots = Counter("/".join(output.split("/")[:depth]) for output in outputs)
    if not roots:
        return None
    root = min(roots, key=lambda each: (-roots[each], each))  # persons may have split the folder
    name = f"{root}/{_NAME}" if root else _NAME
    if name in written:
        return None
    below = [output for output in outputs if not root or output.startswith(f"{root}/")]
    data = build(_fields(job.place.out, below, len(root) + 1 if root else 0))
    store.write(name, [data])
    written.add(name)
    return name, len(data), str(blake3.blake3(data).hexdigest())


def _outputs(job: Job, codes: "Mapping[int, str]", folder: str) -> Iterator[str]:
    """Yield the DICOM outputs of the inputs below a folder."""
    prefix = f"{folder}/" if folder else ""
    for index, sight in sorted(job.sights.items()):
        if sight.kind is Kind.DICOM and job.items[index].relative.startswith(prefix):
            head = job.place.ledger.head(codes[index]) if index in codes else None
            if head is not None and head.status is Status.DONE:
                yield head.output


def _fields(out: str, outputs: list[str], start: int) -> Iterator[tuple[str, dict[str, Any]]]:
    from safelight.pipeline.dicomdir import read_fields  # noqa: PLC0415  # start-up cost

    for output in outputs:
        yield output[start:], read_fields(os.path.join(out, output))
