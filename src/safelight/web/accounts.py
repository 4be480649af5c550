"""Accounts: names and passwords, who is locked out, one-time links, and what each may do.

A password is kept as argon2id (RFC 9106). A sign-in name is an identifying value: the database has
a keyed code of it to find it by, and ciphertext to show it to its owner.
"""

import hashlib
import math
import secrets
import threading
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Self

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import Connection, Row, delete, func, insert, select, update

from safelight.consent.roles import OWN, Role
from safelight.errors import ConsentError, SafelightError, StoreError
from safelight.store.ids import new_id
from safelight.store.schema.web import accounts, links, passkeys, sessions, subjects
from safelight.web.desk import Desk, server_actor

__all__ = ["Account", "Accounts", "LockedError", "NameError_", "actor_of", "digest"]

LEAST_LETTERS: Final = 10
_MOST_LETTERS: Final = 200
_FREE_FAILURES: Final = 5
_LONGEST_LOCK: Final = timedelta(hours=1)
_MINUTE: Final = 60
_NAME: Final = "account-name"
_CHECKS: Final = 2  # passwords that are checked at the same time: each takes 64 MiB


class LockedError(SafelightError):
    """Too many wrong passwords; the account rests for a while."""

    code = "locked"
    default_kept = "nobody was signed in"
    default_todo = "wait, then try again; or ask for a one-time link"
    seconds = 60

    @classmethod
    def until(cls, rest: timedelta) -> Self:
        """Return the error of an account that rests for so long from now on."""
        seconds = max(1, math.ceil(rest.total_seconds()))
        wait = (
            f"{seconds} seconds" if seconds < 2 * _MINUTE else f"{seconds // _MINUTE + 1} minutes"
        )
        made = cls(
            "there were too many wrong passwords for this name, and it rests",
            todo=f"wait {wait}: until then no password is tried, also not the right one; "
            "or ask for a one-time link",
        )
        made.seconds = seconds
        return made


class NameError_(ConsentError):  # noqa: N801, N818  # the name of the built-in is taken
    """A name or a password cannot be used."""

    code = "name"
    default_kept = "no account was made"


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """An account.

    Attributes:
        id: Opaque.
        person: Whose own it is; empty for staff.
        label: The sign-in name; empty without one.
        password: Whether it has one.
        locked_until: Until when it rests; None when it does not.
        made: When it was made.
    """

    id: str
    person: str
    label: str
    password: bool
    locked_until: datetime | None
    made: datetime

    @property
    def actor(self) -> str:
        """The code that roles and the log of accesses know it by."""
        return actor_of(self.id)


def actor_of(account: str) -> str:
    """Return the code by which roles and the log of accesses know an account."""
    return account if ":" in account else f"account:{account}"


def digest(token: str) -> str:
    """Return what the database has of a token of 256 random bits."""
    return hashlib.sha256(token.encode()).hexdigest()


def folded(name: str) -> str:
    """Return a name as it is compared: PRECIS-like, without case and outer blanks."""
    return unicodedata.normalize("NFKC", name).strip().casefold()


