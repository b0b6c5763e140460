"""The rights a service account needs, and what stops working without each.

The list is that of ``reference/wazo.md`` §1, mode A. ``*`` stands for one part of a name, as in
Wazo's policies.
"""

from __future__ import annotations

from collections.abc import Mapping

ANYBODY = "00000000-0000-4000-8000-000000000000"
"""Fills in for ``*`` when a right is asked about: no real person's uuid."""

NEEDED: Mapping[str, str] = {
    "websocketd": "nothing is live: no phone states, no calls",
    "events.calls.*": "calls are not followed after they were placed",
    "events.chatd.users.*.presences.updated": "phone states don't change on the pages",
    "events.config.users.*.forwards.unconditional.updated": "forwards set by phone are not noticed",
    "events.config.users.*.services.dnd.updated": "do-not-disturb set by phone is not noticed",
    "events.users.*.voicemails": "new voice messages are not noticed",
    "events.config.user.edited": "changed users are noticed only by the next synchronisation",
    "events.transfers.*": "transfers begun elsewhere can't be completed or cancelled",
    "confd.infos.read": "the PBX's version is unknown",
    "confd.users.read": "users can't be synchronised",
    "confd.users.*.read": "no call can be placed: the users' lines are unknown",
    "confd.users.*.forwards.read": "forwards can't be shown",
    "confd.users.*.forwards.unconditional.update": "forwards can't be changed",
    "confd.users.*.services.dnd.read": "do-not-disturb can't be shown",
    "confd.users.*.services.dnd.update": "do-not-disturb can't be changed",
    "confd.users.*.voicemails.read": "voicemail and forwards to it don't work",
    "calld.calls.create": "no call can be placed",
    "calld.calls.read": "live calls are unknown after a reconnect",
    "calld.calls.*.read": "calls can't be steered",
    "calld.calls.*.delete": "calls can't be hung up",
    "calld.calls.*.hold.start.update": "calls can't be put on hold",
    "calld.calls.*.hold.stop.update": "held calls can't be resumed",
    "calld.calls.*.mute.start.update": "calls can't be muted",
    "calld.calls.*.mute.stop.update": "muted calls can't be unmuted",
    "calld.calls.*.dtmf.update": "no tones can be sent",
    "calld.calls.*.answer.update": "calls can't be answered from the page",
    "calld.transfers.create": "calls can't be transferred",
    "calld.transfers.*.read": "attended transfers can't be completed or cancelled",
    "calld.transfers.*.complete.update": "attended transfers can't be completed",
    "calld.transfers.*.delete": "attended transfers can't be cancelled",
    "calld.voicemails.*.read": "voice messages can't be listed",
    "calld.voicemails.*.messages.*.recording.read": "voice messages can't be played",
    "calld.voicemails.*.messages.*.update": "voice messages can't be marked read",
    "calld.voicemails.*.messages.*.delete": "voice messages can't be deleted",
    "calld.voicemails.*.greetings.*.read": "voicemail greetings can't be heard",
    "calld.voicemails.*.greetings.*.create": "voicemail greetings can't be recorded",
    "calld.voicemails.*.greetings.*.update": "voicemail greetings can't be replaced",
    "calld.voicemails.*.greetings.*.delete": "voicemail greetings can't be deleted",
    "chatd.users.presences.read": "phone states and chat status are unknown",
    "chatd.users.*.presences.read": "a chat status can't be confirmed",
    "chatd.users.*.presences.update": "chat status can't be set",
    "dird.directories.lookup.default.*.read": "the PBX's directory can't be searched",
    "call-logd.users.*.cdr.read": "the call log can't be shown",
}

NEEDED_FOR_TENANT: Mapping[str, str] = {
    "auth.tenants.read": "the configured tenant can't be used: the PBX answers with errors",
}
"""Needed as well where a ``Wazo-Tenant`` is configured."""


def probes(rights: Mapping[str, str]) -> dict[str, str]:
    """Each right with its ``*`` filled in, as Wazo wants it asked."""
    return {right: right.replace("*", ANYBODY) for right in rights}
