"""What one input says of its person, as the survey found it.

Kept apart from the survey because it travels between processes, which a frozen data class can do
only where it is not compiled.
"""

from dataclasses import dataclass, field, replace

from safelight.deid.text import Identity

__all__ = ["Evidence"]


@dataclass(frozen=True, slots=True)
class Evidence:
    """What one input says of its person. In memory only; its ``repr`` shows nothing.

    Attributes:
        patient_key: What tells this person from others; empty if the input names nobody.
        study_uid: Study Instance UID; empty if there is none.
        identity: The values found.
        series_uid: Series Instance UID; empty if there is none.
    """

    patient_key: str = ""
    study_uid: str = ""
    identity: Identity = field(default_factory=Identity)
    series_uid: str = ""

    def merged(self, other: "Evidence") -> "Evidence":
        """Return this evidence with the other's values added; neither identity is changed."""
        if self.identity is other.identity or self.identity.holds(other.identity):
            return self
        both = Identity()
        both.update(self.identity)
        both.update(other.identity)
        return replace(self, identity=both)

    def __repr__(self) -> str:
        return "Evidence(<hidden>)"
