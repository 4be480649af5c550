"""The sum of masked sums is the central one to the bit, or there is none."""

import copy
import hashlib
from typing import Any, NoReturn

import numpy as np
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from federated_fixtures import Round, Through, rows
from safelight.errors import FederationError, OutOfReachError, SafelightError
from safelight.learning.federated import Plan, Site
from safelight.learning.federated.masks import (
    CHECKS,
    masked,
    numbers_of,
    opened,
    statistics_of,
)
from safelight.learning.federated.plan import sign
from safelight.readers.head import Recipe, solve


def dead(*_: Any) -> NoReturn:
    """Stand for a site whose line is gone."""
    raise FederationError("the line is dead")


@pytest.mark.parametrize("sites", [2, 3, 5, 10])
def test_the_sum_is_the_central_one_to_the_bit(sites: int) -> None:
    made = Round(sites)
    made.run()
    assert made.errors == {}
    total = made.coordinator.result()
    assert total.to_bytes() == made.central().to_bytes()
    assert set(made.digests.values()) == {made.central().digest()}
    heads = [solve(one, Recipe(ridge=0.1)).to_bytes() for one in (total, made.central())]
    assert heads[0] == heads[1]


@given(st.integers(2, 6), st.integers(1, 6), st.integers(0, 2**32))
@settings(max_examples=25)
def test_masks_cancel_for_any_sites_and_any_numbers(sites: int, width: int, seed: int) -> None:
    plan = Round(sites, width=width).plan
    names = sorted(plan.sites)
    keys = {name: X25519PrivateKey.generate() for name in names}
    public = {name: key.public_key().public_bytes_raw() for name, key in keys.items()}
    sums = {name: rows(seed + n, 5 + n, width) for n, name in enumerate(names)}
    sent = {}
    for name in names:
        others = {other: one for other, one in public.items() if other != name}
        sent[name] = masked(plan, 1, name, keys[name], others, numbers_of(sums[name]))
        assert not np.array_equal(sent[name][:-CHECKS], numbers_of(sums[name]))
    total = sum(sent.values(), np.zeros(len(sent[names[0]]), np.uint64))
    central = plan.empty()
    for one in sums.values():
        central = central + one
    assert opened(plan, 1, total).to_bytes() == central.to_bytes()
    for name in names:  # with any one part missing there is no sum
        with pytest.raises(FederationError, match="does not hold"):
            opened(plan, 1, total - sent[name])
    wrong = total.copy()
    wrong[seed % len(wrong)] += np.uint64(1)
    with pytest.raises(FederationError, match="does not hold"):
        opened(plan, 1, wrong)


def test_what_a_site_sends_looks_like_noise() -> None:
    made = Round(2, width=60)
    sent: list[bytes] = []

    def watched(site: str, attempt: int, data: bytes, signature: str) -> dict[str, Any]:
        sent.append(data)
        return made.coordinator.share(site, attempt, data, signature)

    made.run({name: Through(made.coordinator, share=watched) for name in made.keys})
    for data in sent:
        bits = np.unpackbits(np.frombuffer(data, np.uint8))
        assert abs(float(bits.mean()) - 0.5) < 5 * 0.5 / len(bits) ** 0.5
    assert sent[0] != sent[1]


@pytest.mark.parametrize("step", ["join", "share"])
@pytest.mark.parametrize("sites", [2, 4])
def test_a_site_that_dies_midway_ends_the_round_without_a_sum(step: str, sites: int) -> None:
    made = Round(sites, seconds=0.3)
    made.run({"site-00": Through(made.coordinator, **{step: dead})})
    with pytest.raises(FederationError, match="did not answer in time"):
        made.coordinator.result()
    assert made.digests == {}
    assert set(made.errors) == set(made.keys)
    assert made.noted[-1][0] == "federated.failed"


@pytest.mark.parametrize("step", ["join", "share"])
def test_those_that_are_left_mask_anew_when_the_plan_says_so(step: str) -> None:
    made = Round(4, seconds=0.4, recover=True)
    made.run({"site-02": Through(made.coordinator, **{step: dead})})
    total = made.coordinator.result()
    assert total.to_bytes() == made.central("site-02").to_bytes()
    assert set(made.errors) == {"site-02"}
    gone = [fields for kind, fields in made.noted if kind == "federated.gone"]
    assert [one["sites"] for one in gone] == [["site-02"]]
    sent = [one["digest"] for kind, one in made.noted if kind == "federated.sent"]
    assert len(set(sent)) == len(sent)  # no mask twice


