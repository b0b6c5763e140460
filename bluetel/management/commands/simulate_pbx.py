"""``simulate_pbx``: a telephone system to try BlueTel with, on loopback."""

from __future__ import annotations

import sys
import threading
from argparse import ArgumentParser
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import uvicorn
from django.core.management.base import BaseCommand, CommandError

from bluetel.management.argument_types import count, port_or_any, seconds_or_never
from bluetel.telephony.simulator.loopback import (
    PASSWORD,
    USERNAME,
    build_server,
    listen,
)
from bluetel.telephony.simulator.model import Habits
from bluetel.telephony.simulator.scenario import CAST, build
from bluetel.telephony.simulator.wazo_server.serve import build_application as build_wazo
from bluetel.telephony.simulator.xivo_server.serve import build_application as build_xuc

PORT = 9480
DIALECTS: dict[str, Callable[..., Any]] = {"wazo": build_wazo, "xivo": build_xuc}


class Command(BaseCommand):
    """Serves the simulated PBX until it is told to stop; it needs no database."""

    help = "Run a simulated PBX on loopback."
    requires_system_checks = ()
    requires_migrations_checks = False

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Where to listen, who may sign in, how many people there are."""
        parser.add_argument("--dialect", choices=list(DIALECTS), default="wazo")
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", type=port_or_any, default=PORT, help="0 takes a free one")
        parser.add_argument("--users", type=count, default=len(CAST))
        parser.add_argument("--username", default=USERNAME, help="service account")
        parser.add_argument("--password", default=PASSWORD, help="its password")
        parser.add_argument(
            "--outside-answers-after",
            type=seconds_or_never,
            default=Habits().outside_answers_after,
            help="seconds until an outside number picks up, or 'never'",
        )
        parser.add_argument(
            "--with-parent", action="store_true", help="stop when standard input is closed"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Listen, say where, serve."""
        habits = Habits(outside_answers_after=options["outside_answers_after"])
        pbx = build(now=datetime.now(UTC), users=options["users"], habits=habits)
        username = options["username"]
        build_application = DIALECTS[options["dialect"]]
        server = build_server(
            build_application(pbx, username=username, password=options["password"])
        )
        host = options["host"]
        try:
            listener = listen(host, options["port"])
        except OSError as error:
            raise CommandError(
                f"can't listen on {host}:{options['port']}: {error.strerror}"
            ) from None
        port = listener.getsockname()[1]
        self.stdout.write(
            f"Simulated PBX ({options['dialect']}) at http://{host}:{port}, "
            f"{len(pbx.people)} users, service account {username} / {options['password']}"
        )
        self.stdout.flush()
        if options["with_parent"]:
            threading.Thread(target=_stop_with_parent, args=[server], daemon=True).start()
        server.run(sockets=[listener])


def _stop_with_parent(server: uvicorn.Server) -> None:
    while sys.stdin.buffer.read(1):
        pass
    server.should_exit = True
