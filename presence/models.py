"""The newest states as rows: what every web process starts from, and repairs itself by."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models

from bluetel.accounts.encryption import EncryptedTextField

STATE_COLUMNS = (
    "phone",
    "im",
    "message",
    "keeper",
    "is_there",
    "phone_since",
    "im_since",
    "revision",
)
"""What of a :class:`PersonState` changes: the engine writes all of it, readers read all of it."""


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


class XmppAccount(models.Model):
    """A user's address on the company's XMPP server.

    ``jid`` empty is his e-mail. With the password his status is published there, too.
    """

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, models.CASCADE, primary_key=True, related_name="xmpp_account"
    )
    jid = models.CharField(max_length=256, blank=True)
    password = EncryptedTextField(purpose="xmpp-password", blank=True)

    def __str__(self) -> str:
        return self.jid or f"the e-mail of user {self.user_id}"


# --- Whom somebody sees first, and who may see him ------------------------------------------------


class Favourite(models.Model):
    """Somebody a user wants in his team; ``position`` is the user's own order."""

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="favourites")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    position = models.PositiveIntegerField(default=0)

    class Meta:
        ordering: ClassVar = ["position", "pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["owner", "person"], name="a_favourite_once")
        ]

    def __str__(self) -> str:
        return f"user {self.owner_id} likes {self.person_id}"


class Group(models.Model):
    """People under a name that a user gave them, for himself alone."""

    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="presence_groups"
    )
    name = models.CharField(max_length=60)
    position = models.PositiveIntegerField(default=0)

    class Meta:
        ordering: ClassVar = ["position", "pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["owner", "name"], name="a_group_name_once")
        ]

    def __str__(self) -> str:
        return self.name


class GroupMember(models.Model):
    """Somebody in a group."""

    group = models.ForeignKey(Group, models.CASCADE, related_name="members")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["group", "person"], name="a_member_once")
        ]

    def __str__(self) -> str:
        return f"{self.person} in {self.group}"


class CallWish(models.Model):
    """A user wants to be told when somebody's telephone is free; it lapses at ``expires_at``."""

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="call_wishes")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    asked_at = models.DateTimeField()
    expires_at = models.DateTimeField()

    class Meta:
        ordering: ClassVar = ["asked_at", "pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["owner", "person"], name="a_call_wish_once")
        ]

    def __str__(self) -> str:
        return f"user {self.owner_id} wants to call {self.person_id} until {self.expires_at}"


class AudienceChoice(models.Model):
    """Who may see a user's phone or his chat status, where that isn't everybody.

    ``groups`` are ids of his own; with the kind ``groups`` and none named, all of them.
    """

    class Axis(models.TextChoices):
        """What of him."""

        PHONE = "phone", "phone"
        IM = "im", "chat status"

    class Kind(models.TextChoices):
        """Who may see it."""

        EVERYONE = "everyone", "everyone"
        GROUPS = "groups", "my groups"
        PEOPLE = "people", "chosen people"
        NOBODY = "nobody", "nobody"

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="audiences")
    axis = models.CharField(max_length=8, choices=Axis)
    kind = models.CharField(max_length=16, choices=Kind)
    people = models.JSONField(default=list)
    groups = models.JSONField(default=list)
    touched_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["user", "axis"], name="one_audience_per_axis")
        ]

    def __str__(self) -> str:
        return f"user {self.user_id}: {self.axis} for {self.kind}"
