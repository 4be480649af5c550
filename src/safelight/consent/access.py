"""Access: asked for by an actor, judged by role and consent, and logged either way.

The log is written before anything is shown. An access that cannot be logged does not take place.
"""

import json
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, Row, func, insert, select, update

from safelight.consent.book import Consents, actor_code
from safelight.consent.decision import Reason
from safelight.consent.journal import Journal
from safelight.consent.purposes import parse
from safelight.consent.roles import ACTS, GLASS, NEEDS_CONSENT, OWN, Act, Role
from safelight.errors import AccessDeniedError, ConsentError
from safelight.store.faults import reach
from safelight.store.schema.consent import accesses, roles
from safelight.vault import Vault

__all__ = ["GLASS_LASTS", "Access", "Accesses"]

_BOX: Final = "access"
_UNKNOWN: Final = "unknown"
_CARE: Final = "care"
_DECLARED: Final = "emergency declared"
GLASS_LASTS: Final = timedelta(hours=1)
_NOBODY: Final = "there is no such person"
_MIN_REASON: Final = 10
_MAX_REASON: Final = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """One line of the access log.

    Attributes:
        number: Of the line.
        at: When it was asked for.
        actor: Code of who asked.
        role: In which role it was judged; empty where none fitted.
        act: What was asked for.
        person: Code of the person; empty where it is about nobody, ``unknown`` where there is none.
        purpose: What for; empty where no data is shown.
        allowed: The answer.
        reason: Why that answer.
        broke_glass: Whether an emergency was claimed.
        claim: Its reason in the actor's words; empty once the person is erased.
        entry: Index in the transparency log.
    """

    number: int
    at: datetime
    actor: str
    role: str
    act: str
    person: str
    purpose: str
    allowed: bool
    reason: str
    broke_glass: bool
    claim: str
    entry: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    actor: str
    act: Act
    person: str
    purpose: str = ""
    policy: str = ""
    claim: str = ""


