"""Backups that cannot bring an erased person back.

A backup folder holds any number of snapshots of the database, each a portable dump of rows that
either database takes; the objects, as ciphertext, once for all snapshots; and one current copy of
the key shares. The data key of a person is wrapped under the master key and their share, so a
snapshot, however old and wherever copied, is unreadable without the shares of today. The master
key is in no backup: keep it elsewhere.

Layout: ``safelight-backup`` (what this folder is), ``snapshots/<moment>/<table>.jsonl`` and
``complete``, ``objects/…``, ``shares/<person>``, ``erased.list``, ``home/…`` (the log's own copy,
the lists of withdrawals and of backup folders).
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from sqlalchemy import select

from safelight.errors import MasterKeyError, SettingsError, StoreError
from safelight.store import Store
from safelight.store.failures import from_system
from safelight.store.faults import reach
from safelight.store.schema import REVISION, metadata
from safelight.store.schema.vault import masters, objects, people
from safelight.vault.dump import dump, load, path_of, rows_in
from safelight.vault.erased import NAME as ERASED
from safelight.vault.erased import ErasedList, read_lines
from safelight.vault.identity import mark
from safelight.vault.keys import MasterKey
from safelight.vault.mirrors import LIST as FOLDERS
from safelight.vault.mirrors import MARK, Mirrors, folders_in
from safelight.vault.people import share_key
from safelight.vault.vault import ORIGINAL, Vault

__all__ = ["Backup", "back_up", "check_snapshot", "place_of", "restore", "snapshots"]

_SNAPSHOTS: Final = "snapshots"
_COMPLETE: Final = "complete"
_CHUNK: Final = 1 << 20
_HOME: Final = "home"
_HOME_KEPT: Final = ("log", "withdrawn.list", FOLDERS)  # of the data folder, besides the database


@dataclass(frozen=True, slots=True, kw_only=True)
class Backup:
    """What one backup or restore did.

    Attributes:
        snapshot: Name of the snapshot: its moment, ``20261103T040506.000789Z``.
        rows: Rows of all tables.
        copied: Objects that were copied.
        unreachable: Other backup folders that could not be brought up to date.
        missing: After a restore, what the snapshot names and the backup does not hold whole:
            ``share of PERSON``, ``object KEY``.
        left_out: After a restore of an older snapshot, originals that were deleted since.
    """

    snapshot: str
    rows: int
    copied: int
    unreachable: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    left_out: int = 0


def back_up(vault: Vault, folder: str) -> Backup:
    """Write a snapshot of everything but the master key into a backup folder.

    Args:
        vault: An open vault.
        folder: A new or empty folder, or one of earlier backups.

    Raises:
        SettingsError: The folder holds something else, or lies in the data folder.
        StoreError: It cannot be written; an incomplete snapshot is never restored.
    """
    folder = os.path.abspath(folder)
    store = vault.store
    _check_target(folder, store.home)
    try:
        _mark(folder)
        vault.mirrors.add(folder)  # from here on, erasures reach it
        missed = vault.mirrors.erase(sorted(vault.erased.all()))
        reach("backup.begun")
        with store.read() as conn:
            name = f"{store.clock.now():%Y%m%dT%H%M%S.%fZ}"
            place = place_of(folder, name)
            os.makedirs(place, mode=0o700)
            rows = sum(dump(conn, table, place) for table in metadata.sorted_tables)
            reach("backup.dumped")
            copied = _copy_objects(store, folder)
            _copy_home(store.home, folder)
        reach("backup.copied")
        _write(os.path.join(place, _COMPLETE), REVISION.encode() + b"\n")
        _prune(store, folder)
    except OSError as error:
        raise from_system(error, "the backup") from None
    # Whoever was erased while it was being copied is erased in it as well.
    missed = vault.mirrors.erase(sorted(vault.erased.all())) or missed
    return Backup(snapshot=name, rows=rows, copied=copied, unreachable=tuple(missed))


def snapshots(folder: str) -> list[str]:
    """Return the names of the complete snapshots in a backup folder, oldest first."""
    place = os.path.join(folder, _SNAPSHOTS)
    try:
        names = sorted(os.listdir(place))
    except FileNotFoundError:
        return []
    except OSError as error:
        raise from_system(error, "the backup") from None
    return [name for name in names if os.path.isfile(os.path.join(place, name, _COMPLETE))]


def place_of(folder: str, name: str) -> str:
    """Return the folder of a snapshot."""
    return os.path.join(folder, _SNAPSHOTS, name)


def check_snapshot(folder: str, *, snapshot: str = "", master: MasterKey | None = None) -> str:
    """Look at a snapshot before anything is written; return its name.

    Args:
        folder: The backup folder.
        snapshot: Name of a snapshot; empty for the newest.
        master: The master key it is to be opened with; None: not looked at.

    Raises:
        SettingsError: There is no such snapshot, or it is of another version.
        StoreError: A part of it is missing, or cannot be read.
        MasterKeyError: It was locked with another key.
    """
    names = snapshots(folder)
    if not names or (snapshot and snapshot not in names):
        raise SettingsError(
            "there is no such complete snapshot", todo=f"choose of: {', '.join(names) or 'none'}"
        )
    name = snapshot or names[-1]
    place = place_of(folder, name)
    try:
        with open(os.path.join(place, _COMPLETE), "rb") as file:
            if file.read().strip().decode() != REVISION:
                raise SettingsError("the snapshot is of another version of Safelight")
        for table in metadata.sorted_tables:
            if not os.path.isfile(path_of(table, place)):
                raise _damaged(f"the snapshot lacks its file {table.name}.jsonl", name)
        if master:
            active = [row["fingerprint"] for row in rows_in(masters, place) if row["active"]]
            if active and active != [master.fingerprint]:
                raise MasterKeyError(
                    f"this is not the master key of the snapshot (it has {active[0]},"
                    f" this one is {master.fingerprint})",
                    kept="nothing was written",
                    todo="give that key, or choose a snapshot that was made with this one",
                )
    except OSError as error:
        raise from_system(error, "the backup") from None
    except ValueError:
        raise _damaged("the snapshot cannot be read", name) from None
    return name


def _damaged(what: str, name: str, kept: str = "nothing was written") -> StoreError:
    return StoreError(
        what,
        place=name,
        kept=kept,
        todo="choose another one with --snapshot, or take another copy of the backup folder",
    )


def restore(
    folder: str, store: Store, *, snapshot: str = "", master: MasterKey | None = None
) -> Backup:
    """Put a snapshot into an empty store; open a vault on it afterwards, with its master key.

    The people who were erased since, here or anywhere the list of the erased reaches, are erased
    when the vault is opened; they have no share in the backup any more. The folder, and those that
    the vault had backups in, are remembered: erasures reach them, or tell that they do not.

    Args:
        folder: The backup folder.
        store: A store that holds nothing.
        snapshot: Name of a snapshot; empty for the newest.
        master: As for ``check_snapshot``.

    Returns:
        What was done, and what the backup did not hold.

    Raises:
        SettingsError: There is no such snapshot, or it is of another version.
        MasterKeyError: It was locked with another key.
        StoreError: The store is not empty, or cannot be written; a part of the snapshot is missing.
    """
    name = check_snapshot(folder, snapshot=snapshot, master=master)
    place = place_of(folder, name)
    _check_empty(store)
    try:
        copied = _return_objects(folder, store)
        reach("restore.objects")
        _know_backups(folder, store)  # before anybody's data are back
        _copy_home(os.path.join(folder, _HOME), store.home, back=True)
        for person in read_lines(os.path.join(folder, ERASED)):
            ErasedList(store).add(person)
        with store.begin() as conn:
            rows = sum(load(conn, table, place) for table in metadata.sorted_tables)
            store.clock.learn(conn)  # which may be later than this machine's
            reach("restore.loading")
        reach("restore.loaded")
        mark(store)
        missing, left_out = _compare(store, newest=name == snapshots(folder)[-1])
    except OSError as error:
        raise from_system(error, "the restored data") from None
    except ValueError:
        raise _damaged(
            "a file of the snapshot is damaged", name, "no row was restored; objects were"
        ) from None
    return Backup(snapshot=name, rows=rows, copied=copied, missing=missing, left_out=left_out)


def _compare(store: Store, *, newest: bool) -> tuple[tuple[str, ...], int]:
    """Return what rows name and is not there whole, and how many originals left an old snapshot.

    Whoever was erased since has no share and no objects any more, and misses nothing.
    """
    erased = ErasedList(store).all()
    there = dict(store.objects.list())
    missing: list[str] = []
    left_out = 0
    with store.read() as conn:
        active = select(people.c.id).where(people.c.state == "active").order_by(people.c.id)
        missing += [
            f"share of {person}"
            for person in conn.execute(active).scalars()
            if person not in erased and not there.get(share_key(person))
        ]
        found = select(objects.c.person, objects.c.kind, objects.c.key, objects.c.bytes)
        found = found.where(objects.c.state == "whole").order_by(objects.c.key)
        for row in conn.execute(found):
            if row.person in erased or there.get(row.key, -1) >= row.bytes:
                continue
            if row.kind == ORIGINAL and row.key not in there and not newest:
                left_out += 1
            else:
                missing.append(f"object {row.key}")
    return tuple(missing), left_out


def _know_backups(folder: str, store: Store) -> None:
    """Remember the folder that is restored from, and those that were known when it was written."""
    mirrors = Mirrors(store)
    for known in (os.path.abspath(folder), *folders_in(os.path.join(folder, _HOME, FOLDERS))):
        mirrors.add(known)


def _check_target(folder: str, home: str) -> None:
    inside = os.path.commonpath([os.path.realpath(folder), os.path.realpath(home)])
    if inside in (os.path.realpath(home), os.path.realpath(folder)):
        raise SettingsError(
            "the backup and the data folder lie in each other", todo="choose another folder"
        )
    if (
        os.path.isdir(folder)
        and os.listdir(folder)
        and not os.path.isfile(os.path.join(folder, MARK))
    ):
        raise SettingsError(
            "the folder holds something else than backups", todo="choose a new or empty folder"
        )


def _mark(folder: str) -> None:
    for part in ("", _SNAPSHOTS, "objects", "shares"):
        os.makedirs(os.path.join(folder, part), mode=0o700, exist_ok=True)
    if not os.path.exists(os.path.join(folder, MARK)):
        _write(os.path.join(folder, MARK), b"1\n")


def _write(path: str, data: bytes) -> None:
    """Write a small file whole, on the disk before it has its name."""
    descriptor = os.open(f"{path}.new", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    os.replace(f"{path}.new", path)


def _check_empty(store: Store) -> None:
    """Refuse to restore over anything.

    Raises:
        StoreError: There is something.
    """
    with store.read() as conn:
        for table in metadata.sorted_tables:
            some = conn.execute(select(*table.primary_key.columns).limit(1)).first()
            if table.name != "clock" and some is not None:
                raise StoreError(
                    "the store is not empty",
                    kept="nothing was changed",
                    todo="restore into a new data folder or a new database",
                )


# Objects


def _copy_objects(store: Store, folder: str) -> int:
    """Copy objects that the backup lacks, and every share; return how many came."""
    count = 0
    for key, size in store.objects.list():
        room = key.partition("/")[0]
        if room in ("erased", "vault"):  # lists and marks of this place, made anew in another
            continue
        target = os.path.join(folder, *(() if room == "shares" else ("objects",)), *key.split("/"))
        if os.path.exists(target) and os.path.getsize(target) == size:
            continue
        os.makedirs(os.path.dirname(target), mode=0o700, exist_ok=True)
        try:
            _copy(store, key, target)
        except StoreError:
            if store.objects.exists(key):
                raise
            continue  # it was removed meanwhile, with its row
        count += 1
    return count


def _prune(store: Store, folder: str) -> None:
    """Remove objects that no snapshot names, and originals that are gone from the vault.

    An original that was deleted once it was de-identified does not live on in a backup; an older
    snapshot restored then lacks it.
    """
    named: set[str] = set()
    for name in snapshots(folder):
        named.update(row["key"] for row in rows_in(objects, os.path.join(folder, _SNAPSHOTS, name)))
    with store.read() as conn:
        now = set(conn.execute(select(objects.c.key)).scalars())
    root = os.path.join(folder, "objects")
    for place, _, names in os.walk(os.path.join(root, "p")):
        for name in names:
            path = os.path.join(place, name)
            key = os.path.relpath(path, root).replace(os.sep, "/")
            gone = key.split("/")[2] == ORIGINAL and key not in now
            if gone or key not in named:
                os.unlink(path)


def _copy_home(source: str, target: str, *, back: bool = False) -> None:
    """Copy what lies in the data folder besides the database: the log's own copy, lists."""
    target = target if back else os.path.join(target, _HOME)
    for name in _HOME_KEPT:
        path = os.path.join(source, name)
        files = sorted(os.listdir(path)) if os.path.isdir(path) else [""]
        for inner in files if os.path.exists(path) else ():
            copy = os.path.join(target, name, inner).rstrip(os.sep)
            if back and os.path.exists(copy):
                continue  # what is there is newer
            os.makedirs(os.path.dirname(copy), mode=0o700, exist_ok=True)
            _write(copy, b"".join(_read(os.path.join(path, inner).rstrip(os.sep))))


def _copy(store: Store, key: str, target: str) -> None:
    descriptor = os.open(f"{target}.new", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        for chunk in store.objects.get(key):
            file.write(chunk)
        file.flush()
        os.fsync(file.fileno())
    os.replace(f"{target}.new", target)


def _return_objects(folder: str, store: Store) -> int:
    count = 0
    for room, prefix in (("objects", ""), ("shares", "shares/")):
        root = os.path.join(folder, room)
        for place, _, names in os.walk(root):
            for name in names:
                if name.endswith(".new"):
                    continue
                path = os.path.join(place, name)
                key = prefix + os.path.relpath(path, root).replace(os.sep, "/")
                store.objects.put(key, _read(path))
                count += 1
    return count


def _read(path: str) -> Iterator[bytes]:
    with open(path, "rb") as file:
        while chunk := file.read(_CHUNK):
            yield chunk
