"""Plants in private elements: unknown creators, blocks of safe creators, creators themselves."""

from pydicom.dataset import Dataset
from pydicom.sequence import Sequence as Items

from corpus.encode import dataset_bytes, element, item
from corpus.kinds import kind
from corpus.model import Work

__all__: list[str] = []


@kind("private.unknown-creator-text", every=2)
def _unknown(w: Work) -> bool:
    block = w.ds.private_block(0x0011, "LUMEDICA INTERNAL 7", create=True)
    block.add_new(0x01, "LO", w.fill("{name}", "0011"))
    block.add_new(0x02, "PN", w.fill("{w}^{w2}", "0011"))
    block.add_new(0x03, "LT", w.fill("{id} {tok}", "0011"))
    return True


@kind("private.unknown-creator-bytes", every=3)
def _bytes(w: Work) -> bool:
    block = w.ds.private_block(0x0013, "LUMEDICA BLOB", create=True)
    text = w.fill("{w} {w2}", "0013")
    block.add_new(0x01, "OB", text.encode() + b"\0" * (len(text) % 2))
    block.add_new(0x02, "UN", w.fill("{w}", "0013").encode("utf-16-le"))
    return True


@kind("private.creator-name", every=4)
def _creator(w: Work) -> bool:
    block = w.ds.private_block(0x0015, w.fill("{w} {tok}", "0015"), create=True)
    block.add_new(0x01, "DS", "1.5")
    return True


@kind("private.creator-in-use-twice", every=8)
def _creator_twice(w: Work) -> bool:
    w.ds.add_new(0x00170010, "LO", "SIEMENS MR HEADER")
    w.ds.add_new(0x00170011, "LO", w.fill("{w}", "0017"))
    w.ds.add_new(0x0017110C, "LO", w.fill("{w}", "0017"))
    return True


@kind("private.no-creator", every=4)
def _no_creator(w: Work) -> bool:
    w.ds.add_new(0x00211001, "LO", w.fill("{w} {name}", "0021"))
    return True


@kind("private.sequence", every=3)
def _sequence(w: Work) -> bool:
    inner, deeper = Dataset(), Dataset()
    inner.PatientName, deeper.PatientID = w.fill("{w}^{w2}", "0023"), w.fill("{tok}", "0023")
    inner.add_new(0x00081032, "SQ", Items([deeper]))
    block = w.ds.private_block(0x0023, "LUMEDICA SEQ", create=True)
    block.add_new(0x01, "SQ", Items([inner]))
    return True


@kind("private.un-sequence", every=5)
def _un_sequence(w: Work) -> bool:
    if not w.little:
        return False
    inner = Dataset()
    inner.PatientName = w.fill("{w}^{w2}", "0025")
    body = item(dataset_bytes(inner, explicit=False)) + bytes.fromhex("feffdde000000000")
    creator = element(0x00250010, "LO", b"LUMEDICA UN ", explicit=w.explicit)
    w.raw.append((0x00250010, creator))
    w.raw.append(
        (0x00251001, element(0x00251001, "UN", body, explicit=w.explicit, length=0xFFFFFFFF))
    )
    return True


@kind("private.beside-siemens-safe", families=("MR",), every=2)
def _siemens(w: Work) -> bool:
    """Plant beside the safe b-value, in the same block and in Siemens' CSA blobs."""
    block = w.ds.private_block(0x0019, "SIEMENS MR HEADER", create=True)
    block.add_new(0x07, "LO", w.fill("{w}", "0019"))
    block.add_new(0x99, "LO", w.fill("{name}", "0019"))
    csa = w.ds.private_block(0x0029, "SIEMENS CSA HEADER", create=True)
    text = "SV10\4\3\2\1" + w.fill("tPatientName {name} {w}", "0029")
    csa.add_new(0x10, "OB", text.encode() + b"\0" * (len(text) % 2))
    return True


