"""The settings of the mail pipe: only the apps it needs, since it has 5 seconds in all."""

from __future__ import annotations

from bluetel.settings import *  # noqa: F403 — the same site, with less of it

INSTALLED_APPS = [
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "bluetel",
    "bluetel.accounts",
    "voicemail",
]
