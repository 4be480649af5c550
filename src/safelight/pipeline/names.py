"""Names of outputs: a component of the input's path stays where it is proven harmless.

Proven means that the text engine leaves it as it is, or that it is a counter of the kind scanners
and exporters make (``IM0001``, ``SE3``). Anything else becomes a keyed code; a UID becomes the UID
that stands for it in the data. Equal inputs get equal names on every machine with the same key.
"""

import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from itertools import accumulate
from typing import Final
from unicodedata import normalize

from safelight.pipeline.store import HOUSE
from safelight.types import Kind

__all__ = ["Namer", "claim", "split"]

_EXTENSIONS: Final[dict[Kind, tuple[str, ...]]] = {  # the first is used where a wrong one stood
    Kind.DICOM: (".dcm", ".dicom", ".ima", ""),
    Kind.DICOMDIR: ("",),
    Kind.JPEG: (".jpg", ".jpeg", ".jpe", ".jfif"),
    Kind.PNG: (".png",),
    Kind.GIF: (".gif",),
    Kind.TIFF: (".tif", ".tiff"),
    Kind.WEBP: (".webp",),
    Kind.BMP: (".bmp", ".dib"),
    Kind.HEIF: (".heic", ".heif", ".hif", ".avif"),
    Kind.NIFTI: (".nii", ".hdr", ".img"),
    Kind.NIFTI_GZ: (".nii.gz",),
    Kind.SIDECAR: (".json",),
    Kind.PDF: (".pdf",),
    Kind.CDA: (".xml", ".cda"),
}
_KNOWN: Final = frozenset(e for group in _EXTENSIONS.values() for e in group if e) | {
    *(".txt", ".bin", ".dat", ".tmp", ".bak", ".gz", ".zip", ".tar", ".htm", ".html", ".exe"),
}
_SUFFIX: Final = re.compile(r"(?:\.nii)?\.[A-Za-z]{1,8}$|(?<=.)\.nii\.gz$", re.IGNORECASE)
_COUNTER: Final = re.compile(
    r"(?!.*(?:19|20)\d\d)"  # may be a year
    r"(?:(?:I|IM|IMG|IMAGE|IMAGES|S|SE|SER|SERIES|ST|STU|STUDY|STUDIES|PA|PAT|F|FRAME|SLICE|SL|"
    r"VOL|VOLUME|DCM|DICOM|CT|MR|MRI|PT|PET|US|CR|DX|MG|NM|XA|RF|SC|SR|SEG|OT|Z)"
    r"[-_ ]?0{0,7}\d{1,4}(?:[-_]0{0,7}\d{1,4})?|0{0,7}\d{1,4})",
    re.IGNORECASE,
)
_UID: Final = re.compile(r"((?:[A-Za-z]{2,12}[._-])?)([0-2](?:\.(?:0|[1-9]\d*)){4,})")
_SAFE: Final = re.compile(r"\w[\w .,+#()=-]*")  # a leading sign would be a formula in a spreadsheet
_MEDIA_ID: Final = re.compile(r"[A-Z0-9_]{1,8}")  # PS3.10 8.2: characters of a file ID
_UID_MAX: Final = 64
_NAME_MAX: Final = 100
_MEDIA_ID_MAX: Final = 8


def split(name: str, kind: Kind) -> tuple[str, str]:
    """Return (stem, extension) of a file name; the extension is the one that fits the kind.

    A name without an extension keeps none if the kind allows it (files of a CD).
    """
    match = _SUFFIX.search(name)
    found = match.group().lower() if match and match.start() > 0 else ""
    if found not in _KNOWN:
        found = ""
    stem = name[: len(name) - len(found)] if found else name
    allowed = _EXTENSIONS.get(kind, ("",))
    return stem, found if found in allowed else allowed[0]


