"""The log: structlog behind an allow-list, so that no value of an input can reach it.

An event has a name from ``EVENTS`` and fields from ``FIELDS``; anything else is dropped and counted
in the field ``dropped``. Field values are codes, counts, kinds and reasons, never text of an input.
Nothing is logged unless a log file is set, and structlog is imported only then.
"""

import re
from collections.abc import MutableMapping
from typing import TYPE_CHECKING, Any, Final, TextIO

from safelight.errors import OutputError

if TYPE_CHECKING:
    import structlog

__all__ = ["EVENTS", "FIELDS", "allow", "configure", "event"]

EVENTS: Final = frozenset(
    {
        "run-started",
        "inputs-listed",
        "survey-done",
        "groups-made",
        "input-quarantined",
        "input-for-review",
        "worker-ended",
        "worker-late",
        "run-stopped",
        "run-finished",
        "verify-finished",
        "request",
        "request-failed",
        "retention",
        "scoreboard",
        "server-started",
        "server-stopped",
        "worker-started",
    }
)
FIELDS: Final = frozenset(
    {
        *("done", "skipped", "review", "quarantine", "inputs", "groups", "workers", "seconds"),
        *("input", "kind", "reason", "type", "exit_code", "signal", "profile", "key", "version"),
        *("problems", "bytes", "route", "method", "status"),
    }
)
_SHAPE: Final = re.compile(r"[A-Za-z0-9 .,:;_+()/-]{0,64}")
_logger: "structlog.typing.FilteringBoundLogger | None" = None
_file: TextIO | None = None


def allow(_logger: Any, _method: str, entry: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Pass the allowed event names and fields only (a structlog processor)."""
    kept: dict[str, Any] = {
        "event": entry["event"] if entry.get("event") in EVENTS else "unnamed",
    }
    if "timestamp" in entry:
        kept["timestamp"] = entry["timestamp"]
    for name, value in entry.items():
        fits = isinstance(value, (bool, int, float)) or (
            isinstance(value, str) and _SHAPE.fullmatch(value)
        )
        if name in FIELDS and fits:
            kept[name] = str(value) if isinstance(value, str) else value
    dropped = len(entry) - len(kept) + ("event" not in entry)
    if dropped > 0:
        kept["dropped"] = dropped
    return kept


def configure(path: str) -> None:
    """Write the log to ``path`` from now on, one JSON object a line; empty turns it off.

    Raises:
        OutputError: The file cannot be opened.
    """
    global _logger, _file  # noqa: PLW0603  # one log a process, as the standard library's
    _logger = None
    if _file is not None:
        _file.close()
        _file = None
    if not path:
        return
    import structlog  # noqa: PLC0415  # start-up cost: 0.4 s of CPU

    try:
        _file = open(path, "a", encoding="utf-8")  # noqa: SIM115  # open while the run lasts
    except OSError as error:
        raise OutputError(
            f"the log file cannot be opened ({error.strerror})",
            place=path,
            kept="nothing was started",
            todo="choose a file in a folder that is there and that you may write to",
        ) from error
    _logger = structlog.wrap_logger(
        structlog.WriteLogger(_file),
        processors=[
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            allow,
            structlog.processors.JSONRenderer(sort_keys=True),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(0),
    )


def event(name: str, /, **values: bool | float | str) -> None:
    """Log one event, if a log file is set."""
    if _logger is not None:
        _logger.info(name, **values)
