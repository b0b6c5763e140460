"""``run_engine``: the engine alone, beside any number of web processes."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
from typing import Any

from django.conf import settings

from bluetel.management.database_command import DatabaseCommand
from bluetel.management.scaled_out import check_can_run_beside_others
from bluetel.one_core import stay_on_one_core

ENDS_WITHIN = 5.0


class Command(DatabaseCommand):
    """Stands by until the lease is free, then listens to every PBX."""

    help = "Run the engine alone; web processes hear it through Redis."

    def handle(self, *args: Any, **options: Any) -> None:
        """Run until told to stop."""
        check_can_run_beside_others(without_redis="no web process would hear this engine")
        if settings.ENV.one_core:
            stay_on_one_core()
        asyncio.run(_run())
        logging.shutdown()
        # A thread may still wait for a PBX that doesn't answer.
        os._exit(0)


async def _run() -> None:
    from bluetel.engine.engine import Engine

    engine = Engine()
    loop = asyncio.get_running_loop()
    running = loop.create_task(engine.run())
    stopping = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopping.set)
    told = loop.create_task(stopping.wait())
    ends: list[asyncio.Task[Any]] = [running, told]
    await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
    told.cancel()
    async with asyncio.timeout(ENDS_WITHIN):
        await engine.stop()
        await running
