"""What live tests share: a channel layer without yesterday's members, a house, an engine."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator

import pytest
from asgiref.sync import sync_to_async
from channels.layers import channel_layers, get_channel_layer
from django.db import connections
from pytest_django import Settings

from bluetel.accounts.pbx import close_backends
from bluetel.engine import link
from presence import feed
from tests.apps.house import House
from tests.live.stage import Stage

READERS = ("engine-", "hub")
"""How the threads are named that go on with a query when who asked for it has ended."""


@pytest.fixture(scope="session", autouse=True)
def tables_to_copy(django_db_setup: None) -> None:
    """Sites that are started begin with a copy of the migrated database."""


@pytest.fixture(autouse=True)
def database_goes_last(request: pytest.FixtureRequest) -> None:
    """Have the tables emptied when nobody reads them any more: PostgreSQL calls it a deadlock."""
    if "transactional_db" in request.fixturenames:
        request.getfixturevalue("transactional_db")


@pytest.fixture(autouse=True)
async def fresh_layer(database_goes_last: None) -> AsyncIterator[None]:
    """The memory layer belongs to the process, not to the test."""
    channel_layers.backends.clear()
    yield
    await feed.stop()
    for thread in threading.enumerate():
        if thread.name.startswith(READERS):
            await asyncio.to_thread(thread.join, timeout=30)
    layer = get_channel_layer()
    assert layer is not None
    await layer.flush()
    channel_layers.backends.clear()
    # The thread of Django's asynchronous queries keeps its connection otherwise.
    await sync_to_async(connections.close_all)()


@pytest.fixture
def house(transactional_db: None, settings: Settings) -> Iterator[House]:
    """The cast on a PBX in memory; other threads see it too."""
    settings.PBX_BACKENDS = {"wazo": "tests.apps.house.open_backend"}
    yield House()
    close_backends()


@pytest.fixture(autouse=True)
def no_grace(monkeypatch: pytest.MonkeyPatch) -> None:
    """A lost stream counts as lost soon, so that tests needn't wait."""
    monkeypatch.setattr(link, "GRACE", 0.05)


@pytest.fixture
async def stage(house: House) -> AsyncIterator[Stage]:
    """The house with nobody listening yet."""
    stage = Stage(house)
    async with stage:
        yield stage


@pytest.fixture
async def on_air(stage: Stage) -> Stage:
    """The house with an engine on duty that hears its PBX."""
    await stage.start_engine()
    await stage.until_heard()
    return stage
