"""``serve``: pages, live sockets and engine in one process, on SQLite unless told otherwise."""

from __future__ import annotations

import asyncio
import errno
import logging
import os
import socket
import sys
import threading
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import CommandError

from bluetel.management.argument_types import port as port_number
from bluetel.management.database_command import DatabaseCommand

if TYPE_CHECKING:
    from argparse import ArgumentParser

    from bluetel.demo_pbx import DemoPbx

logger = logging.getLogger(__name__)

ENDS_WITHIN = 1.8
BACKLOG = 1024  # after a restart every page comes back at once; the usual 50 would turn many away


class Command(DatabaseCommand):
    """Brings the database and the static files up to date, then serves until told to stop."""

    help = "Serve BlueTel: web and engine in one process (the embedded default)."
    requires_migrations_checks = False

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Where to listen, if not where the settings say."""
        parser.add_argument("--host", default=settings.ENV.host)
        parser.add_argument("--port", type=port_number, default=settings.ENV.port)

    def handle(self, *args: Any, **options: Any) -> None:
        """Prepare, serve, and end within two seconds."""
        from bluetel.accounts.demo_accounts import tell_of_closed
        from bluetel.accounts.pbx import read_secrets
        from bluetel.demo_pbx import DemoPbx
        from bluetel.static import collect_if_changed

        host, port = options["host"], options["port"]
        _refuse_taken_port(host, port)
        demo = DemoPbx() if settings.DEMO else None
        try:
            call_command("migrate", verbosity=0, interactive=False)
            tell_of_closed()
            read_secrets()
            collect_if_changed()
            if demo is not None:
                url = demo.wait_until_ready()
                call_command("seed_demo", pbx_url=url)
            self._serve(host, port, demo)
        finally:
            if demo is not None:
                demo.stop()
        # A thread may still wait for a PBX that doesn't answer; nobody waits for it.
        logging.shutdown()
        sys.stdout.flush()
        os._exit(0)

    def _serve(self, host: str, port: int, demo: DemoPbx | None) -> None:
        # Importing daphne's server chooses the reactor, so it comes before anything of Twisted.
        from bluetel.paced_server import PacedServer  # isort: skip
        from twisted.internet import defer, reactor

        from bluetel.asgi import application
        from bluetel.embedded import EmbeddedEngine
        from bluetel.housekeeping import spare_what_stays

        engine = EmbeddedEngine()
        accounts = demo.accounts() if demo is not None else ""

        def stop_engine() -> defer.Deferred[None]:
            threading.Timer(ENDS_WITHIN, _give_up).start()
            return defer.Deferred.fromFuture(engine.stop())

        def announce() -> None:
            engine.start()
            spare_what_stays("server")
            self.stdout.write(f"BlueTel is at http://{_shown(host)}:{port}")
            if accounts:
                self.stdout.write(accounts)
            self.stdout.flush()

        def soon() -> None:
            # Not the reactor's own way: daphne sends what fails there to nowhere.
            asyncio.get_event_loop().call_soon(announce)

        reactor.addSystemEventTrigger("before", "shutdown", stop_engine)  # type: ignore[arg-type]
        address = host.replace(":", r"\:")
        PacedServer(
            application=application,
            endpoints=[f"tcp:port={port}:interface={address}:backlog={BACKLOG}"],
            server_name="bluetel",
            application_close_timeout=2,
            websocket_max_message_size=64 * 1024,
            websocket_max_frame_size=64 * 1024,
            ready_callable=soon,
            verbosity=0,
        ).run()


def _refuse_taken_port(host: str, port: int) -> None:
    """Say at once that the address can't be used, before anything is started."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            is_host = isinstance(error, socket.gaierror) or error.errno == errno.EADDRNOTAVAIL
            advice = (
                "set BLUETEL_HOST to an address of this machine"
                if is_host
                else "set BLUETEL_PORT to another port"
            )
            raise CommandError(
                f"can't listen on {_shown(host)}:{port}: {error.strerror}; {advice}"
            ) from None


def _shown(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _give_up() -> None:
    logger.warning("not everything ended in time")
    logging.shutdown()
    os._exit(0)
