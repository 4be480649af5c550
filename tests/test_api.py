"""The public API: paths, bytes and data sets in, the same results as the commands."""

import io
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from pydicom.dataset import Dataset

import safelight
from run_fixtures import NEEDLES, planted, sample
from safelight.deid.pseudonyms import ProjectKey
from safelight.errors import NeedsReviewError, OutputError, QuarantineError, SettingsError


def test_importing_costs_nothing() -> None:
    code = (
        "import sys; before = set(sys.modules); import safelight; "
        "print(sorted(n for n in set(sys.modules) - before if 'safelight' in n))"
    )
    told = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert told.stdout.strip() == "['safelight']"


def test_bytes_data_set_and_path_give_one_result(tmp_path: Path, key_file: Path) -> None:
    path = next(planted(tmp_path / "in", 1).rglob("*.dcm"))
    from_path = safelight.deidentify(path, key=key_file)
    from_bytes = safelight.deidentify(path.read_bytes(), key=key_file)
    assert from_path == from_bytes
    assert not [needle for needle in NEEDLES if needle.encode() in from_path.bytes.upper()]
    data = from_path.dataset
    assert data.PatientIdentityRemoved == "YES"
    assert data.PixelData == sample().PixelData
    from_data = safelight.deidentify(sample(), key=key_file)
    assert from_data.kind == "dicom"
    assert any(action.place == "(0010,0010)" for action in from_data.actions)


def test_a_folder_gives_a_summary_that_verifies(tmp_path: Path, key_file: Path) -> None:
    source = planted(tmp_path / "in", 2)
    summary = safelight.deidentify(source, out=tmp_path / "out", key=key_file)
    assert summary.exit_code == 0
    assert safelight.verify(tmp_path / "out", key=key_file).holds


def test_the_memory_and_the_folder_give_the_same_bytes(tmp_path: Path, key_file: Path) -> None:
    source = planted(tmp_path / "in", 1)
    safelight.deidentify(source, out=tmp_path / "out", key=key_file)
    alone = safelight.deidentify(next(source.rglob("*.dcm")), key=key_file)
    assert next((tmp_path / "out").rglob("*.dcm")).read_bytes() == alone.bytes


def test_inspect_gives_rows_without_values(tmp_path: Path, key_file: Path) -> None:
    path = next(planted(tmp_path / "in", 1).rglob("*.dcm"))
    told = safelight.inspect(path, key=key_file)
    name = next(row for row in told.rows if row.place == "(0010,0010)")
    assert (name.sign, name.before) == ("~", "XXXXXXXXXX^XXXXXXX (18)")
    shown = safelight.inspect(path, key=key_file, values=True)
    assert next(row.before for row in shown.rows if row.place == "(0010,0010)").startswith("WEX")


def test_what_cannot_pass_is_raised(tmp_path: Path, key_file: Path) -> None:
    with pytest.raises(QuarantineError):
        safelight.deidentify(b"no image", key=key_file)
    with pytest.raises(QuarantineError):
        safelight.deidentify(tmp_path / "none.dcm", key=key_file)
    with pytest.raises(SettingsError, match="neither a path"):
        safelight.deidentify(42, key=key_file)  # type: ignore[call-overload]  # the point
    with pytest.raises(AttributeError):
        safelight.no_such  # noqa: B018  # the access is the test


def test_inspect_tells_the_same_of_path_bytes_and_data_set(
    tmp_path: Path, key: ProjectKey, key_file: Path
) -> None:
    assert key.fingerprint
    path = tmp_path / "CT_small.dcm"
    path.write_bytes(_bytes(sample()))
    whole = safelight.inspect(path, key=key_file)
    assert safelight.inspect(path.read_bytes(), key=key_file).rows == whole.rows
    told = safelight.inspect(sample(), key=key_file).rows
    assert {row.place for row in told} <= {row.place for row in whole.rows}
    assert len(told) > len(whole.rows) // 2


def test_a_data_set_may_be_a_header_alone_but_bytes_may_not(key_file: Path) -> None:
    header = sample()
    del header.PixelData
    assert safelight.deidentify(header, key=key_file).dataset.Modality == header.Modality
    with pytest.raises(NeedsReviewError, match="without pixel data"):
        safelight.deidentify(_bytes(header), key=key_file)


def test_an_image_that_says_it_has_burned_in_writing_is_held_or_looked_at(key_file: Path) -> None:
    image = sample()
    image.BurnedInAnnotation = "YES"
    with pytest.raises(NeedsReviewError, match="burned in"):
        safelight.deidentify(image, key=key_file, pixels=False)
    looked_at = safelight.deidentify(image, key=key_file).dataset
    assert looked_at.BurnedInAnnotation == "NO"
    assert "113101" in [item.CodeValue for item in looked_at.DeidentificationMethodCodeSequence]
    image.BurnedInAnnotation = "NO"
    as_it_was = safelight.deidentify(image, key=key_file, pixels=False).dataset
    assert as_it_was.PatientIdentityRemoved == "YES"
    assert "113101" not in [item.CodeValue for item in as_it_was.DeidentificationMethodCodeSequence]


def test_a_box_given_by_hand_is_masked(key_file: Path) -> None:
    image = sample()
    before = image.pixel_array.copy()
    result = safelight.deidentify(image, key=key_file, mask=["2,3,4,5"])
    after = result.dataset.pixel_array
    assert (after[3:8, 2:6] == after[3, 2]).all()
    after[3:8, 2:6] = before[3:8, 2:6]
    assert (after == before).all()
    assert ("by hand", "mask") in {(action.rule, action.action) for action in result.actions}


def test_a_box_given_by_hand_is_masked_though_nothing_is_looked_for(key_file: Path) -> None:
    image = sample()
    result = safelight.deidentify(image, key=key_file, mask=["2,3,4,5"], pixels=False).dataset
    after = result.pixel_array
    assert (after[3:8, 2:6] == after[3, 2]).all()
    assert "113101" not in [item.CodeValue for item in result.DeidentificationMethodCodeSequence]
    assert "BurnedInAnnotation" not in result


def _bytes(data: Dataset) -> bytes:
    buffer = io.BytesIO()
    data.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


def test_what_is_no_source_is_refused_by_a_typed_error(tmp_path: Path, key_file: Path) -> None:
    bare = Dataset()
    bare.PatientName = "WEXFORDIAN"
    with pytest.raises(SettingsError, match="cannot be written"):
        safelight.deidentify(bare, key=key_file)
    refused: list[Any] = [bare, b"bytes"]
    for source in refused:
        with pytest.raises(SettingsError, match="files and folders"):
            safelight.deidentify(source, out=tmp_path / "out", key=key_file)
    with pytest.raises(SettingsError, match="limits"):
        safelight.deidentify(b"x", key=key_file, limits={"depth_read": -1})
    with pytest.raises(OutputError, match="no manifest"):
        safelight.verify(tmp_path)


def test_looking_at_one_file_makes_no_key(key_file: Path) -> None:
    told = safelight.inspect(sample(), key=key_file, pixels=False)
    assert told.rows
    assert not key_file.exists()


def test_a_preset_may_have_any_name(tmp_path: Path, key_file: Path) -> None:
    preset = tmp_path / "own.toml"
    preset.write_text('name = "Études\\\\日本\\n"\nextends = "share"', encoding="utf-8")
    made = safelight.deidentify(sample(), key=key_file, preset=str(preset), pixels=False).dataset
    assert made.DeidentificationMethod[2:] == ["preset ?tudes ??"]
