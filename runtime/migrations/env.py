"""Runs revisions on the connection, and in the transaction, of `runtime.postgres`. Alembic looks for this name."""

from alembic import context

attributes = context.config.attributes
context.configure(connection=attributes["connection"], version_table_schema=attributes["schema"])
with context.begin_transaction():
    context.run_migrations()
