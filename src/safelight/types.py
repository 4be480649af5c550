"""The values that pass between rooms; the two that carry the promise are here."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final, NoReturn, Protocol, final

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["Action", "Deidentified", "FileSlice", "Kind", "Original", "Painted", "Part", "Status"]


class Kind(StrEnum):
    """What an input is, decided from its bytes and never from its name alone."""

    DICOM = "dicom"
    DICOMDIR = "dicomdir"
    JPEG = "jpeg"
    PNG = "png"
    GIF = "gif"
    TIFF = "tiff"
    WEBP = "webp"
    BMP = "bmp"
    HEIF = "heif"
    NIFTI = "nifti"
    NIFTI_GZ = "nifti-gz"
    SIDECAR = "sidecar"  # JSON sidecar of a NIfTI file (BIDS)
    PDF = "pdf"
    CDA = "cda"
    ZIP = "zip"
    TAR = "tar"
    UNKNOWN = "unknown"


class Status(StrEnum):
    """How an input ended. Every input ends in exactly one of these."""

    DONE = "done"
    REVIEW = "review"
    QUARANTINE = "quarantine"


@final
class Original:
    """Bytes that may identify someone. Held by intake, deid and the vault alone.

    Its ``repr`` shows only a length, it cannot be pickled, hashed or compared, and nothing but
    ``reveal`` hands the bytes out.
    """

    __slots__ = ("__data", "kind")
    __hash__ = None  # type: ignore[assignment]  # how Python spells "cannot be hashed"

    def __init__(self, data: bytes, *, kind: Kind) -> None:
        self.__data: Final = data
        self.kind: Final = kind

    def reveal(self) -> bytes:
        """Return the bytes; import-linter and a test keep the callers few."""
        return self.__data

    def __len__(self) -> int:
        return len(self.__data)

    def __repr__(self) -> str:
        return f"Original(<{len(self.__data)} bytes, {self.kind}>)"

    def __eq__(self, other: object) -> bool:
        return self is other

    def __reduce__(self) -> NoReturn:
        raise TypeError("an Original is never pickled")


@dataclass(frozen=True, slots=True)
class FileSlice:
    """A run of bytes still in the input file: copied by streaming, never held whole.

    Attributes:
        path: The input file.
        start: First byte, inclusive, in bytes from the start of the file.
        stop: Last byte, exclusive.
    """

    path: str
    start: int
    stop: int


Part = bytes | memoryview | FileSlice


@dataclass(frozen=True, slots=True)
class Action:
    """One thing that was done to one place of one input.

    Attributes:
        place: Tag path (``(0040,0275)[0].(0040,0007)``) or part name (``EXIF.GPS``, ``preamble``).
        rule: Why, e.g. ``E.1-1 X``, ``text: name of the subject``, ``private: not known safe``.
        action: ``remove``, ``empty``, ``replace``, ``clean``, ``shift``, ``rebuild`` or ``mask``.
        digest: Keyed digest of the value that stood there (hex); never the value.
    """

    place: str
    rule: str
    action: str
    digest: str = ""


class Painted(Protocol):
    """Where pixels of an image were drawn over."""

    def of(self, frame: int) -> "NDArray[np.bool_]":
        """Return a frame's mask, shape (rows, columns); frames are counted from 0."""
        ...


_SEAL: Final = object()


@final
class Deidentified:
    """An object whose identity is off and was checked to be off.

    Built in one place only, ``safelight.deid.residual``; a test forbids other call sites.

    Attributes:
        kind: What it is.
        parts: The output, in order. A ``FileSlice`` here holds pixel bytes that passed the sweep.
        manifest: What was done, as one JSON object (``deid.manifest``); the ledger signs it.
        acts: What was done, for counting: one string for each top-level place, its lines are
            ``place TAB rule TAB action`` without item numbers and digests; equal acts are equal
            strings, so that a ``Counter`` over a million objects stays small and cheap.
        digest: BLAKE3 of the whole output, hex.
        size: Of the whole output, in bytes.
        painted: Where pixels were drawn over, so that nobody measures there; None where none were.
    """

    __slots__ = ("acts", "digest", "kind", "manifest", "painted", "parts", "size")

    def __init__(
        self,
        seal: object,
        *,
        kind: Kind,
        parts: Sequence[Part],
        manifest: bytes,
        acts: Sequence[str],
        digest: str,
        size: int,
        painted: Painted | None = None,
    ) -> None:
        if seal is not _SEAL:
            raise TypeError("only the residual check makes a Deidentified")
        self.kind: Final = kind
        self.parts: Final = tuple(parts)
        self.manifest: Final = manifest
        self.acts: Final = tuple(acts)
        self.digest: Final = digest
        self.size: Final = size
        self.painted: Final = painted

    def __repr__(self) -> str:
        return f"Deidentified(<{self.kind}, blake3 {self.digest[:12]}>)"
