"""Take the identity out of medical images first, and prove it.

``deidentify``, ``inspect`` and ``verify`` do in a program what the commands of the same names do,
and take bytes and pydicom data sets as well. Importing this module costs nothing: the rooms behind
them are imported at the first call.
"""

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from safelight.api import Result, deidentify, inspect, verify

__all__ = ["Result", "__version__", "deidentify", "inspect", "verify"]


def __getattr__(name: str) -> Any:
    if name in __all__:
        from safelight import api  # noqa: PLC0415  # importing safelight must cost nothing

        return getattr(api, name)
    raise AttributeError(f"module 'safelight' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
