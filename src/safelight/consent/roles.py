"""Who may do what: seven roles, each with the least it needs."""

from enum import StrEnum
from typing import Final

__all__ = ["ACTS", "GLASS", "NEEDS_CONSENT", "OWN", "Act", "Role"]


class Role(StrEnum):
    """What somebody is to Safelight."""

    PERSON = "person"
    GUARDIAN = "guardian"
    CLINICIAN = "clinician"
    STEWARD = "steward"
    RESEARCHER = "researcher"
    AUDITOR = "auditor"
    OPERATOR = "operator"


class Act(StrEnum):
    """What somebody may do; each is checked and logged by itself."""

    SEE_CONSENT = "see-consent"
    RECORD_CONSENT = "record-consent"
    WITHDRAW = "withdraw"
    SEE_DISCLOSURES = "see-disclosures"
    SEE_ACCESSES = "see-accesses"
    SEE_ORIGINAL = "see-original"
    SEE_DERIVED = "see-derived"
    GIVE_FEEDBACK = "give-feedback"
    SUBMIT = "submit"
    DISCLOSE = "disclose"
    PUBLISH_POLICY = "publish-policy"
    SET_READERS = "set-readers"  # give a reader back what the scoreboard took
    LIST_PEOPLE = "list-people"
    GIVE_ROLES = "give-roles"
    RUN = "run"  # backups, restores, resuming what was interrupted


_OWN: Final = frozenset(
    {
        *(Act.SEE_CONSENT, Act.RECORD_CONSENT, Act.WITHDRAW, Act.SEE_DISCLOSURES),
        *(Act.SEE_ACCESSES, Act.SEE_ORIGINAL, Act.SEE_DERIVED, Act.SUBMIT),
        Act.GIVE_FEEDBACK,
    }
)
ACTS: Final = {
    Role.PERSON: _OWN,
    Role.GUARDIAN: _OWN,
    Role.CLINICIAN: frozenset(
        {
            *(Act.SEE_CONSENT, Act.RECORD_CONSENT, Act.SEE_DERIVED, Act.SUBMIT),
            Act.GIVE_FEEDBACK,
        },
    ),
    Role.STEWARD: frozenset(
        {
            *(Act.SEE_CONSENT, Act.RECORD_CONSENT, Act.WITHDRAW, Act.SEE_DISCLOSURES),
            *(Act.SEE_ORIGINAL, Act.SUBMIT, Act.DISCLOSE, Act.PUBLISH_POLICY),
            *(Act.LIST_PEOPLE, Act.GIVE_ROLES, Act.SET_READERS),
        }
    ),
    Role.RESEARCHER: frozenset({Act.SEE_DERIVED}),
    Role.AUDITOR: frozenset(
        {Act.SEE_CONSENT, Act.SEE_DISCLOSURES, Act.SEE_ACCESSES, Act.LIST_PEOPLE}
    ),
    Role.OPERATOR: frozenset({Act.RUN, Act.LIST_PEOPLE}),
}
OWN: Final = frozenset({Role.PERSON, Role.GUARDIAN})  # for one named person only
# Where data itself is seen or handed out, the person's consent is asked too.
NEEDS_CONSENT: Final = frozenset(
    {Act.SEE_ORIGINAL, Act.SEE_DERIVED, Act.DISCLOSE, Act.GIVE_FEEDBACK}
)
# In an emergency, these roles may see these without role or consent for the person, with a reason.
# To see is all that it gives: nothing here hands out, teaches, or says anything for the person.
GLASS: Final = {
    Role.CLINICIAN: frozenset({Act.SEE_CONSENT, Act.SEE_DERIVED, Act.SEE_ORIGINAL}),
    Role.STEWARD: frozenset({Act.SEE_ORIGINAL, Act.SEE_DERIVED}),
}