class Accounts:
    """The accounts of one desk."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._store = desk.house.store
        self._hasher = PasswordHasher()
        self._turns = threading.BoundedSemaphore(_CHECKS)
        self._nobody = self._hasher.hash(secrets.token_urlsafe())

    # Making

    def count(self) -> int:
        """Return how many accounts there are."""
        with self._store.read() as conn:
            found = select(func.count()).select_from(accounts)
            return int(conn.execute(found).scalar_one())

    def create(
        self,
        roles: Sequence[Role],
        *,
        by: str,
        name: str = "",
        password: str = "",
        person: str = "",
    ) -> Account:
        """Make an account and give it its roles.

        Args:
            roles: What it may do.
            by: Code of who makes it; may give roles.
            name: Sign-in name; empty for one that is opened by a link.
            password: Its password, or empty.
            person: Whose own account it is.

        Raises:
            NameError_: The name is taken, or the password too short.
            AccessDeniedError: Whoever makes it may not.
        """
        made = new_id()
        stored = self._hashed(password, name) if name else ""
        values = {
            "id": made,
            "name": self._code(name) if name else None,
            "label": self._desk.secrets.seal(_NAME, made, name.strip().encode()),
            "password": stored,
            "person": person,
            "failures": 0,
            "state": "active",
            "made": self._store.clock.now(),
        }
        accesses = self._desk.house.custody.accesses
        for role in roles:
            accesses.give(actor_of(made), role, by=by, person=person if role in OWN else "")
        with self._store.begin() as conn:
            if name and self._named(conn, name) is not None:
                raise NameError_("this name is taken", todo="choose another one")
            conn.execute(insert(accounts).values(**values))
        return self.get(made)

    def first(self, name: str, password: str) -> Account:
        """Make the operator's account, if there is no account yet.

        Raises:
            NameError_: There is one, or the name or password cannot be used.
        """
        if self.count():
            raise NameError_("there is an operator already", todo="sign in, or ask a steward")
        given = (Role.STEWARD, Role.OPERATOR, Role.AUDITOR)
        return self.create(given, by=server_actor(), name=name, password=password)

    def person(self, account: str = "") -> str:
        """Make a person for somebody who came by themselves; return their code."""
        del account
        return self._desk.house.vault.create_person()

    def _code(self, name: str) -> str:
        return self._desk.secrets.code(_NAME, folded(name))

    def _hashed(self, password: str, name: str) -> str:
        """Return what is kept of a password.

        Raises:
            NameError_: It is too short, too long, or the name itself.
        """
        if not 1 <= len(folded(name)) <= _MOST_LETTERS or not folded(name).isprintable():
            raise NameError_("a name is needed, of at most 200 letters")
        if not LEAST_LETTERS <= len(password) <= _MOST_LETTERS:
            raise NameError_(f"a password has {LEAST_LETTERS} to {_MOST_LETTERS} letters")
        if folded(password) == folded(name):
            raise NameError_("the name is no password")
        with self._turns:
            return self._hasher.hash(unicodedata.normalize("NFC", password))

    # Finding

    def get(self, account: str) -> Account:
        """Return an account.

        Raises:
            StoreError: There is none.
        """
        with self._store.read() as conn:
            found = select(accounts).where(accounts.c.id == account, accounts.c.state == "active")
            row = conn.execute(found).first()
        if row is None:
            raise StoreError("there is no such account", kept="nothing was changed")
        return self._account(row)

    def listed(self) -> list[Account]:
        """Return all accounts, the newest first."""
        with self._store.read() as conn:
            found = select(accounts).where(accounts.c.state == "active")
            rows = conn.execute(found.order_by(accounts.c.id.desc()).limit(1000)).all()
        return [self._account(row) for row in rows]

    def _account(self, row: Row[Any]) -> Account:
        return Account(
            id=row.id,
            person=row.person,
            label=self._desk.secrets.open(_NAME, row.id, row.label).decode(),
            password=bool(row.password),
            locked_until=row.locked_until,
            made=row.made,
        )

    def _named(self, conn: Connection, name: str) -> Row[Any] | None:
        found = select(accounts).where(accounts.c.name == self._code(name))
        return conn.execute(found.where(accounts.c.state == "active")).first()

    # Passwords

    def check(self, name: str, password: str) -> Account | None:
        """Return the account of a name if the password is right; takes as long either way.

        Raises:
            LockedError: Too many wrong ones came before.
        """
        with self._store.read() as conn:
            row = self._named(conn, name)
        now = self._store.clock.now()
        if row is not None and row.locked_until is not None and row.locked_until > now:
            raise LockedError.until(row.locked_until - now)
        right = self._matches(row.password if row is not None else "", password)
        if row is None:
            return None
        self._note(row.id, right=right)
        return self._account(row) if right else None

    def _matches(self, kept: str, password: str) -> bool:
        given = unicodedata.normalize("NFC", password[: _MOST_LETTERS * 4])
        with self._turns:
            try:
                return self._hasher.verify(kept or self._nobody, given) and bool(kept)
            except (VerificationError, InvalidHashError):
                return False

    def _note(self, account: str, *, right: bool) -> None:
        with self._store.begin() as conn:
            mine = update(accounts).where(accounts.c.id == account)
            if right:
                conn.execute(mine.values(failures=0, locked_until=None))
                return
            conn.execute(mine.values(failures=accounts.c.failures + 1))
            found = select(accounts.c.failures).where(accounts.c.id == account)
            count = conn.execute(found).scalar_one() - _FREE_FAILURES
            if count >= 0:
                rest = min(timedelta(seconds=30 * 2 ** min(count, 12)), _LONGEST_LOCK)
                conn.execute(mine.values(locked_until=self._store.clock.now() + rest))

    def set_password(self, account: str, name: str, password: str) -> None:
        """Give an account a name and a password, or new ones; its other sessions end.

        Raises:
            NameError_: They cannot be used.
        """
        stored = self._hashed(password, name)
        with self._store.begin() as conn:
            row = self._named(conn, name)
            if row is not None and row.id != account:
                raise NameError_("this name is taken", todo="choose another one")
            values = {
                "name": self._code(name),
                "label": self._desk.secrets.seal(_NAME, account, name.strip().encode()),
                "password": stored,
                "failures": 0,
                "locked_until": None,
            }
            conn.execute(update(accounts).where(accounts.c.id == account).values(**values))
            conn.execute(delete(sessions).where(sessions.c.account == account))

    # Links

    def link(self, account: str, *, by: str) -> tuple[str, datetime]:
        """Make a one-time link for an account; return its token and until when it is good."""
        token = secrets.token_urlsafe(32)
        until = self._store.clock.now() + timedelta(days=self._desk.options.link_days)
        row = {"token": digest(token), "account": account, "made_by": by, "until": until}
        with self._store.begin() as conn:
            conn.execute(insert(links).values(**row))
        return token, until

    def linked(self, token: str) -> tuple[Account, datetime] | None:
        """Return whose link it is, without using it up; None when it is used, late or unknown."""
        with self._store.read() as conn:
            row = conn.execute(select(links).where(links.c.token == digest(token))).first()
        if row is None or row.used is not None or row.until <= self._store.clock.now():
            return None
        return self.get(row.account), row.until

    def use_link(self, token: str) -> Account | None:
        """Use a link up and return whose it is; once."""
        now = self._store.clock.now()
        with self._store.begin() as conn:
            mine = update(links).where(links.c.token == digest(token), links.c.used.is_(None))
            if conn.execute(mine.where(links.c.until > now).values(used=now)).rowcount != 1:
                return None
            found = select(links.c.account).where(links.c.token == digest(token))
            account = conn.execute(found).scalar_one()
        return self.get(account)

    # Elsewhere

    def of_subject(self, issuer: str, subject: str) -> Account:
        """Return the account of somebody who signed in elsewhere; a new person gets one."""
        code = self._desk.secrets.code("subject", issuer, subject)
        with self._store.read() as conn:
            known = conn.execute(select(subjects.c.account).where(subjects.c.code == code)).scalar()
        if known:
            return self.get(known)
        account = self.create((Role.PERSON,), by=server_actor(), person=self.person())
        with self._store.begin() as conn:
            row = {"code": code, "account": account.id, "made": self._store.clock.now()}
            conn.execute(insert(subjects).values(**row))
        return account

    @staticmethod
    def forget(conn: Connection, person: str) -> int:
        """Remove the accounts of a person who was erased, in the caller's transaction."""
        mine = select(accounts.c.id).where(accounts.c.person == person)
        for table in (passkeys, links, subjects, sessions):
            conn.execute(delete(table).where(table.c.account.in_(mine)))
        return conn.execute(delete(accounts).where(accounts.c.person == person)).rowcount
