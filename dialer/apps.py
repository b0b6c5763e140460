"""The dialer in the menu bar and the call bar under it."""

from __future__ import annotations

from django.apps import AppConfig


class DialerConfig(AppConfig):
    """The dialer app."""

    name = "dialer"
