"""What is to be done: the basic profile with options, as a preset or a small TOML file.

Source: PS3.15 Annex E (profiles and options), PS3.16 CID 7050 (codes).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from safelight.errors import SettingsError

__all__ = ["BASIC_CODE", "PRESETS", "Option", "Profile", "load", "method_codes"]

BASIC_CODE: Final = ("113100", "Basic Application Confidentiality Profile")
_DATA_SET: Final = 0x0008_0000  # below: commands, file meta, directory structure
ACTS: Final = ("keep", "remove", "empty", "clean", "dummy")


class Option(StrEnum):
    """The options of the profile; the value is the code of PS3.16 CID 7050 (scheme DCM)."""

    CLEAN_PIXEL_DATA = "113101"
    CLEAN_VISUAL_FEATURES = "113102"
    CLEAN_GRAPHICS = "113103"
    CLEAN_STRUCTURED_CONTENT = "113104"
    CLEAN_DESCRIPTORS = "113105"
    RETAIN_FULL_DATES = "113106"
    RETAIN_MODIFIED_DATES = "113107"
    RETAIN_PATIENT_CHARACTERISTICS = "113108"
    RETAIN_DEVICE_IDENTITY = "113109"
    RETAIN_UIDS = "113110"
    RETAIN_SAFE_PRIVATE = "113111"
    RETAIN_INSTITUTION_IDENTITY = "113112"

    @property
    def meaning(self) -> str:
        """The code meaning that goes into (0012,0064)."""
        return _MEANINGS[self]

    @property
    def label(self) -> str:
        """The name used in settings files, e.g. ``clean-descriptors``."""
        return self.name.lower().replace("_", "-")


_MEANINGS: Final[Mapping[Option, str]] = {
    Option.CLEAN_PIXEL_DATA: "Clean Pixel Data Option",
    Option.CLEAN_VISUAL_FEATURES: "Clean Recognizable Visual Features Option",
    Option.CLEAN_GRAPHICS: "Clean Graphics Option",
    Option.CLEAN_STRUCTURED_CONTENT: "Clean Structured Content Option",
    Option.CLEAN_DESCRIPTORS: "Clean Descriptors Option",
    Option.RETAIN_FULL_DATES: "Retain Longitudinal Temporal Information Full Dates Option",
    Option.RETAIN_MODIFIED_DATES: "Retain Longitudinal Temporal Information Modified Dates Option",
    Option.RETAIN_PATIENT_CHARACTERISTICS: "Retain Patient Characteristics Option",
    Option.RETAIN_DEVICE_IDENTITY: "Retain Device Identity Option",
    Option.RETAIN_UIDS: "Retain UIDs Option",
    Option.RETAIN_SAFE_PRIVATE: "Retain Safe Private Option",
    Option.RETAIN_INSTITUTION_IDENTITY: "Retain Institution Identity Option",
}
_BY_LABEL: Final = {option.label: option for option in Option}


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """The basic profile, the options on top of it and a person's own exceptions.

    Attributes:
        name: How reports call it.
        options: Options that are on.
        overrides: Tag to one of ``keep``, ``remove``, ``empty``, ``clean``, ``dummy``; wins over
            the table and the options.
        description: One line for people who choose.
    """

    name: str
    options: frozenset[Option]
    overrides: Mapping[int, str] = field(default_factory=lambda: MappingProxyType({}))
    description: str = ""

    def __post_init__(self) -> None:
        both = {Option.RETAIN_FULL_DATES, Option.RETAIN_MODIFIED_DATES}
        if both <= self.options:
            raise SettingsError(
                "full dates and modified dates contradict each other",
                place=f"profile {self.name}",
                todo=f"leave out one of {', '.join(sorted(option.label for option in both))}",
            )

    def with_pixels(self) -> "Profile":
        """Return the profile with the options on pixels and visual features."""
        more = {Option.CLEAN_PIXEL_DATA, Option.CLEAN_VISUAL_FEATURES}
        return replace(self, options=self.options | more)

    def __hash__(self) -> int:
        return hash((self.name, self.options, tuple(sorted(self.overrides.items()))))

    def __reduce__(self) -> tuple[Any, ...]:
        """Profiles travel to worker processes; a mapping proxy does not pickle by itself."""
        values = (self.name, self.options, dict(self.overrides), self.description)
        return _make_profile, values


def _make_profile(
    name: str, options: frozenset[Option], overrides: dict[int, str], description: str
) -> Profile:
    return Profile(
        name=name,
        options=options,
        overrides=MappingProxyType(overrides),
        description=description,
    )


def _options(*labels: str) -> frozenset[Option]:
    return frozenset(_BY_LABEL[label] for label in labels)


# References to images and studies are kept under their new UIDs, so that a study still hangs
# together; the basic profile by itself lets them go.
_REFERENCES: Final[Mapping[int, str]] = MappingProxyType(
    dict.fromkeys((0x0008_1110, 0x0008_1111, 0x0008_1140, 0x0008_2112), "clean")
)
_TEACHING: Final = _options(
    "clean-descriptors",
    "clean-structured-content",
    "clean-graphics",
    "retain-patient-characteristics",
)
_SHARE: Final = _TEACHING | _options("retain-modified-dates", "retain-safe-private")
_FULL_DATES: Final = _SHARE - _options("retain-modified-dates") | _options("retain-full-dates")


def _preset(name: str, options: frozenset[Option], description: str) -> Profile:
    overrides = _REFERENCES if options else MappingProxyType({})
    return Profile(name=name, options=options, overrides=overrides, description=description)


PRESETS: Final[Mapping[str, Profile]] = MappingProxyType(
    {
        preset.name: preset
        for preset in (
            _preset(
                "share",
                _SHARE,
                "Recommended: identity off; dates moved by a secret number of days a person; age,"
                " sex, medical words and scanner settings kept.",
            ),
            _preset(
                "strict",
                frozenset(),
                "The bare basic profile: no dates, no descriptions, no patient data, no private"
                " elements.",
            ),
            _preset(
                "research-dates",
                _FULL_DATES,
                "As share, with the true dates kept: only for data under an agreement that allows"
                " them.",
            ),
            _preset(
                "teaching",
                _TEACHING,
                "For teaching files: medical words, age and sex kept; no dates and no private"
                " elements.",
            ),
            _preset(
                "device",
                _SHARE | _options("retain-device-identity"),
                "As share, with the identity of scanners kept, to compare or check machines.",
            ),
            _preset(
                "site",
                _SHARE | _options("retain-device-identity", "retain-institution-identity"),
                "As share, with scanners and institution named: for quality work inside one house.",
            ),
        )
    }
)


def load(name_or_path: str) -> Profile:
    """Return a preset by its name, or the profile of a TOML file by its path.

    A file holds ``name``, optionally ``extends`` (a preset), ``options`` (added to those of the
    preset; a date option takes the place of the other one), ``without`` (options left out) and a
    table ``[override]`` of ``"gggg,eeee" = "keep" | "remove" | "empty" | "clean" | "dummy"``.

    Raises:
        SettingsError: The preset is unknown, or the file cannot be read, is not TOML, or names a
            key, option, tag or act that does not exist; the message lists what does.
    """
    preset = PRESETS.get(name_or_path)
    if preset is not None:
        return preset
    path = Path(name_or_path)
    if path.suffix != ".toml" and not path.is_file():
        raise SettingsError(
            f"there is no preset '{name_or_path}'",
            todo=f"use one of {', '.join(PRESETS)}, or the path of a .toml file",
        )
    return _from_settings(_read_toml(path), place=name_or_path, fallback=path.stem)


def _read_toml(path: Path) -> dict[str, Any]:
    import tomllib  # noqa: PLC0415  start-up cost: only runs with one's own profile need it

    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(
            f"the profile cannot be read ({error.strerror})",
            place=str(path),
            todo="check the path and the permissions",
        ) from error
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(
            f"the profile is not valid TOML ({error})", place=str(path), todo="correct that line"
        ) from error


def _from_settings(values: dict[str, Any], *, place: str, fallback: str) -> Profile:
    known = {"name", "extends", "options", "without", "override", "description"}
    if unknown := sorted(values.keys() - known):
        raise SettingsError(
            f"unknown key '{unknown[0]}'", place=place, todo=f"use {', '.join(sorted(known))}"
        )
    texts = {key: values.get(key, "") for key in ("name", "extends", "description")}
    for key, value in texts.items():
        if not isinstance(value, str):
            raise SettingsError(f"'{key}' is not a text", place=place, todo="put it in quotes")
    base = Profile(name="basic", options=frozenset())
    if extends := texts["extends"]:
        if extends not in PRESETS:
            raise SettingsError(
                f"there is no preset '{extends}' to extend",
                place=place,
                todo=f"use one of {', '.join(PRESETS)}",
            )
        base = PRESETS[extends]
    added = _read_options(values.get("options", []), key="options", place=place)
    without = _read_options(values.get("without", []), key="without", place=place)
    dates = {Option.RETAIN_FULL_DATES, Option.RETAIN_MODIFIED_DATES}
    kept = base.options - dates if added & dates else base.options
    return Profile(
        name=texts["name"] or fallback,
        options=(kept | added) - without,
        overrides=MappingProxyType(
            dict(base.overrides) | _read_overrides(values.get("override", {}), place=place)
        ),
        description=texts["description"],
    )


def _read_options(value: object, *, key: str, place: str) -> frozenset[Option]:
    if not isinstance(value, list):
        raise SettingsError(
            f"'{key}' is not a list", place=place, todo=f'write {key} = ["clean-descriptors"]'
        )
    codes = {option.value: option for option in Option}
    found = set()
    for item in value:
        option = _BY_LABEL.get(str(item)) or codes.get(str(item))
        if option is None:
            raise SettingsError(
                f"there is no option '{item}'",
                place=place,
                todo=f"use one of {', '.join(_BY_LABEL)} (or their codes 113101 to 113112)",
            )
        found.add(option)
    return frozenset(found)


def _read_overrides(value: object, *, place: str) -> dict[int, str]:
    if not isinstance(value, dict):
        raise SettingsError(
            "'override' is not a table", place=place, todo='write [override] "0008,0080" = "keep"'
        )
    return {_read_tag(tag, place=place): _read_act(tag, act, place) for tag, act in value.items()}


def _read_tag(text: str, *, place: str) -> int:
    digits = text.strip().strip("()").replace(",", "").replace(" ", "")
    if re.fullmatch("[0-9A-Fa-f]{8}", digits) is None:
        raise SettingsError(
            f"'{text}' is not a tag", place=place, todo='write group and element as "0008,0080"'
        )
    tag = int(digits, 16)
    if tag >> 16 & 1:
        raise SettingsError(
            f"'{text}' is a private element and cannot be overridden",
            place=place,
            todo="private elements are kept by the option retain-safe-private only",
        )
    if tag < _DATA_SET or tag in {0x0008_0005, 0x0008_0016, 0x0008_0018}:
        raise SettingsError(
            f"'{text}' holds the file together and cannot be overridden",
            place=place,
            todo="leave it out; for UIDs use the option retain-uids",
        )
    return tag


def _read_act(tag: str, act: object, place: str) -> str:
    if act not in ACTS:
        raise SettingsError(
            f"there is no act '{act}' for '{tag}'", place=place, todo=f"use {', '.join(ACTS)}"
        )
    return str(act)


def method_codes(profile: Profile, done: frozenset[Option]) -> list[tuple[str, str]]:
    """Return the (code value, code meaning) pairs, scheme DCM, that (0012,0064) may claim.

    The claim follows the act: an option counts only if the profile asked for it and the run did
    it. The basic profile is not claimed when a person's own override keeps an element.

    Args:
        profile: What was asked for.
        done: Options that were carried out on this object.

    Source: PS3.15 E.1.1, PS3.16 CID 7050.
    """
    basic = [] if "keep" in profile.overrides.values() else [BASIC_CODE]
    claimed = sorted(profile.options & done)
    return basic + [(option.value, option.meaning) for option in claimed]
