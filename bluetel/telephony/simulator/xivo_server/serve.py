"""Runs the simulated XUC on a port: in this process, or in a thread of it for tests."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from concurrent.futures import Future
from types import TracebackType
from typing import TypeVar

from bluetel.telephony.simulator.model import SimulatedPbx
from bluetel.telephony.simulator.wazo_server.serve import (
    PASSWORD,
    USERNAME,
    build_server,
    listen,
)
from bluetel.telephony.simulator.xivo_server.app import XucApplication
from bluetel.telephony.simulator.xivo_server.site import Readings, XucSite

T = TypeVar("T")
API_KEY = "bluetel-key"


def build_application(
    pbx: SimulatedPbx,
    *,
    username: str = USERNAME,
    password: str = PASSWORD,
    api_key: str = API_KEY,
    readings: Readings | None = None,
) -> XucApplication:
    """The application over a model, with one service account and one key for REST 1.0."""
    site = XucSite(
        pbx=pbx,
        username=username,
        password=password,
        api_key=api_key,
        readings=readings or Readings(),
    )
    return XucApplication(site)


class LoopbackXuc:
    """A simulated XUC on a free loopback port, in a thread; a context manager.

    ``url`` is its address. The model lives in that thread: reach it through ``do``. With
    ``stands_still`` its time passes only there (``pbx.advance``), else it is the real time.
    """

    def __init__(
        self, pbx: SimulatedPbx, *, stands_still: bool = False, readings: Readings | None = None
    ) -> None:
        self.application = build_application(pbx, readings=readings)
        self.site = self.application.site
        if stands_still:
            self.site.clock = lambda: pbx.now
        self._server = build_server(self.application)
        self._listener: socket.socket = listen("127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._thread = threading.Thread(target=self._run, name="simulated-xuc", daemon=True)

    def _run(self) -> None:
        self._server.run(sockets=[self._listener])

    def __enter__(self) -> LoopbackXuc:
        self._thread.start()
        if not self.application.ready.wait(timeout=10):
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
            self.site.catch_up()
            try:
                result.set_result(action(self.site.pbx))
            except BaseException as error:  # noqa: BLE001 handed to the caller
                result.set_exception(error)
            self.application.ticker.wind()

        self.application.loop.call_soon_threadsafe(act)
        return result.result(timeout=10)
