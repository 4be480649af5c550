"""What shortcuts see of an image that was read: kept beside its features, for a version's card.

A probe asks what can be told from the border, the size or the brightness of images alone
(``readers.probes``). Pictures are not kept for learning, so what the probes see is made when an
image is read, and goes with its features when consent goes.
"""

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from safelight.errors import SafelightError
from safelight.feedback.opened import some_cases
from safelight.feedback.values import Case
from safelight.learning.carding import MOST_PROBED, Known
from safelight.learning.examples import Examples
from safelight.learning.gather import KIND, name_of
from safelight.readers import probes
from safelight.store import Store
from safelight.vault import Vault

__all__ = ["VERSION", "known_of", "seen_of"]

VERSION: Final = "sights-1"
_SIZE: Final = 6
_LEVELS: Final = 18

Rows = NDArray[np.int16]


def seen_of(picture: NDArray[np.uint8]) -> Rows:
    """Return what shortcuts see of a picture, one after the other: int16, within ±2047.

    Args:
        picture: Shape (rows, columns).
    """
    rows, columns = picture.shape
    return np.concatenate(
        [probes.size((int(rows), int(columns))), probes.intensity(picture), probes.border(picture)]
    )


def _parted(row: Rows) -> dict[str, Rows]:
    return {
        "size": row[:_SIZE],
        "intensity": row[_SIZE : _SIZE + _LEVELS],
        "border": row[_SIZE + _LEVELS :],
    }


def known_of(
    store: Store, vault: Vault, cases: Mapping[str, str], *samples: Examples, label: str
) -> Known:
    """Return what is known of the rows of samples: facts of their cases, and kept sights.

    Args:
        store: An open store.
        vault: Over it.
        cases: Case of each row, by its id.
        samples: The rows; of each class as many as shortcuts are looked for in are opened.
        label: One of the two classes.
    """
    with store.read() as conn:
        found = some_cases(vault, conn, (one for one in cases.values() if one))
    mine = {row: found[case] for row, case in cases.items() if case in found}
    sights: dict[str, dict[str, Rows]] = {}
    for side in (True, False):
        rows = [
            row
            for part in samples
            for row, told in zip(part.ids, part.labels, strict=True)
            if (told == label) == side
        ]
        for row in rows[:MOST_PROBED]:
            if row in mine and (seen := _kept(vault, mine[row])) is not None:
                sights[row] = _parted(seen)
    return Known(facts={row: case.facts for row, case in mine.items()}, sights=sights)


def _kept(vault: Vault, case: Case) -> Any:
    """Return what was kept of an image; None when nothing was, or it cannot be read."""
    try:
        data = b"".join(vault.get(case.person, KIND, name_of(VERSION, case.digest)))
    except SafelightError:
        return None
    return np.frombuffer(data, "<i2").astype(np.int16)
