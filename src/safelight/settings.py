"""Settings of a run: defaults, then a TOML file, then the environment, then the command line."""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, Final

from safelight.errors import SettingsError

__all__ = ["Settings", "default_key_file", "load", "parse_limits", "table"]

_PREFIX: Final = "SAFELIGHT_"
_NEAR: Final = 0.9  # likeness of a slip of the pen
_WANTED: Final = {bool: "true or false", int: "a whole number from 0 on", dict: "name = number"}
_WORDS: Final = {
    **dict.fromkeys(("1", "true", "yes", "on"), True),
    **dict.fromkeys(("0", "false", "no", "off"), False),
}


def default_key_file() -> str:
    """Return where the project key lies unless told otherwise (XDG Base Directory)."""
    base = os.environ.get("XDG_DATA_HOME") or os.path.join(
        os.path.expanduser("~"), ".local", "share"
    )
    return os.path.join(base, "safelight", "project.key")


def _setting(default: Any, text: str) -> Any:
    """Declare one setting with the sentence that the documentation shows."""
    if isinstance(default, dict):
        return field(default_factory=lambda: dict(default), metadata={"doc": text})
    return field(default=default, metadata={"doc": text})


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What a person can set. Every field can stand in the TOML file and in the environment."""

    preset: str = _setting("share", "Preset by name, or the path of a TOML file with your own.")
    key_file: str = _setting(
        "", "Project key. Empty: `$XDG_DATA_HOME/safelight/project.key`, made on first use."
    )
    pixels: bool = _setting(
        default=True,
        text="Look at the pixels: mask what is written in them, take faces off head scans.",
    )
    mask: str = _setting(
        "", "Boxes masked by hand in every picture: `x,y,w,h`, several joined by `;`."
    )
    mask_file: str = _setting("", "File of boxes masked by hand, for kinds of pictures (TOML).")
    workers: int = _setting(1, "Processes that work at the same time; 0 means one for each core.")
    seconds_per_input: int = _setting(
        900,
        "A worker that spends longer on one input is ended, the input quarantined; 0: no bound.",
    )
    log_file: str = _setting("", "File that receives the log (JSON lines). Empty: no log.")
    limits: Mapping[str, int] = _setting(
        {}, "Limits on one input by name, such as `depth_read = 64`; in the environment `a=1,b=2`."
    )

    @property
    def key_path(self) -> str:
        """Return the path of the project key, with the default filled in."""
        return self.key_file or default_key_file()

    @property
    def processes(self) -> int:
        """Return the number of worker processes, with 0 resolved to the number of cores."""
        if self.workers > 0:
            return self.workers
        if hasattr(os, "sched_getaffinity"):
            return max(1, len(os.sched_getaffinity(0)))
        return max(1, os.cpu_count() or 1)


def parse_limits(pairs: str | list[str] | tuple[str, ...]) -> dict[str, int]:
    """Read ``name=value`` pairs, given as a list or joined by commas.

    Raises:
        SettingsError: A pair has no name or no whole number.
    """
    items = pairs.split(",") if isinstance(pairs, str) else list(pairs)
    limits: dict[str, int] = {}
    for item in filter(None, (item.strip() for item in items)):
        name, equals, number = item.partition("=")
        if not equals or not number.strip().isdecimal():
            raise SettingsError(
                "a limit is not of the form name=number",
                todo="write for example --limit depth_read=32",
            )
        limits[name.strip().replace("-", "_")] = int(number)
    return limits


def _convert(name: str, value: Any, default: Any) -> Any:
    """Return ``value`` in the type of the field, whether it came from TOML or from text."""
    if name == "limits":
        if isinstance(value, str):
            return parse_limits(value)
        if isinstance(value, dict) and all(
            type(number) is int and number >= 0 for number in value.values()
        ):
            return dict(value)
    elif isinstance(default, bool):
        if isinstance(value, bool):
            return value
        if isinstance(value, str) and value.strip().lower() in _WORDS:
            return _WORDS[value.strip().lower()]
    elif isinstance(default, int):
        if type(value) is int and value >= 0:
            return value
        if isinstance(value, str) and value.strip().isdecimal():
            return int(value)
    elif isinstance(value, str):
        return value
    wanted = _WANTED.get(type(default), "a text")
    raise SettingsError(
        f"the setting {name} has a value of the wrong type",
        todo=f"give {wanted}, in the settings file or in {_PREFIX}{name.upper()}",
    )


def _look_for_slips(known: Iterable[str]) -> None:
    """Refuse a variable of the environment that is nearly one of ours.

    Without it a slip would be passed over, and a run would take less off than was meant.

    Raises:
        SettingsError: There is one.
    """
    right = [_PREFIX + name.upper() for name in known] + [f"{_PREFIX}SETTINGS"]
    for odd in sorted(os.environ.keys() - set(right)):
        if not odd.startswith(_PREFIX):
            continue
        from difflib import get_close_matches  # noqa: PLC0415  # rarely needed

        if close := get_close_matches(odd, right, 1, _NEAR):
            raise SettingsError(
                f"there is no setting {odd} in the environment",
                kept="nothing was read or written",
                todo=f"write {close[0]}, or take it out of the environment",
            )


def _read_file(path: str) -> dict[str, Any]:
    import tomllib  # noqa: PLC0415  # start-up cost: most runs have no settings file

    try:
        with open(path, "rb") as file:
            return tomllib.load(file)
    except OSError as error:
        raise SettingsError(
            f"the settings file cannot be read ({error.strerror})",
            place=path,
            todo="check its path",
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(
            "the settings file is not valid TOML", place=path, todo="correct it"
        ) from error


def load(path: str = "", **given: Any) -> Settings:
    """Return the settings of this run.

    Args:
        path: TOML file; empty takes ``SAFELIGHT_SETTINGS``, and no file if that is unset.
        given: Values from the command line; ``None`` means not given.

    Raises:
        SettingsError: A name is unknown, a value has the wrong type, or the file cannot be read.
    """
    known = {item.name: item for item in fields(Settings)}
    base = Settings()
    _look_for_slips(known)
    path = path or os.environ.get(f"{_PREFIX}SETTINGS", "")
    layers = [_read_file(path)] if path else []
    layers.append(
        {
            name: os.environ[_PREFIX + name.upper()]
            for name in known
            if _PREFIX + name.upper() in os.environ
        }
    )
    layers.append({name: value for name, value in given.items() if value is not None})
    for layer in layers:
        if unknown := sorted(set(layer) - set(known)):
            raise SettingsError(
                f"unknown setting {unknown[0]!r}", todo=f"known settings: {', '.join(known)}"
            )
        values = {n: _convert(n, value, getattr(base, n)) for n, value in layer.items()}
        if "limits" in values:
            values["limits"] = {**base.limits, **values["limits"]}
        base = replace(base, **values)
    return base


def table() -> str:
    """Return the settings as a Markdown table; the documentation holds it and a test compares."""
    base = Settings()
    rows = ["| setting | environment | default | meaning |", "|---|---|---|---|"]
    for item in fields(Settings):
        value = getattr(base, item.name)
        shown = f"`{str(value).lower()}`" if value not in ("", {}) else "(empty)"
        env = f"`{_PREFIX}{item.name.upper()}`"
        rows.append(f"| `{item.name}` | {env} | {shown} | {item.metadata['doc']} |")
    return "\n".join(rows) + "\n"
