"""Who is available, live."""

from __future__ import annotations

from django.apps import AppConfig


class PresenceConfig(AppConfig):
    """The presence app."""

    name = "presence"

    def ready(self) -> None:
        """Listen to what concerns open pages."""
        from presence import handlers  # noqa: F401, PLC0415 — models must be loaded first
