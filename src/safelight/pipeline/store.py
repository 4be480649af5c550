"""Safe output: a file is whole under its name or not there at all.

A file is written under a temporary name in its own folder and renamed. There is no fsync per file:
after a power cut, resume compares sizes and ``verify`` compares digests.
"""

import errno
import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from safelight.errors import OutputError, UnreadableInputError
from safelight.types import FileSlice, Part

if TYPE_CHECKING:
    from blake3 import blake3

__all__ = ["HOUSE", "Store", "check_places", "failed", "remove_leftovers"]

HOUSE: Final = "_safelight"  # folder in OUT for the manifest, the report and the lists
_TEMPORARY: Final = ".safelight-"
_IOV_MAX: Final = 1024  # Linux's UIO_MAXIOV; one writev takes no more buffers
_COPY_BYTES: Final = 1 << 20
_FLAGS: Final = (
    os.O_WRONLY
    | os.O_CREAT
    | os.O_TRUNC
    | getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_BINARY", 0)
)
_REASONS: Final = {
    errno.ENOSPC: ("the disk is full", "make room and run the same command again: it resumes"),
    errno.EDQUOT: ("the disk quota is used up", "make room and run the same command again"),
    errno.EFBIG: ("a file is larger than the system allows here", "raise the limit on file size"),
    errno.EROFS: ("the output lies on a read-only file system", "choose another output folder"),
    errno.EACCES: ("no permission to write the output", "change the permissions of the folder"),
    errno.EPERM: ("no permission to write the output", "change the permissions of the folder"),
}


def failed(error: OSError) -> OutputError:
    """Return the error that tells a person why the output cannot be written."""
    what, todo = _REASONS.get(
        error.errno or 0,
        (
            f"the output cannot be written ({os.strerror(error.errno or errno.EIO)})",
            "mend it and run the same command again: it resumes",
        ),
    )
    return OutputError(
        what, kept="what was finished stays; no half-written file was left", todo=todo
    )


