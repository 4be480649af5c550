"""Bad archives: bombs, traversal, links, too many members, archives in archives."""

import io
import tarfile
import zipfile
from collections.abc import Iterator

from corpus.bad_base import file
from corpus.hostile import MARKER

__all__ = ["cases"]


def _zip(members: dict[str, bytes], *, mode: int = 0) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            info = zipfile.ZipInfo(name, (2020, 1, 1, 0, 0, 0))
            info.compress_type = zipfile.ZIP_DEFLATED
            if mode:
                info.external_attr = mode << 16
            archive.writestr(info, data)
    return out.getvalue()


def _tar(members: list[tuple[str, bytes, bytes, str]]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for name, kind, data, target in members:
            info = tarfile.TarInfo(name)
            info.type, info.size, info.linkname = kind, len(data), target
            archive.addfile(info, io.BytesIO(data))
    return out.getvalue()


def cases(*, small: bool) -> Iterator[tuple[str, bytes | str, str]]:
    """Yield (file name, bytes, expectation)."""
    good = file().replace(b"@@NUM@@", b"0909090")
    size = (16 if small else 1024) << 20
    yield "archive-good.zip", _zip({"a/one.dcm": good}), "either"
    yield "archive-bomb.zip", _zip({"bomb.dcm": good[:132] + bytes(size)}), "withheld"
    yield "archive-many-members.zip", _zip({f"{i}.txt": b"" for i in range(10_050)}), "withheld"
    yield "archive-traversal.zip", _zip({"../../evil.dcm": good}), "withheld"
    yield "archive-absolute.zip", _zip({"/tmp/evil.dcm": good}), "withheld"  # noqa: S108 - a name inside an archive
    yield "archive-backslashes.zip", _zip({"..\\..\\evil.dcm": good}), "withheld"
    yield "archive-link.zip", _zip({"link.dcm": b"/etc/hostname"}, mode=0o120777), "withheld"
    yield "archive-in-archive.zip", _zip({"inner.zip": _zip({"a.dcm": good})}), "withheld"
    yield "archive-name-marker.zip", _zip({f"{MARKER}/x.txt": MARKER.encode()}), "withheld"
    yield "archive-comment.zip", _zip({"notes.txt": MARKER.encode()}), "withheld"
    yield "archive-cut.zip", _zip({"a.dcm": good})[:-30], "withheld"
    yield "archive-good.tar", _tar([("a.dcm", tarfile.REGTYPE, good, "")]), "either"
    yield "archive-traversal.tar", _tar([("../evil.dcm", tarfile.REGTYPE, good, "")]), "withheld"
    yield (
        "archive-symlink.tar",
        _tar([("l.dcm", tarfile.SYMTYPE, b"", "/etc/hostname")]),
        "withheld",
    )
    yield (
        "archive-hardlink.tar",
        _tar([("l.dcm", tarfile.LNKTYPE, b"", "/etc/hostname")]),
        "withheld",
    )
    yield "archive-device.tar", _tar([("null.dcm", tarfile.CHRTYPE, b"", "")]), "withheld"
    yield "archive-pipe.tar", _tar([("pipe.dcm", tarfile.FIFOTYPE, b"", "")]), "withheld"
