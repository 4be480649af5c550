"""The one place for strategies that make DICOM: values, elements, nested data sets, whole files.

What is drawn is an abstract tree of ``Made`` elements, which ``made.py`` writes in any encoding.
"""

from dataclasses import replace
from functools import cache

from hypothesis import strategies as st

from made import (
    EXPLICIT_BIG,
    IMAGES,
    IMPLICIT_LITTLE,
    OTHERS,
    RLE,
    File,
    Made,
    charset,
    even,
    fragments,
    rle_frame,
    uid,
)

TEXT = ("LO", "SH", "ST", "LT", "UT", "UC", "CS", "PN", "AE")
NUMBERS = {"US": 2, "SS": 2, "UL": 4, "SL": 4, "FL": 4, "FD": 8, "UV": 8, "SV": 8, "AT": 4}


# Values

NAMES = ("DOE^JANE", "Roe^Richard^^Dr", "Müller^Jörg", "Παπαδοπούλου^Ελένη", "山田^太郎")
PIECES = (
    "CT CHEST W CONTRAST", "AX T2", "Jane Doe", "DOE", "roe, r.", "follow-up", "left knee", "",
    " ", "MRN 4711-22", "12345678", "T1 post", "born 1960-02-01", "1.2.826.0.1.99", "a\tb", "xyzzy",
    "Dr. Roe", "120 kV", "lesion in segment 4", "(555) 010-4477", "jane@example.org", "NRGY",
)  # fmt: skip
CODES = (
    "ORIGINAL", "PRIMARY", "AXIAL", "DOE", "M", "F", "O",
    "HFS", "CHEST", "JANE_DOE", "YES", "",
)  # fmt: skip
DATES = (
    "20210304", "19991231", "2021.03.04", "20211", "00000000",
    "20210230", "", "ROE", "00010101",
)  # fmt: skip
DATETIMES = (
    "20210304101112.123456+0100", "2021", "202103", "20210304", "2021030410", "20210304101112-0500",
    "19600201 ", "20211301", "+0100", "DOE", "",
)  # fmt: skip
TIMES = ("101112", "10", "1011", "101112.5", "10:11:12", "9", "DOE", "", "101112.123456")
AGES = ("045Y", "089Y", "090Y", "120Y", "003M", "1081M", "45", "045Z", "999D", "DOE", "")
DECIMALS = ("1.5", "-2", "1e5", "0.95", " 3 ", "20210304", "12345678", "DOE", "", ".5", "1,5")
INTEGERS = ("1", "-7", " 12", "20210304", "12345678", "4711", "DOE", "", "1.5", "99999999999")
UIDS = (
    "1.2.826.0.1.99", "1.2.840.10008.5.1.4.1.1.2", "1.2.840.10008.1.2.1", "", "DOE.1", "1..2",
    "1.2.840.10008.5.1.4.1.1.2.99.4711", "2.25.7",
)  # fmt: skip
MANY = {
    "DA": DATES, "DT": DATETIMES, "TM": TIMES, "AS": AGES, "DS": DECIMALS, "IS": INTEGERS,
    "UI": UIDS, "CS": CODES, "PN": NAMES + ("", "^^", "DOE"), "AE": ("STATION1", "DOE", ""),
    "LO": PIECES, "SH": PIECES, "UC": PIECES,
}  # fmt: skip
CHARSETS = {
    "": "ascii",
    "ISO_IR 100": "latin-1",
    "ISO_IR 126": "iso8859-7",
    "ISO_IR 192": "utf-8",
    "GB18030": "gb18030",
    "ISO_IR 13": "shift_jis",
}
SCHEMES = ("DCM", "SCT", "SRT", "LN", "99ROE", "Jane Doe", "")
CODE_VALUES = ("121071", "T-D3000", "73211009", "18748-4", "DOE^JANE", "4711", "A-1", "")
MEANINGS = ("Finding", "Chest", "Jane Doe's chest", "Left breast", "Roe", "")


@cache
def _pool(*vrs: str) -> tuple[int, ...]:
    """Return even-group tags of these VRs that stand in a data set, the same on every run."""
    from pydicom.datadict import DicomDictionary  # noqa: PLC0415 - its own 5,000 lines

    return tuple(
        sorted(
            tag
            for tag, row in DicomDictionary.items()
            if row[0] in vrs and 0x0008 <= tag >> 16 < 0x7FE0 and tag not in TAKEN
        )
    )


