"""Presets and TOML profiles: what they hold, and what a person is told about a mistake."""

from pathlib import Path

import pytest

from safelight.deid.profile import BASIC_CODE, PRESETS, Option, Profile, load, method_codes
from safelight.errors import SettingsError


def write(folder: Path, text: str) -> str:
    path = folder / "mine.toml"
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_codes_are_those_of_cid_7050() -> None:
    from pydicom.sr._concepts_dict import concepts  # noqa: PLC0415  the standard's own list

    meanings = {
        code: meaning
        for entries in concepts["DCM"].values()
        for code, (meaning, cids) in entries.items()
        if 7050 in cids
    }
    ours = dict([BASIC_CODE, *((option.value, option.meaning) for option in Option)])
    assert ours == meanings


def test_share_is_what_is_recommended() -> None:
    assert load("share").options == {
        Option.CLEAN_DESCRIPTORS,
        Option.CLEAN_STRUCTURED_CONTENT,
        Option.CLEAN_GRAPHICS,
        Option.RETAIN_MODIFIED_DATES,
        Option.RETAIN_PATIENT_CHARACTERISTICS,
        Option.RETAIN_SAFE_PRIVATE,
    }


def test_presets() -> None:
    assert {"share", "strict", "research-dates"} <= PRESETS.keys()
    assert not PRESETS["strict"].options
    assert not PRESETS["strict"].overrides
    research = PRESETS["research-dates"].options
    assert Option.RETAIN_FULL_DATES in research
    assert Option.RETAIN_MODIFIED_DATES not in research
    for name, preset in PRESETS.items():
        assert preset.name == name
        assert preset.description.endswith(".")
        assert Option.RETAIN_UIDS not in preset.options


def test_a_file_extends_a_preset(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        'name = "our-trial"\nextends = "share"\n'
        'options = ["retain-full-dates", "113109"]\nwithout = ["retain-safe-private"]\n'
        '[override]\n"0008,0080" = "keep"\n"(0008,1030)" = "remove"\n',
    )
    profile = load(path)
    assert profile.name == "our-trial"
    share = PRESETS["share"].options
    assert profile.options == (
        share - {Option.RETAIN_MODIFIED_DATES, Option.RETAIN_SAFE_PRIVATE}
        | {Option.RETAIN_FULL_DATES, Option.RETAIN_DEVICE_IDENTITY}
    )
    assert profile.overrides[0x0008_0080] == "keep"
    assert profile.overrides[0x0008_1030] == "remove"
    assert profile.overrides[0x0008_1140] == "clean"  # from the preset


def test_a_file_alone_is_the_basic_profile(tmp_path: Path) -> None:
    profile = load(write(tmp_path, ""))
    assert profile == Profile(name="mine", options=frozenset())


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('options = ["keep-everything"]', ["keep-everything", "clean-descriptors", "retain-uids"]),
        ('options = "clean-descriptors"', ["not a list"]),
        ('extends = "sharing"', ["sharing", "share, strict, research-dates"]),
        ("colour = 1", ["colour", "extends", "override"]),
        ("name = 1", ["'name' is not a text"]),
        ('options = ["retain-full-dates", "retain-modified-dates"]', ["contradict", "leave out"]),
        ('[override]\n"0008.0080" = "keep"', ["0008.0080", "0008,0080"]),
        ('[override]\n"PatientName" = "keep"', ["PatientName", "is not a tag"]),
        ('[override]\n"-008,0080" = "keep"', ["is not a tag"]),
        ('[override]\n"0x08,0080" = "keep"', ["is not a tag"]),
        ('[override]\n"0008,0080" = "hide"', ["hide", "keep, remove, empty, clean, dummy"]),
        ('[override]\n"0009,1001" = "keep"', ["private", "retain-safe-private"]),
        ('[override]\n"0008,0018" = "keep"', ["holds the file together", "retain-uids"]),
        ('[override]\n"0002,0010" = "remove"', ["holds the file together"]),
        ("override = 1", ["not a table"]),
        ("name = = 1", ["not valid TOML", "line 1"]),
    ],
)
def test_mistakes_are_explained(tmp_path: Path, text: str, told: list[str]) -> None:
    path = write(tmp_path, text)
    with pytest.raises(SettingsError) as caught:
        load(path)
    message = caught.value.diagnostics()
    for words in told:
        assert words in message


def test_unknown_preset_lists_the_known_ones() -> None:
    with pytest.raises(SettingsError) as caught:
        load("shar")
    assert "share, strict" in caught.value.diagnostics()


def test_missing_and_undecodable_files(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="cannot be read"):
        load(str(tmp_path / "none.toml"))
    latin = tmp_path / "latin.toml"
    latin.write_bytes(b'name = "M\xfcller"')
    with pytest.raises(SettingsError, match="not valid TOML"):
        load(str(latin))


def test_the_claim_follows_the_act() -> None:
    share = PRESETS["share"]
    done = frozenset({Option.CLEAN_DESCRIPTORS, Option.RETAIN_MODIFIED_DATES, Option.RETAIN_UIDS})
    assert method_codes(share, done) == [
        BASIC_CODE,
        ("113105", "Clean Descriptors Option"),
        ("113107", "Retain Longitudinal Temporal Information Modified Dates Option"),
    ]
    assert method_codes(share, frozenset()) == [BASIC_CODE]


def test_a_kept_element_takes_the_basic_claim_away() -> None:
    own = Profile(name="own", options=frozenset(), overrides={0x0008_0080: "keep"})
    assert method_codes(own, frozenset()) == []
    stricter = Profile(name="own", options=frozenset(), overrides={0x0018_0015: "remove"})
    assert method_codes(stricter, frozenset()) == [BASIC_CODE]


def test_profiles_of_one_content_are_equal_and_hash_alike() -> None:
    one = Profile(name="own", options=frozenset(), overrides={1: "keep", 2: "remove"})
    two = Profile(name="own", options=frozenset(), overrides={2: "remove", 1: "keep"})
    assert one == two
    assert hash(one) == hash(two)


def test_the_page_on_profiles_agrees_with_the_code(tmp_path: Path) -> None:
    page = (Path(__file__).parent.parent / "docs" / "profiles.md").read_text(encoding="utf-8")
    for preset in PRESETS.values():
        assert f"| `{preset.name}` | {preset.description} |" in page
    for option in Option:
        assert f"| `{option.label}` | {option.value} | {option.meaning} |" in page
    example = page.partition("```toml\n")[2].partition("```")[0]
    profile = load(write(tmp_path, example))
    assert profile.name == "our-trial"
    assert profile.overrides[0x0010_21B0] == "remove"
