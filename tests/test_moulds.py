"""Sequences that differ in UIDs alone are decided by those: the same bytes as by a walk."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

import made
from made import File, Made, uid
from safelight.deid import profile
from safelight.deid.decision import Decided
from safelight.deid.engine import Engine
from safelight.deid.moulds import Moulds
from safelight.deid.pseudonyms import ProjectKey
from safelight.deid.walk import Cleaner
from safelight.dicomio.shapes import Shape
from safelight.errors import NeedsReviewError
from safelight.types import Deidentified, Kind, Original

KEY = ProjectKey(b"m" * 32)
LITTLE = (made.EXPLICIT_LITTLE, made.IMPLICIT_LITTLE)


def engine() -> Engine:
    return Engine(key=KEY, profile=profile.load("share"))


def reference(*instances: str, meaning: bytes = b"For localizer ") -> Made:
    """Return Referenced Image Sequence: an item for each UID, with a coded purpose."""
    purpose = (
        Made(0x00080100, "SH", b"121311"),
        Made(0x00080102, "SH", b"DCM "),
        Made(0x00080104, "LO", meaning),
    )
    items = tuple(
        (
            Made(0x00081150, "UI", uid(made.CT)),
            Made(0x00081155, "UI", uid(each)),
            Made(0x0040A170, "SQ", (purpose,)),
        )
        for each in instances
    )
    return Made(0x00081140, "SQ", items)


def original(sequence: Made, syntax: str = made.EXPLICIT_LITTLE) -> Original:
    elements = (
        Made(0x00080016, "UI", uid(made.REPORT)),
        sequence,
        Made(0x00100010, "PN", b"WINTERBOTTOM^JANE "),
        Made(0x00100020, "LO", b"MRN-4711"),
    )
    return Original(File(elements, syntax).data(), kind=Kind.DICOM)


def outcome(result: Deidentified) -> tuple[bytes, bytes, tuple[str, ...]]:
    data = b"".join(bytes(part) for part in result.parts if isinstance(part, bytes | memoryview))
    return data, result.manifest, result.acts


UIDS = st.sampled_from(
    ["1.2.3.4.1", "1.2.3.4.2", "1.2.3.4.3", "1.2.3.4.31", made.CT, "2.25.12345678", "", "1.2.x.4.1"]
)


@given(st.lists(st.lists(UIDS, min_size=1, max_size=3), min_size=2, max_size=8))
@pytest.mark.parametrize("syntax", LITTLE)
def test_files_in_a_row_come_out_as_each_alone(syntax: str, rows: list[list[str]]) -> None:
    sources = [original(reference(*row), syntax) for row in rows]
    using = engine()
    subject = using.subject([using.survey(each) for each in sources])
    for source in sources:
        alone = engine()
        known = alone.subject([alone.survey(each) for each in sources])
        assert outcome(using.deidentify(source, subject)) == outcome(
            alone.deidentify(source, known)
        )


@pytest.mark.inside
def test_a_sequence_of_a_known_shape_is_not_walked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    walks: list[int] = []
    walk = Cleaner._sequence  # counts the walks

    def counted(*args: object) -> Decided:
        walks.append(1)
        return walk(*args)  # type: ignore[arg-type]  # passed on as they came

    monkeypatch.setattr(Cleaner, "_sequence", counted)
    using = engine()
    sources = [original(reference(f"1.2.3.4.{n}")) for n in range(10, 20)]
    subject = using.subject([using.survey(each) for each in sources])
    for source in sources:
        using.deidentify(source, subject)
    # The sequence, the one inside it, and again where a new UID is shorter than those before.
    assert len(walks) < len(sources) // 2


@pytest.mark.parametrize("meaning", [b"For Localizer.", b"Winterbottom  ", b"For localiser "])
def test_other_text_of_the_same_length_is_looked_at(meaning: bytes) -> None:
    using = engine()
    first, other = (
        original(reference("1.2.3.4.10")),
        original(reference("1.2.3.4.11", meaning=meaning)),
    )
    subject = using.subject([using.survey(first)])
    using.deidentify(first, subject)
    assert outcome(using.deidentify(other, subject)) == outcome(engine().deidentify(other, subject))


@pytest.mark.inside
def test_a_leak_in_a_sequence_of_a_known_shape_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    using = engine()
    clean, leak = (
        original(reference("1.2.3.4.1", meaning=meaning))
        for meaning in (b"For localizer ", b"Winterbottom  ")
    )
    subject = using.subject([using.survey(clean)])
    using.deidentify(clean, subject)
    monkeypatch.setattr(
        Cleaner, "_decide", lambda _self, data, e, *_rest: Decided(data[e[2] : e[5]])
    )
    with pytest.raises(NeedsReviewError):
        using.deidentify(leak, subject)


def test_a_shape_is_the_bytes_around_the_values() -> None:
    shape = Shape(b"ab1cd22e", [(2, 3), (5, 7)])
    assert shape.fits(b"ab9cd00e")
    assert not shape.fits(b"aB1cd22e")
    assert not shape.fits(b"ab1cx22e")
    assert not shape.fits(b"ab1cd22E")


def test_what_stands_elsewhere_too_makes_no_mould() -> None:
    moulds = Moulds()
    part = Decided(b"UID")
    element = (0x00081155, b"UI", 1, 1, 4, 4)

    def walk() -> Decided:
        moulds.note(element, None)
        return Decided(b"<UID UID>")

    calls = [
        moulds.decide("key", raw, 0, walk, lambda *_: part).out for raw in (b"(UID)", b"(DIU)")
    ]
    assert calls == [b"<UID UID>"] * 2
