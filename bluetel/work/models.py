"""Leases and jobs: the rows that say which process does what only one may do, and what waits."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class Epoch(models.Model):
    """The one counter behind all leases; it has a single row and only grows.

    Every taking of any lease gets the next number, so a later holder always has the greater one.
    """

    value = models.PositiveBigIntegerField(default=0)

    def __str__(self) -> str:
        return str(self.value)


class Lease(models.Model):
    """A duty, who has it, and until when he has it without renewing.

    ``renewed_at`` stays as it was when the holder lets go: readers judge by it how old what the
    last holder wrote is.
    """

    name = models.CharField(max_length=64, primary_key=True)
    owner = models.CharField(max_length=200)
    epoch = models.PositiveBigIntegerField()
    renewed_at = models.DateTimeField()
    until = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.name}: {self.owner}, epoch {self.epoch}"


class Job(models.Model):
    """A piece of work that may be seconds late: which function, with what, and how far it is.

    ``waiting_key`` is the job's key for as long as it waits, so that the same work waits once only;
    a row that is done is deleted. ``owner`` and ``lease_until`` say who runs it.
    """

    class State(models.TextChoices):
        """How far it is."""

        WAITING = "waiting", _("waiting")
        RUNNING = "running", _("running")
        DEAD = "dead", _("given up")

    function = models.CharField(max_length=200)
    arguments = models.JSONField(default=dict)
    key = models.CharField(max_length=200, blank=True)
    waiting_key = models.CharField(max_length=200, null=True, unique=True)  # noqa: DJ001 — many may be null, none may be the same
    state = models.CharField(max_length=16, choices=State, default=State.WAITING)
    due_at = models.DateTimeField()
    runs = models.PositiveIntegerField(default=0)
    owner = models.CharField(max_length=200, blank=True)
    lease_until = models.DateTimeField(null=True)
    error = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["due_at"], condition=Q(state="waiting"), name="jobs_waiting"),
            models.Index(fields=["state", "key"], name="jobs_by_key"),
        ]

    def __str__(self) -> str:
        return f"{self.function} {self.key}".strip()


class Due(models.Model):
    """A timed edge: ``subject``'s next one of its ``kind``. See ``bluetel.work.due``."""

    kind = models.CharField(max_length=32)
    subject = models.CharField(max_length=64)
    due_at = models.DateTimeField()
    next_at = models.DateTimeField()
    version = models.BigIntegerField()
    epoch = models.PositiveBigIntegerField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["kind", "subject"], name="one_edge_per_subject")
        ]
        indexes: ClassVar = [
            models.Index(fields=["kind", "next_at"], name="edges_in_time"),
            models.Index(
                fields=["kind", "epoch"], condition=Q(epoch__isnull=False), name="edges_claimed"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.subject} at {self.due_at}"
