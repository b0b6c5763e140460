"""What happens elsewhere and concerns open pages: signing out, a new password, new people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib.auth.signals import user_logged_out
from django.db.models.signals import post_delete, post_save
from django.dispatch import receiver
from django.utils import timezone

from bluetel.accounts.models import Pbx, User
from bluetel.calls.models import Call
from bluetel.calls.signals import call_placed
from presence import wishes
from presence.live import publish_from_sync, publish_to_engine_from_sync
from presence.messages import ClaimsMessage, RefreshMessage, SessionMessage
from presence.sessions import digest_of
from presence.signals import claims_changed

if TYPE_CHECKING:
    from django.http import HttpRequest

_SIGN_IN_ONLY = frozenset({"last_login"})


@receiver(user_logged_out)
def close_pages_of_session(
    sender: object, request: HttpRequest | None, user: User | None, **kwargs: Any
) -> None:
    """The other tabs of a session that signs out close their sockets at once."""
    if user is None or request is None or not request.session.session_key:
        return
    publish_from_sync(
        SessionMessage(
            type="session", user=str(user.pk), session=digest_of(request.session.session_key)
        )
    )


@receiver(post_save, sender=User)
def look_at_user(
    sender: type[User],
    instance: User,
    created: bool,  # noqa: FBT001 — Django passes it by name
    update_fields: frozenset[str] | None = None,
    **kwargs: Any,
) -> None:
    """Have a changed user's sessions looked at, and his name and phone read again."""
    if update_fields == _SIGN_IN_ONLY:
        return
    if not created:
        publish_from_sync(SessionMessage(type="session", user=str(instance.pk)))
    publish_to_engine_from_sync(RefreshMessage(type="refresh"))


@receiver(post_delete, sender=User)
def forget_user(sender: type[User], instance: User, **kwargs: Any) -> None:
    """A deleted user's pages close."""
    publish_from_sync(SessionMessage(type="session", user=str(instance.pk)))
    publish_to_engine_from_sync(RefreshMessage(type="refresh"))


@receiver([post_save, post_delete], sender=Pbx)
def look_at_pbx(sender: type[Pbx], **kwargs: Any) -> None:
    """A new or changed PBX is connected to."""
    publish_to_engine_from_sync(RefreshMessage(type="refresh"))


@receiver(call_placed)
def fulfil_wish(sender: type[Call], user_id: int, dialed: str, **kwargs: Any) -> None:
    """Who calls somebody need not be told any more that he is free."""
    wishes.fulfil(user_id, dialed, now=timezone.now())


@receiver(claims_changed)
def look_at_claims(sender: object, user_id: int, **kwargs: Any) -> None:
    """The engine shows what changed at once."""
    publish_to_engine_from_sync(ClaimsMessage(type="claims", user=str(user_id)))
