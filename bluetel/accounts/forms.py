"""Signing in, and a user's language and place."""

from __future__ import annotations

import zoneinfo
from typing import TYPE_CHECKING

from django import forms
from django.conf import settings
from django.contrib.auth.forms import AuthenticationForm
from django.core.exceptions import ValidationError
from django.utils.translation import get_language_info
from django.utils.translation import gettext_lazy as _

from bluetel.accounts.models import User

if TYPE_CHECKING:
    PlaceBase = forms.ModelForm[User]
else:
    PlaceBase = forms.ModelForm

_CONTINENTS = frozenset(
    "Africa America Antarctica Asia Atlantic Australia Europe Indian Pacific".split()
)


class SignInForm(AuthenticationForm):
    """Takes a login or an e-mail; says so when the PBX or the directory could not be asked."""

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        self.fields["username"].label = _("Login or e-mail")
        self.fields["username"].widget.attrs["autocapitalize"] = "none"

    def get_invalid_login_error(self) -> ValidationError:
        """A refusal names neither which of the two was wrong nor who exists."""
        if getattr(self.request, "pbx_unreachable", False):
            return ValidationError(
                _(
                    "The phone system can't be reached, so its logins can't be checked now. "
                    "Try again in a minute."
                ),
                code="pbx_unavailable",
            )
        if getattr(self.request, "ldap_unreachable", False):
            return ValidationError(
                _(
                    "The company directory can't be reached, so its passwords can't be checked "
                    "now. Try again in a minute."
                ),
                code="ldap_unavailable",
            )
        return ValidationError(
            _("This login and password don't match. Check them and try again."),
            code="invalid_login",
        )


class PbxLoginForm(forms.Form):
    """A user's own login on his PBX."""

    login = forms.CharField(
        label=_("Login"),
        max_length=256,
        widget=forms.TextInput(attrs={"class": "input", "autocapitalize": "none"}),
    )
    password = forms.CharField(
        label=_("Password"),
        max_length=256,
        strip=False,
        widget=forms.PasswordInput(attrs={"class": "input", "autocomplete": "off"}),
    )


class PlaceForm(PlaceBase):
    """A user's language, and the time zone in which he reads and means times."""

    class Meta:
        model = User
        fields = ("language", "time_zone")

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        self.fields["language"] = forms.ChoiceField(
            label=_("Language"),
            required=False,
            choices=[("", _("As the browser asks")), *_own_names()],
            widget=forms.Select(attrs={"class": "input"}),
        )
        self.fields["time_zone"] = forms.ChoiceField(
            label=_("Time zone"),
            required=False,
            choices=[("", settings.TIME_ZONE), *_zones()],
            widget=forms.Select(attrs={"class": "input"}),
        )

    def clean(self) -> dict[str, object]:
        """Let what was not sent stay as it is."""
        unsent = [name for name in self.fields if self.add_prefix(name) not in self.data]
        return {
            **(super().clean() or {}),
            **{name: getattr(self.instance, name) for name in unsent},
        }


def _own_names() -> list[tuple[str, str]]:
    """The languages, each by the name its speakers give it."""
    return [
        (code, get_language_info(code)["name_local"].capitalize())
        for code, _name in settings.LANGUAGES
    ]


def _zones() -> list[tuple[str, str]]:
    """The places of the zone database, without its codes and old spellings."""
    return [
        (name, name.replace("_", " "))
        for name in sorted(zoneinfo.available_timezones())
        if name.partition("/")[0] in _CONTINENTS or name == "UTC"
    ]
