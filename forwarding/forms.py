"""The forms of the settings pages: rules, forwards by hand, calendars."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from django import forms
from django.utils.translation import gettext_lazy as _

from bluetel.calls.errors import CallError
from forwarding.models import Automation, Calendar

MAX_UPLOAD = 10 * 1024 * 1024

ROUTES = (
    (Automation.Route.NOTHING, _("Do nothing")),
    (Automation.Route.VOICEMAIL, _("Voicemail")),
    (Automation.Route.NUMBER, _("Forward to")),
)
ROUTES_BY_CODE = {"no_voicemail": "route"}


class RuleForm(forms.Form):
    """What happens to calls by itself; the number is checked by the services when it is saved."""

    route = forms.ChoiceField(choices=ROUTES)
    number = forms.CharField(max_length=64, required=False, strip=True)
    doubt = ""
    """What is to be said of the saved number, which is taken all the same."""

    def refuse(self, error: CallError) -> None:
        """Show a refusal under the field it is about."""
        self.add_error(ROUTES_BY_CODE.get(error.code, "number"), str(error.message))

    @property
    def sentence(self) -> str:
        """Which of the page's sentences says what the choices do."""
        route, number = self["route"].value(), self["number"].value()
        if route == Automation.Route.NUMBER and not number:
            return "missing"
        return f"{self.im_choice}-{route}"

    @property
    def changes_nothing(self) -> bool:
        """Whether the sentence says that all stays as it is."""
        return self.sentence in {"missing", "same-nothing", "hand-nothing"}

    @property
    def im_choice(self) -> str:
        """Which half of the sentence speaks of the chat status."""
        return "same"


class CalendarRuleForm(RuleForm):
    """What a meeting does, and which meetings count."""

    im = forms.ChoiceField(
        choices=(("nothing", _("Do nothing")), ("busy", _("Update my status to Busy")))
    )
    until_hang_up = forms.BooleanField(required=False)
    all_day = forms.ChoiceField(
        choices=(
            (Automation.AllDay.IGNORE, _("Do nothing")),
            (Automation.AllDay.OUT_OF_OFFICE, _("Count when I am out of office")),
            (Automation.AllDay.BUSY, _("Count as a meeting")),
        )
    )
    tentative = forms.ChoiceField(
        choices=(
            (Automation.Tentative.IGNORE, _("Do nothing")),
            (Automation.Tentative.BUSY, _("Count as a meeting")),
        )
    )
    only_with_others = forms.BooleanField(required=False)

    @property
    def im_choice(self) -> str:
        """Whether colleagues see Busy."""
        return "busy" if self["im"].value() == "busy" else "same"

    @property
    def changes(self) -> dict[str, dict[str, Any]]:
        """As ``services.save_automation`` takes them."""
        data = self.cleaned_data
        return {
            "calendar": {
                "set_im_busy": data["im"] == "busy",
                "until_hang_up": data["until_hang_up"],
                "route": data["route"],
                "number": data["number"],
                "all_day": data["all_day"],
                "tentative": data["tentative"],
                "only_with_others": data["only_with_others"],
            }
        }

    @staticmethod
    def initial_of(rules: Mapping[str, Any]) -> dict[str, Any]:
        """The choices as they are saved."""
        rule = rules["calendar"]
        return {**rule, "im": "busy" if rule["set_im_busy"] else "nothing"}


class ImRuleForm(RuleForm):
    """What the chat status Busy does."""

    only_by_hand = forms.BooleanField(required=False)

    @property
    def im_choice(self) -> str:
        """Whether a Busy that comes from a meeting is left out."""
        return "hand" if self["only_by_hand"].value() else "same"

    @property
    def changes(self) -> dict[str, dict[str, Any]]:
        """As ``services.save_automation`` takes them."""
        return {"im": {name: self.cleaned_data[name] for name in self.fields}}


class ForwardForm(forms.Form):
    """One forward by hand."""

    enabled = forms.BooleanField(required=False)
    destination = forms.CharField(max_length=64, required=False, strip=True)
    doubt = ""
    """What is to be said of the number that holds, which is taken all the same."""

    def refuse(self, error: CallError) -> None:
        """Show a refusal under the number."""
        self.add_error("destination", str(error.message))


class CalendarForm(forms.Form):
    """An address, an account, or a file."""

    kind = forms.ChoiceField(
        choices=(
            (Calendar.Kind.ICS, _("An address (ICS)")),
            (Calendar.Kind.CALDAV, _("An account (CalDAV)")),
            ("upload", _("A file from this computer")),
        )
    )
    url = forms.CharField(max_length=2048, required=False, strip=True, label=_("Address"))
    username = forms.CharField(max_length=256, required=False, label=_("User name"))
    password = forms.CharField(
        max_length=1024,
        required=False,
        strip=False,
        label=_("Password"),
        widget=forms.PasswordInput,
    )
    file = forms.FileField(required=False, label=_("File"))

    @property
    def is_password_wanted(self) -> bool:
        """Whether the address has asked for a user name and a password."""
        return bool(self.errors.get("username") or self.errors.get("password"))

    def clean(self) -> dict[str, Any]:
        """What is needed depends on the kind."""
        data = cast("dict[str, Any]", super().clean())
        if data.get("kind") == "upload":
            file = data.get("file")
            if file is None and "file" not in self.errors:
                self.add_error("file", _("Choose a calendar file (.ics)."))
            elif file is not None and file.size > MAX_UPLOAD:
                self.add_error("file", _("This calendar is too large to be read."))
        elif not data.get("url") and "url" not in self.errors:
            self.add_error("url", _("Give the address of the calendar."))
        return data
