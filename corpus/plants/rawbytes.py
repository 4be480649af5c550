"""Plants in bytes that are no attribute's value: meta, preamble, padding, overlays, streams."""

import struct

from pydicom.encaps import encapsulate, generate_frames

from corpus.encode import element, item
from corpus.kinds import kind
from corpus.model import Work

__all__: list[str] = []

PIXELS = ("CT", "MR", "PT", "NM", "CR", "DX", "MG", "US", "SC", "ENH")
_JPEG = {
    "1.2.840.10008.1.2.4.50",
    "1.2.840.10008.1.2.4.51",
    "1.2.840.10008.1.2.4.57",
    "1.2.840.10008.1.2.4.70",
    "1.2.840.10008.1.2.4.80",
    "1.2.840.10008.1.2.4.81",
}
_J2K = {"1.2.840.10008.1.2.4.90", "1.2.840.10008.1.2.4.91"}


def _even(data: bytes) -> bytes:
    return data + b" " * (len(data) % 2)


def _splice(w: Work, tag: int, vr: str, value: bytes) -> None:
    w.raw.append((tag, element(tag, vr, value, explicit=w.explicit, little=w.little)))


@kind("bytes.preamble", every=4)
def _preamble(w: Work) -> bool:
    w.preamble = w.fill("{w} {name} {tok}", "preamble").encode()[:128].ljust(128, b"\0")
    return True


@kind("bytes.preamble-tiff", every=7)
def _tiff(w: Work) -> bool:
    w.preamble = (b"II*\0\x08\0\0\0" + w.fill("{w}", "preamble").encode()).ljust(128, b"\0")
    return True


@kind("meta.ae-titles", every=3)
def _ae(w: Work) -> bool:
    w.meta.SourceApplicationEntityTitle = w.fill("{tok}", "00020016")
    w.meta.add_new(0x00020017, "AE", w.fill("{tok}", "00020017"))
    w.meta.add_new(0x00020018, "AE", w.fill("{tok}", "00020018"))
    return True


@kind("meta.private-information", every=3)
def _meta_private(w: Work) -> bool:
    w.meta.PrivateInformationCreatorUID = w.uid()
    w.plant(str(w.meta.PrivateInformationCreatorUID), "00020100", "uid")
    w.meta.PrivateInformation = _even(w.fill("{name} {w}", "00020102").encode())
    return True


@kind("meta.implementation", every=3)
def _implementation(w: Work) -> bool:
    w.meta.ImplementationVersionName = w.fill("{tok}", "00020013")
    w.meta.ImplementationClassUID = w.uid()
    w.plant(str(w.meta.ImplementationClassUID), "00020012", "uid")
    return True


@kind("meta.presentation-addresses", every=5)
def _addresses(w: Work) -> bool:
    w.meta.add_new(0x00020026, "UR", w.fill("http://{w}.example/{tok}", "00020026"))
    w.meta.add_new(0x00020027, "UR", w.fill("http://{w}.example/", "00020027"))
    return True


@kind("meta.unknown-element", every=8, odd=True)
def _meta_unknown(w: Work) -> bool:
    w.meta.add_new(0x00020099, "LO", w.fill("{w}", "00020099"))
    return True


@kind("bytes.trailing-padding-element", every=4)
def _padding(w: Work) -> bool:
    _splice(w, 0xFFFCFFFC, "OB", _even(w.fill("{w} {name}", "FFFCFFFC").encode()) + bytes(40))
    return True


@kind("bytes.after-the-end", every=6, odd=True)
def _tail(w: Work) -> bool:
    w.tail = b"\0\0\0\0" + _even(w.fill("{w} {w2}", "tail").encode())
    return True


@kind("bytes.group-length", every=5)
def _group_length(w: Work) -> bool:
    """Plant four bytes at a time in group length elements of odd size."""
    _splice(w, 0x00100000, "UL", _even(w.fill("{w}", "00100000").encode()))
    return True


@kind("bytes.command-group", every=8, odd=True)
def _command(w: Work) -> bool:
    _splice(w, 0x00040000 + 0x1220, "LO", _even(w.fill("{w}", "00041220").encode()))
    return True


@kind("bytes.item-delimiter-value", every=8, odd=True)
def _delimiter(w: Work) -> bool:
    """Plant in the value of an item delimiter, whose length should be zero."""
    if not w.little:
        return False
    secret = _even(w.fill("{w}", "00081250").encode())
    inner = element(0x00080060, "CS", b"CT", explicit=w.explicit)
    body = item(inner, length=0xFFFFFFFF)
    body += struct.pack("<HHL", 0xFFFE, 0xE00D, len(secret)) + secret
    body += struct.pack("<HHL", 0xFFFE, 0xE0DD, 0)
    w.raw.append(
        (0x00081250, element(0x00081250, "SQ", body, explicit=w.explicit, length=0xFFFFFFFF))
    )
    return True


