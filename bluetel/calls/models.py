"""Calls as users see them, one row per user and call; and when and why calls were diverted."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from django.conf import settings
from django.db import models

if TYPE_CHECKING:
    from bluetel.calls.diversions import DiversionRecord


class Call(models.Model):
    """One user's call.

    ``number`` is what he asked for or who called, for display; ``dialed`` exactly what the PBX was
    told. ``conversation`` is empty until the PBX has named the call; whom a transfer brings back
    into one has another row there, with another ``pbx_call_id``. ``uncertain`` marks a call whose
    placing was never answered: the PBX is asked before it is placed again.
    """

    class State(models.TextChoices):
        """How far it has come; the words are the API's."""

        REQUESTED = "requested"
        RINGING_SELF = "ringing_self"
        RINGING_PEER = "ringing_peer"
        TALKING = "talking"
        HELD = "held"
        ENDED = "ended"

    class Direction(models.TextChoices):
        """Who began it."""

        OUTGOING = "outgoing"
        INCOMING = "incoming"

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="calls")
    pbx = models.ForeignKey("accounts.Pbx", models.CASCADE, related_name="+")
    conversation = models.CharField(max_length=64, blank=True)
    pbx_call_id = models.CharField(max_length=64, blank=True)
    state = models.CharField(max_length=16, choices=State, default=State.REQUESTED)
    direction = models.CharField(max_length=8, choices=Direction, default=Direction.OUTGOING)
    number = models.CharField(max_length=64, blank=True)
    dialed = models.CharField(max_length=40, blank=True)
    name = models.CharField(max_length=200, blank=True)
    contact_id = models.CharField(max_length=64, blank=True)
    device = models.CharField(max_length=64, blank=True)
    created_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True, blank=True)
    answered_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    end_reason = models.CharField(max_length=32, blank=True)
    muted = models.BooleanField(default=False)
    cancelled = models.BooleanField(default=False)
    uncertain = models.BooleanField(default=False)
    idempotency_key = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["user", "idempotency_key"],
                condition=~models.Q(idempotency_key=""),
                name="one_call_per_key",
            ),
            models.UniqueConstraint(
                fields=["user", "conversation", "pbx_call_id"],
                condition=~models.Q(conversation=""),
                name="one_call_per_leg",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["user", "-created_at"], name="call_by_user"),
            models.Index(
                fields=["pbx"], condition=~models.Q(state="ended"), name="call_live_by_pbx"
            ),
        ]

    def __str__(self) -> str:
        return f"call {self.pk} ({self.state})"

    @property
    def is_live(self) -> bool:
        """Whether it has not ended."""
        return self.state != self.State.ENDED


class OtherKey(models.Model):
    """One more ``Idempotency-Key`` that was answered with a call, beside the call's own."""

    call = models.ForeignKey(Call, models.CASCADE, related_name="other_keys")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    key = models.CharField(max_length=200)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["user", "key"], name="one_call_per_other_key")
        ]

    def __str__(self) -> str:
        return f"other key of call {self.call_id}"


class Diversion(models.Model):
    """A time in which a user's calls did not ring on his own phone; open while ``ends`` is empty.

    Written by :mod:`bluetel.calls.diversions`; the words are those of ``GET routing``.
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    starts = models.DateTimeField()
    ends = models.DateTimeField(null=True, blank=True)
    route = models.CharField(max_length=16)
    destination = models.CharField(max_length=40, blank=True)
    source = models.CharField(max_length=16)
    reason = models.CharField(max_length=250, blank=True)

    class Meta:
        indexes: ClassVar = [models.Index(fields=["user", "starts"], name="diversion_by_user")]

    def __str__(self) -> str:
        return f"diversion {self.pk} of user {self.user_id} ({self.route})"

    @property
    def record(self) -> DiversionRecord:
        """The decision as the call log shows it."""
        return {
            "route": self.route,
            "destination": self.destination or None,
            "source": self.source,
            "reason": self.reason,
        }
