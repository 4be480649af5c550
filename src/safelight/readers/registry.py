"""Which readers there are: those of the package, and plug-ins that were installed beside it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from importlib import metadata, resources
from typing import Final

from safelight.errors import SafelightError, SettingsError
from safelight.readers import plugin
from safelight.readers.asking import Seen
from safelight.readers.contract import Reader
from safelight.readers.explain import NOBODY, Cases
from safelight.readers.gate import Verdict
from safelight.readers.linear import LinearReader, Packed
from safelight.readers.pins import PINS
from safelight.readers.reading import Finding, KindAnswer, State, family
from safelight.readers.site import SiteStatus
from safelight.readers.view import View

__all__ = ["GROUP", "Registry", "load_bundled", "registry"]

GROUP: Final = "safelight.readers"
_NOWHERE: Final = SiteStatus()


@dataclass(frozen=True, slots=True)
class Registry:
    """All readers.

    Attributes:
        readers: Bundled ones first, then plug-ins.
        broken: What could not be loaded, and why, in sentences.
    """

    readers: tuple[Reader, ...]
    broken: tuple[str, ...] = ()

    def named(self, name: str) -> Reader:
        """Return a reader by its name.

        Raises:
            SettingsError: When there is none.
        """
        for reader in self.readers:
            if reader.name == name:
                return reader
        known = ", ".join(reader.name for reader in self.readers)
        raise SettingsError(f"there is no reader of this name; there are {known}")

    def joined(self, more: Iterable[Reader]) -> "Registry":
        """Return these readers and more; a learnt version stands behind the reader it is of.

        One whose name is taken is left out and told of as broken.
        """
        known = {reader.name for reader in self.readers}
        readers, broken = list(self.readers), list(self.broken)
        for reader in more:
            if reader.name in known:
                broken.append(f"{reader.name}: there is a reader of this name already")
                continue
            known.add(reader.name)
            mine = [at for at, one in enumerate(readers) if family(one.name) == family(reader.name)]
            readers.insert(mine[-1] + 1 if mine else len(readers), reader)
        return Registry(tuple(readers), tuple(broken))

    def read(
        self,
        view: View,
        kind: KindAnswer,
        *,
        site: SiteStatus = _NOWHERE,
        cases: Cases = NOBODY,
        names: Iterable[str] = (),
        held: Mapping[str, State] | None = None,
        unfit: str = "",
    ) -> tuple[Finding, ...]:
        """Return the answers of the readers made for this kind, and of those asked by name.

        A refused reader is silent unless it is asked by name, and then says why it may not answer.

        Args:
            view: What is read.
            kind: What it is; "not sure" asks nobody.
            site: Where it comes from.
            cases: Consented cases to show beside it.
            names: Readers to ask whatever the kind.
            held: What a scoreboard lets readers do, by name: it can take away, never give.
            unfit: Why no answer holds for this picture; see ``quality.unfit``.

        Raises:
            SettingsError: When a name is unknown.
        """
        wanted = {self.named(name).name for name in names}
        seen = Seen(view, kind.kind, unfit)
        found = []
        for reader in self.readers:
            state = worse(reader.state, (held or {}).get(reader.name, State.VALIDATED))
            if reader.name not in wanted and (
                kind.kind is not reader.kind or state is State.REFUSED
            ):
                continue
            finding = reader.read(view, kind, site=site, cases=cases, seen=seen)
            found.append(replace(finding, state=worse(finding.state, state)))
        return tuple(found)


def worse(one: State, other: State) -> State:
    """Return the state that lets a reader do less."""
    order = (State.VALIDATED, State.SHADOW, State.REFUSED)
    return max(one, other, key=order.index)


def load_bundled(name: str, data: bytes) -> LinearReader:
    """Return a reader of the package; one that is not the pinned file is refused.

    Args:
        name: Under which it is pinned.
        data: Its file.

    Raises:
        UnreadableInputError: When it is not a reader's file.
    """
    packed = Packed.from_bytes(data)
    if PINS.get(name) != packed.digest() or packed.card.reader != name:
        why = "its card or head is not the one that was checked and pinned"
        return LinearReader(packed, Verdict(state=State.REFUSED, reasons=(why,)))
    return LinearReader(packed)


@cache
def registry() -> Registry:
    """Return all readers, loaded once in a process."""
    readers: list[Reader] = []
    broken: list[str] = []
    folder = resources.files("safelight.readers").joinpath("data")
    for name in PINS:
        try:
            data = folder.joinpath(f"{name}.npz").read_bytes()
            readers.append(load_bundled(name, data))
        except (OSError, SafelightError) as error:
            why = error.what if isinstance(error, SafelightError) else "its file is missing"
            broken.append(f"{name}: {why}")
    known = {reader.name for reader in readers}
    for point in sorted(metadata.entry_points(group=GROUP), key=lambda one: one.name):
        try:
            made = plugin.load(point)
        except SafelightError as error:
            broken.append(f"{point.name}: {error.what}")
            continue
        if made.name in known:
            broken.append(f"{point.name}: there is a reader of this name already")
            continue
        known.add(made.name)
        readers.append(made)
    return Registry(tuple(readers), tuple(broken))
