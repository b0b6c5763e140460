"""What app tests share: the house."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.core.cache import cache
from django.utils import translation
from pytest_django import Settings

from bluetel.accounts.pbx import close_backends
from tests.apps.house import House


@pytest.fixture(autouse=True)
def fresh_cache() -> None:
    """No test sees another's throttle or search answers."""
    cache.clear()


@pytest.fixture(autouse=True)
def english() -> None:
    """No test speaks the language of the page another has asked for."""
    translation.deactivate()


@pytest.fixture
def house(db: None, settings: Settings) -> Iterator[House]:
    """The cast on a PBX in memory."""
    settings.PBX_BACKENDS = {"wazo": "tests.apps.house.open_backend"}
    yield House()
    close_backends()
