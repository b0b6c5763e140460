"""Where calls go: calendars, claims, forwards."""

from __future__ import annotations

from django.apps import AppConfig


class ForwardingConfig(AppConfig):
    """The forwarding app."""

    name = "forwarding"
