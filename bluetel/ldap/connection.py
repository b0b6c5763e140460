"""One connection to one LDAP server; the only module that knows ldap3.

ldap3 is used below its conveniences, because three of them fail us (version 2.9.1):

- its receive time-out starts anew with each packet, so a server that drips can hold a thread for
  as long as it likes: :class:`TimedSocket` holds each operation to one deadline;
- it checks host names with ``ssl.match_hostname``, deprecated and gone from Python 3.12:
  :class:`_VerifiedTls` leaves that to the TLS library, with SNI;
- a ``Server`` object remembers the address of the connection opened last, so sharing one between
  threads mixes them up: each connection has its own.
"""

from __future__ import annotations

import hashlib
import math
import socket
import ssl
import struct
import warnings
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Literal, TypedDict

from bluetel.ldap.attributes import Schema
from bluetel.ldap.config import LdapConfig, LdapServer, Security
from bluetel.ldap.entries import Answer, Entry, Root
from bluetel.ldap.errors import (
    DirectoryRefused,
    DirectoryUnavailable,
    EntryMissing,
    LdapSettingsError,
    Reason,
)
from bluetel.ldap.timed_socket import TimedSocket

with warnings.catch_warnings():
    # ldap3 2.9.1, the last release, imports names that pyasn1 0.6 warns about.
    warnings.simplefilter("ignore", DeprecationWarning)
    import ldap3
    from ldap3.core.exceptions import LDAPException
    from pyasn1.error import PyAsn1Error

if TYPE_CHECKING:
    from types import TracebackType

Scope = Literal["BASE", "LEVEL", "SUBTREE"]

_ACTIVE_DIRECTORY = b"1.2.840.113556.1.4.800"
_ADDRESSES_TRIED = 4
_PAGED_RESULTS = "1.2.840.113556.1.4.319"
_ROOT_ATTRIBUTES = (
    "supportedCapabilities",
    "defaultNamingContext",
    "namingContexts",
    "highestCommittedUSN",
    "dsServiceName",
)

# RFC 4511 §4.1.9.
_SUCCESS, _OPERATIONS_ERROR = 0, 1
_CUT_SHORT = {3, 4, 11}  # time, size and administrative limit: what came is good
_NO_SUCH_OBJECT = 32
_NOT_NOW = {51, 52, 80}  # busy, unavailable, other
# A refused bind: rights, wrong or locked credentials, policy. All are one "no" to who asks.
_REFUSED_BIND = {8, 19, 34, 48, 49, 50, 53}

# ldap3 and pyasn1 decode what a server sends without checking it first.
_TRANSPORT_ERRORS = (
    LDAPException,
    PyAsn1Error,
    OSError,
    ValueError,
    IndexError,
    KeyError,
    TypeError,
    struct.error,
)


def tls_context(config: LdapConfig) -> ssl.SSLContext:
    """Certificates are checked against the administrator's CA, else against the system's."""
    try:
        context = ssl.create_default_context(cafile=config.ca_file or None)
    except OSError as error:
        raise LdapSettingsError(f"the LDAP CA file can't be used: {error.strerror}") from None
    context.minimum_version = ssl.TLSVersion.TLSv1_2  # some systems' default is older
    return context


class _Response(TypedDict):
    """What ldap3 makes of one entry of an answer."""

    dn: str
    raw_attributes: dict[str, list[bytes]]


