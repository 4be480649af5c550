"""What the scoreboard lets each version of each reader do, and a reading under that rule."""

from dataclasses import replace
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, select

from safelight.readers.reading import Finding, Reading, State
from safelight.store.schema.feedback import states

__all__ = ["held", "restrained", "worse"]

_WORSE: Final = (State.VALIDATED, State.SHADOW, State.REFUSED)


def worse(one: State, other: State) -> State:
    """Return the state that allows less."""
    return max(one, other, key=_WORSE.index)


def held(conn: Connection) -> dict[tuple[str, str], tuple[State, str, datetime]]:
    """Return the last state of each reader and version that the scoreboard spoke of.

    Returns:
        State, reason and since when, by name and version.
    """
    rows = conn.execute(select(states).order_by(states.c.number)).all()
    return {(row.reader, row.version): (State(row.state), row.reason, row.at) for row in rows}


def restrained(conn: Connection, reading: Reading) -> Reading:
    """Return a reading as it may be shown now: each finding in the worse of two states.

    The gate's state is in the finding; the scoreboard's is of today, so that what was read before a
    reader was sent to the shadow is shown like what is read after.
    """
    known = held(conn)

    def under(finding: Finding) -> Finding:
        found = known.get((finding.reader, finding.version))
        return finding if found is None else replace(finding, state=worse(finding.state, found[0]))

    if not any((one.reader, one.version) in known for one in reading.findings):
        return reading
    return replace(reading, findings=tuple(under(one) for one in reading.findings))
