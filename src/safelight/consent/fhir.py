"""Consent as FHIR R4 resources, out and in.

HL7 FHIR R4 (4.0.1) ``Consent``; checked with the R4B model of fhir.resources, which has the same
fields for it. A resource is about one statement: base rule opt-in (v3-ActCode ``OPTIN``: no unless
a nested provision permits), one nested provision, the policy by its hash. What a resource says
beyond that is refused: a limit that is not understood must not be lost.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from safelight.consent import purposes
from safelight.consent.decision import Basis, Said
from safelight.consent.records import Recorded
from safelight.errors import ConsentError, FhirError

__all__ = ["MAX_BYTES", "PERSON_SYSTEM", "Heard", "export", "export_all", "hear", "validated"]

PERSON_SYSTEM: Final = "urn:safelight:person"
ACTOR_SYSTEM: Final = "urn:safelight:actor"
POLICY_URI: Final = "urn:safelight:policy:"
_BASIS: Final = "urn:safelight:basis"
_TERMS: Final = "http://terminology.hl7.org/CodeSystem/"
_ACT: Final = f"{_TERMS}v3-ActCode"
MAX_BYTES: Final = 4 * 1024 * 1024
_INSTANT: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?(?:Z|[+-]\d\d:\d\d)")
_STATUS: Final = {
    Said.GRANT: "active",
    Said.REFUSE: "rejected",
    Said.WITHDRAW: "inactive",
    Said.EXPIRE: "inactive",
}
# What may stand where; anything else is refused by its place.
_TOP: Final = frozenset(
    {"resourceType", "id", "meta", "text", "language", "identifier", "status", "scope", "category"}
    | {"patient", "dateTime", "performer", "organization", "policy", "policyRule", "provision"}
    | {"extension"}
)
_META: Final = frozenset({"lastUpdated", "versionId", "source", "profile"})
_ROOT: Final = frozenset({"id", "type", "period", "provision"})
_NESTED: Final = frozenset({"id", "type", "period", "purpose"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """One statement as a resource makes it; ``Consents.record`` decides whether it holds."""

    person: str
    purpose: str
    said: Said
    policy: str
    at: datetime
    until: datetime | None
    basis: Basis


def validated(resource: Mapping[str, Any]) -> dict[str, Any]:
    """Return a resource that the FHIR R4 model accepts.

    Raises:
        FhirError: It is not valid; the message names the place, never the value.
    """
    from fhir.resources.R4B.auditevent import AuditEvent  # noqa: PLC0415  # 0.5 s start-up cost
    from fhir.resources.R4B.bundle import Bundle  # noqa: PLC0415  # as above
    from fhir.resources.R4B.consent import Consent  # noqa: PLC0415  # as above

    models = {"AuditEvent": AuditEvent, "Bundle": Bundle, "Consent": Consent}
    model = models.get(str(resource.get("resourceType")))
    if model is None:
        raise FhirError("the resource is no Consent and no Bundle", place="resourceType")
    try:
        model.model_validate(dict(resource))
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise FhirError("the resource is not valid FHIR R4", place=_place(error)) from None
    return dict(resource)


def _place(error: Exception) -> str:
    """Return where a model's complaint points to; its text holds values."""
    told: list[Any] = getattr(error, "errors", list)()
    return ".".join(str(part) for part in told[0]["loc"]) if told else "the resource"


def _concept(system: str, code: str, display: str = "") -> dict[str, Any]:
    coding = {"system": system, "code": code} | ({"display": display} if display else {})
    return {"coding": [coding]}


def _person(code: str, kind: str = "Patient") -> dict[str, Any]:
    return {"type": kind, "identifier": {"system": PERSON_SYSTEM, "value": code}}