# Elements that a file draws by itself, and those whose content has a cleaner with its own tests.
TAKEN = frozenset(
    (0x00080005, 0x00080016, 0x00080018, 0x00100010, 0x00100020, 0x00100021, 0x00100030)
    + (0x0020000D, 0x00280002, 0x00280004, 0x00280008, 0x00280010, 0x00280011, 0x00280100)
    + (0x00282000, 0x00420011, 0x00420015)
)
# Drawn more often than the rest of the dictionary: named by the table, or with a way of their own.
FAVOURED = {
    "LO": (0x0008103E, 0x00081030, 0x00080070, 0x00081090, 0x00101000, 0x00181030),
    "SH": (0x00080050, 0x00200010, 0x00081010, 0x00181008),
    "PN": (0x00080090, 0x00081050, 0x00101005, 0x0040A123),
    "CS": (0x00080060, 0x00080008, 0x00185100, 0x00180015, 0x00120062, 0x00280303),
    "DA": (0x00080020, 0x00080021, 0x00100030, 0x00080022),
    "TM": (0x00080030, 0x00080031),
    "DT": (0x0008002A, 0x0040A120, 0x00189074),
    "AS": (0x00101010,),
    "UI": (0x00081155, 0x0020000E, 0x00081150, 0x00200052, 0x0008001A),
    "DS": (0x00180050, 0x00281050, 0x00200032, 0x00101030),
    "IS": (0x00200013, 0x00200011, 0x00181151),
    "UT": (0x0040A160,),
    "LT": (0x00104000, 0x00204000, 0x001021B0),
    "ST": (0x00080081, 0x00400280),
    "SQ": (0x00081115, 0x00081140, 0x0040A730, 0x00321064, 0x00082112, 0x00400275, 0x00101002)
    + (0x0040A168, 0x00081110, 0x00189346),
}


@st.composite
def text_values(draw: st.DrawFn, vr: str, codec: str) -> bytes:
    """Draw the encoded value of a string VR: one or several, padded, unpadded or oddly padded."""
    if vr in ("LT", "ST", "UT", "UR"):
        text = " ".join(draw(st.lists(st.sampled_from(PIECES + NAMES), max_size=4)))
    else:
        text = "\\".join(draw(st.lists(st.sampled_from(MANY[vr]), min_size=1, max_size=3)))
    raw = text.encode(codec, "replace")
    pad = draw(st.sampled_from((b"", b"", b"\0" if vr == "UI" else b" ", b" ", b"\0", b"\0\0 ")))
    if len(raw) % 2 and draw(st.integers(0, 9)):
        return raw + (pad or b" ")[:1]
    return raw + pad


@st.composite
def number_values(draw: st.DrawFn, vr: str, *, order: str) -> bytes:
    """Draw the value of a binary VR: small numbers, letters, a length that does not fit."""
    size = NUMBERS[vr]
    count = draw(st.integers(0, 4))
    kind = draw(st.integers(0, 9))
    if kind == 0:
        return (b"DOE^JANE" * 8)[: size * count]
    if kind == 1:
        return draw(st.binary(max_size=9))
    numbers = draw(st.lists(st.integers(0, 255), min_size=count, max_size=count))
    return b"".join(number.to_bytes(size, order) for number in numbers)


@st.composite
def elements(draw: st.DrawFn, *, codec: str, order: str, depth: int = 2) -> Made:
    """Draw one element of any VR; sequences down to ``depth`` more levels."""
    kinds = (*MANY, *TEXT, *NUMBERS, "LT", "ST", "UT", "UR", "OB", "OW", "UN", "private")
    kind = draw(st.sampled_from(kinds + ("SQ", "SQ", "code") * bool(depth)))
    if kind == "private":
        return draw(orphans(codec=codec))
    if kind == "code":
        return draw(code_sequences(codec=codec, order=order))
    if kind == "SQ":
        return draw(sequences(codec=codec, order=order, depth=depth - 1))
    if kind == "UN":
        return Made(draw(st.sampled_from(_pool("LO", "DS", "UI", "DA"))), "UN", draw(raw_bytes()))
    tag = _tag(draw, kind)
    if kind in NUMBERS:
        return Made(tag, kind, draw(number_values(kind, order=order)))
    if kind in ("OB", "OW"):
        return Made(tag, kind, draw(raw_bytes()))
    vr = kind
    if not draw(st.integers(0, 15)):  # what stands in the file is not what the dictionary says
        vr = draw(st.sampled_from(("LO", "SH", "CS", "UN", "DA", "US", "UI", "OB")))
    return Made(tag, vr, draw(text_values(kind, codec)))


def _tag(draw: st.DrawFn, vr: str) -> int:
    if vr in FAVOURED and draw(st.booleans()):
        return draw(st.sampled_from(FAVOURED[vr]))
    return draw(st.sampled_from(_pool(vr, f"{vr} or OW" if vr == "OB" else vr)))


def raw_bytes() -> st.SearchStrategy[bytes]:
    """Draw bytes of even length: numbers, zeros, text."""
    return st.sampled_from(
        (b"", b"\0\1\2\3", b"DOE^JANE", b"1.5 ", b"20210304", bytes(40), b"\xff\xfe")
    )


