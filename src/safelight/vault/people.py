"""People: an opaque id and a data key each, in two halves that lie in two places.

The data key is wrapped (AES-256-GCM) under the master key *and* the person's share: 32 random bytes
that lie in the object store, in the clear and in no backup of the data. Neither the database with
its WAL, dead rows and dumps, nor the objects, give the key away without the share; to erase a
person is to destroy the share, and the wrapped key besides.
"""

import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, NewType

from sqlalchemy import Connection, Row, Select, bindparam, delete, insert, select, update

from safelight.errors import CorruptedError, ErasedError, MasterKeyError, StoreError
from safelight.store import Store
from safelight.store.faults import reach
from safelight.store.ids import new_id
from safelight.store.objects import MissingError
from safelight.store.schema.vault import masters, people
from safelight.vault.keys import MasterKey
from safelight.vault.stream import bound, derive, open_box, seal_box

__all__ = ["ROOM", "People", "PersonId", "PersonKeys", "share_key"]

PersonId = NewType("PersonId", str)
# A code that begins so belongs to a key of a room's own: nobody's, and in no list of people. It
# lives and dies like a person's.
ROOM: Final = "room/"
_BYTES: Final = 32
# Built once: every object and every sealed value asks for them.
_STATE: Final = select(people.c.state).where(people.c.id == bindparam("wanted"))
_KEY: Final = select(people.c.state, people.c.wrapped, people.c.master).where(
    people.c.id == bindparam("wanted")
)
_WARM_SECONDS: Final = 5.0  # that a data key stays in memory


def share_key(person: str) -> str:
    """Return where a person's share lies in the object store."""
    return f"shares/{person}"


@dataclass(frozen=True, slots=True, repr=False)
class PersonKeys:
    """What one person's data key gives, for as long as one call needs it."""

    objects: bytes
    small: bytes
    digest: bytes
    salt: bytes

    @classmethod
    def of(cls, key: bytes) -> "PersonKeys":
        """Derive every use's own key."""
        uses = ("person-objects", "person-small", "person-digest", "person-salt")
        return cls(*(derive(key, use) for use in uses))

    def __repr__(self) -> str:
        return "PersonKeys(<hidden>)"


