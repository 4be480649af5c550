"""FHIR R4 Consent out and in, and the record of ISO/IEC TS 27560."""

import copy
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consent_fixtures import POLICY
from safelight.consent.decision import Basis, Said, Statement
from safelight.consent.fhir import MAX_BYTES, export, export_all, hear
from safelight.consent.policy import Policy
from safelight.consent.receipt27560 import record
from safelight.consent.records import Recorded
from safelight.errors import FhirError

NOW = datetime(2026, 6, 1, 12, 30, 15, 123456, tzinfo=UTC)
PERSON = "0" * 31 + "7"
HASH = "sha256:" + "a" * 64
TIMES = st.datetimes(datetime(2000, 1, 1), datetime(2026, 1, 1)).map(  # noqa: DTZ001  # as below
    lambda at: at.replace(tzinfo=UTC)
)


@st.composite
def recordeds(draw: st.DrawFn) -> Recorded:
    said = draw(st.sampled_from(Said))
    names = ["care", "train-a-model", "general-research", "disease-research/MONDO:0005180"]
    at = draw(TIMES)
    grant = said == Said.GRANT
    return Recorded(
        person=PERSON,
        statement=Statement(
            number=draw(st.integers(1, 10**6)),
            purpose=draw(st.sampled_from([*names, *(["*"] if said == Said.WITHDRAW else [])])),
            said=said,
            policy=HASH if said in (Said.GRANT, Said.REFUSE) else "",
            at=at,
            until=draw(st.none() | st.just(NOW + timedelta(days=9))) if grant else None,
            basis=draw(st.sampled_from([Basis.SELF, Basis.ADULT])),
        ),
        recorded_at=NOW,
        recorded_by="desk:1",
        method="web",
        entry=5,
    )


def sample(**changes: Any) -> dict[str, Any]:
    said = Statement(number=1, purpose="care", said=Said.GRANT, policy=HASH, at=NOW)
    one = Recorded(
        person=PERSON, statement=said, recorded_at=NOW, recorded_by="d:1", method="web", entry=5
    )
    return {**export(one, now=NOW), **changes}


def heard(resource: dict[str, Any]) -> list[Any]:
    return hear(json.dumps(resource).encode())


@given(st.lists(recordeds(), max_size=4))
def test_what_goes_out_comes_in_again(recorded: list[Recorded]) -> None:
    back = heard(export_all(recorded, now=NOW))
    assert len(back) == len(recorded)
    for one, told in zip(back, recorded, strict=True):
        said = told.statement
        want = Said.WITHDRAW if said.said == Said.EXPIRE else said.said
        assert (one.person, one.purpose, one.said, one.policy) == (
            *(PERSON, said.purpose, want, said.policy),
        )
        assert (one.at, one.until, one.basis) == (said.at, said.until, said.basis)


def test_an_expired_yes_is_exported_as_inactive() -> None:
    said = Statement(
        number=1, purpose="care", said=Said.GRANT, policy=HASH, at=NOW, until=NOW + timedelta(1)
    )
    one = Recorded(
        person=PERSON, statement=said, recorded_at=NOW, recorded_by="d:1", method="web", entry=5
    )
    assert export(one, now=NOW)["status"] == "active"
    late = export(one, now=NOW + timedelta(days=1))
    assert late["status"] == "inactive"
    assert heard(late)[0].said == Said.WITHDRAW


def changed(*path: str | int, to: Any) -> Callable[[dict[str, Any]], None]:
    def change(resource: Any) -> None:
        for part in path[:-1]:
            resource = resource[part]
        resource[path[-1]] = to

    return change


