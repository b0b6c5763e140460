"""The contacts app."""

from __future__ import annotations

from django.apps import AppConfig


class ContactsConfig(AppConfig):
    """Finds people and their numbers, whichever book they are in."""

    name = "contacts"

    def ready(self) -> None:
        """Follow the users' table, and name the callers."""
        from bluetel.calls.callers import look_by  # noqa: PLC0415 — models exist from here on
        from contacts import callers, signals  # noqa: PLC0415

        signals.connect()
        look_by(callers.caller_of)
