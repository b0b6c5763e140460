"""Processes that are killed, frozen or told to stop; each test has a site of its own."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Callable

import pytest

from tests.live.servers import Process, Site, running_site
from tests.live.sockets import hang_up, page, ring, until_heard, until_phone, watch
from tests.servers import ServerOf

pytestmark = pytest.mark.timeout(120)

STOPPED_WITHIN = 10.0
SUCCEEDED_WITHIN = 40.0
"""The lease's ten seconds or PostgreSQL's fifteen, the start of a process, and a busy machine."""

FREEZE = """
import django, os, signal
django.setup()
from django.db import transaction
from django.utils import timezone
from bluetel.work import leases
from bluetel.work.owners import own_name
held = leases.take(leases.ENGINE, owner=own_name(), now=timezone.now())
with transaction.atomic():
    leases.check(held, now=timezone.now())
    print("about to freeze", flush=True)
    os.kill(os.getpid(), signal.SIGSTOP)
"""


async def test_when_a_server_is_killed_another_takes_over_and_pages_stay_right() -> None:
    with running_site() as site:
        first, second = site.serve(), site.serve()
        nadia = site.user_id("1002")
        async with asyncio.timeout(90), page(second, site.cookie("1001")) as socket:
            await until_heard(socket, nadia)
            first.process.kill()
            began = time.monotonic()
            await asyncio.to_thread(ring, site, "1002")
            await until_phone(socket, nadia, "ringing")
            assert time.monotonic() - began < 15


async def test_a_frozen_engine_is_succeeded_and_says_nothing_when_it_wakes() -> None:
    with running_site() as site:
        first, second = site.serve(), site.serve()
        nadia = site.user_id("1002")
        async with asyncio.timeout(100), page(second, site.cookie("1001")) as socket:
            await until_heard(socket, nadia)
            first.freeze()
            await asyncio.to_thread(ring, site, "1002")
            await until_phone(socket, nadia, "ringing")
            first.process.send_signal(signal.SIGCONT)
            await asyncio.to_thread(first.wait_until_said, "off duty")
            async with page(first, site.cookie("1003")) as awake:
                if (await watch(awake, nadia))[nadia] != "ringing":
                    await until_phone(awake, nadia, "ringing")
            assert (await watch(socket, nadia))[nadia] == "ringing"
            await asyncio.to_thread(hang_up, site, "1002")
            await until_phone(socket, nadia, "available")


@pytest.mark.once
def test_an_engine_frozen_within_a_transaction_is_succeeded_too(server: ServerOf) -> None:
    with running_site(DATABASE_URL=server("postgresql").url, REDIS_URL=server("redis").url) as site:
        site.start("-c", FREEZE).wait_until_said("about to freeze")
        began = time.monotonic()
        site.engine()
        assert time.monotonic() - began < SUCCEEDED_WITHIN


@pytest.mark.parametrize("start", [Site.web, Site.uvicorn], ids=["daphne", "uvicorn"])
async def test_an_engine_alone_is_heard_by_web_processes_through_redis(
    server: ServerOf, start: Callable[[Site], Process]
) -> None:
    redis = os.environ.get("REDIS_URL") or server("redis").url
    with running_site(REDIS_URL=redis) as site:
        engine, web = site.engine(), start(site)
        nadia = site.user_id("1002")
        async with asyncio.timeout(60), page(web, site.cookie("1001")) as socket:
            await until_heard(socket, nadia)
            await asyncio.to_thread(ring, site, "1002")
            await until_phone(socket, nadia, "ringing")
            assert len(os.sched_getaffinity(engine.process.pid)) == 1
            engine.process.terminate()
            assert await asyncio.to_thread(engine.process.wait, 10) == 0
            await until_phone(socket, nadia, "unknown")


@pytest.mark.parametrize("start", [Site.serve, Site.web], ids=["serve", "run_web"])
def test_a_server_that_is_told_to_stop_does_so_at_once_and_can_start_again(
    server: ServerOf, start: Callable[[Site], Process]
) -> None:
    redis = server("redis").url if start is Site.web else os.environ.get("REDIS_URL", "")
    with running_site(REDIS_URL=redis) as site:
        for number in (signal.SIGTERM, signal.SIGINT):
            process = start(site)
            began = time.monotonic()
            process.process.send_signal(number)
            assert process.process.wait(30) == 0
            assert time.monotonic() - began < STOPPED_WITHIN
