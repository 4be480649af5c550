"""Everything about consent in one store, opened in the right order."""

from collections.abc import Mapping
from typing import Final

from safelight.consent.access import Accesses
from safelight.consent.book import Consents
from safelight.consent.disclosures import Disclosures
from safelight.consent.ending import Ending
from safelight.consent.journal import Journal
from safelight.consent.lineage import Lineage
from safelight.consent.removers import Remover, Removers
from safelight.consent.retention import Retention
from safelight.consent.withdrawal import Withdrawals
from safelight.tlog import Log
from safelight.vault import Vault

__all__ = ["Custody"]


class Custody:
    """The rooms of consent over one vault and one log.

    Args:
        vault: An open vault.
        log: The transparency log of the same store.
        removers: More removers by class of artefact, besides those that rooms have registered.
        resume: Finish withdrawals that were interrupted, and those that a backup forgot.

    Attributes:
        consents: Policies, statements and the decision.
        accesses: Roles and the log of accesses.
        lineage: What was made from whom.
        disclosures: What was handed out.
        retention: Until when it may be kept.
        withdrawals: Taking it back.
        ending: Removing what is past its time.

    Raises:
        RemoverMissingError: A class of artefacts is in use that nothing removes.
    """

    def __init__(
        self,
        vault: Vault,
        log: Log,
        *,
        removers: Mapping[str, Remover] | None = None,
        resume: bool = True,
    ) -> None:
        self.vault: Final = vault
        self.store: Final = vault.store
        self.log: Final = log
        journal = Journal(vault, log)
        known = Removers(vault, removers, log)
        self.consents: Final = Consents(vault, journal)
        self.accesses: Final = Accesses(vault, journal, self.consents)
        self.lineage: Final = Lineage(vault.store, self.consents, known)
        self.disclosures: Final = Disclosures(vault, journal, self.consents)
        self.retention: Final = Retention(self.consents, self.lineage)
        self.withdrawals: Final = Withdrawals(
            vault,
            journal,
            self.consents,
            self.lineage,
            known,
            self.disclosures,
            self.retention,
        )
        self.ending: Final = Ending(vault, journal, self.retention, self.withdrawals)
        if resume:
            self.withdrawals.resume()
