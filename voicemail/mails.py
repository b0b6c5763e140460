"""What a mail of a PBX says about a voice message; pure, for any bytes whatever.

The marks are Asterisk's (``reference/wazo.md`` §6, app_voicemail.c ``make_email_file``):
``X-Asterisk-CallerID`` and ``…Name``, each only where there is something to say, a ``Message-ID``
of ``<Asterisk-{number}-{random}-{box}-{process}@host>``, and the recording as an audio part. All
of it is a claim: anybody can send such a mail. :func:`is_proven` tells whose claims are believed.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.header import decode_header
from email.message import Message
from email.parser import BytesHeaderParser
from email.policy import compat32
from email.utils import parseaddr, parsedate_to_datetime

_ASTERISK_ID = re.compile(r"<Asterisk-(\d+)-\d+-([^@>]*)-\d+@")
_INSIDE = re.compile(r"<([^<>]*)>")
_CONTROL = re.compile(r"[\x00-\x1f\x7f\u2028\u2029\u202a-\u202e\u2066-\u2069]+")
_RESULT = re.compile(r"\b(dkim|spf|dmarc)\s*=\s*pass\b([^;]*)", re.IGNORECASE)
_DOMAIN = re.compile(r"(?:header\.(?:d|from|i)|smtp\.mailfrom)\s*=\s*\"?([^\s;\"]+)", re.IGNORECASE)

BYTES_A_SECOND = 16_000
"""Of Asterisk's ``wav``: 8000 samples of 16 bits."""


@dataclass(frozen=True, slots=True)
class AudioPart:
    """Where a mail's recording is: ``section`` as IMAP numbers it, ``size`` encoded."""

    section: str
    media_type: str
    encoding: str
    size: int

    @property
    def seconds(self) -> int:
        """How long it seems, from its size; 0 where that says nothing."""
        if self.media_type not in {"audio/x-wav", "audio/wav"}:
            return 0
        # Lines of 76 characters carry 57 bytes.
        size = self.size * 57 // 78 if self.encoding == "base64" else self.size
        return max(0, round((size - 44) / BYTES_A_SECOND))


@dataclass(frozen=True, slots=True, kw_only=True)
class MailFacts:
    """The headers that matter; ``serial`` is the message's number in its box, if it is told.

    ``passed`` are (authserv-id, domain) pairs of the topmost ``Authentication-Results`` header.
    """

    message_id: str
    sender: str
    has_caller: bool
    is_asterisk: bool
    number: str
    name: str
    box: str
    serial: int
    sent_at: datetime | None
    passed: Sequence[tuple[str, str]]


def read_headers(head: bytes) -> MailFacts:
    """The facts in a mail's header block; what can't be read is empty."""
    message = BytesHeaderParser(policy=compat32).parsebytes(head)
    message_id = _text(message, "Message-ID")[:500]
    asterisk = _ASTERISK_ID.match(message_id)
    caller = _text(message, "X-Asterisk-CallerID")
    inside = _INSIDE.search(caller)
    return MailFacts(
        message_id=message_id,
        sender=parseaddr(_text(message, "From"))[1].lower()[:320],
        has_caller="X-Asterisk-CallerID" in message,
        is_asterisk=message_id.startswith("<Asterisk-"),
        number=(inside[1] if inside else caller)[:64],
        name=_text(message, "X-Asterisk-CallerIDName")[:200],
        box=asterisk[2][:64] if asterisk else "",
        serial=int(asterisk[1][:9]) if asterisk else 0,
        sent_at=_time(_text(message, "Date")),
        passed=tuple(_passed(message)),
    )


def is_voicemail(facts: MailFacts, audio: AudioPart | None) -> bool:
    """Whether a mail brings a voice message: by its caller and sound, or by Asterisk's own id."""
    return facts.is_asterisk or (facts.has_caller and audio is not None)


def is_proven(facts: MailFacts, *, senders: Collection[str]) -> bool:
    """Whether the mail's number may be believed, by what the administrator named.

    ``senders`` are addresses and ``@domains`` that may send such mails, and authserv-ids: names
    without ``@``. Where there is one of those, the house's own mail server must also have found
    that the mail is of its sender's domain (RFC 8601).
    """
    address = facts.sender
    domain = address.rpartition("@")[2]
    named = {sender.lower() for sender in senders}
    if not domain or not ({address, f"@{domain}"} & named):
        return False
    servers = {sender for sender in named if "@" not in sender}
    return not servers or any(
        server in servers and (domain == by or domain.endswith(f".{by}"))
        for server, by in facts.passed
    )


def audio_of(structure: object) -> AudioPart | None:
    """The first audio part of a ``BODYSTRUCTURE`` (RFC 3501 §7.4.2), as IMAPClient parses it."""
    for section, part in _parts(structure, ""):
        kind, sub = _word(part[0]), _word(part[1])
        if kind == "audio" or (kind == "application" and _name_of(part).endswith((".wav", ".mp3"))):
            size = part[6] if len(part) > 6 and isinstance(part[6], int) else 0
            return AudioPart(section, f"{kind}/{sub}", _word(part[5]), size)
    return None


def _parts(structure: object, prefix: str) -> Iterator[tuple[str, Sequence[object]]]:
    if not isinstance(structure, tuple) or not structure or prefix.count(".") > 8:
        return
    if isinstance(structure[0], list):
        for number, part in enumerate(structure[0], 1):
            yield from _parts(part, f"{prefix}.{number}" if prefix else str(number))
    elif len(structure) > 5:
        yield prefix or "1", structure


def _name_of(part: Sequence[object]) -> str:
    parameters = part[2]
    if not isinstance(parameters, tuple):
        return ""
    words = [_word(one) for one in parameters]
    return dict(zip(words[::2], words[1::2], strict=False)).get("name", "")


def _word(value: object) -> str:
    return value.decode("ascii", "replace").lower() if isinstance(value, bytes) else ""


def _text(message: Message, name: str) -> str:
    """A header as people read it: decoded, on one line, without what turns text around."""
    # Raw, for a header object has lost the bytes that are no ASCII.
    raw = (value for key, value in message.raw_items() if key.lower() == name.lower())
    whole = str(next(raw, ""))
    with contextlib.suppress(ValueError, LookupError):
        whole = "".join(
            part if isinstance(part, str) else _decoded(part, charset)
            for part, charset in decode_header(whole)
        )
    plain = _decoded(whole.encode("utf-8", "surrogateescape"), None)
    return " ".join(_CONTROL.sub(" ", plain).split())


def _decoded(data: bytes, charset: str | None) -> str:
    for candidate in (charset, "utf-8"):
        try:
            return data.decode(candidate) if candidate else data.decode()
        except (LookupError, UnicodeDecodeError):
            continue
    return data.decode("latin-1")


def _time(text: str) -> datetime | None:
    try:
        time = parsedate_to_datetime(text)
        return (time if time.tzinfo else time.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, TypeError, OverflowError, IndexError):
        return None


def _passed(message: Message) -> Iterator[tuple[str, str]]:
    results = _text(message, "Authentication-Results")
    server, _, rest = results.partition(";")
    words = server.split()
    if not words:
        return
    for found in _RESULT.finditer(rest):
        for domain in _DOMAIN.findall(found[2]):
            yield words[0].lower(), domain.rpartition("@")[2].lower()
