"""Migrations: what they make equals the tables in the code, on both databases."""

from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect, text

from safelight.errors import StoreError
from safelight.store import Store, schema
from safelight.store.upgrade import FOLDER, upgrade


def test_the_newest_revision_is_the_codes() -> None:
    assert ScriptDirectory(FOLDER).get_current_head() == schema.REVISION


def described(store: Store) -> dict[str, object]:
    with store.read() as conn:
        seen = inspect(conn)
        return {
            name: (
                [(c["name"], str(c["type"]), c["nullable"]) for c in seen.get_columns(name)],
                seen.get_pk_constraint(name)["constrained_columns"],
                sorted(
                    (sorted(k["constrained_columns"]), k["referred_table"])
                    for k in seen.get_foreign_keys(name)
                ),
                sorted((i["name"] or "", i["column_names"]) for i in seen.get_indexes(name)),
                sorted(sorted(u["column_names"]) for u in seen.get_unique_constraints(name)),
                sorted(c["name"] or "" for c in seen.get_check_constraints(name)),
            )
            for name in seen.get_table_names()
        }


def test_upgrading_makes_what_the_code_makes(store: Store) -> None:
    made = described(store)
    with store.begin() as conn:
        schema.metadata.drop_all(conn)
        conn.execute(text("DROP TABLE alembic_version"))
        upgrade(conn)
        conn.execute(schema.metadata.tables["clock"].insert().values(id=1, high=0))
        context = MigrationContext.configure(conn, opts={"compare_type": True})
        assert compare_metadata(context, schema.metadata) == []
    assert described(store) == made
    with store.begin() as conn:
        upgrade(conn)  # again, and nothing happens
    assert described(store) == made


def test_an_older_database_is_brought_up(tmp_path: Path) -> None:
    with Store.at(tmp_path / "d") as store, store.begin() as conn:
        schema.metadata.drop_all(conn)
        conn.execute(text("DROP TABLE alembic_version"))
        upgrade(conn, "0001")
        conn.execute(schema.metadata.tables["clock"].insert().values(id=1, high=7))
    with pytest.raises(StoreError, match="another version"):
        Store.at(tmp_path / "d")
    url = f"sqlite:///{tmp_path / 'd' / 'safelight.db'}"
    assert Store.upgrade(url) == ("0001", schema.REVISION)
    assert Store.upgrade(url) == (schema.REVISION, schema.REVISION)
    with Store.at(tmp_path / "d") as store, store.read() as conn:
        assert conn.execute(text("SELECT high FROM clock")).scalar() == 7


def test_a_later_database_is_left_alone(store: Store) -> None:
    with store.begin() as conn:
        conn.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(StoreError, match="later version"), store.begin() as conn:
        upgrade(conn)
