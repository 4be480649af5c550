"""The log's two files outside of the database: every signed checkpoint, and a copy of the entries.

Whoever rewrites the database must rewrite these as well, and cannot sign; a database that came back
from an old backup takes from here what it has lost. Entries are commitments: the copy names nobody.
"""

import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Final

from safelight.errors import LogError, OutputError

__all__ = ["CHECKPOINTS", "ENTRIES", "Outside"]

CHECKPOINTS: Final = "checkpoints"
ENTRIES: Final = "entries"
_LENGTH: Final = 2  # bytes before an entry, big-endian, as in the bundles of C2SP tlog-tiles
_GAP: Final = b"\n\n"
_DASH: Final = "\u2014 ".encode()
_TAIL: Final = 1 << 18
_PIECE: Final = 1 << 20


class Outside:
    """A folder of two files that are only ever added to. One writer at a time (``store.lock``).

    Args:
        folder: Made when absent; best on another disk than the database.
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self.folder: Final = os.path.abspath(folder)
        self._checkpoints: Final = os.path.join(self.folder, CHECKPOINTS)
        self._entries: Final = os.path.join(self.folder, ENTRIES)
        self._known = (0, 0)  # entries and bytes that we have walked over ourselves

    def notes(self) -> tuple[list[bytes], bytes]:
        """Return every whole checkpoint note, oldest first, and what follows them: b"" is normal.

        Raises:
            LogError: The file cannot be read.
        """
        return _notes(self._read(self._checkpoints))

    def last(self) -> bytes:
        """Return the newest whole note; empty when there is none.

        Raises:
            LogError: The file cannot be read.
        """
        whole, _ = _notes(self._read(self._checkpoints, _TAIL))
        return whole[-1] if whole else b""

    def add_note(self, note: str) -> None:
        """Add a checkpoint; it is on the disk when this returns.

        What an earlier crash left half-written at the end is cut off: it was never handed out.

        Raises:
            OutputError: It cannot be written; the file is as it was.
        """
        _, rest = _notes(self._read(self._checkpoints, _TAIL))
        end = self._size(self._checkpoints) - len(rest)
        self._write(self._checkpoints, end, [note.encode() + b"\n"])

    def count(self) -> int:
        """Return how many whole entries the copy holds; walks over what is new since last time.

        Raises:
            LogError: The file cannot be read.
        """
        number, at = self._known
        if self._size(self._entries) < at:
            number, at = 0, 0
        for one in self._walk(at):
            number, at = number + 1, at + _LENGTH + len(one)
        self._known = (number, at)
        return number

    def entries(self, start: int = 0) -> Iterator[bytes]:
        """Yield the copied entries from an index on; a cut last one is left out.

        Raises:
            LogError: The file cannot be read.
        """
        for index, one in enumerate(self._walk(0)):
            if index >= start:
                yield one

    def spare(self) -> int:
        """Return how many bytes stand after the last whole entry; 0 is normal."""
        self.count()
        return self._size(self._entries) - self._known[1]

    def add_entries(self, entries: Iterable[bytes]) -> None:
        """Add entries after the last whole one; they are on the disk when this returns.

        Raises:
            OutputError: They cannot be written; the file is as it was.
        """
        self.count()
        self._write(
            self._entries,
            self._known[1],
            (len(one).to_bytes(_LENGTH, "big") + one for one in entries),
        )

    def cut_entries(self, count: int) -> None:
        """Forget copied entries after the first ``count``: they were never signed for."""
        at = sum(_LENGTH + len(one) for _, one in zip(range(count), self._walk(0), strict=False))
        if os.path.exists(self._entries):
            os.truncate(self._entries, at)
        self._known = (0, 0)

    def _size(self, path: str) -> int:
        try:
            return os.stat(path).st_size
        except FileNotFoundError:
            return 0
        except OSError as error:
            raise _unread(error) from None

    def _read(self, path: str, tail: int = 0) -> bytes:
        """Return a file's bytes, or its last ones from the beginning of a note."""
        try:
            with open(path, "rb") as file:
                size = os.fstat(file.fileno()).st_size
                if not tail or size <= tail:
                    return file.read()
                file.seek(size - tail)
                data = file.read()
        except FileNotFoundError:
            return b""
        except OSError as error:
            raise _unread(error) from None
        pieces = data.split(_GAP)[1:]  # the first one may be cut
        return _GAP.join(pieces[1:] if pieces and pieces[0].startswith(_DASH) else pieces)

    def _walk(self, at: int) -> Iterator[bytes]:
        try:
            with open(self._entries, "rb") as file:
                file.seek(at)
                held = b""
                while piece := file.read(_PIECE):
                    held, at = held + piece, 0
                    while len(held) - at >= _LENGTH:
                        stop = at + _LENGTH + int.from_bytes(held[at : at + _LENGTH], "big")
                        if stop > len(held):
                            break
                        yield held[at + _LENGTH : stop]
                        at = stop
                    held = held[at:]
        except FileNotFoundError:
            return
        except OSError as error:
            raise _unread(error) from None

    def _write(self, path: str, end: int, pieces: Iterable[bytes]) -> None:
        try:
            os.makedirs(self.folder, mode=0o700, exist_ok=True)
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)
        except OSError as error:
            raise _unwritten(error) from None
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.truncate(end)
                file.seek(end)
                file.writelines(pieces)
                file.flush()
                os.fsync(file.fileno())
            _keep_name(self.folder)
        except OSError as error:
            with suppress(OSError):  # what was cut or half added goes; the rest stands
                os.truncate(path, end)
            raise _unwritten(error) from None


def _notes(data: bytes) -> tuple[list[bytes], bytes]:
    """Return the whole notes and the rest: a note is text, a gap, signature lines, a gap."""
    pieces = data.split(_GAP)
    pairs = zip(pieces[0:-1:2], pieces[1:-1:2], strict=False)
    whole = [text + _GAP + lines + b"\n" for text, lines in pairs]
    return whole, _GAP.join(pieces[2 * len(whole) :])


def _keep_name(folder: str) -> None:
    """Make a new file's name outlive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _unread(error: OSError) -> LogError:
    return LogError(
        f"the log's files outside of the database cannot be read ({error.strerror})",
        todo="give the folder back, or restore it",
    )


def _unwritten(error: OSError) -> OutputError:
    return OutputError(
        f"the log's files outside of the database cannot be written ({error.strerror})",
        kept="the entries are in the database; no checkpoint was signed for them",
        todo="make room or give write permission; the next checkpoint goes on",
    )
