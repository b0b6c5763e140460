"""A mailbox over IMAP (RFC 9051, RFC 3501): one connection, blocking, to a checked address.

Certificates are always verified. Without encryption nobody is spoken to but this machine itself,
and only if the administrator named it (``BLUETEL_FETCH_ALLOW``). What fails is a
:class:`MailboxFailed` with the word for it; neither passwords nor mails are in its text.
"""

from __future__ import annotations

import base64
import binascii
import imaplib
import socket
import ssl
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from imapclient import IMAPClient, SocketTimeout
from imapclient.exceptions import CapabilityError, IMAPClientError, LoginError
from imapclient.imap4 import IMAP4WithTimeout
from imapclient.tls import IMAP4_TLS, wrap_socket

from bluetel.fetch.errors import AddressRefused, FetchError
from voicemail.mails import AudioPart, audio_of
from voicemail.models import Mailbox

if TYPE_CHECKING:
    from bluetel.fetch.door import CheckedHost, Door
    from bluetel.telephony.ports import Taker

TIMEOUT = SocketTimeout(5, 30)
PORTS = (143, 993)
LOOKED_BACK = timedelta(days=31)
HEAD_BYTES = 64 * 1024
AT_ONCE = 100
MOST_MAILS = 1000
PIECE = 256 * 1024
MOST_AUDIO = 200 * 1024 * 1024
SEEN = b"\\Seen"


class MailboxFailed(Exception):
    """The mailbox can't be used; ``why`` is for its row."""

    def __init__(self, why: Mailbox.Error, text: str = "") -> None:
        super().__init__(text or why.value)
        self.why = why


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundMail:
    """A mail that may be about a voice message, not yet read closely."""

    uid: int
    head: bytes
    audio: AudioPart | None
    seen: bool
    arrived_at: datetime


class _Pinned:
    """Connects to checked addresses, whatever the name says by now."""

    addresses: Sequence[str]
    port: int

    def connect(self, timeout: float | None) -> socket.socket:
        error: OSError = OSError("no address")
        for address in self.addresses:
            try:
                return socket.create_connection((address, self.port), timeout)
            except OSError as failed:
                error = failed
        raise error


class _PlainDoor(_Pinned, IMAP4WithTimeout):
    def __init__(self, host: CheckedHost, timeout: float) -> None:
        self.addresses = host.addresses
        super().__init__(host.name, host.port, timeout)

    def _create_socket(self, timeout: float | None = None) -> socket.socket:
        return self.connect(TIMEOUT.connect)


class _TlsDoor(_Pinned, IMAP4_TLS):
    def __init__(self, host: CheckedHost, context: ssl.SSLContext, timeout: float) -> None:
        self.addresses = host.addresses
        super().__init__(host.name, host.port, context, timeout)

    def _create_socket(self, timeout: float | None = None) -> socket.socket:
        plain = self.connect(TIMEOUT.connect)
        secure: socket.socket = wrap_socket(plain, self.ssl_context, self.host)
        return secure


class _Client(IMAPClient):
    def __init__(self, host: CheckedHost, *, tls: bool, context: ssl.SSLContext) -> None:
        self._checked = host
        super().__init__(host.name, host.port, ssl=tls, ssl_context=context, timeout=TIMEOUT)

    def _create_IMAP4(self) -> imaplib.IMAP4:  # noqa: N802 — the library's name
        if self.ssl:
            return _TlsDoor(self._checked, self.ssl_context, TIMEOUT.connect)
        return _PlainDoor(self._checked, TIMEOUT.connect)


