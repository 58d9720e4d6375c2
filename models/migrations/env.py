"""Alembic's entry: runs the migrations on the connection that `models.migrate` hands over."""

from alembic import context

from models.tables import METADATA


def run() -> None:
    """Run what is missing within the caller's transaction."""
    context.configure(
        connection=context.config.attributes["connection"],
        target_metadata=METADATA,
        compare_type=True,
        compare_server_default=True,
    )
    with context.begin_transaction():
        context.run_migrations()


run()
