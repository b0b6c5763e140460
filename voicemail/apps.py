"""The voicemail app."""

from __future__ import annotations

from django.apps import AppConfig


class VoicemailConfig(AppConfig):
    """Shows voice messages wherever they lie, and calls their callers back."""

    name = "voicemail"

    def ready(self) -> None:
        """Notice who signs in."""
        from voicemail import signals  # noqa: PLC0415 — models exist from here on

        signals.connect()