class People:
    """The people of a vault.

    Args:
        store: An open store.
        master: Its master key; the first one ever given becomes the vault's.

    Raises:
        MasterKeyError: The vault was locked with another master key.
    """

    def __init__(self, store: Store, master: MasterKey) -> None:
        self._store = store
        self._master = master
        self._lock = threading.Lock()
        self._warm: OrderedDict[str, tuple[bytes, PersonKeys, float]] = OrderedDict()
        with store.read() as conn:
            active = self.active_master(conn)
        if not active:
            with store.begin() as conn:
                active = self.active_master(conn)
                if not active:
                    self._add_master(conn, master)
                    active = master.fingerprint
        if active != master.fingerprint:
            raise MasterKeyError(
                f"this is not the master key of this vault (it has {active},"
                f" this one is {master.fingerprint})",
                todo="give the key that the vault was made with, or last rotated to",
            )

    @property
    def fingerprint(self) -> str:
        """Fingerprint of the master key that this vault is opened with."""
        return self._master.fingerprint

    @staticmethod
    def active_master(conn: Connection) -> str:
        """Return the fingerprint of the key that locks the vault; empty before the first."""
        found = select(masters.c.fingerprint).where(masters.c.active == "yes")
        return conn.execute(found).scalar() or ""

    def _add_master(self, conn: Connection, master: MasterKey) -> None:
        conn.execute(update(masters).values(active=None))
        known = select(masters.c.fingerprint).where(masters.c.fingerprint == master.fingerprint)
        if conn.execute(known).first():
            again = update(masters).where(masters.c.fingerprint == master.fingerprint)
            conn.execute(again.values(active="yes"))
        else:
            row = {"fingerprint": master.fingerprint, "active": "yes"}
            conn.execute(insert(masters).values(**row, made=self._store.clock.now()))

    def create(self, conn: Connection | None = None, *, code: str = "") -> PersonId:
        """Make a person with a new data key.

        Args:
            conn: A write transaction; without one, one is made.
            code: Keyed pseudonym that finds the person again; never an identifier in clear.

        Raises:
            StoreError: It cannot be stored, or there is a person of this code.
        """
        person = PersonId(new_id())
        share = secrets.token_bytes(_BYTES)
        self._store.objects.put(share_key(person), [share])
        values = {
            "id": person,
            "code": code or None,
            "state": "active",
            "wrapped": self._wrap(person, share, secrets.token_bytes(_BYTES)),
            "master": self._master.fingerprint,
        }
        try:
            reach("vault.person.share")
            if conn is not None:
                self._insert(conn, values)
            else:
                with self._store.begin() as own:
                    self._insert(own, values)
        except BaseException:
            self._store.objects.delete(share_key(person))
            raise
        return person

    def _insert(self, conn: Connection, values: Mapping[str, object]) -> None:
        self._check_master(conn)
        conn.execute(insert(people).values(**values, made=self._store.clock.now()))

    def find(self, code: str, conn: Connection | None = None) -> PersonId | None:
        """Return the person of a keyed code.

        Raises:
            ErasedError: That person's data were erased.
        """
        found = select(people.c.id, people.c.state).where(people.c.code == code)
        row = self._row(found, conn)
        if row is None:
            return None
        if row.state != "active":
            raise _erased()
        return PersonId(row.id)

    def state(self, person: str, conn: Connection | None = None) -> str:
        """Return ``active``, ``erased``, or an empty text for one that never was."""
        row = self._row(_STATE, conn, wanted=person)
        return "" if row is None else str(row.state)

    def listed(self, conn: Connection, state: str = "active") -> Iterator[PersonId]:
        """Yield the ids of people in a state, oldest first."""
        nobody = people.c.code.is_not(None) & people.c.code.startswith(ROOM)
        found = select(people.c.id).where(people.c.state == state, ~nobody)
        for row in conn.execute(found.order_by(people.c.id)):
            yield PersonId(row.id)

    def _row(
        self, statement: Select[Any], conn: Connection | None, **values: str
    ) -> Row[Any] | None:
        if conn is not None:
            return conn.execute(statement, values).first()
        with self._store.read() as own:
            return own.execute(statement, values).first()

    def keys(self, person: str, conn: Connection | None = None) -> PersonKeys:
        """Return a person's keys; hold them no longer than a call.

        Raises:
            ErasedError: The person's data were erased.
            StoreError: There is no such person.
            CorruptedError: The wrapped key or the share was altered.
        """
        row = self._row(_KEY, conn, wanted=person)
        if row is None:
            raise StoreError("there is no such person", todo="check the id with safelight people")
        if row.state != "active":
            self.cool()
            raise _erased()
        if row.master != self._master.fingerprint:
            raise _rotated()
        return self._opened(person, row.wrapped)

    def _opened(self, person: str, wrapped: bytes) -> PersonKeys:
        """Return the keys behind a wrapped key, kept for a few seconds of work on one person.

        Whether the person is still there was read from the database a moment ago, each time.
        """
        with self._lock:
            now = time.monotonic()
            while self._warm:  # the oldest stand first: no more are looked at than go
                oldest = next(iter(self._warm))
                if self._warm[oldest][2] >= now:
                    break
                del self._warm[oldest]
            found = self._warm.get(person)
        if found is not None and found[0] == wrapped:
            return found[1]
        keys = PersonKeys.of(open_box(self._outer(self._share(person)), _bind(person), wrapped))
        with self._lock:
            self._warm[person] = (wrapped, keys, now + _WARM_SECONDS)
            self._warm.move_to_end(person)
        return keys

    def cool(self) -> None:
        """Forget every key that is held in memory."""
        with self._lock:
            self._warm.clear()

    def _share(self, person: str) -> bytes:
        try:
            share = b"".join(self._store.objects.get(share_key(person)))
        except MissingError:
            raise CorruptedError(
                "a person's key share is not there",
                kept="the encrypted objects are untouched",
                todo="restore the shares from a backup; without it nothing can be read",
            ) from None
        if len(share) != _BYTES:
            raise CorruptedError("a person's key share is damaged", todo="restore it from a backup")
        return share

    def _outer(self, share: bytes, master: MasterKey | None = None) -> bytes:
        return derive((master or self._master).wrapping(), "wrap", salt=share)

    def _wrap(
        self, person: str, share: bytes, key: bytes, master: MasterKey | None = None
    ) -> bytes:
        return seal_box(self._outer(share, master), _bind(person), key)

    def _again(self, row: Row[Any, Any], new: MasterKey) -> bytes:
        """Return a wrapped key, wrapped with another master key instead."""
        share = self._share(row.id)
        key = open_box(self._outer(share), _bind(row.id), row.wrapped)
        return self._wrap(row.id, share, key, new)

    def _check_master(self, conn: Connection) -> None:
        if self.active_master(conn) != self._master.fingerprint:
            raise _rotated()

    def withdraw_unused(self, conn: Connection, person: str) -> None:
        """Remove a person for whom nothing was ever kept; the share goes when ``sweep`` runs."""
        conn.execute(delete(people).where(people.c.id == person))

    def forget(self, conn: Connection, person: str) -> None:
        """Turn a person into a tombstone: the wrapped key goes, the id and the code stay."""
        self.cool()
        row = self._row(select(people.c.state).where(people.c.id == person), conn)
        now = self._store.clock.now()
        if row is None:
            gone = {"id": person, "state": "erased", "made": now, "erased": now}
            conn.execute(insert(people).values(**gone))
        else:
            change = update(people).where(people.c.id == person, people.c.state == "active")
            conn.execute(change.values(state="erased", wrapped=None, master=None, erased=now))

    def rotate(self, new: MasterKey) -> int:
        """Wrap every data key anew, in one transaction; no object is touched.

        Returns:
            How many people's keys were wrapped anew.

        Raises:
            CorruptedError: A wrapped key or a share is damaged; nothing was changed then.
        """
        count = 0
        found = select(people.c.id, people.c.wrapped).where(people.c.state == "active")
        with self._store.read() as conn:
            ready = {row.id: (row.wrapped, self._again(row, new)) for row in conn.execute(found)}
        with self._store.begin() as conn:
            self._check_master(conn)
            self._add_master(conn, new)
            for row in conn.execute(found).all():
                before, wrapped = ready.get(row.id, (b"", b""))
                if before != row.wrapped:  # made since
                    wrapped = self._again(row, new)
                change = update(people).where(people.c.id == row.id)
                conn.execute(change.values(wrapped=wrapped, master=new.fingerprint))
                count += 1
            reach("vault.rotate.wrapped")
        reach("vault.rotate.kept")
        self._master = new
        self.cool()
        return count


def _bind(person: str) -> bytes:
    return bound("data-key", person)


def _rotated() -> MasterKeyError:
    return MasterKeyError(
        "the master key was rotated by another process", todo="start again with the new key"
    )


def _erased() -> ErasedError:
    return ErasedError("this person's data were erased")
