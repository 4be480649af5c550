"""Walk over what a person names: files, folders and, on demand, the members of archives.

The walk opens nothing and follows no link. What it cannot take comes out as an ``Item`` with an
error, so that a run lists it; only what the caller excluded is passed over.
"""

import os
import stat
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from safelight.dicomio.limits import Limits
from safelight.errors import (
    ArchiveError,
    LimitExceededError,
    QuarantineError,
    SafelightError,
    UnreadableInputError,
)
from safelight.intake.files import open_regular, unreadable
from safelight.intake.kinds import HEAD_BYTES, explain, sniff
from safelight.types import Kind, Original

__all__ = ["MEMBER_MARK", "Item", "expand", "walk"]

MEMBER_MARK: Final = "!/"  # between an archive's path and a member's, as in jar: URLs

_MAX_FOLDERS_DEEP: Final = 200  # loops of bind mounts end here


@dataclass(frozen=True, slots=True)
class Item:
    """One input: a file, a member of an archive, or something that cannot be taken.

    Attributes:
        root: What the person named, as a real path.
        relative: POSIX path below the root, unique in a walk; ``scans.zip!/a/b.dcm`` for a member.
        path: Where it really lies; None for a member of an archive.
        size: Bytes; for a member, what the archive says until it is read; -1 when unknown.
        mtime_ns: Modification time in nanoseconds; a member has its archive's.
        error: Why the item cannot be taken; None when it can be read.
        archive: The archive's real path, for a member.
        member: The member's place in the archive, from 0; -1 when not a member.
    """

    root: str
    relative: str
    path: str | None
    size: int
    mtime_ns: int
    error: SafelightError | None = None
    archive: str | None = None
    member: int = -1

    @property
    def name(self) -> str:
        """The last component of the path."""
        return self.relative.rpartition("/")[2]

    @property
    def shown(self) -> str:
        """Where it lies, ``/data/scans.zip!/a/b.dcm`` for a member; for whoever may see it."""
        if self.path is not None:
            return self.path
        member = self.relative.partition(MEMBER_MARK)[2]
        return f"{self.archive}{MEMBER_MARK}{member}" if self.archive else self.relative

    def sniff(self, limits: Limits | None = None) -> Kind:
        """Tell the kind from the first bytes (of a file, or of a member read whole).

        Raises:
            QuarantineError: The item carries an error, or cannot be read.
        """
        return self.look(HEAD_BYTES, limits)[0]

    def look(self, size: int, limits: Limits | None = None) -> tuple[Kind, bytes]:
        """Tell the kind and return the first bytes, read once for both.

        Args:
            size: How many bytes, at least ``HEAD_BYTES``.
            limits: As for ``open``.

        Returns:
            The kind and the head; the head is empty for a member of an archive.

        Raises:
            QuarantineError: The item carries an error, or cannot be read.
        """
        if self.path is None:
            return self.open(limits).kind, b""
        self._check()
        with open_regular(self.path) as file:
            try:
                head = file.read(size)
            except OSError as error:
                raise unreadable(error) from None
        return sniff(head[:HEAD_BYTES], name=self.name, size=self.size), head

    def explain(self, limits: Limits | None = None) -> str:
        """Return one sentence on why the kind is UNKNOWN, for files and members alike.

        Raises:
            QuarantineError: The item carries an error, or cannot be read.
        """
        if self.path is None:
            head = self.open(limits).reveal()[:HEAD_BYTES]
        else:
            head = self.look(HEAD_BYTES, limits)[1]
        return explain(head, name=self.name, size=self.size)

    def open(self, limits: Limits | None = None) -> Original:
        """Read the whole input into memory and tell its kind.

        Args:
            limits: ``decoded_bytes`` bounds the size, ``ratio`` a member's unpacking.

        Raises:
            UnreadableInputError: It cannot be read, or is no longer what the walk saw.
            LimitExceededError: It is larger than ``decoded_bytes``.
            ArchiveError: It is a member that is damaged or not safe.
        """
        self._check()
        limits = limits or Limits()
        data = _read_file(self.path, limits) if self.path else _read_member(self, limits)
        return Original(data, kind=sniff(data[:HEAD_BYTES], name=self.name, size=len(data)))

    def _check(self) -> None:
        if self.error is not None:
            raise self.error


def walk(
    paths: Iterable[str | os.PathLike[str]],
    *,
    limits: Limits | None = None,  # noqa: ARG001 - the seam for bounds on the walk itself
    exclude: Collection[str | os.PathLike[str]] = (),
) -> Iterator[Item]:
    """Yield every file below the paths, once, in an order that depends on the names alone.

    With several paths, ``relative`` starts with the last component of the path it lies below
    (``-2``, ``-3`` … keeps equal ones apart), so that it stays unique.

    Args:
        paths: Files or folders. A path that is itself a link is followed, no other link is.
        limits: Bounds of the run.
        exclude: Folders or files that are not entered, such as the output folder.
    """
    roots = _roots(paths)
    skipped = frozenset(os.path.realpath(path) for path in exclude)
    for root, prefix in roots:
        if root in skipped:
            continue
        try:
            info = os.stat(root)
        except OSError as error:
            yield _refused(root, prefix or os.path.basename(root), root, unreadable(error))
            continue
        if stat.S_ISDIR(info.st_mode):
            yield from _walk_folder(root, prefix, skipped)
        else:
            relative = prefix or os.path.basename(root)
            yield _item(root, relative, root, info)


