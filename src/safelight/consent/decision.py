"""May X be used for P under policy H now? One pure function over what the person said.

The answer is no unless everything holds: somebody who may say so said yes to this purpose, under
this very policy or one that reaches it without a widening, and has not said no since; nothing has
run out; and the policy asked about is one that may still be acted under.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Final

from safelight.consent.purposes import ALL

__all__ = ["Basis", "Decision", "Reason", "Said", "Statement", "Terms", "decide", "standing"]


class Said(StrEnum):
    """What a person, or somebody for them, said."""

    GRANT = "grant"
    REFUSE = "refuse"
    WITHDRAW = "withdraw"
    EXPIRE = "expire"  # an end that was agreed on has come; recorded by a steward


class Basis(StrEnum):
    """On whose behalf a yes was said."""

    SELF = "self"
    MINOR = "guardian-of-minor"  # holds until the person comes of age
    ADULT = "guardian-of-adult"


class Reason(StrEnum):
    """Why the answer is what it is; each has its sentence in ``docs/consent.md``."""

    GRANTED = "granted"
    CARRIED = "granted under an earlier policy that allowed no less"
    NEVER_ASKED = "nothing was said"
    NOT_YET = "what was said lies in the future"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"
    CAME_OF_AGE = "the person came of age and was not asked again"
    STILL_MINOR = "the person is not of age and no guardian agreed"
    UNKNOWN_POLICY = "no such policy was published"
    SUPERSEDED = "a later version of the policy allows no more and replaces it"
    NOT_ASKED_FOR = "the policy does not ask for this purpose"
    WIDENED = "the policy allows more than the person agreed to"
    OTHER_POLICY = "the person agreed to another policy, or to a later version of this one"
    ERASED = "the person was erased"


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """One thing said.

    Attributes:
        number: Grows with each statement that is recorded.
        purpose: Name of the purpose; ``*`` for all of them, in a withdrawal only.
        said: What was said.
        policy: Hash of the policy that was seen; empty where none was.
        at: When it takes effect: for a yes when it was given, for a no when it was recorded.
        until: A yes ends at this moment; None means no end.
        basis: On whose behalf.
        majority: When the person comes of age, as the guardian stated it.
    """

    number: int
    purpose: str
    said: Said
    policy: str
    at: datetime
    until: datetime | None = None
    basis: Basis = Basis.SELF
    majority: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What ``decide`` must know of one published policy.

    Attributes:
        purposes: Names of the purposes it asks for.
        carries_from: Hash of the version before, where this one widens nothing; else empty.
        same_name: Hashes of all versions of this policy.
        version: 1, 2, 3 …
        superseded: Whether a later version that widens nothing replaces it.
    """

    purposes: frozenset[str]
    carries_from: str
    same_name: frozenset[str]
    version: int
    superseded: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """The answer.

    Attributes:
        allowed: Whether the use may go on.
        reason: Why.
        policy: Hash of the policy asked about.
        purpose: Name of the purpose asked about.
        given: Number of the statement it rests on; 0 where nothing was said.
    """

    allowed: bool
    reason: Reason
    policy: str
    purpose: str
    given: int = 0


_NO: Final = {
    Said.REFUSE: Reason.REFUSED,
    Said.WITHDRAW: Reason.WITHDRAWN,
    Said.EXPIRE: Reason.EXPIRED,
}


def standing(statements: Iterable[Statement], purpose: str) -> Statement | None:
    """Return the statement that stands for a purpose: the latest one; at a tie, the no."""
    about = [one for one in statements if one.purpose in (purpose, ALL)]
    return max(about, key=lambda one: (one.at, one.said != Said.GRANT, one.number), default=None)


def decide(
    statements: Sequence[Statement],
    terms: Callable[[str], Terms | None],
    *,
    purpose: str,
    policy: str,
    now: datetime,
) -> Decision:
    """Return whether one person's data may be used for ``purpose`` under ``policy`` now.

    Args:
        statements: All that was said by or for the person, in any order.
        terms: What a policy hash stands for; None for one that was never published.
        purpose: Name of the purpose.
        policy: Hash of the policy under which the use is to take place.
        now: The present moment, with a time zone.
    """
    said = standing(statements, purpose)

    def answer(reason: Reason) -> Decision:
        allowed = reason in (Reason.GRANTED, Reason.CARRIED)
        given = said.number if said else 0
        return Decision(allowed=allowed, reason=reason, policy=policy, purpose=purpose, given=given)

    if said is None:
        return answer(Reason.NEVER_ASKED)
    if said.said != Said.GRANT:
        return answer(_NO[said.said])
    if said.at > now:
        return answer(Reason.NOT_YET)
    if said.until is not None and now >= said.until:
        return answer(Reason.EXPIRED)
    if reason := _wrong_voice(said, _majority(statements), now):
        return answer(reason)
    asked = terms(policy)
    if asked is None:
        return answer(Reason.UNKNOWN_POLICY)
    if purpose not in asked.purposes:
        return answer(Reason.NOT_ASKED_FOR)
    if asked.superseded:
        return answer(Reason.SUPERSEDED)
    return answer(_reach(said.policy, policy, purpose, terms))


def _majority(statements: Iterable[Statement]) -> date | None:
    """Return when the person comes of age, as it was stated last; None if nobody said."""
    told = [one for one in statements if one.majority is not None]
    return max(told, key=lambda one: one.number).majority if told else None


def _wrong_voice(said: Statement, majority: date | None, now: datetime) -> Reason | None:
    """Return why the one who said yes could not, or can no longer, say so."""
    if said.basis == Basis.MINOR:
        if majority is None or now.date() >= majority:
            return Reason.CAME_OF_AGE
    elif said.basis == Basis.SELF and majority is not None and said.at.date() < majority:
        return Reason.STILL_MINOR
    return None


def _reach(seen: str, asked: str, purpose: str, terms: Callable[[str], Terms | None]) -> Reason:
    """Return whether a yes to the policy that was seen holds under the policy asked about."""
    if seen == asked:
        return Reason.GRANTED
    here, was = terms(asked), terms(seen)
    if here is None or was is None or seen not in here.same_name or was.version > here.version:
        return Reason.OTHER_POLICY
    if purpose not in was.purposes:
        return Reason.NOT_ASKED_FOR
    while here is not None and here.carries_from and here.version > was.version:
        if here.carries_from == seen:
            return Reason.CARRIED
        here = terms(here.carries_from)
    return Reason.WIDENED
