"""The composition root as a Django app: its commands and its checks."""

from __future__ import annotations

from django.apps import AppConfig


class BluetelConfig(AppConfig):
    """Holds the management commands; it has no tables of its own."""

    name = "bluetel"
    verbose_name = "BlueTel"
