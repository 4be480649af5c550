"""The residual check: whatever slips through a decision is caught before anything is sealed."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import made
from made import File, Made, even, uid
from safelight.deid import profile
from safelight.deid.codes import Codes
from safelight.deid.context import Context
from safelight.deid.engine import Engine
from safelight.deid.parts import chunks
from safelight.deid.pseudonyms import ProjectKey
from safelight.deid.residual import Residual
from safelight.deid.sweep import Sweep
from safelight.deid.values import Values, Verdict
from safelight.dicomio.walker import Walker
from safelight.errors import NeedsReviewError, UnreadableInputError
from safelight.types import Deidentified, FileSlice, Kind, Original, Part

KEY = ProjectKey(b"r" * 32)
NAME = Made(0x00100010, "PN", b"WINTERBOTTOM^JANE ")
LITTLE = Walker(implicit=False, big=False)


def engine() -> Engine:
    return Engine(key=KEY, profile=profile.load("share"))


def object_of(*more: Made, syntax: str = made.EXPLICIT_LITTLE) -> Original:
    head = (Made(0x00080016, "UI", uid(made.REPORT)), NAME, Made(0x00100020, "LO", b"MRN-4711"))
    return Original(
        File(tuple(sorted((*head, *more), key=lambda e: e.tag)), syntax).data(), kind=Kind.DICOM
    )


def context() -> Context:
    using = engine()
    subject = using.subject([using.survey(object_of())])
    return Context(key=KEY, profile=using.profile, subject=subject, limits=using.limits)


def slips(monkeypatch: pytest.MonkeyPatch) -> None:
    """Break every decision about values, so that all of them stay."""

    def stays(*given: Any, **_named: bool) -> Verdict:
        return Verdict(given[3])

    monkeypatch.setattr(Values, "verdict", stays)
    monkeypatch.setattr(Codes, "value", lambda _self, _tag, raw, *_rest: raw)


LEAKS: dict[str, Callable[[], Made]] = {
    "text": lambda: Made(0x0008103E, "LO", b"for Jane Winterbottom "),
    "long-text": lambda: Made(0x00204000, "LT", b"seen with Mrs. WINTERBOTTOM "),
    "nested": lambda: Made(0x0040A730, "SQ", ((Made(0x0040A160, "UT", b"Winterbottom"),),)),
    "nested-undefined": lambda: Made(
        0x0040A730, "SQ", ((Made(0x0040A160, "UT", b"Winterbottom"),),), undefined=True
    ),
    "unknown-sequence": lambda: Made(
        0x0040A730, "UN", ((Made(0x0040A160, "UT", b"Winterbottom"),),), undefined=True
    ),
    "code-string": lambda: Made(0x00185100, "CS", b"WINTERBOTTOM"),
    "utf-16": lambda: Made(0x00281201, "OW", "winterbottom".encode("utf-16-le")),
    "identifier": lambda: Made(0x0008103E, "LO", b"mrn-4711"),
    "person": lambda: Made(0x00080090, "PN", b"WINTERBOTTOM^J"),
    "reversed": lambda: Made(0x0008103E, "LO", b"jane_winterbottom "),
    "code-meaning": lambda: Made(0x0040A043, "SQ", ((Made(0x00080104, "LO", b"Winterbottom"),),)),
}


NUMBERS: dict[str, Callable[[], Made]] = {
    "decimal": lambda: Made(0x00180060, "DS", b"44719028.0"),
    "power": lambda: Made(0x00180060, "DS", b"4.4719028e7 "),
    "integer": lambda: Made(0x00181150, "IS", b"44719028"),
    "time": lambda: Made(0x00080032, "TM", b"447190.28 "),
    "class": lambda: Made(0x0008001A, "UI", uid("1.2.826.44719028")),
    "nested-class": lambda: Made(
        0x00081140, "SQ", ((Made(0x00081150, "UI", uid("1.2.826.44719028")),),)
    ),
    "date": lambda: Made(0x0040A121, "DA", b"19310102"),
    "datetime": lambda: Made(0x0040A120, "DT", b"19310102101500"),
}


@pytest.mark.inside
@pytest.mark.parametrize("leak", NUMBERS)
@pytest.mark.parametrize("syntax", made.SYNTAXES)
def test_own_numbers_are_caught_in_values_of_a_strict_form(
    leak: str, syntax: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    using = engine()
    own = (Made(0x00100030, "DA", b"19310102"), Made(0x00101000, "LO", b"44719028"))
    subject = using.subject([using.survey(object_of(*own))])
    slips(monkeypatch)
    with pytest.raises(NeedsReviewError, match="left"):
        using.deidentify(object_of(NUMBERS[leak](), syntax=syntax), subject)
    ctx = Context(key=KEY, profile=using.profile, subject=subject, limits=using.limits)
    sound = (Made(0x00080020, "DA", b"19310102"), Made(0x00180060, "DS", b"0.44719028"))
    Residual(ctx).data_set(made.encode(sound), 0, LITTLE)


def test_a_uid_of_the_person_is_caught_after_a_sound_sequence() -> None:
    using = engine()
    own = Made(0x00101000, "LO", b"44719028")
    subject = using.subject([using.survey(object_of(own))])
    ctx = Context(key=KEY, profile=using.profile, subject=subject, limits=using.limits)
    residual = Residual(ctx)
    for text in ("2.25.44719028111", "1.2.826.447190281", "1.2.826.144719029"):
        item = (Made(0x00081155, "UI", uid(text)),)
        residual.data_set(made.encode((Made(0x00081140, "SQ", (item,)),)), 0, LITTLE)
    item = (Made(0x00081155, "UI", uid("1.2.3456.44719028")),)
    with pytest.raises(NeedsReviewError, match=r"\(0008,1155\)"):
        residual.data_set(made.encode((Made(0x00081140, "SQ", (item,)),)), 0, LITTLE)


@pytest.mark.inside
@pytest.mark.parametrize("leak", LEAKS)
@pytest.mark.parametrize("syntax", made.SYNTAXES)
def test_a_leak_of_each_kind_is_caught(
    leak: str, syntax: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if leak == "unknown-sequence" and syntax == made.EXPLICIT_BIG:
        syntax = made.EXPLICIT_LITTLE
    using = engine()
    subject = using.subject([using.survey(object_of())])
    slips(monkeypatch)
    original = object_of(LEAKS[leak](), syntax=syntax)
    with pytest.raises(NeedsReviewError, match="left") as caught:
        using.deidentify(original, subject)
    assert caught.value.place
    assert "winter" not in str(caught.value).lower()


@pytest.mark.inside
def test_a_leak_is_caught_again_and_after_sound_files(monkeypatch: pytest.MonkeyPatch) -> None:
    using = engine()
    subject = using.subject([using.survey(object_of())])
    assert using.deidentify(object_of(), subject)
    slips(monkeypatch)
    leaky = object_of(Made(0x0008103E, "LO", b"for Jane Winterbottom "))
    for _ in range(4):
        with pytest.raises(NeedsReviewError):
            using.deidentify(leaky, subject)


def test_what_was_harmless_in_one_character_set_is_read_again_in_another() -> None:
    using = engine()
    greek = "Ρόη^Άνα"  # too short to be looked for as bytes
    named = object_of(
        Made(0x00080005, "CS", b"ISO_IR 126"),
        Made(0x00080090, "PN", even(greek, "iso8859-7")),
    )
    subject = using.subject([using.survey(named)])
    ctx = Context(key=KEY, profile=using.profile, subject=subject, limits=using.limits)
    text = Made(0x0008103E, "LO", even("Ρόη", "iso8859-7"))
    residual = Residual(ctx)
    latin = made.encode((Made(0x00080005, "CS", b"ISO_IR 100"), text))
    residual.data_set(latin, 0, LITTLE)
    with pytest.raises(NeedsReviewError):
        residual.data_set(made.encode((Made(0x00080005, "CS", b"ISO_IR 126"), text)), 0, LITTLE)


def test_what_cannot_be_read_again_is_not_sealed() -> None:
    data = made.encode((Made(0x0008103E, "LO", b"CHEST "),))
    for broken in (data[:-1], data + b"\x10\0\x20", data + bytes(9) + b"WINTERBOTTOM"):
        with pytest.raises(UnreadableInputError):
            Residual(context()).data_set(broken, 0, LITTLE)


@pytest.mark.parametrize("offset", [0, 1, 7, 11, 12, 13, 4096])
@pytest.mark.parametrize("border", [0, 1 << 22, 2 << 22])
def test_pixels_are_swept_over_the_borders_of_chunks(
    tmp_path: Path, border: int, offset: int
) -> None:
    path = tmp_path / "pixels"
    name = b"WinterBottom"
    at = max(border - offset, 0)
    with path.open("wb") as file:
        file.truncate((3 << 22) + 100)
        file.seek(at)
        file.write(name)
    part = FileSlice(str(path), 0, os.path.getsize(path))
    residual = Residual(context())
    with pytest.raises(NeedsReviewError, match=r"\(7FE0,0010\)"):
        residual.sweep([part], "(7FE0,0010)", pixels=True)
    residual.sweep([FileSlice(str(path), at + 1, part.stop)], "(7FE0,0010)", pixels=True)


@given(st.lists(st.integers(0, 5), min_size=1, max_size=5))
def test_a_name_over_several_small_parts_is_found(cuts: list[int]) -> None:
    name = b"xx winterbottom xx"
    parts: list[Part] = []
    for cut in cuts:
        parts.append(name[:cut])
        name = name[cut:]
    with pytest.raises(NeedsReviewError):
        Residual(context()).sweep([*parts, name], "(7FE0,0010)", pixels=True)


def test_a_file_that_became_shorter(tmp_path: Path) -> None:
    path = tmp_path / "pixels"
    path.write_bytes(bytes(100))
    with pytest.raises(UnreadableInputError, match="shorter"):
        list(chunks(FileSlice(str(path), 0, 200)))


def test_only_the_residual_check_makes_a_deidentified() -> None:
    made_of = {"parts": (), "manifest": b"", "acts": (), "digest": "", "size": 0}
    with pytest.raises(TypeError, match="only the residual check"):
        Deidentified(object(), kind=Kind.DICOM, **made_of)
    result = engine().deidentify(object_of(), context().subject)
    assert result.size == sum(len(c) for p in result.parts for c in chunks(p))


PATTERNS = (b"winterbottom", b"mrn-4711", "winter".encode("utf-16-le"), b"\xcc\xfc\xeb\xeb\xe5\xf1")


@given(st.lists(st.one_of(st.sampled_from(PATTERNS), st.binary(max_size=6)), max_size=6))
def test_both_ways_of_sweeping_find_the_same(pieces: list[bytes]) -> None:
    data = b"".join(pieces)
    plain, compiled = Sweep(PATTERNS), Sweep(PATTERNS)
    compiled._compile()
    for pixels in (False, True):
        for each in (data, data.upper(), data.swapcase()):
            assert plain.hits(each, pixels=pixels) == compiled.hits(each, pixels=pixels)
