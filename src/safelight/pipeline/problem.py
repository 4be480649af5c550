"""Why an input did not come out, as far as anyone may be told."""

import os
from dataclasses import dataclass

from safelight.errors import NeedsReviewError, SafelightError
from safelight.types import Kind, Status

__all__ = ["Problem", "name_of"]


def name_of(error: BaseException) -> str:
    """Return an unexpected error as its type and our line; its message may hold values."""
    import traceback  # noqa: PLC0415  # start-up cost: rarely needed

    where = ""
    for frame in traceback.extract_tb(error.__traceback__):
        folder, _, name = frame.filename.rpartition(f"safelight{os.sep}")
        if folder:
            where = f" in {name.replace(os.sep, '/')} line {frame.lineno}"
    return f"{type(error).__name__}{where}"


@dataclass(frozen=True, slots=True)
class Problem:
    """Why an input does not come out; the fields of its error, which hold no value of it."""

    kind: Kind
    status: Status
    reason: str
    what: str
    place: str = ""
    kept: str = ""
    todo: str = ""

    @classmethod
    def of(cls, kind: Kind, error: SafelightError) -> "Problem":
        """Return the problem that an error is for an input of this kind."""
        status = Status.REVIEW if isinstance(error, NeedsReviewError) else Status.QUARANTINE
        return cls(kind, status, error.code, error.what, error.place, error.kept, error.todo)
