"""Things the tests of submissions share: a vault, planted files, a cleaner that is quick."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from run_fixtures import planted
from safelight.deid import profile
from safelight.deid.engine import Engine
from safelight.deid.pseudonyms import ProjectKey
from safelight.errors import SafelightError
from safelight.pipeline.problem import Problem
from safelight.pipeline.work import Cleaned, Cleaner, EngineCleaner, Opener
from safelight.types import Kind
from safelight.vault import Vault

__all__ = ["QuickCleaner", "contents", "engine_cleaner", "folder_of", "planted"]


class QuickCleaner:
    """Replaces the word DOE; what says CANNOT is refused. For tests of everything around it."""

    def __init__(self) -> None:
        self.cleaned: list[int] = []

    def clean(
        self, files: Sequence[tuple[int, str, Opener]], wanted: frozenset[int]
    ) -> Iterator[tuple[int, Cleaned | Problem]]:
        for position, _path, opener in files:
            if position not in wanted:
                continue
            self.cleaned.append(position)
            try:
                data = bytes(reveal(opener))
            except SafelightError as error:
                yield position, Problem.of(Kind.UNKNOWN, error)
                continue
            if b"CANNOT" in data:
                error = SafelightError("it says that it cannot")
                yield position, Problem.of(Kind.UNKNOWN, error)
            else:
                yield position, Cleaned(parts=[data.replace(b"DOE", b"QQQ")], manifest=b'{"a":1}')


def reveal(opener: Opener) -> bytes:
    return opener().reveal()


def engine_cleaner(key: ProjectKey) -> Cleaner:
    """Return the real engine."""
    return EngineCleaner(Engine(key=key, profile=profile.load("share")))


def folder_of(folder: Path, texts: Sequence[bytes]) -> Path:
    """Write one file for each text."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, text in enumerate(texts):
        (folder / f"DOE_{number:03d}.bin").write_bytes(text)
    return folder


def contents(vault: Vault) -> list[str]:
    """Return the kinds and names of the objects there are, without their random ends."""
    return sorted(key.split("/", 2)[2][:-9] for key, _ in vault.store.objects.list("p"))
