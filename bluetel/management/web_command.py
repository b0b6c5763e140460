"""What the commands that serve pages have in common: how they listen, and how they end."""

from __future__ import annotations

import asyncio
import errno
import logging
import os
import socket
import sys
import threading
from typing import TYPE_CHECKING

from django.conf import settings
from django.core.management.base import CommandError

from bluetel.management.argument_types import port as port_number
from bluetel.management.database_command import DatabaseCommand
from bluetel.one_core import stay_on_one_core

if TYPE_CHECKING:
    from argparse import ArgumentParser
    from collections.abc import Awaitable, Callable

logger = logging.getLogger(__name__)

ENDS_WITHIN = 1.8
BACKLOG = 1024  # after a restart every page comes back at once; the usual 50 would turn many away


class WebCommand(DatabaseCommand):
    """Serves pages and live sockets on daphne until told to stop, and ends within two seconds."""

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Where to listen, if not where the settings say."""
        parser.add_argument("--host", default=settings.ENV.host)
        parser.add_argument("--port", type=port_number, default=settings.ENV.port)

    def serve(
        self,
        host: str,
        port: int,
        *,
        stop: Callable[[], Awaitable[None]],
        ready: Callable[[], object] = lambda: None,
        more: str = "",
    ) -> None:
        """Serve; ``ready`` is called once it listens, ``stop`` when it is told to end.

        Once it is ready it says where it is, and ``more``.
        """
        if settings.ENV.one_core:
            stay_on_one_core()
        # Importing daphne's server chooses the reactor, so it comes before anything of Twisted.
        from bluetel.paced_server import PacedServer  # isort: skip
        from twisted.internet import defer, reactor

        from bluetel.asgi import application
        from bluetel.housekeeping import spare_what_stays

        def give_up_later() -> defer.Deferred[None]:
            threading.Timer(ENDS_WITHIN, _give_up).start()
            return defer.Deferred.fromFuture(asyncio.ensure_future(stop()))

        def begin() -> None:
            ready()
            spare_what_stays("server")
            self.stdout.write(f"BlueTel is at http://{_shown(host)}:{port}")
            if more:
                self.stdout.write(more)
            self.stdout.flush()

        def soon() -> None:
            # Not the reactor's own way: daphne sends what fails there to nowhere.
            asyncio.get_event_loop().call_soon(begin)

        reactor.addSystemEventTrigger("before", "shutdown", give_up_later)  # type: ignore[arg-type]
        address = host.replace(":", r"\:")
        server = PacedServer(
            application=application,
            endpoints=[f"tcp:port={port}:interface={address}:backlog={BACKLOG}"],
            server_name="bluetel",
            application_close_timeout=2,
            websocket_max_message_size=64 * 1024,
            websocket_max_frame_size=64 * 1024,
            ready_callable=soon,
            verbosity=0,
        )
        server.run()
        if server.abort_start:
            raise CommandError(f"can't listen on {_shown(host)}:{port}")

    def end(self) -> None:
        """End the process: a thread may still wait for a PBX that doesn't answer."""
        logging.shutdown()
        sys.stdout.flush()
        os._exit(0)


def refuse_taken_port(host: str, port: int) -> None:
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
