"""The compact dictionary agrees with pydicom's, and the generator with what is committed."""

import re
import sys
from pathlib import Path
from types import ModuleType

import pytest
from pydicom import datadict
from pydicom._dicom_dict import DicomDictionary
from pydicom._uid_dict import UID_dictionary

from safelight.dicomio import dictionary

ROOT = Path(__file__).resolve().parent.parent
STANDARDS = ROOT.parent / "shared" / "standards"


def test_every_element_of_the_registry() -> None:
    for tag, (vr, vm, _name, retired, keyword) in DicomDictionary.items():
        entry = dictionary.lookup(tag)
        assert entry == dictionary.Entry(vr=vr, vm=vm, keyword=keyword, retired=bool(retired)), hex(
            tag
        )


@pytest.mark.parametrize(
    "tag", [0x6000_3000, 0x601E_0010, 0x5000_0005, 0x5010_3000, 0x0020_3105, 0x7F00_0010]
)
def test_repeating_groups(tag: int) -> None:
    entry = dictionary.lookup(tag)
    assert entry is not None
    assert entry.vr == datadict.dictionary_VR(tag)
    assert entry.keyword == datadict.repeater_has_keyword(entry.keyword) or entry.keyword


@pytest.mark.parametrize("tag", [0x0009_0010, 0x6001_3000, 0x0008_FFFF, 0x0011_1001, 0xFFFF_FFFF])
def test_private_and_unlisted_tags(tag: int) -> None:
    assert dictionary.lookup(tag) is None


def test_rows_newer_than_the_registry_are_known() -> None:
    entry = dictionary.lookup(0x0010_0012)
    assert entry is not None
    assert (entry.vr, entry.keyword) == ("LT", "NameToUse")


def test_uids() -> None:
    assert all(dictionary.uid_known(uid) for uid in UID_dictionary)
    assert dictionary.uid_known("2.16.840.1.113883.6.96")  # SNOMED CT
    assert dictionary.uid_known("1.2.840.10008.6.1.1")  # a context group
    assert dictionary.uid_known("1.2.840.10008.6.1.1400")


@pytest.mark.parametrize(
    "uid",
    [
        "",
        "1.2.840.10008",
        "1.2.840.10008.19700101.1",  # a birth date behind a well-known root
        "1.2.840.10008.6.1.",
        "1.2.840.10008.6.1.01",
        "1.2.840.10008.6.1.19700101",
        "1.2.840.10008.6.1.1.5",
        "1.2.840.10008.6.1.\u0661",
        "1.2.840.10008.5.1.4.1.1.2 ",
        "1.2.826.0.1.3680043.9.9999.1",
    ],
)
def test_only_exact_registered_uids_are_known(uid: str) -> None:
    assert not dictionary.uid_known(uid)


def test_storage_sop_classes() -> None:
    assert dictionary.is_storage_sop_class("1.2.840.10008.5.1.4.1.1.2")
    assert dictionary.is_storage_sop_class("1.2.840.10008.5.1.4.1.1.6")  # retired ultrasound
    assert not dictionary.is_storage_sop_class("1.2.840.10008.1.2.1")  # a transfer syntax
    assert not dictionary.is_storage_sop_class("1.2.840.10008.1.20.1")  # storage commitment
    assert not dictionary.is_storage_sop_class("1.2.826.0.1.3680043.9.9999.1")


@pytest.fixture(scope="module")
def generator() -> ModuleType:
    sys.path.insert(0, str(ROOT / "scripts"))
    try:
        import make_tables  # noqa: PLC0415  lies beside the package, not in it

        return make_tables
    finally:
        sys.path.pop(0)


def compare(files: dict[Path, str]) -> None:
    assert files
    for path, text in files.items():
        committed = path.read_text(encoding="utf-8")
        assert committed == text, f"run scripts/make_tables.py: {path.name} differs"


# The folder of standards is not part of the project; where it lies beside it, it is compared too.
SOURCES = ["packages", *(["standards"] if STANDARDS.is_dir() else [])]


@pytest.mark.parametrize("source", SOURCES)
def test_committed_data_agree_with(generator: ModuleType, source: str) -> None:
    if source == "packages":
        compare(generator.from_packages())
    else:
        compare(generator.from_standards(STANDARDS))


def test_every_data_file_says_where_it_is_from() -> None:
    package = ROOT / "src" / "safelight"
    for name in ("dicomio/data/dictionary.tsv", "dicomio/data/uids.tsv", "deid/data/e1_1.tsv"):
        heading = (package / name).read_text(encoding="utf-8").split("\n#")[:4]
        assert re.search(r"PS3\.\d+.* (edition )?20\d\d[a-e]", " ".join(heading)), name
