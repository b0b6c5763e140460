"""PostgreSQL, as the administrator of a larger site runs it."""

from __future__ import annotations

import shutil
import signal
from collections.abc import Mapping, Sequence
from pathlib import Path

import psycopg

from tests.servers.base import Server, is_open

PROGRAMS = Path("/usr/lib/postgresql")  # Debian keeps each version's programs off the path


class Postgresql(Server):
    """A cluster without durability, with one superuser and one database, both ``bluetel``."""

    name = "postgresql"
    package = "postgresql"
    stop_signal = signal.SIGINT  # "fast": it does not wait for clients to go

    @classmethod
    def find(cls) -> Path | None:
        """The newest ``postgres``."""
        versions = sorted(PROGRAMS.glob("*/bin/postgres"), key=lambda path: int(path.parts[-3]))
        found = str(versions[-1]) if versions else shutil.which("postgres")
        return Path(found) if found else None

    def set_up(self) -> None:
        """Make the cluster; takes a second."""
        self.run(
            str(self.program().with_name("initdb")),
            *["--pgdata", str(self.folder / "data"), "--username", "bluetel", "--auth", "trust"],
            *["--encoding", "UTF8", "--locale", "C.UTF-8", "--no-sync"],
        )

    def command(self) -> Sequence[str]:
        """In the foreground, on loopback only."""
        options = {
            "listen_addresses": "127.0.0.1",
            "port": str(self.port),
            "unix_socket_directories": "",
            "fsync": "off",
            "synchronous_commit": "off",
            "full_page_writes": "off",
            "shared_buffers": "256MB",
            "max_connections": "100",
        }
        return [
            str(self.program()),
            *["-D", str(self.folder / "data")],
            *[part for name, value in options.items() for part in ("-c", f"{name}={value}")],
        ]

    def answers(self) -> bool:
        """Whether a client can sign in."""
        if not is_open(self.port):
            return False
        try:
            psycopg.connect(self._address("postgres"), connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True

    def finish(self) -> None:
        """Make the application's database."""
        with psycopg.connect(self._address("postgres"), autocommit=True) as connection:
            connection.execute("CREATE DATABASE bluetel")

    @property
    def url(self) -> str:
        """``postgresql://…``, as ``DATABASE_URL`` takes it."""
        return self._address("bluetel")

    def environment(self) -> Mapping[str, str]:
        """``DATABASE_URL``."""
        return {"DATABASE_URL": self.url}

    def _address(self, database: str) -> str:
        return f"postgresql://bluetel@127.0.0.1:{self.port}/{database}"


SERVER = Postgresql
