"""Django's cache in Redis, with a client that stays as long as the cache's object.

Django makes a client for each question, which takes longer than the answer.
"""

from __future__ import annotations

from typing import Any

from django.core.cache.backends.redis import RedisCache, RedisCacheClient


class OneClient(RedisCacheClient):
    """The client of the one server that the settings name; many threads may use it at once."""

    _one: Any = None

    def get_client(self, key: Any = None, *, write: bool = False) -> Any:
        """The client that asks for this key."""
        if self._one is None:
            self._one = super().get_client(key, write=write)
        return self._one


class OneClientCache(RedisCache):
    """The cache of the settings."""

    def __init__(self, server: str, params: dict[str, Any]) -> None:
        super().__init__(server, params)
        self._class = OneClient
