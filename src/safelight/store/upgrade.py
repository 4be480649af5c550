"""Bring a database to this version's tables."""

import os
from typing import Final

from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy import Connection

from safelight.errors import StoreError

__all__ = ["FOLDER", "upgrade"]

FOLDER: Final = os.path.join(os.path.dirname(os.path.abspath(__file__)), "migrations")


def upgrade(conn: Connection, revision: str = "head") -> None:
    """Run the migrations that a database lacks, in the caller's transaction.

    Args:
        conn: A write transaction; on an empty database every table is made.
        revision: Where to stop.

    Raises:
        StoreError: The database is of a version that this one does not know.
    """
    config = Config()
    config.set_main_option("script_location", FOLDER.replace("%", "%%"))
    config.attributes["connection"] = conn
    try:
        command.upgrade(config, revision)
    except CommandError:
        raise StoreError(
            "the database was made by a later version of Safelight",
            kept="nothing was changed",
            todo="install that version",
        ) from None
