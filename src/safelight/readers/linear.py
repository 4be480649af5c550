"""A reader whose head is linear over the shared features, and the one file that holds it."""

import hashlib
import io
import zipfile
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from safelight.errors import UnreadableInputError
from safelight.readers import explain, features, makers
from safelight.readers.asking import Asked, Carded, Scored, Seen, ask
from safelight.readers.card import Card
from safelight.readers.conformal import Calibration
from safelight.readers.explain import NOBODY, Cases
from safelight.readers.gate import Verdict, judge
from safelight.readers.head import Head
from safelight.readers.reading import Finding, KindAnswer, State
from safelight.readers.site import SiteStatus
from safelight.readers.view import View

__all__ = ["LinearReader", "Packed", "fixed_version"]

_PARTS: Final = ("card", "head", "calibration")
_MOST: Final = 32 << 20
_PLANES: Final = 2
NEIGHBOURS: Final = 3

Array = NDArray[Any]


def fixed_version() -> str:
    """Return the version that heads over the features made by hand carry; see ``makers``."""
    return makers.named(features.VERSION).version


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Packed:
    """A reader as one file: card, head, calibration, and reference features for the site test.

    Attributes:
        card: What was measured.
        head: The head.
        calibration: Scores by class.
        reference: Features of public images, one a person, int16, shape (n, d).
    """

    card: Card
    head: Head
    calibration: Calibration
    reference: NDArray[np.int16]

    def to_bytes(self) -> bytes:
        """Return the file: a NumPy archive of plain arrays."""
        contents = (self.card.to_bytes(), self.head.to_bytes(), self.calibration.to_bytes())
        arrays = {
            name: np.frombuffer(content, np.uint8)
            for name, content in zip(_PARTS, contents, strict=True)
        }
        with io.BytesIO() as file:
            np.savez_compressed(
                file,
                allow_pickle=False,
                reference=self.reference.astype("<i2"),
                **arrays,
            )
            return file.getvalue()

    def digest(self) -> str:
        """Return the SHA-256 over all parts, hex: what the package pins."""
        whole = hashlib.sha256()
        for part in (self.card, self.head, self.calibration):
            whole.update(hashlib.sha256(part.to_bytes()).digest())
        whole.update(self.reference.astype("<i2").tobytes())
        return whole.hexdigest()

    @classmethod
    def from_bytes(cls, data: bytes) -> "Packed":
        """Return what ``to_bytes`` wrote, its parts checked against the card.

        Raises:
            UnreadableInputError: When it is not such a file, or a part is not the card's.
        """
        if len(data) > _MOST:
            raise UnreadableInputError("this reader's file is too large")
        try:
            with np.load(io.BytesIO(data), allow_pickle=False) as held:
                parts = {name: held[name].tobytes() for name in _PARTS}
                reference = np.asarray(held["reference"])
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
            raise UnreadableInputError("this is not the file of a reader") from error
        made = cls(
            card=Card.from_bytes(parts["card"]),
            head=Head.from_bytes(parts["head"]),
            calibration=Calibration.from_bytes(parts["calibration"]),
            reference=reference,
        )
        card = made.card
        if (
            card.head != made.head.digest()
            or card.statistics != made.head.statistics
            or card.calibration != made.calibration.digest()
            or card.features != made.head.features
            or card.calibrated != (len(made.calibration.seen), len(made.calibration.not_seen))
        ):
            raise UnreadableInputError("the card of this reader speaks of another head")
        if reference.ndim != _PLANES or reference.dtype.kind != "i":
            raise UnreadableInputError("the reference images of this reader cannot be read")
        return made


class LinearReader(Carded):
    """A reader over the shared features.

    Args:
        packed: Its file; the state follows from the card in it, and from nothing else.
        verdict: Overrides the gate downwards only, e.g. for a file that is not the pinned one.
    """

    def __init__(self, packed: Packed, verdict: Verdict | None = None) -> None:
        mine = judge(packed.card)
        if verdict is not None and verdict.state is State.REFUSED:
            mine = Verdict(state=State.REFUSED, reasons=verdict.reasons + mine.reasons)
        if makers.find(packed.head.features) is None:
            why = "it was made for other features than this package has"
            mine = Verdict(state=State.REFUSED, reasons=(why, *mine.reasons))
        super().__init__(
            Asked(
                card=packed.card,
                digest=packed.card.digest(),
                verdict=mine,
                calibration=packed.calibration,
            )
        )
        self._packed: Final = packed
        self._pulls: Array | None = None

    @property
    def packed(self) -> Packed:
        """Its parts."""
        return self._packed

    def read(
        self,
        view: View,
        kind: KindAnswer,
        *,
        site: SiteStatus,
        cases: Cases = NOBODY,
        seen: Seen | None = None,
    ) -> Finding:
        """Return the answer for a view; see ``contract.Reader``."""
        return ask(
            self._asked,
            seen or Seen(view, kind.kind),
            kind,
            site,
            lambda one: self._scored(one, cases),
        )

    def _scored(self, seen: Seen, cases: Cases) -> Scored:
        head = self._packed.head
        z = seen.features(head.features)
        score = float(head.score(z)[0])
        if self._pulls is None:
            self._pulls = explain.pulls(head)
        numbers = seen.parts(head.features)
        cells, bias = explain.contributions(score, self._pulls, numbers, head.features)
        return Scored(
            score=score,
            features=hashlib.sha256(z.astype("<i2").tobytes()).hexdigest(),
            cells=tuple(tuple(float(one) for one in row) for row in cells),
            bias=bias,
            neighbours=cases.nearest(z, self.name, NEIGHBOURS),
        )
