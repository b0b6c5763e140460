"""A Wazo made of recordings, and a backend that is signed in to it."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace

import pytest

from bluetel.telephony.ports import PbxConfig
from bluetel.telephony.types import PbxUserId
from bluetel.telephony.wazo.backend import Clockwork, WazoBackend
from tests.contract.wazo.player import Player, Reply, playing, reply

ALICE = PbxUserId("77e98127-8612-4b61-aaa9-edd1933d2b27")
BOB = PbxUserId("b93a5375-4a71-4662-afc6-c339cfb91a84")
CAROL = PbxUserId("8dc3842e-61a7-4c9b-ac91-1433a345b818")
NOBODY = PbxUserId("00000000-0000-4000-8000-000000000000")
TENANT = "e1c7bd1e-e1c6-4686-93ef-5f07be49e664"
SERVICE_TOKEN = "b90ffa93-a010-483a-98c6-e1a3263078da"
PASSWORD = "s3rvice-secret"


@pytest.fixture
def player() -> Iterator[Player]:
    """A player that lets the service account in and knows Alice."""
    with playing() as started:
        started.answer(
            "POST", "/api/auth/0.1/token", reply("wazo-auth/token_create_200_external_api")
        )
        started.answer(
            "DELETE",
            f"/api/auth/0.1/token/{SERVICE_TOKEN}",
            reply("wazo-auth/token_delete_200"),
        )
        started.answer("GET", f"/api/confd/1.1/users/{ALICE}", reply("wazo-confd/users_get_200"))
        yield started


def config(player: Player, **changes: str) -> PbxConfig:
    """How to reach the player."""
    whole = PbxConfig(name="wazo", url=player.url, username="bluetel", password=PASSWORD)
    return replace(whole, **changes)  # type: ignore[arg-type]  # the tests change texts only


@pytest.fixture
def pauses() -> list[float]:
    """The pauses the backend made, instead of making them."""
    return []


@pytest.fixture
def backend(player: Player, pauses: list[float]) -> Iterator[WazoBackend]:
    """A backend on the player; it waits for nothing."""
    made = WazoBackend(
        config(player),
        clockwork=Clockwork(sleep=pauses.append, rng=random.Random(1)),
    )
    yield made
    made.close()


def ok(body: object) -> Reply:
    """An answer of 200 that no recording has."""
    return Reply(200, body, {"Content-Type": "application/json"})
