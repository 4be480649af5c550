"""Debian's Chromium for tests of pages: headless, with no way to any network."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

__all__ = ["CHROMIUM", "dom", "report"]

CHROMIUM = shutil.which("chromium") or ""
_OPTIONS = (
    "--headless",
    "--no-sandbox",  # the tests may run as root in a container
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--proxy-server=127.0.0.1:9",
    "--host-resolver-rules=MAP * ~NOTFOUND",
    "--virtual-time-budget=20000",
)


def report() -> str:
    """Return the line for the head of the report."""
    if CHROMIUM:
        return f"browser: {CHROMIUM}"
    return (
        "browser: NONE: no Chromium is installed here, so the receipt verifier's page was not"
        " tested in one (Debian: apt-get install chromium)"
    )


def dom(page: Path, fragment: str = "") -> str:
    """Return the document of a page after its scripts have run."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        done = subprocess.run(
            [
                CHROMIUM,
                *_OPTIONS,
                f"--user-data-dir={folder}",
                "--dump-dom",
                f"{page.as_uri()}#{fragment}",
            ],
            capture_output=True,
            check=True,
            timeout=240,
            env={**os.environ, "HOME": folder, "DBUS_SESSION_BUS_ADDRESS": "disabled:"},
        )
    return done.stdout.decode()
