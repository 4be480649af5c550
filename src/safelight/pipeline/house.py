"""The app's memory, opened in one piece: store, vault, log, consent, and what joins them.

Whoever needs people, consent or the log opens a ``House``: it knows every class of artefacts that
the pipeline makes, and what removes each.
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final, Self

from sqlalchemy import Connection, select

from safelight.consent.custody import Custody
from safelight.consent.decision import Decision
from safelight.consent.removers import register
from safelight.errors import ConsentDeniedError, KeyFileError, MasterKeyError, StoreError
from safelight.feedback import (
    removers,  # noqa: F401  # what takes feedback back is registered
)
from safelight.learning import removal  # noqa: F401  # plugs in what takes contributions back
from safelight.pipeline import (
    parcels,  # noqa: F401  # what removes them is registered
)
from safelight.pipeline import submissions as rows
from safelight.store import Store
from safelight.store.failures import from_system
from safelight.store.faults import reach
from safelight.store.schema.consent import artefacts
from safelight.tlog import Log, Signer
from safelight.vault import MasterKey, Vault
from safelight.vault.keys import default_master_file
from safelight.vault.people import People

__all__ = ["House", "Keeper", "Places", "default_data_folder", "new_master"]


# What tells a data folder of ours, and what may lie in any new file system.
_OURS: Final = frozenset({"safelight.db", "objects", "locks", "log", "erased.list"})
_NOBODYS: Final = frozenset({"lost+found"})


def default_data_folder() -> str:
    """Return where the data lie unless told otherwise (XDG Base Directory)."""
    return os.path.join(os.path.dirname(default_master_file()), "data")


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Where the app's memory lies. Empty texts stand for the defaults.

    Attributes:
        data: Data folder: database, objects, lists, the log's copy.
        database: Address of the database; SQLite in the data folder by default.
        objects: Folder or ``s3://`` address of the objects; in the data folder by default.
        master_key: Where the master key comes from; see ``MasterKey.open``.
        log_key: File of the log's signing key; beside the default master key file.
    """

    data: str = ""
    database: str = ""
    objects: str = ""
    master_key: str = ""
    log_key: str = ""

    @property
    def folder(self) -> str:
        """The data folder, as an absolute path."""
        return os.path.abspath(self.data or default_data_folder())

    @property
    def log_key_file(self) -> str:
        """The file of the log's key."""
        if self.log_key:
            return self.log_key
        path = self.master_key.removeprefix("file:")
        has_file = path and ":" not in path
        return os.path.join(os.path.dirname(path if has_file else default_master_file()), "log.key")

    def store(self, *, make: bool = False) -> Store:
        """Open the store.

        Args:
            make: Make it when there is none; else nothing at all is made.

        Raises:
            StoreError: There is none, it cannot be made here, or it cannot be opened.
        """
        if make:
            self.check_free()
        url = self.database or f"sqlite:///{os.path.join(self.folder, 'safelight.db')}"
        objects = self.objects or os.path.join(self.folder, "objects")
        return Store.open(url, objects=objects, home=self.folder, make=make)

    def check_free(self) -> None:
        """Refuse to make a vault among files that are not a vault's.

        Raises:
            StoreError: The data folder holds something else.
        """
        try:
            names = set(os.listdir(self.folder))
        except FileNotFoundError:
            return
        except OSError as error:
            raise from_system(error, "the data folder") from None
        keys = {self.log_key_file, self.master_key.removeprefix("file:") or default_master_file()}
        mine = {os.path.basename(key) for key in keys if _parent(key) == self.folder}
        others = {name for name in names - mine - _NOBODYS if not name.startswith(".")}
        if others and not names & _OURS:
            raise StoreError(
                "the data folder holds something else than a vault",
                kept="nothing was made or changed",
                todo="choose a new or empty folder with --data",
            )

    def upgrade(self) -> tuple[str, str]:
        """Bring a database of an earlier version up to this one; return both revisions."""
        url = self.database or f"sqlite:///{os.path.join(self.folder, 'safelight.db')}"
        return Store.upgrade(url, home=self.folder)

    def exists(self) -> bool:
        """Tell whether there is a data folder."""
        return os.path.isdir(self.folder)

    def is_new(self) -> bool:
        """Tell whether there is no data folder yet, or one that holds nothing."""
        return not self.exists() or not os.listdir(self.folder)