@kind("private.beside-ge-safe", families=("MR", "CT", "PT"), every=3)
def _ge(w: Work) -> bool:
    block = w.ds.private_block(0x0009, "GEMS_IDEN_01", create=True)
    block.add_new(0x01, "LO", w.fill("GE {w}", "0009"))
    block.add_new(0xE3, "UI", _uid(w, "0009"))
    block = w.ds.private_block(0x0025, "GEMS_SERS_01", create=True)
    block.add_new(
        0x1B, "OB", b"\x1f\x8b\x08\x00" + w.fill("{w}{w2}", "0025").encode()[:20].ljust(20)
    )
    block = w.ds.private_block(0x0043, "GEMS_PARM_01", create=True)
    block.add_new(0x61, "UI", _uid(w, "0043"))
    block.add_new(0x9A, "LO", w.fill("{w}", "0043"))
    return True


def _uid(w: Work, place: str) -> str:
    uid = w.uid()
    w.plant(uid, place, "uid")
    return uid


@kind("private.beside-philips-safe", families=("MR",), every=3)
def _philips(w: Work) -> bool:
    block = w.ds.private_block(0x2001, "Philips Imaging DD 001", create=True)
    block.add_new(0xC8, "LO", w.fill("{w} exam card", "2001"))
    block.add_new(0xCC, "ST", w.fill("{w} by {name}", "2001"))
    block = w.ds.private_block(0x2005, "Philips MR Imaging DD 005", create=True)
    block.add_new(0x80, "SQ", Items([_inner(w, "2005")]))
    return True


def _inner(w: Work, place: str) -> Dataset:
    ds = Dataset()
    ds.add_new(0x00104000, "LT", w.fill("{w}", place))
    return ds


@kind("private.text-in-safe-numeric", families=("MR",), every=6, odd=True)
def _safe_text(w: Work) -> bool:
    """Plant text in the safe element itself, under a creator known safe."""
    block = w.ds.private_block(0x0051, "SIEMENS MR HEADER", create=True)
    block.add_new(0x0F, "LO", w.fill("{w}", "0051"))
    return True


@kind("private.safe-text-element", families=("MR",), every=4)
def _safe_lo(w: Work) -> bool:
    """Plant a name in a text element that lists call safe."""
    block = w.ds.private_block(0x0051, "SIEMENS MR HEADER", create=True)
    block.add_new(0x0A, "LO", w.fill("TA {w}", "0051"))
    block.add_new(0x0C, "LO", w.fill("FoV {name}", "0051"))
    return True


@kind("private.creator-case-and-spaces", every=6)
def _creator_case(w: Work) -> bool:
    w.ds.add_new(0x00190020, "LO", " siemens mr header ")
    w.ds.add_new(0x0019200C, "LO", w.fill("{w}", "0019"))
    return True


@kind("private.wrong-vr-in-safe", families=("MR", "CT"), every=6)
def _wrong_vr(w: Work) -> bool:
    """Plant a name under the address of a safe number, written with a text VR."""
    w.ds.add_new(0x00190030, "LO", "SIEMENS MR HEADER")
    w.ds.add_new(0x0019300C, "LO", w.fill("{w}", "0019"))
    return True


@kind("private.nested-in-public", every=4)
def _nested(w: Work) -> bool:
    ds = Dataset()
    ds.ReferencedSOPClassUID = "1.2.840.10008.5.1.4.1.1.2"
    ds.ReferencedSOPInstanceUID = _uid(w, "00081140")
    ds.add_new(0x00090010, "LO", w.fill("{w}", "00081140"))
    ds.add_new(0x00091001, "LO", w.fill("{name} {tok}", "00081140"))
    if "ReferencedImageSequence" in w.ds:
        return False
    w.ds.ReferencedImageSequence = Items([ds])
    return True


@kind("private.high-group", every=6)
def _high(w: Work) -> bool:
    block = w.ds.private_block(0x7FE1, "LUMEDICA PIXEL", create=True)
    text = w.fill("{w} {w2}", "7FE1").encode()
    block.add_new(0x10, "OB", text + b"\0" * (len(text) % 2))
    return True
