"""What ZIP and tar readers share: a member's description and the test of its path."""

import re
from dataclasses import dataclass
from typing import Final

from safelight.errors import ArchiveError, QuarantineError

__all__ = ["RATIO_FLOOR", "Member", "safe_name"]

RATIO_FLOOR: Final = 1 << 20  # below a mebibyte a high ratio is a blank image, not a bomb

_DRIVE: Final = re.compile(r"[A-Za-z]:")


@dataclass(frozen=True, slots=True)
class Member:
    """One member of an archive.

    Attributes:
        name: POSIX path inside the archive; ``unsafe-000007`` where the true one is not safe.
        size: Bytes after unpacking, as the archive says; -1 when unknown.
        error: Why it cannot be taken; None when it can be read.
    """

    name: str
    size: int
    error: QuarantineError | None = None


def safe_name(name: str, number: int) -> tuple[str, ArchiveError | None]:
    """Return a member's path in POSIX form, and what is wrong with it.

    A path is refused when it could leave the place it is read to on any system: absolute, with a
    drive letter, ``..``, or a NUL. Backslashes count as separators.
    """
    parts = name.replace("\\", "/").split("/")
    if parts[0] == "" or _DRIVE.match(parts[0]) or ".." in parts or "\0" in name:
        return f"unsafe-{number:06}", ArchiveError("the member's path leaves the archive")
    plain = "/".join(part for part in parts if part not in ("", "."))
    if not plain:
        return f"unsafe-{number:06}", ArchiveError("the member has no name")
    return plain, None