def _parent(path: str) -> str:
    return os.path.dirname(os.path.abspath(path))


@contextmanager
def new_master(places: Places, target: str = "") -> Iterator[MasterKey]:
    """Give a new master key to rotate to; its file takes the old one's name when all went well.

    A rotation that was killed in between is finished here first.

    Args:
        places: Where the vault and its master key lie.
        target: Where the new key comes from; empty: a new file in place of the old one.

    Raises:
        MasterKeyError: The new key cannot be made or read, or the vault's key is no file.
    """
    if target:
        yield MasterKey.open(target)
        return
    path = places.master_key.removeprefix("file:") or default_master_file()
    if places.master_key.startswith(("env:", "keyring:", "command:")):
        raise MasterKeyError("the master key is no file", todo="say with --to where the new one is")
    old = MasterKey.open(path)
    coming = f"{path}.new"
    new = MasterKey.open(coming) if os.path.exists(coming) else MasterKey.create(coming)
    with places.store() as store, store.read() as conn:
        done = People.active_master(conn) == new.fingerprint
    if done:  # killed after the vault was locked anew and before the file had its name
        _exchange(path, coming, old.fingerprint)
        raise MasterKeyError(
            "a rotation that was interrupted is finished now",
            kept="the vault is locked with the new key, which lies in the key's file",
        )
    yield new
    _exchange(path, coming, old.fingerprint)


def _exchange(path: str, coming: str, fingerprint: str) -> None:
    kept = f"{path}.{fingerprint}.old"
    if not os.path.exists(kept):
        os.link(path, kept)
    reach("rotate.kept")
    os.replace(coming, path)


