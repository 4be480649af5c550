"""Bringing a vault back from a backup: keys first, then the snapshot, then what is missing."""

from typing import TYPE_CHECKING

from safelight.store.schema.tlog import checkpoints
from safelight.tlog import Signer
from safelight.tlog.checkpoint import check_key
from safelight.vault import MasterKey
from safelight.vault.backup import Backup, check_snapshot, place_of, restore
from safelight.vault.dump import rows_in

if TYPE_CHECKING:
    from safelight.pipeline.house import Places

__all__ = ["bring_back"]


def bring_back(places: "Places", folder: str, snapshot: str = "") -> Backup:
    """Put a snapshot into a new place, once it is known that its keys are there.

    Args:
        places: Where the vault is to lie, and its keys.
        folder: The backup folder.
        snapshot: Name of a snapshot; empty for the newest.

    Returns:
        What was done, and what the backup did not hold.

    Raises:
        MasterKeyError: The master key is missing, or not the snapshot's. Nothing was written.
        KeyFileError: The log's key is missing. Nothing was written.
        LogError: It is another log's. Nothing was written.
        SettingsError: There is no such snapshot, or it is of another version.
        StoreError: The place is not empty or cannot be written, or the snapshot is damaged.
    """
    master = MasterKey.open(places.master_key)
    key = Signer.load(places.log_key_file).vkey
    name = check_snapshot(folder, snapshot=snapshot, master=master)
    notes = rows_in(checkpoints, place_of(folder, name))
    if newest := max(notes, key=lambda row: int(row["size"]), default=None):
        check_key(newest["note"], key)
    with places.store(make=True) as store:
        return restore(folder, store, snapshot=name)