def test_a_line_that_fails_now_and_then_is_tried_again() -> None:
    made = Round(3)
    fails = dict.fromkeys(made.keys, 2)

    def shaky(site: str, attempt: int, data: bytes, signature: str) -> dict[str, Any]:
        told = made.coordinator.share(site, attempt, data, signature)
        fails[site] -= 1
        if fails[site] >= 0:
            raise OutOfReachError("the answer was lost")
        return told

    made.run({name: Through(made.coordinator, share=shaky) for name in made.keys})
    assert made.errors == {}
    assert made.coordinator.result().digest() == made.central().digest()


def test_with_too_few_left_there_is_no_new_attempt() -> None:
    made = Round(2, seconds=0.3, recover=True)
    made.run({"site-00": Through(made.coordinator, share=dead)})
    with pytest.raises(FederationError):
        made.coordinator.result()


def test_an_altered_part_gives_no_sum() -> None:
    made = Round(3)
    key = made.keys["site-01"]

    def bent(site: str, attempt: int, data: bytes, _: str) -> dict[str, Any]:
        other = bytearray(data)
        other[100] ^= 1
        value = hashlib.sha256(bytes(other)).hexdigest()
        signed = sign(key, made.plan, what="share", site=site, attempt=attempt, value=value)
        return made.coordinator.share(site, attempt, bytes(other), signed)

    made.run({"site-01": Through(made.coordinator, share=bent)})
    with pytest.raises(FederationError, match="does not hold"):
        made.coordinator.result()
    assert made.digests == {}


def test_both_sides_log_what_was_sent() -> None:
    made = Round(3)
    made.run()
    sent = {one["site"]: one["digest"] for kind, one in made.noted if kind == "federated.sent"}
    got = {one["site"]: one["digest"] for kind, one in made.noted if kind == "federated.received"}
    assert sent == got
    assert set(sent) == set(made.keys)
    summed = {one["digest"] for kind, one in made.noted if kind == "federated.summed"}
    assert summed == {made.central().digest()}


def test_what_cannot_be_logged_is_not_sent() -> None:
    made = Round(2, seconds=0.3)

    def full(kind: str, fields: Any) -> None:
        if kind == "federated.sent":
            raise FederationError("the log is full")
        made.note(kind, fields)

    site = Site(made.plan, "site-00", made.keys["site-00"], made.coordinator, note=full)
    made.site = lambda name, carrier=None, real=made.site: (  # type: ignore[method-assign]  # one of them only
        site if name == "site-00" else real(name, carrier)
    )
    made.run()
    assert str(made.errors["site-00"]) == "the log is full"
    assert not [
        one for kind, one in made.noted if kind == "federated.received" and one["site"] == "site-00"
    ]  # one thought


def test_a_small_site_takes_no_part() -> None:
    made = Round(2)
    made.sums["site-00"] = rows(1, 19, 8)
    with pytest.raises(FederationError, match="fewer than 20"):
        made.site("site-00").run(made.sums["site-00"])
    assert made.coordinator.state()["step"] == "join"
    with pytest.raises(FederationError, match="fewer than 20"):
        Round(2, least_rows=3)


def test_sums_of_another_form_take_no_part() -> None:
    made = Round(2)
    with pytest.raises(FederationError, match="form that was agreed"):
        made.site("site-00").run(rows(1, 50, 9))


def lying(made: Round, change: Any) -> Through:
    """Return a carrier whose coordinator lies about keys."""

    def state(told: dict[str, Any]) -> dict[str, Any]:
        told = copy.deepcopy(told)
        if told["step"] == "share":
            change(told["keys"])
        return told

    real = made.coordinator
    return Through(
        real,
        state=lambda: state(real.state()),
        join=lambda *said: state(real.join(*said)),
    )


def _swap(keys: dict[str, Any]) -> None:
    fresh = X25519PrivateKey.generate().public_key().public_bytes_raw().hex()
    keys["site-01"]["key"] = fresh


def _alone(keys: dict[str, Any]) -> None:
    del keys["site-01"]
    del keys["site-02"]


def _own(keys: dict[str, Any]) -> None:
    keys["site-00"] = keys["site-01"]


def _stranger(keys: dict[str, Any]) -> None:
    keys["site-99"] = keys.pop("site-01")


def _nothing(keys: dict[str, Any]) -> None:
    keys["site-01"] = "x"


@pytest.mark.parametrize("change", [_swap, _alone, _own, _stranger, _nothing])
def test_a_coordinator_that_lies_about_keys_gets_nothing(change: Any) -> None:
    made = Round(3, seconds=0.5)
    made.run({"site-00": lying(made, change)})
    assert isinstance(made.errors["site-00"], FederationError)
    assert "site-00" not in {
        one.get("site") for kind, one in made.noted if kind == "federated.sent"
    }
    with pytest.raises(FederationError):
        made.coordinator.result()


