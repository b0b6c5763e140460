"""Django's mail settings out of ``BLUETEL_EMAIL_URL``.

``smtps://USER:PASSWORD@HOST:465`` speaks TLS from the start, ``smtp://USER:PASSWORD@HOST:587`` by
STARTTLS, which must succeed; to loopback alone ``smtp://`` is plain. ``?from=ADDRESS`` names the
sender.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from email.utils import parseaddr
from urllib.parse import parse_qs, unquote, urlsplit

from bluetel.env import SettingsError

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """How mail is sent; without a ``host`` none is."""

    host: str = ""
    port: int = 25
    user: str = ""
    password: str = field(default="", repr=False)
    is_implicit: bool = False
    is_starttls: bool = False
    sender: str = ""

    @property
    def backend(self) -> str:
        """The dotted path that Django wants."""
        if not self.host:
            return "django.core.mail.backends.dummy.EmailBackend"
        return "bluetel.mail.SmtpBackend"


def mail_settings(url: str, *, public_host: str) -> Mail:
    """What ``url`` says; raises ``SettingsError``."""
    sender = f"voicemail@{public_host}"
    if not url:
        return Mail(sender=sender)
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise SettingsError("BLUETEL_EMAIL_URL: can't be read") from None
    if parts.scheme not in {"smtp", "smtps"} or not parts.hostname:
        raise SettingsError("BLUETEL_EMAIL_URL: must be smtps://HOST or smtp://HOST")
    is_implicit = parts.scheme == "smtps"
    sender = parse_qs(parts.query).get("from", [sender])[0]
    if "@" not in parseaddr(sender)[1]:
        raise SettingsError("BLUETEL_EMAIL_URL: from= must be an address")
    return Mail(
        host=parts.hostname,
        port=port or (465 if is_implicit else 587),
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        is_implicit=is_implicit,
        is_starttls=not is_implicit and parts.hostname not in LOOPBACK,
        sender=sender,
    )