@st.composite
def sequences(draw: st.DrawFn, *, codec: str, order: str, depth: int) -> Made:
    """Draw a sequence: of defined or undefined length, as SQ or as UN, with its own charset."""
    tag = _tag(draw, "SQ")
    # pydicom reads UN in a big endian file as big endian; PS3.5 6.2.2 wants little endian there
    unknown = order == "little" and not draw(st.integers(0, 5))
    inner_order = "little" if unknown else order
    items = []
    for _ in range(draw(st.integers(0, 3))):
        inner = codec
        content = []
        if not draw(st.integers(0, 6)):
            term = draw(st.sampled_from(tuple(CHARSETS)))
            inner = CHARSETS[term]
            content.append(charset(term))
        content += draw(st.lists(elements(codec=inner, order=inner_order, depth=depth), max_size=4))
        if draw(st.booleans()):
            content += draw(blocks(codec=inner))
        items.append(_sorted_once(content))
    return Made(tag, "UN" if unknown else "SQ", tuple(items), undefined=draw(st.booleans()))


@st.composite
def code_sequences(draw: st.DrawFn, *, codec: str, order: str) -> Made:
    """Draw a coded entry (PS3.3 section 8): known and private codes, and smuggled ones."""
    del order
    item = (
        Made(0x00080100, "SH", even(draw(st.sampled_from(CODE_VALUES)))),
        Made(0x00080102, "SH", even(draw(st.sampled_from(SCHEMES)))),
        Made(0x00080104, "LO", even(draw(st.sampled_from(MEANINGS)), codec)),
    )
    tag = draw(st.sampled_from((0x0040A043, 0x0040A168, 0x00081032, 0x00082218, 0x00321064)))
    return Made(tag, "SQ", (item,), undefined=draw(st.booleans()))


@st.composite
def orphans(draw: st.DrawFn, *, codec: str) -> Made:
    """Draw a private element of a block that nobody reserved, or that another file reserves."""
    tag = draw(st.sampled_from((0x00191001, 0x0019100C, 0x0029100A, 0x00431039, 0x00091030)))
    return Made(tag, draw(st.sampled_from(("LO", "UN", "DS"))), even("DOE", codec))


SAFE_BLOCKS = (
    (0x0019, "SIEMENS MR HEADER", (0x0C, 0x0D, 0x0E, 0x08)),
    (0x0043, "GEMS_PARM_01", (0x39, 0x2C, 0x01)),
    (0x0019, "GEMS_ACQU_01", (0x02, 0x9C, 0x24)),
    (0x2001, "Philips Imaging DD 001", (0x03, 0x04, 0x18)),
    (0x0029, "DOE PRIVATE", (0x01, 0x02)),
)


@st.composite
def blocks(draw: st.DrawFn, *, codec: str) -> list[Made]:
    """Draw a private block: safe elements among unsafe ones, at any block number, perhaps bare."""
    group, creator, lows = draw(st.sampled_from(SAFE_BLOCKS))
    block = draw(st.sampled_from((0x10, 0x10, 0x11, 0xE1)))
    made = []
    if draw(st.integers(0, 7)):
        made.append(Made(group << 16 | block, "LO", even(creator)))
    for low in sorted(draw(st.sets(st.sampled_from((*lows, 0x77)), max_size=4))):
        vr = draw(st.sampled_from(("IS", "DS", "FD", "UN", "LO", "SH", "CS")))
        value = (1).to_bytes(8, "little") if vr == "FD" else draw(text_values("DS", codec))
        made.append(Made(group << 16 | block << 8 | low, vr, value))
    return made


def _sorted_once(made: list[Made]) -> tuple[Made, ...]:
    """Sort by tag; of equal tags the first one stays."""
    found: dict[int, Made] = {}
    for each in made:
        found.setdefault(each.tag, each)
    return tuple(found[tag] for tag in sorted(found))


@st.composite
def headers(draw: st.DrawFn, *, syntax: str, rows: int, columns: int, frames: int) -> list[Made]:
    """Draw what every object has: class, instance, person, study, and the shape of its pixels."""
    order = "big" if syntax == EXPLICIT_BIG else "little"
    number = draw(st.integers(1, 9))

    def short(tag: int, value: int) -> Made:
        return Made(tag, "US", value.to_bytes(2, order))

    made = [
        Made(0x00080016, "UI", uid(draw(st.sampled_from(IMAGES if rows else OTHERS)))),
        Made(0x00080018, "UI", uid(f"1.2.826.0.1.{number}")),
        Made(0x00100010, "PN", even(draw(st.sampled_from(("DOE^JANE", "ROE^RICHARD", ""))))),
        Made(0x00100020, "LO", even(draw(st.sampled_from(("MRN-4711", "0815", ""))))),
        Made(0x00100030, "DA", draw(st.sampled_from((b"19600201", b"")))),
        Made(0x0020000D, "UI", uid("1.2.826.0.1.100")),
    ]
    if rows:
        made += [short(0x00280002, 1), short(0x00280010, rows), short(0x00280011, columns)]
        made += [short(0x00280100, 8), Made(0x00280004, "CS", b"MONOCHROME2 ")]
        if frames > 1:
            made.append(Made(0x00280008, "IS", even(str(frames))))
    return made


