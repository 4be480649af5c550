"""Free text: what is not proven harmless goes, and the medical words stay.

The rules in plain English are in ``docs/text.md``.
"""

from safelight.deid.text.clean import CleanText, Mode, TextCleaner
from safelight.deid.text.identity import Identity
from safelight.deid.text.needles import Needles, Span

__all__ = ["CleanText", "Identity", "Mode", "Needles", "Span", "TextCleaner"]
