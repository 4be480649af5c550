"""Faces in what is looked at: a series is gathered as a volume, judged, and masked slice by slice.

Faces of one frame of reference are kept while a process works, so that a later series of the same
head is masked by the same shape, be it a volume itself or not.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from safelight.deid.boxes import Verdict as Outcome
from safelight.deid.faces import (
    Examined,
    FaceMask,
    NiftiImage,
    SeriesVolume,
    Slice,
    Verdict,
    examine,
    scout_face,
)
from safelight.deid.pixels.header import PixelHeader
from safelight.errors import NeedsReviewError
from safelight.types import Action

__all__ = ["FACE_TAGS", "FaceLook", "Faces", "faceless_nifti", "place_of"]

Mask = NDArray[np.bool_]

_POSITION, _ORIENTATION, _SPACING, _IMAGER_SPACING = 0x00200032, 0x00200037, 0x00280030, 0x00181164
FACE_TAGS: Final = frozenset((_POSITION, _ORIENTATION, _SPACING, _IMAGER_SPACING))
_VOLUMES: Final = frozenset({"CT", "MR", "PT"})
_HEADS: Final = ("HEAD", "BRAIN", "SKULL", "FACE", "SINUS", "ORBIT")
_FRAMES_KEPT: Final = 16
_FEWEST: Final = 8  # frames of a multi-frame object that could be a volume
TOLD: Final = "faces were not looked for: "


@dataclass(frozen=True, slots=True, kw_only=True)
class Faces:
    """What is done about a face in one input.

    Attributes:
        shapes: What is masked, by frame number.
        faceless: It was judged, and shows no face now.
        hold: Why a person has to look; empty when nobody has to.
        note: What the report says; empty for nothing.
        head: What was found in the volume, with the first input of its series only, where
            somebody is to see it.
    """

    shapes: Mapping[int, Mask]
    faceless: bool = False
    hold: str = ""
    note: str = ""
    head: Examined | None = None


def place_of(values: Mapping[int, bytes], header: PixelHeader) -> Slice | None:
    """Return where a slice lies; None when the header does not say."""
    position, orientation = _numbers(values, _POSITION), _numbers(values, _ORIENTATION)
    spacing = _numbers(values, _SPACING) or _numbers(values, _IMAGER_SPACING)
    if len(orientation) != 6 or len(spacing) != 2:  # noqa: PLR2004 - PS3.3 C.7.6.2
        return None
    look = header.look(0)
    return Slice(
        position=position,
        orientation=orientation,
        spacing=spacing,
        slope=look.slope,
        intercept=look.intercept,
        modality=header.modality,
        body_part=header.body_part,
    )


def _numbers(values: Mapping[int, bytes], tag: int) -> tuple[float, ...]:
    raw = values.get(tag, b"").decode("ascii", "replace").strip(" \0")
    try:
        return tuple(float(part) for part in raw.split("\\")) if raw else ()
    except ValueError:
        return ()


class FaceLook:
    """Gathers the slices of one series.

    Args:
        known: Faces met before, by person and frame of reference; added to.
    """

    def __init__(self, known: dict[tuple[str, str], FaceMask]) -> None:
        self._known = known
        self._volume = SeriesVolume()
        self._frame_of_reference = ""
        self._judged: tuple[Verdict | None, str, FaceMask | None] | None = None
        self._head: Examined | None = None

    def add(self, header: PixelHeader, place: Slice | None, frame: NDArray[np.generic]) -> None:
        """Take in one slice; what is no slice of a volume is passed over."""
        if header.modality in _VOLUMES and header.frames == 1 and place is not None:
            self._frame_of_reference = header.frame_of_reference
            self._volume.add(place, frame)

    def of(
        self,
        header: PixelHeader,
        place: Slice | None,
        frame: NDArray[np.generic],
        person: str,
        *,
        pictured: bool = False,
    ) -> Faces:
        """Return what is done about a face in one input, once all of its series were added.

        Args:
            header: Of the input.
            place: Where it lies.
            frame: Its first frame.
            person: Whose it is, by code: a UID that two people share joins no two heads.
            pictured: Somebody is to see what was taken off.
        """
        if header.modality not in _VOLUMES or frame.ndim != 2:  # noqa: PLR2004 - grey
            return Faces(shapes={})
        if header.frames > 1:
            return _many_frames(header)
        if "LOCALIZER" in header.image_type and place is not None:
            return _scout(header, place, frame)
        affine = place.affine() if place is not None else None
        verdict, reason, face = self._verdict(header, person, pictured=pictured)
        if face is None:
            face = self._known.get((person, header.frame_of_reference))
        if face is not None and affine is not None:
            mask = face.of_slice(affine, header.rows, header.columns)
            head, self._head = self._head, None
            return Faces(shapes={0: mask} if mask.any() else {}, faceless=True, head=head)
        if face is not None:
            return Faces(shapes={}, hold="of a head with a face, and it does not say where it lies")
        if verdict is Verdict.UNSURE:
            return Faces(shapes={}, hold=f"it may show a face: {reason}")
        if verdict is Verdict.NO_FACE:
            return Faces(shapes={}, faceless=True)
        return Faces(shapes={}, note=TOLD + (reason or "the header does not say where it lies"))

    def _verdict(
        self, header: PixelHeader, person: str, *, pictured: bool
    ) -> tuple[Verdict | None, str, FaceMask | None]:
        """Judge the volume once; no verdict when the slices are none."""
        if self._judged is None:
            volume = self._volume.finish()
            if volume is None:
                unsure = Verdict.UNSURE if self._volume.thick and _is_head(header) else None
                self._judged = (unsure, self._volume.reason, None)
            else:
                found = examine(volume)
                self._judged = (found.verdict, found.reason, found.mask)
                if pictured and found.mask is not None:
                    self._head = found
                if found.mask is not None and self._frame_of_reference:
                    if len(self._known) >= _FRAMES_KEPT:
                        del self._known[next(iter(self._known))]
                    self._known[person, self._frame_of_reference] = found.mask
            self._volume = SeriesVolume()  # the memory is given back
        return self._judged


def faceless_nifti(data: bytes) -> tuple[bytes, list[Action], str, Examined | None]:
    """Return an unpacked NIfTI file without its face, what was done, a note, and the head.

    Raises:
        NeedsReviewError: It may show a face, and a person has to look.
        UnreadableInputError: It is malformed or truncated.
    """
    image = NiftiImage.read(data)
    volume = image.volume() if image is not None else None
    if image is None or volume is None:
        return data, [], TOLD + "it does not say how it lies in the patient", None
    found = examine(volume)
    if found.verdict is Verdict.UNSURE:
        raise NeedsReviewError(f"it may show a face: {found.reason}")
    if found.mask is None:
        return data, [], "", None
    without = b"".join(image.blanked(data, found.mask))
    return without, [Action("image", "face", "mask")], "", found


def _many_frames(header: PixelHeader) -> Faces:
    """Return what is done about one object of many frames, whose places are not read."""
    if header.frames >= _FEWEST and _is_head(header):
        return Faces(shapes={}, hold="a head in many frames, which may show a face")
    return Faces(shapes={}, note=TOLD + "many frames in one object")


def _is_head(header: PixelHeader) -> bool:
    """Tell whether an image is of a head by its header."""
    part = header.body_part.upper()
    return any(head in part for head in _HEADS)


def _scout(header: PixelHeader, place: Slice, frame: NDArray[np.generic]) -> Faces:
    found = scout_face(frame, place.orientation, place.spacing, header.body_part)
    if found is None:
        return Faces(shapes={})
    if found.verdict is Outcome.REVIEW or found.mask is None:
        return Faces(shapes={}, hold="a scout that may show a face from the side")
    return Faces(shapes={0: found.mask}, faceless=True)
