"""Why an input did not come out, as far as anyone may be told."""

from dataclasses import dataclass

from safelight.errors import NeedsReviewError, SafelightError
from safelight.types import Kind, Status

__all__ = ["Problem"]


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