@kind("bytes.sequence-delimiter-value", every=8, odd=True)
def _sequence_delimiter(w: Work) -> bool:
    if not w.little:
        return False
    secret = _even(w.fill("{w}", "00081252").encode())
    body = item(element(0x00080060, "CS", b"CT", explicit=w.explicit))
    body += struct.pack("<HHL", 0xFFFE, 0xE0DD, len(secret)) + secret
    w.raw.append(
        (0x00081252, element(0x00081252, "SQ", body, explicit=w.explicit, length=0xFFFFFFFF))
    )
    return True


@kind("bytes.odd-length-value", every=8, odd=True)
def _odd(w: Work) -> bool:
    data = w.fill("{w}", "00081060").encode()
    w.ds.pop(0x00081060, None)
    _splice(w, 0x00081060, "PN", data + b"x" * (1 - len(data) % 2))
    return True


def _overlay_module(w: Work, group: int) -> None:
    ds = w.ds
    ds.add_new((group, 0x0010), "US", 16)
    ds.add_new((group, 0x0011), "US", 16)
    ds.add_new((group, 0x0040), "CS", "G")
    ds.add_new((group, 0x0050), "SS", [1, 1])
    ds.add_new((group, 0x0100), "US", 1)
    ds.add_new((group, 0x0102), "US", 0)


@kind("overlay.text", families=PIXELS, every=3)
def _overlay(w: Work) -> bool:
    _overlay_module(w, 0x6000)
    w.ds.add_new((0x6000, 0x0022), "LO", w.fill("Overlay {w}", "6000"))
    w.ds.add_new((0x6000, 0x1500), "LO", w.fill("{name}", "6000"))
    w.ds.add_new((0x6000, 0x3000), "OW", bytes(32))
    w.ds.add_new((0x6000, 0x4000), "LT", w.fill("{w} remark", "6000"))
    return True


@kind("overlay.bits", families=PIXELS, every=3)
def _overlay_bits(w: Work) -> bool:
    _overlay_module(w, 0x6002)
    bits = w.fill("{w}{w2}{tok}", "6002").encode()[:32].ljust(32, b"\0")
    w.ds.add_new((0x6002, 0x3000), "OW", bits)
    return True


@kind("overlay.high-group", families=PIXELS, every=6)
def _overlay_high(w: Work) -> bool:
    _overlay_module(w, 0x601E)
    w.ds.add_new((0x601E, 0x0022), "LO", w.fill("{w}", "601E"))
    w.ds.add_new((0x601E, 0x3000), "OW", bytes(32))
    return True


@kind("curve.data-and-text", every=4)
def _curve(w: Work) -> bool:
    group = 0x5000
    w.ds.add_new((group, 0x0005), "US", 1)
    w.ds.add_new((group, 0x0020), "CS", "TAC")
    w.ds.add_new((group, 0x0022), "LO", w.fill("{w}", "5000"))
    w.ds.add_new((group, 0x0040), "SH", w.fill("{tok}", "5000"))
    w.ds.add_new((group, 0x2500), "LO", w.fill("{name}", "5000"))
    w.ds.add_new((group, 0x3000), "OW", _even(w.fill("{w}{w2}", "5000").encode()))
    return True


@kind("curve.high-group", every=8)
def _curve_high(w: Work) -> bool:
    w.ds.add_new((0x501E, 0x2610), "US", 1)
    w.ds.add_new((0x501E, 0x0022), "LO", w.fill("{w}", "501E"))
    return True


@kind("audio.samples-and-comments", every=6)
def _audio(w: Work) -> bool:
    w.ds.add_new(0x50002000, "US", 1)
    w.ds.add_new(0x5000200C, "OW", _even(w.fill("{w}{w2}", "5000").encode()))
    w.ds.add_new(0x5000200E, "LT", w.fill("Dictated by {w}", "5000"))
    return True


@kind("signature.digital", every=4)
def _signature(w: Work) -> bool:
    from pydicom.dataset import Dataset  # noqa: PLC0415 - the only data set here

    ds = Dataset()
    ds.DigitalSignatureUID = w.uid()
    w.plant(str(ds.DigitalSignatureUID), "FFFAFFFA", "uid")
    ds.DigitalSignatureDateTime = "20190102030405"
    ds.CertificateType = "X509_1993_SIG"
    ds.CertificateOfSigner = _even(w.fill("CN={w} {w2}", "FFFAFFFA").encode())
    ds.Signature = bytes(16)
    w.ds.add_new(0xFFFAFFFA, "SQ", [ds])
    mac = Dataset()
    mac.MACIDNumber, mac.MACAlgorithm = 1, w.fill("{tok}", "4FFE0001")
    w.ds.add_new(0x4FFE0001, "SQ", [mac])
    return True


@kind("encrypted.attributes", every=5)
def _encrypted(w: Work) -> bool:
    from pydicom.dataset import Dataset  # noqa: PLC0415 - as above

    ds = Dataset()
    ds.EncryptedContentTransferSyntaxUID = "1.2.840.10008.1.2.1"
    ds.EncryptedContent = _even(w.fill("{w} {w2}", "04000500").encode())
    w.ds.EncryptedAttributesSequence = [ds]
    return True


