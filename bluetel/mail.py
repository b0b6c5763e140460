"""Sending mail: Django's SMTP, trusting the site's own certificate authority as well."""

from __future__ import annotations

import hashlib
import ssl
from email.utils import parseaddr
from functools import cached_property

from django.conf import settings
from django.core.mail.backends.smtp import EmailBackend


class SmtpBackend(EmailBackend):
    """Verifies the server's certificate; nothing can switch that off."""

    @cached_property
    def ssl_context(self) -> ssl.SSLContext:
        """The system's trust and ``BLUETEL_CA_FILE``."""
        context = ssl.create_default_context()
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if settings.CA_FILE:
            context.load_verify_locations(settings.CA_FILE)
        return context


def message_id(kind: str, of: str) -> str:
    """The ``Message-ID`` of a mail about something: the same at every attempt, and no other's."""
    seed = f"{settings.SECRET_KEY}/{kind}/{of}"
    domain = parseaddr(settings.DEFAULT_FROM_EMAIL)[1].rpartition("@")[2]
    return f"<{kind}-{hashlib.sha256(seed.encode()).hexdigest()[:32]}@{domain}>"


def headers_of_a_machine(message_id: str) -> dict[str, str]:
    """The headers of a mail that nobody wrote and nobody's absence note is to answer (RFC 3834)."""
    return {
        "Message-ID": message_id,
        "Auto-Submitted": "auto-generated",
        "X-Auto-Response-Suppress": "All",
    }
