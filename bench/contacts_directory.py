"""Has BlueTel take the company directory as read in, with nobody who has changed since.

So it is some minutes after the first start, when the index holds everybody of it. That of the bench
holds a hundred thousand others, who must not be compared with it.
"""

from __future__ import annotations

import os
from datetime import timedelta

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bluetel.settings")
django.setup()

from django.conf import settings  # noqa: E402
from django.utils import timezone  # noqa: E402

from contacts.ldap.keeping import directory_state, scope_of  # noqa: E402

if __name__ == "__main__":
    assert settings.LDAP_CONFIG is not None
    state = directory_state()
    state.read_at = timezone.now()
    state.position = f"{state.read_at + timedelta(seconds=1):%Y%m%d%H%M%SZ}"
    state.scope = scope_of(settings.LDAP_CONFIG)
    state.save()
