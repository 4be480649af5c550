"""What readers' cards say, beside what feedback says: the same rates, from before."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from safelight.readers.contract import Reader

__all__ = ["said"]


def said(readers: Iterable["Reader"]) -> dict[str, dict[str, Any]]:
    """Return the figures of each reader's card that the scoreboard is held against, by its name.

    Returns:
        ``version`` as answers name it; ``missed_at_most``: share of those who have it whose true
        class was ruled out, in the card's own splits; ``false_alarms_at_most``: likewise of those
        who have not; ``answered``; ``auc`` with its interval.
    """
    return {
        reader.name: {
            "version": reader.card.release,
            "missed_at_most": round(1 - reader.card.covered[0], 4),
            "false_alarms_at_most": round(1 - reader.card.covered[1], 4),
            "answered": round(reader.card.decided, 4),
            "auc": [
                round(one, 4)
                for one in (
                    reader.card.inside.value,
                    reader.card.inside.low,
                    reader.card.inside.high,
                )
            ],
            "people": list(reader.card.people),
        }
        for reader in readers
    }
