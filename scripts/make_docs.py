"""Make the documents that are made from code: settings, attributes, command line.

Usage: ``python scripts/make_docs.py`` writes them; a test compares the committed files with what
this gives.
"""

import re
import sys
from dataclasses import fields
from pathlib import Path

import click
from click.testing import CliRunner

from safelight import cli, settings
from safelight.deid.profile import PRESETS
from safelight.deid.table import EDITION, Act, compile_table
from safelight.dicomio.dictionary import read_rows
from safelight.dicomio.limits import Limits

ROOT = Path(__file__).resolve().parents[1]
MADE = "This page is made by `make docs`; change the code, not this.\n"
PROGRAM = "safelight"
COLUMNS = 96
CT_IMAGE = "1.2.840.10008.5.1.4.1.1.2"
WORDS = {
    Act.KEEP: "keep",
    Act.REMOVE: "remove",
    Act.EMPTY: "empty",
    Act.DUMMY: "dummy",
    Act.UID: "new UID",
    Act.CLEAN: "clean",
    Act.SHIFT: "shift",
    Act.AGE: "90+ to 090Y",
}


def settings_page() -> str:
    """Return the page of settings and limits."""
    documented = dict(
        re.findall(
            r"^ {8}(\w+): (.+?)(?=^ {8}\w+:|\Z)", Limits.__doc__ or "", re.MULTILINE | re.DOTALL
        )
    )
    rows = [
        f"| `{one.name}` | {one.default:,} | {' '.join(documented[one.name].split())} |"
        for one in fields(Limits)
    ]
    return "\n".join(
        [
            f"# Settings\n\n{MADE}",
            "The command line beats the environment, which beats the file, which beats the",
            "default. The file is TOML, named by `SAFELIGHT_SETTINGS`.\n",
            settings.table(),
            "## Limits\n",
            "What one input may cost. Past a limit it goes to quarantine with the limit's name.\n",
            "| limit | default | meaning |",
            "|---|---|---|",
            *rows,
            "",
        ]
    )


def attributes_page() -> str:
    """Return what each preset does to each row of the decision table, for a CT image."""
    tables = {name: compile_table(profile) for name, profile in PRESETS.items()}
    data = ROOT / "src" / "safelight" / "deid" / "data"
    lines = []
    for row in read_rows(data / "e1_1.tsv"):
        digits, name = row.split("\t")[:2]
        if not re.fullmatch(r"[0-9a-fx]{8}", digits):
            continue  # private elements: one rule for all of them
        tag = int(digits.replace("x", "0"), 16)
        acts = []
        for table in tables.values():
            rule = table.rule(tag, sop_class=CT_IMAGE)
            acts.append(WORDS[rule.act] if rule else "")
        shown = f"({digits[:4].upper()},{digits[4:].upper()})".replace("X", "x")
        lines.append(f"| {shown} | {name} | {' | '.join(acts)} |")
    return "\n".join(
        [
            f"# Attributes\n\n{MADE}",
            f"What each [preset](profiles.md) does to each row of {EDITION}, in a CT image.",
            "In other objects an attribute that must be there is emptied or gets a dummy instead",
            "of going. Text that the table does not name is cleaned all the same",
            "([text.md](text.md)).\n",
            "| tag | attribute | " + " | ".join(f"`{name}`" for name in PRESETS) + " |",
            "|---|---|" + "---|" * len(PRESETS),
            *lines,
            "",
        ]
    )


def commands(command: click.Command, words: tuple[str, ...] = ()) -> list[str]:
    """Return what ``--help`` prints for a command and for all below it, a section each."""
    shown = CliRunner().invoke(
        cli.main, [*words, "--help"], prog_name=PROGRAM, terminal_width=COLUMNS
    )
    lines = [f"## {' '.join((PROGRAM, *words))}\n", "```text", shown.output.rstrip(), "```\n"]
    if isinstance(command, click.Group):
        for name in sorted(command.commands):
            lines += commands(command.commands[name], (*words, name))
    return lines


def cli_page() -> str:
    """Return the page of commands, word for word what ``--help`` prints."""
    return "\n".join([f"# Command line\n\n{MADE}", *commands(cli.main)])


def pages() -> dict[str, str]:
    """Return every generated document by its path in the tree."""
    return {
        "docs/settings.md": settings_page(),
        "docs/attributes.md": attributes_page(),
        "docs/cli.md": cli_page(),
    }


def main() -> int:
    """Write the pages; give the exit status."""
    for path, text in pages().items():
        (ROOT / path).write_text(text, "utf-8")
        print(f"wrote {path}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
