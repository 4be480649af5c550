"""The shelf: objects encrypted under their person's key, and the rows that say where they lie.

An object is written first and recorded after, in a transaction of the caller's: an object without
a row is nobody's and is swept away; a row never stands for a half-written object. To remove one,
its row is marked as leaving in a transaction, then the object goes, then the row.
"""

import secrets
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import blake3
from sqlalchemy import Connection, Row, and_, delete, insert, or_, select, update

from safelight.errors import CorruptedError, ErasedError, StoreError
from safelight.store import Store
from safelight.store.faults import reach
from safelight.store.objects import MissingError
from safelight.store.schema.vault import objects
from safelight.vault.people import People
from safelight.vault.stream import bound, decrypt, encrypt

__all__ = ["KEPT", "UNTIL_DEIDENTIFIED", "Shelf", "Stored", "person_prefix"]

KEPT: Final = "kept"
UNTIL_DEIDENTIFIED: Final = "until-deidentified"
_SWEPT_AFTER: Final = timedelta(days=1)
_PURGED_AT_ONCE: Final = 1000
_MARKED_AT_ONCE: Final = 500


def person_prefix(person: str) -> str:
    """Return the prefix of all keys of one person's objects."""
    return f"p/{person}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """An object as it was written.

    Attributes:
        person: Whose it is.
        kind: What it is, such as ``original`` or ``deidentified``.
        object: Its id, unique for the person and kind.
        key: Where it lies in the object store.
        bytes: Length of the plain object.
        digest: BLAKE3 of the plain object, keyed with the person's key, hex: equal for equal
            objects of one person, and meaningless without the key.
    """

    person: str
    kind: str
    object: str
    key: str
    bytes: int
    digest: str

    @property
    def name(self) -> tuple[str, str, str]:
        """Person, kind and id."""
        return self.person, self.kind, self.object


class Shelf:
    """The encrypted objects of a vault."""

    def __init__(self, store: Store, people: People) -> None:
        self._store = store
        self._people = people

    def write(self, person: str, kind: str, name: str, chunks: Iterable[bytes]) -> Stored:
        """Encrypt and store an object that no row names yet; ``record`` or ``discard`` it.

        Args:
            person: Whose it is.
            kind: What it is: letters, digits and dashes.
            name: Its id.
            chunks: The plain bytes, read once.

        Raises:
            ErasedError: The person's data were erased.
            StoreError: It cannot be stored; nothing is left of it.
        """
        keys = self._people.keys(person)
        digest = blake3.blake3(key=keys.digest)
        size = 0

        def counted() -> Iterator[bytes]:
            nonlocal size
            for chunk in chunks:
                size += len(chunk)
                digest.update(chunk)
                yield chunk

        key = f"{person_prefix(person)}/{kind}/{name}-{secrets.token_hex(4)}"
        self._store.objects.put(key, encrypt(keys.objects, bound(person, kind, name), counted()))
        reach("vault.object.stored")
        return Stored(
            person=person, kind=kind, object=name, key=key, bytes=size, digest=digest.hexdigest()
        )

    def record(
        self,
        conn: Connection,
        stored: Sequence[Stored],
        *,
        keep: str = KEPT,
        keep_until: datetime | None = None,
    ) -> None:
        """Make written objects the ones of their names, in the caller's transaction.

        An object of that name that was there before is orphaned and swept away later.

        Raises:
            ErasedError: A person was erased meanwhile; ``discard`` the objects.
        """
        if not stored:
            return
        for person in {each.person for each in stored}:
            if self._people.state(person, conn) != "active":
                raise ErasedError("this person's data were erased")
        conn.execute(delete(objects).where(or_(*(_is(*each.name) for each in stored))))
        now = self._store.clock.now()
        rows = [
            {
                "person": each.person,
                "kind": each.kind,
                "object": each.object,
                "key": each.key,
                "bytes": each.bytes,
                "digest": each.digest,
                "state": "whole",
                "keep": keep,
                "keep_until": keep_until,
                "made": now,
            }
            for each in stored
        ]
        conn.execute(insert(objects), rows)

    def discard(self, stored: Stored) -> None:
        """Remove an object that was written and not recorded."""
        self._store.objects.delete(stored.key)

    def discard_all(self, person: str, kind: str, start: str) -> None:
        """Remove a person's objects of a kind whose id begins so and that no row names."""
        place = f"{person_prefix(person)}/{kind}"
        found = [key for key, _ in self._store.objects.list(place)]
        with self._store.read() as conn:
            known = set(
                conn.execute(select(objects.c.key).where(objects.c.person == person)).scalars()
            )
        for key in found:
            if key.startswith(f"{place}/{start}") and key not in known:
                self._store.objects.delete(key)
        self._store.objects.clear_leftovers(_SWEPT_AFTER, place)

    def row(
        self, person: str, kind: str, name: str, conn: Connection | None = None
    ) -> Row[Any] | None:
        """Return the row of an object; None when there is none, or when it is leaving."""
        found = select(objects).where(_is(person, kind, name), objects.c.state != "leaving")
        if conn is not None:
            return conn.execute(found).first()
        with self._store.read() as own:
            return own.execute(found).first()

    def get(self, person: str, kind: str, name: str) -> Iterator[bytes]:
        """Yield the plain bytes of an object, each piece checked; whole only once this ends.

        Raises:
            StoreError: There is no such object, or the storage cannot be reached.
            ErasedError: The person's data were erased.
            CorruptedError: It is not what was written; its row is marked, see ``corrupted``.
        """
        keys = self._people.keys(person)
        row = self.row(person, kind, name)
        if row is None:
            raise StoreError("there is no such object", kept="nothing was changed")
        try:
            sealed = self._store.objects.get(row.key)
            yield from decrypt(keys.objects, bound(person, kind, name), sealed)
        except MissingError:
            self._mark(row, "corrupted")
            raise CorruptedError("a stored object is no longer there") from None
        except CorruptedError:
            self._mark(row, "corrupted")
            raise
        if row.state == "corrupted":  # it was restored
            self._mark(row, "whole")

    def _mark(self, row: Row[Any], state: str) -> None:
        if row.state != state:
            with self._store.begin() as conn:
                change = update(objects).where(objects.c.key == row.key)
                conn.execute(change.where(objects.c.state == row.state).values(state=state))

    def corrupted(self) -> list[tuple[str, str, str]]:
        """Return (person, kind, object) of what is in quarantine because it is not whole."""
        found = select(objects.c.person, objects.c.kind, objects.c.object)
        with self._store.read() as conn:
            rows = conn.execute(found.where(objects.c.state == "corrupted")).all()
        return [(row.person, row.kind, row.object) for row in rows]

    def check(self) -> list[tuple[str, str, str]]:
        """Read every object there is, and return those that are corrupted."""
        with self._store.read() as conn:
            found = select(objects.c.person, objects.c.kind, objects.c.object)
            rows = conn.execute(found.where(objects.c.state != "leaving")).all()
        for row in rows:
            try:
                for _ in self.get(row.person, row.kind, row.object):
                    pass
            except (CorruptedError, ErasedError):
                continue
        return self.corrupted()

    def release(self, conn: Connection, person: str, kind: str, *names: str) -> None:
        """Mark objects as leaving, in the caller's transaction; ``purge`` removes them."""
        for start in range(0, len(names), _MARKED_AT_ONCE):
            some = names[start : start + _MARKED_AT_ONCE]
            theirs = and_(objects.c.person == person, objects.c.kind == kind)
            change = update(objects).where(theirs, objects.c.object.in_(some))
            conn.execute(change.values(state="leaving"))

    def kept_because(
        self, conn: Connection, person: str, kind: str, keep: str, names: Sequence[str]
    ) -> list[str]:
        """Return those of the named objects that are kept for this reason."""
        found: list[str] = []
        theirs = and_(objects.c.person == person, objects.c.kind == kind, objects.c.keep == keep)
        for start in range(0, len(names), _MARKED_AT_ONCE):
            some = objects.c.object.in_(names[start : start + _MARKED_AT_ONCE])
            found += conn.execute(select(objects.c.object).where(theirs, some)).scalars().all()
        return found

    def expire(self, conn: Connection, now: datetime) -> None:
        """Mark every object whose time is over as leaving, in the caller's transaction."""
        over = and_(objects.c.keep_until.is_not(None), objects.c.keep_until <= now)
        conn.execute(update(objects).where(over).values(state="leaving"))

    def purge(self) -> int:
        """Remove what is leaving; return how many objects went. May be repeated at will."""
        count = 0
        while keys := self.remove_leaving():
            with self._store.begin() as conn:
                self.forget(conn, keys)
            reach("vault.purge.row")
            count += len(keys)
        return count

    def remove_leaving(self) -> list[str]:
        """Remove objects that are leaving; return their keys, for ``forget`` in a transaction."""
        leaving = select(objects.c.key).where(objects.c.state == "leaving")
        with self._store.read() as conn:
            keys = list(conn.execute(leaving.limit(_PURGED_AT_ONCE)).scalars())
        for key in keys:
            self._store.objects.delete(key)
            reach("vault.purge.object")
        return keys

    def forget(self, conn: Connection, keys: Sequence[str]) -> None:
        """Remove the rows of objects that are gone, in the caller's transaction."""
        if keys:
            conn.execute(delete(objects).where(objects.c.key.in_(keys)))

    def sweep(self, older: timedelta = _SWEPT_AFTER) -> int:
        """Remove objects that no row names, left by a kill between writing and recording.

        Args:
            older: Only those written at least so long ago: younger ones may be in the making.
        """
        found = list(self._store.objects.stale("p", older))
        with self._store.read() as conn:
            known = set(conn.execute(select(objects.c.key)).scalars())
        orphans = [key for key in found if key not in known]
        for key in orphans:
            self._store.objects.delete(key)
        return len(orphans) + self._store.objects.clear_leftovers(older)

    def drop_person(self, person: str) -> int:
        """Remove every object of a person, recorded or not, then the rows."""
        count = 0
        for key, _ in list(self._store.objects.list(person_prefix(person))):
            self._store.objects.delete(key)
            reach("vault.erase.object")
            count += 1
        self._store.objects.clear_leftovers(timedelta(0), person_prefix(person))
        self._store.objects.remove_folders(person_prefix(person))
        with self._store.begin() as conn:
            conn.execute(delete(objects).where(objects.c.person == person))
        reach("vault.erase.rows")
        return count


def _is(person: str, kind: str, name: str) -> Any:
    return and_(objects.c.person == person, objects.c.kind == kind, objects.c.object == name)
