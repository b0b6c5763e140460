"""Where calls go: calendars, claims, forwards."""

from __future__ import annotations

from django.apps import AppConfig


class ForwardingConfig(AppConfig):
    """The forwarding app."""

    name = "forwarding"

    def ready(self) -> None:
        """Listen to statuses, and say when meetings end."""
        from forwarding import handlers, services  # noqa: F401, PLC0415 — models must be loaded first
        from presence import blocks  # noqa: PLC0415

        blocks.register(services.block_end)