@contextmanager
def opened(
    mailbox: Mailbox, *, door: Door, ca_file: str, secret: Callable[[], str], readonly: bool = False
) -> Iterator[Account]:
    """A signed-in connection with the mailbox's folder open. Raises ``MailboxFailed``.

    ``secret`` gives the password or access token when it is needed.
    """
    with _failures():
        client = _connected(mailbox, door, ca_file)
        try:
            _sign_in(client, mailbox, secret())
            try:
                state = client.select_folder(mailbox.folder, readonly=readonly)
            except IMAPClientError as error:
                if isinstance(error, IMAPClient.AbortError):
                    raise
                raise MailboxFailed(Mailbox.Error.FOLDER) from None
            yield Account(client, uid_validity=int(state.get(b"UIDVALIDITY", 0)))
        finally:
            _leave(client)


def _connected(mailbox: Mailbox, door: Door, ca_file: str) -> IMAPClient:
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if ca_file:
        context.load_verify_locations(ca_file)
    is_implicit = mailbox.tls == Mailbox.Tls.IMPLICIT
    host = door.host(mailbox.host, mailbox.port, ports=PORTS)
    client = _Client(host, tls=is_implicit, context=context)
    if not is_implicit:
        if client.has_capability("STARTTLS"):
            client.starttls(context)
        else:
            # Raises unless this is loopback and named by the administrator.
            door.host(mailbox.host, mailbox.port, ports=PORTS, plain=True)
    return client


def _sign_in(client: IMAPClient, mailbox: Mailbox, secret: str) -> None:
    try:
        if mailbox.is_token:
            client.oauth2_login(mailbox.username, secret)
        else:
            client.login(mailbox.username, secret)
    except (LoginError, CapabilityError) as error:
        if isinstance(error.__context__, IMAPClient.AbortError):
            raise error.__context__ from None  # the connection broke, the password may be right
        raise MailboxFailed(Mailbox.Error.SIGN_IN) from None


def _leave(client: IMAPClient) -> None:
    try:
        client.logout()
    except (IMAPClientError, OSError):
        client.shutdown()


