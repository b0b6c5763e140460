"""What the forms of the status menu and the privacy page send."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Literal

from django import forms
from django.utils import timezone

from presence.rules import MESSAGE_LIMIT, ImState

AUTOMATIC = "automatic"
HALF_AN_HOUR, HOUR = timedelta(minutes=30), timedelta(hours=1)


class StatusForm(forms.Form):
    """A status, what to say beside it, and for how long."""

    im = forms.ChoiceField(
        choices=[
            (state, state)
            for state in (ImState.AVAILABLE, ImState.BUSY, ImState.AWAY, ImState.OFFLINE, AUTOMATIC)
        ]
    )
    message = forms.CharField(required=False, max_length=MESSAGE_LIMIT)
    until = forms.ChoiceField(
        required=False,
        choices=[(one, one) for one in ("half-hour", "hour", "meeting", "today", "open")],
    )

    def end(self, *, now: datetime) -> datetime | Literal["end_of_meeting"] | None:
        """When it is over; today is over at midnight where the user is."""
        match self.cleaned_data["until"]:
            case "half-hour":
                return now + HALF_AN_HOUR
            case "hour":
                return now + HOUR
            case "meeting":
                return "end_of_meeting"
            case "today":
                here = timezone.localtime(now)
                tomorrow = (here + timedelta(days=1)).date()
                return datetime.combine(tomorrow, datetime.min.time(), tzinfo=here.tzinfo)
            case _:
                return None
