"""The walker and each odd thing it meets: found, bounded, never guessed."""

import pytest

import made
from made import Made, encode
from safelight.dicomio.limits import Limits
from safelight.dicomio.runs import Book, Run
from safelight.dicomio.walker import (
    ITEM_END,
    PIXEL_DATA,
    UNKNOWN_SEQUENCE,
    Budget,
    Element,
    OddEncodingError,
    Walker,
    place,
)
from safelight.errors import LimitExceededError, UnreadableInputError

LITTLE = Walker(implicit=False, big=False)
BIG = Walker(implicit=False, big=True)
IMPLICIT = Walker(implicit=True, big=False)
SEQUENCE = 0x00081115
ITEM = b"\xfe\xff\x00\xe0"
OPEN_ITEM = ITEM + b"\xff" * 4
ITEM_DONE = b"\xfe\xff\x0d\xe0\0\0\0\0"
DONE = b"\xfe\xff\xdd\xe0\0\0\0\0"
OPEN = b"\x08\x00\x15\x11SQ\0\0\xff\xff\xff\xff"


def cut(data: bytes, walker: Walker = LITTLE, limits: Limits | None = None) -> list[Element]:
    return walker.elements(data, 0, len(data), Budget(limits or Limits()))


def tags(data: bytes, walker: Walker = LITTLE) -> list[int]:
    found = walker.segments(data, 0, len(data), Budget(Limits()), Book())
    return [each[0] for each in found if not isinstance(each, Run)]


@pytest.mark.parametrize(
    ("walker", "implicit", "big"),
    [(LITTLE, False, False), (BIG, False, True), (IMPLICIT, True, False)],
    ids=["explicit", "big", "implicit"],
)
def test_elements_of_every_form(walker: Walker, *, implicit: bool, big: bool) -> None:
    item = (Made(0x00081150, "UI", b"1.2\0"),)
    wanted = (
        Made(0x00080005, "CS", b"ISO_IR 100"),
        Made(SEQUENCE, "SQ", (item, item)),
        Made(0x00081140, "SQ", (item,), undefined=True),
        Made(0x0040A160, "UT", b"text"),
    )
    data = encode(wanted, implicit=implicit, big=big)
    found = cut(data, walker)
    assert [each[0] for each in found] == [each.tag for each in wanted]
    assert [data[each[3] : each[4]] for each in found[::3]] == [b"ISO_IR 100", b"text"]
    assert [each[2] for each in found[1:]] == [each[5] for each in found[:-1]]
    for sequence, count in ((found[1], 2), (found[2], 1)):
        items = walker.items(data, sequence[3], sequence[4], Budget(Limits()), 0)
        assert len(items) == count
        for start, stop in items:
            [inner] = walker.elements(data, start, stop, Budget(Limits()), depth=1)
            assert data[inner[3] : inner[4]] == b"1.2\0"


def test_an_unknown_vr_is_odd() -> None:
    with pytest.raises(OddEncodingError, match=r"\(0009,0010\)"):
        cut(b"\x09\x00\x10\x00??\x04\x00ROE ")


@pytest.mark.parametrize("walker", [LITTLE, IMPLICIT])
def test_a_length_past_the_end(walker: Walker) -> None:
    data = encode((Made(0x00100010, "PN", b"DOE^JANE"),), implicit=walker.implicit)
    with pytest.raises(UnreadableInputError, match=r"past the end.*\(0010,0010\)"):
        cut(data[:-1], walker)


def test_a_tail_too_short_for_an_element() -> None:
    data = encode((Made(0x00100010, "PN", b"DOE^JANE"),))
    with pytest.raises(OddEncodingError, match="bytes are left"):
        cut(data + b"\x10\0\x20")
    assert len(cut(data + b"\0\0\0")) == 1


@pytest.mark.parametrize("zeros", [1, 7, 8, 100, 200_000])
def test_zeros_after_the_last_element_are_padding(zeros: int) -> None:
    data = encode((Made(0x00100010, "PN", b"DOE^JANE"),))
    assert tags(data + bytes(zeros)) == [0x00100010]


def test_what_follows_zeros_is_left_out_only_when_it_is_little() -> None:
    long = encode((Made(0x00080005, "CS", b"ISO_IR 100"), Made(0x0040A160, "UT", b"text" * 40)))
    assert tags(long + bytes(8) + b"ROE^RICHARD") == [0x00080005, 0x0040A160]
    with pytest.raises(OddEncodingError):
        tags(long + bytes(8) + long)


