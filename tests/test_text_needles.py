"""A person's values as needles: found in every spelling, never where they would be chance."""

import time
from dataclasses import fields

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from safelight.deid.text import Identity, Needles
from safelight.deid.text.fold import fold, squash, squash_map
from safelight.deid.text.grams import Grams
from safelight.deid.text.transliterate import spellings
from strategies_text import people


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("Müller", "mueller"),
        ("Müller", "muller"),
        ("Mueller", "muller"),
        ("Åse", "aase"),
        ("Łukasz", "lukasz"),
        ("Иванов", "ivanov"),
        ("Юлия", "yuliya"),
        ("Щукин", "shchukin"),
        ("Παπαδόπουλος", "papadopoulos"),
        ("やまだ", "yamada"),
        ("ﾔﾏﾀﾞ", "yamada"),
        ("きょうこ", "kyoko"),
        ("김", "gim"),
        ("O'Brien", "obrien"),
    ],
)
def test_names_are_known_in_other_spellings(name: str, other: str) -> None:
    assert other in spellings(name)


def found(identity: Identity, text: str) -> list[str]:
    return [text[span.start : span.stop] for span in Needles.compile(identity).spans(text)]


def test_full_names_of_short_parts_go_as_pairs() -> None:
    identity = Identity(names={"LI^NA"})
    assert found(identity, "Li Na CT") == ["Li", "Na"]
    assert found(identity, "18F NaF") == []


def test_a_number_is_found_without_its_zeros_prefix_and_separators() -> None:
    identity = Identity(ids={"PID-00123456"})
    for text in ("123456", "00123456", "pid00123456", "PID 0012 3456", "x123456y"):
        assert found(identity, text), text


def test_a_phone_is_found_with_any_punctuation() -> None:
    identity = Identity(contacts={"+49 (30) 1234-5678"})
    for text in ("030 12345678", "+49 30 12 34 56 78", "3012345678"):
        assert found(identity, text), text


def test_placeholders_are_nobody() -> None:
    assert found(Identity(names={"ANONYMOUS", "PATIENT^TEST"}), "Anonymous test patient") == []


def test_raw_patterns_are_distinctive_and_few() -> None:
    identity = Identity(
        names={f"ZORKMAN{i}^QUXLEY" for i in range(80)} | {"CHEST^HEAD", "LI^NA"},
        ids={"12345", "7654321", "A1", "0000000", "ROE-77123"},
        dates={"19600102"},
    )
    raw = Needles.compile(identity).raw
    assert len(raw) <= 150
    assert all(len(pattern) >= 4 for pattern in raw)
    assert all(pattern == pattern.lower() for pattern in raw if pattern.isascii())
    joined = b"|".join(raw)
    for chance in (b"chest", b"12345|", b"0000000"):
        assert chance not in joined


def test_raw_patterns_cover_every_encoding_of_a_name() -> None:
    needles = Needles.compile(Identity(names={"山田^太郎", "Παπαδόπουλος^Γιώργος", "Иванов^Пётр"}))
    for text, codecs in (
        ("山田太郎", ("utf-8", "utf-16-le", "shift_jis", "euc-jp", "gb18030")),
        ("Παπαδόπουλος", ("utf-8", "utf-16-be", "iso8859-7")),
        ("ИВАНОВ", ("utf-8", "iso8859-5")),
    ):
        for codec in codecs:
            value = text if "山" not in text else "山田^太郎"
            assert needles.matches_binary(b"\x01\x02" + value.encode(codec) + b"\x00"), codec


def test_binary_values_without_the_person_do_not_match() -> None:
    needles = Needles.compile(Identity(names={"ROE^JANE"}, ids={"PID-0012345"}))
    assert needles.matches_binary("xx Roe yy".encode("utf-16-le"))
    assert needles.matches_binary(b"\x00\x01jane\x00")
    assert not needles.matches_binary(bytes(range(256)))


def test_compiling_fifty_values_is_cheap() -> None:
    identity = Identity(
        names={f"ZORK{c}^QUX{c}" for c in "ABCDEFGHIJ"},
        ids={f"PID-{i:06}" for i in range(30)},
        phrases={f"{i} Zork Street, Quxbury" for i in range(10)},
    )
    Needles.compile(identity)
    start = time.process_time()
    for _ in range(10):
        Needles.compile(identity)
    assert (time.process_time() - start) / 10 < 0.010  # 3 ms on a quiet machine


def test_nothing_of_a_person_shows_in_a_repr() -> None:
    identity = Identity(names={"ROE^JANE"}, ids={"PID-0012345"})
    shown = repr(identity) + repr(Needles.compile(identity))
    assert "ROE" not in shown.upper()
    assert "12345" not in shown


def test_an_update_takes_over_every_kind_of_value() -> None:
    full = Identity(**{field.name: {field.name} for field in fields(Identity)})
    empty = Identity()
    empty.update(full)
    assert empty == full
    assert empty.digest_tokens() == full.digest_tokens()


@given(people)
@settings(max_examples=200, deadline=None)
def test_every_order_and_joint_of_a_name_is_found(person: tuple[str, str, int]) -> None:
    last, first, number = person
    needles = Needles.compile(Identity(names={f"{last}^{first}"}, ids={str(number)}))
    for text in (f"{first} {last}", f"{last}{first}", f"{first}_{last}x", f"q{number}", f"{last}7"):
        assert needles.spans(text), text


@given(people)
def test_squashing_keeps_places(person: tuple[str, str, int]) -> None:
    text = f"{person[0]}, {person[1]} ({person[2]})"
    flat, places = squash_map(text)
    assert flat == squash(text)
    assert all(fold(text[place])[0] == char or len(fold(text[place])) > 1
               for char, place in zip(flat, places, strict=True))  # fmt: skip


@given(
    st.sets(st.text("abc", min_size=2, max_size=9), min_size=1, max_size=5),
    st.text("abc", max_size=25),
)
@settings(max_examples=400)
def test_grams_find_what_a_plain_search_finds(values: set[str], text: str) -> None:
    grams = Grams(sorted(values))
    plain = sorted((at, v) for v in values for at in range(len(text)) if text.startswith(v, at))
    assert sorted(grams.find(text)) == plain
    assert grams.within(text) == bool(plain)


RUNS = st.sampled_from(
    ["roe", "Roe", "JANE", "JaneRoe", "roejane", "jr", "MRN4711", "4711", "u0041u0042", "ct",
     "O'Brien", "Brien", "4401234567", "x4711y", "RoeCT", "headNeck", "1960", "19600102",
     "60", "02", "jan", "Jan", "I", "x"]
)  # fmt: skip


@given(st.lists(RUNS, min_size=1, max_size=3).map("".join))
def test_a_run_holds_what_spans_finds(run: str) -> None:
    identity = Identity(
        names={"ROE^JANE"},
        people={"O'Brien"},
        ids={"MRN-4711"},
        dates={"19600102"},
        contacts={"+44 0123 4567"},
    )
    needles = Needles.compile(identity)
    assert needles.holds(run) == bool(needles.spans(run))
