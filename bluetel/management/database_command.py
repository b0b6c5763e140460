"""What all of our commands that need the database have in common: how they say that they can't."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, OperationalError, connection
from django.db.migrations.executor import MigrationExecutor

from bluetel.accounts.encryption import UnreadableSecret


class DatabaseCommand(BaseCommand):
    """Says in one line that the database isn't there yet, can't be reached, or can't be opened."""

    def execute(self, *args: Any, **options: Any) -> str | None:
        """Run; anything else that goes wrong with the database is a fault of ours, and shows."""
        try:
            return super().execute(*args, **options)
        except DatabaseError as error:
            if _is_behind():
                raise CommandError(
                    "the database lacks tables of this version: run manage.py migrate first"
                ) from None
            if isinstance(error, OperationalError):
                raise CommandError(f"the database can't be used: {_first_line(error)}") from None
            raise
        except UnreadableSecret:
            raise CommandError(
                "the secret key has changed, and what was sealed with the old one can't be opened: "
                "give the old one in BLUETEL_SECRET_KEY_FALLBACKS, or each PBX's password again "
                "with connect_pbx"
            ) from None


def _is_behind() -> bool:
    try:
        executor = MigrationExecutor(connection)
        return bool(executor.migration_plan(executor.loader.graph.leaf_nodes()))
    except DatabaseError:
        return False


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