@pytest.mark.parametrize("zeros", [8, 10, 16, 27])
def test_zeros_are_no_element_of_implicit_vr(zeros: int) -> None:
    data = encode(
        (Made(0x00100010, "PN", b"DOE^JANE"), Made(PIXEL_DATA, "OW", bytes(400))), implicit=True
    )
    assert tags(data + bytes(zeros) + b"ROE^RICHARD", IMPLICIT) == [0x00100010, PIXEL_DATA]


def test_what_follows_pixel_data_is_left_out() -> None:
    pixels = encode((Made(PIXEL_DATA, "OW", b"\1\2"),))
    assert tags(pixels + b"smuggled after the end") == [PIXEL_DATA]


def test_a_made_up_tag_above_pixel_data_is_not_the_end() -> None:
    garbage = encode((Made(0xD30CF22C, "LO", b"DOE^JANE"),))
    with pytest.raises(OddEncodingError):
        tags(garbage + b"more that cannot be read")


def test_delimiters_with_values() -> None:
    smuggled = b"ROE^RICHARD^"
    length = len(smuggled).to_bytes(4, "little")
    closed = DONE[:4] + length + smuggled
    found = cut(OPEN + OPEN_ITEM + ITEM_DONE[:4] + length + smuggled + closed)
    [(_tag, _vr, _start, value, value_stop, stop)] = found
    data = OPEN + OPEN_ITEM + ITEM_DONE[:4] + length + smuggled + closed
    assert stop == len(data)
    assert LITTLE.items(data, value, value_stop, Budget(Limits()), 0) == [(20, 20)]


def test_a_delimiter_that_claims_more_than_there_is() -> None:
    with pytest.raises(UnreadableInputError, match="delimiter"):
        cut(OPEN + DONE[:4] + b"\xff\xff\0\0")


@pytest.mark.parametrize(
    "rest",
    [b"", OPEN_ITEM, OPEN_ITEM + ITEM_DONE, ITEM + b"\x10\0\0\0", DONE[:7]],
    ids=["nothing", "item-open", "no-end", "item-past-end", "half-a-delimiter"],
)
def test_an_undefined_length_without_its_end(rest: bytes) -> None:
    with pytest.raises(UnreadableInputError):
        cut(OPEN + rest)


def test_something_else_than_an_item() -> None:
    with pytest.raises(OddEncodingError, match="something else"):
        cut(OPEN + encode((Made(0x00100010, "PN", b"DOE "),)) + DONE)
    data = encode((Made(0x00100010, "PN", b"DOE "),))
    with pytest.raises(OddEncodingError, match="something else"):
        LITTLE.items(data, 0, len(data), Budget(Limits()), 0)


def test_an_item_past_its_sequence() -> None:
    data = ITEM + b"\x20\0\0\0" + bytes(8)
    with pytest.raises(UnreadableInputError):
        LITTLE.items(data, 0, len(data), Budget(Limits()), 0)


def test_unknown_sequences_are_implicit_inside() -> None:
    made_un = Made(SEQUENCE, "UN", ((Made(0x00100010, "PN", b"DOE "),),), undefined=True)
    for big in (False, True):
        data = encode((made_un,), big=big)
        [found] = cut(data, BIG if big else LITTLE)
        assert found[5] == len(data)
        [(start, stop)] = UNKNOWN_SEQUENCE.items(data, found[3], found[4], Budget(Limits()), 0)
        [inner] = UNKNOWN_SEQUENCE.elements(data, start, stop, Budget(Limits()), depth=1)
        assert (inner[0], data[inner[3] : inner[4]]) == (0x00100010, b"DOE ")


@pytest.mark.parametrize("walker", [LITTLE, IMPLICIT])
def test_the_limit_of_depth(walker: Walker) -> None:
    opened = OPEN if walker is LITTLE else OPEN[:4] + b"\xff" * 4
    few = Limits(depth_read=5)
    for depth in (5, 6):
        data = (opened + OPEN_ITEM) * depth + (ITEM_DONE + DONE) * depth
        if depth == few.depth_read:
            assert len(cut(data, walker, few)) == 1
        else:
            with pytest.raises(LimitExceededError, match="depth_read"):
                cut(data, walker, few)


