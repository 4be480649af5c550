"""A record of consent that the person can take along: ISO/IEC TS 27560:2023.

Its four parts (header, processing, parties, events) with the fields that the standard makes
mandatory, under the names it gives them, as W3C's DPV guide to TS 27560 lists them. What proves
the record (log index, inclusion proof, checkpoint) is added by ``safelight.tlog.receipt``.
"""

from collections.abc import Sequence
from typing import Any, Final

from safelight.consent import purposes
from safelight.consent.decision import Basis, Said
from safelight.consent.policy import ANY, Policy
from safelight.consent.records import Recorded

__all__ = ["SCHEMA", "record"]

SCHEMA: Final = "ISO/IEC TS 27560:2023 safelight-1"
_STATE: Final = {
    Said.GRANT: "consent given",
    Said.REFUSE: "consent refused",
    Said.WITHDRAW: "consent withdrawn",
    Said.EXPIRE: "consent expired",
}


def _days(days: int | None) -> str:
    return "unlimited" if days is None else f"P{days}D"


def _parties(policy: Policy) -> list[dict[str, Any]]:
    controller = policy.controller
    parties = [
        {
            "party_id": "controller",
            "party_name": controller.name,
            "party_address": controller.address,
            "party_contact": controller.contact,
            "party_role": "PII controller",
            "party_type": "organisation",
        }
    ]
    others = [(name, "third party") for name in sorted(policy.recipients)]
    others += [(name, "third-party model") for name in sorted(policy.third_party_ai)]
    for number, (name, kind) in enumerate(others, 1):
        parties.append(
            {
                "party_id": f"recipient-{number}",
                "party_name": "anyone" if name == ANY else name,
                "party_address": "through the controller",
                "party_contact": controller.contact,
                "party_role": "third party",
                "party_type": kind,
            }
        )
    return parties


def record(policy: Policy, events: Sequence[Recorded]) -> dict[str, Any]:
    """Return the record of consent of one person for one purpose under one policy.

    Args:
        policy: The policy that was seen.
        events: What was said for the purpose, in order; at least one.
    """
    first = events[0]
    purpose = purposes.parse(first.statement.purpose)
    parties = _parties(policy)
    return {
        "schema_version": SCHEMA,
        "record_id": f"{first.person}-{first.statement.number}",
        "pii_principal_id": first.person,
        "pii_processing": {
            "privacy_notice": policy.hash,
            "language": policy.language,
            "purposes": [
                {
                    "purpose": purpose.meaning,
                    "purpose_type": f"{purpose.name} ({purpose.code}, {purpose.label})",
                    "lawful_basis": "consent",
                    "pii_information": [{"pii_type": kind} for kind in sorted(policy.data)],
                    "pii_controllers": ["controller"],
                    "storage_locations": sorted(policy.regions),
                    "retention_period": _days(policy.retention_days),
                    "geographic_restrictions": sorted(policy.regions - {ANY}),
                    "jurisdiction": policy.jurisdiction,
                    "recipient_third_parties": [one["party_id"] for one in parties[1:]],
                    "withdrawal_method": policy.withdrawal,
                    "conditions": sorted(policy.conditions),
                    "commercial_use": policy.commercial_use,
                    "deletion_by_recipients_within": _days(policy.grace_days),
                }
            ],
        },
        "parties": parties,
        "events": [_event(one) for one in events],
    }


def _event(one: Recorded) -> dict[str, Any]:
    said = one.statement
    entity = one.person if said.basis == Basis.SELF else str(said.basis)
    return {
        "event_time": said.at.isoformat(),
        "validity_duration": f"until {said.until.isoformat()}" if said.until else "until withdrawn",
        "entity_id": entity,
        "event_type": "explicit consent",
        "event_state": _STATE[said.said],
        "recorded_by": one.recorded_by,
        "recorded_at": one.recorded_at.isoformat(),
        "collection_method": one.method,
        "log_index": one.entry,
    }
