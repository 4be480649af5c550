"""One de-identified input as readers see it: pictures, stored values, and a few header facts.

Readers never open a file and never see an ``Original``: what they look at was checked before.
"""

import io
import logging
import warnings
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, Self

import numpy as np
from numpy.typing import NDArray

from safelight.deid.objects import WALKERS as _WALKERS
from safelight.deid.objects import DicomObject, cut, new_book
from safelight.deid.pixels.photos import MASKED
from safelight.dicomio.lenient import normalise
from safelight.dicomio.limits import Limits
from safelight.dicomio.walker import OddEncodingError
from safelight.errors import LimitExceededError, UnreadableInputError
from safelight.readers import tags
from safelight.readers.frames import DicomFrames, Frames, NiftiFrames, NoFrames, PhotoFrames
from safelight.types import Deidentified, FileSlice, Kind, Painted

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

    from safelight.deid.pixels.header import PixelHeader

__all__ = ["View", "content"]

_DOCUMENTS: Final = frozenset((Kind.PDF, Kind.CDA))
_SEXES: Final = frozenset("FMO")
_YEAR: Final = 365.25


class View:
    """One input; nothing of its pixels is decoded before a picture is asked for.

    Attributes:
        digest: BLAKE3 of the input, hex.
        file_kind: What kind of file it is.
        dataset: Its header as pydicom reads it, without pixel data; None when it is not DICOM.
        frames: Number of pictures; 0 when it has none.
        modality: Modality (0008,0060); empty when it is not said, as all texts below.
        body_part: Body Part Examined (0018,0015).
        view_position: View Position (0018,5101).
        laterality: Image Laterality (0020,0062), else Laterality (0020,0060).
        age: Years, from Patient's Age, else from birth and study date; None when neither is left.
        sex: ``F``, ``M``, ``O`` or empty.
        sop_class: SOP Class UID.
        manufacturer: Manufacturer (0008,0070).
    """

    __slots__ = (
        "_frames",
        "_painted",
        "age",
        "body_part",
        "dataset",
        "digest",
        "file_kind",
        "laterality",
        "manufacturer",
        "modality",
        "sex",
        "sop_class",
        "view_position",
    )

    def __init__(
        self,
        *,
        digest: str,
        file_kind: Kind,
        frames: Frames,
        dataset: "Dataset | None",
        painted: Painted | None = None,
    ) -> None:
        self.digest: Final = digest
        self.file_kind: Final = file_kind
        self.dataset: Final = dataset
        self._frames: Final = frames
        self._painted: Final = painted
        self.modality: Final = tags.text(dataset, "Modality").upper()
        self.body_part: Final = tags.text(dataset, "BodyPartExamined").upper()
        self.view_position: Final = tags.text(dataset, "ViewPosition").upper()
        self.laterality: Final = (
            tags.text(dataset, "ImageLaterality") or tags.text(dataset, "Laterality")
        ).upper()
        self.age: Final = _age(dataset)
        sex = tags.text(dataset, "PatientSex").upper()
        self.sex: Final = sex if sex in _SEXES else ""
        self.sop_class: Final = tags.text(dataset, "SOPClassUID")
        self.manufacturer: Final = tags.text(dataset, "Manufacturer")

    @classmethod
    def of(cls, item: Deidentified, *, limits: Limits | None = None) -> Self:
        """Return the view of one input.

        Args:
            item: It; its bytes are joined, and a slice of a file is read from the file.
            limits: Bounds on what is read and decoded.

        Raises:
            UnreadableInputError: It cannot be parsed, or no reader can look at such a file.
            LimitExceededError: It is larger than the limits allow.
        """
        limits = limits or Limits()
        kind = item.kind
        dataset: Dataset | None = None
        frames: Frames
        if kind is Kind.DICOM:
            dataset, frames = _dicom(content(item, limits), limits)
        elif kind in MASKED:
            frames = PhotoFrames(kind, content(item, limits), limits)
        elif kind in (Kind.NIFTI, Kind.NIFTI_GZ):
            frames = NiftiFrames(kind, content(item, limits), limits)
        elif kind in _DOCUMENTS:
            frames = NoFrames("a document has no picture to look at")
        elif kind is Kind.HEIF:
            frames = NoFrames("nothing here can decode pictures of this format")
        else:
            raise UnreadableInputError("no reader can look at a file of this kind")
        return cls(
            digest=item.digest,
            file_kind=kind,
            frames=frames,
            dataset=dataset,
            painted=item.painted,
        )

    @property
    def frames(self) -> int:
        """Number of pictures."""
        return self._frames.count

    @property
    def middle(self) -> int:
        """Number of the picture that is read, from 0: the one in the middle."""
        frames = self._frames
        return frames.middle if isinstance(frames, NiftiFrames) else frames.count // 2

    @property
    def pixels(self) -> "PixelHeader | None":
        """What the header says of the pixels; None when this is not a DICOM image."""
        frames = self._frames
        return frames.opened.header if isinstance(frames, DicomFrames) else None

    @property
    def why_no_picture(self) -> str:
        """Why there is no picture; empty when there is one."""
        return self._frames.why if isinstance(self._frames, NoFrames) else ""

    def picture(self, index: int = 0) -> NDArray[np.uint8]:
        """Return a frame's grey levels as displayed, shape (rows, columns).

        Raises:
            UnreadableInputError: There is no such frame, or it cannot be decoded.
            LimitExceededError: It takes more than the limits allow.
        """
        return self._frames.picture(self._known(index)).grey

    def rgb(self, index: int = 0) -> NDArray[np.uint8] | None:
        """Return a frame's colours, shape (rows, columns, 3); None for a grey one.

        Raises:
            UnreadableInputError: There is no such frame, or it cannot be decoded.
            LimitExceededError: It takes more than the limits allow.
        """
        return self._frames.picture(self._known(index)).rgb

    def stored(self, index: int = 0) -> NDArray[Any]:
        """Return a frame's stored values, shape (rows, columns) or (rows, columns, samples).

        Raises:
            UnreadableInputError: There is no such frame, or it cannot be decoded.
            LimitExceededError: It takes more than the limits allow.
        """
        return self._frames.stored(self._known(index))

    def painted(self, index: int = 0) -> NDArray[np.bool_] | None:
        """Return where de-identification drew over a frame's pixels, shape (rows, columns).

        None where it drew nothing. Of what was drawn before the input came in, nothing is known.

        Raises:
            UnreadableInputError: There is no such frame.
        """
        found = self._painted.of(self._known(index)) if self._painted is not None else None
        return found if found is not None and found.any() else None

    def _known(self, index: int) -> int:
        frames = self._frames
        if not isinstance(frames, NoFrames) and not 0 <= index < frames.count:
            raise UnreadableInputError(
                f"there is no such frame: it has {frames.count}", place=f"frame {index + 1}"
            )
        return index

    def __repr__(self) -> str:
        return f"View(<{self.file_kind}, {self.frames} frames, blake3 {self.digest[:12]}>)"


