"""What a run is asked for, who looks on, and how it ended."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from safelight.errors import SafelightError
from safelight.pipeline.tally import Tally
from safelight.settings import Settings
from safelight.types import Status

__all__ = ["Request", "Silent", "Summary", "Watch"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What a person asked for.

    Attributes:
        sources: Files and folders to read.
        out: Folder to write.
        settings: The settings in force.
        force: Redo what an earlier run has done.
        pictures: Private folder for pictures from before and after; empty for none.
    """

    sources: Sequence[str]
    out: str
    settings: Settings
    force: bool = False
    pictures: str = ""


class Watch(Protocol):
    """Who looks on while a run lasts."""

    def stage(self, name: str, total: int) -> None:
        """Hear that a step begins, and how many inputs it has."""

    def advance(self, begun: int) -> bool:
        """Hear how many inputs of this step were begun; return true to stop. Called often."""


class Silent:
    """Looks on and says nothing."""

    def stage(self, name: str, total: int) -> None:
        """Ignore it."""

    def advance(self, begun: int) -> bool:
        """Never stop."""
        del begun
        return False


@dataclass(slots=True)
class Summary:
    """How a run ended.

    Attributes:
        inputs: Inputs found.
        tally: Counts.
        finished: False if the run was asked to stop; the same command resumes it.
        failed: What kept the run from going on, such as a full disk.
        seconds: Wall time.
        report: Path of the HTML report.
        pictures: Path of the page of pictures from before and after; empty for none.
        data: What ``report.json`` holds.
        waiting: The first inputs in review and quarantine: where they lie, for the terminal alone,
            and their line.
    """

    inputs: int = 0
    tally: Tally = field(default_factory=Tally)
    finished: bool = True
    failed: SafelightError | None = None
    seconds: float = 0.0
    report: str = ""
    pictures: str = ""
    data: dict[str, Any] = field(default_factory=dict)
    waiting: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    @property
    def exit_code(self) -> int:
        """Return 0 all done, 1 review, 3 quarantine, 4 not finished."""
        if self.failed or not self.finished:
            return 4
        if self.tally.count(Status.QUARANTINE):
            return 3
        return 1 if self.tally.count(Status.REVIEW) else 0
