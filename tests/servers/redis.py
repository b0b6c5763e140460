"""Redis, the channel layer and cache of several web processes."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from redis import Redis
from redis.exceptions import RedisError

from tests.servers.base import Server


class RedisServer(Server):
    """A Redis that keeps nothing on disk."""

    name = "redis"
    package = "redis-server"

    @classmethod
    def find(cls) -> Path | None:
        """``redis-server``, or Valkey, which speaks the same."""
        found = shutil.which("redis-server") or shutil.which("valkey-server")
        return Path(found) if found else None

    def command(self) -> Sequence[str]:
        """In the foreground, on loopback only."""
        return [
            str(self.program()),
            *["--bind", "127.0.0.1", "--port", str(self.port), "--dir", str(self.folder)],
            *["--save", "", "--appendonly", "no", "--daemonize", "no"],
        ]

    def answers(self) -> bool:
        """Whether it pongs."""
        with contextlib.suppress(RedisError), Redis(port=self.port, socket_timeout=1) as client:
            return bool(client.ping())
        return False

    @property
    def url(self) -> str:
        """``redis://…``, as ``REDIS_URL`` takes it."""
        return f"redis://127.0.0.1:{self.port}/0"

    def environment(self) -> Mapping[str, str]:
        """``REDIS_URL``."""
        return {"REDIS_URL": self.url}


SERVER = RedisServer
