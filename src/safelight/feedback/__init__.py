"""Right, needs work, can't tell: what people and clinicians say of readings, and the scoreboard."""

from safelight.feedback.book import Book
from safelight.feedback.door import Limits
from safelight.feedback.values import Basis, Box, Case, Entry, Facts, Label, Told, Verdict, Voice

__all__ = [
    "Basis",
    "Book",
    "Box",
    "Case",
    "Entry",
    "Facts",
    "Label",
    "Limits",
    "Told",
    "Verdict",
    "Voice",
]