NESTED = ("provision", "provision", 0)
REFUSED = [
    changed("modifierExtension", to=[{"url": "http://x", "valueCode": "y"}]),
    changed("implicitRules", to="http://x"),
    changed("contained", to=[{"resourceType": "Patient"}]),
    changed("extension", to=[{"url": "http://x", "valueCode": "y"}]),
    changed("sourceAttachment", to={"title": "scan"}),
    changed("verification", to=[{"verified": False}]),
    changed("status", to="draft"),
    changed("status", to="entered-in-error"),
    changed("patient", to={"reference": "Patient/JANE-DOE"}),
    changed("patient", "identifier", "system", to="http://hospital"),
    changed("policy", to=[{"uri": "http://policy"}]),
    changed("policy", to=[{"uri": "urn:safelight:policy:a"}, {"uri": "urn:safelight:policy:b"}]),
    changed("policyRule", "coding", 0, "code", to="OPTOUT"),
    changed("dateTime", to="2026-06-01"),
    changed("dateTime", to="2026-06-01T10:00:00"),
    changed("performer", to=[{"type": "RelatedPerson", "display": "mother"}]),
    changed("meta", to={"security": [{"code": "R"}]}),
    changed("provision", "type", to="permit"),
    changed("provision", "actor", to=[{"role": {"text": "x"}, "reference": {"display": "y"}}]),
    changed("provision", "dataPeriod", to={"start": "2026-06-01"}),
    changed("provision", "period", "end", to="2027"),
    changed("provision", "provision", to=[]),
    changed(*NESTED, "type", to="maybe"),
    changed(*NESTED, "action", to=[{"text": "read only"}]),
    changed(*NESTED, "class", to=[{"code": "DICOM"}]),
    changed(*NESTED, "period", to={"start": "2026-06-01T10:00:00Z"}),
    changed(*NESTED, "provision", to=[{"type": "deny"}]),
    changed(*NESTED, "purpose", to=[]),
    changed(
        *NESTED,
        "purpose",
        to=[{"system": "http://terminology.hl7.org/CodeSystem/v3-ActReason", "code": "HRESCH"}],
    ),
    changed(*NESTED, "purpose", 0, "code", to="DUO:0000007"),
    changed("resourceType", to="Patient"),
    changed("nonsense", to=1),
    changed("scope", to=None),
    changed("category", to=None),
]


@pytest.mark.parametrize("change", REFUSED, ids=range(len(REFUSED)))
def test_what_cannot_be_kept_without_loss_is_refused(change: Callable[..., None]) -> None:
    resource = copy.deepcopy(sample())
    change(resource)
    with pytest.raises(FhirError) as caught:
        heard(resource)
    told = caught.value.diagnostics()
    assert "DOE" not in told
    assert "mother" not in told


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b"1", b"\xff", b"[" * 9999, b" " * MAX_BYTES])
def test_what_is_no_resource_is_refused(data: bytes) -> None:
    with pytest.raises(FhirError):
        hear(data)


def test_a_bundle_of_something_else_is_refused() -> None:
    entry = {"resource": {"resourceType": "AuditEvent"}}
    with pytest.raises(FhirError):
        heard({"resourceType": "Bundle", "type": "collection", "entry": [entry]})


def test_the_record_has_every_mandatory_field_of_27560() -> None:
    policy = Policy.from_document({**POLICY, "recipients": ["Example University", "*"]})
    said = Statement(number=1, purpose="train-a-model", said=Said.GRANT, policy=HASH, at=NOW)
    events = [
        Recorded(
            person=PERSON,
            statement=said,
            recorded_at=NOW,
            recorded_by="desk:1",
            method="paper",
            entry=5,
        )
    ]
    made = record(policy, events)
    assert {"schema_version", "record_id", "pii_principal_id"} <= set(made)
    processing = made["pii_processing"]
    assert {"privacy_notice", "language", "purposes"} <= set(processing)
    (purpose,) = processing["purposes"]
    wanted = ["purpose", "pii_information", "pii_controllers", "storage_locations"]
    wanted += ["retention_period", "jurisdiction", "recipient_third_parties", "withdrawal_method"]
    assert all(purpose[name] for name in wanted)
    for party in made["parties"]:
        names = ("party_id", "party_address", "party_name", "party_contact", "party_type")
        assert all(party[name] for name in names)
    assert {one["party_name"] for one in made["parties"]} >= {"anyone", "Example University"}
    for event in made["events"]:
        names = ("event_time", "validity_duration", "entity_id", "event_type", "event_state")
        assert all(event[name] for name in names)
    assert json.loads(json.dumps(made)) == made
