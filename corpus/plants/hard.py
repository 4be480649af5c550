"""Plants that get past cleaners which look for names one way only."""

import unicodedata
from collections.abc import Callable

from pydicom.dataset import Dataset
from pydicom.sequence import Sequence as Items

from corpus.bases import code
from corpus.encode import element
from corpus.kinds import kind, register
from corpus.model import Work
from corpus.plants.freetext import put

__all__: list[str] = []


def _said(name: str, template: str, every: int = 8) -> None:
    """Register a sentence with unique words in it."""

    def plant(w: Work) -> bool:
        put(w, lambda place: w.fill(template, place))
        return True

    register(name, plant, every=every)


for _name, _text in (
    ("hard.seen-by", "seen by {w}"),
    ("hard.per", "per {w}, no change"),
    ("hard.initials-and-name", "J.R. {w} present"),
    ("hard.name-then-credentials", "{w} {w2} MD PhD FRCR"),
    ("hard.daughter", "daughter {w} called"),
    ("hard.lower-no-title", "spoke to {w} about CT"),
    ("hard.tab-separated", "pat\t{w}\t{w2}"),
    ("hard.line-broken", "No change since\r\n{w}"),
    ("hard.asterisks", "**{w}** / __{w2}__"),
    ("hard.brackets", "<{w}> [{w2}]"),
    ("hard.at-handle", "@{w} #{w2}"),
    ("hard.camel-case", "scan{w}Brain{w2}T1"),
    ("hard.digits-joined", "{w}123 and 4{w2}"),
    ("hard.file-name", "C:\\data\\{w}_{w2}_T1.nii"),
    ("hard.study-of", "CT of {w} {w2} chest"),
    ("hard.employer", "works at {w} Steel Ltd"),
    ("hard.school", "attends {w} School"),
    ("hard.village", "from {w}, near {w2}"),
    ("hard.language", "habla con {w}; Sr. {w2}"),
    ("hard.german", "Zuweiser: Dr. med. {w}; Pat. {w2}"),
    ("hard.french", "Adresse par le Dr {w}, vu avec Mme {w2}"),
):
    _said(_name, _text)


def _of(name: str, make: Callable[[Work], str], every: int = 6) -> None:
    """Register a sentence with a form of the person's own name or ID; the needle is the form."""

    def plant(w: Work) -> bool:
        text = make(w)
        if not text:
            return False
        place = put(w, lambda _place: f"Scan {text} done")
        w.plant(text, place)
        return True

    register(name, plant, every=every)


def _fullwidth(w: Work) -> str:
    if "ISO_IR 192" not in w.person.charset:
        return ""
    return "".join(chr(ord(c) + 0xFEE0) for c in w.person.family)


def _decomposed(w: Work) -> str:
    if "ISO_IR 192" not in w.person.charset or not w.person.native:
        return ""
    return unicodedata.normalize("NFD", w.person.native[-1])


def _hex(w: Work) -> str:
    return "" if w.person.ordinary else w.person.family.encode().hex()


def _joiner(w: Work) -> str:
    if "ISO_IR 192" not in w.person.charset:
        return ""
    return "\u200d".join(w.person.family)


def _spread(w: Work) -> str:
    return "" if w.person.ordinary else " ".join(w.person.family.upper())


def _dotted(w: Work) -> str:
    return "" if w.person.ordinary else ".".join(w.person.family)


def _percent(w: Work) -> str:
    return "" if w.person.ordinary else "".join(f"%{b:02X}" for b in w.person.family.encode())


def _zero_led(w: Work) -> str:
    return f"0000{w.person.patient_id}"


def _no_separators(w: Work) -> str:
    return "".join(c for c in w.person.phone if c.isdigit())


def _ssn_bare(w: Work) -> str:
    return w.person.ssn.replace("-", "")


for _name, _make in (
    ("hard.fullwidth", _fullwidth),
    ("hard.decomposed", _decomposed),
    ("hard.hex", _hex),
    ("hard.zero-width-joiners", _joiner),
    ("hard.spread-letters", _spread),
    ("hard.dotted-letters", _dotted),
    ("hard.percent-encoded", _percent),
    ("hard.id-with-leading-zeros", _zero_led),
    ("hard.own-phone-digits", _no_separators),
    ("hard.own-ssn-digits", _ssn_bare),
):
    _of(_name, _make)


def _date(name: str, form: str) -> None:
    months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]

    def make(w: Work) -> str:
        day = w.person.birth
        return form.format(y=day.year, m=day.month, d=day.day, mon=months[day.month - 1])

    _of(name, make)


for _name, _form in (
    ("hard.date-spaced", "{d} {mon} {y}"),
    ("hard.date-ordinal", "{d}th of {mon}. {y}"),
    ("hard.date-upper-dashes", "{d:02d}-{m:02d}-{y}"),
    ("hard.date-slashes-iso", "{y}/{m:02d}/{d:02d}"),
    ("hard.date-t-time", "{y}-{m:02d}-{d:02d}T10:15:00Z"),
    ("hard.date-dots-spaced", "{d}. {m}. {y}"),
):
    _date(_name, _form)


