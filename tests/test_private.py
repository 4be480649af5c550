"""Private elements: what researchers need stays, what could name anyone is not in the list."""

import pytest

from safelight.deid import private
from safelight.dicomio import dictionary


@pytest.mark.parametrize(
    ("creator", "group", "low", "vr", "source"),
    [
        ("SIEMENS MR HEADER", 0x0019, 0x0C, "IS", "PS3.15"),  # b-value
        ("SIEMENS MR HEADER", 0x0019, 0x0E, "FD", "PS3.15"),  # gradient direction
        ("SIEMENS MR HEADER", 0x0019, 0x27, "FD", "PS3.15"),  # b-matrix
        ("SIEMENS MR SDI 02", 0x0021, 0x05, "IS", "TCIA"),  # b-value of enhanced objects
        ("GEMS_PARM_01", 0x0043, 0x39, "IS", "PS3.15"),  # b-value
        ("GEMS_ACQU_01", 0x0019, 0xBB, "DS", "TCIA"),  # DTI gradient direction
        ("Philips Imaging DD 001", 0x2001, 0x03, "FL", "PS3.15"),  # b-value
        ("Philips Imaging DD 001", 0x2001, 0x04, "CS", "PS3.15"),
        ("Philips MR Imaging DD 001", 0x2005, 0xB0, "FL", "TCIA"),
        ("Philips MR Imaging DD 001", 0x2005, 0x0E, "FL", "PS3.15"),  # scale slope
        ("Philips PET Private Group", 0x7053, 0x00, "DS", "PS3.15"),  # SUV factor
        ("GEMS_ACQU_01", 0x0019, 0x23, "DS", "PS3.15"),
    ],
)
def test_useful_numbers_are_safe(creator: str, group: int, low: int, vr: str, source: str) -> None:
    assert private.lookup(creator, group, low) == private.Safe(vr=vr, source=source)


@pytest.mark.parametrize(
    "creator",
    ["siemens mr header", "SIEMENS MR HEADER ", " SIEMENS MR  HEADER", "Siemens MR Header\0"],
)
def test_creators_are_read_as_people_write_them(creator: str) -> None:
    assert private.lookup(creator, 0x0019, 0x0C) is not None


@pytest.mark.parametrize(
    ("creator", "group", "low"),
    [
        ("SIEMENS CSA HEADER", 0x0029, 0x10),  # CSA image header: a blob with names in it
        ("SIEMENS CSA HEADER", 0x0029, 0x20),
        ("SIEMENS MR HEADER", 0x0019, 0x99),  # not in any list
        ("SIEMENS MR HEADER", 0x0029, 0x0C),  # another group
        ("GEMS_PARM_01", 0x0019, 0x0C),  # another creator
        ("", 0x0019, 0x0C),
        ("CTP", 0x0013, 0x10),  # project name of a trial
        ("GEMS_IDEN_01", 0x0009, 0x27),  # image actual date, seconds since 1970
        ("GEMS_PETD_01", 0x0009, 0x37),  # batch description
        ("Philips Imaging DD 001", 0x2001, 0x69),  # a sequence
        ("INTELERAD MEDICAL SYSTEMS", 0x3F01, 0x03),  # AE title of the source
    ],
)
def test_what_could_identify_is_not(creator: str, group: int, low: int) -> None:
    assert private.lookup(creator, group, low) is None


def test_the_list_holds_numbers_and_short_text_only() -> None:
    rows = [row.split("\t") for row in dictionary.read_rows(private._DATA)]
    assert len(rows) > 1500
    vrs = {"US", "SS", "UL", "SL", "UV", "SV", "FL", "FD", "DS", "IS", "AT", "CS", "SH", "LO"}
    assert {row[3] for row in rows} <= vrs
    assert {row[4] for row in rows} == {"PS3.15", "TCIA"}
    assert sum(row[4] == "PS3.15" for row in rows) == 85  # 87 of the standard less two sequences
    assert all(int(row[1], 16) % 2 for row in rows)
    assert all(row[0] == private.normal(row[0]) for row in rows)
    assert len({tuple(row[:3]) for row in rows}) == len(rows)
