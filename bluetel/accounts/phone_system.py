"""What a user's own login on his PBX and his telephone let BlueTel do, in sentences."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from django.utils.translation import gettext as _

from bluetel.accounts.models import PbxLogin
from bluetel.accounts.pbx import backend_for
from bluetel.telephony.errors import TelephonyError
from bluetel.telephony.types import Capability, PbxUserId

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bluetel.accounts.models import User


@dataclass(frozen=True, slots=True)
class Standing:
    """A user's place on a PBX that acts for who has signed in; ``login`` is None without one.

    ``limits`` say what can't be done from the pages, each with why, the weightiest first.
    """

    login: PbxLogin | None
    capabilities: frozenset[Capability]
    limits: Sequence[str] = field(default=())


def standing_of(user: User) -> Standing | None:
    """None for a user whose PBX needs no login of his own, or who is on none."""
    if user.pbx is None or not user.pbx_user_id:
        return None
    try:
        backend = backend_for(user.pbx)
    except TelephonyError:
        return None
    if not backend.uses_own_logins:
        return None
    capabilities = backend.capabilities_of(PbxUserId(user.pbx_user_id))
    login = PbxLogin.objects.filter(user=user).first()
    return Standing(login, capabilities, _limits(login, capabilities))


def short_note(user: User) -> str:
    """The one sentence for beside a call: why it has fewer buttons than one may look for."""
    standing = standing_of(user)
    return standing.limits[0] if standing is not None and standing.limits else ""


def _limits(login: PbxLogin | None, capabilities: frozenset[Capability]) -> list[str]:
    if login is None:
        return [
            _(
                "Without your login on the phone system BlueTel can place calls, but not "
                "follow, hold or transfer them."
            ),
            *_unconfirmed(capabilities),
        ]
    if login.works is False:
        return [
            _("The phone system refuses your login: enter it again."),
            *_unconfirmed(capabilities),
        ]
    if login.works is None:
        return [_("Your login on the phone system has not been checked yet.")]
    return _limits_of_phone(login, capabilities)


def _unconfirmed(capabilities: frozenset[Capability]) -> list[str]:
    """What REST 1.0 leaves: settings that go out and can't be read back."""
    if Capability.FORWARDS not in capabilities:
        return [_("Forwards and do-not-disturb can't be set without it.")]
    return [
        _(
            "Forwards and do-not-disturb are sent without it too, but not confirmed: BlueTel can't "
            "read what your telephone does. Routing by calendar or status needs your login."
        )
    ]


def _limits_of_phone(login: PbxLogin, capabilities: frozenset[Capability]) -> list[str]:
    found = []
    if Capability.TRANSFER not in capabilities:
        found.append(
            _(
                "Your line rings in the phone system's own application: hold and transfer "
                "calls there."
            )
        )
    elif Capability.HOLD not in capabilities:
        found.append(
            _("A telephone of this make (%(make)s) is held and answered by its own keys.")
            % {"make": login.phone_make or "?"}
        )
    found.append(_("Mute the microphone, and send tones, on the telephone itself."))
    return found
