"""The scorer's table, JSON and exit code."""

import argparse
import json
from collections import Counter
from dataclasses import fields

from rich.console import Console
from rich.table import Table

from corpus.score import Score, load, score

__all__ = ["bars", "run"]


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 1.0


def bars(result: Score, args: argparse.Namespace) -> list[tuple[str, str, bool]]:
    """Return (what, measured, met) for each bar."""
    rel = result.relations
    left = sum(result.left.values()) + len(result.side_leaks)
    planted = sum(result.planted.values())
    useful = _share(result.useful_kept, result.useful_total)
    words = _share(result.descriptors_kept, result.descriptors_total)
    must = result.files - result.withheld
    return [
        (
            "files written",
            f"{result.written}/{must} (+{result.withheld} rightly withheld)",
            _share(result.written, must) >= args.min_written,
        ),
        (
            "needles left",
            f"{left} of {planted} = {left / max(1, planted):.3%}, {len(result.left)} kinds",
            left <= args.max_left,
        ),
        (
            "useful kept",
            f"{result.useful_kept}/{result.useful_total} = {useful:.3%}",
            useful >= args.min_useful,
        ),
        (
            "descriptors kept",
            f"{result.descriptors_kept}/{result.descriptors_total} = {words:.2%}",
            words >= args.min_descriptors,
        ),
        (
            "references resolve",
            f"{rel['references_good']}/{rel['references_total']}",
            rel["references_good"] == rel["references_total"],
        ),
        ("UID mapping", f"{len(rel['uid_faults'])} faults", not rel["uid_faults"]),
        (
            "people distinct",
            (
                f"{rel['people_good']}/{rel['people_total']} (split {rel['people_split']}, "
                f"merged {rel['people_merged']}, blank {rel['people_blank']})"
            ),
            rel["people_good"] == rel["people_total"],
        ),
        (
            "intervals exact",
            f"{rel['intervals_good']}/{rel['intervals_total']}",
            rel["intervals_good"] == rel["intervals_total"],
        ),
    ]


def run(args: argparse.Namespace) -> int:
    """Score, print, write; return 0 when every bar is met, 1 otherwise."""
    key, source = load(args.key)
    result = score(key, source, args.output)
    console, checks = Console(), bars(result, args)
    _kinds(console, result, show_all=args.all)
    _losses(console, result)
    table = Table("bar", "measured", "met")
    for what, measured, met in checks:
        table.add_row(what, measured, "[green]yes" if met else "[red]NO")
    console.print(table)
    if args.json:
        body = {one.name: getattr(result, one.name) for one in fields(result)}
        body |= {"bars": [list(check) for check in checks]}
        args.json.write_text(json.dumps(body, ensure_ascii=False, indent=1))
    return 0 if all(met for _, _, met in checks) else 1


def _kinds(console: Console, result: Score, *, show_all: bool) -> None:
    table = Table("kind", "planted", "left", "share", "example (file, place)")
    for kind in sorted({*result.planted, *result.left}):
        planted, left = result.planted[kind], result.left[kind]
        if not left and not show_all:
            continue
        example = next((leak for leak in result.leaks if leak["kind"] == kind), None)
        shown = f"{example['file']} {example['base']} {example['where']}" if example else ""
        table.add_row(
            kind, str(planted), str(left), f"{_share(left, planted):.0%}" if planted else "", shown
        )
    for leak in result.side_leaks[:20]:
        table.add_row("(side file)", "", "1", "", leak["file"])
    console.print(table)


def _losses(console: Console, result: Score) -> None:
    table = Table("lost", "times", "example")
    examples = {e["place"].split("/")[-1]: e for e in reversed(result.lost_examples)}
    for place, times in result.useful_lost.most_common(25):
        one = examples.get(place)
        table.add_row(
            place,
            str(times),
            f"{one['file']} {one['base']} {one['was'][:40]} -> {one['is'][:40]}" if one else "",
        )
    words = Counter(d["place"] for d in result.descriptors_lost)
    firsts = {d["place"]: d for d in reversed(result.descriptors_lost)}
    for place, times in words.most_common(15):
        one = firsts[place]
        table.add_row(
            f"descriptor {place}", str(times), f"{one['file']} [{one['words']}] -> {one['is'][:60]}"
        )
    for fault, times in Counter(result.relations["uid_faults"]).most_common(8):
        table.add_row(f"UID: {fault}", str(times), "")
    for one in result.relations["references_broken"][:5]:
        table.add_row("reference", "1", f"{one['file']} {one['place']}")
    for one in result.relations["intervals_wrong"][:8]:
        table.add_row("interval", "1", f"{one['file']} {one['place']} moved {one['moved']}")
    for path in result.missing[:10]:
        table.add_row("file", "1", path)
    console.print(table)
