"""What a user writes to add an account at an address-book server."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

_PLAIN = {"class": "input", "autocapitalize": "none", "spellcheck": "false"}


class AccountForm(forms.Form):
    """Address, user name and password; whether they are good, the server says."""

    url = forms.CharField(
        label=_("Server address"),
        max_length=2048,
        widget=forms.TextInput(
            attrs={**_PLAIN, "inputmode": "url", "placeholder": "https://cloud.example.org"}
        ),
    )
    username = forms.CharField(
        label=_("User name"),
        max_length=256,
        required=False,
        widget=forms.TextInput(attrs={**_PLAIN, "autocomplete": "off"}),
    )
    password = forms.CharField(
        label=_("Password"),
        max_length=1024,
        required=False,
        strip=False,
        widget=forms.PasswordInput(attrs={**_PLAIN, "autocomplete": "off"}),
    )


class PasswordForm(forms.Form):
    """A new password of an account."""

    password = forms.CharField(max_length=1024, strip=False)
