"""Whether a store was made before: nothing is made in the place of what is only not found."""

import os

from safelight.errors import StoreError

__all__ = ["check_made", "lost", "size_of"]


def size_of(path: str) -> int:
    """Return the bytes of a file; 0 when it is not there."""
    try:
        return os.path.getsize(path)
    except OSError:
        return 0


def lost(what: str) -> StoreError:
    """Return what is said of a database that objects lie beside and that holds nothing."""
    return StoreError(
        f"{what}, while objects of a vault lie beside it",
        kept="nothing was made or changed; the objects and the key shares are as they were",
        todo="put the database back where it was, or give its address (--data, --database);"
        " if it is lost, run safelight restore with the newest backup, into a new data folder",
    )


def check_made(path: str, home: str, objects: str) -> None:
    """Refuse to open what is not there, before anything is made in its place.

    Args:
        path: The SQLite file; empty for a server.
        home: The data folder.
        objects: Address of the objects.

    Raises:
        StoreError: The database, the data folder or the folder of objects is not there.
    """
    folder = "" if "://" in objects and not objects.startswith("file://") else objects
    folder = folder.removeprefix("file://")
    if path and not size_of(path):
        what = "the database is empty" if os.path.exists(path) else "the database is not there"
        if folder and os.path.isdir(folder) and os.listdir(folder):
            raise lost(what)
        raise StoreError(
            f"there is no vault here: {what}",
            kept="nothing was made or changed",
            todo="check the address (--data, --database), or run safelight init to make one",
        )
    for place, name in ((home, "the data folder"), (folder, "the folder of objects")):
        if place and not os.path.isdir(place):
            raise StoreError(
                f"{name} is not there",
                kept="nothing was made or changed",
                todo="mount it or put it back, or give its address (--data, --objects)",
            )
