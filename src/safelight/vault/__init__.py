"""The vault: one data key a person, objects encrypted under it, and no way back once it is gone."""

from safelight.vault.keys import MasterKey
from safelight.vault.objects import Stored
from safelight.vault.vault import Vault

__all__ = ["MasterKey", "Stored", "Vault"]
