"""Calls placed and seen: policy, idempotency, states."""

from __future__ import annotations

from django.apps import AppConfig


class CallsConfig(AppConfig):
    """The calls app."""

    name = "bluetel.calls"
    label = "calls"
