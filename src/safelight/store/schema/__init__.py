"""The tables of all rooms, in one ``MetaData``; each room's stand in a module of its own here.

A module found in this package is part of the schema: there is no list to forget one in.
"""

from importlib import import_module
from pkgutil import iter_modules
from typing import Final

from safelight.store.schema.base import Id, Moment, metadata

__all__ = ["REVISION", "Id", "Moment", "metadata"]

REVISION: Final = "0008"  # of the newest migration; a test compares

for _found in iter_modules(__path__):
    import_module(f"{__name__}.{_found.name}")
