"""What was decided about an element, and how it is told in the manifest and counted in reports."""

import re
from collections.abc import Iterable
from typing import Final, final

__all__ = ["UNCHANGED", "Decided", "Entry", "told"]

Entry = tuple[str, str, str, str]  # place, rule, action, digest
UNCHANGED: Final[tuple[Entry, ...]] = ()
_INDEX: Final = re.compile(r"\[\d+\]")


@final
class Decided:
    """One decision. It is made once and used again for each repetition of its element.

    Attributes:
        out: The encoded element; None when it goes.
        entries: What was done, sequences included; empty when nothing was.

    Args:
        out: As above.
        entries: As above.
        acts: What ``acts`` gives, where it is known already.
        json: What ``json`` gives, where it is known already.
    """

    __slots__ = ("_acts", "_json", "entries", "out")

    def __init__(
        self,
        out: bytes | None,
        entries: Iterable[Entry] = UNCHANGED,
        *,
        acts: str = "",
        json: str = "",
    ) -> None:
        self.out: Final = out
        self.entries: Final = tuple(entries)
        self._json = json
        self._acts = acts

    @property
    def json(self) -> str:
        """The entries as comma-separated JSON arrays. All four fields are our own ASCII words."""
        if not self._json and self.entries:
            self._json = ",".join([told(entry) for entry in self.entries])
        return self._json

    @property
    def acts(self) -> str:
        """The entries as lines for counting: no item numbers, no digests."""
        if not self._acts and self.entries:
            self._acts = "\n".join(
                [f"{_bare(at)}\t{rule}\t{act}" for at, rule, act, _ in self.entries]
            )
        return self._acts


def told(entry: Entry) -> str:
    """Return one entry as a JSON array."""
    at, rule, act, digest = entry
    return f'["{at}","{rule}","{act}","{digest}"]'


def _bare(place: str) -> str:
    """Return a place without item numbers."""
    return _INDEX.sub("", place) if "[" in place else place
