"""People and PBXs for administrators; secrets are written here, never shown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from django.contrib import admin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.utils.translation import gettext_lazy as _

from bluetel.accounts.models import Pbx, User
from bluetel.accounts.pbx import check_options
from bluetel.telephony.errors import TelephonyError
from bluetel.telephony.http import checked_url, tls_context

if TYPE_CHECKING:
    PbxAdminBase = admin.ModelAdmin[Pbx]
    PbxFormBase = forms.ModelForm[Pbx]
    UserAdminBase = DjangoUserAdmin[User]
else:
    PbxAdminBase = admin.ModelAdmin
    PbxFormBase = forms.ModelForm
    UserAdminBase = DjangoUserAdmin


class PbxForm(PbxFormBase):
    """Keeps a stored secret when its field is left empty."""

    new_password = forms.CharField(
        label=_("Password"),
        required=False,
        widget=forms.PasswordInput,
        help_text=_("Leave it empty to keep the one that is stored."),
    )

    new_api_key = forms.CharField(
        label=_("API key"),
        required=False,
        widget=forms.PasswordInput,
        help_text=_("XiVO, for REST 1.0. Leave it empty to keep the one that is stored."),
    )
    new_confd_password = forms.CharField(
        label=_("confd password"),
        required=False,
        widget=forms.PasswordInput,
        help_text=_("XiVO, for its list of users. Leave it empty to keep the one that is stored."),
    )

    class Meta:
        model = Pbx
        exclude = ("password", "api_key", "confd_password", "push_secret")

    def clean(self) -> dict[str, Any] | None:
        """Have the make of PBX look at its options, and check the address and the CA file."""
        cleaned = super().clean() or self.cleaned_data
        for field, check in (("url", checked_url), ("ca_file", tls_context)):
            try:
                if cleaned.get(field):
                    check(cleaned[field])
            except TelephonyError as error:
                self.add_error(field, str(error))
        try:
            check_options(str(cleaned.get("kind", "")), cleaned.get("options") or {})
        except TelephonyError as error:
            self.add_error("options", str(error))
        return cleaned

    def save(self, commit: bool = True) -> Any:  # noqa: FBT001, FBT002 — Django's signature
        """Store a secret only when one was typed."""
        for name in ("password", "api_key", "confd_password"):
            if self.cleaned_data[f"new_{name}"]:
                setattr(self.instance, name, self.cleaned_data[f"new_{name}"])
        return super().save(commit=commit)


@admin.register(Pbx)
class PbxAdmin(PbxAdminBase):
    """The PBX rows."""

    form = PbxForm
    list_display = ("name", "kind", "url")


@admin.register(User)
class UserAdmin(UserAdminBase):
    """Django's user pages with the place on the PBX."""

    list_display = ("username", "email", "first_name", "last_name", "pbx", "extension")
    list_filter = ("pbx", "is_staff", "is_active", "is_demo")
    search_fields = ("username", "email", "first_name", "last_name", "extension")
    readonly_fields = ("is_demo",)
    fieldsets: ClassVar = (
        *(DjangoUserAdmin.fieldsets or ()),
        (
            _("Telephone"),
            {"fields": ("pbx", "pbx_user_id", "pbx_login", "extension", "mobile")},
        ),
        (_("Demo"), {"fields": ("is_demo",)}),
        (_("Preferences"), {"fields": ("language", "time_zone")}),
    )
