"""Command line: ``python -m corpus make|score|kinds|hostile|judge|burned``."""

import argparse
import sys
from pathlib import Path

from corpus.burned import cli as burned

__all__ = ["main"]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m corpus", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    make = commands.add_parser("make", help="write a planted corpus and its key beside it")
    make.add_argument("folder", type=Path)
    make.add_argument("--seed", type=int, default=1)
    make.add_argument("--people", type=int, default=10)
    make.add_argument("--files", type=int, default=300)
    commands.add_parser("kinds", help="list the kinds of plants")
    score = commands.add_parser("score", help="score what a tool wrote")
    score.add_argument("key", type=Path, help="the input folder or its .key.json")
    score.add_argument("output", type=Path)
    score.add_argument("--json", type=Path, help="also write the whole score here")
    score.add_argument("--max-left", type=int, default=0, help="needles that may be left")
    score.add_argument("--min-useful", type=float, default=0.998, help="share of useful elements")
    score.add_argument("--min-descriptors", type=float, default=0.98, help="share of descriptors")
    score.add_argument("--min-written", type=float, default=0.95, help="share of files written")
    score.add_argument("--all", action="store_true", help="list every kind, not only what leaks")
    hostile = commands.add_parser("hostile", help="write bad inputs and what is expected of each")
    hostile.add_argument("folder", type=Path)
    hostile.add_argument("--small", action="store_true", help="leave out those over 1 MB")
    check = commands.add_parser("judge", help="check what a tool did with the bad inputs")
    check.add_argument("folder", type=Path)
    check.add_argument("output", type=Path)
    burned.add_parser(commands)
    return parser


def main(argv: list[str] | None = None) -> int:
    """Run one command and return its exit code."""
    args = _parser().parse_args(argv)
    if args.command == "burned":
        return burned.run(args)
    if args.command == "kinds":
        from corpus.kinds import names  # noqa: PLC0415 - one command each

        found = names()
        print("\n".join(found))
        print(f"{len(found)} kinds", file=sys.stderr)
        return 0
    if args.command == "make":
        from corpus.make import make  # noqa: PLC0415 - as above

        key = make(args.folder, seed=args.seed, people=args.people, files=args.files)
        planted = sum(len(f["needles"]) for f in key["files"])
        useful = sum(len(f["useful"]) for f in key["files"])
        print(f"{len(key['files'])} files, {planted} needles, {useful} useful elements")
        return 0
    if args.command == "hostile":
        from corpus.hostile import write  # noqa: PLC0415 - as above

        cases = write(args.folder, small=args.small)
        print(f"{len(cases)} inputs; expectations in {args.folder}.expect.json")
        return 0
    if args.command == "judge":
        from corpus.hostile import judge  # noqa: PLC0415 - as above

        wrong = judge(args.folder, args.output)
        print("\n".join([*wrong, f"{len(wrong)} wrong"]))
        return 1 if wrong else 0
    from corpus.report import run  # noqa: PLC0415 - as above

    return run(args)


if __name__ == "__main__":
    sys.exit(main())
