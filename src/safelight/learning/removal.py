"""Forgetting, as the withdrawal orchestration calls it: one remover for each class of artefacts.

``feature`` is what is kept of an image that was read. ``contribution`` is one image's features and
label: its row, and its part in the sums. ``model`` is a person's part in the published versions of
a head: once it is off the sums, what is left of the version is published in its place, and its hash
is what the receipt shows as *after*.

What takes long to import is imported when somebody leaves, not when the app starts.
"""

from sqlalchemy import func, select

from safelight.consent.removers import VaultObjects, register
from safelight.errors import LearningError
from safelight.store.faults import reach
from safelight.store.schema.learning import contributions, links
from safelight.tlog import Log
from safelight.vault import Vault

__all__ = ["Contributions", "Models"]


class Contributions:
    """Takes contributions off their head: rows, sums, samples, and every earlier state."""

    needs_key = True  # to know what to subtract

    def __init__(self, vault: Vault) -> None:
        self._vault = vault
        self._store = vault.store

    def remove(self, person: str, name: str) -> str:
        """Take a contribution off, and all others that the person made under the same consent.

        Returns:
            The newest link of the ledger's chain.
        """
        from safelight.learning.spaces import LOCK, Spaces  # noqa: PLC0415  # as above
        from safelight.learning.taking import take_back  # noqa: PLC0415  # start-up cost

        head, _, one = name.partition("/")
        theirs = (contributions.c.person == person, contributions.c.head == head)
        with self._store.lock(LOCK):
            with self._store.begin() as conn:
                row = conn.execute(
                    select(contributions).where(*theirs, contributions.c.id == one)
                ).first()
                if row is not None:
                    same = select(contributions).where(
                        *theirs,
                        contributions.c.purpose == row.purpose,
                        contributions.c.policy == row.policy,
                    )
                    take_back(conn, self._vault, head, conn.execute(same).all())
                    reach("learning.removal.written")
                newest = select(links.c.link).where(links.c.head == head)
                link = conn.execute(newest.order_by(links.c.number.desc()).limit(1)).scalar()
            reach("learning.removal.done")
            Spaces(self._vault).sweep()
        return f"link:{link}" if link else ""


class Models:
    """Puts what is left of a version in the place of the one that somebody has left."""

    needs_key = False

    def __init__(self, vault: Vault) -> None:
        self._vault = vault
        self._log: Log | None = None

    def use_log(self, log: Log) -> None:
        """Take the log that successors are signed and logged with."""
        self._log = log

    def remove(self, person: str, name: str) -> str:
        """Publish what is left of a head without a person.

        Returns:
            The version in service and the hash of its ledger; ``none`` where there is none.

        Raises:
            LearningError: The person's contributions are still in the ledger; try again.
        """
        from safelight.learning.publish import Publisher  # noqa: PLC0415  # start-up cost

        if self._log is None:
            raise LearningError("a successor cannot be published without the log")
        publisher = Publisher(self._vault, self._log)
        with self._vault.store.read() as conn:
            mine = (contributions.c.person == person, contributions.c.head == name)
            left = select(func.count()).select_from(contributions).where(*mine)
            if conn.execute(left).scalar() and publisher.denied(conn, name, person):
                raise LearningError("a person who left is still in the ledger")
        made = publisher.successor(name)
        return made.name if made is not None else "none"


register("feature", lambda vault: VaultObjects(vault, "feature"))
register("contribution", Contributions)
register("model", Models)
