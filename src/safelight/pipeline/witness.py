"""Who is asked before work on a submission, and told of what happens in it."""

from collections.abc import Sequence
from typing import Protocol

from sqlalchemy import Connection

__all__ = ["NoWitness", "Witness"]


class Witness(Protocol):
    """Is asked before work, and told of what happens inside the transaction it happens in."""

    def allowed(self, conn: Connection, person: str, use: tuple[str, str]) -> object:
        """Raise ``ConsentDeniedError`` if a person's files may not be worked on for this now."""

    def received(
        self, conn: Connection, person: str, submission: str, names: Sequence[str]
    ) -> None:
        """Note originals that were taken in; ``names`` are their ids in the vault."""

    def deidentified(
        self, conn: Connection, person: str, submission: str, names: Sequence[str]
    ) -> None:
        """Note de-identified objects that were made, each from the original of the same id."""

    def finished(
        self, conn: Connection, person: str, submission: str, dropped: Sequence[str]
    ) -> None:
        """Note the end of a submission, and the originals that are deleted with it."""


class NoWitness:
    """Notes nothing; for measuring, and for tests of other things."""

    def allowed(self, conn: Connection, person: str, use: tuple[str, str]) -> object:
        """Allow it."""

    def received(
        self, conn: Connection, person: str, submission: str, names: Sequence[str]
    ) -> None:
        """Note nothing."""

    def deidentified(
        self, conn: Connection, person: str, submission: str, names: Sequence[str]
    ) -> None:
        """Note nothing."""

    def finished(
        self, conn: Connection, person: str, submission: str, dropped: Sequence[str]
    ) -> None:
        """Note nothing."""
