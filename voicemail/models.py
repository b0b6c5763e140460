"""Voice messages as their owners see them."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils.translation import pgettext_lazy

from bluetel.accounts.encryption import EncryptedTextField


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

    ``read_at`` is when the PBX last listed it, None before the first time; ``mailed_since`` is from
    when on new messages are mailed to him, None if they aren't. Links to call back carry
    ``link_series``: those of an earlier one are revoked.
    """

    user = models.OneToOneField(settings.AUTH_USER_MODEL, models.CASCADE, related_name="voicemail")
    read_at = models.DateTimeField(null=True, blank=True)
    mailed_since = models.DateTimeField(null=True, blank=True)
    link_series = models.PositiveIntegerField(default=0)

    class Meta:
        verbose_name_plural = "boxes"

    def __str__(self) -> str:
        return f"voicemail of {self.user}"


class Message(models.Model):
    """One voice message of one user; a box that people share gives each his own row.

    ``pbx_message`` is the PBX's id of it. The row follows what the PBX says, but for
    ``delete_at``: from then on the message is to be deleted there, and it is hidden already.
    Without such an id it is known from a mail only; ``is_proven`` then tells whether the caller's
    number is more than the claim of whoever sent it.
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="messages")
    pbx_message = models.CharField(max_length=128, blank=True)
    is_proven = models.BooleanField(default=True)
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
            models.UniqueConstraint(
                fields=["user", "pbx_message"],
                condition=~models.Q(pbx_message=""),
                name="one_row_per_message",
            ),
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


class Mailbox(models.Model):
    """A mailbox of a user's in which his PBX's mails arrive.

    ``password`` is an app password; with ``token_url``, the refresh token that gets access tokens
    there (OAuth 2), and with ``is_token`` alone an access token. ``error`` says why it can't be
    read now; ``uid_validity`` and ``last_uid`` how far it was read.
    """

    class Tls(models.TextChoices):
        """How the connection is encrypted; the words are the API's."""

        IMPLICIT = "implicit"
        STARTTLS = "starttls"

    class Error(models.TextChoices):
        """Why a mailbox can't be read; the words are the API's."""

        REFUSED = "address_refused"
        UNREACHABLE = "unreachable"
        CERTIFICATE = "certificate"
        SIGN_IN = "sign_in_refused"
        FOLDER = "no_such_folder"
        FAILED = "failed"

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="mailboxes")
    host = models.CharField(max_length=253)
    port = models.PositiveIntegerField(default=993)
    tls = models.CharField(max_length=8, choices=Tls, default=Tls.IMPLICIT)
    username = models.CharField(max_length=320)
    password = EncryptedTextField(purpose="mailbox-password")
    is_token = models.BooleanField(default=False)
    token_url = models.CharField(max_length=500, blank=True)
    client_id = models.CharField(max_length=300, blank=True)
    client_secret = EncryptedTextField(purpose="mailbox-client-secret", blank=True)
    folder = models.CharField(max_length=200, default="INBOX")
    created_at = models.DateTimeField(auto_now_add=True)
    last_read_at = models.DateTimeField(null=True, blank=True)
    error = models.CharField(max_length=20, choices=Error, blank=True)
    uid_validity = models.BigIntegerField(default=0)
    last_uid = models.BigIntegerField(default=0)

    class Meta:
        verbose_name_plural = "mailboxes"
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["user", "host", "username", "folder"], name="one_row_per_mailbox"
            ),
        ]

    def __str__(self) -> str:
        return f"mailbox {self.pk} at {self.host}"


class Mail(models.Model):
    """A mail about a voice message, as its mailbox has it.

    ``message`` is the message it is about: one of the PBX, or one that this mail alone makes
    known. A mail that ``is_done`` is shown no more: its message was deleted. ``wants`` is what is
    yet to be done to it in the mailbox. ``seen`` is what the mailbox last said,
    ``header_id`` its ``Message-ID``.
    """

    class Want(models.TextChoices):
        """What is to be done in the mailbox."""

        SEEN = "seen"
        UNSEEN = "unseen"
        DELETE = "delete"

    mailbox = models.ForeignKey(Mailbox, models.CASCADE, related_name="mails")
    message = models.ForeignKey(Message, models.SET_NULL, null=True, related_name="mails")
    uid_validity = models.BigIntegerField()
    uid = models.BigIntegerField()
    header_id = models.CharField(max_length=500, blank=True)
    is_proven = models.BooleanField(default=False)
    is_done = models.BooleanField(default=False)
    seen = models.BooleanField(default=False)
    wants = models.CharField(max_length=8, choices=Want, blank=True)
    box = models.CharField(max_length=64, blank=True)
    serial = models.BigIntegerField(default=0)
    number = models.CharField(max_length=64, blank=True)
    name = models.CharField(max_length=200, blank=True)
    sent_at = models.DateTimeField()
    section = models.CharField(max_length=32, blank=True)
    media_type = models.CharField(max_length=64, blank=True)
    encoding = models.CharField(max_length=32, blank=True)
    size = models.PositiveBigIntegerField(default=0)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["mailbox", "uid_validity", "uid"], name="one_row_per_mail"
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["mailbox"], condition=~models.Q(wants=""), name="mail_with_a_want"
            ),
        ]

    def __str__(self) -> str:
        return f"mail {self.pk}"


class Delivery(models.Model):
    """The mail by which BlueTel brings a message; ``error`` says why it never will."""

    message = models.OneToOneField(Message, models.CASCADE, related_name="delivery")
    created_at = models.DateTimeField(auto_now_add=True)
    sent_at = models.DateTimeField(null=True, blank=True)
    error = models.CharField(max_length=20, blank=True)

    class Meta:
        verbose_name_plural = "deliveries"
        indexes: ClassVar = [
            models.Index(
                fields=["created_at"],
                condition=models.Q(sent_at__isnull=True, error=""),
                name="delivery_to_do",
            ),
        ]

    def __str__(self) -> str:
        return f"delivery of {self.message}"
