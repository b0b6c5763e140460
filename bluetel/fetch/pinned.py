"""Connections to an address that was checked, and an end to every wait.

A name is resolved once; the connection goes to that very IP address while ``Host``, SNI and the
certificate check keep the name. A second look-up could answer differently (DNS rebinding).

A read time-out starts anew with each byte, so a server that drips bytes could hold a thread for
hours. :class:`Deadline` cuts the socket when the whole exchange has taken too long.
"""

from __future__ import annotations

import os
import socket
import ssl
import threading
import time
from collections import OrderedDict
from contextlib import suppress
from contextvars import ContextVar
from types import TracebackType
from typing import Any

from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection

from bluetel.fetch.addresses import Target

_MAX_POOLS = 64


class Deadline:
    """A span of ``seconds`` for everything done inside ``with``; sockets are cut at its end."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds
        self._lock = threading.Lock()
        self._sockets: list[socket.socket] = []
        self._timer = threading.Timer(seconds, self._expire)
        self._timer.daemon = True
        self.expired = False

    def __enter__(self) -> Deadline:
        self._token = _deadline.set(self)
        self._timer.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._timer.cancel()
        _deadline.reset(self._token)
        with self._lock:
            for watched in self._sockets:
                watched.close()
            self._sockets.clear()

    @property
    def remaining(self) -> float:
        """Seconds left; 0.0 when there are none."""
        return max(0.0, self._end - time.monotonic())

    def watch(self, connection: socket.socket) -> None:
        """Cut ``connection`` at the end.

        A duplicate of the descriptor is kept: TLS takes the first one over, and a cut of the
        duplicate ends the connection all the same.
        """
        twin = socket.socket(fileno=os.dup(connection.fileno()))
        with self._lock:
            if self.expired:
                _cut(twin)
                twin.close()
            else:
                self._sockets.append(twin)

    def _expire(self) -> None:
        with self._lock:
            self.expired = True
            for watched in self._sockets:
                _cut(watched)


def _cut(connection: socket.socket) -> None:
    with suppress(OSError):  # the server may have closed it a moment ago
        connection.shutdown(socket.SHUT_RDWR)


_deadline: ContextVar[Deadline | None] = ContextVar("fetch_deadline", default=None)


class _Watched(HTTPConnection):
    """Puts its socket under the deadline: when new, and again with each request on it."""

    def _new_conn(self) -> socket.socket:
        connection = super()._new_conn()
        if (deadline := _deadline.get()) is not None:
            deadline.watch(connection)
        return connection

    def request(self, *args: Any, **kwargs: Any) -> None:
        if self.sock is not None and (deadline := _deadline.get()) is not None:
            deadline.watch(self.sock)
        super().request(*args, **kwargs)


class _WatchedTls(_Watched, HTTPSConnection):
    """The same over TLS."""


class _PlainPool(HTTPConnectionPool):
    ConnectionCls = _Watched


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _WatchedTls


class Pools:
    """Kept-alive connections per host and checked IP address; safe in several threads."""

    def __init__(self, *, ca_file: str = "") -> None:
        self._ca_file = ca_file
        self._context: ssl.SSLContext | None = None
        self._lock = threading.Lock()
        self._pools: OrderedDict[tuple[str, str, int, str], HTTPConnectionPool] = OrderedDict()

    def pool(self, target: Target, address: str) -> HTTPConnectionPool:
        """The connections to ``address`` that speak for ``target``'s host."""
        key = (target.scheme, target.host, target.port, address)
        with self._lock:
            pool = self._pools.get(key)
            if pool is None:
                pool = self._pools[key] = self._new_pool(target, address)
                if len(self._pools) > _MAX_POOLS:
                    self._pools.popitem(last=False)[1].close()
            self._pools.move_to_end(key)
            return pool

    def close(self) -> None:
        """Close every idle connection; those in use close when they are given back."""
        with self._lock:
            for pool in self._pools.values():
                pool.close()
            self._pools.clear()

    def _new_pool(self, target: Target, address: str) -> HTTPConnectionPool:
        if target.scheme == "http":
            return _PlainPool(address, target.port, maxsize=4, retries=False)
        if self._context is None:
            self._context = tls_context(self._ca_file)
        return _TlsPool(
            address,
            target.port,
            maxsize=4,
            retries=False,
            ssl_context=self._context,
            server_hostname=target.host,
        )


def tls_context(ca_file: str = "") -> ssl.SSLContext:
    """Verification against the system's authorities and, if given, those in ``ca_file``."""
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if ca_file:
        context.load_verify_locations(ca_file)
    return context
