"""Alembic's entry point: runs migrations on the connection that `storage/upgrade.py` passes."""

from alembic import context

from server.storage.all_tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
