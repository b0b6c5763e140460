"""The voicemail app."""

from __future__ import annotations

from django.apps import AppConfig


class VoicemailConfig(AppConfig):
    """Shows voice messages wherever they lie, and calls their callers back."""

    name = "voicemail"