class House:
    """Everything that is remembered.

    Attributes:
        store: Database and objects.
        vault: Keys, people, objects.
        custody: Policies, consent, lineage, disclosures, accesses, withdrawals, the log.
    """

    def __init__(self, store: Store, master: MasterKey, signer: Signer) -> None:
        self.store: Final = store
        self.vault: Final = Vault(store, master)
        self.custody: Final = Custody(self.vault, Log(store, signer))
        self.witness: Final = Keeper(self.custody)

    @classmethod
    def create(cls, places: Places) -> Self:
        """Make a new house: a master key unless one is there, a log key, an empty store.

        Raises:
            MasterKeyError: There is a key that cannot be used.
            StoreError: The store cannot be made, or something else lies there.
        """
        places.check_free()  # before a key is made for it
        path = places.master_key.removeprefix("file:") or default_master_file()
        if places.master_key.startswith("keyring:"):
            try:
                master = MasterKey.open(places.master_key)
            except MasterKeyError:
                master = MasterKey.create_in_keyring(places.master_key.removeprefix("keyring:"))
        elif places.master_key.startswith(("env:", "command:")) or os.path.exists(path):
            master = MasterKey.open(places.master_key)
        else:
            master = MasterKey.create(path)
        signer = Signer.load_or_create(places.log_key_file)
        made = cls._in(places.store(make=True), master, signer)
        try:
            made.custody.log.bind()
        except BaseException:
            made.close()
            raise
        return made

    @classmethod
    def open(cls, places: Places) -> Self:
        """Open a house that was made before.

        Raises:
            StoreError: There is none.
            MasterKeyError: The key is missing, or another one's.
            KeyFileError: The log's key is missing.
        """
        if not places.exists():
            raise StoreError(
                "there is no vault yet", kept="nothing was made", todo="run safelight init first"
            )
        master = MasterKey.open(places.master_key)
        if not os.path.exists(places.log_key_file):
            raise KeyFileError(
                "the log's signing key is missing", todo="restore it, or give its path"
            )
        return cls._in(places.store(), master, Signer.load(places.log_key_file))

    @classmethod
    def _in(cls, store: Store, master: MasterKey, signer: Signer) -> Self:
        try:
            return cls(store, master, signer)
        except BaseException:
            store.close()
            raise

    def close(self) -> None:
        """Close the store."""
        self.store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Keeper:
    """Joins submissions to consent, lineage and the log, inside their transactions.

    Args:
        custody: Everything about consent in one store.
    """

    def __init__(self, custody: Custody) -> None:
        self._custody = custody
        self._vault = custody.vault

    def allowed(self, conn: Connection, person: str, use: tuple[str, str]) -> Decision:
        """Ask for consent, at the start and in the transaction that keeps a result.

        Raises:
            ConsentDeniedError: The person does not, or no longer, agree.
        """
        purpose, policy = use
        if not purpose:
            raise ConsentDeniedError("the submission names no purpose")
        return self._custody.consents.require(conn, person, purpose, policy)

    def received(
        self, conn: Connection, person: str, submission: str, names: Sequence[str]
    ) -> None:
        """Record a submission and its originals, asking for consent; commit to it in the log."""
        yes = self.allowed(conn, person, rows.use_of(conn, submission))
        whole = self._record(conn, person, "submission", submission, yes=yes)
        for name in names:
            self._record(conn, person, "original", name, whole, yes=yes)
        self._commit(conn, person, submission, "received", len(names))

    def deidentified(
        self, conn: Connection, person: str, submission: str, names: Sequence[str]
    ) -> None:
        """Record de-identified objects, each made from its original; consent is asked again."""
        yes = self.allowed(conn, person, rows.use_of(conn, submission))
        for name in names:
            parent = self._artefact(conn, person, "original", name)
            self._record(conn, person, "deidentified", name, *parent, yes=yes)

    def finished(
        self, conn: Connection, person: str, submission: str, dropped: Sequence[str]
    ) -> None:
        """Note that originals went, and commit to the end in the log."""
        for name in dropped:
            self._custody.lineage.removed(conn, person, "original", name)
        self._commit(conn, person, submission, "cleaned", len(dropped))

    def _record(  # one artefact, by name
        self,
        conn: Connection,
        person: str,
        kind: str,
        name: str,
        *parents: str,
        yes: Decision,
    ) -> str:
        return self._custody.lineage.record(
            conn,
            person=person,
            kind=kind,
            name=name,
            purpose=yes.purpose,
            policy=yes.policy,
            parents=parents,
            decision=yes,
        )

    @staticmethod
    def _artefact(conn: Connection, person: str, kind: str, name: str) -> list[str]:
        mine = (artefacts.c.person == person, artefacts.c.kind == kind, artefacts.c.object == name)
        found = select(artefacts.c.id).where(*mine, artefacts.c.removed_at.is_(None))
        return list(conn.execute(found).scalars())

    def _commit(
        self, conn: Connection, person: str, submission: str, what: str, count: int
    ) -> None:
        purpose, policy = rows.use_of(conn, submission)
        fields = {"submission": submission, "purpose": purpose, "policy": policy, "files": count}
        salt = self._vault.salt(person, conn)
        leaf = self._custody.log.commit_to(conn, f"submission.{what}", fields, salt)
        sealed = self._vault.seal_small(person, "leaf", submission, leaf.to_bytes(), conn)
        rows.note(conn, submission, **{what: sealed})


class SubmissionRows:
    """Removes what the database says of a submission: labels, manifests, counts."""

    needs_key = False

    def __init__(self, vault: Vault) -> None:
        self._store = vault.store

    def remove(self, person: str, name: str) -> str:  # noqa: ARG002  # given by the contract
        """Remove the rows of a submission."""
        with self._store.begin() as conn:
            rows.drop(conn, name)
        return ""


register("submission", SubmissionRows)
