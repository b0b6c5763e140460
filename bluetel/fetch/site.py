"""The door as this site's settings have it; one for the whole process."""

from __future__ import annotations

from functools import lru_cache

from django.conf import settings

from bluetel.fetch.door import Door


def site_door() -> Door:
    """The door that ``BLUETEL_FETCH_ALLOW`` and ``BLUETEL_CA_FILE`` describe, for all threads."""
    return _door(tuple(settings.FETCH_ALLOW), settings.CA_FILE)


@lru_cache(maxsize=4)
def _door(allow: tuple[str, ...], ca_file: str) -> Door:
    return Door(allow=allow, ca_file=ca_file)
