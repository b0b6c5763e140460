"""The newest states as rows: what every web process starts from, and repairs itself by."""

from __future__ import annotations

from typing import ClassVar

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
    keeper = models.CharField(max_length=16, default="pbx")
    is_there = models.BooleanField(default=False)
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


class Claim(models.Model):
    """A reason that wants something of a user's status or of his calls for a time.

    It holds from ``starts`` up to but not at ``ends`` (None: until it is deleted); ending a claim
    is deleting it. ``value`` is, on the axis ``im``, one of ``available busy away offline``; on the
    axis ``route`` it is forwarding's own word. ``ref`` tells claims of one source apart.
    """

    class Axis(models.TextChoices):
        """What a claim is about."""

        IM = "im", "chat status"
        ROUTE = "route", "where calls go"

    class Source(models.TextChoices):
        """What makes it."""

        MANUAL = "manual", "by hand"
        CALENDAR = "calendar", "calendar"
        IM = "im", "chat status"
        IDLE = "idle", "idle"
        SESSION = "session", "session"

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="claims")
    axis = models.CharField(max_length=8, choices=Axis)
    source = models.CharField(max_length=16, choices=Source)
    value = models.CharField(max_length=64)
    message = models.CharField(max_length=250, blank=True)
    starts = models.DateTimeField()
    ends = models.DateTimeField(null=True, blank=True)
    ref = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["user", "axis", "source", "ref"], name="one_claim_per_source_and_ref"
            ),
            models.CheckConstraint(
                condition=models.Q(ends=None) | models.Q(ends__gt=models.F("starts")),
                name="a_claim_ends_after_it_starts",
            ),
        ]

    def __str__(self) -> str:
        return f"user {self.user_id}: {self.axis} {self.value} by {self.source} until {self.ends}"


class StatusRecord(models.Model):
    """What the engine keeps of a user's chat status beside the claims on it.

    ``touched_at`` is when the claims last changed: the engine reads those again. The other columns
    are of people whose status the PBX keeps: what we last wrote there, and up to when their choices
    there have been taken into account, by the PBX's clock.
    """

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, models.CASCADE, primary_key=True, related_name="status_record"
    )
    touched_at = models.DateTimeField(null=True, db_index=True)
    pbx_state = models.CharField(max_length=16, blank=True)
    pbx_message = models.CharField(max_length=250, blank=True)
    pbx_seen_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"user {self.user_id}: wrote {self.pbx_state or 'nothing'} to the PBX"
