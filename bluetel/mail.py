"""Sending mail: Django's SMTP, trusting the site's own certificate authority as well."""

from __future__ import annotations

import ssl
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
