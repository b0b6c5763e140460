"""Why a choice about calls is refused: one code and one sentence each, translated when shown."""

from __future__ import annotations

from django.utils.translation import gettext as _

from bluetel.calls.errors import CallError


class ForwardingError(CallError):
    """The root; ``code`` is the API's."""


class TargetRefused(ForwardingError):
    """Calls can't be sent there."""

    code = "number_refused"


class NoVoicemail(ForwardingError):
    """The user has no voicemail box."""

    code = "no_voicemail"

    def __init__(self) -> None:
        super().__init__(
            _("You have no voicemail box. Choose a number, or ask your telephone administrator.")
        )


class NoMeeting(ForwardingError):
    """The user is in no meeting now."""

    code = "no_meeting"

    def __init__(self) -> None:
        super().__init__(_("You are in no meeting now."))


class InvalidChoice(ForwardingError):
    """Something that is no choice."""

    code = "invalid_request"


class NotReadable(ForwardingError):
    """The PBX tells nobody but the user himself what his telephone does, and he gave no login."""

    code = "not_supported"

    def __init__(self) -> None:
        super().__init__(
            _(
                "The phone system tells what your telephone does only with your own login: "
                "see Settings, Phone system."
            )
        )
