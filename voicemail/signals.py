"""What voicemail notices of other apps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib.auth.signals import user_logged_in

if TYPE_CHECKING:
    from bluetel.accounts.models import User


def connect() -> None:
    """Start to notice."""
    user_logged_in.connect(_signed_in, dispatch_uid="voicemail.signed_in")


def _signed_in(user: User, **rest: Any) -> None:
    """So that the number of new messages stands in the bar before anybody opens the page."""
    from voicemail.jobs import read_first_soon  # noqa: PLC0415 — the mail pipe has no contacts

    read_first_soon(user)
