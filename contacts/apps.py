"""The contacts app."""

from __future__ import annotations

from django.apps import AppConfig


class ContactsConfig(AppConfig):
    """Finds people and their numbers, whichever book they are in."""

    name = "contacts"

    def ready(self) -> None:
        """Follow the users' table."""
        from contacts import signals  # noqa: PLC0415 — models exist from here on

        signals.connect()
