"""A run, step by step: list, survey, group, clean and write, then the manifest and the report."""

import os
import time
from typing import TYPE_CHECKING

from safelight import log
from safelight.errors import SafelightError, SettingsError
from safelight.intake.sources import expand, walk
from safelight.pipeline.album import Album
from safelight.pipeline.finish import Collected, check_list, finish
from safelight.pipeline.job import ARCHIVES, NOT_CLEANED, Job, Surveyed
from safelight.pipeline.place import Place
from safelight.pipeline.plan import Sight, make_plan, make_tasks, survey_tasks
from safelight.pipeline.problem import Problem
from safelight.pipeline.request import Request, Silent, Summary, Watch
from safelight.pipeline.store import check_places
from safelight.pipeline.targets import check as check_files
from safelight.pipeline.targets import check_key
from safelight.pipeline.workers import Task, run_tasks
from safelight.settings import Settings
from safelight.types import Kind

if TYPE_CHECKING:
    from safelight.deid.engine import Engine

__all__ = ["Request", "Silent", "Summary", "Watch", "make_engine", "run"]


def run(request: Request, watch: Watch | None = None) -> Summary:
    """De-identify the sources into the output folder.

    Raises:
        OutputError: The output cannot be written, or lies in a source.
        KeyFileError: The project key cannot be used, or nothing can be written beside it.
        SettingsError: A setting is wrong, OUT belongs to another key or other sources, or the key
            would lie in one of them.
    """
    watch = watch or Silent()
    began = time.monotonic()
    check_places(request.sources, request.out)
    check_files([request.settings.log_file], sources=request.sources, force=True, folders=False)
    check_key(request.settings.key_path, sources=request.sources, out=request.out)
    album = None
    if request.pictures:
        album = Album(request.pictures, request.out, request.sources)
    engine = make_engine(request.settings)
    with Place(request.out, engine.key, request.sources, force=request.force) as place:
        check_list(engine.key, place, request.settings.key_path)
        job = Job(engine=engine, place=place, force=request.force, album=album)
        done = Collected(job)
        summary = Summary()
        try:
            list_inputs(job, request, watch)
            survey(job, request, watch, done)
            job.plan = make_plan([item.relative for item in job.items], cleanable(job))
            clean_and_write(job, request, watch, done)
        except SafelightError as error:
            summary.failed = error
        summary.seconds = time.monotonic() - began
        watch.stage("report", 0)
        finish(job, request, summary, done)
        if album is not None:
            summary.pictures = album.finish()
    log.event("run-finished", inputs=summary.inputs, exit_code=summary.exit_code)
    return summary


def make_engine(settings: Settings, *, keep_key: bool = True) -> "Engine":
    """Return the engine that the settings describe.

    Args:
        settings: What was chosen.
        keep_key: Make the key file if there is none; else work with a key that is kept nowhere.

    Raises:
        KeyFileError: The key file cannot be used.
        SettingsError: The preset or a limit is unknown, or a mask cannot be read.
    """
    from dataclasses import fields  # noqa: PLC0415  # beside its one use

    from safelight.deid import profile  # noqa: PLC0415  # start-up cost: not for --help
    from safelight.deid.engine import Engine  # noqa: PLC0415  # as above
    from safelight.deid.pseudonyms import ProjectKey  # noqa: PLC0415  # as above
    from safelight.dicomio.limits import Limits  # noqa: PLC0415  # as above

    known = {item.name for item in fields(Limits)}
    if unknown := sorted(set(settings.limits) - known):
        raise SettingsError(
            f"there is no limit named {unknown[0]!r}", todo=f"limits: {', '.join(sorted(known))}"
        )
    chosen = profile.load(settings.preset)
    if keep_key or os.path.lexists(settings.key_path):
        key = ProjectKey.load_or_create(settings.key_path)
    else:
        key = ProjectKey.generate()
    return Engine(
        key=key,
        profile=chosen,
        limits=Limits(**settings.limits),
        pixels=settings.pixels,
        mask=settings.mask,
        mask_file=settings.mask_file,
    )


def list_inputs(job: Job, request: Request, watch: Watch) -> None:
    """Walk over the sources; nothing is opened."""
    watch.stage("list", 0)
    job.items.extend(walk(request.sources, limits=job.engine.limits, exclude=[request.out]))
    log.event("inputs-listed", inputs=len(job.items))


def survey(job: Job, request: Request, watch: Watch, done: Collected) -> None:
    """Pass 1: tell what each input is and gather what names its person; open archives."""
    first = 0
    while first < len(job.items) and not watch.advance(0):
        span = range(first, len(job.items))
        first = len(job.items)
        _look(job, span, request, watch, done)
        for index in span:
            sight = job.sights.get(index)
            if sight is not None and sight.kind in ARCHIVES:
                _open_archive(job, index, sight.kind, done)
    log.event("survey-done", inputs=len(job.items))


def _open_archive(job: Job, index: int, kind: Kind, done: Collected) -> None:
    archive = job.items[index]
    for member in expand(archive, limits=job.engine.limits):
        if member.error is not None and member.relative == archive.relative:
            done.problems.append((index, Problem.of(kind, member.error)))  # it cannot be opened
            del job.sights[index]
        else:
            job.items.append(member)


def _look(job: Job, span: range, request: Request, watch: Watch, done: Collected) -> None:
    def take(_task: Task, found: Surveyed) -> None:
        start = len(job.evidence)
        job.evidence.extend(found.evidence)
        sights = [sight.moved(start) for sight in found.sights]
        for index, place in found.which:
            job.sights[index] = sights[place]
        done.problems.extend(found.problems)

    watch.stage("survey", len(span))
    run_tasks(
        survey_tasks(span, request.settings.processes),
        job.survey,
        workers=request.settings.processes,
        done=take,
        lost=done.lose,
        tick=watch.advance,
        seconds=request.settings.seconds_per_input,
    )


def cleanable(job: Job) -> dict[int, Sight]:
    """Return the inputs that pass 2 cleans, in order: not archives, not directories of media."""
    return {
        index: job.sights[index]
        for index in sorted(job.sights)
        if job.sights[index].kind not in NOT_CLEANED
    }


def clean_and_write(job: Job, request: Request, watch: Watch, done: Collected) -> None:
    """Pass 2: clean each input as its person's, check it, write it and its manifest line.

    Raises:
        OutputError: Nothing more can be written.
    """
    watch.stage("deidentify", len(job.plan.group_of))
    meanwhile = warm_up if request.settings.processes > 1 else _nothing

    def tick(begun: int) -> bool:
        nonlocal meanwhile
        meanwhile()
        meanwhile = _nothing
        return watch.advance(begun) or done.failed is not None

    run_tasks(
        make_tasks(job.plan, request.settings.processes, whole=job.engine.pixels),
        job.write,
        workers=request.settings.processes,
        done=lambda _task, written: done.take(written),
        lost=done.lose,
        tick=tick,
        seconds=request.settings.seconds_per_input,
    )
    if done.failed is not None:
        raise done.failed


def warm_up() -> None:
    """Import what the end of the run needs, while the workers work and this process waits."""
    from importlib import import_module  # noqa: PLC0415  # beside its one use

    for name in ("pipeline.report", "pipeline.page", "deid.marks"):
        import_module(f"safelight.{name}")
    import_module("cryptography.hazmat.primitives.asymmetric.ed25519")


def _nothing() -> None:
    """Do nothing."""
