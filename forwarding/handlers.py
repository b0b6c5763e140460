"""What happens elsewhere and matters to where calls go."""

from __future__ import annotations

from typing import Any

from django.dispatch import receiver
from django.utils import timezone

from forwarding.services import reconsider
from presence.rules import ImSource
from presence.signals import claims_changed


@receiver(claims_changed)
def look_at_status(sender: object, user_id: int, source: str = "", **kwargs: Any) -> None:
    """A status was set, has ended, or was taken back; the calendar's follow from here."""
    if source != ImSource.CALENDAR:
        reconsider(user_id, now=timezone.now())
