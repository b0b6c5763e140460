"""What the frame around every page needs: the bar, the call bar, the banner."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.utils import timezone
from django.utils.functional import SimpleLazyObject

from bluetel.accounts.phone_system import short_note
from bluetel.api.people import capabilities_of
from bluetel.calls.messages import record_of
from bluetel.calls.selectors import live_calls
from forwarding.outlook import outlook_of
from presence.peers import with_peers
from presence.selectors import favourite_ids, my_status, pbx_down_since
from presence.wishes import wishes_of
from voicemail.selectors import unread_count

if TYPE_CHECKING:
    from django.http import HttpRequest


def shell(request: HttpRequest) -> dict[str, Any]:
    """The frame's variables; signed out there is next to nothing of it."""
    frame: dict[str, Any] = {
        "is_demo": bool(settings.DEMO),
        "languages": settings.LANGUAGES,
        "has_xmpp": bool(settings.ENV.xmpp_url.get_secret_value()),
    }
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return frame
    now = timezone.now()
    call_wishes = wishes_of(user, now=now)
    return frame | {
        "me": user,
        "my_presence": my_status(user, now=now),
        "capabilities": set(capabilities_of(user)),
        "phone_note": short_note(user),
        "live_calls": with_peers(user, [record_of(call) for call in live_calls(user)]),
        "pbx_down_since": pbx_down_since(user),
        "call_wishes": call_wishes,
        "wished_ids": {wish["user_id"] for wish in call_wishes},
        # Only the pages that show them pay for them.
        "favourite_ids": SimpleLazyObject(lambda: set(favourite_ids(user))),
        "calls_now": SimpleLazyObject(partial(outlook_of, user, now=now)),
        "voicemail_unread": unread_count(user),
    }
