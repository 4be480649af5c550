"""Files on their way in through the page: what removes them, known to every process of the house.

The page itself (``safelight.web.parcels``) is an edge that commands do not import; a withdrawal on
the command line must be able to throw its parcels away all the same.
"""

from typing import Final

from sqlalchemy import delete, select

from safelight.consent.removers import register
from safelight.store.faults import reach
from safelight.store.schema.web import parcels, uploads
from safelight.vault import Vault

__all__ = ["PIECE", "drop_files", "piece_name"]

PIECE: Final = "upload"  # kind of a piece in the vault


def piece_name(upload: str, number: int) -> str:
    """Return the id of a piece in the vault."""
    return f"{upload}-{number:06d}"


def drop_files(vault: Vault, parcel: str) -> None:
    """Throw the files of a parcel away; may be repeated."""
    with vault.store.begin() as conn:
        found = conn.execute(select(uploads).where(uploads.c.parcel == parcel)).all()
        for row in found:
            names = [piece_name(row.id, number) for number in range(row.pieces)]
            vault.shelf.release(conn, row.person, PIECE, *names)
        conn.execute(delete(uploads).where(uploads.c.parcel == parcel))
    reach("parcel.dropped")
    vault.shelf.purge()


class ParcelRows:
    """Removes a parcel: its pieces, and what the database says of it."""

    needs_key = False

    def __init__(self, vault: Vault) -> None:
        self._vault = vault

    def remove(self, person: str, name: str) -> str:  # noqa: ARG002  # given by the contract
        """Remove a parcel and its files."""
        drop_files(self._vault, name)
        with self._vault.store.begin() as conn:
            conn.execute(delete(parcels).where(parcels.c.id == name))
        return ""


register("parcel", ParcelRows)
