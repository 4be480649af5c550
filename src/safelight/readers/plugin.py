"""Readers that others make: an ONNX model with its card, held to the same gate.

An entry point of the group ``safelight.readers`` names a ``Declaration``: where the files lie and
which digests they must have. The model is checked before anything runs it: its size, its operators,
no tensors kept in other files, no functions or operators of other makers. Nothing is unpickled.
"""

import hashlib
from dataclasses import dataclass
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from safelight.errors import LimitExceededError, SafelightError, SettingsError, UnreadableInputError
from safelight.readers import filters
from safelight.readers.asking import Asked, Carded, Scored, Seen, ask
from safelight.readers.card import Card
from safelight.readers.conformal import Calibration
from safelight.readers.explain import NOBODY, Cases
from safelight.readers.gate import judge
from safelight.readers.onnx_check import inspect
from safelight.readers.reading import Finding, KindAnswer
from safelight.readers.recipes import NAME
from safelight.readers.site import SiteStatus
from safelight.readers.view import View

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

__all__ = ["MOST_BYTES", "Declaration", "PluginReader", "load", "open_plugin"]

MOST_BYTES: Final = 64 << 20
SIDES: Final = (16, 1024)


@dataclass(frozen=True, slots=True, kw_only=True)
class Declaration:
    """What a plug-in says of itself.

    Attributes:
        folder: Holds ``model.onnx``, ``card.json`` and ``calibration.json``.
        model: SHA-256 of the model, hex.
        card: SHA-256 of the card, hex.
        calibration: SHA-256 of the calibration scores, hex.
        side: Of the square picture the model takes: float32, shape (1, 1, side, side), 0 to 1.
    """

    folder: Path
    model: str
    card: str
    calibration: str
    side: int


def load(point: EntryPoint) -> "PluginReader":
    """Return the reader of an entry point.

    Raises:
        SettingsError: When the entry point gives no declaration, or one with other types.
        UnreadableInputError: When a file is not what was declared, or the model is not allowed.
        LimitExceededError: When a file is too large.
    """
    # Another maker's module may fail in any way; it must not take the readers with it.
    try:
        found = point.load()
    except (Exception, SystemExit) as error:
        raise SettingsError("the plug-in cannot be imported") from error
    if not isinstance(found, Declaration):
        raise SettingsError("the plug-in gives no declaration")
    try:
        return open_plugin(found)
    except SafelightError:
        raise
    except Exception as error:
        raise SettingsError("the plug-in's declaration is not as it should be") from error


def _pinned(path: Path, digest: str) -> bytes:
    try:
        if path.stat().st_size > MOST_BYTES:
            raise LimitExceededError(f"a plug-in's file is larger than {MOST_BYTES >> 20} MiB")
        data = path.read_bytes()
    except OSError as error:
        raise UnreadableInputError("a plug-in's file is missing") from error
    if hashlib.sha256(data).hexdigest() != digest.lower():
        raise UnreadableInputError("a plug-in's file is not the one that was pinned")
    return data


def open_plugin(declared: Declaration) -> "PluginReader":
    """Return the reader that was declared.

    Raises:
        SettingsError: When the picture's side is out of range.
        UnreadableInputError: When a file is not what was declared, or the model is not allowed.
        LimitExceededError: When a file is too large.
    """
    if type(declared.side) is not int or not SIDES[0] <= declared.side <= SIDES[1]:
        raise SettingsError(f"a plug-in's picture is {SIDES[0]} to {SIDES[1]} pixels wide")
    model = _pinned(declared.folder / "model.onnx", declared.model)
    card = Card.from_bytes(_pinned(declared.folder / "card.json", declared.card))
    scores = Calibration.from_bytes(
        _pinned(declared.folder / "calibration.json", declared.calibration)
    )
    if not NAME.fullmatch(card.reader):
        raise UnreadableInputError("the name on a plug-in's card is none that a reader may have")
    if card.head != declared.model.lower() or card.calibration != scores.digest():
        raise UnreadableInputError("the card of this plug-in speaks of another model")
    if card.calibrated != (len(scores.seen), len(scores.not_seen)):
        raise UnreadableInputError("the card of this plug-in tells of other people than calibrated")
    inspect(model)
    return PluginReader(card, scores, model, declared.side)


class PluginReader(Carded):
    """A reader whose head is an ONNX model.

    Args:
        card: What was measured of it.
        calibration: Scores by class.
        model: A model that ``onnx_check.inspect`` let pass.
        side: Of the picture it takes.
    """

    def __init__(self, card: Card, calibration: Calibration, model: bytes, side: int) -> None:
        super().__init__(
            Asked(card=card, digest=card.digest(), verdict=judge(card), calibration=calibration)
        )
        self._model: Final = model
        self._side: Final = side
        self._session: InferenceSession | None = None

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
        del cases  # they are found by the package's own features
        return ask(self._asked, seen or Seen(view, kind.kind), kind, site, self._scored)

    def _scored(self, seen: Seen) -> Scored:
        return Scored(score=self.score(seen.picture()), unverified=True)

    def score(self, picture: NDArray[np.uint8]) -> float:
        """Return the model's score of a picture.

        Raises:
            UnreadableInputError: When the model fails, or gives anything but one finite number.
        """
        drawn = filters.canvas(picture, self._side).astype(np.float32) / 255.0
        try:
            session = self._open()
            (given,) = session.run(None, {session.get_inputs()[0].name: drawn[None, None]})
            values: Any = np.asarray(given, dtype=np.float64).ravel()
        except Exception as error:
            # onnxruntime raises classes of its own, which share no base but Exception.
            raise UnreadableInputError("the plug-in's model failed") from error
        if values.size != 1 or not np.isfinite(values[0]):
            raise UnreadableInputError("the plug-in's model gave no score")
        return float(values[0])

    def _open(self) -> "InferenceSession":
        if self._session is None:
            import onnxruntime  # noqa: PLC0415  # start-up cost

            options = onnxruntime.SessionOptions()
            options.intra_op_num_threads = options.inter_op_num_threads = 1
            options.log_severity_level = 4
            self._session = onnxruntime.InferenceSession(
                self._model, options, providers=["CPUExecutionProvider"]
            )
        return self._session
