"""``flush`` in the place of Django's, which every transactional test ends with.

Django's truncates every table and then has ``migrate``'s rows made anew: a third of a second on
PostgreSQL, whatever the test wrote. Here the rows are deleted, and what migrating made stays. The
locks keep writers out until all is empty, and let readers be.
"""

from __future__ import annotations

from typing import Any

from django.core.management.commands import flush
from django.db import connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

FILLED_BY_MIGRATING = ("django_migrations", "django_content_type", "auth_permission")

# Without its triggers, a table forgets a million rows as it would with TRUNCATE: not one by one.
EMPTY_POSTGRESQL = """
DO $$
DECLARE
    tables text[] := ARRAY(
        SELECT format('%I', tablename) FROM pg_tables
        WHERE schemaname = current_schema() AND NOT tablename = ANY ({kept})
        ORDER BY tablename
    );
    name text;
BEGIN
    SET LOCAL session_replication_role = replica;
    EXECUTE 'LOCK TABLE ' || array_to_string(tables, ', ') || ' IN SHARE ROW EXCLUSIVE MODE';
    FOREACH name IN ARRAY tables LOOP
        EXECUTE 'DELETE FROM ' || name;
    END LOOP;
END $$
"""


class Command(flush.Command):
    """Takes the options of Django's; sequences run on."""

    def handle(self, **options: Any) -> None:
        """Empty every table but those that :data:`FILLED_BY_MIGRATING` names."""
        connection = connections[options["database"]]
        with transaction.atomic(using=connection.alias):
            if connection.vendor == "postgresql":
                _empty_postgresql(connection)
            else:
                _empty_sqlite(connection)


def _empty_postgresql(connection: BaseDatabaseWrapper) -> None:
    kept = ", ".join(f"'{name}'" for name in FILLED_BY_MIGRATING)
    with connection.cursor() as cursor:
        cursor.execute(EMPTY_POSTGRESQL.format(kept=f"ARRAY[{kept}]"))


def _empty_sqlite(connection: BaseDatabaseWrapper) -> None:
    """Foreign keys are looked at when the transaction ends; the search index has triggers."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'table'"
            " AND name NOT LIKE 'sqlite_%%'"
        )
        names = {name for (name,) in cursor.fetchall()}
        for name in sorted(names.difference(FILLED_BY_MIGRATING)):
            cursor.execute(f"DELETE FROM {connection.ops.quote_name(name)}")  # noqa: S608 — a table's