@contextmanager
def _failures() -> Iterator[None]:
    try:
        yield
    except AddressRefused:
        raise MailboxFailed(Mailbox.Error.REFUSED) from None
    except ssl.SSLError as error:
        raise MailboxFailed(Mailbox.Error.CERTIFICATE, error.reason or "TLS") from None
    except (FetchError, OSError) as error:
        raise MailboxFailed(Mailbox.Error.UNREACHABLE, type(error).__name__) from None
    except IMAPClient.AbortError:
        raise MailboxFailed(Mailbox.Error.UNREACHABLE, "the connection broke") from None
    except IMAPClientError:
        raise MailboxFailed(Mailbox.Error.FAILED, "the server said no") from None
    except (ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
        # A server may answer anything; the library then stumbles.
        raise MailboxFailed(Mailbox.Error.FAILED, f"unreadable: {type(error).__name__}") from None


class Account:
    """An open folder; every method may raise what :func:`opened` turns into ``MailboxFailed``."""

    def __init__(self, client: IMAPClient, *, uid_validity: int) -> None:
        self._client = client
        self.uid_validity = uid_validity

    # --- Reading ----------------------------------------------------------------------------

    def new_mails(self, *, after: int, now: datetime) -> tuple[list[FoundMail], int]:
        """Mails with a greater UID than ``after`` that bear a PBX's marks, and the greatest UID.

        The server looks for the marks, so that a large inbox costs nothing.
        """
        since = (now - LOOKED_BACK).date()
        marks = [["HEADER", "X-Asterisk-CallerID", ""], ["HEADER", "Message-ID", "<Asterisk-"]]
        criteria: list[Any] = ["UID", f"{after + 1}:*", "SINCE", since, "OR", *marks]
        uids = sorted(uid for uid in self._client.search(criteria) if uid > after)[-MOST_MAILS:]
        newest = max(uids, default=after)
        found = []
        for start in range(0, len(uids), AT_ONCE):
            answer = self._client.fetch(
                uids[start : start + AT_ONCE],
                [f"BODY.PEEK[HEADER]<0.{HEAD_BYTES}>", "BODYSTRUCTURE", "FLAGS", "INTERNALDATE"],
            )
            found += [_mail(uid, data) for uid, data in answer.items()]
        return sorted(found, key=lambda mail: mail.uid), newest

    def seen(self, uids: Sequence[int]) -> dict[int, bool]:
        """Which of these mails are still here, and whether they were read."""
        found: dict[int, bool] = {}
        for start in range(0, len(uids), MOST_MAILS):
            answer = self._client.fetch(uids[start : start + MOST_MAILS], ["FLAGS"])
            found |= {uid: SEEN in data.get(b"FLAGS", ()) for uid, data in answer.items()}
        return found

    def copy_audio(self, uid: int, section: str, encoding: str, into: Taker) -> None:
        """Hand over a mail's recording, decoded, piece by piece."""
        decode = _Base64() if encoding == "base64" else None
        start = 0
        while start < MOST_AUDIO:
            answer = self._client.fetch([uid], [f"BODY.PEEK[{section}]<{start}.{PIECE}>"])
            data = answer.get(uid, {}).get(f"BODY[{section}]<{start}>".encode())
            if not data:
                break
            start += len(data)
            into(decode.more(data) if decode else data)
            if len(data) < PIECE:
                break

    # --- Changing ---------------------------------------------------------------------------

    def set_seen(self, uid: int, *, seen: bool) -> None:
        """Mark a mail read or unread."""
        change = self._client.add_flags if seen else self._client.remove_flags
        change([uid], [SEEN], silent=True)

    def delete(self, uid: int) -> None:
        """Move a mail to the trash, or delete just this one where there is none."""
        trash = self._client.find_special_folder(b"\\Trash")
        if trash and self._client.has_capability("MOVE"):
            self._client.move([uid], trash)
            return
        self._client.delete_messages([uid], silent=True)
        if self._client.has_capability("UIDPLUS"):
            self._client.uid_expunge([uid])

    # --- Waiting ----------------------------------------------------------------------------

    @property
    def can_idle(self) -> bool:
        """Whether the server tells of new mails by itself (RFC 2177)."""
        return bool(self._client.has_capability("IDLE"))

    def wait(self, *, seconds: float, tick: float, is_wanted: Callable[[], bool]) -> None:
        """Wait until the server says something, ``is_wanted`` says so, or the time is up."""
        self._client.idle()
        try:
            waited = 0.0
            while waited < seconds and not is_wanted():
                began = datetime.now(UTC)
                if self._client.idle_check(timeout=tick):
                    break
                took = (datetime.now(UTC) - began).total_seconds()
                if took < tick / 2:
                    break  # the connection is at its end: leaving IDLE says so
                waited += took
        finally:
            self._client.idle_done()

    def is_alive(self) -> None:
        """Find out that the connection is gone, by raising."""
        self._client.noop()


class _Base64:
    """Decodes as it comes, whatever lies between the letters."""

    _LETTERS = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=")
    _OTHERS = bytes(set(range(256)) - _LETTERS)

    def __init__(self) -> None:
        self._rest = b""

    def more(self, data: bytes) -> bytes:
        """What ``data`` and what was left before it decode to."""
        letters = self._rest + data.translate(None, self._OTHERS)
        whole = len(letters) - len(letters) % 4
        self._rest = letters[whole:]
        try:
            return base64.b64decode(letters[:whole])
        except binascii.Error:
            return b""


def _mail(uid: int, data: Mapping[bytes, Any]) -> FoundMail:
    head = data.get(b"BODY[HEADER]<0>", data.get(b"BODY[HEADER]", b""))
    arrived = data.get(b"INTERNALDATE")
    if not isinstance(arrived, datetime):
        arrived = datetime.now(UTC)
    return FoundMail(
        uid=uid,
        head=head,
        audio=audio_of(data.get(b"BODYSTRUCTURE")),
        seen=SEEN in data.get(b"FLAGS", ()),
        arrived_at=arrived if arrived.tzinfo else arrived.astimezone(UTC),
    )
