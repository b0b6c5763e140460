"""What a user enters about his mailboxes."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from voicemail.mailboxes import Access
from voicemail.models import Mailbox


class MailboxForm(forms.Form):
    """How to reach a mailbox by IMAP."""

    host = forms.CharField(
        label=_("Mail server (IMAP)"),
        max_length=253,
        widget=forms.TextInput({"class": "input", "placeholder": "imap.example.org"}),
    )
    tls = forms.ChoiceField(
        label=_("Encryption"),
        choices=[
            (Mailbox.Tls.IMPLICIT, _("TLS (port 993)")),
            (Mailbox.Tls.STARTTLS, _("STARTTLS (port 143)")),
        ],
        widget=forms.Select({"class": "input"}),
    )
    port = forms.IntegerField(
        label=_("Port"),
        required=False,
        min_value=1,
        max_value=65535,
        widget=forms.NumberInput({"class": "input"}),
    )
    username = forms.CharField(
        label=_("User name"),
        max_length=320,
        widget=forms.TextInput({"class": "input", "autocomplete": "off"}),
    )
    password = forms.CharField(
        label=_("App password"),
        max_length=8000,
        strip=False,
        widget=forms.PasswordInput({"class": "input", "autocomplete": "off"}),
    )
    folder = forms.CharField(
        label=_("Folder"),
        max_length=200,
        required=False,
        widget=forms.TextInput({"class": "input", "placeholder": "INBOX"}),
    )

    def access(self) -> Access:
        """What was entered."""
        entered = self.cleaned_data
        default = 993 if entered["tls"] == Mailbox.Tls.IMPLICIT else 143
        return Access(
            host=entered["host"],
            port=entered["port"] or default,
            tls=entered["tls"],
            username=entered["username"],
            password=entered["password"],
            folder=entered["folder"],
        )
