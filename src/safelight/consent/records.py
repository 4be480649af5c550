"""What was recorded when somebody said something: the statement, and who wrote it down and how."""

from dataclasses import dataclass
from datetime import datetime

from safelight.consent.decision import Statement

__all__ = ["METHODS", "Recorded"]

# How a statement reached us; how exactly stands in the sealed note.
METHODS = ("in-person", "paper", "phone", "web", "command", "fhir", "system")


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """One row of the record of consent.

    Attributes:
        person: Opaque code of the person.
        statement: What was said.
        recorded_at: When it was written down.
        recorded_by: Code of who wrote it down.
        method: One of ``METHODS``.
        entry: Index of its entry in the transparency log.
        note: Free words of whoever recorded it; kept under the person's key.
    """

    person: str
    statement: Statement
    recorded_at: datetime
    recorded_by: str
    method: str
    entry: int
    note: str = ""
