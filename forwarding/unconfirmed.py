"""Settings of users whose PBX lets nobody but themselves read them, and who gave no login.

They can be sent, where the PBX takes them so, and no more: what holds is not known, nothing of it
is kept here, and no rule applies to them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _

from bluetel.accounts.pbx import backend_for
from bluetel.calls.errors import NoLine, PbxDown
from bluetel.telephony.errors import NotSupported, TelephonyError
from bluetel.telephony.types import Capability, Forward, ForwardKind, PbxUserId
from forwarding.errors import InvalidChoice, NotReadable
from forwarding.messages import ForwardRecord, ForwardsRecord
from forwarding.targets import judge_target

if TYPE_CHECKING:
    from bluetel.accounts.models import User


def can_read(user: User) -> bool:
    """Whether what the user's telephone does can be read; only then can it be kept right."""
    if user.pbx is None or not user.pbx_user_id:
        return True  # that he has no line at all is said elsewhere
    try:
        capabilities = backend_for(user.pbx).capabilities_of(PbxUserId(user.pbx_user_id))
    except TelephonyError:
        return True
    return Capability.READ_FORWARDS in capabilities


def send(user: User, changes: Mapping[str, Any]) -> ForwardsRecord:
    """Send settings in the API's words to the PBX; that it took them is all that is known.

    Gives what was sent in those words; all else reads off, for nobody knows it.

    Raises ``CallError``: ``NotReadable`` for what can't be sent without the user's login.
    """
    if user.pbx is None or not user.pbx_user_id:
        raise NoLine
    backend, pbx_user = backend_for(user.pbx), PbxUserId(user.pbx_user_id)
    forwards = {
        kind: _forward(user, changes[kind]) for kind in ForwardKind if changes.get(kind) is not None
    }
    try:
        for kind, forward in forwards.items():
            backend.set_forward(pbx_user, kind, forward)
        if changes.get("do_not_disturb") is not None:
            backend.set_do_not_disturb(pbx_user, enabled=bool(changes["do_not_disturb"]))
    except NotSupported as error:
        raise NotReadable from error
    except TelephonyError as error:
        raise PbxDown from error
    return ForwardsRecord(
        unconditional=_record(forwards.get(ForwardKind.UNCONDITIONAL)),
        busy=_record(forwards.get(ForwardKind.BUSY)),
        no_answer=_record(forwards.get(ForwardKind.NO_ANSWER)),
        do_not_disturb=bool(changes.get("do_not_disturb")),
    )


def _record(forward: Forward | None) -> ForwardRecord:
    sent = forward or Forward()
    return ForwardRecord(enabled=sent.enabled, destination=sent.destination)


def _forward(user: User, change: Mapping[str, Any]) -> Forward:
    enabled, text = bool(change.get("enabled")), str(change.get("destination") or "").strip()
    if enabled and not text:
        # Nothing is known of the number it had before.
        raise InvalidChoice(_("Give the number that calls go to."))
    destination = judge_target(user, text, ahead=False) if text else ""
    return Forward(enabled=enabled, destination=destination)
