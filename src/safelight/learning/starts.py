"""Heads of the bundled readers: each begins with the public rows that its reader was made from."""

from typing import Final

from sqlalchemy import select

from safelight.consent.custody import Custody
from safelight.learning.examples import Base, Examples
from safelight.learning.ledgers import Ledgers
from safelight.readers.head import Recipe
from safelight.readers.registry import registry
from safelight.readers.starts import FILES, start_of
from safelight.store.schema.learning import heads

__all__ = ["RECIPE", "open_bundled"]

RECIPE: Final = Recipe()  # the one that bundled readers are solved by


def open_bundled(custody: Custody, name: str) -> bool:
    """Open the head of a bundled reader if there is none of its name; return whether it was opened.

    Args:
        custody: Everything about consent in one store.
        name: Of the reader.

    Raises:
        UnreadableInputError: What is shipped is not what the reader's card names.
    """
    if name not in FILES:
        return False
    with custody.store.read() as conn:
        if conn.execute(select(heads.c.id).where(heads.c.name == name)).first():
            return False
    sums = start_of(registry().named(name).card)
    # Nobody public is calibrated on: what a version promises rests on those who contributed.
    start = Base(statistics=sums, examples=Examples.none(sums.width))
    Ledgers(custody).open(name, base=start, recipe=RECIPE)
    return True
