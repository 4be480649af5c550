"""What every cleaner gets, and what every cleaner gives back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from safelight.dicomio.limits import Limits
from safelight.types import Action, Part

if TYPE_CHECKING:
    from safelight.deid.profile import Profile
    from safelight.deid.pseudonyms import ProjectKey
    from safelight.deid.text import Needles, TextCleaner

__all__ = ["Cleaned", "Context", "Subject"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """One person, as far as a run needs to know them. Lives in memory only.

    Attributes:
        code: Pseudonym of the person.
        patient_id: What replaces Patient ID (0010,0020).
        patient_name: What replaces Patient's Name (0010,0010).
        shift_days: Days by which the person's dates move; negative.
        needles: The person's own values, compiled for searching.
        cleaner: The text engine over those values.
        digest: Keyed digest over the person's own values: changes when a value is added.
        aliases: Person keys that say less than others (no issuer, no ID), to the key that counts.
    """

    code: str
    patient_id: str
    patient_name: str
    shift_days: int
    needles: "Needles"
    cleaner: "TextCleaner"
    digest: str
    aliases: Mapping[str, str] = field(default_factory=dict)

    def __repr__(self) -> str:
        return f"Subject(<{self.code}>)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """Everything that decides how one input is cleaned.

    ``looked`` says that pictures and volumes were looked at before the cleaner got them, so that it
    does not say they were not.
    """

    key: "ProjectKey"
    profile: "Profile"
    subject: Subject
    limits: Limits
    looked: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Cleaned:
    """A cleaned input before the residual check: not yet ``Deidentified``.

    Attributes:
        parts: The output, in order.
        actions: What was done, in the order of the input.
        notes: Facts for the report, such as what was not looked at.
    """

    parts: Sequence[Part]
    actions: Sequence[Action]
    notes: Sequence[str] = ()