@st.composite
def files(draw: st.DrawFn, syntax: str, *, pixels: bool | None = None) -> File:
    """Draw a whole object in a transfer syntax."""
    order = "big" if syntax == EXPLICIT_BIG else "little"
    has_pixels = draw(st.booleans()) if pixels is None else pixels
    rows, columns, frames = (draw(st.integers(1, 5)) for _ in range(3))
    if not has_pixels:
        rows = 0
    made = draw(headers(syntax=syntax, rows=rows, columns=columns, frames=frames))
    term = draw(st.sampled_from(tuple(CHARSETS)))
    codec = CHARSETS[term]
    if term:
        made.append(charset(term))
    made += draw(st.lists(elements(codec=codec, order=order), max_size=8))
    for _ in range(draw(st.integers(0, 2))):
        made += draw(blocks(codec=codec))
    if draw(st.booleans()):
        made.append(Made(0x00080000, "UL", (4711).to_bytes(4, order)))
    ordered = list(_sorted_once(made))
    if not draw(st.integers(0, 9)) and syntax != IMPLICIT_LITTLE:
        ordered = draw(st.permutations(ordered))
    if has_pixels:
        ordered.append(draw(pixel_data(syntax, rows * columns, frames)))
    if not draw(st.integers(0, 9)):
        ordered.append(Made(0xFFFCFFFC, "OB", b"DOE^JANE"))
    return File(tuple(ordered), syntax)


@st.composite
def pixel_data(draw: st.DrawFn, syntax: str, size: int, frames: int) -> Made:
    """Draw Pixel Data of 8-bit frames, native or as RLE fragments with or without a table."""
    noise = draw(st.binary(min_size=size, max_size=size))
    if syntax != RLE:
        whole = noise * frames
        extra = draw(st.sampled_from((b"", b"", b"\0\0", b"ROE^JANE")))
        return Made(0x7FE00010, "OW", whole + b"\0" * (len(whole) % 2) + extra)
    frame = rle_frame(noise)
    table = b""
    if draw(st.booleans()):
        table = b"".join((at * (len(frame) + 8)).to_bytes(4, "little") for at in range(frames))
    return Made(0x7FE00010, "OB", fragments(table, *[frame] * frames), undefined=True)


@st.composite
def series(draw: st.DrawFn, syntax: str) -> list[File]:
    """Draw related files: most elements shared, each file with some changed, gone or added.

    Stretches repeat byte for byte, and what borders them differs: the case in which a decision
    that was remembered could be used where it does not hold.
    """
    first = draw(files(syntax, pixels=False))
    order = "big" if syntax == EXPLICIT_BIG else "little"
    shared = list(first.elements)
    found = [first]
    for _ in range(draw(st.integers(3, 6))):
        made = list(shared)
        for _change in range(draw(st.integers(0, 3))):
            at = draw(st.integers(0, len(made) - 1))
            change = draw(st.sampled_from(("drop", "repeat", "replace", "add", "charset", "swap")))
            made = _changed(draw, made, at, change, order)
        found.append(replace(first, elements=tuple(made)))
    return found


def _changed(draw: st.DrawFn, made: list[Made], at: int, change: str, order: str) -> list[Made]:
    codec = draw(st.sampled_from(("ascii", "latin-1")))
    kept = (0x00080016, 0x00080018)
    if change == "drop" and made[at].tag not in kept:
        return made[:at] + made[at + 1 :]
    if change == "repeat":
        return made[: at + 1] + made[at:]
    if change == "replace" and made[at].tag not in kept:
        return made[:at] + [draw(elements(codec=codec, order=order))] + made[at + 1 :]
    if change == "add":
        more = draw(blocks(codec=codec)) if draw(st.booleans()) else []
        more += [draw(elements(codec=codec, order=order))]
        return list(_sorted_once(more + made))
    if change == "charset":
        term = draw(st.sampled_from(("ISO_IR 100", "ISO_IR 192", "GB18030")))
        return list(_sorted_once([charset(term), *made]))
    if change == "swap" and at:
        return made[: at - 1] + [made[at], made[at - 1]] + made[at + 1 :]
    return made
