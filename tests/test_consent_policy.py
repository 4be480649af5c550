"""Policies as documents: one hash, one meaning, the same for a person and a program."""

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given

from consent_fixtures import POLICY
from safelight.consent import purposes, render
from safelight.consent.canonical import canonical, content_hash
from safelight.consent.decision import Reason
from safelight.consent.diff import Effect, compare
from safelight.consent.policy import MAX_BYTES, Policy, read
from safelight.errors import ConsentError, PolicyError
from strategies_consent import documents


def made(**changes: Any) -> Policy:
    return Policy.from_document({**POLICY, **changes})


@given(documents())
def test_a_policy_comes_back_from_its_document_with_its_hash(document: dict[str, Any]) -> None:
    policy = Policy.from_document(document)
    again = Policy.from_document(json.loads(policy.to_json()))
    assert again == policy
    assert again.hash == policy.hash
    assert compare(policy, again).effect == Effect.NONE


@given(documents())
def test_the_order_of_a_document_does_not_matter(document: dict[str, Any]) -> None:
    turned = {name: document[name] for name in reversed(list(document))}
    for name in ("purposes", "recipients", "regions", "data", "conditions"):
        turned[name] = list(reversed(turned[name]))
    assert Policy.from_document(turned).hash == Policy.from_document(document).hash


@given(documents())
def test_a_person_reads_every_field_that_binds(document: dict[str, Any]) -> None:
    policy = Policy.from_document(document)
    text = " ".join(render.policy(policy).split())
    for name in policy.purposes:
        assert f"- {name}: {purposes.parse(name).meaning}" in text
    for listed in (policy.recipients, policy.regions, policy.third_party_ai, policy.data):
        assert all(f"- {one}" in text for one in listed - {"*"})
    assert ("ANYONE" in text) is ("*" in policy.recipients)
    assert ("ANYWHERE" in text) is ("*" in policy.regions)
    assert ("ANY MODEL" in text) is ("*" in policy.third_party_ai)
    assert ("Use for profit: YES" in text) is policy.commercial_use
    assert ("Originals are kept" in text) is policy.originals_kept
    assert all(f"- {name} =" in text for name in policy.extra)
    assert policy.hash in text


def test_the_hash_of_a_policy_is_pinned() -> None:
    # Consent is bound to it: if this changes, every consent that was ever given is lost.
    assert made().hash == "sha256:53744dcf6a7c074779b9e0bc659931a09ee7f6431d0c69d67f01075f23a69a7e"


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"purposes": []}, "purposes"),
    ({"purposes": ["no such"]}, "purposes"),
    ({"purposes": ["disease-research"]}, "purposes"),
    ({"purposes": "care"}, "purposes"),
    ({"third_party_ai": ["Example Chat"]}, "third_party_ai"),
    ({"purposes": ["third-party-model"]}, "third_party_ai"),
    ({"commercial_use": True}, "conditions"),
    ({"commercial_use": "no"}, "commercial_use"),
    ({"conditions": ["NMDS"]}, "conditions"),
    ({"conditions": ["GRU"]}, "conditions"),
    ({"open_release": True}, "recipients"),
    ({"regions": ["Germany"]}, "regions"),
    ({"retention_days": -1}, "retention_days"),
    ({"retention_days": True}, "retention_days"),
    ({"retention_days": None}, "retention_days"),
    ({"title": ""}, "title"),
    ({"title": "a\u202eb"}, "title"),
    ({"summary": "a\x00b"}, "summary"),
    ({"controller": {"name": "Clinic"}}, "controller.address"),
    ({"controller": "Clinic"}, "controller"),
    ({"name": "Imaging research"}, "name"),
    ({"version": 0}, "version"),
    ({"previous": "sha256:1"}, "previous"),
    ({"data": ["*"]}, "data"),
    ({"language": "english please"}, "language"),
]


@pytest.mark.parametrize(("changes", "place"), WRONG)
def test_what_is_wrong_is_named_by_its_place(changes: dict[str, Any], place: str) -> None:
    with pytest.raises(PolicyError) as caught:
        made(**changes)
    assert caught.value.place == place


def test_a_field_that_is_missing_is_named() -> None:
    for name in ("title", "controller", "regions", "retention_days"):
        with pytest.raises(PolicyError) as caught:
            Policy.from_document({key: value for key, value in POLICY.items() if key != name})
        assert caught.value.place == name


@pytest.mark.parametrize(
    "data",
    [b"", b"{", b"[]", b"\xff", b'{"a": 1, "a": 2}', b"[" * 100_000, b" " * (MAX_BYTES + 1)],
)
def test_a_file_that_is_no_policy_is_refused(data: bytes) -> None:
    with pytest.raises(PolicyError):
        Policy.from_document(read(data))


@pytest.mark.parametrize("value", [0.5, 2**53, "\ud800", {1: 2}, {"e\u0301": 1, "\xe9": 2}])
def test_what_has_no_one_spelling_has_no_hash(value: Any) -> None:
    with pytest.raises(PolicyError):
        canonical({"field": value})


