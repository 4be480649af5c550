"""What takes each class of artefacts back. Rooms that make artefacts plug theirs in here.

The contract (words as in RFC 2119):

- A room MUST declare every class of artefacts it makes, and register what removes it.
- ``remove`` MUST be idempotent: it may be called again after a crash, for an artefact that is
  already gone.
- When it returns, the person's part of the artefact MUST be gone from everything that this
  installation can reach, on disk and not only in a cache.
- It MUST raise a ``SafelightError`` when it cannot do so now; it is then called again later.
- It MUST NOT return or log a value of the person's.
"""

from collections.abc import Callable, Mapping
from typing import Final, Protocol, runtime_checkable

from safelight.errors import RemoverMissingError
from safelight.tlog import Log
from safelight.vault import Vault
from safelight.vault.originals import Originals

__all__ = ["LogUser", "Remover", "Removers", "declare", "register"]


class Remover(Protocol):
    """Takes back artefacts of one class."""

    needs_key: bool  # whether the person's key must still be there

    def remove(self, person: str, name: str) -> str:
        """Remove a person's part of an artefact.

        Args:
            person: Code of the person.
            name: Of the artefact, as it was recorded.

        Returns:
            What a receipt may show of the state after: a digest, or an empty text.
        """


@runtime_checkable
class LogUser(Protocol):
    """A remover that writes to the transparency log, such as one that publishes what is left."""

    def use_log(self, log: Log) -> None:
        """Take the log of the same store; called before anything is removed."""


_declared: set[str] = set()
_factories: dict[str, Callable[[Vault], Remover]] = {}


def declare(*kinds: str) -> None:
    """Say that a room makes artefacts of these classes; call it when the room is imported."""
    _declared.update(kinds)


def register(kind: str, factory: Callable[[Vault], Remover]) -> None:
    """Say what removes artefacts of a class, and declare it."""
    declare(kind)
    _factories[kind] = factory


class VaultObjects:
    """Removes objects of one kind that lie in the vault."""

    needs_key = False

    def __init__(self, vault: Vault, kind: str) -> None:
        self._vault = vault
        self._kind = kind

    def remove(self, person: str, name: str) -> str:
        """Remove an object of the vault."""
        self._vault.delete(person, self._kind, name)
        return ""


class VaultOriginals:
    """Removes originals, kept or not."""

    needs_key = False

    def __init__(self, vault: Vault) -> None:
        self._vault = vault
        self._originals = Originals(vault)

    def remove(self, person: str, name: str) -> str:
        """Remove an original."""
        with self._vault.store.begin() as conn:
            self._originals.release(conn, person, name)
        self._originals.purge()
        return ""


def _objects(kind: str) -> Callable[[Vault], Remover]:
    return lambda vault: VaultObjects(vault, kind)


# The classes that lie in the vault as objects, one kind each.
for _kind in (
    "deidentified",
    "manifest",
    "thumbnail",
    "report",
    "reading",
    "labs",
    "external",
    "face-mask",
):
    register(_kind, _objects(_kind))
for _kind in ("head-before", "head-after"):  # a head before and after its face was taken off
    register(_kind, _objects(_kind))
register("original", VaultOriginals)


class Removers:
    """The removers of one store.

    Args:
        vault: An open vault.
        more: Removers by class, besides those that are registered.
        log: The transparency log of the same store, for those that write to it.

    Attributes:
        kinds: The classes that can be removed.
    """

    def __init__(
        self,
        vault: Vault,
        more: Mapping[str, Remover] | None = None,
        log: Log | None = None,
    ) -> None:
        self._by_kind = {kind: factory(vault) for kind, factory in _factories.items()}
        self._by_kind.update(more or {})
        for remover in self._by_kind.values():
            if log is not None and isinstance(remover, LogUser):
                remover.use_log(log)
        self.kinds: Final = frozenset(self._by_kind)

    def of(self, kind: str) -> Remover:
        """Return what removes a class.

        Raises:
            RemoverMissingError: Nothing does.
        """
        if kind not in self._by_kind:
            raise RemoverMissingError(f"nothing removes artefacts of the class {kind!r}")
        return self._by_kind[kind]

    def check(self, stored: frozenset[str]) -> None:
        """Refuse to start while a class in use cannot be removed.

        Args:
            stored: Classes of which artefacts exist.

        Raises:
            RemoverMissingError: Nothing removes a class that is declared or exists.
        """
        for kind in sorted((stored | _declared) - self.kinds):
            self.of(kind)