def content(item: Deidentified, limits: Limits) -> bytes:
    """Return an input's bytes; slices are read from their files.

    Raises:
        UnreadableInputError: A file has changed or is gone since.
        LimitExceededError: It is larger than ``decoded_bytes``.
    """
    if item.size > limits.decoded_bytes:
        raise LimitExceededError(
            f"it is larger than {limits.decoded_bytes} bytes (limit decoded_bytes)"
        )
    found = bytearray()
    for part in item.parts:
        if isinstance(part, FileSlice):
            try:
                with open(part.path, "rb") as file:  # the path is text
                    file.seek(part.start)
                    found += file.read(part.stop - part.start)
            except OSError as error:
                raise UnreadableInputError(f"it cannot be read ({error.strerror})") from error
        else:
            found += part
    if len(found) != item.size:
        raise UnreadableInputError("the file it is read from has changed since it was checked")
    return bytes(found)


def _dicom(data: bytes, limits: Limits) -> tuple["Dataset", Frames]:
    books = {walker: new_book() for walker in _WALKERS.values()}
    try:
        work = cut(data, "", books, limits)
    except OddEncodingError:
        data = normalise(data, limits)
        work = cut(data, "", books, limits)
    return _header(data), _frames(work, limits)


def _frames(work: DicomObject, limits: Limits) -> Frames:
    """Return the frames; a fault of the pixels is told when one is asked for."""
    try:
        opened = work.opened(limits)
    except UnreadableInputError as error:
        return NoFrames(error.what)
    return NoFrames("it has no pixel data") if opened is None else DicomFrames(opened)


def _header(data: bytes) -> "Dataset":
    """Return the header as pydicom reads it.

    Raises:
        UnreadableInputError: pydicom cannot read it.
    """
    from pydicom import config, dcmread  # noqa: PLC0415  # start-up cost
    from pydicom.errors import InvalidDicomError  # noqa: PLC0415  # start-up cost

    logger = logging.getLogger("pydicom")
    was = logger.disabled
    logger.disabled = True  # it would tell values
    try:
        with warnings.catch_warnings(), config.disable_value_validation():
            warnings.simplefilter("ignore")  # what is doubtful is checked by whoever uses it
            return dcmread(io.BytesIO(data), stop_before_pixels=True, force=True)
    except (InvalidDicomError, ValueError, KeyError, EOFError, OSError, AttributeError, TypeError,
            IndexError, RuntimeError) as error:  # fmt: skip
        raise UnreadableInputError("the header cannot be read") from error
    finally:
        logger.disabled = was


def _age(dataset: "Dataset | None") -> float | None:
    """Return years: from (0010,1010), else between birth and study date where both are left."""
    said = tags.age_years(tags.text(dataset, "PatientAge"))
    if said is not None:
        return said
    born, seen = _day(tags.text(dataset, "PatientBirthDate")), None
    for keyword in ("StudyDate", "SeriesDate", "AcquisitionDate"):
        seen = seen or _day(tags.text(dataset, keyword))
    if born is None or seen is None or seen < born:
        return None
    return (seen - born).days / _YEAR


def _day(written: str) -> datetime | None:
    try:
        return datetime.strptime(written[:8], "%Y%m%d")  # noqa: DTZ007  # a date alone
    except ValueError:
        return None
