"""Whether modules can be compiled here."""

import shutil
import sysconfig
from pathlib import Path

__all__ = ["CAN_COMPILE", "report"]

_HEADERS = Path(sysconfig.get_path("include"), "Python.h")
CAN_COMPILE = shutil.which("cc") is not None and _HEADERS.is_file()


def report() -> str:
    """Return the line for the head of the report."""
    if CAN_COMPILE:
        return "compiled wheel: built and compared"
    return (
        "compiled wheel: NOT BUILT: no C compiler or no Python headers, so only the plain one was"
        " tested (Debian: apt-get install gcc python3-dev)"
    )
