"""What all tests share: real servers by name, no network for unit tests, hypothesis's profiles."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from pytest_django import DjangoDbBlocker

from bluetel.housekeeping import spare_what_stays
from tests.servers import Missing, Server, ServerOf, running

HERE = Path(__file__).resolve().parent

# A deadline per example only measures how busy the machine is. Forty examples keep the unit tests
# within their seconds; HYPOTHESIS_EXAMPLES=1000 looks harder.
EXAMPLES = int(os.environ.get("HYPOTHESIS_EXAMPLES", "40"))
settings.register_profile("local", deadline=None, max_examples=EXAMPLES)
settings.register_profile(
    "ci",
    deadline=None,
    max_examples=EXAMPLES,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("ci" if os.environ.get("CI") else "local")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Hold unit tests to what makes them fast: no sockets. Browser tests are marked by folder."""
    for item in items:
        folder = item.path.relative_to(HERE).parts[0] if item.path.is_relative_to(HERE) else ""
        if folder == "unit":
            item.add_marker(pytest.mark.disable_socket)
        elif folder == "e2e":
            item.add_marker(pytest.mark.e2e)


def pytest_collection_finish() -> None:
    """Collect garbage as the servers do: not over all modules and tests again and again."""
    spare_what_stays("tests")


@pytest.fixture(scope="session")
def django_db_keepdb() -> bool:
    """Databases end with their server or folder; dropping one fails while a thread holds it."""
    return True


@pytest.fixture(scope="session")
def django_db_modify_db_settings(
    django_db_modify_db_settings_parallel_suffix: None, django_db_blocker: DjangoDbBlocker
) -> None:
    """Databases are copies of one that is migrated once for all workers."""
    from tests import migrated  # noqa: PLC0415 — needs Django's settings, as not all tests do

    with django_db_blocker.unblock():
        migrated.make_for_tests()


@pytest.fixture(scope="session")
def server() -> Iterator[ServerOf]:
    """Start a real server once per run: ``server("redis").url``.

    Where it isn't installed the test is skipped, or fails with ``CI`` set.
    """
    with contextlib.ExitStack() as stack:
        started: dict[str, Server] = {}

        def start(name: str) -> Server:
            if name not in started:
                try:
                    started[name] = stack.enter_context(running(name))[name]
                except Missing as missing:
                    (pytest.fail if os.environ.get("CI") else pytest.skip)(str(missing))
            return started[name]

        yield start
