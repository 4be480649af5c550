"""Sessions: an opaque token in a cookie, its digest in the database; and who a request is from."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from sqlalchemy import Row, delete, func, insert, select, update

from safelight.consent.roles import ACTS, OWN, Act, Role
from safelight.errors import StoreError
from safelight.store.schema.web import accounts, sessions
from safelight.web.accounts import Account, Accounts, actor_of, digest
from safelight.web.desk import Desk, server_actor

__all__ = ["NOBODY", "Sessions", "Who"]

_LASTS: Final = timedelta(hours=12)
_IDLE: Final = timedelta(hours=2)
_SEEN: Final = timedelta(minutes=1)  # how exactly it is known when a session was last used


@dataclass(frozen=True, slots=True, kw_only=True)
class Who:
    """Whoever a request is from.

    Attributes:
        account: Id of the account; empty for nobody.
        actor: Their code in roles and in the log of accesses.
        person: Whose own account it is; empty for staff.
        roles: Role and the person it is for; an empty person means all.
        label: The sign-in name.
        token: Digest of the session's token.
        desktop: It is the one person at this computer.
    """

    account: str = ""
    actor: str = ""
    person: str = ""
    roles: Sequence[tuple[Role, str]] = field(default=())
    label: str = ""
    token: str = ""
    desktop: bool = False

    def may(self, act: Act, person: str = "") -> bool:
        """Tell whether a role covers an act; the check that logs decides."""
        return any(act in ACTS[role] and who in ("", person) for role, who in self.roles)

    def owns(self, person: str) -> bool:
        """Tell whether they are the person, or their guardian."""
        return any(role in OWN and who == person for role, who in self.roles)

    def has(self, *wanted: Role) -> bool:
        """Tell whether they have one of these roles."""
        return any(role in wanted for role, _ in self.roles)

    @property
    def people(self) -> list[str]:
        """The people whose data are theirs."""
        return [who for role, who in self.roles if role in OWN]


NOBODY: Final = Who()


class Sessions:
    """The sessions of one desk."""

    def __init__(self, desk: Desk, accounts: Accounts) -> None:
        self._desk = desk
        self._store = desk.house.store
        self._accounts = accounts
        self._mine = ""

    @property
    def cookie(self) -> str:
        """Name of the cookie; over TLS no subdomain and no plain page can set it."""
        return "__Host-safelight" if self._desk.options.secure else "safelight"

    def open(self, account: str, way: str) -> str:
        """Open a session and return its token."""
        token = secrets.token_urlsafe(32)
        now = self._store.clock.now()
        row = {"token": digest(token), "account": account, "way": way, "made": now, "seen": now}
        with self._store.begin() as conn:
            conn.execute(delete(sessions).where(sessions.c.until <= now))
            conn.execute(insert(sessions).values(**row, until=now + _LASTS))
        return token

    def close(self, token: str) -> None:
        """End a session by the digest of its token."""
        with self._store.begin() as conn:
            conn.execute(delete(sessions).where(sessions.c.token == token))

    def close_others(self, who: Who) -> None:
        """End all other sessions of an account."""
        theirs = (sessions.c.account == who.account, sessions.c.token != who.token)
        with self._store.begin() as conn:
            conn.execute(delete(sessions).where(*theirs))

    def count(self, account: str) -> int:
        """Return how many sessions of an account are open."""
        found = select(func.count()).where(sessions.c.account == account)
        with self._store.read() as conn:
            return int(conn.execute(found).scalar_one())

    def who(self, cookies: Mapping[str, str]) -> Who:
        """Return who brings these cookies."""
        given = cookies.get(self.cookie, "")
        if not given:
            return NOBODY
        token = digest(given)
        with self._store.read() as conn:
            row = conn.execute(select(sessions).where(sessions.c.token == token)).first()
        now = self._store.clock.now()
        if row is None or row.until <= now or row.seen + _IDLE <= now:
            return NOBODY
        if now - row.seen >= _SEEN:
            with self._store.begin() as conn:
                mine = update(sessions).where(sessions.c.token == token)
                conn.execute(mine.values(seen=now))
        return self._desktop(row) if row.way == "desktop" else self._somebody(row)

    def _somebody(self, row: Row) -> Who:  # type: ignore[type-arg]  # columns by name
        with self._store.read() as conn:
            held = select(accounts.c.state).where(accounts.c.id == row.account)
            if conn.execute(held).scalar() != "active":
                return NOBODY
            roles = self._desk.house.custody.accesses.held(conn, actor_of(row.account))
        account: Account = self._accounts.get(row.account)
        return Who(
            account=account.id,
            actor=account.actor,
            person=account.person,
            roles=tuple(roles),
            label=account.label,
            token=row.token,
        )

    def _desktop(self, row: Row) -> Who:  # type: ignore[type-arg]  # columns by name
        actor = server_actor()
        with self._store.read() as conn:
            roles = self._desk.house.custody.accesses.held(conn, actor)
        return Who(
            account=actor,
            actor=actor,
            person=next((who for role, who in roles if role == Role.PERSON), ""),
            roles=tuple(roles),
            label="",
            token=row.token,
            desktop=True,
        )

    def desktop(self) -> str:
        """Make the one person at this computer, unless they are there; open their session.

        Raises:
            StoreError: This user of the computer may not give roles in this vault.
        """
        actor = server_actor()
        accesses = self._desk.house.custody.accesses
        with self._store.read() as conn:
            held = accesses.held(conn, actor)
        people = self._desk.house.vault
        alive = [
            who
            for role, who in held
            if role == Role.PERSON and people.person_exists_or_erased(who) == "active"
        ]
        if not alive:
            if not any(Act.GIVE_ROLES in ACTS[role] for role, _ in held):
                raise StoreError("this user has no right to open this vault alone")
            accesses.give(actor, Role.PERSON, by=actor, person=people.create_person())
        return self.open(actor, "desktop")
