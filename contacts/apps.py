"""The contacts app."""

from __future__ import annotations

from django.apps import AppConfig


class ContactsConfig(AppConfig):
    """Finds people and their numbers, whichever book they are in."""

    name = "contacts"
