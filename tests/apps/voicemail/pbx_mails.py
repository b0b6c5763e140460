"""Mails as an Asterisk writes them, and as others would like them to look."""

from __future__ import annotations

import base64
import itertools
from datetime import UTC, datetime
from email.utils import format_datetime

from bluetel.telephony.simulator.sound import tone

_numbers = itertools.count(1)
BOUNDARY = "----voicemail_11001-1799213"


def pbx_mail(
    number: str | None = "0199004217",
    name: str | bytes | None = None,
    *,
    at: datetime | None = None,
    seconds: float = 3,
    box: str = "1001",
    sender: str = "wazo@pbx.test",
    audio: bytes | None = None,
    serial: int | None = None,
    headers: str = "",
    message_id: str | None = None,
) -> bytes:
    """One mail with a recording (reference/wazo.md §6: app_voicemail.c, branch 22)."""
    serial = next(_numbers) if serial is None else serial
    sound = tone(seconds=seconds, hertz=440) if audio is None else audio
    head = [
        headers.encode(),
        b"Date: " + format_datetime(at or datetime.now(UTC)).encode(),
        f'From: "Wazo PBX" <{sender}>'.encode(),
        b'To: "Camille Renard" <camille@house.test>',
        b"Subject: Messagerie Wazo",
        (message_id or f"Message-ID: <Asterisk-{serial}-848162-{box}-4711@pbx.test>").encode(),
    ]
    if number is not None:
        head.append(f"X-Asterisk-CallerID: {number}".encode())
    if name is not None:
        value = name if isinstance(name, bytes) else name.encode()
        head.append(b"X-Asterisk-CallerIDName: " + value)
    head += [
        b"MIME-Version: 1.0",
        f'Content-Type: multipart/mixed; boundary="{BOUNDARY}"'.encode(),
    ]
    body = [
        b"",
        f"--{BOUNDARY}".encode(),
        b"Content-Type: text/plain; charset=UTF-8",
        b"Content-Transfer-Encoding: 8bit",
        b"",
        "Vous avez reçu un message d'une durée de 0:03.".encode(),
        f"--{BOUNDARY}".encode(),
        b'Content-Type: audio/x-wav; name="msg0000.wav"',
        b"Content-Transfer-Encoding: base64",
        b"Content-Description: Voicemail sound attachment.",
        b'Content-Disposition: attachment; filename="msg0000.wav"',
        b"",
        base64.encodebytes(sound).replace(b"\n", b"\r\n").rstrip(),
        f"--{BOUNDARY}--".encode(),
        b"",
    ]
    return b"\r\n".join([line for line in head if line] + body)
