"""Terms of the standard: what needs no cleaning because it says nothing about anyone."""

import pytest
from pydicom.sr._concepts_dict import concepts

from safelight.deid import defined
from safelight.dicomio import dictionary

MODALITY, IMAGE_TYPE, BODY_PART = 0x0008_0060, 0x0008_0008, 0x0018_0015


@pytest.mark.parametrize(
    ("tag", "value"),
    [
        (MODALITY, "CT"),
        (MODALITY, "RTSTRUCT"),
        (0x0018_5100, "HFS"),
        (0x0018_5100, "FFDR"),
        (IMAGE_TYPE, "ORIGINAL"),
        (IMAGE_TYPE, "AXIAL"),
        (IMAGE_TYPE, "MOSAIC"),
        (BODY_PART, "CHEST"),
        (BODY_PART, "ABDOMENPELVIS"),  # Annex L, generated
        (BODY_PART, "TSPINE"),
        (0x0018_5101, "MLO"),
        (0x0020_0060, "R"),
        (0x0020_0020, "A"),
        (0x0020_0020, "PH"),
        (0x0028_0004, "YBR_FULL_422"),
        (0x0018_0020, "SE"),
        (0x0018_0021, "SK"),
        (0x0008_0005, "ISO_IR 192"),
        (0x0010_0040, "F"),
        (0x0040_A040, "CONTAINER"),
        (0x0040_DB00, "1500"),
        (0x0028_1054, "HU"),
        (MODALITY, "CT "),
        (MODALITY, ""),
        (0x0018_9015, "YES"),
    ],
)
def test_defined(tag: int, value: str) -> None:
    assert defined.is_defined_term(tag, value)


@pytest.mark.parametrize(
    ("tag", "value"),
    [
        (MODALITY, "DOE"),
        (MODALITY, "ct"),
        (IMAGE_TYPE, "DOE^JANE"),
        (BODY_PART, "CHEST DOE"),
        (BODY_PART, "CT"),  # a term, but not of this attribute
        (0x0020_0020, "AX19700101"),
        (0x0040_DB00, "19700101"),
        (0x0040_DB00, "15\n00"),
        (0x0018_0020, "JANE"),
        (0x0099_0001, "CT"),
    ],
)
def test_not_defined(tag: int, value: str) -> None:
    assert not defined.is_defined_term(tag, value)


def test_tags_and_keywords_of_the_hand_written_list_belong_together() -> None:
    found = 0
    for row in dictionary.read_rows(defined._DATA / "defined_terms.txt"):
        names, _, text = row.partition(": ")
        assert text, row
        words = [] if names == "*" else names.split(" ")
        for tag, keyword in zip(words[::2], words[1::2], strict=True):
            entry = dictionary.lookup(int(tag, 16))
            assert entry is not None
            assert entry.keyword == keyword
            assert entry.vr == "CS" or keyword in {"FilterType", "RescaleType"}
            found += 1
    assert found >= 180


def test_every_coded_concept_is_known() -> None:
    for scheme, keywords in concepts.items():
        for entries in keywords.values():
            for code, (meaning, _cids) in entries.items():
                assert defined.is_coded_term(code, scheme) == bool(code)  # one LN code is empty
                assert defined.is_coded_meaning(meaning)


def test_older_names_of_a_scheme() -> None:
    assert defined.is_coded_term("T-D4000", "SRT")  # abdomen
    assert defined.is_coded_term("T-D4000", "SNM3")
    assert defined.is_coded_term("T-D4000 ", "99SDM ")
    assert not defined.is_coded_term("T-D4000", "SCT")


@pytest.mark.parametrize(
    ("code", "scheme"),
    [("123456789", "SCT"), ("113105", "99LOCAL"), ("DOE", "DCM"), ("", "DCM"), ("113105", "")],
)
def test_unknown_codes(code: str, scheme: str) -> None:
    assert not defined.is_coded_term(code, scheme)


def test_meanings_are_compared_without_case_and_spacing() -> None:
    assert defined.is_coded_meaning("Clean Descriptors Option")
    assert defined.is_coded_meaning("  clean  descriptors OPTION\0")
    assert not defined.is_coded_meaning("Clean Descriptors Option for Jane Doe")
    assert not defined.is_coded_meaning("")
