"""``run_web``: pages and live sockets alone; any number of it beside an engine."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.management.base import CommandError

from bluetel.accounts.demo_accounts import tell_of_closed
from bluetel.accounts.pbx import read_secrets
from bluetel.management.web_command import WebCommand, refuse_taken_port

if TYPE_CHECKING:
    from twisted.internet.defer import Deferred


class Command(WebCommand):
    """Serves until told to stop, after ``migrate`` and ``collectstatic``."""

    help = "Serve pages and live sockets alone; an engine (run_engine) does the rest."

    def handle(self, *args: Any, **options: Any) -> None:
        """Serve, and end within two seconds."""
        if not settings.REDIS_URL:
            raise CommandError(
                "REDIS_URL is not set, so these pages would hear no engine: "
                "set it, or run `serve`, which has both in one process"
            )
        host, port = options["host"], options["port"]
        refuse_taken_port(host, port)
        tell_of_closed()
        read_secrets()
        self.serve(host, port, stop=_end_feed)
        self.end()


def _end_feed() -> Deferred[None]:
    from twisted.internet.defer import Deferred

    from presence import feed

    return Deferred.fromFuture(asyncio.ensure_future(feed.stop()))
