"""Plants by value representation: text in every VR, also where no text belongs."""

from corpus.encode import element
from corpus.kinds import register
from corpus.model import Work

__all__: list[str] = []

# public elements off Table E.1-1 or rarely looked at: kind, tag, VR, template
_TEXT: tuple[tuple[str, int, str, str], ...] = (
    ("vr.AE", 0x00404025, "AE", "{tok}"),
    ("vr.CS", 0x00181020, "LO", "{tok}"),
    ("vr.LO-unlisted", 0x00181400, "LO", "Proc {w}"),
    ("vr.LT-unlisted", 0x00400310, "ST", "Dose noted by {w}"),
    ("vr.SH-unlisted", 0x00180022, "CS", "{tok}"),
    ("vr.UC", 0x00080119, "UC", "{tok}{tok}"),
    ("vr.UR", 0x00081190, "UR", "http://{w}.example/studies/{tok}"),
    ("vr.UR-code", 0x00080120, "UR", "urn:{w}:{tok}"),
    ("vr.UT", 0x0040A160, "UT", "Long text about {name} by {w}"),
    ("vr.PN-unlisted", 0x00189074, "LO", "{w}"),
    ("vr.LO-retired", 0x00200010 + 0x3060, "LO", "{w}"),
    ("vr.ST-retired", 0x40084000, "ST", "Note {w}"),
)


def _text(name: str, tag: int, vr: str, template: str) -> None:
    def plant(w: Work) -> bool:
        if tag in w.ds:
            return False
        w.ds.add_new(tag, vr, w.fill(template, f"{tag:08X}"))
        return True

    register(name, plant, every=4)


for _row in _TEXT:
    _text(*_row)


def _raw(
    name: str,
    tag: int,
    vr: str,
    template: str,
    *,
    pad: bytes = b" ",
    every: int = 8,
    odd: bool = False,
) -> None:
    """Register a kind that writes text under ``vr`` as raw bytes."""

    def plant(w: Work) -> bool:
        if tag in w.ds:
            del w.ds[tag]
        value = w.fill(template, f"{tag:08X}").encode()
        step = {"FD": 8, "UL": 4, "FL": 4, "AT": 4, "SL": 4, "OF": 4, "OD": 8, "OL": 4, "OV": 8}
        size = step.get(vr, 2)
        value += pad * (-len(value) % size)
        w.raw.append((tag, element(tag, vr, value, explicit=w.explicit, little=w.little)))
        return True

    register(name, plant, every=every, odd=odd)


_raw("vr.DS-text", 0x00180090, "DS", "{w}")
_raw("vr.IS-text", 0x00200012, "IS", "{w}")
_raw("vr.AS-text", 0x00101010, "AS", "{w}")
_raw("vr.TM-text", 0x00080032, "TM", "{w}", odd=True)
_raw("vr.DA-text", 0x00080022, "DA", "{w}", odd=True)
_raw("vr.DT-text", 0x0008002A, "DT", "{w}")
_raw("vr.UI-text", 0x00081195, "UI", "{w}", pad=b"\0")
_raw("vr.US-bytes", 0x00280108, "US", "{w}", odd=True)
_raw("vr.SS-bytes", 0x00280109, "SS", "{w}", odd=True)
_raw("vr.UL-bytes", 0x00189219, "UL", "{w}", odd=True)
_raw("vr.FD-bytes", 0x00189087, "FD", "{w}", odd=True)
_raw("vr.FL-bytes", 0x00189181, "FL", "{w}", odd=True)
_raw("vr.AT-bytes", 0x00280009, "AT", "{w}", odd=True)
_raw("vr.OB-text", 0x00282000, "OB", "{w} profile by {w2}", every=6)
_raw("vr.OW-text", 0x00281201, "OW", "{w}{w2}", every=8)
_raw("vr.OF-text", 0x00660016, "OF", "{w}{w2}", every=8)
_raw("vr.OD-text", 0x00660022, "OD", "{w}{w2}", every=8)
_raw("vr.OL-text", 0x00660040, "OL", "{w}{w2}", every=8)
_raw("vr.UN-public-known", 0x00081040, "UN", "{w} department", every=6)
_raw("vr.UN-patient-name", 0x00101001, "UN", "{name}^{w}", every=6)
_raw("vr.UN-public-unknown", 0x00090002 + 0x00070000, "UN", "{w} unknown", every=6)
_raw("vr.LO-public-unknown", 0x00189F99, "LO", "{w} unlisted", every=6)
_raw("vr.OB-public-unknown", 0x00289F98, "OB", "{w} unlisted", every=6)
_raw("vr.wrong-vr-PN-as-LO", 0x00081052, "LO", "{w}", every=8)
_raw("vr.wrong-vr-name-as-OB", 0x00081050, "OB", "{w}^{w2}", every=8)
_raw("vr.wrong-vr-date-as-LO", 0x00100032, "LO", "born {w}", every=8)
_raw("vr.retired-comments", 0x00204000 + 0x00006000, "LT", "{w}", every=8)


def _uc_multi(w: Work) -> bool:
    w.ds.add_new(0x00181008, "LO", [w.fill("{w}", "00181008"), "B", w.fill("{w}", "00181008")])
    return True


def _padded(w: Work) -> bool:
    """Plant behind a run of spaces and a NUL, where a viewer shows nothing."""
    text = "HEAD" + " " * 20 + "\0" + w.fill("{w}", "00181030")
    data = text.encode() + b" " * (len(text) % 2)
    if "ProtocolName" in w.ds:
        del w.ds.ProtocolName
        w.key.descriptors[:] = [d for d in w.key.descriptors if d["place"] != "00181030"]
        w.key.needles[:] = [
            n for n in w.key.needles if not (n.place == "00181030" and n.kind != w.kind)
        ]
    w.raw.append(
        (0x00181030, element(0x00181030, "LO", data, explicit=w.explicit, little=w.little))
    )
    return True


def _escape(w: Work) -> bool:
    """Plant between control characters."""
    text = f"\x1b(B{w.fill('{w}', '00081080')}\x07 pain"
    data = text.encode() + b" " * (len(text) % 2)
    w.ds.pop(0x00081080, None)
    w.raw.append(
        (0x00081080, element(0x00081080, "LO", data, explicit=w.explicit, little=w.little))
    )
    return True


def _utf16(w: Work) -> bool:
    """Plant UTF-16 bytes inside a binary element of a known tag."""
    if 0x00420010 in w.ds:
        return False
    data = w.fill("{w} {w2}", "00420010").encode("utf-16-le")
    w.raw.append(
        (0x00420010, element(0x00420010, "ST", data, explicit=w.explicit, little=w.little))
    )
    return True


def _base64(w: Work) -> bool:
    import base64  # noqa: PLC0415 - one kind needs it

    text = w.fill("{w} and {w2} again", "00189423")
    w.ds.add_new(0x00189423, "LO", base64.b64encode(text.encode()).decode())
    return True


register("vr.multi-value-LO", _uc_multi, every=5)
register("vr.text-after-nul", _padded, every=9)
register("vr.control-characters", _escape, every=9)
register("vr.utf-16-in-text", _utf16, every=9)
register("vr.base64-in-text", _base64, every=9)
