"""Command line: ``python -m corpus burned make|score|sheet``."""

import argparse
import sys
from pathlib import Path

__all__ = ["add_parser", "run"]

HARDER = "each written image carries one of these (blur, tiny, ...); twice named, twice as likely"


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add ``burned`` and its own commands."""
    burned = commands.add_parser("burned", help="images with writing burned in, and their scorer")
    verbs = burned.add_subparsers(dest="verb", required=True)
    make = verbs.add_parser("make", help="write images and their truth beside them")
    make.add_argument("folder", type=Path)
    make.add_argument("--seed", type=int, default=1)
    make.add_argument("--images", type=int, default=600)
    make.add_argument("--data", type=Path, help="folder whose held-out images serve as hosts")
    make.add_argument("--factors", nargs="+", default=[], help=HARDER)
    score = verbs.add_parser("score", help="score outputs, or boxes in JSON, against the truth")
    score.add_argument("folder", type=Path, help="the images that make wrote")
    score.add_argument("output", type=Path, help="what a tool wrote, or a JSON file of boxes")
    score.add_argument("--json", type=Path, help="also write the whole score here")
    score.add_argument("--all", action="store_true", help="list every exposed string")
    sheet = verbs.add_parser("sheet", help="draw a contact sheet of a set")
    sheet.add_argument("folder", type=Path)
    sheet.add_argument("out", type=Path, help="a PNG file")
    sheet.add_argument("--start", type=int, default=0)
    sheet.add_argument("--count", type=int, default=48)
    sheet.add_argument("--modality", default="", help="only these: CT, US, PHOTO and so on")


def run(args: argparse.Namespace) -> int:
    """Run one command and return its exit code."""
    if args.verb == "make":
        from corpus.burned.make import make  # noqa: PLC0415 - one command each

        try:
            counts = make(
                args.folder,
                seed=args.seed,
                images=args.images,
                data=args.data,
                factors=args.factors,
            )
        except (LookupError, FileExistsError) as error:
            print(error, file=sys.stderr)
            return 2
        print(", ".join(f"{count} {name}" for name, count in counts.items()))
        return 0
    if args.verb == "sheet":
        from corpus.burned.show import sheet  # noqa: PLC0415 - as above

        sheet(args.folder, args.out, start=args.start, count=args.count, modality=args.modality)
        return 0
    from corpus.burned.report import run as report  # noqa: PLC0415 - as above

    return report(args)
