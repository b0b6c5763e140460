"""Telling a user's open pages that his voicemail changed."""

from __future__ import annotations

from presence.live import publish_from_sync
from presence.messages import UserMessage, VoicemailFrame


def publish_unread(user_id: int, unread: int) -> None:
    """Show the count in all pages of the user, once the rows are committed."""
    frame = VoicemailFrame(type="voicemail", unread=unread)
    publish_from_sync(UserMessage(type="user", user=str(user_id), frame=frame))
