"""Keys of this room's own: nobody's, made in the vault, destroyed when what they lock must go.

The vault destroys a key where copies of the ciphertext cannot be found any more: in dead rows, in
the WAL, in dumps, in backup folders. What must be forgotten without erasing the person is locked
with such a key.
"""

from typing import Final

from sqlalchemy import Connection, select

from safelight.store.faults import reach
from safelight.store.ids import new_id
from safelight.store.schema.learning import contributions, ledgers, totals
from safelight.store.schema.vault import people
from safelight.vault import Vault
from safelight.vault.people import ROOM

__all__ = ["LOCK", "Spaces"]

LOCK: Final = "learning"  # held by whoever makes, uses and destroys these keys
_CODE: Final = f"{ROOM}learning/"


class Spaces:
    """The keys that ledgers and contributions are locked with.

    Args:
        vault: An open vault.
    """

    def __init__(self, vault: Vault) -> None:
        self._vault = vault

    def make(self, conn: Connection) -> str:
        """Make a key in the caller's write transaction, under the room's lock; return its id."""
        return str(self._vault.create_person(conn, code=f"{_CODE}{new_id()}"))

    def sweep(self) -> int:
        """Destroy every key that nothing is locked with; return how many. Hold the room's lock.

        Raises:
            StoreError: A key cannot be destroyed now; do it again.
        """
        with self._vault.store.read() as conn:
            mine = select(people.c.id).where(
                people.c.code.startswith(_CODE),
                people.c.state == "active",
                people.c.id.not_in(select(ledgers.c.space)),
                people.c.id.not_in(select(contributions.c.space)),
                people.c.id.not_in(select(totals.c.space)),
            )
            unused = list(conn.execute(mine).scalars())
        for space in unused:
            self._vault.destroy_key(space)
            reach("learning.key.destroyed")
        return len(unused)
