"""Calendars as rows: what a user gave us to read, and the meetings found there.

No title, place or attendee is ever stored: of an event only its times and whether it counts.
"""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models

from bluetel.accounts.encryption import EncryptedTextField


class Calendar(models.Model):
    """One address that a user gave: a calendar file, or an account with all its calendars.

    ``error`` is the code of what keeps it from being read (empty: nothing) and ``failing_since``
    when that began; ``warnings`` are ``{"code", …}`` about single events. An uploaded file has no
    address.
    """

    class Kind(models.TextChoices):
        """How it is read."""

        ICS = "ics", "ICS"
        CALDAV = "caldav", "CalDAV"

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="calendars"
    )
    kind = models.CharField(max_length=8, choices=Kind)
    url = models.CharField(max_length=2048, blank=True)
    username = models.CharField(max_length=256, blank=True)
    password = EncryptedTextField(purpose="calendar-password", blank=True)
    name = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField()
    last_read_at = models.DateTimeField(null=True)
    error = models.CharField(max_length=32, blank=True)
    failing_since = models.DateTimeField(null=True)
    warnings = models.JSONField(default=list, blank=True)

    def __str__(self) -> str:
        return f"{self.kind} calendar of user {self.user_id}"


class Collection(models.Model):
    """One calendar behind an address: the file itself, or one of an account's calendars.

    ``etag``, ``last_modified``, ``sync_token`` and ``ctag`` are what the server said of the state
    that was read last.
    """

    calendar = models.ForeignKey(Calendar, on_delete=models.CASCADE, related_name="collections")
    href = models.CharField(max_length=2048, blank=True)
    name = models.CharField(max_length=200, blank=True)
    etag = models.CharField(max_length=512, blank=True)
    last_modified = models.CharField(max_length=64, blank=True)
    sync_token = models.CharField(max_length=1024, blank=True)
    ctag = models.CharField(max_length=512, blank=True)

    def __str__(self) -> str:
        return f"collection {self.pk} of calendar {self.calendar_id}"


class CalendarObject(models.Model):
    """One resource of a collection, reduced to what tells when its owner is busy.

    ``digest`` is the SHA-256 of the text as it was read, ``content`` the reduced text, compressed.
    ``expanded_until`` says up to when its occurrences are rows, ``zone`` for which time zone.
    """

    collection = models.ForeignKey(Collection, on_delete=models.CASCADE, related_name="resources")
    href = models.CharField(max_length=2048, blank=True)
    etag = models.CharField(max_length=512, blank=True)
    digest = models.CharField(max_length=64)
    content = models.BinaryField()
    expanded_until = models.DateTimeField()
    zone = models.CharField(max_length=64)

    def __str__(self) -> str:
        return f"object {self.pk} of collection {self.collection_id}"


class Occurrence(models.Model):
    """One instance of an event that may make its owner busy, from ``starts`` until ``ends``.

    ``recurrence_id`` is the instant at which the series has it, empty for a single event; with
    ``uid`` it names the occurrence. ``weight`` and ``is_all_day`` decide, with the user's choices,
    whether it counts: see ``forwarding.selectors.occurrences``.
    """

    class Weight(models.TextChoices):
        """How sure it is that the owner is taken."""

        BUSY = "busy", "busy"
        TENTATIVE = "tentative", "tentative"
        OUT_OF_OFFICE = "out_of_office", "out of office"

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="occurrences"
    )
    source = models.ForeignKey(CalendarObject, on_delete=models.CASCADE, related_name="occurrences")
    uid = models.CharField(max_length=255)
    recurrence_id = models.CharField(max_length=32, blank=True)
    starts = models.DateTimeField()
    ends = models.DateTimeField()
    is_all_day = models.BooleanField(default=False)
    weight = models.CharField(max_length=16, choices=Weight, default=Weight.BUSY)

    class Meta:
        indexes: ClassVar = [models.Index(fields=["user", "ends"], name="occurrence_user_ends")]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(ends__gt=models.F("starts")), name="occurrence_has_length"
            )
        ]

    def __str__(self) -> str:
        return f"occurrence {self.pk} of user {self.user_id}"