@kind("hard.utf-8-under-other-charset", every=4)
def _mislabelled(w: Work) -> bool:
    """Plant UTF-8 bytes where the file declares another character set."""
    if not w.person.native or "ISO_IR 192" in w.person.charset:
        return False
    text = f"{w.person.native[0]} ok".encode()
    w.plant(w.person.native[0], "00400254")
    w.ds.pop(0x00400254, None)
    w.key.descriptors[:] = [d for d in w.key.descriptors if d["place"] != "00400254"]
    text += b" " * (len(text) % 2)
    w.raw.append(
        (0x00400254, element(0x00400254, "LO", text, explicit=w.explicit, little=w.little))
    )
    return True


@kind("hard.id-in-integer-string", every=4)
def _integer(w: Work) -> bool:
    """Plant the person's number where an acquisition number stands."""
    if not w.person.patient_id.isdigit():
        return False
    value = w.person.patient_id.encode()
    w.plant(w.person.patient_id, "00200012")
    w.ds.pop(0x00200012, None)
    value += b" " * (len(value) % 2)
    w.raw[:] = [piece for piece in w.raw if piece[0] != 0x00200012]
    w.raw.append(
        (0x00200012, element(0x00200012, "IS", value, explicit=w.explicit, little=w.little))
    )
    return True


@kind("hard.uid-of-code", every=4)
def _code_uids(w: Work) -> bool:
    """Plant UIDs that are no registry's in the attributes of a code."""
    item = code("24627-2", "LN", "CT Chest")
    for keyword in ("ContextUID", "CodingSchemeUID", "MappingResourceUID"):
        uid = w.uid()
        w.plant(uid, "00321064", "uid")
        setattr(item, keyword, uid)
    item.MappingResource, item.ContextIdentifier = (
        w.fill("{tok}", "00321064"),
        w.fill("{tok}", "00321064"),
    )
    w.ds.RequestedProcedureCodeSequence = Items([item])
    return True


@kind("hard.uid-with-id-inside", every=4)
def _uid_with_id(w: Work) -> bool:
    """Plant a UID under a maker's well-known root that holds the person's number."""
    digits = "".join(c for c in w.person.patient_id if c.isdigit())
    uid = f"1.2.840.113619.2.1.{digits}.20190312"
    w.plant(uid, "00200200", "uid")
    w.ds.SynchronizationFrameOfReferenceUID = uid
    return True


@kind("hard.coding-scheme-identification", every=5)
def _scheme(w: Work) -> bool:
    place, ds = "00080110", Dataset()
    ds.CodingSchemeDesignator, ds.CodingSchemeName = "99LOCAL", w.fill("{w} codes", place)
    ds.CodingSchemeResponsibleOrganization = w.fill("{w} Hospital", place)
    ds.CodingSchemeUID = w.uid()
    w.plant(str(ds.CodingSchemeUID), place, "uid")
    w.ds.CodingSchemeIdentificationSequence = Items([ds])
    return True


@kind("hard.private-illegal-numbers", every=6)
def _illegal(w: Work) -> bool:
    """Plant in private elements below 0010 and in a creator written as UN."""
    for tag, vr in ((0x00270001, "LO"), (0x00270010, "UN"), (0x0027100A, "UN")):
        data = w.fill("{w}", "0027").encode()
        w.raw.append(
            (
                tag,
                element(
                    tag, vr, data + b" " * (len(data) % 2), explicit=w.explicit, little=w.little
                ),
            )
        )
    return True


@kind("hard.private-creator-is-known-text-too", families=("MR", "CT"), every=5)
def _known_creator_text(w: Work) -> bool:
    """Plant text in a maker's private block at addresses that no list names."""
    block = w.ds.private_block(0x0021, "SIEMENS MR SDS 01", create=True)
    block.add_new(0x05, "LO", w.fill("{w}", "0021"))
    block.add_new(0x19, "OB", w.fill("{w}{w2}", "0021").encode().ljust(40, b"\0"))
    return True


@kind("hard.multi-value-split", every=6)
def _split(w: Work) -> bool:
    """Plant family and given name as separate values of one element."""
    w.ds.add_new(0x00189005, "SH", "se2d")
    w.ds.ScanOptions = ["FS", w.fill("{w}", "00180022"), w.fill("{w2}", "00180022")]
    return True


@kind("hard.person-name-groups-off-table", every=4)
def _groups(w: Work) -> bool:
    """Plant a name of three component groups where no table lists one."""
    name = w.fill("{w}^{w2}", "00400300")
    other = w.fill("{w}", "00404034")
    ds = Dataset()
    ds.HumanPerformerName = f"{name}={other}^X=^"
    w.ds.add_new(0x00404034, "SQ", Items([ds]))
    w.key.needles = [
        n if n.place != "00400300" else type(n)(kind=n.kind, text=n.text, place="00404034")
        for n in w.key.needles
    ]
    return True


@kind("hard.palette-and-lut-bytes", families=("CT", "MR", "CR", "DX"), every=5)
def _palette(w: Work) -> bool:
    """Plant in a palette and in LUT data, where numbers belong."""
    ds = Dataset()
    ds.LUTDescriptor, ds.ModalityLUTType = [16, 0, 16], "US"
    ds.LUTExplanation = w.fill("LUT {w}", "00283000")
    ds.add_new(0x00283006, "OW", w.fill("{w}{w2}", "00283000").encode()[:32].ljust(32, b"\0"))
    w.ds.ModalityLUTSequence = Items([ds])
    return True


@kind("hard.long-tail-of-text", every=6)
def _tail(w: Work) -> bool:
    """Plant behind four thousand characters of ordinary report."""
    put(w, lambda place: "No acute abnormality. " * 190 + w.fill("{name} {w}", place))
    return True
