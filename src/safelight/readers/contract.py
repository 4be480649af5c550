"""What a reader is, and what it must do.

The words MUST, MUST NOT, SHOULD and MAY are those of RFC 2119.

- A reader MUST look for one finding in one kind of view, and MUST name both.
- It MUST take a ``View``, which is made from a ``Deidentified`` and from nothing else; it MUST NOT
  open a file, start a process, or reach a network.
- It MUST give one of the answers of ``reading.Answer`` and MUST NOT say "normal" in any words.
- Its answer MUST follow from conformal p-values of a calibration that holds one score a person, and
  it MUST state the promise that comes with them, or none.
- It MUST abstain, with a reason, on a view of another kind, an age it was not made for, and a
  picture it cannot read. It MUST NOT raise for any view that can be built.
- It MUST carry a card. Its state MUST be what ``gate.judge`` makes of the card; there MUST NOT be a
  setting that changes it.
- The same picture MUST give the same answer, whatever was read before and whatever runs beside it.
- A linear reader over ``features`` MUST give contributions that add up to its score. Any other MUST
  mark what it shows as unverified.
- A plug-in MUST be an ONNX model with its card and calibration, under a pinned SHA-256; it MUST NOT
  bring code of its own, and nothing is ever unpickled. It SHOULD read a picture in half a second.
- It MAY be asked by name for a view that is not its kind; it then says so.
"""

from typing import Protocol

from safelight.readers.asking import Seen
from safelight.readers.card import Card
from safelight.readers.explain import Cases
from safelight.readers.reading import Code, Finding, KindAnswer, State, ViewKind
from safelight.readers.site import SiteStatus
from safelight.readers.view import View

__all__ = ["Reader"]


class Reader(Protocol):
    """One question to one kind of view; see the module for what it must keep.

    Attributes:
        name: Lower-case letters, digits and hyphens.
        version: Of the reader.
        kind: What it reads.
        ages: Youngest and oldest it was made for, or None.
        finding: What it looks for.
        card: What was measured of it.
        state: What the gate lets it do.
        reasons: Why not more.
    """

    @property
    def name(self) -> str:
        """See the class."""
        ...

    @property
    def version(self) -> str:
        """See the class."""
        ...

    @property
    def kind(self) -> ViewKind:
        """See the class."""
        ...

    @property
    def ages(self) -> tuple[float, float] | None:
        """See the class."""
        ...

    @property
    def finding(self) -> Code:
        """See the class."""
        ...

    @property
    def card(self) -> Card:
        """See the class."""
        ...

    @property
    def state(self) -> State:
        """See the class."""
        ...

    @property
    def reasons(self) -> tuple[str, ...]:
        """See the class."""
        ...

    def read(
        self,
        view: View,
        kind: KindAnswer,
        *,
        site: SiteStatus,
        cases: Cases,
        seen: Seen | None = None,
    ) -> Finding:
        """Return the answer for a view.

        Args:
            view: What is read.
            kind: What it is.
            site: Where it comes from.
            cases: Consented cases to show beside it.
            seen: Its picture and numbers, when they were made already for another reader.
        """
        ...