class Store:
    """Writes outputs below one folder.

    Args:
        root: The output folder, absolute.
        worker: Number that keeps the temporary names of workers apart.
    """

    __slots__ = ("_folders", "_root", "_temporary", "unlisted")

    def __init__(self, root: str, *, worker: int = 0) -> None:
        self._root = root
        self._temporary = f"{_TEMPORARY}{worker}.part"
        self._folders: dict[str, str] = {}
        self.unlisted: list[str] = []  # written, and the caller has not cleared it yet

    def write(self, name: str, parts: Sequence[Part], digest: str = "") -> int:
        """Write one file and return its size in bytes.

        Args:
            name: Path below the root, with ``/`` between components.
            parts: The bytes, in order; a ``FileSlice`` is streamed.
            digest: BLAKE3 of the bytes that were checked, hex; what is streamed is held against it.

        Raises:
            OutputError: The system refused to write; no partial file is left.
            UnreadableInputError: A slice of the input could not be read to its end, or is not what
                was checked any more.
        """
        folder, _, base = name.rpartition("/")
        place = self._folders.get(folder) or self._make(folder)
        temporary = place + self._temporary
        try:
            descriptor = os.open(temporary, _FLAGS, 0o666)  # the umask decides, as for any file
            try:
                size = self._fill(descriptor, parts, digest)
            finally:
                os.close(descriptor)  # a full network disk reports itself here
            os.replace(temporary, place + base)
            self.unlisted.append(place + base)
        except OSError as error:
            _unlink(temporary)
            raise failed(error) from error
        except BaseException:
            _unlink(temporary)
            raise
        return size

    def take_back(self) -> None:
        """Remove what was written since ``unlisted`` was cleared."""
        for path in self.unlisted:
            _unlink(path)
        self.unlisted.clear()

    def _make(self, folder: str) -> str:
        """Make a folder below the root, following no link inside it; return its path and ``/``."""
        path = self._root
        try:
            for component in filter(None, folder.split("/")):
                path = os.path.join(path, component)
                try:
                    os.mkdir(path)
                except FileExistsError:
                    if os.path.islink(path) or not os.path.isdir(path):
                        raise OutputError(
                            "a folder of the output is a link or a file",
                            todo="give an empty output folder",
                        ) from None
        except OSError as error:
            raise failed(error) from error
        place = os.path.join(path, "")
        self._folders[folder] = place
        return place

    def _fill(self, descriptor: int, parts: Sequence[Part], digest: str) -> int:
        """Write the parts to an open file; return the size in bytes."""
        streamed = any(isinstance(part, FileSlice) for part in parts)
        hasher = _hasher() if digest and streamed else None
        size = 0
        run: list[bytes | memoryview] = []
        for part in parts:
            if isinstance(part, FileSlice):
                size += _write_all(descriptor, run)
                run = []
                size += self._copy(descriptor, part, hasher)
            else:
                run.append(part)
                if hasher is not None:
                    hasher.update(part)
        size += _write_all(descriptor, run)
        if hasher is not None and hasher.hexdigest() != digest:
            raise _unreadable()
        return size

    @staticmethod
    def _copy(descriptor: int, part: FileSlice, hasher: "blake3 | None") -> int:
        """Stream a slice of an input to the open output; memory stays at one block."""
        offset = part.start
        try:
            source = os.open(part.path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
        except OSError as error:
            raise _unreadable() from error
        try:
            while offset < part.stop:
                try:
                    block = os.pread(source, min(_COPY_BYTES, part.stop - offset), offset)
                except OSError as error:
                    raise _unreadable() from error
                if not block:
                    raise _unreadable()
                if hasher is not None:
                    hasher.update(block)
                _write_all(descriptor, [block])
                offset += len(block)
        finally:
            os.close(source)
        return part.stop - part.start


def _hasher() -> "blake3":
    from blake3 import blake3  # noqa: PLC0415  # start-up cost; few outputs are streamed

    return blake3()


def _unreadable() -> UnreadableInputError:
    return UnreadableInputError("the input changed or could not be read while it was copied")


def _write_all(descriptor: int, buffers: list[bytes | memoryview]) -> int:
    """Write every buffer, also where the system takes only a part of them at a time."""
    total = 0
    for start in range(0, len(buffers), _IOV_MAX):
        batch = buffers[start : start + _IOV_MAX]
        wanted = sum(map(len, batch))
        skip = os.writev(descriptor, batch)
        total += wanted
        if skip < wanted:  # a nearly full disk, or more than the 2 GiB one call takes on Linux
            for buffer in batch:
                rest = memoryview(buffer)[skip:]
                skip = max(0, skip - len(buffer))
                while rest:
                    done = os.write(descriptor, rest)
                    rest = rest[done:]
    return total


def _unlink(path: str) -> None:
    try:
        os.unlink(path)
    except OSError:
        return  # was never made, or the folder went away: nothing is left either way


def remove_leftovers(root: str) -> int:
    """Remove the temporary files of a run that was killed; return how many there were."""
    count = 0
    for folder, _, names in os.walk(root):
        for name in names:
            if name.startswith(_TEMPORARY) and name.endswith(".part"):
                _unlink(os.path.join(folder, name))
                count += 1
    return count


def check_places(sources: Sequence[str], out: str) -> None:
    """Refuse an output that lies in a source, a source in the output, and a foreign folder.

    Raises:
        OutputError: One lies in the other, or OUT holds files of somebody else.
    """
    target = os.path.realpath(out)
    for source in sources:
        origin = os.path.realpath(source)
        if origin == target or _inside(target, origin) or _inside(origin, target):
            raise OutputError(
                "the output folder and a source lie in each other",
                kept="nothing was read or written",
                todo="choose an output folder outside of every source",
            )
    try:
        with os.scandir(target) as entries:
            names = {entry.name for entry in entries}
    except FileNotFoundError:
        return
    except OSError as error:
        raise failed(error) from error
    if names and HOUSE not in names:
        raise OutputError(
            "the output folder holds files that no run of Safelight has written",
            kept="nothing was read or written",
            todo="choose a new or empty folder",
        )


def _inside(path: str, folder: str) -> bool:
    return path.startswith(os.path.join(folder, ""))