@kind("icc.description", families=PIXELS, every=4)
def _icc(w: Work) -> bool:
    """Plant in the description and copyright of a colour profile of the right shape."""
    desc = (
        b"desc"
        + bytes(4)
        + struct.pack(">L", 40)
        + w.fill("{w} {w2}", "00282000").encode()[:39].ljust(68, b"\0")
    )
    note = b"text" + bytes(4) + w.fill("(c) {w}", "00282000").encode().ljust(40, b"\0")
    table = struct.pack(
        ">L4sLL4sLL", 2, b"desc", 156, len(desc), b"cprt", 156 + len(desc), len(note)
    )
    body = bytes(36) + b"acsp" + bytes(88) + table + desc + note
    profile = struct.pack(">L", len(body)) + body[4:8] + bytes(4) + b"mntrRGB XYZ " + body[24:]
    w.raw[:] = [piece for piece in w.raw if piece[0] != 0x00282000]
    w.key.needles[:] = [n for n in w.key.needles if n.place != "00282000" or n.kind == w.kind]
    _splice(w, 0x00282000, "OB", profile + b"\0" * (len(profile) % 2))
    return True


@kind("pixels.unused-bytes", families=PIXELS, every=7, odd=True)
def _unused(w: Work) -> bool:
    """Plant behind the last pixel of native pixel data."""
    elem = w.ds.get(0x7FE00010)
    if elem is None or elem.is_undefined_length or isinstance(elem.value, list):
        return False
    elem.value = elem.value + _even(w.fill("{w} {w2}", "7FE00010").encode())
    return True


def _frames(w: Work) -> list[bytes]:
    count = int(w.ds.get("NumberOfFrames", 1) or 1)
    return list(generate_frames(w.ds.PixelData, number_of_frames=count))


def _set_frames(w: Work, frames: list[bytes]) -> None:
    w.ds.PixelData = encapsulate(frames)
    w.ds["PixelData"].is_undefined_length = True


@kind("codestream.jpeg-comment", every=1)
def _comment(w: Work) -> bool:
    if w.plan.syntax not in _JPEG:
        return False
    text = w.fill("{name} {w}", "7FE00010").encode()
    segment = b"\xff\xfe" + struct.pack(">H", len(text) + 2) + text
    _set_frames(w, [_even(f[:2] + segment + f[2:].rstrip(b"\0")) for f in _frames(w)])
    return True


@kind("codestream.jpeg-app1", every=2)
def _app1(w: Work) -> bool:
    if w.plan.syntax not in _JPEG:
        return False
    text = b"Exif\0\0" + w.fill("{w} {w2}", "7FE00010").encode()
    segment = b"\xff\xe1" + struct.pack(">H", len(text) + 2) + text
    _set_frames(w, [_even(f[:2] + segment + f[2:].rstrip(b"\0")) for f in _frames(w)])
    return True


@kind("codestream.jpeg2000-comment", every=1)
def _j2k(w: Work) -> bool:
    """Plant a COM marker segment right after SIZ."""
    if w.plan.syntax not in _J2K:
        return False
    text = w.fill("{w} {w2}", "7FE00010").encode()
    segment = b"\xff\x64" + struct.pack(">HH", len(text) + 4, 1) + text
    out = []
    for frame in _frames(w):
        at = frame.find(b"\xff\x51")
        stop = at + 2 + struct.unpack(">H", frame[at + 2 : at + 4])[0]
        out.append(_even(frame[:stop] + segment + frame[stop:]))
    _set_frames(w, out)
    return True


@kind("fragments.offset-table", every=2, odd=True)
def _offsets(w: Work) -> bool:
    """Plant in a Basic Offset Table that should hold offsets."""
    elem = w.ds.get(0x7FE00010)
    if elem is None or not elem.is_undefined_length:
        return False
    secret = w.fill("{w}{w2}", "7FE00010").encode()
    secret += b"\0" * (-len(secret) % 4)
    w.ds.PixelData = item(secret) + b"".join(item(f + b"\0" * (len(f) % 2)) for f in _frames(w))
    w.ds["PixelData"].is_undefined_length = True
    return True


@kind("fragments.extra-fragment", every=2, odd=True)
def _extra(w: Work) -> bool:
    elem = w.ds.get(0x7FE00010)
    if elem is None or not elem.is_undefined_length or w.plan.index % 2:
        return False
    w.ds.PixelData = w.ds.PixelData + item(_even(w.fill("{w} {w2}", "7FE00010").encode()))
    w.ds["PixelData"].is_undefined_length = True
    return True


@kind("fragments.after-end-of-image", every=2, odd=True)
def _after_eoi(w: Work) -> bool:
    elem = w.ds.get(0x7FE00010)
    if elem is None or w.plan.syntax not in _JPEG:
        return False
    text = _even(w.fill("{w}", "7FE00010").encode())
    _set_frames(w, [f + text for f in _frames(w)])
    return True
