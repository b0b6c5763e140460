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
    when that began; since ``rests_since`` it says nothing, for it was not read for long.
    ``warnings`` are ``{"code", …}`` about single events. An uploaded file has no address.
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
    rests_since = models.DateTimeField(null=True)
    warnings = models.JSONField(default=list, blank=True)

    def __str__(self) -> str:
        return f"{self.kind} calendar of user {self.user_id}"


class Collection(models.Model):
    """One calendar behind an address: the file itself, or one of an account's calendars.

    ``etag``, ``last_modified`` and ``sync_token`` are what the server said of the state that was
    read last.
    """

    calendar = models.ForeignKey(Calendar, on_delete=models.CASCADE, related_name="collections")
    href = models.CharField(max_length=2048, blank=True)
    name = models.CharField(max_length=200, blank=True)
    etag = models.CharField(max_length=512, blank=True)
    last_modified = models.CharField(max_length=64, blank=True)
    sync_token = models.CharField(max_length=1024, blank=True)

    def __str__(self) -> str:
        return f"collection {self.pk} of calendar {self.calendar_id}"


class CalendarObject(models.Model):
    """One resource of a collection, reduced to what tells when its owner is busy.

    ``digest`` is the SHA-256 of the text as it was read, ``content`` the reduced text, compressed
    (empty: nothing in it will ever count). ``expanded_until`` says up to when its occurrences are
    rows, ``zone`` for which time zone; ``warnings`` are about its events.
    """

    collection = models.ForeignKey(Collection, on_delete=models.CASCADE, related_name="resources")
    href = models.CharField(max_length=2048, blank=True)
    etag = models.CharField(max_length=512, blank=True)
    digest = models.CharField(max_length=64)
    content = models.BinaryField()
    expanded_until = models.DateTimeField()
    zone = models.CharField(max_length=64)
    warnings = models.JSONField(default=list, blank=True)

    def __str__(self) -> str:
        return f"object {self.pk} of collection {self.collection_id}"


