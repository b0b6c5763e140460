"""Why something can't be done with a voice message: one code and one sentence each.

::

    VoicemailError
    ├── MessageNotFound     not_found
    ├── BoxUnavailable      pbx_unavailable
    ├── NobodyToCall        invalid_number: the caller withheld it
    └── NotPossible         not_supported by this PBX

The sentences are for users, translated when they are shown.
"""

from __future__ import annotations

from django.utils.translation import gettext as _


class VoicemailError(Exception):
    """The root; ``code`` is the API's."""

    code = "failed"

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class MessageNotFound(VoicemailError):
    """No such message of this user, or no longer."""

    code = "not_found"

    def __init__(self) -> None:
        super().__init__(_("There is no such voice message."))


class BoxUnavailable(VoicemailError):
    """The PBX doesn't answer, or not in time."""

    code = "pbx_unavailable"

    def __init__(self) -> None:
        super().__init__(
            _("The phone system can't be reached now. Your messages are safe; try again shortly.")
        )


class NobodyToCall(VoicemailError):
    """The caller withheld the number."""

    code = "invalid_number"

    def __init__(self) -> None:
        super().__init__(_("The caller withheld the number: there is nobody to call back."))


class NotPossible(VoicemailError):
    """This PBX has no such function."""

    code = "not_supported"

    def __init__(self) -> None:
        super().__init__(_("Your phone system can't do that from here."))
