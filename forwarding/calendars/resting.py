"""A calendar that could not be read for a day rests: it says nothing until it is read again.

Calls then ring rather than follow an old plan, and its owner is told: by mail where the site sends
any, and on his pages.
"""

from __future__ import annotations

import logging
from datetime import datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from bluetel.mail import headers_of_a_machine, message_id
from bluetel.work.jobs import job
from forwarding import services
from forwarding.models import Calendar, CalendarObject, Occurrence

if TYPE_CHECKING:
    from bluetel.accounts.models import User

logger = logging.getLogger(__name__)


def rest(calendar: Calendar, *, now: datetime) -> None:
    """Have a calendar say nothing any more, and its owner's own settings hold again."""
    with transaction.atomic():
        rows = Calendar.objects.filter(pk=calendar.pk, rests_since=None)
        if not rows.update(rests_since=now):
            return
        calendar.rests_since = now
        Occurrence.objects.filter(source__collection__calendar=calendar, ends__gt=now).delete()
        # Once it can be read again, all of it is expanded anew.
        CalendarObject.objects.filter(collection__calendar=calendar).update(expanded_until=now)
        services.reconsider(calendar.user_id, now=now)
        if settings.SENDS_MAIL:
            send_note.enqueue(key=f"calendar-rests:{calendar.pk}", calendar=calendar.pk)
    logger.warning("calendar %s was not read for a day and rests", calendar.pk)


@job
def send_note(*, calendar: int) -> None:
    """Mail the owner that his calendar rests, unless it is read again by now."""
    row = Calendar.objects.select_related("user").filter(pk=calendar).first()
    if row is None or row.rests_since is None or not row.user.email or not row.user.is_active:
        return
    note_about(row, row.user).send()


def note_about(calendar: Calendar, user: User) -> EmailMessage:
    """The mail, in the owner's language and time zone."""
    since = calendar.rests_since.isoformat() if calendar.rests_since else ""
    zone = ZoneInfo(user.time_zone or settings.TIME_ZONE)
    with translation.override(user.language or settings.LANGUAGE_CODE), timezone.override(zone):
        context = {
            "name": calendar.name or calendar.get_kind_display(),
            "since": calendar.failing_since,
            "page": f"{settings.ENV.origin}{reverse('forwarding:calendar')}",
        }
        return EmailMessage(
            subject=_("Your calls no longer follow your calendar"),
            body=render_to_string("forwarding/calendar_rests.txt", context),
            to=[user.email],
            headers=headers_of_a_machine(message_id("calendar", f"{calendar.pk}/{since}")),
        )
