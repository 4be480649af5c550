"""What every test stands on: no network, no home of the user's, one way to run Hypothesis.

Sockets are off and warnings are errors by ``pyproject.toml``; this file adds the rest.
"""

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

import browser
import compiler
from safelight.deid.pseudonyms import ProjectKey
from store_fixtures import database, later, make_store, postgresql, report, store

# pytest finds fixtures by their names in this file.
__all__ = ["database", "later", "make_store", "postgresql", "store"]

# A slow or busy machine must not fail a property: no deadline, no complaint about data that takes
# long to make. "ci" is derandomised, so that the same commit gives the same answer every time;
# "deep" looks further and at random: HYPOTHESIS_PROFILE=deep make test
_QUIET = (HealthCheck.too_slow, HealthCheck.function_scoped_fixture)
settings.register_profile(
    "ci",
    derandomize=True,
    deadline=None,
    max_examples=60,
    database=None,
    suppress_health_check=_QUIET,
)
settings.register_profile("deep", deadline=None, max_examples=2_000, suppress_health_check=_QUIET)
settings.register_profile(
    "full", deadline=None, max_examples=10_000, database=None, suppress_health_check=_QUIET
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))


@pytest.fixture(autouse=True)
def _nobodys_home(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Give each test an empty home, so that none can read or write a real project key."""
    home = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("XDG_DATA_HOME", str(home / "data"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home / "config"))
    for name in [name for name in os.environ if name.startswith("SAFELIGHT_")]:
        monkeypatch.delenv(name)


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    """Return where a project key may be made; nothing is there yet."""
    return tmp_path / "keys" / "project.key"


@pytest.fixture
def key(key_file: Path) -> ProjectKey:
    """Return a fresh project key of this test's own."""
    key_file.parent.mkdir(mode=0o700)
    return ProjectKey.load_or_create(key_file)


def pytest_report_header() -> list[str]:
    """Say which databases, browser and compiler the tests run on, at the top of every report."""
    return [report(), browser.report(), compiler.report()]
