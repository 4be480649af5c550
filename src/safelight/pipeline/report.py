"""The report of a run: ``report.json`` for programs, ``report.html`` for people.

Made from counts, so that its size does not depend on the number of inputs. Nothing in it comes
from an input but codes, tags, kinds and the names of rules.
"""

import json
from typing import TYPE_CHECKING, Any, Final

from safelight import __version__
from safelight.deid.nifti import WRITING
from safelight.types import Status

if TYPE_CHECKING:
    from safelight.pipeline.finish import Lists
    from safelight.pipeline.job import Job
    from safelight.pipeline.request import Request, Summary
    from safelight.pipeline.tally import Tally

__all__ = ["report_data", "write_report"]

_RULES_MOST: Final = 400
_PLACES_MOST: Final = 6
# Claimed by outputs to which it applies, not by all.
_WHERE: Final = {
    "113101": " (in outputs with pixels)",
    "113102": " (in series that could be judged)",
}


def write_report(job: "Job", request: "Request", summary: "Summary", lists: "Lists") -> str:
    """Write both forms; return the path of the HTML one.

    Raises:
        OutputError: The output cannot be written.
    """
    from safelight.pipeline.page import page  # noqa: PLC0415  # start-up cost

    data = report_data(job, request, summary, lists)
    summary.data = data
    place = job.place
    place.put("report.json", json.dumps(data, indent=1, sort_keys=True).encode("ascii") + b"\n")
    place.put("report.html", page(data).encode("utf-8"))
    return f"{place.house}/report.html"


def report_data(
    job: "Job", request: "Request", summary: "Summary", lists: "Lists"
) -> dict[str, Any]:
    """Return the report as plain values."""
    from safelight.deid.marks import done_by  # noqa: PLC0415  # start-up cost: not for --help
    from safelight.deid.profile import Option, method_codes  # noqa: PLC0415  # as above
    from safelight.deid.table import EDITION  # noqa: PLC0415  # as above

    tally = summary.tally
    profile = job.engine.profile
    done = done_by(pixels=job.engine.pixels)
    settings = request.settings
    return {
        "version": __version__,
        "finished": summary.finished,
        "stopped": summary.failed.what if summary.failed else "",
        "inputs": summary.inputs,
        "done": tally.count(Status.DONE),
        "review": tally.count(Status.REVIEW),
        "quarantine": tally.count(Status.QUARANTINE),
        "from_earlier_runs": tally.skipped,
        "not_among_the_inputs_any_more": lists.carried,
        "groups": len(job.plan.groups),
        "same_name": len(job.plan.copy),
        "bytes_written": tally.written,
        "seconds": round(summary.seconds, 2),
        "kinds": kinds(tally),
        "rules": rules(tally),
        "reasons": [
            {"status": status, "reason": reason, "what": what, "inputs": count}
            for (status, reason, what), count in tally.reasons.most_common(_RULES_MOST)
        ],
        "notes": [{"note": n, "inputs": count} for n, count in sorted(tally.notes.items())],
        "waiting": {status.value: found for status, found in lists.listed.items()},
        "profile": {
            "name": profile.name,
            "description": profile.description,
            "options": [f"{option} {option.meaning}" for option in sorted(profile.options)],
            "overrides": len(profile.overrides),
        },
        "methods": [
            f"{code} {meaning}{_WHERE.get(code, '')}"
            for code, meaning in method_codes(profile, done)
        ],
        "asked_but_not_done": [
            f"{option} {option.meaning}" for option in sorted(profile.options - done)
        ],
        "pixels_asked": job.engine.pixels,
        "pixels_searched": Option.CLEAN_PIXEL_DATA in profile.options & done
        and WRITING not in tally.notes,
        "faces_removed": Option.CLEAN_VISUAL_FEATURES in profile.options & done,
        "table": EDITION,
        "key": job.key.fingerprint,
        "workers": settings.processes,
        "limits": dict(settings.limits),
        "manifest": {"lines": lists.lines, "blake3": lists.digest},
    }


def kinds(tally: "Tally") -> list[dict[str, Any]]:
    """Return one row for each kind of input."""
    names = sorted({kind for kind, _ in tally.ends})
    return [
        {"kind": kind, **{status.value: tally.ends[kind, status.value] for status in Status}}
        for kind in names
    ]


def rules(tally: "Tally") -> list[dict[str, Any]]:
    """Return one row for each rule and action: how often, in how many places, which ones."""
    rows: dict[tuple[str, str], list[Any]] = {}
    for (place, rule, action), count in tally.by_place().most_common():
        row = rows.setdefault((rule, action), [0, 0, []])
        row[0] += count
        row[1] += 1
        if len(row[2]) < _PLACES_MOST:
            row[2].append(_place(place))
    ordered = sorted(rows.items(), key=lambda item: (-item[1][0], item[0]))
    return [
        {"rule": rule, "action": action, "times": row[0], "places": row[1], "such_as": row[2]}
        for (rule, action), row in ordered
    ]


def _place(place: str) -> str:
    """Return a tag path with the keyword of its last element."""
    from safelight.dicomio.dictionary import lookup  # noqa: PLC0415  # start-up cost

    last = place.rpartition(".")[2]
    if len(last) == 11 and last[0] == "(" and last[5] == ",":  # noqa: PLR2004  # (gggg,eeee)
        try:
            entry = lookup(int(last[1:5] + last[6:10], 16))
        except ValueError:
            return place
        if entry is not None and entry.keyword:
            return f"{place} {entry.keyword}"
    return place
