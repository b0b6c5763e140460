"""Times in requests: ISO 8601, and one without an offset is meant where the user is."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils.translation import gettext as _
from pydantic import BeforeValidator
from pydantic_core import PydanticCustomError

from bluetel.accounts.models import User
from bluetel.api.errors import ApiError

_OFFSET = re.compile(r"(T.*) (\d\d:?\d\d)$")


def moment(text: str, user: User) -> datetime:
    """A time out of an address, where a ``+`` may have come as a space."""
    try:
        read = datetime.fromisoformat(_OFFSET.sub(r"\1+\2", text))
    except ValueError:
        raise ApiError("invalid_request", _("This is no time: write it as ISO 8601.")) from None
    return of_user(read, user)


def of_user(time: datetime, user: User) -> datetime:
    """``time`` in UTC, by the user's own zone if it had no offset."""
    if time.tzinfo is None:
        time = time.replace(tzinfo=ZoneInfo(user.time_zone or settings.TIME_ZONE))
    try:
        return time.astimezone(UTC)
    except OverflowError:  # at either end of what a calendar has
        raise ApiError("invalid_request", _("This is no time: write it as ISO 8601.")) from None


def _no_count(value: Any) -> Any:
    """Seconds since 1970 are what nobody means who writes a number here."""
    if isinstance(value, (int, float)) or (isinstance(value, str) and value.lstrip("-").isdigit()):
        raise PydanticCustomError("datetime_type", "a time is written as ISO 8601")
    return value


WrittenTime = Annotated[datetime, BeforeValidator(_no_count)]
"""A time in a body."""
