"""Settings come in layers, and the log lets nothing through that it does not know."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safelight import log, settings
from safelight.errors import OutputError, SettingsError


def test_the_command_line_beats_the_environment_beats_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "safelight.toml"
    file.write_text('preset = "strict"\nworkers = 3\n[limits]\ndepth_read = 10\nitems = 5\n')
    monkeypatch.setenv("SAFELIGHT_SETTINGS", str(file))
    monkeypatch.setenv("SAFELIGHT_WORKERS", "4")
    monkeypatch.setenv("SAFELIGHT_LIMITS", "items=7")
    told = settings.load(preset=None, workers=5, limits={"pages": 1})
    assert (told.preset, told.workers) == ("strict", 5)
    assert told.limits == {"depth_read": 10, "items": 7, "pages": 1}
    assert settings.load().workers == 4


@pytest.mark.parametrize(
    "text",
    ["worker = 3", "workers = -1", 'workers = "x"', "preset = 1", "[limits]\na = 1.5", "no toml"],
)
def test_a_wrong_setting_is_told(tmp_path: Path, text: str) -> None:
    file = tmp_path / "s.toml"
    file.write_text(text)
    with pytest.raises(SettingsError):
        settings.load(str(file))
    with pytest.raises(SettingsError, match="cannot be read"):
        settings.load(str(tmp_path / "none.toml"))


@pytest.mark.parametrize("name", ["PRESETT", "PRESSET", "WORKER", "LIMIT", "SETTING", "KEYFILE"])
def test_a_slip_in_the_environment_is_told(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(f"SAFELIGHT_{name}", "strict")
    with pytest.raises(SettingsError, match=f"no setting SAFELIGHT_{name}") as error:
        settings.load()
    assert "SAFELIGHT_" in error.value.todo


def test_other_variables_are_none_of_the_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PUBLIC_URL", "SERVE_OPTIONS", "FAULT", "BENCH", "API_CASES", "READERS_STATE"):
        monkeypatch.setenv(f"SAFELIGHT_{name}", "x")
    assert settings.load() == settings.Settings()


def test_a_settings_file_that_is_no_text_is_told(tmp_path: Path) -> None:
    file = tmp_path / "s.toml"
    file.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SettingsError, match="not valid TOML") as error:
        settings.load(str(file))
    assert error.value.place == str(file)


def test_the_key_lies_where_xdg_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", "/data")
    assert settings.load().key_path == "/data/safelight/project.key"
    assert settings.load(workers=0).processes >= 1


def test_the_table_names_every_setting() -> None:
    table = settings.table()
    for name in ("preset", "key_file", "workers", "limits", "log_file"):
        assert f"`{name}`" in table
        assert f"`SAFELIGHT_{name.upper()}`" in table


def test_the_log_takes_codes_and_counts_only(tmp_path: Path) -> None:
    path = tmp_path / "run.log"
    log.configure(str(path))
    try:
        log.event("run-finished", inputs=3, exit_code=0)
        log.event("input-quarantined", input="0123456789abcdef", name="DOE^JANE", reason="limit")
        log.event("opened DOE^JANE", reason="DOE^JANE", kind="x" * 65)
    finally:
        log.configure("")
    text = path.read_text()
    first, second, third = map(json.loads, text.splitlines())
    assert (first["event"], first["inputs"]) == ("run-finished", 3)
    assert (second["input"], second["dropped"]) == ("0123456789abcdef", 1)
    assert third["event"] == "unnamed"
    assert "DOE" not in text
    log.event("run-finished", inputs=3)  # off again: nothing is added
    assert path.read_text() == text
    with pytest.raises(OutputError):
        log.configure(str(tmp_path / "no" / "where"))


@given(st.dictionaries(st.text(max_size=12), st.text(max_size=80), max_size=6))
def test_no_unknown_field_passes(entry: dict[str, str]) -> None:
    kept = log.allow(None, "info", dict(entry))
    assert set(kept) - {"event", "timestamp", "dropped"} <= log.FIELDS
    assert kept["event"] in log.EVENTS | {"unnamed"}
