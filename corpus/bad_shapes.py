"""Bad inputs of the wrong shape: polyglots, text, missing meta, wrong VRs, odd names, links."""

import struct
from collections.abc import Iterator

from corpus.bad_base import HEAD, IMPLICIT, body, el, file, meta, pixels, start
from corpus.encode import item
from corpus.hostile import MARKER

__all__ = ["cases"]

_PREAMBLES = {
    "mz": b"MZ\x90\0\3\0\0\0",
    "elf": b"\x7fELF\2\1\1\0",
    "pdf": b"%PDF-1.7\n",
    "tiff": b"II*\0\x08\0\0\0",
    "zip": b"PK\3\4",
    "gif": b"GIF89a",
    "shell": b"#!/bin/sh\nexit 0\n",
    "html": b"<html><script>x</script>",
    "php": b"<?php ?>",
    "java": b"\xca\xfe\xba\xbe",
}


def cases() -> Iterator[tuple[str, bytes | str, str]]:
    """Yield (file name, bytes or a way of making it, expectation)."""
    yield from _containers()
    yield from _contents()
    yield from _folder()


def _containers() -> Iterator[tuple[str, bytes | str, str]]:
    for name, magic in _PREAMBLES.items():
        yield f"polyglot-{name}.dcm", file(preamble=magic + MARKER.encode()), "output"
    yield "text-named.dcm", b"This is a text about " + MARKER.encode() + b"\n", "withheld"
    yield "empty.dcm", b"", "withheld"
    yield "one-byte.dcm", b"D", "withheld"
    yield "only-preamble.dcm", HEAD, "withheld"
    yield "only-meta.dcm", HEAD + meta(), "withheld"
    yield "zeros.dcm", bytes(4096), "withheld"
    yield (
        "random-after-dicm.dcm",
        HEAD + bytes((i * 197 + 31) & 255 for i in range(4000)),
        "withheld",
    )
    yield "html-named.dcm", b"<html><body>" + MARKER.encode() + b"</body></html>", "withheld"
    yield "no-meta-implicit.dcm", body(explicit=False), "either"
    yield "no-meta-explicit.dcm", body(), "either"
    yield "no-preamble-but-dicm.dcm", b"DICM" + meta() + body(), "either"
    yield (
        "meta-without-syntax.dcm",
        HEAD + el(0x00020002, "UI", "1.2.840.10008.5.1.4.1.1.7") + body(),
        "either",
    )
    yield "syntax-unknown.dcm", HEAD + meta("1.2.3.4.5.6") + body(), "either"
    yield "syntax-traversal.dcm", HEAD + meta("../../../etc/passwd") + body(), "withheld"
    yield "syntax-lies-implicit.dcm", HEAD + meta(IMPLICIT) + body(), "either"
    yield "syntax-lies-explicit.dcm", HEAD + meta() + body(explicit=False), "either"


def _contents() -> Iterator[tuple[str, bytes | str, str]]:
    yield (
        "uid-traversal.dcm",
        HEAD + meta(sop="../../../../tmp/evil") + start(sop="../../../../tmp/evil") + pixels(),
        "either",
    )
    yield "uid-of-letters.dcm", HEAD + meta(sop=MARKER) + start(sop=MARKER) + pixels(), "either"
    yield (
        "vr-unknown.dcm",
        file(struct.pack("<HH2sH", 0x0020, 0x4000, b"ZZ", 4) + b"abcd"),
        "either",
    )
    yield "vr-spaces.dcm", file(struct.pack("<HH2sH", 0x0020, 0x4000, b"  ", 4) + b"abcd"), "either"
    yield "vr-nul.dcm", file(struct.pack("<HH2sH", 0x0020, 0x4000, b"\0\0", 4) + b"abcd"), "either"
    yield "vr-sq-with-text.dcm", file(el(0x00209111, "SQ", MARKER)), "either"
    yield (
        "vr-text-with-items.dcm",
        file(el(0x00209111, "LO", item(el(0x00104000, "LT", MARKER)))),
        "either",
    )
    yield "length-odd-text.dcm", file(el(0x00204000, "LT", b"abc")), "output"
    yield "length-odd-pixels.dcm", HEAD + meta() + start() + pixels(data=bytes(63)), "either"
    yield "length-odd-us.dcm", file(el(0x00200111, "US", b"abc")), "either"
    yield "elements-out-of-order.dcm", HEAD + meta() + pixels() + start(), "either"
    twice = el(0x00100010, "PN", f"{MARKER}^Ora") + el(0x00100020, "LO", MARKER)
    yield "elements-twice.dcm", HEAD + meta() + start() + twice + pixels(), "either"
    yield "charset-unknown.dcm", file().replace(b"ISO_IR 100", b"ISO_IR 999"), "either"
    yield "charset-nonsense.dcm", file().replace(b"ISO_IR 100", b"\xff\xfe\\\\\\../x"), "either"
    yield (
        "bytes-not-in-charset.dcm",
        file(el(0x00204000, "LT", b"\x81\x8d\x8f\x90\x1b$B\xff")),
        "either",
    )
    yield (
        "no-sop-class.dcm",
        file().replace(el(0x00080016, "UI", "1.2.840.10008.5.1.4.1.1.7"), b""),
        "either",
    )
    yield "no-identity.dcm", HEAD + meta() + start()[:0] + pixels(), "either"


def _folder() -> Iterator[tuple[str, bytes | str, str]]:
    yield "unreadable.dcm", b"unreadable", "withheld"
    yield "link-outside.dcm", "link:/etc/hostname", "withheld"
    yield "link-dangling.dcm", "link:/nowhere/at/all", "withheld"
    yield "link-loop.dcm", "link:link-loop.dcm", "withheld"
    yield "link-to-parent", "link:..", "withheld"
    yield "pipe.dcm", "fifo", "withheld"
    yield "folder.dcm", "folder", "withheld"
    yield "name\nwith\x1b[31mcontrols.dcm", file(), "output"
    yield "name with spaces & $(echo).dcm", file(), "output"
    yield f"name-of-{MARKER}.dcm", file(), "output"
    yield "-o.dcm", file(), "output"
    yield "fake.jpg", b"\xff\xd8\xff\xe1\xff\xff" + MARKER.encode(), "withheld"
    yield "fake.png", b"\x89PNG\r\n\x1a\n\xff\xff\xff\xffIHDR", "withheld"
    yield "fake.pdf", b"%PDF-1.4\n" + MARKER.encode(), "withheld"
    yield "fake.nii", struct.pack("<L", 348) + bytes(340) + b"n+1\0", "either"
    yield "fake.tif", b"II*\0\xff\xff\xff\xff", "withheld"
