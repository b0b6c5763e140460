"""People, the PBX each is on, and how they sign in."""

from __future__ import annotations

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    """The accounts app."""

    name = "bluetel.accounts"
    label = "accounts"
