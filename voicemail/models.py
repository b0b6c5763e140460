"""Voice messages as their owners see them."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils.translation import pgettext_lazy


class Folder(models.TextChoices):
    """Where a message lies; new and urgent ones are unread. The values are the API's."""

    NEW = "new", pgettext_lazy("folder", "New")
    OLD = "old", pgettext_lazy("folder", "Heard")
    URGENT = "urgent", pgettext_lazy("folder", "Urgent")
    WORK = "work", pgettext_lazy("folder", "Work")
    FAMILY = "family", pgettext_lazy("folder", "Family")
    FRIENDS = "friends", pgettext_lazy("folder", "Friends")


UNREAD = (Folder.NEW, Folder.URGENT)


class Box(models.Model):
    """A user's voicemail, whichever boxes of the PBX it is made of.

    ``read_at`` is when the PBX last listed it, None before the first time.
    """

    user = models.OneToOneField(settings.AUTH_USER_MODEL, models.CASCADE, related_name="voicemail")
    read_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name_plural = "boxes"

    def __str__(self) -> str:
        return f"voicemail of {self.user}"


class Message(models.Model):
    """One voice message of one user; a box that people share gives each his own row.

    ``pbx_message`` is the PBX's id of it. The row follows what the PBX says, but for
    ``delete_at``: from then on the message is to be deleted there, and it is hidden already.
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="messages")
    pbx_message = models.CharField(max_length=128)
    box = models.CharField(max_length=64, blank=True)
    folder = models.CharField(max_length=16, choices=Folder, default=Folder.NEW)
    number = models.CharField(max_length=64, blank=True)
    name = models.CharField(max_length=200, blank=True)
    duration = models.PositiveIntegerField(default=0)
    received_at = models.DateTimeField()
    transcript = models.TextField(blank=True)
    delete_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["user", "pbx_message"], name="one_row_per_message"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["user", "-received_at"], name="message_by_user"),
            models.Index(
                fields=["delete_at"],
                condition=models.Q(delete_at__isnull=False),
                name="message_to_delete",
            ),
        ]

    def __str__(self) -> str:
        return f"voice message {self.pk}"

    @property
    def is_read(self) -> bool:
        """Whether it has been heard."""
        return self.folder not in UNREAD
