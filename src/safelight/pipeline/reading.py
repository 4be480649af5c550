"""One de-identified input, looked at by kind, quality, measures and readers; and its reports."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from safelight import __version__
from safelight.errors import SafelightError
from safelight.pipeline.panel import Panel
from safelight.readers import tags
from safelight.readers.reading import KindAnswer, Reading, State
from safelight.types import Deidentified

if TYPE_CHECKING:
    from safelight.dicomio.limits import Limits
    from safelight.readers.site import SiteStatus
    from safelight.readers.view import View

__all__ = ["Wanted", "look", "made", "read"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is made beside the readings.

    Attributes:
        clinician: For a clinician.
        sr: DICOM SR.
        sc: Secondary capture.
        fhir: FHIR bundle.
        maps: PNG of each contribution map.
        every: Read every image of a series of slices.
    """

    clinician: bool = False
    sr: bool = False
    sc: bool = False
    fhir: bool = False
    maps: bool = False
    every: bool = False


def read(
    item: Deidentified,
    *,
    limits: "Limits | None" = None,
    site: "SiteStatus | None" = None,
    held: Mapping[str, State] | None = None,
    panel: Panel | None = None,
) -> Reading:
    """Return all that can be said of one de-identified input.

    Args:
        item: It.
        limits: Bounds on what is read and decoded.
        site: What is known of the place it comes from; nothing unless given.
        held: What a scoreboard lets readers do, by name; see ``Registry.read``.
        panel: Whom to ask; those who are installed unless given.
    """
    return look(item, limits, site, held, panel)[1]


def look(
    item: Deidentified,
    limits: "Limits | None",
    site: "SiteStatus | None",
    held: Mapping[str, State] | None = None,
    panel: Panel | None = None,
) -> "tuple[View | None, Reading]":
    """Return the view and the reading; what cannot be read is said in the reading."""
    from safelight.readers.view import View  # noqa: PLC0415  # start-up cost

    view = None
    try:
        view = View.of(item, limits=limits)
        asked = panel or Panel.installed()
        asked = replace(asked, site=site or asked.site, held={**asked.held, **(held or {})})
        return view, _said(view, asked)
    except SafelightError as error:
        return view, _unread(item, error.what)
    except (KeyboardInterrupt, SystemExit, GeneratorExit):
        raise
    except BaseException:  # noqa: BLE001  # a panic of a decoder is one of these
        return view, _unread(item, "it could not be read, which is a fault of ours")


def _said(view: "View", panel: Panel) -> Reading:
    """Ask kind, quality, measures and readers, in this order."""
    from safelight.readers import kind as kinds  # noqa: PLC0415  # start-up cost
    from safelight.readers import measures, quality, shown  # noqa: PLC0415  # as above
    from safelight.readers.site import SiteStatus  # noqa: PLC0415  # as above

    kind = kinds.what(view)
    notes = []
    if view.frames > 1:
        where = f"picture {view.middle + 1} of {view.frames}, the one in the middle"
        notes.append(f"what is judged, measured and read is {where}")
    issues = quality.judge(view, kind)
    findings = panel.registry.read(
        view,
        kind,
        site=panel.site or SiteStatus(),
        held=panel.held,
        unfit=quality.unfit(issues, kind.kind),
    )
    with suppress(SafelightError):  # a picture that cannot be read is told by each reader
        if findings and (otherwise := shown.note(view, kind.kind)):
            notes.append(otherwise)
    return Reading(
        source=view.digest,
        software=__version__,
        kind=kind,
        quality=issues,
        measurements=measures.measure(view),
        findings=findings,
        notes=tuple(notes),
    )


def _unread(item: Deidentified, why: str) -> Reading:
    nothing = KindAnswer(kind=None, by_header=None, by_pixels=None, distance=float("inf"), why=why)
    return Reading(source=item.digest, software=__version__, kind=nothing)


def made(
    view: "View | None", reading: Reading, wanted: Wanted, number: int = 1
) -> tuple[dict[str, bytes], dict[str, str]]:
    """Return the reports that were asked for, and why one of them could not be made, by name.

    Args:
        view: What was read.
        reading: What it said.
        wanted: Which reports.
        number: Of the input in its run: the Instance Number of its reports.
    """
    done: dict[str, bytes] = {}
    failed: dict[str, str] = {}
    makers = {"fhir": _fhir, "sr": _structured, "sc": _pictures}
    asked = {"fhir": wanted.fhir, "sr": wanted.sr, "sc": wanted.sc or wanted.maps}
    for name, maker in makers.items():
        if not asked[name]:
            continue
        try:
            done |= maker(view, reading, wanted, number)
        except SafelightError as error:
            failed[name] = str(error)
        except Exception:  # noqa: BLE001  # of one input; the others are told all the same
            failed[name] = "it could not be made, which is a fault of ours"
    return done, failed


def _fhir(view: "View | None", reading: Reading, wanted: Wanted, _number: int) -> dict[str, bytes]:
    import json  # noqa: PLC0415  # beside its one use

    from safelight.reports.fhir import bundle  # noqa: PLC0415  # start-up cost

    dataset = view.dataset if view is not None else None
    patient, study = tags.text(dataset, "PatientID"), tags.text(dataset, "StudyInstanceUID")
    told = bundle(reading, patient=patient, study=study, clinician=wanted.clinician)
    return {"fhir": json.dumps(told, indent=1, ensure_ascii=True).encode("ascii")}


def _structured(
    view: "View | None", reading: Reading, wanted: Wanted, number: int
) -> dict[str, bytes]:
    from safelight.reports.sr import structured_report  # noqa: PLC0415  # start-up cost

    dataset = view.dataset if view is not None else None
    if dataset is None and (view is None or not view.frames):
        return {}  # it has no instance of its own, and no secondary capture either
    told = structured_report(reading, dataset, clinician=wanted.clinician, number=number)
    return {"sr": told}


def _pictures(
    view: "View | None", reading: Reading, wanted: Wanted, number: int
) -> dict[str, bytes]:
    """Return what needs the picture; nothing where there is none."""
    from safelight.readers import shown  # noqa: PLC0415  # start-up cost
    from safelight.reports import maps, sc  # noqa: PLC0415  # as above

    made: dict[str, bytes] = {}
    try:
        if view is None or not view.frames:
            return made
        grey = shown.picture(view, reading.kind.kind)  # what readers see
    except SafelightError:
        return made
    if wanted.sc:
        made["sc"] = sc.secondary_capture(
            reading, grey, view.dataset, clinician=wanted.clinician, number=number
        )
    if wanted.maps:
        for each in reading.findings:
            if maps.has_map(each):
                made[f"map {each.reader}"] = maps.picture_png(maps.overlaid(grey, each))
    return made
