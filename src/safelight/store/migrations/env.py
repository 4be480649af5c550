"""Run by Alembic: migrate over the connection that ``store.upgrade`` hands in."""

from alembic import context

from safelight.store.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,  # SQLite changes a table by copying it
    compare_type=True,
)
with context.begin_transaction():
    context.run_migrations()