class Connection:
    """An open, bound connection; for one thread at a time."""

    def __init__(self, server: LdapServer, raw: ldap3.Connection, timed: TimedSocket) -> None:
        self.server = server
        self._raw = raw
        self._timed = timed

    @classmethod
    def open(
        cls,
        server: LdapServer,
        *,
        config: LdapConfig,
        context: ssl.SSLContext,
        user: str,
        password: str,
    ) -> Connection:
        """Connect and bind; without ``user`` as nobody.

        Raises :class:`DirectoryRefused` with ``Reason.CREDENTIALS`` when the bind is refused, and
        :class:`DirectoryUnavailable`.
        """
        failure = DirectoryUnavailable(f"{server} has no address")
        for address in _addresses(server):
            try:
                raw, timed = _connect(
                    address, server, config=config, context=context, user=user, password=password
                )
            except DirectoryUnavailable as error:
                failure = error
                continue
            break
        else:
            raise failure
        connection = cls(server, raw, timed)
        code = raw.result["result"]
        if code != _SUCCESS:
            connection.close()
            if code in _REFUSED_BIND:
                raise DirectoryRefused(
                    f"{server} refused the bind (result {code})", reason=Reason.CREDENTIALS
                )
            raise DirectoryUnavailable(f"{server} can't bind now (result {code})")
        return connection

    def search(
        self,
        base: str,
        *,
        filter_text: str,
        attributes: Sequence[str],
        timeout: float,
        scope: Scope = "SUBTREE",
        limit: int = 0,
    ) -> Answer:
        """One search, answered within ``timeout`` seconds, with at most ``limit`` entries."""
        answer, _ = self._search(
            base,
            filter_text=filter_text,
            attributes=attributes,
            timeout=timeout,
            scope=scope,
            limit=limit,
        )
        return answer

    def pages(
        self,
        base: str,
        *,
        filter_text: str,
        attributes: Sequence[str],
        timeout: float,
        page_size: int,
    ) -> Iterator[Answer]:
        """Everything below ``base`` in pages (RFC 2696), each answered within ``timeout``.

        The last page has ``complete=False`` when the server has more and won't give it (OpenLDAP's
        ``sizelimit`` counts over all pages).
        """
        cookie: bytes | None = None
        while True:
            answer, cookie = self._search(
                base,
                filter_text=filter_text,
                attributes=attributes,
                timeout=timeout,
                page_size=page_size,
                cookie=cookie,
            )
            yield answer
            if not cookie or not answer.complete:
                return

    def root(self, *, timeout: float) -> Root:
        """Read what the server says about itself; a server that won't say is taken as OpenLDAP."""
        try:
            answer = self.search(
                "",
                filter_text="(objectClass=*)",
                attributes=_ROOT_ATTRIBUTES,
                timeout=timeout,
                scope="BASE",
            )
        except DirectoryRefused:
            answer = Answer(())
        entry = answer.entries[0] if answer.entries else Entry("", {})
        usn = entry.text("highestCommittedUSN")
        service = entry.text("dsServiceName")
        is_ad = _ACTIVE_DIRECTORY in entry.raw("supportedCapabilities")
        return Root(
            schema=Schema.ACTIVE_DIRECTORY if is_ad else Schema.OPENLDAP,
            base=entry.text("defaultNamingContext", "namingContexts"),
            highest_usn=int(usn) if usn.isdecimal() else None,
            authority=self._authority(service, timeout=timeout) if service else "",
        )

    def close(self) -> None:
        """Say goodbye if that is still possible, and free the socket."""
        try:
            self._timed.allow(0.2)
            self._raw.unbind()
        except _TRANSPORT_ERRORS:
            _drop(self._raw)

    def __enter__(self) -> Connection:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _authority(self, service: str, *, timeout: float) -> str:
        # A controller restored from a backup counts on from an old number, under a new
        # invocationId: what we remember of it must not be trusted then.
        try:
            answer = self.search(
                service,
                filter_text="(objectClass=*)",
                attributes=("invocationId",),
                timeout=timeout,
                scope="BASE",
            )
        except DirectoryRefused:
            answer = Answer(())
        invocation = b"".join(raw for entry in answer.entries for raw in entry.raw("invocationId"))
        return hashlib.sha256(service.encode() + b"#" + invocation).hexdigest()[:16]

    def _search(
        self,
        base: str,
        *,
        filter_text: str,
        attributes: Sequence[str],
        timeout: float,
        scope: Scope = "SUBTREE",
        limit: int = 0,
        page_size: int | None = None,
        cookie: bytes | None = None,
    ) -> tuple[Answer, bytes | None]:
        self._timed.allow(timeout)
        try:
            self._raw.search(
                base,
                filter_text,
                search_scope=scope,
                dereference_aliases="NEVER",
                attributes=list(attributes),
                size_limit=limit,
                time_limit=math.ceil(timeout),
                paged_size=page_size,
                paged_cookie=cookie,
            )
        except _TRANSPORT_ERRORS as error:
            _drop(self._raw)
            raise _unavailable(self.server, error, None) from None
        result = self._raw.result
        entries = tuple(
            _entry(response)
            for response in self._raw.response or ()
            if response["type"] == "searchResEntry"
        )
        paging = (result.get("controls") or {}).get(_PAGED_RESULTS)
        next_cookie = paging["value"]["cookie"] if paging else None
        self._check(result["result"])
        return Answer(entries, complete=result["result"] not in _CUT_SHORT), next_cookie or None

    def _check(self, code: int) -> None:
        if code == _SUCCESS or code in _CUT_SHORT:
            return
        if code == _NO_SUCH_OBJECT:
            raise EntryMissing(f"{self.server} has no such entry")
        if code in _NOT_NOW:
            raise DirectoryUnavailable(f"{self.server} can't answer now (result {code})")
        if code == _OPERATIONS_ERROR:
            # Active Directory's way to say that nobody may search before a bind.
            raise DirectoryRefused(
                f"{self.server} refused the search (result {code})", reason=Reason.CREDENTIALS
            )
        raise DirectoryRefused(f"{self.server} refused the search (result {code})")