def export(recorded: Recorded, *, now: datetime) -> dict[str, Any]:
    """Return one statement as a FHIR R4 Consent.

    A withdrawal of everything denies without naming a purpose. When a minor comes of age is not
    exported: the date would identify.
    """
    said = recorded.statement
    ended = said.said == Said.GRANT and said.until is not None and now >= said.until
    research = said.purpose != "care"
    nested: dict[str, Any] = {"type": "permit" if said.said == Said.GRANT else "deny"}
    if said.purpose != purposes.ALL:
        nested["purpose"] = [_coding(said.purpose)]
    period = {"start": said.at.isoformat()}
    if said.until is not None:
        period["end"] = said.until.isoformat()
    performer = (
        _person(recorded.person)
        if said.basis == Basis.SELF
        else {"type": "RelatedPerson", "display": "guardian"}
    )
    resource: dict[str, Any] = {
        "resourceType": "Consent",
        "id": f"{recorded.person}-{said.number}",
        "extension": [{"url": _BASIS, "valueCode": str(said.basis)}],
        "status": "inactive" if ended else _STATUS[said.said],
        "scope": _concept(f"{_TERMS}consentscope", "research" if research else "treatment"),
        "category": [
            _concept(f"{_TERMS}consentcategorycodes", "research")
            if research
            else _concept("http://loinc.org", "57016-8")
        ],
        "patient": _person(recorded.person),
        "dateTime": said.at.isoformat(),
        "performer": [performer],
        "policyRule": _concept(_ACT, "OPTIN"),
        "provision": {"period": period, "provision": [nested]},
    }
    if said.policy:
        resource["policy"] = [{"uri": POLICY_URI + said.policy}]
    return validated(resource)


def _coding(name: str) -> dict[str, Any]:
    """Return the code of a purpose.

    A disease is in no DUO code, and several codings would read as several purposes: research on one
    disease is coded in our own system, so that nobody reads it as research on any.
    """
    purpose = purposes.parse(name)
    if purpose.disease:
        return {"system": purposes.OWN_SYSTEM, "code": purpose.name, "display": purpose.label}
    return {"system": purpose.system, "code": purpose.code, "display": purpose.label}


def export_all(recorded: list[Recorded], *, now: datetime) -> dict[str, Any]:
    """Return statements as a FHIR R4 Bundle of the type collection."""
    entries = [{"resource": export(one, now=now)} for one in recorded]
    bundle: dict[str, Any] = {
        "resourceType": "Bundle",
        "type": "collection",
        "timestamp": now.isoformat(),
    }
    return validated(bundle | ({"entry": entries} if entries else {}))


def hear(data: bytes) -> list[Heard]:
    """Return what a FHIR R4 Consent, or a Bundle of them, says.

    Raises:
        FhirError: It is not valid, or says something that would be lost.
    """
    if len(data) > MAX_BYTES:
        raise FhirError("the resource is larger than 4 MiB")
    try:
        resource = json.loads(data.decode("utf-8"))
    except (ValueError, RecursionError):
        raise FhirError("the resource is not JSON", todo="give FHIR in JSON, UTF-8") from None
    if not isinstance(resource, dict):
        raise FhirError("the resource is not JSON of FHIR")
    resource = validated(resource)
    if resource["resourceType"] != "Bundle":
        return list(_statements(resource))
    heard: list[Heard] = []
    for entry in resource.get("entry", []):
        inner = entry.get("resource", {})
        if inner.get("resourceType") != "Consent":
            raise FhirError("the bundle holds other resources than Consent", place="Bundle.entry")
        heard.extend(_statements(validated(inner)))
    return heard


