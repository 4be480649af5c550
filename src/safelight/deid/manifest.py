"""What was done to one object, as JSON: rules, places and salted digests; a value never."""

import json

from safelight import __version__
from safelight.deid.context import Context
from safelight.deid.table import EDITION

__all__ = ["describe"]


def describe(ctx: Context, *, actions: str, notes: tuple[str, ...]) -> bytes:
    """Return the JSON object that the signed manifest line of an input carries.

    Args:
        ctx: Key, profile and subject as run.
        actions: Comma-separated JSON arrays ``[place, rule, action, digest]``.
        notes: Facts for the report; our own words.
    """
    told = ",".join(json.dumps(note) for note in notes) if notes else ""
    return (
        f'{{"person":"{ctx.subject.code}","profile":{json.dumps(ctx.profile.name)},'
        f'"table":"{EDITION}","version":"{__version__}","key":"{ctx.key.fingerprint}",'
        f'"notes":[{told}],"actions":[{actions}]}}'
    ).encode("ascii")