class _VerifiedTls(ldap3.Tls):
    """TLS with the certificate and the host name checked by the TLS library.

    ``refusal`` keeps the certificate error, which ldap3 turns into text.
    """

    def __init__(self, context: ssl.SSLContext, *, host: str, timeout: float) -> None:
        super().__init__(validate=ssl.CERT_REQUIRED)
        self._context = context
        self._host = host
        self._timeout = timeout
        self.refusal: ssl.SSLCertVerificationError | None = None

    def wrap_socket(self, connection: ldap3.Connection, do_handshake: bool = True) -> None:  # noqa: FBT001, FBT002 — ldap3's signature
        """Replace the connection's socket by an encrypted one; raises what the handshake does."""
        current = connection.socket
        raw = current.raw if isinstance(current, TimedSocket) else current
        raw.settimeout(self._timeout)
        try:
            wrapped = self._context.wrap_socket(
                raw, server_hostname=self._host, do_handshake_on_connect=do_handshake
            )
        except ssl.SSLCertVerificationError as error:
            self.refusal = error
            raise
        connection.socket = TimedSocket(wrapped)


def _addresses(server: LdapServer) -> tuple[str, ...]:
    """The server's addresses in the system's order, a few at most; none when it has no name.

    ldap3 would try them too, but leaves the socket of each failed one open.
    """
    try:
        found = socket.getaddrinfo(server.host, server.port, type=socket.SOCK_STREAM)
    except OSError:
        return ()
    return tuple(dict.fromkeys(str(address[0]) for *_, address in found))[:_ADDRESSES_TRIED]


def _connect(
    address: str,
    server: LdapServer,
    *,
    config: LdapConfig,
    context: ssl.SSLContext,
    user: str,
    password: str,
) -> tuple[ldap3.Connection, TimedSocket]:
    """Connect to one address, encrypt and ask to bind; the result is in the connection."""
    tls = _VerifiedTls(context, host=server.host, timeout=config.search_timeout)
    raw = ldap3.Connection(
        ldap3.Server(
            address,
            port=server.port,
            use_ssl=server.security is Security.LDAPS,
            get_info="NO_INFO",
            tls=tls,
            connect_timeout=config.connect_timeout,
        ),
        user=user or None,
        password=password or None,
        authentication="SIMPLE" if user else "ANONYMOUS",
        auto_bind="NONE",
        auto_referrals=False,
        auto_range=False,
        check_names=False,
        read_only=True,
        return_empty_attributes=False,
    )
    try:
        raw.open(read_server_info=False)
        timed = raw.socket if isinstance(raw.socket, TimedSocket) else TimedSocket(raw.socket)
        raw.socket = timed
        timed.allow(config.search_timeout)
        if server.security is Security.STARTTLS:
            raw.start_tls(read_server_info=False)
            timed = raw.socket
            if not isinstance(timed.raw, ssl.SSLSocket):
                raise ssl.SSLError("StartTLS did not encrypt")
            timed.allow(config.search_timeout)
        raw.bind(read_server_info=False)
    except _TRANSPORT_ERRORS as error:
        _drop(raw)
        raise _unavailable(server, error, tls.refusal) from None
    return raw, timed


def _entry(response: _Response) -> Entry:
    attributes: dict[str, tuple[bytes, ...]] = {}
    raw = response["raw_attributes"]
    # "cn" goes before "cn;lang-fr", so that the plain value is the first.
    for name in sorted(raw):
        plain = name.partition(";")[0].lower()
        attributes[plain] = attributes.get(plain, ()) + tuple(raw[name])
    return Entry(response["dn"], attributes)


def _unavailable(
    server: LdapServer, error: Exception, refusal: ssl.SSLCertVerificationError | None
) -> DirectoryUnavailable:
    if refusal is not None:
        return DirectoryUnavailable(
            f"the certificate of {server} is refused: {refusal.verify_message}",
            reason=Reason.CERTIFICATE,
        )
    if isinstance(error, (LDAPException, OSError)):
        if "timed out" in str(error):
            return DirectoryUnavailable(f"{server} did not answer in time", reason=Reason.TIMED_OUT)
        return DirectoryUnavailable(f"{server} can't be reached")
    return DirectoryUnavailable(
        f"{server} answered what can't be read ({type(error).__name__})", reason=Reason.UNREADABLE
    )


def _drop(raw: ldap3.Connection) -> None:
    """Free the socket whatever state ldap3 is in."""
    if raw.socket is not None:
        raw.socket.close()
    raw.socket = None
    raw.closed = True
    raw.listening = False
