"""The engine's part: rows that follow the PBX without anybody asking."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from channels.layers import get_channel_layer
from django.utils import timezone

from bluetel.telephony.types import PbxUserId, VoicemailChanged
from bluetel.work.leases import Held
from presence.live import LIVE
from tests.apps.house import House
from tests.apps.voicemail.conftest import Callers
from voicemail import services
from voicemail.duties import VoicemailDuty
from voicemail.models import Message

pytestmark = pytest.mark.django_db(transaction=True)


class Office:
    """What the engine gives a duty, without an engine."""

    held = Held(name="engine", owner="tests", epoch=1)

    async def run(self, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        return await sync_to_async(function, thread_sensitive=False)(*args, **kwargs)

    database = run

    async def publish(self, message: Mapping[str, object]) -> None:
        raise AssertionError("voicemail speaks by itself")


async def unread_told() -> Callable[[], Any]:
    """Follow what all pages are told; each call waits for the next count."""
    layer = get_channel_layer()
    assert layer is not None
    channel = await layer.new_channel()
    await layer.group_add(LIVE, channel)

    async def following() -> object:
        while True:
            message = await layer.receive(channel)
            if message.get("frame", {}).get("type") == "voicemail":
                return message["frame"]["unread"]

    return following


async def test_a_new_message_reaches_the_rows_and_the_pages(house: House, callers: Callers) -> None:
    user = await sync_to_async(house.user)("1001")
    following = await unread_told()
    duty = VoicemailDuty()
    running = asyncio.create_task(duty.run(Office()))
    try:
        callers.leave("1002")
        duty.on_pbx_event(house.pbx.pk, VoicemailChanged(user=PbxUserId(user.pbx_user_id)))
        async with asyncio.timeout(10):
            assert await following() == 1
        assert await Message.objects.filter(user=user).acount() == 1
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def test_what_came_while_nobody_listened_is_read_on_connecting(
    house: House, callers: Callers
) -> None:
    user = await sync_to_async(house.user)("1001")
    await sync_to_async(services.read_box)(user, now=timezone.now())
    following = await unread_told()
    callers.leave("1002")
    duty = VoicemailDuty()
    duty.on_pbx_heard(house.pbx.pk)
    running = asyncio.create_task(duty.run(Office()))
    try:
        async with asyncio.timeout(10):
            assert await following() == 1
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
