"""Readings as JSON: nothing is lost, nothing is made up, nothing odd comes in."""

import copy
import json
import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from safelight.errors import LimitExceededError, UnreadableInputError
from safelight.readers.reading import Answer, KindAnswer, Reading, State, ViewKind
from safelight.readers.reading_json import as_json, dumps, from_json, loads
from strategies_reading import READINGS

PLAIN = Reading(
    source="0" * 64,
    software="0",
    kind=KindAnswer(kind=None, by_header=None, by_pixels=None, distance=math.nan, why="no."),
)


@given(READINGS)
@settings(max_examples=40, deadline=None)
def test_a_reading_comes_back_as_it_was(reading: Reading) -> None:
    assert loads(dumps(reading)) == reading
    assert dumps(loads(dumps(reading))) == dumps(reading)


@given(READINGS, st.randoms(use_true_random=False))
@settings(max_examples=25, deadline=None)
def test_a_document_with_a_field_too_many_too_few_or_of_another_type_is_refused(
    reading: Reading, random: Any
) -> None:
    document = as_json(reading)
    records = [document]
    for each in records:  # grows while it is walked
        records += [
            inner
            for value in each.values()
            for inner in (value if isinstance(value, list) else [value])
            if isinstance(inner, dict)
        ]
    victim = random.choice(records)
    name = random.choice(sorted(victim))
    how = random.choice(["less", "more", "other"])
    if how == "less":
        del victim[name]
    elif how == "more":
        victim["diagnosis"] = "none"
    else:
        victim[name] = {"of": "another type"}
    with pytest.raises(UnreadableInputError):
        from_json(document)


def test_nan_and_infinity_survive_as_words() -> None:
    text = dumps(PLAIN)
    assert b'"distance": "nan"' in text
    assert math.isnan(loads(text).kind.distance)


@pytest.mark.parametrize(
    "text",
    [b"", b"[]", b"null", b'"safelight-reading"', b"\xff\xfe", b"[" * 100_000, b'{"format": 1}'],
    ids=["nothing", "list", "null", "text", "no-unicode", "deep", "no-format"],
)
def test_what_is_no_reading_is_refused(text: bytes) -> None:
    with pytest.raises(UnreadableInputError):
        loads(text)


@pytest.mark.parametrize("version", [0, 2, "1", True, None])
def test_another_version_is_refused(version: object) -> None:
    with pytest.raises(UnreadableInputError, match="version"):
        from_json({**as_json(PLAIN), "version": version})


def test_what_is_larger_than_readings_are_is_refused() -> None:
    with pytest.raises(LimitExceededError):
        loads(b" " * (16 * 1024 * 1024 + 1))
    many = as_json(PLAIN)
    many["notes"] = [""] * 100_001
    with pytest.raises(LimitExceededError):
        from_json(many)


def test_bare_nan_in_a_document_is_refused() -> None:
    text = json.dumps({**as_json(PLAIN), "notes": [math.nan]})
    with pytest.raises(UnreadableInputError):
        loads(text)


def test_an_error_never_repeats_a_value() -> None:
    document = copy.deepcopy(as_json(PLAIN))
    document["kind"]["kind"] = "DOE^JANE"
    with pytest.raises(UnreadableInputError) as caught:
        from_json(document)
    assert "DOE" not in str(caught.value)
    assert caught.value.place == "kind.kind"


def test_no_answer_and_no_kind_is_called_normal() -> None:
    words = [*Answer, *State, *ViewKind]
    assert not [word for word in words if "normal" in word or "healthy" in word]
    assert {answer for answer in Answer if answer.decided} == {Answer.SEEN, Answer.NOT_SEEN}
