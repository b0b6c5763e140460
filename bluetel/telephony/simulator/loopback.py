"""Runs a simulated PBX on a port: in this process, or in a thread of it for tests."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from concurrent.futures import Future
from types import TracebackType
from typing import Any, Self, TypeVar

import uvicorn

from bluetel.telephony.simulator.application import SimulatedApplication
from bluetel.telephony.simulator.model import SimulatedPbx

USERNAME = PASSWORD = "bluetel"  # noqa: S105 the simulator's own, printed at each start
T = TypeVar("T")


def build_server(application: Callable[..., Any]) -> uvicorn.Server:
    """A server for the application; sockets are given to it, so that port 0 works.

    It shuts down within a second whoever is still connected.
    """
    config = uvicorn.Config(
        application,
        http="httptools",
        ws="websockets-sansio",
        lifespan="on",
        log_level="warning",
        access_log=False,
        timeout_graceful_shutdown=1,
        ws_per_message_deflate=False,
    )
    return uvicorn.Server(config)


def listen(host: str, port: int) -> socket.socket:
    """A listening socket without Nagle's delay; raises ``OSError`` when the port is taken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    try:
        listener.bind((host, port))
    except OSError:
        listener.close()
        raise
    listener.listen(1024)
    return listener


class Loopback:
    """A simulated PBX on a free loopback port, in a thread; a context manager.

    ``url`` is its address. The model lives in that thread: reach it through ``do``.
    """

    def __init__(self, application: SimulatedApplication[Any]) -> None:
        self._application = application
        self._server = build_server(application)
        self._listener = listen("127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._thread = threading.Thread(target=self._run, name="simulated-pbx", daemon=True)

    def _run(self) -> None:
        self._server.run(sockets=[self._listener])

    def __enter__(self) -> Self:
        self._thread.start()
        if not self._application.ready.wait(timeout=10):
            raise TimeoutError("the simulated PBX does not start")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.should_exit = True
        self._thread.join(timeout=10)
        self._listener.close()

    def do(self, action: Callable[[SimulatedPbx], T]) -> T:
        """Run ``action`` on the model, in its own thread, and give what it gives."""
        result: Future[T] = Future()

        def act() -> None:
            site = self._application.common_site
            site.catch_up()
            try:
                result.set_result(action(site.pbx))
            except BaseException as error:  # noqa: BLE001 handed to the caller
                result.set_exception(error)
            self._application.ticker.wind()

        self._application.loop.call_soon_threadsafe(act)
        return result.result(timeout=10)
