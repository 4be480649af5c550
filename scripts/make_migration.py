"""Write a migration from the difference between the newest revision and the tables in the code.

Usage: python scripts/make_migration.py REVISION "What changes" [PREFIX ...]
Only tables whose names begin with a PREFIX, when one is given.
Each operation becomes a function of its own. Read what was written before you commit it.
"""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic.autogenerate import produce_migrations
from alembic.autogenerate.api import AutogenContext
from alembic.autogenerate.render import render_op
from alembic.migration import MigrationContext

from safelight.store import schema
from safelight.store.schema import Moment
from safelight.store.upgrade import upgrade

FOLDER = Path(__file__).resolve().parents[1] / "src/safelight/store/migrations/versions"


def _render(kind: str, item: Any, _context: Any) -> Any:
    """Write our own type as what it is stored as: a migration must not change with the code."""
    return "sa.BigInteger()" if kind == "type" and isinstance(item, Moment) else False


def main() -> None:
    """Write ``store/migrations/versions/r<revision>.py``."""
    revision, message, *prefixes = sys.argv[1:]
    earlier = sorted(path.stem[1:] for path in FOLDER.glob("r*.py"))
    engine = sa.create_engine("sqlite://")
    functions, calls = [], []
    with engine.begin() as conn:
        if earlier:
            upgrade(conn)
        wanted = tuple(prefixes) or ("",)
        options = {
            "compare_type": True,
            "include_name": lambda name, kind, _above: kind != "table" or name.startswith(wanted),
            "include_object": lambda _item, name, kind, *_: (
                kind != "table" or name.startswith(wanted)
            ),
        }
        context = MigrationContext.configure(conn, opts=options)
        script = produce_migrations(context, schema.metadata)
        autogen = AutogenContext(context, metadata=schema.metadata, opts=dict(_OPTIONS))
        if script.upgrade_ops is None:
            return
        tables: dict[str, list[str]] = {}
        for op in script.upgrade_ops.ops:
            tables.setdefault(getattr(op, "table_name", "rest"), []).extend(render_op(autogen, op))
        for name, lines in tables.items():
            body = "\n".join(lines).replace("\n", "\n    ")
            functions.append(f'def _{name}() -> None:\n    """Change ``{name}``."""\n    {body}\n')
            calls.append(f"    _{name}()")
    down = repr(earlier[-1]) if earlier else "None"
    text = (
        f'"""{message}."""\n\nimport sqlalchemy as sa\nfrom alembic import op\n\n'
        f'revision = "{revision}"\ndown_revision = {down}\nbranch_labels = None\n'
        'depends_on = None\n\n\ndef upgrade() -> None:\n    """Change the tables."""\n'
        + "\n".join(calls)
        + "\n\n\n"
        + "\n\n".join(functions)
    )
    text = re.sub(r"[ \t]+\n", "\n", text)
    path = FOLDER / f"r{revision}.py"
    path.write_text(text, "utf-8")
    ruff = Path(sys.executable).with_name("ruff")
    subprocess.run([ruff, "format", "-q", path], check=True)
    subprocess.run([ruff, "check", "-q", "--fix", path], check=True)
    print(f"wrote {path}")


_OPTIONS: dict[str, Any] = {
    "sqlalchemy_module_prefix": "sa.",
    "alembic_module_prefix": "op.",
    "user_module_prefix": None,
    "render_item": _render,
    "render_as_batch": False,
}


if __name__ == "__main__":
    main()
