"""Check an output folder again: signatures, digests, and what a second look finds in the outputs.

The subjects' own values are not known any more (they were never written), so the second look asks
another question than the first: would the engine still take something out of this output? An
output in which it would remove, empty or clean anything is reported.
"""

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from safelight import log
from safelight.errors import NeedsReviewError, OutputError, SafelightError, SettingsError
from safelight.pipeline.ledger import MANIFEST, Head, Ledger, check_mac, read_head
from safelight.pipeline.place import is_ours, public_key, read_run, run_signature_holds
from safelight.pipeline.problem import name_of
from safelight.pipeline.request import Silent, Watch
from safelight.pipeline.store import HOUSE
from safelight.pipeline.workers import Mark, Task, run_tasks
from safelight.settings import Settings
from safelight.types import Kind, Status

if TYPE_CHECKING:
    from safelight.deid.engine import Engine
    from safelight.deid.pseudonyms import ProjectKey

__all__ = ["Finding", "Verified", "verify", "verify_with"]

_BLOCK: Final = 1 << 20
_PROBLEMS_MOST: Final = 1000
_TAKES_OUT: Final = frozenset({"remove", "empty", "clean", "mask"})
_OURS: Final = re.compile(r"written anew|E\.1-1 \S+ -> (?:empty|dummy|uid)")
_CHUNK: Final = 64


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that does not hold.

    Attributes:
        rule: What was checked, as a word: ``signature``, ``mac``, ``digest``, ``missing``,
            ``unlisted``, ``residual``, ``unreadable``, ``unfinished``.
        what: One sentence.
        output: Path below OUT; empty if it is about the whole.
        place: Where in the output.
    """

    rule: str
    what: str
    output: str = ""
    place: str = ""


@dataclass(slots=True)
class Verified:
    """What was checked and what does not hold.

    Attributes:
        outputs: Outputs checked.
        lines: Lines of the manifest.
        keyed: Whether the lines' MACs could be checked (the key was at hand).
        found: The first findings.
        count: All findings.
    """

    outputs: int = 0
    lines: int = 0
    keyed: bool = False
    found: list[Finding] = field(default_factory=list)
    count: int = 0

    def add(self, *findings: Finding) -> None:
        """Note findings."""
        self.count += len(findings)
        self.found += findings[: max(0, _PROBLEMS_MOST - len(self.found))]

    @property
    def holds(self) -> bool:
        """Tell whether everything holds."""
        return self.count == 0

    @property
    def exit_code(self) -> int:
        """Return 0 if everything holds, else 3."""
        return 0 if self.holds else 3


def verify(
    out: str,
    *,
    engine: "Engine",
    key: "ProjectKey | None",
    workers: int = 1,
    watch: Watch | None = None,
) -> Verified:
    """Check an output folder.

    Args:
        out: The output folder.
        engine: What the outputs are looked at with.
        key: The project key; without it the MACs of the lines are not checked.
        workers: Processes.
        watch: Who looks on.

    Raises:
        OutputError: There is no manifest, or it cannot be read.
    """
    watch = watch or Silent()
    root = os.path.realpath(out)
    house = _house(root)
    result = Verified(keyed=key is not None)
    ledger = Ledger(house)
    try:
        ledger.load()
        if not _run_file(house, key, result):
            key, result.keyed = None, False  # another key's MACs say nothing of the lines
        heads = list(_lines(house, key, result))
        _unlisted(root, {head.output for head in heads}, result)
        watch.stage("verify", len(heads))
        check = _Check(root, heads, engine)
        run_tasks(
            [
                Task(n, range(at, min(at + _CHUNK, len(heads))))
                for n, at in enumerate(range(0, len(heads), _CHUNK))
            ],
            check.task,
            workers=workers,
            done=lambda _task, found: result.add(*found),
            lost=lambda index, how: result.add(
                Finding("unreadable", f"the check ended ({how})", heads[index].output)
            ),
            tick=watch.advance,
        )
        result.outputs = len(heads)
    finally:
        ledger.close()
    log.event("verify-finished", problems=result.count)
    return result


def verify_with(out: str, settings: Settings, watch: Watch | None = None) -> Verified:
    """Check an output folder with the key and the workers that the settings name.

    Raises:
        OutputError: There is no manifest, or it cannot be read.
        KeyFileError: The key that was given cannot be used.
        SettingsError: The folder does not say with which profile it was made.
    """
    key, engine = _engine_of(_house(out), settings)
    return verify(out, engine=engine, key=key, workers=settings.processes, watch=watch)


def _house(out: str) -> str:
    """Return the folder that tells of an output.

    Raises:
        OutputError: There is no manifest in it.
    """
    house = os.path.join(os.path.realpath(out), HOUSE)
    if not os.path.isfile(os.path.join(house, MANIFEST)):
        raise OutputError(
            "there is no manifest in this folder",
            kept="nothing was changed",
            todo="give the folder that was named with -o, after a run that finished",
        )
    return house


def _engine_of(house: str, settings: Settings) -> "tuple[ProjectKey | None, Engine]":
    """Return the key, if it is at hand, and the engine with the profile OUT was made with."""
    from safelight.deid.engine import Engine  # noqa: PLC0415  # start-up cost: not for --help
    from safelight.deid.profile import ACTS, Option, Profile  # noqa: PLC0415  # as above
    from safelight.deid.pseudonyms import ProjectKey  # noqa: PLC0415  # as above

    given = bool(settings.key_file)
    key = ProjectKey.load(settings.key_path) if given or os.path.exists(settings.key_path) else None
    told = read_run(house).get("profile")
    if not isinstance(told, dict):
        raise SettingsError(
            "this folder does not say with which profile it was made",
            todo="give the folder that was named with -o, after a run that finished",
        )
    known = {act: act for act in ACTS}
    try:
        profile = Profile(
            name=str(told["name"]),
            options=frozenset(map(Option, told["options"])),
            overrides={int(tag, 16): known[act] for tag, act in told["overrides"].items()},
        )
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise OutputError("run.json of the output folder is damaged", todo="restore it") from error
    return key, Engine(key=key or ProjectKey.generate(), profile=profile)


def _run_file(house: str, key: "ProjectKey | None", result: Verified) -> bool:
    """Check ``run.json`` and that it speaks of this manifest; tell whether the key is its own."""
    import blake3  # noqa: PLC0415  # start-up cost

    run = read_run(house)
    own = key is not None and run.get("key", key.fingerprint) == key.fingerprint
    if "manifest" not in run or not run.get("finished"):
        result.add(Finding("unfinished", "the last run did not finish; give its command again"))
    if not run_signature_holds(run):
        result.add(Finding("signature", "run.json is not as it was signed"))
    elif key is not None and (not own or run["public_key"] != public_key(key)):
        result.add(Finding("signature", "run.json was signed with another project key"))
    digest = blake3.blake3()
    with open(os.path.join(house, MANIFEST), "rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    if "manifest" in run and run["manifest"].get("blake3") != digest.hexdigest():
        result.add(Finding("signature", "the manifest is not the one that run.json was signed for"))
    return own


def _lines(house: str, key: "ProjectKey | None", result: Verified) -> Iterator[Head]:
    """Check every line of the manifest; yield those that name an output."""
    with open(os.path.join(house, MANIFEST), "rb") as file:
        for line in file:
            result.lines += 1
            head = read_head(line)
            if head is None or not line.endswith(b'"}\n'):
                result.add(Finding("mac", f"line {result.lines} of the manifest is damaged"))
                continue
            if key is not None and not check_mac(line, key):
                result.add(Finding("mac", "the line of this input was changed", head.output))
            if head.status is Status.DONE and head.output:
                yield head


def _unlisted(root: str, listed: set[str], result: Verified) -> None:
    """Find files and links that no line of the manifest names and no run writes."""
    for folder, folders, names in os.walk(root):
        below = os.path.relpath(folder, root).replace(os.sep, "/")
        links = [each for each in folders if os.path.islink(os.path.join(folder, each))]
        for name in names + links:
            path = name if below == "." else f"{below}/{name}"
            own = below == HOUSE and name not in links and is_ours(name)
            if path not in listed and not own:
                # its name may be anything, so it is not repeated
                result.add(Finding("unlisted", "a file lies here that the manifest does not name"))


class _Check:
    """Looks at outputs a second time; inherited by the workers."""

    def __init__(self, root: str, heads: Sequence[Head], engine: "Engine") -> None:
        self._root = root
        self._heads = heads
        self._engine = engine

    def task(self, task: Task, mark: Mark) -> list[Finding]:
        """Return the findings of some outputs."""
        found: list[Finding] = []
        for index in task.inputs:
            if mark.stopping():
                break
            if index not in task.skip:
                mark.at(index)
                found += self._one(self._heads[index])
        return found

    def _one(self, head: Head) -> list[Finding]:
        path = os.path.join(self._root, head.output)
        try:
            if os.path.islink(path) or _digest(path) != head.digest:
                return [
                    Finding("digest", "the output is not the one that was written", head.output)
                ]
        except OSError:
            return [Finding("missing", "the output is not there or cannot be read", head.output)]
        if head.kind is Kind.DICOMDIR:
            return []
        try:
            subject = self._engine.subject([self._engine.survey(path, kind=head.kind)])
            again = self._engine.deidentify(path, subject, kind=head.kind)
        except NeedsReviewError as error:
            return [Finding("residual", error.what, head.output, error.place)]
        except SafelightError as error:
            return [Finding("unreadable", error.what, head.output, error.place)]
        except Exception as error:  # noqa: BLE001  # its message may hold values
            return [Finding("unreadable", name_of(error), head.output)]
        return [
            Finding("residual", f"it would be taken out again ({rule})", head.output, place)
            for place, rule in _left(again.acts)
        ]


def _left(acts: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield (place, rule) of what a second pass takes out of an output.

    What the first pass wrote itself is taken out by the second as well and is no finding: the
    marks of de-identification, and pseudonyms and dummies in place of values.
    """
    for told in acts:
        for act in filter(None, told.split("\n")):
            place, rule, action = act.split("\t")
            if action in _TAKES_OUT and not _OURS.match(rule):
                yield place, rule


def _digest(path: str) -> str:
    import blake3  # noqa: PLC0415  # start-up cost

    digest = blake3.blake3()
    with open(path, "rb", buffering=0) as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()
