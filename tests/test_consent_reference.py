"""Consent against two models written apart from it: what a policy admits, and who said what.

``HYPOTHESIS_PROFILE=full pytest tests/test_consent_reference.py`` tries 10,000 pairs of policies
and 10,000 histories; the everyday profile tries fewer.
"""

from datetime import UTC, date, datetime, timedelta
from typing import Any

from hypothesis import example, given

from safelight.consent.chain import follow, terms_of
from safelight.consent.decision import Basis, Said, Statement, Terms, decide
from safelight.consent.diff import Effect, compare
from safelight.consent.policy import Policy
from strategies_consent import (
    CONDITIONS,
    DATA,
    HISTORIES,
    PURPOSES,
    RECIPIENTS,
    SERVICES,
    pairs,
)

T0 = datetime(2026, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)
WORLD = {
    "purposes": {*PURPOSES, "third-party-model"},
    "recipients": {*RECIPIENTS, "somebody nobody thought of"},
    "third_party_ai": {*SERVICES, "a service nobody thought of"},
    "data": set(DATA),
}
WORDS = ("title", "language", "summary")


def admitted(document: dict[str, Any], other: dict[str, Any]) -> set[tuple[str, Any]]:
    """Return all that a policy lets happen, one by one, as far as the other may differ."""
    uses: set[tuple[str, Any]] = set()
    for name, world in WORLD.items():
        listed = set(document[name])
        uses |= {(name, one) for one in world if "*" in listed or one in listed}
    for place in ("DE", "FR-75", "FR", "US", "US-CA", "US-NY", "JP"):
        if {"*", place, place[:2]} & set(document["regions"]):
            uses.add(("regions", place))
    uses |= {("not bound by", one) for one in CONDITIONS if one not in document["conditions"]}
    for name in ("retention_days", "grace_days"):
        ends = [10**6 if one[name] == "unlimited" else one[name] for one in (document, other)]
        uses |= {(name, day) for day in ends if day <= ends[0]}
    uses |= {(name, True) for name in ("commercial_use", "originals_kept") if document[name]}
    return uses


def same_otherwise(old: dict[str, Any], new: dict[str, Any]) -> bool:
    """Return whether what has no order is the same in both; 1 is not the same as True."""
    ordered = {*WORLD, *WORDS, "regions", "conditions", "retention_days", "grace_days"}
    ordered |= {"commercial_use", "originals_kept", "controller"}
    rest = [
        {name: repr(value) for name, value in one.items() if name not in ordered}
        | {f"c.{n}": v for n, v in one["controller"].items() if n not in ("address", "contact")}
        for one in (old, new)
    ]
    return rest[0] == rest[1]


@given(pairs())
def test_no_widening_carries_old_consent(pair: tuple[dict[str, Any], dict[str, Any]]) -> None:
    old, new = pair
    first = follow(None, old)
    second = follow(first, new)
    widened = bool(admitted(new, old) - admitted(old, new)) or not same_otherwise(old, new)
    diff = compare(first, second)
    assert diff.carries is not widened
    table = terms_of([first, second])
    for purpose in sorted(first.purposes):
        said = Statement(
            number=1, purpose=purpose, said=Said.GRANT, policy=first.hash, at=T0, until=None
        )
        answer = decide([said], table.get, purpose=purpose, policy=second.hash, now=T0 + DAY)
        assert answer.allowed is (not widened and purpose in second.purposes)


@given(pairs())
def test_a_change_back_and_forth_is_never_narrowing_twice(
    pair: tuple[dict[str, Any], dict[str, Any]],
) -> None:
    old, new = (Policy.from_document(one) for one in pair)
    there, back = compare(old, new), compare(new, old)
    assert {change.field for change in there.changes} == {change.field for change in back.changes}
    if there.effect == Effect.NARROWING and admitted(*pair) != admitted(*reversed(pair)):
        assert back.effect == Effect.WIDENING