def test_only_sites_of_the_round_are_heard() -> None:
    made = Round(2)
    stranger = Ed25519PrivateKey.generate()
    with pytest.raises(FederationError, match="another key"):
        Site(made.plan, "site-00", stranger, made.coordinator, note=made.note)
    public = X25519PrivateKey.generate().public_key().public_bytes_raw().hex()
    forged = sign(stranger, made.plan, what="join", site="site-00", attempt=1, value=public)
    for name in ("site-00", "nobody"):
        with pytest.raises(FederationError):
            made.coordinator.join(name, 1, public, forged)
    other = Round(2)  # signed for another round
    real = sign(
        made.keys["site-00"], other.plan, what="join", site="site-00", attempt=1, value=public
    )
    with pytest.raises(FederationError, match="not signed"):
        made.coordinator.join("site-00", 1, public, real)


def test_messages_that_come_twice_late_or_too_early() -> None:
    made = Round(2)
    key = X25519PrivateKey.generate().public_key().public_bytes_raw().hex()

    def signed(what: str, value: str, attempt: int = 1) -> str:
        return sign(
            made.keys["site-00"],
            made.plan,
            what=what,
            site="site-00",
            attempt=attempt,
            value=value,
        )

    first = made.coordinator.join("site-00", 1, key, signed("join", key))
    assert made.coordinator.join("site-00", 1, key, signed("join", key)) == first
    again = X25519PrivateKey.generate().public_key().public_bytes_raw().hex()
    with pytest.raises(FederationError, match="one key"):
        made.coordinator.join("site-00", 1, again, signed("join", again))
    with pytest.raises(FederationError, match="no more sites"):
        made.coordinator.join("site-00", 2, key, signed("join", key, 2))
    early = hashlib.sha256(b"x").hexdigest()
    with pytest.raises(FederationError, match="no numbers"):
        made.coordinator.share("site-00", 1, b"x", signed("share", early))
    made.coordinator.abandon("the operator stopped it")
    with pytest.raises(FederationError, match="operator"):
        made.coordinator.result()


@pytest.mark.parametrize(
    "change",
    [
        {"least_sites": 1},
        {"least_sites": 3},
        {"round": "x"},
        {"seconds": 0.0},
        {"seconds": float("nan")},
        {"width": 0},
        {"classes": ("one",)},
        {"sites": {"a": "00" * 32, "b": "00" * 32}},
        {"sites": {"A b": "00" * 32, "b": "01" * 32}},
        {"sites": {"a": "short", "b": "01" * 32}},
    ],
)
def test_a_plan_that_cannot_be_is_refused(change: dict[str, Any]) -> None:
    plan = Round(2).plan
    fields = {name: getattr(plan, name) for name in Plan.__slots__}
    with pytest.raises(SafelightError):
        Plan(**fields | change)


def test_a_plan_comes_back_as_it_was_written() -> None:
    plan = Round(3).plan
    assert Plan.from_bytes(plan.to_bytes()) == plan
    assert Plan.from_bytes(plan.to_bytes()).digest == plan.digest
    for broken in (b"", b"[]", b"{}", plan.to_bytes()[:-2], b'{"format":1}', b"\xff" * 9):
        with pytest.raises(FederationError):
            Plan.from_bytes(broken)


def test_numbers_are_those_of_the_canonical_bytes() -> None:
    made = Round(2)
    one = made.sums["site-01"]
    assert statistics_of(made.plan, numbers_of(one)).to_bytes() == one.to_bytes()


def test_a_sum_of_too_few_rows_is_none() -> None:
    made = Round(2)
    keys = {name: X25519PrivateKey.generate() for name in made.keys}
    public = {name: key.public_key().public_bytes_raw() for name, key in keys.items()}

    def signed(what: str, site: str, value: str) -> str:
        return sign(made.keys[site], made.plan, what=what, site=site, attempt=1, value=value)

    for name, one in public.items():
        made.coordinator.join(name, 1, one.hex(), signed("join", name, one.hex()))
    for name in made.keys:  # sites that do not look how many rows they have
        others = {other: one for other, one in public.items() if other != name}
        few = numbers_of(rows(3, 5, 8))
        data = masked(made.plan, 1, name, keys[name], others, few).astype("<u8").tobytes()
        value = hashlib.sha256(data).hexdigest()
        told = made.coordinator.share(name, 1, data, signed("share", name, value))
    assert told["step"] == "failed"
    with pytest.raises(FederationError, match="fewer rows"):
        made.coordinator.result()
