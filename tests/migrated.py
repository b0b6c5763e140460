"""One database is migrated per run; all others, of workers and of started sites, are its copies.

Migrating takes seven seconds, copying none. Whoever needs the first database makes the one to copy,
and others wait for it: the lock lies in the folder that the processes of a run share.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
from django.core.management import call_command
from django.db import connection

FOLDER = Path(os.environ["TESTS_RUN_DIR"])
FILE = FOLDER / "migrated.sqlite3"
TEMPLATE = "migrated"
"""The database on PostgreSQL, which nobody stays connected to: it couldn't be copied then."""


def make_for_tests() -> None:
    """Have a migrated database to copy, and the test database, which is not there yet, be one."""
    own: dict[str, Any] = connection.settings_dict
    if connection.vendor == "sqlite":
        with _alone():
            if not FILE.exists():
                _migrate(f"{FILE}.new")
                Path(f"{FILE}.new").rename(FILE)
        shutil.copy(FILE, own["TEST"]["NAME"])
    else:
        with _alone(), psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as server:
            if not is_on(server):
                server.execute("CREATE DATABASE migrating")
                _migrate("migrating")
                server.execute(f"ALTER DATABASE migrating RENAME TO {TEMPLATE}".encode())
        own["TEST"]["TEMPLATE"] = TEMPLATE


def is_on(server: psycopg.Connection) -> bool:
    """Whether a database server has the migrated database."""
    found = server.execute("SELECT 1 FROM pg_database WHERE datname = %s", [TEMPLATE])
    return found.fetchone() is not None


@contextmanager
def _alone() -> Iterator[None]:
    with (FOLDER / "migrated.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _migrate(name: str) -> None:
    """Migrate the database of that name, which nothing is connected to afterwards."""
    own = connection.settings_dict["NAME"]
    _disconnect()
    connection.settings_dict["NAME"] = name
    try:
        call_command("migrate", verbosity=0, interactive=False)
    finally:
        _disconnect()
        connection.settings_dict["NAME"] = own


def _disconnect() -> None:
    connection.close()
    if connection.vendor == "postgresql":
        connection.close_pool()  # type: ignore[attr-defined]
