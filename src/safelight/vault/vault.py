"""The vault as the rooms above see it."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta
from typing import Final

from sqlalchemy import Connection, select

from safelight.errors import StoreError
from safelight.store import Store
from safelight.store.faults import reach
from safelight.store.schema.vault import objects, people
from safelight.vault.erased import ErasedList
from safelight.vault.identity import SHARES, recognise
from safelight.vault.keys import MasterKey
from safelight.vault.mirrors import Mirrors
from safelight.vault.objects import Shelf, Stored
from safelight.vault.people import People, PersonId, share_key
from safelight.vault.stream import bound, open_box, seal_box

__all__ = ["Vault"]

ORIGINAL: Final = "original"
_AT_ONCE: Final = 500


class Vault:
    """People, their keys, and what is kept encrypted for them.

    Opening one finishes what an earlier process was killed in: erasures that had begun, erasures
    that a restored backup undid, removals.

    Args:
        store: An open store.
        master: The master key; the first one ever given becomes the vault's.

    Attributes:
        people: The people, for listing and finding by code.
        erased: The list of the erased.
        mirrors: The places backups lie in, which erasures reach.

    Raises:
        MasterKeyError: The vault was locked with another master key. Nothing was changed.
        StoreError: Database and objects are not of one vault. Nothing was changed.
    """

    def __init__(self, store: Store, master: MasterKey) -> None:
        self.store: Final = store
        known = recognise(store)
        self.people: Final = People(store, master)
        if not known:
            recognise(store)
        self.erased: Final = ErasedList(store, master.path)
        self.mirrors: Final = Mirrors(store)
        self.shelf: Final = Shelf(store, self.people)
        self.resume()

    def resume(self) -> None:
        """Finish erasures and removals that did not come to their end."""
        listed = sorted(self.erased.spread())
        for start in range(0, len(listed), _AT_ONCE):
            some = listed[start : start + _AT_ONCE]
            with self.store.read() as conn:
                alive = select(people.c.id).where(people.c.id.in_(some))
                left = select(objects.c.person).where(objects.c.person.in_(some))
                found = set(conn.execute(alive.where(people.c.state == "active")).scalars())
                found.update(conn.execute(left).scalars())
            for person in sorted(found):
                self.destroy_key(person)
        self.mirrors.erase(listed)
        self.shelf.purge()

    def create_person(self, conn: Connection | None = None, *, code: str = "") -> PersonId:
        """Make a person with a new data key; see ``People.create``."""
        return self.people.create(conn, code=code)

    def person_exists_or_erased(self, person: str, conn: Connection | None = None) -> str:
        """Return ``active``, ``erased``, or an empty text for one that never was."""
        return self.people.state(person, conn)

    def put(self, person: str, kind: str, object_id: str, chunks: Iterable[bytes]) -> Stored:
        """Store an object and record it.

        Raises:
            ErasedError: The person's data were erased.
            StoreError: It cannot be stored.
            ValueError: ``kind`` is ``original``: those go through ``vault.originals``.
        """
        stored = self.write(person, kind, object_id, chunks)
        try:
            with self.store.begin() as conn:
                self.record(conn, [stored])
        except BaseException:
            self.discard(stored)
            raise
        return stored

    def write(self, person: str, kind: str, object_id: str, chunks: Iterable[bytes]) -> Stored:
        """Store an object without recording it; see ``Shelf.write``."""
        return self.shelf.write(person, _derived(kind), object_id, chunks)

    def record(self, conn: Connection, stored: Sequence[Stored]) -> None:
        """Record written objects in the caller's transaction; see ``Shelf.record``."""
        for each in stored:
            _derived(each.kind)
        self.shelf.record(conn, stored)

    def discard(self, stored: Stored) -> None:
        """Remove an object that was written and not recorded."""
        self.shelf.discard(stored)

    def get(self, person: str, kind: str, object_id: str) -> Iterator[bytes]:
        """Yield the plain bytes of an object; see ``Shelf.get``."""
        return self.shelf.get(person, _derived(kind), object_id)

    def delete(self, person: str, kind: str, object_id: str) -> None:
        """Remove an object; it is no error when there is none."""
        with self.store.begin() as conn:
            self.shelf.release(conn, person, kind, object_id)
        reach("vault.delete.marked")
        self.shelf.purge()

    def salt(self, person: str, conn: Connection | None = None) -> bytes:
        """Return the 32 bytes that salt a person's log commitments; they die with the key."""
        return self.people.keys(person, conn).salt

    def digest_key(self, person: str, conn: Connection | None = None) -> bytes:
        """Return the 32 bytes that key digests of a person's own; they die with the key."""
        return self.people.keys(person, conn).digest

    def seal_small(
        self, person: str, kind: str, name: str, data: bytes, conn: Connection | None = None
    ) -> bytes:
        """Return a small value encrypted for a column: 28 bytes longer, bound to its place."""
        return seal_box(self.people.keys(person, conn).small, bound(person, kind, name), data)

    def open_small(
        self, person: str, kind: str, name: str, sealed: bytes, conn: Connection | None = None
    ) -> bytes:
        """Return what ``seal_small`` encrypted.

        Raises:
            CorruptedError: It was altered, or stands in another place.
            ErasedError: The person's data were erased.
        """
        keys = self.people.keys(person, conn)
        return open_box(keys.small, bound(person, kind, name), sealed)

    def destroy_key(self, person: str) -> list[str]:
        """Erase a person: the key first, then every object. May be repeated at will.

        Returns:
            Backups that could not be reached: places, for the receipt. They are tried again
            whenever the vault is opened or a backup is made.

        Raises:
            StoreError: A step cannot be done now; do it again.
        """
        self.erased.add(person)
        reach("vault.erase.listed")
        self.store.objects.delete(share_key(person))
        reach("vault.erase.share")
        with self.store.begin() as conn:
            self.people.forget(conn, person)
        reach("vault.erase.key")
        self.shelf.drop_person(person)
        missed = self.mirrors.erase([person])
        reach("vault.erase.mirrors")
        return missed

    def rotate(self, new: MasterKey) -> int:
        """Lock the vault with a new master key: data keys are wrapped anew, no object is touched.

        Returns:
            How many data keys were wrapped anew.
        """
        return self.people.rotate(new)

    def sweep(self, older: timedelta = timedelta(days=1)) -> int:
        """Remove what no row names: ciphertext and shares left by kills or by a restore.

        Raises:
            StoreError: The database knows nobody while shares are there; nothing was removed.
        """
        self._check_somebody()
        erased = self.erased.all()
        for person in sorted(erased):
            self.store.objects.delete(share_key(person))
            self.shelf.drop_person(person)
        with self.store.read() as conn:
            known = set(conn.execute(select(people.c.id)).scalars())
        stale = [
            key
            for key in self.store.objects.stale(SHARES, older)
            if key.removeprefix(f"{SHARES}/") not in known
        ]
        for key in stale:
            self.store.objects.delete(key)
        return len(stale) + self.shelf.sweep(older)

    def _check_somebody(self) -> None:
        """Refuse to sweep by a database that knows nobody: it may not be the right one.

        Raises:
            StoreError: It knows nobody, and there are shares.
        """
        lying = next(iter(self.store.objects.list(SHARES)), None)
        with self.store.read() as conn:
            if lying is None or conn.execute(select(people.c.id).limit(1)).first():
                return
        raise StoreError(
            "the database knows nobody, while key shares of people lie among the objects",
            kept="nothing was removed",
            todo="put the right database back, or give its address; in a vault that never held"
            " anybody, a share is left of a stopped command: it goes once somebody was added",
        )

    def __repr__(self) -> str:
        return f"Vault(<{self.store.dialect}>)"


def _derived(kind: str) -> str:
    """Return a kind that is not an original's.

    Raises:
        ValueError: It is.
    """
    if kind == ORIGINAL:
        raise ValueError("originals go through vault.originals")
    return kind