def claim(relative: str, kind: Kind | None, *, copy: int = 0) -> str:
    """Return what two inputs must not share, or their outputs would have one name.

    Case is folded and accents are joined to their letters, since some file systems do not tell such
    names apart.

    Args:
        relative: The input's path below its source, or a folder's.
        kind: What the input is; None for a folder.
        copy: As in ``Namer.name``.
    """
    folder, _, name = relative.rpartition("/")
    if kind is not None:
        stem, extension = split(name, kind)
        name = f"{stem}-{copy + 1}{extension}" if copy else f"{stem}{extension}"
    elif name.endswith("!"):
        name = f"{name.removesuffix('!')}.d"
    place = f"{folder}/".replace("!/", ".d/") if folder else ""  # as in ``Namer._folder``
    return normalize("NFC", f"{place}{name}".casefold())


class Namer:
    """Names the outputs of one person.

    Args:
        unchanged: Tells whether a text is left as it is by the person's text engine.
        spans: Gives where values of the person, and dates, stand in a path, by start and stop.
        code: Gives a keyed code of some length for a component.
        uid: Gives the UID that stands for a UID in the outputs.
    """

    __slots__ = ("_code", "_memory", "_spans", "_uid", "_unchanged")

    def __init__(
        self,
        *,
        unchanged: Callable[[str], bool],
        spans: Callable[[str], Iterable[tuple[int, int]]],
        code: Callable[[str, int], str],
        uid: Callable[[str], str],
    ) -> None:
        self._unchanged = unchanged
        self._spans = spans
        self._code = code
        self._uid = uid
        self._memory: dict[str, str] = {}

    def name(self, relative: str, kind: Kind, *, copy: int = 0) -> str:
        """Return the output's path below OUT.

        Args:
            relative: The input's path below its source; ``a.zip!/b`` for a member.
            kind: What the input is.
            copy: 0, or the number that tells it from others of that name.
        """
        folder, _, name = relative.rpartition("/")
        place = self._memory.get(folder)
        if place is None:
            parts = folder.split("/") if folder else []
            cut = self._cut(parts)
            folders = [
                self._code(part, 10) if at in cut else self._folder(part)
                for at, part in enumerate(parts)
            ]
            place = "".join(f"{each}/" for each in folders)
            self._memory[folder] = place
        if kind is Kind.DICOMDIR:
            return f"{place}DICOMDIR"
        stem, extension = split(name, kind)
        digits = folder[-1:].isdecimal() and stem[:1].isdecimal()
        if digits and len(parts := folder.split("/")) in self._cut([*parts, stem]):
            stem = self._code(stem, 10)
        else:
            stem = self._component(stem)
        return f"{place}{stem}-{copy + 1}{extension}" if copy else f"{place}{stem}{extension}"

    def _cut(self, parts: Sequence[str]) -> set[int]:
        """Return which components share a value: ``44/71/90`` is a number, 2019/03/10 a day."""
        found: set[int] = set()
        if len(parts) > 1:
            ends = list(accumulate(len(part) + 1 for part in parts))
            for start, stop in self._spans("/".join(parts)):
                touched = range(bisect_right(ends, start), bisect_right(ends, stop - 1) + 1)
                found.update(touched if len(touched) > 1 else ())
        return found

    def _folder(self, component: str) -> str:
        """Return the name of a folder, which an archive becomes too."""
        if component in ("", ".", "..", HOUSE):
            return self._code(component, 10)
        archive = component.endswith("!")
        kept = self._component(component.removesuffix("!"))
        return f"{kept}.d" if archive else kept

    def _component(self, text: str) -> str:
        if uid := _UID.fullmatch(text):
            prefix, old = uid.groups()
            if len(old) <= _UID_MAX and (not prefix or self._unchanged(prefix[:-1])):
                return prefix + self._uid(old)
        if (
            len(text) <= _NAME_MAX
            and _SAFE.fullmatch(text)
            and text.strip(". ") == text
            and (self._unchanged(text))
        ):
            return text
        media = len(text) <= _MEDIA_ID_MAX and _MEDIA_ID.fullmatch(text)
        return self._code(text, _MEDIA_ID_MAX if media else 10)


def is_counter(text: str) -> bool:
    """Tell whether a name is a counter such as ``IM0001``, which says nothing of anyone."""
    return _COUNTER.fullmatch(text) is not None
