"""Leases: the rows that say which process does what only one may do."""

from __future__ import annotations

from django.db import models


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
