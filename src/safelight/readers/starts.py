"""The public start of the bundled readers: the rows that their heads were solved from.

A head that learns from people begins with them. The sums of the rows are those that the reader's
card names, to the bit: what is shipped is what was measured.
"""

from importlib import resources
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from safelight.errors import SettingsError, UnreadableInputError
from safelight.readers import recipes
from safelight.readers.card import Card
from safelight.readers.scoring import pile
from safelight.readers.statistics import Statistics

__all__ = ["FILES", "planes", "start_of"]

# Rows of images whose terms are open; those of research-only images are not handed on.
FILES: Final = {"chest-opacity": ("start-chest-0", "start-chest-1")}
_BYTE: Final = 8

Array = NDArray[Any]


def planes(rows: NDArray[np.int16]) -> NDArray[np.uint8]:
    """Return rows as their low bytes and their high bytes, which pack better: (2, n, d)."""
    whole = rows.astype("<i2").view("<u2")
    return np.stack([whole & 255, whole >> _BYTE]).astype(np.uint8)


def _rows(held: NDArray[np.uint8]) -> NDArray[np.int16]:
    whole: Array = held[0].astype(np.uint16) | (held[1].astype(np.uint16) << _BYTE)
    return np.asarray(whole.view(np.int16))


def start_of(card: Card) -> Statistics:
    """Return the sums that a bundled reader's head was solved from.

    Args:
        card: Of the reader.

    Raises:
        SettingsError: None is shipped for this reader.
        UnreadableInputError: What is shipped is not what the card names.
    """
    if card.reader not in FILES:
        raise SettingsError("no public start is shipped for this reader")
    recipe = next(one for one in recipes.bundled() if one.name == card.reader)
    folder = resources.files("safelight.readers").joinpath("data")
    rows: list[Array] = []
    labels: list[str] = []
    for name in FILES[card.reader]:
        with folder.joinpath(f"{name}.npz").open("rb") as file, np.load(file) as held:
            rows.append(_rows(held["rows"]))
            labels += [str(held["names"][one]) for one in held["labels"]]
    keep = [at for at, one in enumerate(labels) if one in recipe.has | recipe.without]
    has = np.array([labels[at] in recipe.has for at in keep])
    made = pile(np.concatenate(rows)[keep], has, card.features)
    if made.digest() != card.statistics:
        raise UnreadableInputError("the public start is not the one that the reader's card names")
    return made