def test_the_limit_of_items() -> None:
    data = OPEN + (ITEM + bytes(4)) * 11 + DONE
    assert cut(data, limits=Limits(items=11))
    with pytest.raises(LimitExceededError, match="items"):
        cut(data, limits=Limits(items=10))
    with pytest.raises(LimitExceededError, match="items"):
        LITTLE.items(data, 12, len(data), Budget(Limits(items=10)), 0)


def test_the_limit_of_elements() -> None:
    data = encode((Made(0x00100010, "PN", b""),) * 11)
    assert cut(data, limits=Limits(elements=11))
    with pytest.raises(LimitExceededError, match="elements"):
        cut(data, limits=Limits(elements=10))


def test_an_item_delimiter_ends_nothing_at_the_top() -> None:
    assert int.from_bytes(b"\xff\xfe\xe0\x0d", "big") == ITEM_END
    with pytest.raises(UnreadableInputError):
        cut(ITEM_DONE)


def test_places() -> None:
    assert place(0x7FE00010) == "(7FE0,0010)"


# Runs

SHARED = tuple(Made(0x00180000 + n, "LO", b"same") for n in range(0x10, 0x20))


def learnt(*files: tuple[Made, ...]) -> tuple[Book, list[Element | Run]]:
    book = Book()
    found: list[Element | Run] = []
    for each in files:
        data = encode(each)
        found = LITTLE.segments(data, 0, len(data), Budget(Limits()), book)
    return book, found


def runs(found: list[Element | Run]) -> list[tuple[int, int]]:
    return [(each.first, each.last) for each in found if isinstance(each, Run)]


def test_a_repeated_stretch_becomes_one_run() -> None:
    found = learnt(SHARED, SHARED, SHARED)[1]
    assert runs(found) == [(0x00180010, 0x0018001F)]


def test_runs_of_one_book_stand_for_the_same_bytes() -> None:
    book, found = learnt(SHARED, SHARED, SHARED)
    [run] = [each for each in found if isinstance(each, Run)]
    assert run.raw == encode(SHARED)
    assert [run.raw[e[3] : e[4]] for e in run.elements] == [b"same"] * len(SHARED)
    changed = SHARED[:8] + (Made(0x00180018, "LO", b"else"),) + SHARED[9:]
    data = encode(changed)
    again = LITTLE.segments(data, 0, len(data), Budget(Limits()), book)
    assert all(isinstance(each, tuple) for each in again)


CREATOR = Made(0x00190010, "LO", b"SIEMENS MR HEADER ")
PRIVATE = tuple(Made(0x00191000 + n, "DS", b"1 ") for n in range(0x0C, 0x10))
BEFORE = tuple(Made(0x00180000 + n, "LO", b"same") for n in range(0x10, 0x14))
AFTER = tuple(Made(0x00200000 + n, "LO", b"same") for n in range(0x10, 0x14))


@pytest.mark.parametrize(
    "other",
    [(CREATOR, *PRIVATE, *AFTER), (*BEFORE, CREATOR, *PRIVATE, Made(0x00191077, "LO", b"ROE "))],
    ids=["creator-before-the-run", "more-of-the-group-after-it"],
)
def test_a_run_never_divides_a_private_group(other: tuple[Made, ...]) -> None:
    """Learnt where the private group stands whole, or without its creator; found where not."""
    for known in ((*PRIVATE, *AFTER), (*BEFORE, CREATOR, *PRIVATE)):
        found = learnt(known, known, known, other)[1]
        groups = [
            {e[0] >> 16 for e in (each.elements if isinstance(each, Run) else [each])}
            for each in found
        ]
        holding = [n for n, group in enumerate(groups) if 0x0019 in group]
        single = [n for n in holding if not isinstance(found[n], Run)]
        assert single in ([], holding)


def test_a_private_group_at_the_end_is_whole() -> None:
    known = (*BEFORE, CREATOR, *PRIVATE)
    assert runs(learnt(known, known, known)[1]) == [(0x00180010, 0x0019100F)]


def test_tags_of_a_run_ascend() -> None:
    unsorted = SHARED[8:] + SHARED[:8]
    for first, last in runs(learnt(unsorted, unsorted, unsorted)[1]):
        assert first < last
    assert made.CT