class Model:
    """Consent told again in its shortest form: the present state alone, as things change it."""

    def __init__(self) -> None:
        self.now, self.count = T0, 1
        self.asked = [set(PURPOSES[:3])]
        self.smooth = [False]
        self.yes: dict[str, tuple[int, datetime, datetime, str]] = {}
        self.no: dict[str, datetime] = {}
        self.of_age: date | None = None

    def grant(self, purpose: str, index: int, given: datetime, until: datetime, who: str) -> None:
        late = given <= self.no.get(purpose, T0 - 99 * DAY)
        if not late and (purpose not in self.yes or given >= self.yes[purpose][1]):
            self.yes[purpose] = (index, given, until, who)

    def deny(self, purpose: str) -> None:
        for one in PURPOSES if purpose == "*" else [purpose]:
            self.no[one] = self.now
            self.yes.pop(one, None)

    def may(self, purpose: str, index: int) -> bool:
        if purpose not in self.yes or purpose not in self.asked[index]:
            return False
        seen, given, until, who = self.yes[purpose]
        if self.now >= until or (index + 1 < len(self.asked) and self.smooth[index + 1]):
            return False
        if who == "guardian-of-minor" and (not self.of_age or self.now.date() >= self.of_age):
            return False
        if who == "self" and self.of_age and given.date() < self.of_age:
            return False
        return seen <= index and all(self.smooth[seen + 1 : index + 1])


class Real:
    """The same history, told to the code under test."""

    def __init__(self) -> None:
        self.document: dict[str, Any] = {
            "name": "imaging",
            "title": "0",
            "summary": "s",
            "withdrawal": "w",
            "jurisdiction": "DE",
            "controller": {"name": "n", "address": "a", "contact": "c"},
            "purposes": list(PURPOSES[:3]),
            "regions": ["DE"],
            "data": ["images"],
            "retention_days": 1000,
        }
        self.versions = [follow(None, self.document)]
        self.said: list[Statement] = []
        self.table: dict[str, Terms] = {}

    def publish(self, kind: str) -> tuple[set[str], bool]:
        """Publish the next version; return its purposes and whether it takes nothing more."""
        new, purposes = dict(self.document), list(self.document["purposes"])
        if kind == "drop" and len(purposes) > 1:
            new["purposes"], smooth = purposes[1:], True
        elif kind == "add" and len(purposes) < len(PURPOSES):
            new["purposes"] = [*purposes, next(p for p in PURPOSES if p not in purposes)]
            smooth = False
        else:
            new["title"] = str(int(new["title"]) + 1)
            new["retention_days"] += {"wider": 1, "narrower": -1}.get(kind, 0)
            smooth = kind != "wider"
        self.document = new
        self.versions.append(follow(self.versions[-1], new))
        return set(new["purposes"]), smooth

    def say(self, **given: Any) -> None:
        self.said.append(Statement(number=len(self.said) + 1, **given))

    def may(self, purpose: str, index: int, now: datetime) -> bool:
        if len(self.table) != len(self.versions):
            self.table = terms_of(self.versions)
        policy = next(one for one, terms in self.table.items() if terms.version == index + 1)
        return decide(self.said, self.table.get, purpose=purpose, policy=policy, now=now).allowed


def live(moment: tuple[Any, ...], model: Model, real: Real) -> None:
    """Let one thing happen to both; every statement is a microsecond of its own."""
    model.now += timedelta(microseconds=1)
    kind = moment[0]
    if kind == "wait":
        model.now += moment[1] * DAY
    elif kind == "publish":
        asked, smooth = real.publish(moment[1])
        model.asked.append(asked)
        model.smooth.append(smooth)
    elif kind == "grant":
        _, purpose, back, days, who, ago, age = moment
        index = max(0, len(model.asked) - 1 - back)
        if purpose not in model.asked[index]:
            return
        given_at = model.now - ago * DAY
        until = None if days is None else given_at + days * DAY
        majority = (model.now + age * DAY).date() if who == "guardian-of-minor" else None
        model.of_age = majority or model.of_age
        model.grant(purpose, index, given_at, until or T0 + 9999 * DAY, who)
        real.say(
            purpose=purpose,
            said=Said.GRANT,
            policy=real.versions[index].hash,
            at=given_at,
            until=until,
            basis=Basis(who),
            majority=majority,
        )
    else:
        model.deny(moment[1])
        real.say(purpose=moment[1], said=Said(kind), policy="", at=model.now)


@given(HISTORIES)
@example([("grant", "care", 0, None, "self", 0, 0), ("publish", "wider"), ("publish", "narrower")])
@example([("withdraw", "*"), ("grant", "care", 0, None, "self", 1, 0)])
def test_every_history_ends_as_the_reference_model_says(history: list[tuple[Any, ...]]) -> None:
    model, real = Model(), Real()
    for moment in history:
        live(moment, model, real)
        for index in range(len(model.asked)):
            for purpose in PURPOSES:
                assert real.may(purpose, index, model.now) is model.may(purpose, index)
