"""Questions about one's own result, answered from facts alone (docs/ask.md).

    reply = ask("What was found?", gather(Known(reading=reading)))

A question picks facts; it never gets into an answer. Every sentence is a fact's own sentence and
carries its id. What is not understood gets a list of what can be asked.
"""

from safelight.reports.ask.answer import Reply, Said, ask
from safelight.reports.ask.check import faults
from safelight.reports.ask.facts import Consent, Fact, Facts, Known, Topic, gather

__all__ = [
    "Consent",
    "Fact",
    "Facts",
    "Known",
    "Reply",
    "Said",
    "Topic",
    "ask",
    "faults",
    "gather",
]
