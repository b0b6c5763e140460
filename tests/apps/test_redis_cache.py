"""The cache in Redis against a real one."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from bluetel.redis_cache import OneClientCache
from tests.servers import ServerOf

pytestmark = pytest.mark.once


@pytest.fixture
def cache(server: ServerOf) -> OneClientCache:
    return OneClientCache(server("redis").url, {"KEY_PREFIX": "test_redis_cache"})


def test_what_is_kept_is_found_again_and_then_gone(cache: OneClientCache) -> None:
    cache.set("nadia", ["1002"], 60)
    assert cache.get("nadia") == ["1002"]
    cache.delete("nadia")
    assert cache.get("nadia") is None


def test_one_client_asks_for_everything(cache: OneClientCache) -> None:
    cache.set("nadia", 1, 60)
    asked = cache._cache.get_client("nadia")
    assert cache._cache.get_client("camille", write=True) is asked


def test_many_threads_may_ask_at_once(cache: OneClientCache) -> None:
    def keep(number: int) -> int:
        cache.set(f"number-{number}", number, 60)
        found: int = cache.get(f"number-{number}")
        return found

    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(keep, range(200))) == list(range(200))


def test_a_cache_made_later_finds_what_another_keeps(
    cache: OneClientCache, server: ServerOf
) -> None:
    cache.set("nadia", "of the other", 60)
    other = OneClientCache(server("redis").url, {"KEY_PREFIX": "test_redis_cache"})
    assert other.get("nadia") == "of the other"
