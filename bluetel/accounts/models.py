"""People, the PBX each is on, and the tokens their programs use."""

from __future__ import annotations

import hashlib
from typing import ClassVar

from django.conf import settings
from django.contrib.auth.models import AbstractUser
from django.db import models
from django.utils.translation import gettext_lazy as _

from bluetel.accounts.encryption import EncryptedTextField


class Pbx(models.Model):
    """One phone system and the service account that speaks to it for everybody."""

    class Kind(models.TextChoices):
        """The makes BlueTel speaks to."""

        WAZO = "wazo", "Wazo"
        XIVO = "xivo", "XiVO"

    name = models.SlugField(max_length=64, unique=True)
    kind = models.CharField(max_length=16, choices=Kind)
    url = models.CharField(max_length=500, blank=True)
    username = models.CharField(max_length=256, blank=True)
    password = EncryptedTextField(purpose="pbx-password", blank=True)
    tenant = models.CharField(max_length=64, blank=True)
    ca_file = models.CharField(max_length=500, blank=True)
    voicemail_prefix = models.CharField(max_length=16, default="*97")
    outside_prefix = models.CharField(
        max_length=8, blank=True, help_text=_("Dialled before outside numbers, such as 0.")
    )
    international_prefix = models.CharField(max_length=8, default="00")
    extension_pattern = models.CharField(
        max_length=200, default=r"\d{2,6}", help_text=_("What an internal number looks like.")
    )
    allowed_codes = models.TextField(
        blank=True, help_text=_("Codes with * or # that may be dialled, one on each line.")
    )
    calls_per_second = models.PositiveIntegerField(default=200)
    api_key = EncryptedTextField(purpose="pbx-api-key", blank=True)
    confd_password = EncryptedTextField(purpose="pbx-confd-password", blank=True)
    push_secret = EncryptedTextField(purpose="pbx-push-secret", blank=True)
    options = models.JSONField(
        default=dict,
        blank=True,
        help_text=_("What this make of PBX lets you choose; docs/pbx-backends.md lists it."),
    )
    voicemail_by_dnd = models.BooleanField(
        _("Voicemail by do-not-disturb"),
        default=False,
        help_text=_("On this PBX a phone set to do-not-disturb sends its calls to voicemail."),
    )

    class Meta:
        verbose_name = "PBX"
        verbose_name_plural = "PBXs"

    def __str__(self) -> str:
        return self.name


class User(AbstractUser):
    """Somebody who signs in, with his place on a PBX if he has one."""

    pbx = models.ForeignKey(
        Pbx, null=True, blank=True, on_delete=models.SET_NULL, related_name="users"
    )
    pbx_user_id = models.CharField(max_length=128, blank=True)
    pbx_login = models.CharField(max_length=256, blank=True)
    extension = models.CharField(max_length=40, blank=True, db_index=True)
    mobile = models.CharField(max_length=40, blank=True)
    language = models.CharField(max_length=8, choices=settings.LANGUAGES, blank=True)
    time_zone = models.CharField(max_length=64, blank=True)
    is_demo = models.BooleanField(
        _("demo account"),
        default=False,
        help_text=_("Made by the demo, whose password everybody knows: only the demo lets it in."),
    )

    class Meta(AbstractUser.Meta):
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["pbx", "pbx_user_id"],
                condition=~models.Q(pbx_user_id=""),
                name="one_account_per_pbx_user",
            )
        ]

    def __str__(self) -> str:
        return self.display_name

    @property
    def display_name(self) -> str:
        """First and last name, else the username."""
        return self.get_full_name() or self.username


class PbxLogin(models.Model):
    """Somebody's own login on his PBX, for makes that let nobody else act for him.

    ``works`` is None until the PBX was asked. What it told of the telephone is kept beside it,
    so that pages know it without asking: ``make`` is empty and ``is_phone_told`` false before.
    """

    user = models.OneToOneField(User, on_delete=models.CASCADE, related_name="pbx_own_login")
    login = models.CharField(max_length=256)
    password = EncryptedTextField(purpose="pbx-own-login")
    works = models.BooleanField(null=True, default=None)
    checked_at = models.DateTimeField(null=True, blank=True)
    is_phone_told = models.BooleanField(default=False)
    phone_make = models.CharField(max_length=40, blank=True)
    web_rtc = models.BooleanField(default=False)
    has_device = models.BooleanField(default=True)

    def __str__(self) -> str:
        return f"own login of {self.user}"


class ApiToken(models.Model):
    """A program's key to one user's API; only its hash is kept."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="api_tokens")
    digest = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"token of {self.user}"

    @staticmethod
    def digest_of(token: str) -> str:
        """What is stored of ``token``: 256 random bits need no salt and no slow hash."""
        return hashlib.sha256(token.encode()).hexdigest()