class Occurrence(models.Model):
    """One instance of an event that may make its owner busy, from ``starts`` until ``ends``.

    ``recurrence_id`` is the instant at which the series has it, empty for a single event; with
    ``uid`` it names the occurrence. ``weight``, ``is_all_day`` and ``is_alone`` (nobody else takes
    part) decide, with the user's choices, whether it counts: see
    ``forwarding.situation.counts``.
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
    is_alone = models.BooleanField(default=False)

    class Meta:
        indexes: ClassVar = [models.Index(fields=["user", "ends"], name="occurrence_user_ends")]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(ends__gt=models.F("starts")), name="occurrence_has_length"
            )
        ]

    def __str__(self) -> str:
        return f"occurrence {self.pk} of user {self.user_id}"


class Automation(models.Model):
    """What a user chose to happen by itself; who has no row chose nothing.

    A number stays when its choice is another one, so that going back needs no typing. The columns
    ``…_dialed`` hold the numbers as the PBX is told, as they were judged when they were saved.
    """

    class Route(models.TextChoices):
        """What happens to calls."""

        NOTHING = "nothing", "nothing"
        VOICEMAIL = "voicemail", "voicemail"
        NUMBER = "number", "number"

    class AllDay(models.TextChoices):
        """Which all-day events count as meetings."""

        IGNORE = "ignore", "none"
        BUSY = "busy", "all"
        OUT_OF_OFFICE = "out_of_office", "out of office only"

    class Tentative(models.TextChoices):
        """Whether unconfirmed meetings count."""

        IGNORE = "ignore", "no"
        BUSY = "busy", "yes"

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, models.CASCADE, primary_key=True, related_name="automation"
    )
    set_im_busy = models.BooleanField(default=False)
    until_hang_up = models.BooleanField(default=False)
    calendar_route = models.CharField(max_length=16, choices=Route, default=Route.NOTHING)
    calendar_number = models.CharField(max_length=64, blank=True)
    all_day = models.CharField(max_length=16, choices=AllDay, default=AllDay.IGNORE)
    tentative = models.CharField(max_length=16, choices=Tentative, default=Tentative.IGNORE)
    only_with_others = models.BooleanField(default=False)
    im_route = models.CharField(max_length=16, choices=Route, default=Route.NOTHING)
    im_number = models.CharField(max_length=64, blank=True)
    im_only_by_hand = models.BooleanField(default=False)
    calendar_dialed = models.CharField(max_length=40, blank=True)
    im_dialed = models.CharField(max_length=40, blank=True)

    def __str__(self) -> str:
        return f"user {self.user_id}: calendar {self.calendar_route}, status {self.im_route}"


class Line(models.Model):
    """A user's forwards: his own settings, what we wrote over them, and what is under way.

    ``own`` is ``{"unconditional": {"enabled", "destination"}, "busy": …, "no_answer": …,
    "do_not_disturb"}``, None until it was read once. ``applied`` is what the PBX holds of ours, and
    ``intended`` what we were about to write when the row was last saved (``{"enabled",
    "destination"}``, None: nothing): after a crash either may be what the PBX holds. ``wanted``
    holds changes of his own that he asked for and the PBX has not taken yet. ``refused`` says why a
    rule's target could not be used when its time came: ``{"calendar"|"im": code}``.
    """

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, models.CASCADE, primary_key=True, related_name="line"
    )
    own = models.JSONField(null=True)
    own_at = models.DateTimeField(null=True)
    own_from = models.CharField(max_length=16, blank=True)
    read_at = models.DateTimeField(null=True)
    applied = models.JSONField(null=True)
    applied_at = models.DateTimeField(null=True)
    applied_reason = models.CharField(max_length=32, blank=True)
    applied_epoch = models.PositiveBigIntegerField(null=True)
    intended = models.JSONField(null=True)
    wanted = models.JSONField(default=dict)
    refused = models.JSONField(default=dict)
    voicemail = models.CharField(max_length=64, null=True)  # noqa: DJ001 — "" is known: no box
    failing_since = models.DateTimeField(null=True)
    tries = models.PositiveIntegerField(default=0)

    class Meta:
        indexes: ClassVar = [
            models.Index(
                fields=["user"],
                condition=models.Q(applied__isnull=False) | models.Q(intended__isnull=False),
                name="lines_with_ours",
            ),
            models.Index(
                fields=["failing_since"],
                condition=models.Q(failing_since__isnull=False),
                name="lines_failing",
            ),
        ]

    def __str__(self) -> str:
        return f"forwards of user {self.user_id}"


class SuppressedMeeting(models.Model):
    """A meeting, or a series (without ``starts``), that shall change nothing.

    ``by_status`` is one that follows from a status *Available* set by hand during the meeting, and
    goes with it.
    """

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="suppressed_meetings"
    )
    uid = models.CharField(max_length=255)
    recurrence_id = models.CharField(max_length=32, blank=True)
    starts = models.DateTimeField(null=True)
    by_status = models.BooleanField(default=False)
    created_at = models.DateTimeField()

    class Meta:
        indexes: ClassVar = [models.Index(fields=["user", "uid"], name="suppressed_by_user")]

    def __str__(self) -> str:
        return f"suppressed for user {self.user_id}"


class RouteOverride(models.Model):
    """The user changed his own forward while claims were applied: his choice, until they end.

    ``refs`` name the claims, as in ``forwarding.rules``.
    """

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, models.CASCADE, primary_key=True, related_name="route_override"
    )
    refs = models.JSONField(default=list)
    since = models.DateTimeField()

    def __str__(self) -> str:
        return f"override of user {self.user_id} since {self.since}"


class PbxWrite(models.Model):
    """The audit trail: everything written to a PBX's forwards, in whose name, and how it went.

    ``before`` and ``after`` are as in ``Line.own``; ``cause`` is a reason of ``forwarding.rules``,
    ``restore``, ``user`` or ``release``.
    """

    class Outcome(models.TextChoices):
        """How it went."""

        UNKNOWN = "unknown", "unknown"
        DONE = "done", "done"
        FAILED = "failed", "failed"

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="pbx_writes")
    at = models.DateTimeField()
    what = models.CharField(max_length=32)
    before = models.JSONField(null=True)
    after = models.JSONField()
    cause = models.CharField(max_length=32)
    claim = models.CharField(max_length=400, blank=True)
    epoch = models.PositiveBigIntegerField()
    outcome = models.CharField(max_length=16, choices=Outcome, default=Outcome.UNKNOWN)
    error = models.CharField(max_length=200, blank=True)

    class Meta:
        indexes: ClassVar = [models.Index(fields=["user", "-at"], name="pbx_writes_by_user")]

    def __str__(self) -> str:
        return f"{self.what} of user {self.user_id} at {self.at}"