def test_what_looks_the_same_has_the_same_hash() -> None:
    assert content_hash({"e\u0301": "\xe9"}) == content_hash({"\xe9": "e\u0301"})
    # RFC 8785 section 3.2.3: an emoji sorts by its surrogates, before U+FFEE
    assert canonical({"\uffee": 1, "\U0001f600": 2}) == '{"\U0001f600":2,"\uffee":1}'.encode()


CHANGES: list[tuple[dict[str, Any], dict[str, Any], Effect]] = [
    ({}, {"title": "Another title"}, Effect.EDITORIAL),
    ({}, {"language": "de"}, Effect.EDITORIAL),
    ({}, {"controller": {**POLICY["controller"], "contact": "b@example.org"}}, Effect.EDITORIAL),
    ({}, {"controller": {**POLICY["controller"], "name": "Another"}}, Effect.WIDENING),
    ({}, {"jurisdiction": "US"}, Effect.WIDENING),
    ({}, {"withdrawal": "Come by between 9 and 10."}, Effect.WIDENING),
    ({}, {"recipients": []}, Effect.NARROWING),
    ({}, {"recipients": ["*"]}, Effect.WIDENING),
    ({"recipients": ["*"]}, {"recipients": ["Roe Ltd"]}, Effect.NARROWING),
    ({"recipients": ["*"]}, {"recipients": ["*"], "open_release": True}, Effect.WIDENING),
    ({"recipients": ["*", "A"]}, {"recipients": ["*"]}, Effect.EDITORIAL),
    ({}, {"recipients": ["Example University "]}, Effect.NONE),
    ({}, {"recipients": ["Example Univers\u0456ty"]}, Effect.WIDENING),  # a Cyrillic letter
    ({}, {"regions": ["DE-BY"]}, Effect.NARROWING),
    ({"regions": ["DE-BY"]}, {}, Effect.WIDENING),
    ({}, {"regions": ["FR"]}, Effect.WIDENING),
    ({}, {"conditions": ["NCU", "IRB"]}, Effect.NARROWING),
    ({}, {"conditions": ["IRB"]}, Effect.WIDENING),
    ({}, {"retention_days": 3649}, Effect.NARROWING),
    ({}, {"retention_days": "unlimited"}, Effect.WIDENING),
    ({"retention_days": "unlimited"}, {}, Effect.NARROWING),
    ({}, {"grace_days": 91}, Effect.WIDENING),
    ({}, {"originals_kept": True}, Effect.WIDENING),
    ({}, {"purposes": ["care"]}, Effect.NARROWING),
    ({}, {"purposes": ["care", "general-research", "ancestry-research"]}, Effect.WIDENING),
    ({}, {"tracking": False}, Effect.WIDENING),
    ({"tracking": False}, {}, Effect.WIDENING),
    ({"tracking": 0}, {"tracking": False}, Effect.WIDENING),
    ({}, {"title": "Shorter", "retention_days": 1, "grace_days": 91}, Effect.WIDENING),
]


@pytest.mark.parametrize(("old", "new", "effect"), CHANGES)
def test_each_kind_of_change(old: dict[str, Any], new: dict[str, Any], effect: Effect) -> None:
    diff = compare(made(**old), made(**new))
    assert diff.effect == effect
    told = render.changes(diff)
    assert ("everyone is asked again" in told) is (effect == Effect.WIDENING)


def test_purposes_are_duo_terms_and_two_of_our_own() -> None:
    assert purposes.parse("GRU").name == purposes.parse("DUO:0000042").name == "general-research"
    assert purposes.parse("duo:0000043").label == "clinical care use"
    own = [one for one in purposes.PURPOSES.values() if one.system == purposes.OWN_SYSTEM]
    assert {one.name for one in own} == {"train-a-model", "third-party-model"}
    one = purposes.parse("DS/MONDO:0005180")
    assert (one.name, one.code) == ("disease-research/MONDO:0005180", "DUO:0000007")
    for text in ("", "NRES", "NCU", "care/MONDO:0005180", "DS", "DS/cancer", "*"):
        with pytest.raises(ConsentError):
            purposes.parse(text)
    assert len(purposes.terms()) == 23


def test_the_documentation_names_every_purpose_and_every_reason() -> None:
    page = (Path(__file__).parents[1] / "docs" / "consent.md").read_text("utf-8")
    flat = " ".join(page.split())
    for purpose in purposes.PURPOSES.values():
        assert f"`{purpose.name}" in flat
    assert [reason for reason in Reason if str(reason) not in flat] == []
    example = page.split("```toml\n")[1].split("```")[0]
    policy = Policy.from_document(read(example.encode(), toml=True))
    assert set(policy.document()) - {"version", "previous", "language"} <= set(
        tomllib.loads(example)
    )
