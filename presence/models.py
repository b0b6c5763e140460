"""The newest states as rows: what every web process starts from, and repairs itself by."""

from __future__ import annotations

from django.conf import settings
from django.db import models


class PersonState(models.Model):
    """What colleagues see of a user, as the engine last wrote it; no history is kept.

    The row holds what was last known: while the PBX's link is down, readers show unknown instead.
    """

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, models.CASCADE, primary_key=True, related_name="presence_state"
    )
    phone = models.CharField(max_length=16)
    im = models.CharField(max_length=16)
    message = models.CharField(max_length=250, blank=True)
    phone_since = models.DateTimeField(null=True)
    im_since = models.DateTimeField(null=True)
    revision = models.PositiveBigIntegerField(db_index=True)

    def __str__(self) -> str:
        return f"user {self.user_id}: phone {self.phone}, chat {self.im}"


class PbxLink(models.Model):
    """Whether the engine hears a PBX, and since when.

    The revision carries the engine's epoch: a row of an earlier engine says nothing about now.
    """

    pbx = models.OneToOneField(
        "accounts.Pbx", models.CASCADE, primary_key=True, related_name="link"
    )
    is_up = models.BooleanField()
    since = models.DateTimeField()
    revision = models.PositiveBigIntegerField()

    def __str__(self) -> str:
        return f"PBX {self.pbx_id}: {'up' if self.is_up else 'down'} since {self.since}"
