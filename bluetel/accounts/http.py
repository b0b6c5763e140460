"""Requests that somebody signed in has sent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.http import HttpRequest

if TYPE_CHECKING:
    from bluetel.accounts.models import User


class SignedInRequest(HttpRequest):
    """What a view or route sees behind ``login_required`` or an API key: ``user`` is somebody."""

    user: User
