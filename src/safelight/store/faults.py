"""Named places where the power may go: nothing in normal use, a death or an error in a test.

``SAFELIGHT_FAULT=NAME`` ends the process with SIGKILL when it reaches NAME; ``NAME#3`` at the third
time, ``*#17`` at the seventeenth place of any name. In a test, ``planned`` sees every place that is
reached and may raise there.
"""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

__all__ = ["arm", "planned", "reach"]

VARIABLE: Final = "SAFELIGHT_FAULT"
_hook: Callable[[str], None] | None = None


def reach(name: str) -> None:
    """Say that a place was reached, e.g. ``submit.stored``: after what it names, before the next.

    Args:
        name: ``room.what-was-just-done``; never a value.
    """
    if _hook is not None:
        _hook(name)


def arm(spec: str) -> None:
    """Plan the death of this process; an empty text plans nothing."""
    global _hook  # noqa: PLW0603  # one plan a process
    if not spec:
        _hook = None
        return
    wanted, _, count = spec.partition("#")
    left = int(count) if count.isdecimal() else 1

    def die(name: str) -> None:
        nonlocal left
        if wanted in ("*", name):
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    _hook = die


@contextmanager
def planned(hook: Callable[[str], None]) -> Iterator[None]:
    """Call ``hook`` with the name of every place that is reached inside; it may raise."""
    global _hook  # noqa: PLW0603  # as above
    before, _hook = _hook, hook
    try:
        yield
    finally:
        _hook = before


arm(os.environ.get(VARIABLE, ""))