class Accesses:
    """Roles, and the log of accesses, of one store.

    Args:
        vault: An open vault.
        journal: Where each access is committed to.
        consents: Answers where data is to be seen.
    """

    def __init__(self, vault: Vault, journal: Journal, consents: Consents) -> None:
        self._vault = vault
        self._store = vault.store
        self._journal = journal
        self._consents = consents

    # Roles

    def bootstrap(self, actor: str) -> bool:
        """Make an actor steward, operator and auditor, if nobody has any role yet.

        Returns:
            Whether that was so.
        """
        with self._store.begin() as conn:
            if conn.execute(select(func.count()).select_from(roles)).scalar_one():
                return False
            for role in (Role.STEWARD, Role.OPERATOR, Role.AUDITOR):
                self._give(conn, actor_code(actor), role, "", actor)
        return True

    def give(self, actor: str, role: Role, *, by: str, person: str = "") -> None:
        """Give somebody a role, for one person or for all.

        Raises:
            AccessDeniedError: The giver may not give roles.
            ConsentError: A person or guardian acts for one known person, and none is named.
        """
        self.check(by, Act.GIVE_ROLES, person)
        if (role in OWN and not person) or (
            person and self._vault.person_exists_or_erased(person) != "active"
        ):
            raise ConsentError("this role is held for one person, whom the vault knows")
        with self._store.begin() as conn:
            self._give(conn, actor_code(actor), role, person, by)

    def take(self, actor: str, role: Role, *, by: str, person: str = "") -> None:
        """Take a role away.

        Raises:
            AccessDeniedError: The taker may not give roles.
        """
        self.check(by, Act.GIVE_ROLES, person)
        with self._store.begin() as conn:
            held = (roles.c.actor == actor, roles.c.role == role, roles.c.person == person)
            change = update(roles).where(*held, roles.c.until.is_(None))
            conn.execute(change.values(until=self._store.clock.now()))
            self._journal.detached(conn, "role.taken", _role(actor, role, person, by))

    def _give(self, conn: Connection, actor: str, role: Role, person: str, by: str) -> None:
        now = self._store.clock.now()
        mine = (roles.c.actor == actor, roles.c.role == role, roles.c.person == person)
        values = {"since": now, "given_by": by, "until": None}
        if not conn.execute(update(roles).where(*mine).values(**values)).rowcount:
            named = {"actor": actor, "role": str(role), "person": person}
            conn.execute(insert(roles).values(**named, **values))
        self._journal.detached(conn, "role.given", _role(actor, role, person, by))

    def held(self, conn: Connection, actor: str) -> list[tuple[Role, str]]:
        """Return the roles an actor has now, with the person each is for."""
        found = select(roles.c.role, roles.c.person).where(roles.c.actor == actor)
        rows = conn.execute(found.where(roles.c.until.is_(None)).order_by(roles.c.role)).all()
        return [(Role(row.role), row.person) for row in rows]

    # Accesses

    def check(
        self,
        actor: str,
        act: Act,
        person: str = "",
        *,
        purpose: str = "",
        policy: str = "",
        glass: bool = False,
    ) -> int:
        """Log that somebody wants to do something, and let them or not.

        Opens a transaction of its own: call it outside of any.

        Args:
            actor: Code of who asks.
            act: What they want to do.
            person: To whose data; empty where it is about nobody.
            purpose: What for; needed where data is seen or handed out.
            policy: Hash of the policy for that purpose.
            glass: An emergency that they declared within the hour lets them too.

        Returns:
            The number of the line in the access log.

        Raises:
            AccessDeniedError: They may not; the attempt is logged.
        """
        asked = _Asked(actor=actor, act=act, person=person, purpose=purpose, policy=policy)
        with self._store.begin() as conn:
            role, refusal = self._judge(conn, asked)
            broken = self._broken(conn, asked) if glass and refusal else None
            if broken is not None:
                role, refusal, asked = Role(broken.role), "", replace(asked, claim=broken.claim)
            number = self._write(conn, asked, role, refusal, glass=broken is not None)
        reach("consent.access.logged")
        if refusal:
            raise _denied(act, refusal)
        return number

    def break_glass(self, actor: str, act: Act, person: str, reason: str) -> int:
        """Let somebody see in an emergency what they else may not, with their reason on record.

        It lasts for an hour (``check`` with ``glass``); each look is a line of its own. The person
        finds all of it in their own list of accesses. What they took back is not shown.

        Raises:
            AccessDeniedError: Their role has no such key, no reason was given, or the person has
                withdrawn.
        """
        claim = reason.strip()[:_MAX_REASON]
        asked = _Asked(actor=actor, act=act, person=person, purpose=_CARE, claim=claim)
        with self._store.begin() as conn:
            held = [role for role, _ in self.held(conn, actor) if act in GLASS.get(role, ())]
            refusal = ""
            if not held:
                refusal = "no role of this actor may break the glass for it"
            elif len(claim) < _MIN_REASON:
                refusal = "an emergency needs its reason in words"
            elif self._vault.people.state(person, conn) != "active":
                refusal = _NOBODY
            elif self._taken_back(conn, person):
                refusal = "the person took it back"
            role = held[0] if held else None
            number = self._write(conn, asked, role, refusal, glass=True, reason=_DECLARED)
        reach("consent.access.logged")
        if refusal:
            raise _denied(act, refusal)
        return number

    def emergency(self, conn: Connection, actor: str, act: Act, person: str) -> datetime | None:
        """Return until when an emergency that somebody declared lets them; None when none does."""
        broken = self._broken(conn, _Asked(actor=actor, act=act, person=person))
        return broken.at + GLASS_LASTS if broken is not None else None

    def _broken(self, conn: Connection, asked: _Asked) -> Access | None:
        """Return the line with which an emergency was declared that still lasts."""
        keys = [
            role for role, _ in self.held(conn, asked.actor) if asked.act in GLASS.get(role, ())
        ]
        if not keys or not asked.person or self._taken_back(conn, asked.person):
            return None
        found = select(accesses).where(
            accesses.c.actor == asked.actor,
            accesses.c.person == asked.person,
            accesses.c.act == str(asked.act),
            accesses.c.broke_glass,
            accesses.c.allowed,
            accesses.c.reason == _DECLARED,
            accesses.c.at > self._store.clock.now() - GLASS_LASTS,
        )
        row = conn.execute(found.order_by(accesses.c.number.desc()).limit(1)).first()
        return self._access(conn, row) if row is not None else None

    def _taken_back(self, conn: Connection, person: str) -> bool:
        return self._consents.may(conn, person, _CARE, "").reason is Reason.WITHDRAWN

    def _judge(self, conn: Connection, asked: _Asked) -> tuple[Role | None, str]:
        """Return in which role an act is judged, and why it is refused; empty if it is not."""
        held = self.held(conn, asked.actor)
        fitting = [role for role, who in held if asked.act in ACTS[role] and _covers(who, asked)]
        if not fitting:
            return None, "no role of this actor covers it"
        if asked.person and self._vault.people.state(asked.person, conn) == "":
            return fitting[0], _NOBODY
        # One's own data needs no consent; in any other role the person is asked.
        own = next((role for role in fitting if role in OWN), None)
        if asked.act not in NEEDS_CONSENT or own:
            return own or fitting[0], ""
        if not (asked.person and asked.purpose and asked.policy):
            return fitting[0], "a person, a purpose and a policy are needed"
        decision = self._consents.may(conn, asked.person, asked.purpose, asked.policy)
        return fitting[0], "" if decision.allowed else str(decision.reason)

    def _write(
        self,
        conn: Connection,
        asked: _Asked,
        role: Role | None,
        refusal: str,
        *,
        glass: bool = False,
        reason: str = "allowed",
    ) -> int:
        state = self._vault.people.state(asked.person, conn) if asked.person else ""
        person = asked.person if state or not asked.person else _UNKNOWN
        told = {
            "actor": actor_code(asked.actor),
            "role": str(role or ""),
            "act": str(asked.act),
            "person": person,
            "purpose": _purpose(asked.purpose),
            "allowed": not refusal,
            "reason": refusal or reason,
            "broke_glass": glass,
        }
        kind = "access.denied" if refusal else "access.allowed"
        if state == "active":
            leaf = self._journal.personal(conn, person, kind, told)
            private = {"claim": asked.claim, "leaf": leaf.to_bytes().decode()}
            sealed = self._vault.seal_small(
                person, _BOX, str(leaf.index), json.dumps(private).encode(), conn
            )
        else:
            leaf = self._journal.detached(conn, kind, told)
            sealed = leaf.to_bytes()  # about nobody: it may be opened by any auditor
        values = {**told, "at": self._store.clock.now(), "sealed": sealed, "entry": leaf.index}
        done: Any = conn.execute(insert(accesses).values(**values))
        reach("consent.access.written")
        return int(done.inserted_primary_key[0])

    def listed(self, conn: Connection, person: str = "", *, limit: int = 1000) -> list[Access]:
        """Return accesses, the newest first: to one person's data, or all."""
        found = select(accesses).order_by(accesses.c.number.desc()).limit(limit)
        if person:
            found = found.where(accesses.c.person == person)
        return [self._access(conn, row) for row in conn.execute(found).all()]

    def _access(self, conn: Connection, row: Row[Any]) -> Access:
        claim = ""
        if (
            row.broke_glass
            and row.sealed
            and self._vault.people.state(row.person, conn) == "active"
        ):
            opened = self._vault.open_small(row.person, _BOX, str(row.entry), row.sealed, conn)
            claim = json.loads(opened)["claim"]
        fields = {name: getattr(row, name) for name in Access.__slots__ if name != "claim"}
        return Access(**fields, claim=claim)


def _covers(scope: str, asked: _Asked) -> bool:
    """Return whether a role for one person, or for all, covers what is asked."""
    return not scope or scope == asked.person


def _purpose(text: str) -> str:
    """Return the name of a purpose; what is none must not reach a column."""
    try:
        return parse(text).name if text else ""
    except ConsentError:
        return _UNKNOWN


def _role(actor: str, role: Role, person: str, by: str) -> dict[str, str]:
    return {"actor": actor, "role": str(role), "person": person, "by": by}


def _denied(act: Act, refusal: str) -> AccessDeniedError:
    """Return the error of a refusal; a role would not help where there is nobody."""
    todo = "check the person's code with safelight people" if refusal == _NOBODY else ""
    return AccessDeniedError(f"{act} is not allowed: {refusal}", todo=todo)
