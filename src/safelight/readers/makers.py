"""The versions of features that this package makes, each by its name; none takes another's place.

A head says in ``features`` what it was solved over: a name and, in what is shipped or kept, the
first digits of a digest over everything the numbers depend on. Numbers of one version never meet
sums of another: sums, heads and kept features carry the version, and are refused where it differs.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from safelight.errors import SettingsError
from safelight.readers import body, features
from safelight.readers.head import Head

__all__ = ["NAMES", "Maker", "find", "named", "of"]

NAMES: Final = (features.VERSION, body.VERSION)
_DIGITS: Final = 16  # of the digest, in a version

Array = NDArray[Any]
Picture = NDArray[np.uint8]
Numbers = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Maker:
    """How one version of features is made and explained.

    Attributes:
        version: Name and first digits of its digest: what heads over it carry.
        width: How many features.
        parts: Gives the numbers of a picture by place.
        project: Gives the features of such numbers: int16, shape (width,), within ±2047.
        pulls: Gives what one unit of each raw number adds to a head's score.
        contributions: Gives what each place gave to a score, and the bias.
    """

    version: str
    width: int
    parts: Callable[[Picture], Numbers]
    project: Callable[[Numbers], NDArray[np.int16]]
    pulls: Callable[[Head, int], Array]
    contributions: Callable[[float, Array, Numbers], tuple[Array, float]]

    def features(self, picture: Picture) -> NDArray[np.int16]:
        """Return the features of a picture.

        Args:
            picture: uint8, shape (rows, columns), as displayed.

        Raises:
            UnreadableInputError: When it is empty.
            SettingsError: When it is not such an array.
        """
        return self.project(self.parts(picture))


@cache
def named(name: str) -> Maker:
    """Return the version of a name.

    Args:
        name: Without digest: one of ``NAMES``.

    Raises:
        SettingsError: When there is none.
    """
    if name == features.VERSION:
        return Maker(
            version=f"{name} {features.tables_digest()[:_DIGITS]}",
            width=features.matrix().weights.shape[1],
            parts=features.parts,
            project=lambda numbers: features.project(features.folded(numbers)),
            pulls=features.pulls,
            contributions=features.contributions,
        )
    if name == body.VERSION:
        return Maker(
            version=f"{name} {body.tables_digest()[:_DIGITS]}",
            width=body.WIDTH,
            parts=body.parts,
            project=lambda numbers: body.evened(body.folded(numbers)),
            pulls=body.pulls,
            contributions=body.contributions,
        )
    raise SettingsError(f"there are no features of this name; there are {', '.join(NAMES)}")


def find(version: str) -> Maker | None:
    """Return who makes exactly this version, name and digest; None when nobody here does."""
    name = version.partition(" ")[0]
    made = named(name) if name in NAMES else None
    return made if made is not None and made.version == version else None


def of(version: str) -> Maker:
    """Return who makes a version; a name without digest stands for what this package has.

    Raises:
        SettingsError: When nobody here does: another digest is another version.
    """
    made = named(version) if version in NAMES else find(version)
    if made is None:
        raise SettingsError("these are other features than this package has")
    return made
