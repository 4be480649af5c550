"""Accesses and disclosures as FHIR R4 AuditEvent resources.

IHE ITI Basic Audit Log Patterns (BALP): a handing-out follows *Privacy Disclosure at Source*; a
decision about a person's data follows *Authorization Decision* (``AuthZconsent``), refused ones
too. What is about nobody's data is a plain AuditEvent of the same shape, and claims no profile.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final

from safelight.consent import purposes
from safelight.consent.access import Access
from safelight.consent.disclosures import Disclosure
from safelight.consent.fhir import ACTOR_SYSTEM, PERSON_SYSTEM, validated

__all__ = ["access_event", "bundle", "disclosure_event"]

_BALP: Final = "https://profiles.ihe.net/ITI/BALP"
_DCM: Final = "http://dicom.nema.org/resources/ontology/DCM"
_TERMS: Final = "http://terminology.hl7.org/CodeSystem/"
_REASONS: Final = {"care": ("TREAT", "treatment")}
_RESEARCH: Final = ("HRESCH", "healthcare research")
_SUCCESS: Final = "0"
_SERIOUS: Final = "8"
_HERE: Final = {"display": "Safelight"}
_LOCAL: Final = {"address": "localhost", "type": "1"}


def _coding(system: str, code: str, display: str = "") -> dict[str, str]:
    return {"system": system, "code": code} | ({"display": display} if display else {})


def _concept(system: str, code: str, display: str = "") -> dict[str, Any]:
    return {"coding": [_coding(system, code, display)]}


def _agent(kind: dict[str, Any], who: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"type": kind, "who": who, "requestor": False, **more}


def _patient(code: str) -> dict[str, Any]:
    return {
        "what": {"type": "Patient", "identifier": {"system": PERSON_SYSTEM, "value": code}},
        "type": _coding(f"{_TERMS}audit-entity-type", "1", "Person"),
        "role": _coding(f"{_TERMS}object-role", "1", "Patient"),
    }


def _why(name: str) -> list[dict[str, Any]]:
    """Return a purpose as HL7 reasons for use and as our own, where it is known."""
    if not name or name == "unknown":
        return []
    purpose = purposes.parse(name)
    own = purpose.system == purposes.OWN_SYSTEM
    code, display = _REASONS.get(name, _RESEARCH)
    exact = _coding(purpose.system, purpose.code, purpose.label)
    first = [] if own else [_coding(f"{_TERMS}v3-ActReason", code, display)]
    return [{"coding": [*first, exact]}]


def _event(number: str, at: datetime, **parts: Any) -> dict[str, Any]:
    source = {"observer": _HERE, "type": [_coding(f"{_TERMS}security-source-type", "4")]}
    kept = {name: value for name, value in parts.items() if value}
    return validated(
        {
            "resourceType": "AuditEvent",
            "id": number,
            "recorded": at.isoformat(),
            "source": source,
            **kept,
        }
    )


def access_event(access: Access) -> dict[str, Any]:
    """Return one line of the access log as an AuditEvent."""
    judged = bool(access.purpose) and access.person not in ("", "unknown")
    user = _agent(
        _concept(f"{_TERMS}v3-ParticipationType", "IRCP", "information recipient"),
        {"identifier": {"system": ACTOR_SYSTEM, "value": access.actor}},
    ) | {"requestor": True}
    if access.role:
        user["role"] = [{"text": access.role}]
    agents = [
        _agent(_concept(_DCM, "110150", "Application"), _HERE, network=_LOCAL),
        user,
        _agent(_concept(f"{_TERMS}v3-RoleClass", "PROV"), {"display": "this installation"}),
        _agent(_concept(f"{_TERMS}extra-security-role-type", "authserver"), _HERE),
    ]
    entities = []
    if access.person not in ("", "unknown"):
        entities.append(_patient(access.person))
    if judged:
        consent = {"system": PERSON_SYSTEM, "value": access.person}
        entities.append(
            {
                "what": {"type": "Consent", "identifier": consent},
                "type": _coding("http://hl7.org/fhir/resource-types", "Consent"),
            }
        )
    profile = f"{_BALP}/StructureDefinition/IHE.BasicAudit.AuthZconsent"
    kind = "AuthZ-Consent" if judged else "AuthZ-Role"
    glass = " (emergency access)" if access.broke_glass else ""
    return _event(
        f"access-{access.number}",
        access.at,
        meta={"profile": [profile]} if judged else None,
        type=_coding(_DCM, "110113", "Security Alert"),
        subtype=[_coding(f"{_BALP}/CodeSystem/AuthZsubType", kind)],
        action="E",
        outcome=_SUCCESS if access.allowed else _SERIOUS,
        outcomeDesc=f"{access.act}: {access.reason}{glass}",
        purposeOfEvent=_why(access.purpose),
        agent=agents,
        entity=entities,
    )


def disclosure_event(one: Disclosure) -> dict[str, Any]:
    """Return one handing-out as an AuditEvent (accounting of disclosures)."""
    recipient = {"display": one.recipient}
    agents = [
        _agent(_concept(_DCM, "110153", "Source Role ID"), _HERE, network=_LOCAL),
        _agent(
            _concept(_DCM, "110152", "Destination Role ID"),
            recipient,
            network={"address": one.contact, "type": "5"},
        ),
        _agent(
            _concept("http://snomed.info/sct", "159541003", "Record keeping/library clerk"),
            {"identifier": {"system": ACTOR_SYSTEM, "value": one.made_by}},
        ),
    ]
    data: dict[str, Any] = {
        "what": {"identifier": {"system": "urn:safelight:disclosure", "value": one.id}},
        "type": _coding(f"{_TERMS}audit-entity-type", "2", "System Object"),
        "role": _coding(f"{_TERMS}object-role", "3", "Report"),
        "description": f"{one.count} of {one.kind}",
    }
    return _event(
        f"disclosure-{one.id}",
        one.at,
        meta={"profile": [f"{_BALP}/StructureDefinition/IHE.BasicAudit.PrivacyDisclosure.Source"]},
        type=_coding(_DCM, "110106", "Export"),
        subtype=[
            _coding(f"{_TERMS}iso-21089-lifecycle", "disclose", "Disclose Record Lifecycle Event")
        ],
        action="R",
        outcome=_SUCCESS,
        purposeOfEvent=_why(one.purpose),
        agent=agents,
        entity=[_patient(one.person), data],
    )


def bundle(events: Iterable[dict[str, Any]], now: datetime) -> dict[str, Any]:
    """Return AuditEvents as a FHIR R4 Bundle of the type collection."""
    entries = [{"resource": event} for event in events]
    made: dict[str, Any] = {
        "resourceType": "Bundle",
        "type": "collection",
        "timestamp": now.isoformat(),
    }
    return validated(made | ({"entry": entries} if entries else {}))