def expand(item: Item, *, limits: Limits | None = None) -> Iterator[Item]:
    """Yield the members of an archive (an item whose ``sniff`` says ZIP or TAR), in its order.

    A member that is not safe, and an archive that cannot be read, come out as items with an error:
    nothing is raised here and nothing is written to disk. Read members in order: a compressed tar
    is then read once.

    Args:
        item: The archive's item.
        limits: ``members``, ``decoded_bytes``, ``ratio``; an archive in an archive is refused.
    """
    from safelight.intake import archives  # noqa: PLC0415 - start-up cost; most runs have none

    if item.error is not None:
        yield item
        return
    if item.path is None:
        error = ArchiveError("an archive inside an archive is not opened")
        yield _refused(item.root, item.relative, item.path, error)
        return
    try:
        members = archives.listing(item.path, limits or Limits())
    except QuarantineError as error:
        yield _refused(item.root, item.relative, item.path, error)
        return
    for number, member in enumerate(members):
        yield Item(
            root=item.root,
            relative=f"{item.relative}{MEMBER_MARK}{member.name}",
            path=None,
            size=member.size,
            mtime_ns=item.mtime_ns,
            error=member.error,
            archive=item.path,
            member=number,
        )


def _roots(paths: Iterable[str | os.PathLike[str]]) -> list[tuple[str, str]]:
    """Return (real path, prefix of relative names); what lies below another path comes once."""
    real = dict.fromkeys(os.path.realpath(path) for path in paths)
    outer = [path for path in real if not any(parent in real for parent in _parents(path))]
    if len(outer) == 1:
        return [(outer[0], "")]
    bases = [os.path.basename(path) or "root" for path in outer]
    taken = set(bases)
    seen: dict[str, int] = {}
    named: list[tuple[str, str]] = []
    for path, base in zip(outer, bases, strict=True):
        seen[base] = seen.get(base, 0) + 1
        name = base
        while seen[base] > 1 and name in taken:
            name = f"{base}-{seen[base]}"
            seen[base] += name in taken
        taken.add(name)
        named.append((path, name))
    return named


def _parents(path: str) -> Iterator[str]:
    above = os.path.dirname(path)
    while above != path:
        yield above
        path, above = above, os.path.dirname(above)


def _walk_folder(root: str, prefix: str, skipped: frozenset[str]) -> Iterator[Item]:
    # a stack of folders still to do, each pushed in reverse: depth first, names in order
    stack: list[tuple[str, str, int]] = [(root, prefix + "/" if prefix else "", 0)]
    while stack:
        folder, below, depth = stack.pop()
        if depth > _MAX_FOLDERS_DEEP:
            what = f"folders lie more than {_MAX_FOLDERS_DEEP} deep"
            error = LimitExceededError(what, todo="name a folder further down as the source")
            yield _refused(root, below.rstrip("/"), folder, error)
            continue
        try:
            with os.scandir(folder) as entries:
                found = sorted(entries, key=lambda entry: entry.name)
        except OSError as problem:
            name = below.rstrip("/") or os.path.basename(root)
            yield _refused(root, name, folder, unreadable(problem))
            continue
        folders: list[tuple[str, str, int]] = []
        for entry in found:
            path = entry.path
            if path in skipped:
                continue
            relative = below + entry.name
            try:
                info = entry.stat(follow_symlinks=False)
            except OSError as problem:
                yield _refused(root, relative, path, unreadable(problem))
                continue
            if stat.S_ISDIR(info.st_mode):
                folders.append((path, relative + "/", depth + 1))
            else:
                yield _item(root, relative, path, info)
        stack.extend(reversed(folders))


def _item(root: str, relative: str, path: str, info: os.stat_result) -> Item:
    mode = info.st_mode
    if stat.S_ISREG(mode):
        return Item(root, relative, path, info.st_size, info.st_mtime_ns)
    what = "a link, which is not followed" if stat.S_ISLNK(mode) else "not a regular file"
    return _refused(root, relative, path, UnreadableInputError(what))


def _refused(root: str, relative: str, path: str | None, error: SafelightError) -> Item:
    return Item(root, relative, path, -1, 0, error)


def _read_file(path: str, limits: Limits) -> bytes:
    with open_regular(path) as file:
        size = os.fstat(file.fileno()).st_size
        if size > limits.decoded_bytes:
            raise LimitExceededError(f"larger than {limits.decoded_bytes} bytes (decoded_bytes)")
        chunks: list[bytes] = []
        left = size + 1  # one more than there is: a file that grows is noticed
        try:
            while left and (chunk := file.read(min(left, 1 << 24))):
                chunks.append(chunk)
                left -= len(chunk)
        except OSError as error:
            raise unreadable(error) from None
    if left != 1:
        raise UnreadableInputError("the file changed while it was read")
    return chunks[0] if len(chunks) == 1 else b"".join(chunks)


def _read_member(item: Item, limits: Limits) -> bytes:
    from safelight.intake import archives  # noqa: PLC0415 - start-up cost; most runs have none

    if item.archive is None:
        raise UnreadableInputError("the item names no input")
    return archives.read(item.archive, item.member, limits)
