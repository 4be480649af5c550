"""The score as text and JSON, beside the bars that a release must meet."""

import argparse
import json
import statistics
import sys
from typing import Any

from corpus.burned import truth
from corpus.burned.covered import covers
from corpus.burned.intervals import Interval, bootstrap, clopper_pearson, wilson
from corpus.burned.score import Score, Tally, score

__all__ = ["bars", "lines", "run", "to_json"]

_VIEWS = ("laterality", "view")


def run(args: argparse.Namespace) -> int:
    """Score, print, and return 1 when a bar is missed."""
    try:
        listed = list(truth.read(args.folder))
    except FileNotFoundError as error:
        print(f"no truth lies beside {args.folder}: {error.filename}", file=sys.stderr)
        return 2
    result = score(listed, covers(args.folder, args.output, listed))
    print("\n".join(lines(result, everything=args.all)))
    if args.json:
        args.json.write_text(json.dumps(to_json(result), indent=1, ensure_ascii=False) + "\n")
    return 0 if all(met for *_, met in bars(result)) else 1


def _share(tally: Tally) -> float:
    return tally.count / tally.total if tally.total else 1.0


def _joined(tallies: list[Tally]) -> Tally:
    return Tally([pair for tally in tallies for pair in tally.pairs])


def _kept(result: Score) -> tuple[Tally, Tally]:
    views = _joined([t for kind, t in result.marks.items() if kind in _VIEWS])
    others = _joined([t for kind, t in result.marks.items() if kind not in _VIEWS])
    return views, others


Row = tuple[str, float, Interval | None, str, bool]


def bars(result: Score) -> list[Row]:
    """Return what a release must meet: name, value, 95 % interval, the bar, whether it is met."""
    unseen = result.groups.get("factors unseen in training", Tally())
    views, others = _kept(result)
    area = statistics.fmean(result.clean_areas) if result.clean_areas else 0.0
    clean = result.fully_clean / result.with_text if result.with_text else 1.0
    mostly = result.mostly / result.strings if result.strings else 0.0
    touched = result.touched / result.clean_images if result.clean_images else 0.0

    def least(name: str, value: float, interval: Interval, bar: float) -> Row:
        return name, value, interval, f"at least {bar:.1%}", value >= bar

    def most(name: str, value: float, interval: Interval | None, bar: float) -> Row:
        return name, value, interval, f"at most {bar:.1%}", value <= bar

    removed, strings = result.removed, result.strings
    return [
        least("identifying characters removed", _share(removed), bootstrap(removed.pairs), 0.997),
        most(
            "strings more than half exposed", mostly, clopper_pearson(result.mostly, strings), 0.001
        ),
        least("images fully clean", clean, wilson(result.fully_clean, result.with_text), 0.95),
        least("removed under unseen factors", _share(unseen), bootstrap(unseen.pairs), 0.97),
        least("laterality and view marks kept", _share(views), bootstrap(views.pairs), 0.8),
        least("other harmless marks kept", _share(others), bootstrap(others.pairs), 0.6),
        most("masked area of clean images", area, None, 0.005),
        most("clean images touched", touched, wilson(result.touched, result.clean_images), 0.15),
    ]


def _interval(interval: Interval | None) -> str:
    return f"{interval[0]:.2%} to {interval[1]:.2%}" if interval else ""


def lines(result: Score, *, everything: bool = False) -> list[str]:
    """Return the report, a line each."""
    head = (
        f"{result.images} images, {result.withheld} withheld; in the others {result.strings} "
        f"identifying strings in {result.with_text} images, {result.removed.total} characters"
    )
    out = [
        head,
        "",
        f"{'':34} {'value':>8}  {'95 % interval':20} bar",
    ]
    for name, value, interval, bar, met in bars(result):
        verdict = "met" if met else "MISSED"
        out.append(f"{name:34} {value:8.2%}  {_interval(interval):20} {bar:16} {verdict}")
    left = result.removed.total - result.removed.count
    out += ["", f"{left} characters exposed, {result.mostly} strings more than half exposed", ""]
    out.append(f"{'identifying characters removed by':38} {'share':>8} {'left':>6} {'of':>7}")
    for name, tally in sorted(result.groups.items()):
        gone, total = tally.count, tally.total
        low, high = bootstrap(tally.pairs, draws=400)
        out.append(
            f"  {name:36} {gone / total:8.2%} {total - gone:6} {total:7}  {low:.1%}-{high:.1%}"
        )
    out += ["", f"{'harmless marks kept':38} {'share':>8} {'kept':>6} {'of':>7}"]
    for kind, tally in sorted(result.marks.items()):
        out.append(f"  {kind:36} {_share(tally):8.2%} {tally.count:6} {tally.total:7}")
    worst = sorted(result.exposed, key=lambda one: -one.left)
    shown = worst if everything else worst[:25]
    if shown:
        out += ["", "exposed strings, the worst first"]
    for one in shown:
        s = one.string
        tags = (
            f"{s.size:g} px, contrast {s.contrast:.2f}, {s.family}, {', '.join(s.factors) or '-'}"
        )
        out.append(f"  {one.path}  {one.left} of {len(s.chars)}  {s.kind}: {s.text!r}  ({tags})")
    if result.touched_paths:
        names = result.touched_paths if everything else result.touched_paths[:12]
        out += ["", "clean images touched: " + " ".join(names)]
    return [*out, *result.problems]


def to_json(result: Score) -> dict[str, Any]:
    """Return the whole score as plain values."""
    return {
        "images": result.images,
        "withheld": result.withheld,
        "strings": result.strings,
        "characters": result.removed.total,
        "characters exposed": result.removed.total - result.removed.count,
        "strings more than half exposed": result.mostly,
        "bars": [
            {"name": name, "value": value, "interval": interval, "bar": bar, "met": met}
            for name, value, interval, bar, met in bars(result)
        ],
        "groups": {
            name: {"removed": t.count, "of": t.total} for name, t in sorted(result.groups.items())
        },
        "marks": {kind: {"kept": t.count, "of": t.total} for kind, t in result.marks.items()},
        "exposed": [
            {
                "path": one.path,
                "kind": one.string.kind,
                "text": one.string.text,
                "left": one.left,
                "of": len(one.string.chars),
            }
            for one in result.exposed
        ],
        "clean images touched": result.touched_paths,
        "problems": result.problems,
    }
