"""The time zone that a ``TZID`` means: those of the zone database, of Windows, of old programs."""

from __future__ import annotations

import re
import zoneinfo
from functools import lru_cache

from icalendar.timezone.windows_to_olson import WINDOWS_TO_OLSON

_OFFSET = re.compile(r"(?:UTC|GMT)([+-])(\d{1,2})(?::?(00))?$")
_UTC_NAMES = {"utc", "gmt", "z", "zulu", "etc/utc", "tzone://microsoft/utc"}


@lru_cache(maxsize=1)
def _names() -> dict[str, str]:
    """Every name we know in lower case, with the database's name for it."""
    windows = {name.lower(): zone for name, zone in WINDOWS_TO_OLSON.items()}
    return windows | {name.lower(): name for name in zoneinfo.available_timezones()}


@lru_cache(maxsize=4096)
def zone_named(tzid: str) -> str | None:
    """The database's name of the zone ``tzid``, or None when nobody knows it.

    Knows Windows' names (``Romance Standard Time``), those with a program's prefix
    (``/mozilla.org/20050126_1/Europe/Paris``) and whole hours from UTC.
    """
    text = tzid.strip().strip('"').strip("/").lower()
    if text in _UTC_NAMES:
        return "UTC"
    parts = text.split("/")
    for count in range(len(parts), 0, -1):
        if found := _names().get("/".join(parts[-count:])):
            return found
        if count == 1:
            break
    if offset := _OFFSET.match(tzid.strip().upper()):
        sign, hours, _ = offset.groups()
        # The database writes these the other way round: Etc/GMT-1 is an hour east.
        return _names().get(f"etc/gmt{'-' if sign == '+' else '+'}{int(hours)}")
    return None