def _only(value: Any, allowed: frozenset[str], place: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise FhirError("a part is missing", place=place)
    for name in value:
        if name not in allowed:
            raise FhirError(
                "the resource says more than can be kept", place=f"{place}.{name}",
                todo="leave that part out if it limits nothing, or record the consent by hand",
            )  # fmt: skip
    return value


def _statements(resource: dict[str, Any]) -> Iterator[Heard]:
    _only(resource, _TOP, "Consent")
    _only(resource.get("meta", {}), _META, "Consent.meta")
    for name in ("scope", "category"):  # 1..1 and 1..* in R4; the model lets null pass
        if not resource.get(name):
            raise FhirError("the resource is not valid FHIR R4", place=f"Consent.{name}")
    basis = _basis(resource)
    person = _code(resource.get("patient"), "Consent.patient")
    if resource.get("status") not in ("active", "rejected", "inactive"):
        raise FhirError("only active, rejected and inactive are kept", place="Consent.status")
    if "policyRule" in resource and _codes(resource["policyRule"]) != [(_ACT, "OPTIN")]:
        raise FhirError("the base rule is not opt-in", place="Consent.policyRule")
    root = _only(resource.get("provision"), _ROOT, "Consent.provision")
    if root.get("type", "deny") != "deny":
        raise FhirError("the base rule permits everything", place="Consent.provision.type")
    at = _instant(resource.get("dateTime"), "Consent.dateTime")
    policy = _policy(resource)
    for nested in root.get("provision") or [{}]:
        place = "Consent.provision.provision"
        _only(nested, _NESTED, place)
        start, until = _period(nested.get("period", root.get("period", {})))
        if "period" in nested and "period" in root:
            raise FhirError("a period stands on two levels", place=f"{place}.period")
        if nested.get("type") not in ("permit", "deny"):
            raise FhirError("a provision neither permits nor denies", place=f"{place}.type")
        said = _said(resource["status"], nested["type"])
        for purpose in _purposes(nested.get("purpose", []), said):
            yield Heard(
                person=person,
                purpose=purpose,
                said=said,
                policy=policy if said in (Said.GRANT, Said.REFUSE) else "",
                at=max(at, start) if start else at,
                until=until if said == Said.GRANT else None,
                basis=basis,
            )


def _said(status: str, kind: str) -> Said:
    if status == "inactive":
        return Said.WITHDRAW
    if status == "rejected" or kind == "deny":
        return Said.REFUSE
    return Said.GRANT


def _codes(concept: Any) -> list[tuple[str, str]]:
    return [(one.get("system", ""), one.get("code", "")) for one in concept.get("coding", [])]


def _purposes(codings: list[dict[str, Any]], said: Said) -> list[str]:
    """Return the names of the purposes a provision is about; only a withdrawal is about all."""
    if not codings and said == Said.WITHDRAW:
        return [purposes.ALL]
    if not codings:
        raise FhirError("a provision names no purpose", place="Consent.provision.provision.purpose")
    return [_purpose(coding) for coding in codings]


def _purpose(coding: dict[str, Any]) -> str:
    """Return the name of a coded purpose; codes that are broader or narrower are not guessed."""
    system, code = coding.get("system"), str(coding.get("code", ""))
    for purpose in purposes.PURPOSES.values():
        if (system, code) == (purpose.system, purpose.code) and purpose.name != "disease-research":
            return purpose.name
    if system == purposes.OWN_SYSTEM:
        try:
            return purposes.parse(code).name
        except ConsentError:
            pass
    raise FhirError(
        "a purpose is not one of ours",
        place="Consent.provision.provision.purpose",
        todo="code it with DUO, or record the consent by hand",
    )


def _code(reference: Any, place: str) -> str:
    identifier = (reference or {}).get("identifier", {})
    if identifier.get("system") != PERSON_SYSTEM or not identifier.get("value"):
        raise FhirError(
            "the person is not named by our code",
            place=f"{place}.identifier",
            todo=f"use the system {PERSON_SYSTEM} and a code from safelight people",
        )
    return str(identifier["value"])


def _basis(resource: dict[str, Any]) -> Basis:
    given = Basis.SELF
    for one in resource.get("extension", []):
        if one.get("url") != _BASIS or one.get("valueCode") not in set(Basis):
            raise FhirError("an extension is not known", place="Consent.extension")
        given = Basis(one["valueCode"])
    kinds = {one.get("type", "Patient") for one in resource.get("performer", [])}
    if kinds - {"Patient"} and given == Basis.SELF:
        raise FhirError(
            "somebody else spoke, and it is not said as what", place="Consent.performer"
        )
    return given


def _policy(resource: dict[str, Any]) -> str:
    listed = resource.get("policy", [])
    uris = [str(one.get("uri", "")) for one in listed]
    if not uris:
        return ""
    if (
        len(uris) != 1
        or set(listed[0]) - {"uri", "authority"}
        or not uris[0].startswith(POLICY_URI)
    ):
        raise FhirError(
            "the policy is not one of ours", place="Consent.policy", todo="name it by its hash"
        )
    return uris[0].removeprefix(POLICY_URI)


def _period(period: Any) -> tuple[datetime | None, datetime | None]:
    _only(period, frozenset({"start", "end"}), "Consent.provision.period")
    start, end = period.get("start"), period.get("end")
    return (
        _instant(start, "Consent.provision.period.start") if start else None,
        _instant(end, "Consent.provision.period.end") if end else None,
    )


def _instant(value: Any, place: str) -> datetime:
    """Return a moment that is told in full: a bare day begins at another moment in each place."""
    if not isinstance(value, str) or not _INSTANT.fullmatch(value):
        raise FhirError("a time is missing, or told without its zone", place=place)
    try:
        return datetime.fromisoformat(value)
    except ValueError:
        raise FhirError("a time does not exist", place=place) from None
