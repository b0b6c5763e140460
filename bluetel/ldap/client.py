"""The directory as one thing: several servers with failover, kept connections, and its health."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import TypeVar

from bluetel.ldap.attributes import AttributeMap, Schema, attribute_map, default_filter
from bluetel.ldap.config import LdapConfig, LdapServer
from bluetel.ldap.connection import Connection, Scope, tls_context
from bluetel.ldap.entries import Answer, Root
from bluetel.ldap.errors import (
    DirectoryBusy,
    DirectoryRefused,
    DirectoryUnavailable,
    LdapError,
    Reason,
)

logger = logging.getLogger(__name__)

T = TypeVar("T")

_IDLE_SECONDS = 60.0
_IDLE_KEPT = 4


class DirectoryState(StrEnum):
    """What was last seen of the directory; ``UNKNOWN`` before the first question."""

    UNKNOWN = "unknown"
    OK = "ok"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Health:
    """The state and since when it is so; ``reason`` only while failed."""

    state: DirectoryState = DirectoryState.UNKNOWN
    since: datetime | None = None
    reason: Reason | None = None


class Session:
    """A connection with what must be known to ask through it: schema, attributes, base, times."""

    def __init__(
        self, connection: Connection, *, config: LdapConfig, root: Root, timeout: float
    ) -> None:
        self.root = root
        self.server = connection.server
        self.schema: Schema = root.schema if config.schema is Schema.AUTO else config.schema
        self.attributes: AttributeMap = attribute_map(self.schema, config.attribute_changes)
        self.person_filter = config.person_filter or default_filter(self.schema)
        self.base = config.base or root.base
        self._connection = connection
        self._config = config
        self._timeout = timeout

    def root_now(self) -> Root:
        """What the server of this very connection says about itself now."""
        return self._connection.root(timeout=self._timeout)

    def search(
        self,
        filter_text: str,
        *,
        attributes: Sequence[str],
        base: str | None = None,
        scope: Scope = "SUBTREE",
        limit: int = 0,
    ) -> Answer:
        """Search below the configured base, or below ``base``."""
        return self._connection.search(
            self.base if base is None else base,
            filter_text=filter_text,
            attributes=attributes,
            timeout=self._timeout,
            scope=scope,
            limit=limit,
        )

    def pages(self, filter_text: str, *, attributes: Sequence[str]) -> Iterator[Answer]:
        """Everything below the base that the filter accepts, page by page."""
        return self._connection.pages(
            self.base,
            filter_text=filter_text,
            attributes=attributes,
            timeout=self._timeout,
            page_size=self._config.page_size,
        )


class LdapClient:
    """One per directory and process, for all threads.

    A server that failed is set aside for ``retry_after`` seconds; while all are, questions fail at
    once instead of waiting again. Long readings ask regardless.
    """

    def __init__(
        self,
        config: LdapConfig,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.config = config
        self._now = now
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._slots = threading.BoundedSemaphore(config.max_connections)
        self._context = tls_context(config)
        self._idle: list[tuple[float, Connection]] = []
        self._roots: dict[LdapServer, Root] = {}
        self._aside: dict[LdapServer, float] = {}
        self._health = Health()

    @property
    def health(self) -> Health:
        """What the last question showed."""
        with self._lock:
            return self._health

    def ask(self, work: Callable[[Session], T]) -> T:
        """Answer a short question within the time-outs, on the first server that can.

        ``work`` may be called again, on another server. Raises :class:`DirectoryUnavailable` when
        none can and :class:`DirectoryRefused` when one says no.
        """
        if not self._slots.acquire(timeout=self.config.search_timeout):
            raise DirectoryBusy("too many LDAP questions are under way")
        try:
            return self._watched(lambda: self._ask(work))
        finally:
            self._slots.release()

    def read(self, work: Callable[[Session], T]) -> T:
        """Do a long reading on a connection of its own, with the longer time-out.

        ``work`` is called once: when the connection breaks half-way it is the caller's to start
        again. The session's ``root`` is read anew.
        """
        return self._watched(lambda: self._read(work))

    def verify(self, dn: str, *, password: str) -> bool:
        """Whether the directory takes this password for this entry (bind as user).

        Never asks with an empty password: servers answer success to that (RFC 4513 §5.1.2).
        """
        if not dn or not password or "\0" in password:
            return False
        if not self._slots.acquire(timeout=self.config.search_timeout):
            raise DirectoryBusy("too many LDAP questions are under way")
        try:
            return self._watched(lambda: self._verify(dn, password))
        finally:
            self._slots.release()

    def close(self) -> None:
        """Close the kept connections; the client may still be used."""
        with self._lock:
            gone = [connection for _, connection in self._idle]
            self._idle.clear()
        for connection in gone:
            connection.close()

    def _ask(self, work: Callable[[Session], T]) -> T:
        kept = self._take_idle()
        failure: DirectoryUnavailable | None = None
        if kept is not None:
            try:
                return self._use(kept, work, root=self._roots[kept.server])
            except DirectoryUnavailable as error:
                # Most often the server was restarted since, and a fresh connection works. One
                # that hangs has had its time.
                self.close()
                if error.reason is Reason.TIMED_OUT:
                    failure = error
                    self._set_aside(kept.server)

        def once(server: LdapServer) -> T:
            connection = self._open(server)
            return self._use(connection, work, root=self._root(connection))

        return self._on_first(once, patient=False, failure=failure)

    def _use(self, connection: Connection, work: Callable[[Session], T], *, root: Root) -> T:
        timeout = self.config.search_timeout
        session = Session(connection, config=self.config, root=root, timeout=timeout)
        try:
            answer = work(session)
        except DirectoryRefused:
            self._keep(connection)
            raise
        except BaseException:
            connection.close()
            raise
        self._keep(connection)
        return answer

    def _read(self, work: Callable[[Session], T]) -> T:
        timeout = self.config.sync_timeout

        def once(server: LdapServer) -> tuple[Connection, Root]:
            connection = self._open(server)
            try:
                return connection, connection.root(timeout=timeout)
            except LdapError:
                connection.close()
                raise

        connection, root = self._on_first(once, patient=True)
        with connection:
            return work(Session(connection, config=self.config, root=root, timeout=timeout))

    def _verify(self, dn: str, password: str) -> bool:
        def once(server: LdapServer) -> bool:
            try:
                self._open(server, user=dn, password=password).close()
            except DirectoryRefused:
                return False
            return True

        return self._on_first(once, patient=False)

    def _open(
        self, server: LdapServer, *, user: str | None = None, password: str = ""
    ) -> Connection:
        return Connection.open(
            server,
            config=self.config,
            context=self._context,
            user=self.config.bind_dn if user is None else user,
            password=self.config.bind_password if user is None else password,
        )

    def _root(self, connection: Connection) -> Root:
        with self._lock:
            known = self._roots.get(connection.server)
        if known is not None:
            return known
        try:
            root = connection.root(timeout=self.config.search_timeout)
        except LdapError:
            connection.close()
            raise
        with self._lock:
            self._roots[connection.server] = root
        return root

    def _on_first(
        self,
        once: Callable[[LdapServer], T],
        *,
        patient: bool,
        failure: DirectoryUnavailable | None = None,
    ) -> T:
        last = failure
        for server in self._candidates(patient=patient):
            try:
                answer = once(server)
            except DirectoryUnavailable as error:
                last = error
                self._set_aside(server)
                if len(self.config.servers) > 1:
                    logger.info("LDAP server set aside: %s", error)
                continue
            with self._lock:
                self._aside.pop(server, None)
            return answer
        if last is None:
            reason = self.health.reason or Reason.UNREACHABLE
            raise DirectoryUnavailable("no LDAP server could be reached just now", reason=reason)
        raise last

    def _candidates(self, *, patient: bool) -> list[LdapServer]:
        moment = self._monotonic()
        with self._lock:
            ready = [
                server
                for server in self.config.servers
                if patient or self._aside.get(server, moment) <= moment
            ]
            for server in ready:
                if server in self._aside:
                    # One thread tries a server that failed; the others don't queue behind it.
                    self._aside[server] = moment + self.config.retry_after
        return ready

    def _set_aside(self, server: LdapServer) -> None:
        with self._lock:
            self._aside[server] = self._monotonic() + self.config.retry_after

    def _take_idle(self) -> Connection | None:
        moment = self._monotonic()
        taken: Connection | None = None
        stale: list[Connection] = []
        with self._lock:
            while self._idle and taken is None:
                since, connection = self._idle.pop()
                if moment - since <= _IDLE_SECONDS:
                    taken = connection
                else:
                    stale.append(connection)
        for connection in stale:
            connection.close()
        return taken

    def _keep(self, connection: Connection) -> None:
        with self._lock:
            if len(self._idle) < _IDLE_KEPT:
                self._idle.append((self._monotonic(), connection))
                return
        connection.close()

    def _watched(self, work: Callable[[], T]) -> T:
        try:
            answer = work()
        except DirectoryUnavailable as error:
            self._failed(error)
            raise
        except DirectoryRefused as error:
            if error.reason is Reason.CREDENTIALS:
                self._failed(error)
            raise
        self._worked()
        return answer

    def _failed(self, error: LdapError) -> None:
        with self._lock:
            if self._health.state is DirectoryState.FAILED:
                return
            self._health = Health(DirectoryState.FAILED, self._now(), error.reason)
        logger.warning("LDAP directory lost: %s", error)

    def _worked(self) -> None:
        with self._lock:
            before = self._health.state
            if before is DirectoryState.OK:
                return
            self._health = Health(DirectoryState.OK, self._now())
        if before is DirectoryState.FAILED:
            logger.info("LDAP directory is back")


_clients_lock = threading.Lock()
_clients: list[LdapClient] = []


def client_for(config: LdapConfig) -> LdapClient:
    """This process's client of a directory: contacts and sign-in share it and its health."""
    with _clients_lock:
        for client in _clients:
            if client.config == config:
                return client
        client = LdapClient(config)
        _clients.append(client)
        return client


def close_clients() -> None:
    """Forget all clients: at the end of the process, and between tests."""
    with _clients_lock:
        gone = list(_clients)
        _clients.clear()
    for client in gone:
        client.close()
