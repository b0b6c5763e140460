"""Voicemail's work in the background."""

from __future__ import annotations

from contextlib import suppress
from typing import Final

from django.utils import timezone

from bluetel.accounts.models import User
from bluetel.work.jobs import job
from voicemail import services
from voicemail.errors import BoxUnavailable
from voicemail.models import Box

PATIENCE: Final = 15.0


@job
def read_first(*, user: int) -> None:
    """Read the box of somebody who has never looked at it; the engine follows it from then on."""
    found = User.objects.select_related("pbx").filter(pk=user, is_active=True).first()
    if found is not None:
        # One that can't be read now is read when the page is opened.
        with suppress(BoxUnavailable):
            services.read_box(found, now=timezone.now(), patience=PATIENCE)


def read_first_soon(user: User) -> None:
    """Have a box read that never was, as soon as a runner is free."""
    if user.pbx_id is not None and user.pbx_user_id and not Box.objects.filter(user=user).exists():
        read_first.enqueue(key=f"voicemail-box:{user.pk}", user=user.pk)
