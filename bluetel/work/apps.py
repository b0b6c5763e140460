"""Leases and due rows: who does what, and when."""

from __future__ import annotations

from django.apps import AppConfig


class WorkConfig(AppConfig):
    """The work app."""

    name = "bluetel.work"
    label = "work"
